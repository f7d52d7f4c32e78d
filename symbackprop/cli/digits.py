"""`symbackprop check --digits`: the table, and what is said of it."""

from __future__ import annotations

from symbackprop.accuracy.report import PRECISIONS, DigitsReport, DigitsRow
from symbackprop.cli.console import print_table, say

DIGITS_HELP = (
    "Measure instead how many digits loss and gradients keep in float32 and float64, a tensor a line, on "
    "plain data, on data x8, x100, shifted by 1e2, 1e4 and 1e6, large negative and near-equal, and on tails "
    "of exponentials, up to 80 in float32 and 800 in float64. The error of a tensor is the largest distance "
    "of an element from the truth, divided by the largest element of the truth, which is the chain rule in "
    "sixty digits or more on the same numbers. Beside it stands the error of the chain rule as typed, before "
    "any simplification, in the same precision. A tensor is WORSE, and the exit code 1, where its error is "
    "more than 4 times that and more than 8 roundings of the largest element. A module needs its --model."
)

WORSE, NOTHING_CERTAIN = 1, 3


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
    say("the digits are those of the chain rule as typed" if report.ok else "digits are LOST")
    return 0 if report.ok else WORSE


def _line(report: DigitsReport, tensor: str) -> tuple[str, ...]:
    cells = [tensor]
    said = []
    for precision in PRECISIONS:
        row = report.worst(tensor, precision)
        cells += ["", ""] if row is None else [f"{row.module:.1e}", f"{row.typed:.1e}"]
        said += [] if row is None else _said(row)
    is_worse = any(not row.ok for row in report.rows if row.tensor == tensor)
    return (*cells, f"{'WORSE' if is_worse else 'ok'}  {'; '.join(said)}".rstrip())


def _said(row: DigitsRow) -> list[str]:
    if row.ok and not row.is_silent:
        return []
    note = "neither is finite" if row.is_silent else f"{row.ratio:.2g} times"
    return [f"{row.precision}, {row.data}: {note}"]
