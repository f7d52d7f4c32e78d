"""The program's nodes for places: reading by index arrays, adding up at them, and along an axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from symbackprop.array.ir import Literal
from symbackprop.array.value import OneOperand, Value, ValueType
from symbackprop.notation.expressions import Axis, Index, ReductionKind
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Gather(Value):
    """Places of neighbouring axes by arrays of integers: `C[ids]`, `x[np.arange(N), ids]`, `x[:, ids]`.

    The arrays are broadcast against one another; their axes stand in the result where the axes stood that
    they read. `skip` axes before them are kept whole, and so are those behind.
    """

    operand: Value
    places: tuple[Value, ...]
    skip: int = 0

    @property
    def operands(self) -> tuple[Value, ...]:
        """The array that is read, and the places."""
        return (self.operand, *self.places)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Other places of another array."""
        return Gather(operands[0], operands[1:], self.skip)

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        whole = all(place.kind in (Kind.INTEGER, Kind.PYTHON) for place in self.places)
        end = self.skip + len(self.places)
        self.require(whole and 0 < len(self.places) <= end <= len(before), "needs integers for some axes")
        layout = (
            *before[: self.skip],
            *self.broadcast([place.layout for place in self.places]),
            *before[end:],
        )
        return ValueType(layout, self.operand.kind)


@dataclass(frozen=True)
class Take(Gather):
    """The same along one axis of an array in C order: `np.take`, which computes into memory that is there."""

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Other places of another array."""
        return Take(operands[0], operands[1:], self.skip)


@dataclass(frozen=True)
class ScatterAdd(Value):
    """Rows added up at the places they belong to, equal places too: sum(n, rows[n,...]*delta(places[n], v)).

    The rows begin with the axes of the places; `index` runs along the first axis of the result.
    """

    places: Value
    rows: Value
    index: Index

    @property
    def operands(self) -> tuple[Value, ...]:
        """Places and rows."""
        return (self.places, self.rows)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Other rows at other places."""
        places, rows = operands
        return ScatterAdd(places, rows, self.index)

    def _infer_type(self) -> ValueType:
        places, rows = self.places.layout, self.rows.layout
        fits = self.places.kind is Kind.INTEGER and rows[: len(places)] == places != ()
        self.require(fits and self.rows.kind is Kind.REAL, "needs integers, and a row of reals for each")
        return ValueType(((self.index,), *rows[len(places) :]), Kind.REAL)


@dataclass(frozen=True)
class ScatterExtremum(Value):
    """max or min over n of where(places[n] == v, rows[n,...], otherwise), for each v.

    As in a ScatterAdd the rows begin with the axes of the places, and `index` runs along the first axis of
    the result. Where all rows have one place, it is the extremum of them alone. `initial` is the value over
    an empty axis; where it is None, that has none.
    """

    reduction: ReductionKind
    places: Value
    rows: Value
    otherwise: Literal
    index: Index
    initial: Literal | None = None
    reductions: ClassVar[tuple[ReductionKind, ...]] = ("max", "min")
    found: ClassVar[Kind] = Kind.REAL

    @property
    def over(self) -> tuple[Index, ...]:
        """The indices that vanish."""
        return self.places.indices

    @property
    def operands(self) -> tuple[Value, ...]:
        """Places and rows."""
        return (self.places, self.rows)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Other rows at other places."""
        places, rows = operands
        return replace(self, places=places, rows=rows)

    def _infer_type(self) -> ValueType:
        places, rows = self.places.layout, self.rows.layout
        fits = self.places.kind is Kind.INTEGER and rows[: len(places)] == places != ()
        self.require(fits and self.rows.kind is Kind.REAL, "needs integers, and a row of reals for each")
        self.require(self.reduction in self.reductions, "takes no extremum")
        return ValueType(((self.index,), *rows[len(places) :]), self.found)


@dataclass(frozen=True)
class ScatterArgmax(ScatterExtremum):
    """The place n of that maximum, the first where several have it."""

    reductions: ClassVar[tuple[ReductionKind, ...]] = ("argmax",)
    found: ClassVar[Kind] = Kind.INTEGER


@dataclass(frozen=True)
class Scan(OneOperand):
    """For each place of an axis the sum, or the product, of all before it, and with `own` of it, too.

    With `reverse` of all behind it. `index` is what the axis is called in the result.
    """

    reduction: ReductionKind
    place: int
    own: bool
    reverse: bool
    index: Index

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        self.require(self.reduction in ("sum", "prod"), "accumulates neither sums nor products")
        self.require(self.operand.kind is Kind.REAL, "accumulates what is no array of reals")
        inside = 0 <= self.place < len(before) and len(before[self.place]) == 1
        self.require(inside and before[self.place][0].axis == self.index.axis, "accumulates along no axis")
        layout = (*before[: self.place], (self.index,), *before[self.place + 1 :])
        return ValueType(layout, self.operand.kind)


@dataclass(frozen=True)
class Clip(OneOperand):
    """Integers brought inside an axis: `np.clip(places, 0, max(I - 1, 0))`."""

    axis: Axis

    def _infer_type(self) -> ValueType:
        self.require(self.operand.kind is Kind.INTEGER, "brings what is no array of integers inside an axis")
        return self.operand.type


@dataclass(frozen=True)
class Nearest(Value):
    """For each point the first of the rows at the least sum of squared differences: integers.

    `points` has the inner axis last, `rows` the counting axis first and the inner one last.
    """

    points: Value
    rows: Value

    @property
    def operands(self) -> tuple[Value, ...]:
        """Points and rows."""
        return (self.points, self.rows)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Other points and rows."""
        return Nearest(*operands)

    def _infer_type(self) -> ValueType:
        points, rows = self.points.layout, self.rows.layout
        fits = len(points) > 1 and len(rows) == 2 and points[-1:] == rows[-1:]
        kinds = {self.points.kind, self.rows.kind}
        self.require(fits and kinds == {Kind.REAL}, "needs points and rows with the same last axis")
        return ValueType(points[:-1], Kind.INTEGER)
