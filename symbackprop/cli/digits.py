"""`symbackprop check --digits`: the table, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.accuracy.report import PRECISIONS, DigitsReport, DigitsRow, Verdict, gravest, worst_of
from symbackprop.cli.console import print_table, say

DIGITS_HELP = (
    "Measure instead how many digits loss and gradients keep in float32 and float64, a tensor a line, on "
    "plain data, on data x8, x100, shifted by 1e2, 1e4 and 1e6, large negative and near-equal, and on tails "
    "of exponentials, up to 80 in float32 and 800 in float64. The error of a tensor is the largest distance "
    "of an element from the truth, divided by the largest element of the truth, which is the chain rule in "
    "sixty digits or more on the same numbers. Beside it stands the error of the chain rule as typed, before "
    "any simplification, in the same precision. A tensor is WORSE, and the exit code 1, where its error is "
    "more than 4 times that and more than 8 roundings of the largest element; NEITHER FINITE says that both "
    "break down where the truth is finite, on the data named behind it. A module needs its --model."
)

WORSE, NOTHING_CERTAIN = 1, 3

SUMMARIES = {
    Verdict.KEPT: "the digits are those of the chain rule as typed",
    Verdict.NEITHER: "the digits are those of the chain rule as typed; some of the data leave neither finite",
    Verdict.WORSE: "digits are LOST",
}


def print_digits(report: DigitsReport) -> int:
    """A tensor a line, errors of the module and of the chain rule as typed; the exit code."""
    headings = ["tensor"]
    for precision in PRECISIONS:
        headings += [f"{precision}>", "as typed>"]
    print_table((*headings, ""), [_line(report, tensor) for tensor in report.tensors])
    sizes = ", ".join(f"{axis}={size}" for axis, size in report.sizes.items())
    say(f"{report.subject}: random data from seed {report.seed}" + (f": {sizes}" if sizes else ""))
    say(f"  data: {', '.join(report.data)}")
    for remark in report.remarks:
        say(f"  {remark}")
    if report.is_empty:
        say("nothing could be measured")
        return NOTHING_CERTAIN
    say(SUMMARIES[report.verdict])
    return 0 if report.ok else WORSE


def _line(report: DigitsReport, tensor: str) -> tuple[str, ...]:
    cells = [tensor]
    said = []
    for precision in PRECISIONS:
        row = report.worst(tensor, precision)
        cells += ["", ""] if row is None else [f"{row.module:.1e}", f"{row.typed:.1e}"]
        said += _said([each for each in report.rows if (each.tensor, each.precision) == (tensor, precision)])
    verdict = gravest(row for row in report.rows if row.tensor == tensor)
    return (*cells, f"{verdict.value}  {'; '.join(said)}".rstrip())


def _said(rows: Sequence[DigitsRow]) -> list[str]:
    """On which data a tensor is worst, and on which neither result is finite, in one precision."""
    worse = [row for row in rows if row.verdict is Verdict.WORSE]
    neither = [row for row in rows if row.verdict is Verdict.NEITHER]
    said = []
    if worse:
        worst = worst_of(worse)
        said.append(f"{worst.precision}, {worst.data}: {worst.ratio:.2g} times")
    if neither:
        said.append(f"{neither[0].precision}, {' and '.join(row.data for row in neither)}: neither is finite")
    return said
