"""What was found of a module's digits: a row for each tensor, precision and kind of data."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from symbackprop.languages.phrases import Message, joined, marked, worded
from symbackprop.lesson.tables import Table, Tabular

PRECISIONS: Mapping[str, type[np.floating[Any]]] = {
    "float32": np.float32,
    "float64": np.float64,
}
MOST = 4.0  # times the error of the chain rule as typed
# Errors up to so many roundings of the largest element pass whatever the chain rule as typed makes of it:
# which of two such results is nearer to the truth is luck.
ROUNDINGS = 8.0
# The error, over the largest element, from which on not even that element's first digit is right. It counts
# where it is above rounding beside the largest of all: z*(1 - z) has no digit where z rounds to 1.
NO_DIGIT = 0.5


class Verdict(enum.Enum):
    """What is said of digits beside those of the chain rule as typed, the gravest last."""

    KEPT = "ok"
    NONE = "NO DIGITS"  # of either, though the truth is finite: there is nothing to lose
    NEITHER = "NEITHER FINITE"  # though the truth is: there is nothing to compare
    WORSE = "WORSE"


@dataclass(frozen=True)
class DigitsRow:
    """The relative errors of a tensor, in a precision, on data of a kind: on the gravest of a few draws.

    `module` is that of the generated module, `typed` that of the chain rule as typed, infinite where a
    result is not finite and the truth is; where that has no digit and the module has, `typed` may be that of
    the same digits with exponents of any size. `among_all` is the module's error over the largest element of
    loss and all gradients.
    """

    tensor: str
    precision: str
    data: str
    module: float
    typed: float
    among_all: float = inf

    @property
    def ratio(self) -> float:
        """How many times as large as the chain rule's the module's error is; 1 where neither is finite."""
        if not isfinite(self.typed):
            return 0.0 if isfinite(self.module) else 1.0
        return self.module / max(self.typed, self._passing / MOST)

    @property
    def is_out_of_range(self) -> bool:
        """Whether the module has digits and the chain rule as typed has none."""
        return self.module < NO_DIGIT <= self.typed

    @property
    def verdict(self) -> Verdict:
        """What the two errors say."""
        if not isfinite(self.typed) and not isfinite(self.module):
            return Verdict.NEITHER
        if self.ratio > MOST:
            return Verdict.WORSE
        is_lost = min(self.module, self.typed) >= NO_DIGIT and self.among_all > self._passing
        return Verdict.NONE if is_lost else Verdict.KEPT

    @property
    def _passing(self) -> float:
        return ROUNDINGS * float(np.finfo(PRECISIONS[self.precision]).eps)


@dataclass(frozen=True, repr=False)
class DigitsReport(Tabular):
    """All rows of one measurement, on data drawn from `seed`; `remarks` say what could not be measured."""

    subject: str
    seed: int
    sizes: Mapping[str, int]
    data: tuple[str, ...]
    rows: tuple[DigitsRow, ...]
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What was measured, and what came of it."""
        return f"{self.subject}: {'nothing measured' if self.is_empty else self.verdict.value}"

    @property
    def table(self) -> Table:
        """A line for each tensor: errors of the module and of the chain rule as typed."""
        headings = [name for precision in PRECISIONS for name in (f"{precision}>", marked("as typed") + ">")]
        return Table(
            (marked("tensor"), *headings, ""), tuple([_line(self, tensor) for tensor in self.tensors])
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing could be measured."""
        return not self.rows

    @property
    def ok(self) -> bool:
        """Whether there was something to measure, and all of it was kept: finite wherever the truth is."""
        return not self.is_empty and self.verdict is Verdict.KEPT

    @property
    def verdict(self) -> Verdict:
        """The gravest of all rows."""
        return gravest(self.rows)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The loss and the tensors that gradients were asked for, in their order."""
        return tuple(dict.fromkeys(row.tensor for row in self.rows))

    def worst(self, tensor: str, precision: str) -> DigitsRow | None:
        """The row of a tensor and precision that says most: the worst beside the chain rule as typed."""
        rows = [row for row in self.rows if (row.tensor, row.precision) == (tensor, precision)]
        return worst_of(rows) if rows else None


def worst_of(rows: Sequence[DigitsRow]) -> DigitsRow:
    """A row that fails before any other, then one without digits, then the largest ratio and error."""
    return max(
        rows,
        key=lambda row: (
            row.verdict is Verdict.WORSE,
            row.verdict is Verdict.NONE,
            row.verdict is not Verdict.NEITHER,
            row.ratio,
            min(row.module, inf),
        ),
    )


def graver(row: DigitsRow, other: DigitsRow) -> DigitsRow:
    """Of two rows of a tensor the one whose verdict says more, or whose error is larger.

    Each by its own data: where the chain rule as typed has no digit on one draw, it may have all on another.
    """
    order = list(Verdict)
    return max(row, other, key=lambda each: (order.index(each.verdict), each.ratio, min(each.module, inf)))


def gravest(rows: Iterable[DigitsRow]) -> Verdict:
    """The verdict that says most against them."""
    order = list(Verdict)
    return max((row.verdict for row in rows), key=order.index, default=Verdict.KEPT)


def _line(report: DigitsReport, tensor: str) -> tuple[str, ...]:
    cells = [tensor]
    said: list[Message] = []
    for precision in PRECISIONS:
        row = report.worst(tensor, precision)
        cells += ["", ""] if row is None else [f"{row.module:.1e}", f"{row.typed:.1e}"]
        said += _said([each for each in report.rows if (each.tensor, each.precision) == (tensor, precision)])
    verdict = gravest(row for row in report.rows if row.tensor == tensor)
    if not said:
        return (*cells, verdict.value)
    words = joined(marked("{before}; {after}"), said)
    return (*cells, worded("{verdict}  {words}", verdict=verdict.value, words=words))


def _said(rows: Sequence[DigitsRow]) -> list[Message]:
    """On which data a tensor is worst, and on which of neither result anything is left, in one precision."""
    worse = [row for row in rows if row.verdict is Verdict.WORSE]
    said: list[Message] = []
    if worse:
        worst = worst_of(worse)
        said.append(
            worded(
                "{precision}, {data}: {ratio} times",
                precision=worst.precision,
                data=worst.data,
                ratio=f"{worst.ratio:.2g}",
            )
        )
    for verdict, what in _OF_BOTH.items():
        both = [row for row in rows if row.verdict is verdict]
        if both:
            data = joined(marked("{before} and {after}"), [row.data for row in both])
            said.append(
                worded("{precision}, {data}: {what}", precision=both[0].precision, data=data, what=what)
            )
    return said


_OF_BOTH = {Verdict.NONE: worded("neither has a digit"), Verdict.NEITHER: worded("neither is finite")}
