"""What a check found: one row for each tensor and method, over all rounds of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.languages.phrases import Message, marked, worded
from symbackprop.lesson.tables import Table, Tabular
from symbackprop.notation.faces import counted

CENTRAL_DIFFERENCES = worded("central differences")
COMPLEX_STEP = worded("complex step")
UNSIMPLIFIED = worded("unsimplified adjoints")
NAIVE_EVALUATOR = worded("naive evaluator")
INNER_QUOTIENTS = worded("inner differences")
OWN_LOSS = worded("its own loss()")
OWN_GRADIENT = worded("its own grad()")
OWN_WORKSPACE = worded("its own workspace")
AT_KINKS = worded("convention at kinks, ties")
SINGLE_PRECISION = worded("float32 data")
DIGITS = worded("noise of its digits")
DOUBLE_PRECISION = worded("float64 data")
NEGATIVE_CONTROL = worded("perturbed gradients")

# Relative errors up to these pass. A complex step is exact to rounding, a central difference in float64 is
# good to about ten digits; where a judge itself is less sure on the data drawn, `comparing` says what passes.
TOLERANCES: Mapping[str, float] = {
    CENTRAL_DIFFERENCES: 1e-7,
    COMPLEX_STEP: 1e-12,
    AT_KINKS: 1e-12,
    UNSIMPLIFIED: 1e-12,
    NAIVE_EVALUATOR: 1e-9,
    INNER_QUOTIENTS: 1e-9,
    OWN_LOSS: 1e-12,
    OWN_GRADIENT: 1e-12,
    OWN_WORKSPACE: 1e-12,
}


@dataclass(frozen=True)
class CheckRow:
    """One comparison. `worst` is the largest relative error; NaN and infinity never pass.

    `compared` elements or directions were held against the method, `skipped` ones could not be: a kink of the
    loss lies within the difference's reach there.
    """

    tensor: str
    method: str
    worst: float
    ok: bool
    compared: int
    skipped: int = 0
    note: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as a table shows it."""
        note = self.note or (
            worded("{skipped} elements at a kink untold", skipped=self.skipped) if self.skipped else ""
        )
        verdict = "ok" if self.ok else "WRONG"
        said = Message("{verdict}  {note}", (("verdict", verdict), ("note", note))) if note else verdict
        return self.tensor, self.method, f"{self.worst:.1e}", said


@dataclass(frozen=True)
class Round:
    """The comparisons on one draw of data with these axis sizes; `name` says what it is for."""

    name: str
    sizes: Mapping[str, int]
    rows: tuple[CheckRow, ...]


@dataclass(frozen=True)
class Control:
    """The negative control: how many wrong gradients were held against the judges, and which passed."""

    planted: int = 0
    unnoticed: tuple[str, ...] = ()

    def __add__(self, other: Control) -> Control:
        return Control(self.planted + other.planted, self.unnoticed + other.unnoticed)


@dataclass(frozen=True, repr=False)
class CheckReport(Tabular):
    """All comparisons of one check, on data drawn from `seed`; `remarks` say what could not be tried."""

    subject: str
    seed: int
    rounds: tuple[Round, ...]
    control: Control = Control()
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What was checked, what came of it, and how many comparisons it took."""
        verdict = "BLIND" if self.is_blind else "ok" if self.ok else "WRONG"
        return f"{self.subject}: {verdict}, {counted(len(self.rows), 'comparison')}"

    @property
    def table(self) -> Table:
        """A line for each row."""
        headings = (marked("tensor"), marked("compared with"), marked("worst relative error") + ">", "")
        return Table(headings, tuple([row.cells for row in self.rows]))

    @property
    def sizes(self) -> Mapping[str, int]:
        """The axis sizes of the first round."""
        return self.rounds[0].sizes if self.rounds else {}

    @property
    def rows(self) -> tuple[CheckRow, ...]:
        """One row a tensor and method: the worst of its rounds; the last one is the negative control."""
        merged = merged_rows(row for each in self.rounds for row in each.rows)
        return (*merged, *self._control_row())

    def _control_row(self) -> tuple[CheckRow, ...]:
        if not self.control.planted:
            return ()
        missed = len(self.control.unnoticed)
        note = worded("{seen} of {all} noticed", seen=self.control.planted - missed, all=self.control.planted)
        row = CheckRow("all", NEGATIVE_CONTROL, 0.0, not missed, self.control.planted, 0, note)
        return (row,)

    @property
    def is_blind(self) -> bool:
        """Whether a gradient that was made wrong on purpose passed, so that nothing certain can be said."""
        return bool(self.control.unnoticed)

    @property
    def ok(self) -> bool:
        """Whether there was something to compare, every row passed and wrong gradients did not."""
        return any(each.rows for each in self.rounds) and all(row.ok for row in self.rows)


def merged_rows(rows: Iterable[CheckRow]) -> tuple[CheckRow, ...]:
    """One row for each tensor and method, in order of appearance: that with the worst error."""
    groups: dict[tuple[str, str], list[CheckRow]] = {}
    for row in rows:
        groups.setdefault((row.tensor, row.method), []).append(row)
    return tuple(_worst_of(group) for group in groups.values())


def _worst_of(group: Sequence[CheckRow]) -> CheckRow:
    worst = worst_row(group)
    note = worst.note or next((row.note for row in group if row.note), "")
    compared, skipped = sum(row.compared for row in group), sum(row.skipped for row in group)
    return replace(worst, compared=compared, skipped=skipped, note=note)


def worst_row(rows: Iterable[CheckRow]) -> CheckRow:
    """The first that failed with the largest error, else the largest error."""
    return max(rows, key=lambda row: (not row.ok, row.worst if row.worst == row.worst else float("inf")))


def in_one_row(rows: Sequence[CheckRow]) -> CheckRow:
    """The rows of all tensors as one, which names a tensor only where it failed."""
    worst = _worst_of(rows)
    return worst if len(rows) == 1 or not worst.ok else replace(worst, tensor="all")


def failure(tensor: str, method: str, note: str) -> CheckRow:
    """A row for what could not even be compared."""
    return CheckRow(tensor, method, float("inf"), False, 0, note=note)


def uncompared(tensor: str, note: str) -> CheckRow:
    """A row that says that there was nothing to compare a gradient with."""
    return CheckRow(tensor, "nothing", 0.0, True, 0, note=note)
