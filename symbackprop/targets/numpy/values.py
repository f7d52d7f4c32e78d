"""Program values as NumPy expressions."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from symbackprop.array.ir import (
    COMPARISONS,
    AsDoubles,
    AsIntegers,
    AxisSize,
    Cast,
    Copy,
    Elementwise,
    Expand,
    Fill,
    Identity,
    InPrecision,
    Literal,
    Positions,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.layout import Group
from symbackprop.array.linear_algebra import (
    Cholesky,
    Cofactors,
    Determinant,
    Diagonal,
    Inverse,
    Solve,
    Symmetric,
)
from symbackprop.array.lookups import Clip, Gather, Nearest, Scan, ScatterAdd, ScatterExtremum
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.slices import (
    Allocate,
    Conditional,
    Count,
    Flip,
    Item,
    OfPythonInts,
    Pad,
    Refold,
    Select,
    Windows,
)
from symbackprop.array.value import Value
from symbackprop.array.views import inferred_group, is_called_mean
from symbackprop.array.whole_numbers import count_of
from symbackprop.errors import PrintingError
from symbackprop.indexing.counting import Extent
from symbackprop.notation.expressions import Axis
from symbackprop.schedule.kinds import Kind
from symbackprop.targets.numpy.calls import (
    function_call,
    in_precision,
    linear_algebra_call,
    places_call,
)
from symbackprop.targets.numpy.indexing import item_texts
from symbackprop.targets.numpy.kernels import HELPERS
from symbackprop.targets.numpy.python_expressions import (
    Piece,
    alone_or_tuple,
    binary,
    call,
    comparison,
    conditional,
    inverted,
    joined,
    method,
    negation,
    negative,
    number,
    power,
    product,
    subscript,
    transposed,
    tuple_of,
    variable,
)
from symbackprop.targets.numpy.python_numbers import may_raise

_BINARY = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//", "mod": "%"}
_OF_ARRAYS = {"and": "&", "or": "|"}
_DTYPE = variable("dtype")


@dataclass(frozen=True)
class NumpyValues:
    """Prints values; these map the program's tensors and helpers, axes and loop counters to Python names.

    A sum over the sizes of its axes is `np.mean` where these are among `means`. The `named` axes have their
    sizes in variables though these are numbers. `pieces` keeps the text of each node, whose names stay as
    they are; others may be added.
    """

    names: Mapping[str, str]
    axes: Mapping[str, str]
    counters: Mapping[str, str]
    means: Collection[str] = ()
    named: Collection[str] = ()
    pieces: dict[int, tuple[Value, Piece]] = field(default_factory=dict, compare=False, repr=False)

    def text(self, value: Value) -> str:
        """The value as one line of Python."""
        return self.piece(value).text

    def size(self, axis: Axis) -> Piece:
        """The size of an axis: a number, what an extent's is made of, or the variable that holds it."""
        if axis.size is not None and axis.name not in self.named:
            return number(axis.size)
        if isinstance(axis, Extent):
            return self.piece(count_of(axis))
        return self.size_variable(axis)

    def piece(self, value: Value) -> Piece:
        """The value's text with its outermost operator."""
        if id(value) not in self.pieces:
            self.pieces[id(value)] = value, self._printed(value)  # held, so that no other node gets its id
        return self.pieces[id(value)][1]

    def _printed(self, value: Value) -> Piece:
        match value:
            case Read(name, _, _):
                return self.variable(name)
            case Literal(literal):
                return number(literal)
            case AxisSize(axis, at_least_one):
                return call("max", self.size(axis), number(1)) if at_least_one else self.size(axis)
            case Count(name, _):
                return variable(self.counters[name])
            case Elementwise("divide", (above, below)) if may_raise(value):
                # Python's own division raises where NumPy's is infinite.
                return call("float", call("np.divide", self.piece(above), self.piece(below)))
            case Elementwise("divide", (Reduce() as total, sizes)) if is_called_mean(
                total, sizes, self.means
            ):
                return self._reduced(total, "np.mean")
            case Elementwise(operation, arguments):
                return self._elementwise(operation, list(map(self.piece, arguments)), value.kind)
            case MatrixProduct(left, right):
                return binary("@", self.piece(left), self.piece(right))
            case Conditional(condition, chosen, otherwise):
                return conditional(*map(self.piece, (condition, chosen, otherwise)))
            case Reduce():
                return self._reduction(value)
            case Tensordot(left, right, left_places, right_places):
                sides = [tuple_of(list(map(str, places))) for places in (left_places, right_places)]
                return call("np.tensordot", self.piece(left), self.piece(right), axes=tuple_of(sides))
            case ScatterAdd() | ScatterExtremum() | Scan():
                return places_call(value, list(map(self.piece, value.operands)), self.size, self.names)
            case Nearest():
                return self._helper("nearest", value)
            case Clip(operand, axis):
                return call("np.clip", self.piece(operand), number(0), self._last_place(axis))
            case InPrecision(operand, bits, back):
                return in_precision(self.piece(operand), bits, back)
            case OfPythonInts("isqrt", (operand,)):  # exact up to 2^52, and checked
                return call("int", power(self.piece(operand), number(0.5)))
            case OfPythonInts(function, operands):
                return call(function, *map(self.piece, operands))
            case Solve() | Inverse() | Determinant() | Cholesky() | Cofactors() | Symmetric():
                return linear_algebra_call(value, list(map(self.piece, value.operands)), self.names)
            case Positions() | Identity() | Fill() | Copy() | Allocate() | Pad():
                return self._array(value)
        return self._cast(value) if isinstance(value, Cast | AsDoubles | AsIntegers) else self._view(value)

    def _helper(self, name: str, value: Value, *others: Piece) -> Piece:
        """The call of a helper on the operands of a node."""
        return call(self.names[name], *map(self.piece, value.operands), *others)

    def variable(self, name: str) -> Piece:
        """The variable that holds a tensor."""
        return variable(self.names[name])

    def size_variable(self, axis: Axis) -> Piece:
        """The variable that holds the size of an axis."""
        return variable(self.axes[axis.name])

    def part(self, name: str, items: tuple[Item, ...], in_place: bool) -> Piece:
        """Where a store puts its value: `y[:, t]`; for all places `y[...]`, or `y` where it is added to."""
        shown = item_texts(items, self.piece)
        whole = ["..."] if items and not in_place else []
        return subscript(self.variable(name), shown or whole)

    def _array(self, value: Value) -> Piece:
        """A new array."""
        match value:
            case Positions(index):
                return call("np.arange", self.size(index.axis))
            case Identity(row, _):
                return call("np.eye", self.size(row.axis), dtype=_DTYPE)
            case Fill(Literal(0.0 | 1.0 as literal), target):
                return call("np.ones" if literal else "np.zeros", self._shape(target), dtype=_dtype_of(value))
            case Fill(operand, target):
                return call("np.full", self._shape(target), self.piece(operand), dtype=_dtype_of(value))
            case Allocate(target, _):
                return call("np.empty", self._shape(target), dtype=_dtype_of(value))
            case Copy(operand):
                array = self.piece(operand)
                return method(array, "copy") if value.layout else subscript(array, ["()"])
            case Pad(operand, before, after):
                pairs = zip(map(self.piece, before), map(self.piece, after), strict=True)
                return call("np.pad", self.piece(operand), alone_or_tuple(list(map(tuple_of, pairs))))
        raise PrintingError(f"no NumPy expression for a {type(value).__name__}")

    def _view(self, value: Value) -> Piece:
        match value:
            case Transpose(operand, order):
                return transposed(self.piece(operand), order)
            case Expand(operand, places):
                marks = ["None" if place in places else ":" for place in range(len(value.layout))]
                return subscript(self.piece(operand), marks)
            case Reshape(operand, target):
                left_out = inferred_group(value)
                sizes = [
                    number(-1) if place == left_out else self.group_size(group)
                    for place, group in enumerate(target)
                ]
                return method(self.piece(operand), "reshape", *sizes)
            case Refold(operand, target):
                return method(self.piece(operand), "reshape", *map(self.group_size, target))
            case Diagonal(operand, first, second, _):
                return call("np.diagonal", self.piece(operand), axis1=number(first), axis2=number(second))
            case Select(operand, items):
                return subscript(self.piece(operand), item_texts(items, self.piece, operand.layout))
            case Gather(operand, places, skip):
                return subscript(self.piece(operand), [*[":"] * skip, *map(self.text, places)])
            case Windows(operand, places, _, offsets):
                axes, sizes = map(str, places), [self.size(offset.axis) for offset in offsets]
                return call(self.names["windows"], self.piece(operand), tuple_of(list(axes)), tuple_of(sizes))
            case Flip(operand, place):
                return subscript(self.piece(operand), [*[":"] * place, "::-1"])
        raise PrintingError(f"no NumPy expression for a {type(value).__name__}")

    def _elementwise(self, operation: str, arguments: list[Piece], kind: Kind) -> Piece:
        if operation in _BINARY:
            return binary(_BINARY[operation], *arguments)
        if operation == "power":
            return power(*arguments)
        if operation == "negative":
            return negative(*arguments)
        if operation in COMPARISONS:
            return comparison(operation, *arguments)
        if operation == "not":
            return negation(*arguments) if kind is Kind.PYTHON_BOOLEAN else inverted(*arguments)
        if operation in _OF_ARRAYS:
            return joined(operation if kind is Kind.PYTHON_BOOLEAN else _OF_ARRAYS[operation], arguments)
        if operation == "where":
            return call("np.where", *arguments)
        if operation in HELPERS:
            return call(self.names[operation], *arguments)
        return function_call(operation, arguments)

    def _reduction(self, value: Reduce) -> Piece:
        return self._reduced(value, f"np.{value.reduction}")

    def _reduced(self, value: Reduce, function: str) -> Piece:
        keywords: dict[str, Piece | str] = {}
        if len(value.places) < len(value.operand.layout) or value.keep:
            keywords["axis"] = alone_or_tuple(list(map(str, value.places)))
        keywords |= {"keepdims": "True"} if value.keep else {}
        keywords |= {"initial": self.piece(value.initial)} if value.initial is not None else {}
        return call(function, self.piece(value.operand), **keywords)

    def _cast(self, value: Cast | AsDoubles | AsIntegers) -> Piece:
        operand, dtype = value.operand, Piece("np.float64") if isinstance(value, AsDoubles) else _DTYPE
        if isinstance(value, AsIntegers):
            return method(self.piece(operand), "astype", Piece("object" if value.any_length else "np.intp"))
        if isinstance(operand, Positions):
            return call("np.arange", self.size(operand.index.axis), dtype=dtype)
        if not operand.layout:
            return call("dtype.type" if dtype is _DTYPE else dtype.text, self.piece(operand))
        return method(self.piece(operand), "astype", dtype)

    def _shape(self, target: tuple[Group, ...]) -> Piece | str:
        return alone_or_tuple(list(map(self.group_size, target)))

    def group_size(self, group: Group) -> Piece:
        """The length of an array's axis."""
        sizes = [None if index.axis.name in self.named else index.axis.size for index in group]
        if None not in sizes:
            return number(math.prod(size for size in sizes if size is not None))
        return product([self.size(index.axis) for index in group])

    def _last_place(self, axis: Axis) -> Piece:
        if axis.size is not None and axis.name not in self.named:
            return number(max(axis.size - 1, 0))
        return call("max", binary("-", self.size(axis), number(1)), number(0))


def _dtype_of(value: Value) -> Piece:
    return {Kind.BOOLEAN: Piece("bool"), Kind.INTEGER: Piece("np.intp")}.get(value.kind, _DTYPE)
