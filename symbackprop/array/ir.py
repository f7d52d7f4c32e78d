"""The tensor program's nodes: array operations whose layouts and kinds are known and checked.

ProgramError names a node whose operands do not fit together. Nodes are built by `array.views` and
`lowering.expressions`; printers only read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symbackprop.array.layout import Layout, indices_of, layout_of, layout_text
from symbackprop.array.value import OneOperand, Value, ValueType
from symbackprop.notation.expressions import Axis, Index, ReductionKind
from symbackprop.schedule.kinds import Kind

ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "power", "negative", "floor_divide", "mod"})
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
CONNECTIVES = frozenset({"and", "or", "not"})


# What an array of Python's numbers and bools holds.
_ARRAY_KINDS = {Kind.PYTHON: Kind.REAL, Kind.PYTHON_BOOLEAN: Kind.BOOLEAN}


@dataclass(frozen=True)
class Read(Value):
    """A tensor or temporary by name, its axes called by these indices, which differ from one another."""

    name: str
    positions: tuple[Index, ...]
    number_kind: Kind = Kind.REAL
    of_a_tensor: ClassVar[str] = "name"

    def _infer_type(self) -> ValueType:
        self.require(len(set(self.positions)) == len(self.positions), f"'{self.name}' repeats an index")
        return ValueType(layout_of(self.positions), self.number_kind)


@dataclass(frozen=True)
class Literal(Value):
    """A number written into the program; an int where a position or a whole exponent is meant."""

    value: float | int

    @property
    def is_python_int(self) -> bool:
        """As it is written."""
        return isinstance(self.value, int)

    def _infer_type(self) -> ValueType:
        return ValueType((), Kind.PYTHON)


@dataclass(frozen=True)
class AxisSize(Value):
    """The number of values of an axis, a Python int.

    With `at_least_one` it counts 1 for an empty axis, to divide by.
    """

    axis: Axis
    at_least_one: bool = False

    @property
    def is_python_int(self) -> bool:
        """A size is."""
        return True

    def _infer_type(self) -> ValueType:
        return ValueType((), Kind.PYTHON)


@dataclass(frozen=True)
class Positions(Value):
    """0, 1, 2, ... along an index: `np.arange(T)`."""

    index: Index

    def _infer_type(self) -> ValueType:
        return ValueType(((self.index,),), Kind.INTEGER)


@dataclass(frozen=True)
class Identity(Value):
    """1 where two indices of one axis agree, else 0: `np.eye(K)`."""

    row: Index
    column: Index

    def _infer_type(self) -> ValueType:
        self.require(
            self.row.axis == self.column.axis and self.row != self.column, "needs two indices of one axis"
        )
        return ValueType(((self.row,), (self.column,)), Kind.REAL)


@dataclass(frozen=True)
class Elementwise(Value):
    """An operation on operands that are broadcast, as in NumPy: axes lined up from the right.

    `operation` is a member of ARITHMETIC, COMPARISONS or CONNECTIVES, "where", or a function's name.
    """

    operation: str
    arguments: tuple[Value, ...]

    @property
    def operands(self) -> tuple[Value, ...]:
        """The arguments."""
        return self.arguments

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same operation on other arguments."""
        return Elementwise(self.operation, operands)

    @property
    def is_python_int(self) -> bool:
        """Whether Python ints are added, multiplied, divided without a rest or raised to a power."""
        whole = self.operation in ARITHMETIC and self.operation != "divide"
        return whole and all(argument.is_python_int for argument in self.arguments)

    def _infer_type(self) -> ValueType:
        layout = self.broadcast([argument.layout for argument in self.arguments])
        return ValueType(layout, self._result_kind())

    def _result_kind(self) -> Kind:
        kinds = [argument.kind for argument in self.arguments]
        if self.operation in COMPARISONS:
            self.require(
                not (Kind.INTEGER in kinds and Kind.REAL in kinds), "compares integers with reals uncast"
            )
            return Kind.PYTHON_BOOLEAN if set(kinds) == {Kind.PYTHON} else Kind.BOOLEAN
        if self.operation in CONNECTIVES:
            self.require(all(kind.is_condition for kind in kinds), "joins what is no condition")
            return Kind.PYTHON_BOOLEAN if set(kinds) == {Kind.PYTHON_BOOLEAN} else Kind.BOOLEAN
        if self.operation == "where":
            self.require(kinds[0].is_condition, "chooses by what is no condition")
            whole = all(branch.is_python_int for branch in self.arguments[1:])
            return self._numeric_kind(kinds[1:], python=Kind.INTEGER if whole else Kind.DOUBLE)
        # A mask may multiply a real array, which keeps the array's dtype.
        masked = self.operation == "multiply" and Kind.REAL in kinds
        numeric = [kind for kind in kinds if not (masked and kind.is_condition)]
        python = Kind.PYTHON if self.operation in ARITHMETIC else Kind.DOUBLE
        return self._numeric_kind(numeric, python)

    def _numeric_kind(self, kinds: list[Kind], python: Kind) -> Kind:
        found = set(kinds)
        conditions = any(kind.is_condition for kind in found)
        self.require(not conditions, f"{self.operation} of an uncast condition")
        self.require(len(found - {Kind.PYTHON}) <= 1, f"{self.operation} of kinds that do not mix")
        strong = found - {Kind.PYTHON}
        return strong.pop() if strong else python


