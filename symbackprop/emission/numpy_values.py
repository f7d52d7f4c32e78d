"""Program values as NumPy expressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.emission.kernels import HELPERS, NUMPY_CALLS
from symbackprop.emission.numpy_indexing import items_text
from symbackprop.emission.numpy_pieces import (
    ATOM,
    BOTH,
    CHOICE,
    COMPARISON,
    EITHER,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Piece,
)
from symbackprop.emission.python_text import tuple_text
from symbackprop.errors import EmissionError
from symbackprop.notation.expressions import Axis
from symbackprop.program.counting import Extent, whole_number
from symbackprop.program.ir import (
    COMPARISONS,
    AxisSize,
    Cast,
    Copy,
    Diagonal,
    Elementwise,
    Expand,
    Fill,
    Identity,
    Literal,
    MatrixProduct,
    Positions,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.program.layout import Group
from symbackprop.program.linear_algebra import Cholesky, Determinant, Inverse, LinearAlgebra, Solve
from symbackprop.program.slices import (
    Allocate,
    Choice,
    Clip,
    Count,
    Flip,
    Gather,
    Item,
    OfPythonInts,
    Pad,
    Refold,
    ScatterAdd,
    Select,
    Tensordot,
)
from symbackprop.program.value import Value
from symbackprop.program.views import inferred_group

_BINARY = {
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
    "floor_divide": ("//", PRODUCT),
    "mod": ("%", PRODUCT),
}
_CONNECTIVES = {"and": ("&", BOTH), "or": ("|", EITHER)}


@dataclass(frozen=True)
class NumpyValues:
    """Prints values; these map the program's tensors and helpers, axes and loop counters to Python names."""

    names: Mapping[str, str]
    axes: Mapping[str, str]
    counters: Mapping[str, str]

    def text(self, value: Value) -> str:
        """The value as one line of Python."""
        return self.piece(value).text

    def size(self, axis: Axis, level: int = CHOICE) -> str:
        """The size of an axis: its number where it is declared, else the variable that holds it.

        An extent's is worked out from others, in parentheses where it binds less tightly than `level`.
        """
        if axis.size is not None:
            return str(axis.size)
        if isinstance(axis, Extent):
            return self.piece(whole_number(axis.length)).at(level)
        return self.axes[axis.name]

    def piece(self, value: Value) -> Piece:
        """The value's text with its level."""
        match value:
            case Read(name, _, _):
                return Piece(self.names[name])
            case Literal(number):
                return _number(number)
            case AxisSize(axis, at_least_one):
                return Piece(f"max({self.size(axis)}, 1)" if at_least_one else self.size(axis))
            case Count(name, _):
                return Piece(self.counters[name])
            case Positions(index):
                return Piece(f"np.arange({self.size(index.axis)})")
            case Identity(row, _):
                return Piece(f"np.eye({self.size(row.axis)}, dtype=dtype)")
            case Elementwise():
                return self._elementwise(value)
            case Reduce():
                return self._reduction(value)
            case MatrixProduct(left, right):
                return Piece(f"{self._operand(left, PRODUCT)} @ {self._operand(right, SIGN)}", PRODUCT)
            case Cast(operand):
                return self._cast(operand)
            case Fill(Literal(0.0 | 1.0 as number), target):
                constructor = "np.ones" if number else "np.zeros"
                return Piece(f"{constructor}({self._shape(target)}, dtype=dtype)")
            case Fill(operand, target):
                return Piece(f"np.full({self._shape(target)}, {self.text(operand)}, dtype=dtype)")
            case Copy(operand):
                return Piece(self._atom(operand) + (".copy()" if value.layout else "[()]"))
            case Allocate(target):
                return Piece(f"np.empty({self._shape(target)}, dtype=dtype)")
            case Pad():
                return self._padding(value)
            case Tensordot() | ScatterAdd():
                head, inside = self._helper_call(value)
                return Piece(f"{head}{', '.join(inside)})")
            case Clip(operand, axis):
                last = int(axis.size) - 1 if axis.size else f"max({self.size(axis, SUM)} - 1, 0)"
                return Piece(f"np.clip({self.text(operand)}, 0, {last})")
            case OfPythonInts(function, operands):
                return Piece(f"{function}({', '.join(map(self.text, operands))})")
            case Choice():
                return Piece(" ".join(self.chain(value)), CHOICE)
        if isinstance(value, LinearAlgebra):
            head, arguments, tail = self._linear_algebra(value)
            return Piece(f"{head}{', '.join(arguments)}{tail}")
        return self._view(value)

    def chain(self, value: Value) -> list[str]:
        """The operands of the outermost operators of one rank, each but the first after its operator."""
        match value:
            case Elementwise(operation, (left, right)) if operation in _BINARY:
                sign, level = _BINARY[operation]
                return [*self._chain_before(left, level), f"{sign} {self._beside(right, level + 1, level)}"]
            case MatrixProduct(left, right):
                before = (
                    self.chain(left) if isinstance(left, MatrixProduct) else [self._operand(left, PRODUCT)]
                )
                return [*before, f"@ {self._operand(right, SIGN)}"]
            case Choice(condition, chosen, otherwise):
                shown = self.piece(chosen).at(COMPARISON)
                test = self.piece(condition).at(COMPARISON)
                return [shown, f"if {test}", f"else {self.text(otherwise)}"]
        return [self.text(value)]

    def place_text(self, name: str, items: tuple[Item, ...]) -> str:
        """Where a store puts its value: `y[:, t]`, or `y` where all places are meant."""
        return self.names[name] + items_text(items, self.text)

    def _padding(self, value: Pad) -> Piece:
        widths = [
            f"({self.text(before)}, {self.text(after)})"
            for before, after in zip(value.before, value.after, strict=True)
        ]
        shown = widths[0] if len(widths) == 1 else tuple_text(widths)
        return Piece(f"np.pad({self.text(value.operand)}, {shown})")

    def _chain_before(self, left: Value, level: int) -> list[str]:
        same = (
            isinstance(left, Elementwise)
            and left.operation in _BINARY
            and _BINARY[left.operation][1] == level
        )
        return self.chain(left) if same else [self._beside(left, level, level)]

    def _atom(self, value: Value) -> str:
        return self.piece(value).at(ATOM)

    def _operand(self, value: Value, level: int) -> str:
        """An operand of `@`; a product of another sign beside it is set apart by parentheses."""
        piece = self.piece(value)
        mixed = isinstance(value, Elementwise) and piece.level == PRODUCT
        return f"({piece.text})" if mixed else piece.at(level)

    def _view(self, value: Value) -> Piece:
        match value:
            case Transpose(operand, order):
                return Piece(self._atom(operand) + _transposition(order))
            case Expand(operand, places):
                rank = len(value.layout)
                marks = ["None" if place in places else ":" for place in range(rank)]
                return Piece(f"{self._atom(operand)}[{', '.join(marks)}]")
            case Reshape(operand, target):
                return Piece(
                    f"{self._atom(operand)}.reshape({', '.join(self._reshape_sizes(value, target))})"
                )
            case Diagonal(operand, first, second, _):
                return Piece(f"np.diagonal({self.text(operand)}, axis1={first}, axis2={second})")
            case Select(operand, items):
                return Piece(self._atom(operand) + items_text(items, self.text, operand.layout))
            case Refold(operand, target):
                return Piece(f"{self._atom(operand)}.reshape({', '.join(map(self._group_size, target))})")
            case Gather(operand, places, skip):
                inside = [*([":"] * skip), *map(self.text, places)]
                return Piece(f"{self._atom(operand)}[{', '.join(inside)}]")
            case Flip(operand, place):
                return Piece(f"{self._atom(operand)}[{', '.join([*[':'] * place, '::-1'])}]")
        raise EmissionError(f"no NumPy expression for a {type(value).__name__}")

    def _elementwise(self, value: Elementwise) -> Piece:
        operation, arguments = value.operation, value.arguments
        if operation in _BINARY:
            sign, level = _BINARY[operation]
            left, right = arguments
            before, after = self._beside(left, level, level), self._beside(right, level + 1, level)
            return Piece(f"{before} {sign} {after}", level)
        if operation == "power":
            return self._power(*arguments)
        if operation == "negative":
            piece = self.piece(arguments[0])
            # As ruff formats it: -(x**2).
            return Piece(f"-{piece.at(ATOM if piece.level == POWER else SIGN)}", SIGN)
        if operation in COMPARISONS:
            left_text, right_text = (self.piece(argument).at(EITHER) for argument in arguments)
            return Piece(f"{left_text} {operation} {right_text}", COMPARISON)
        if operation in _CONNECTIVES:
            sign, level = _CONNECTIVES[operation]
            joined = f" {sign} ".join(self.piece(argument).at(level + 1) for argument in arguments)
            return Piece(joined, level)
        if operation == "not":
            return Piece(f"~{self.piece(arguments[0]).at(SIGN)}", SIGN)
        head, inside = self._call(operation, [self.text(argument) for argument in arguments])
        return Piece(f"{head}{', '.join(inside)})")

    def _beside(self, value: Value, level: int, operator_level: int) -> str:
        """An operand of an element-wise operator; a matrix product within a product is set apart."""
        piece = self.piece(value)
        set_apart = isinstance(value, MatrixProduct) and operator_level == PRODUCT
        return f"({piece.text})" if set_apart else piece.at(level)

    def _call(self, function: str, arguments: list[str]) -> tuple[str, list[str]]:
        """The call up to its opening bracket, and all that stands inside."""
        if function == "where":
            return "np.where(", arguments
        if function in HELPERS:
            return f"{self.names[function]}(", arguments
        if function not in NUMPY_CALLS:
            raise EmissionError(f"no NumPy function computes {function}")
        head, _, slots = NUMPY_CALLS[function].removesuffix(")").partition("(")
        given = iter(arguments)
        return f"{head}(", [next(given) if slot == "{}" else slot for slot in slots.split(", ")]

    def call(self, value: Value) -> tuple[str, list[str]] | None:
        """A call up to its opening bracket, and its arguments; None for what is no call of a function."""
        plain = (*_BINARY, *_CONNECTIVES, *COMPARISONS, "power", "negative", "not")
        if isinstance(value, Elementwise) and value.operation not in plain:
            return self._call(value.operation, [self.text(part) for part in value.arguments])
        if isinstance(value, Solve):
            return self._linear_algebra(value)[:2]
        if isinstance(value, Reduce):
            return f"np.{value.reduction}(", self._reduction_arguments(value)
        if isinstance(value, Tensordot | ScatterAdd):
            return self._helper_call(value)
        if isinstance(value, Fill | Allocate):
            head, _, inside = self.text(value).removesuffix(", dtype=dtype)").partition("(")
            return f"{head}(", [inside, "dtype=dtype"]
        if isinstance(value, Reshape):
            return f"{self._atom(value.operand)}.reshape(", self._reshape_sizes(value, value.target)
        return None

    def _helper_call(self, value: Tensordot | ScatterAdd) -> tuple[str, list[str]]:
        operands = [self.text(operand) for operand in value.operands]
        if isinstance(value, ScatterAdd):
            return f"{self.names['scatter_add']}(", [*operands, self.size(value.index.axis)]
        places = (value.left_places, value.right_places)
        axes = ", ".join(tuple_text(list(map(str, side))) for side in places)
        return "np.tensordot(", [*operands, f"axes=({axes})"]

    def _linear_algebra(self, value: LinearAlgebra) -> tuple[str, list[str], str]:
        """The call up to its opening bracket, its arguments, and what stands behind them."""
        match value:
            case Determinant(_, True):
                name, tail = "slogdet", ").logabsdet"
            case Determinant():
                name, tail = "det", ")"
            case Inverse():
                name, tail = "inv", ")"
            case Cholesky():
                name, tail = "cholesky", ")"
            case Solve():
                name, tail = "solve", ")"
        return f"np.linalg.{name}(", [self.text(operand) for operand in value.operands], tail

    def _power(self, base: Value, exponent: Value) -> Piece:
        left, right = self.piece(base).at(ATOM), self.piece(exponent).at(SIGN)
        # As ruff formats it: no spaces between plain names and numbers.
        simple = all(_is_simple_power_operand(part) for part in (left, right))
        return Piece(f"{left}**{right}" if simple else f"{left} ** {right}", POWER)

    def _reduction(self, value: Reduce) -> Piece:
        return Piece(f"np.{value.reduction}({', '.join(self._reduction_arguments(value))})")

    def _reduction_arguments(self, value: Reduce) -> list[str]:
        arguments = [self.text(value.operand)]
        if len(value.places) < len(value.operand.layout) or value.keep:
            places = [str(place) for place in value.places]
            arguments.append(f"axis={places[0] if len(places) == 1 else tuple_text(places)}")
        if value.keep:
            arguments.append("keepdims=True")
        return arguments

    def _cast(self, operand: Value) -> Piece:
        if isinstance(operand, Positions):
            return Piece(f"np.arange({self.size(operand.index.axis)}, dtype=dtype)")
        if not operand.layout:
            return Piece(f"dtype.type({self.text(operand)})")
        return Piece(f"{self._atom(operand)}.astype(dtype)")

    def _shape(self, target: tuple[Group, ...]) -> str:
        sizes = [self._group_size(group) for group in target]
        return sizes[0] if len(sizes) == 1 else tuple_text(sizes)

    def _group_size(self, group: Group) -> str:
        sizes = [index.axis.size for index in group]
        if None not in sizes:
            return str(math.prod(size for size in sizes if size is not None))
        level = PRODUCT if len(group) > 1 else CHOICE
        return " * ".join(self.size(index.axis, level) for index in group) or "1"

    def _reshape_sizes(self, value: Reshape, target: tuple[Group, ...]) -> list[str]:
        left_out = inferred_group(value)
        return ["-1" if place == left_out else self._group_size(group) for place, group in enumerate(target)]


def _number(number: float | int) -> Piece:
    if number == math.pi:
        return Piece("np.pi")
    if not math.isfinite(number):
        shown = "np.nan" if math.isnan(number) else "np.inf"
        return Piece(f"-{shown}", SIGN) if number < 0 else Piece(shown)
    return Piece(repr(number).replace("e+", "e"), SIGN if number < 0 else ATOM)


def _is_simple_power_operand(text: str) -> bool:
    number = text.removeprefix("-").replace(".", "", 1).replace("e", "", 1).replace("-", "", 1)
    return text.replace(".", "_").isidentifier() or number.isdigit()


def _transposition(order: tuple[int, ...]) -> str:
    rank = len(order)
    if rank == 2:
        return ".T"
    if order == (*range(rank - 2), rank - 1, rank - 2):
        return ".mT"
    return f".transpose({', '.join(map(str, order))})"
