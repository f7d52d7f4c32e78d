"""`symbackprop check --digits`: the table, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.accuracy.report import DigitsReport, Verdict
from symbackprop.cli.console import print_table, say
from symbackprop.languages.phrases import Words, joined, marked, phrase

DIGITS_HELP = marked(
    "Measure instead how many digits loss and gradients keep in float32 and float64, a tensor a line, on "
    "plain data, on data x8, x100, shifted by 1e2, 1e4 and 1e6, large negative, near-equal and near the "
    "identity, on tails of exponentials, up to 80 in float32 and 800 in float64, on whole numbers, in pairs "
    "and with zeros, and with each tensor "
    "alone shifted by 1e4, twelve at most, those that are added before others. The error of a tensor is "
    "the largest distance of an element from the truth, divided by the largest element of the truth, "
    "which is the chain rule in sixty digits or more on the same numbers. Beside it stands the error of "
    "the chain rule as typed, before any simplification, in the same precision. A tensor is WORSE, and "
    "the exit code 1, where its error is more than 4 times that and more than 8 roundings of the largest "
    "element; NEITHER FINITE says that both break down where the truth is finite, on the data named "
    "behind it, NO DIGITS that both are off by half of the largest element or more; then the exit code is "
    "1 too. A module needs its --model."
)

NOT_KEPT, NOTHING_CERTAIN = 1, 3

SUMMARIES = {
    Verdict.KEPT: marked("the digits are those of the chain rule as typed"),
    Verdict.NONE: marked(
        "NO DIGITS are left on some of the data where the truth is finite, nor of the chain rule as typed"
    ),
    Verdict.NEITHER: marked(
        "NOT FINITE on some of the data where the truth is, nor is the chain rule as typed"
    ),
    Verdict.WORSE: marked("digits are LOST"),
}


def print_digits(report: DigitsReport, lang: str) -> int:
    """A tensor a line, errors of the module and of the chain rule as typed; the exit code."""
    print_table(report.table.headings, report.table.rows, lang)
    for line in _what_was_measured(report):
        say(line, lang)
    if report.is_empty:
        return NOTHING_CERTAIN
    return 0 if report.ok else NOT_KEPT


def _what_was_measured(report: DigitsReport) -> Iterator[Words]:
    sizes = ", ".join(f"{axis}={size}" for axis, size in report.sizes.items())
    drawn = phrase("{subject}: random data from seed {seed}", subject=report.subject, seed=report.seed)
    yield (*drawn, f": {sizes}" if sizes else "")
    yield phrase("  data: {kinds}", kinds=joined(marked("{before}, {after}"), report.data))
    for remark in report.remarks:
        yield ("  ", remark)
    yield phrase("nothing could be measured") if report.is_empty else phrase(SUMMARIES[report.verdict])