@dataclass(frozen=True)
class Reduce(OneOperand):
    """sum, prod, max, min or argmax over array axes, which vanish or, with `keep`, get length one.

    `initial` is compared with, too: it is the maximum of an empty axis. Where it is None, that has none.
    """

    reduction: ReductionKind
    places: tuple[int, ...]
    keep: bool = False
    initial: Literal | None = None

    @property
    def over(self) -> tuple[Index, ...]:
        """The indices that vanish."""
        return tuple(index for place in self.places for index in self.operand.layout[place])

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        self.require(
            all(0 <= place < len(before) for place in self.places), "reduces an axis that is not there"
        )
        self.require(len(set(self.places)) == len(self.places) > 0, "needs axes that differ")
        self.require(self.operand.kind in (Kind.REAL, Kind.INTEGER), "reduces what is no array of numbers")
        self.require(self.reduction != "argmax" or len(self.places) == 1, "argmax goes over one axis")
        kept = [() if place in self.places else group for place, group in enumerate(before)]
        dropped = [group for place, group in enumerate(before) if place not in self.places]
        kind = Kind.INTEGER if self.reduction == "argmax" else self.operand.kind
        return ValueType(tuple(kept if self.keep else dropped), kind)


@dataclass(frozen=True)
class Transpose(OneOperand):
    """The axes in another order: axis n of the result is axis `order[n]` of the operand. A view."""

    order: tuple[int, ...]

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        self.require(sorted(self.order) == list(range(len(before))), "is no permutation of the axes")
        return ValueType(tuple(before[place] for place in self.order), self.operand.kind)


@dataclass(frozen=True)
class Expand(OneOperand):
    """New axes of length one at these places of the result: `a[:, None]`. A view."""

    places: tuple[int, ...]

    def _infer_type(self) -> ValueType:
        rank = len(self.operand.layout) + len(self.places)
        self.require(all(0 <= place < rank for place in self.places), "inserts an axis outside")
        old = iter(self.operand.layout)
        return ValueType(
            tuple(() if place in self.places else next(old) for place in range(rank)), self.operand.kind
        )


@dataclass(frozen=True)
class Reshape(OneOperand):
    """Neighbouring axes merged into one, or a merged axis split again; the order of the numbers stays."""

    target: Layout

    def _infer_type(self) -> ValueType:
        self.require(indices_of(self.target) == self.operand.indices, "reshapes to another order")
        return ValueType(self.target, self.operand.kind)


@dataclass(frozen=True)
class Cast(OneOperand):
    """The same numbers in the model's dtype."""

    def _infer_type(self) -> ValueType:
        self.require(self.operand.kind is not Kind.REAL, "casts what is real already")
        return ValueType(self.operand.layout, Kind.REAL)


@dataclass(frozen=True)
class AsDoubles(OneOperand):
    """The same numbers in float64, whatever the model's dtype."""

    def _infer_type(self) -> ValueType:
        return ValueType(self.operand.layout, Kind.DOUBLE)


@dataclass(frozen=True)
class InPrecision(OneOperand):
    """The numbers as floats of 32 or 64 bits, whatever the model's dtype; with `back`, in that again.

    No lowering makes one: it is a fault that is planted.
    """

    bits: int
    back: bool = False

    def _infer_type(self) -> ValueType:
        self.require(self.operand.kind is Kind.REAL, "rounds what is not real")
        return self.operand.type


@dataclass(frozen=True)
class AsIntegers(OneOperand):
    """Real numbers that are whole, as integers: places.

    Integers as Python's own, of which no power overflows, where they are to be of `any_length`.
    """

    any_length: bool = False

    def _infer_type(self) -> ValueType:
        kinds = (Kind.REAL, Kind.DOUBLE, Kind.INTEGER)
        self.require(self.operand.kind in kinds, "makes integers of what are no numbers")
        return ValueType(self.operand.layout, Kind.INTEGER)


@dataclass(frozen=True)
class Fill(OneOperand):
    """A new array over more axes than the operand has: the operand, lined up from the right, repeated.

    Of conditions and integers it is one of conditions or integers, of numbers one of the model's dtype; of a
    Python int that is a place, of integers.
    """

    target: Layout
    of_places: bool = False

    def _infer_type(self) -> ValueType:
        before, kind = self.operand.layout, self.operand.kind
        lined_up = zip(reversed(before), reversed(self.target), strict=False)
        fits = len(before) <= len(self.target) and all(own in ((), new) for own, new in lined_up)
        self.require(fits and kind is not Kind.DOUBLE, f"no fill of {layout_text(self.target)}")
        whole = {Kind.PYTHON: Kind.INTEGER} if self.of_places else _ARRAY_KINDS
        return ValueType(self.target, whole.get(kind, kind))


@dataclass(frozen=True)
class Copy(OneOperand):
    """A new array with the same numbers; of an element without axes, the scalar."""

    def _infer_type(self) -> ValueType:
        return self.operand.type
