"""Operations that compute into an array that is there, as NumPy calls with `out=`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.array.ir import AxisSize, Cast, Copy, Elementwise, Fill, Literal, Read, Reduce
from symbackprop.array.lookups import Take
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Statement, Store
from symbackprop.array.slices import Allocate, Pad, Pick
from symbackprop.array.value import Value
from symbackprop.buffers.destinations import is_kernel, takes_destination
from symbackprop.buffers.inner_products import InnerProduct
from symbackprop.buffers.prepared import Multiplied, totalled
from symbackprop.schedule.kinds import Kind
from symbackprop.targets.numpy.calls import function_call
from symbackprop.targets.numpy.kernels import NUMPY_CALLS
from symbackprop.targets.numpy.python_expressions import (
    Piece,
    alone_or_tuple,
    binary,
    call,
    method,
    slice_of,
    subscript,
    variable,
)
from symbackprop.targets.numpy.python_text import bracketed
from symbackprop.targets.numpy.values import NumpyValues

# What computes a kernel of an array into another, block by block.
COMPUTING = "_compute"
# What makes a function that adds up all numbers of an array.
TOTALLING = "_adding_up"
# What makes a function that adds up all products of the numbers of two.
MULTIPLYING_AND_TOTALLING = "_adding_up_products"
# What makes a function that multiplies matrices into an array.
MULTIPLYING = "_multiplying"
_UFUNCS: Mapping[str, str] = {
    "add": "np.add",
    "subtract": "np.subtract",
    "multiply": "np.multiply",
    "divide": "np.divide",
    "negative": "np.negative",
    "floor_divide": "np.floor_divide",
    "mod": "np.mod",
    "power": "np.power",
    "<": "np.less",
    "<=": "np.less_equal",
    ">": "np.greater",
    ">=": "np.greater_equal",
    "==": "np.equal",
    "!=": "np.not_equal",
    "and": "np.logical_and",
    "or": "np.logical_or",
    "not": "np.logical_not",
}
# What NumPy's `**` computes for these exponents.
_POWERS: Mapping[float, str] = {2.0: "np.square", 0.5: "np.sqrt", -1.0: "np.reciprocal"}
_REDUCTIONS: Mapping[str, str] = {
    "sum": "np.add.reduce",
    "prod": "np.multiply.reduce",
    "max": "np.maximum.reduce",
    "min": "np.minimum.reduce",
    "argmax": "np.argmax",
}
# Functions whose destination NumPy wants named; other ufuncs take less time to be called without the name.
_DESTINATION_NAMED = frozenset({"np.maximum", "np.minimum", "np.round"})
# What the calls of functions are looked up by once, and not again at each call.
LOCAL_NAMES: Mapping[str, str] = {
    function: function.replace(".", "_")
    for function in dict.fromkeys(
        (
            *("np.matmul", "np.copyto", "np.take"),
            *_UFUNCS.values(),
            *_POWERS.values(),
            *_REDUCTIONS.values(),
            *(call.partition("(")[0] for call in NUMPY_CALLS.values()),
        )
    )
}


@dataclass(frozen=True)
class CallsOfUfuncs(NumpyValues):
    """Prints reductions as methods of ufuncs, which is what np.sum calls in the end.

    Of arrays in `totals` all numbers are added up by the function of that name; what computes a product
    of matrices is in `products`, by the names of both and by what the result is called. `inner_products` has
    what computes these, `counts` the variables for sizes of at least one. `divisors` has what changes nothing
    where it is 1, by the ids of lines.
    """

    totals: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[Multiplied, str] = field(default_factory=dict)
    inner_products: Mapping[InnerProduct, str] = field(default_factory=dict)
    counts: Mapping[AxisSize, str] = field(default_factory=dict)
    divisors: Mapping[int, Value] = field(default_factory=dict)

    def _printed(self, value: Value) -> Piece:
        if isinstance(value, InnerProduct):
            return call(self.inner_products[value])
        if isinstance(value, AxisSize) and value in self.counts:
            return variable(self.counts[value])
        return super()._printed(value)

    def _reduction(self, value: Reduce) -> Piece:
        total = totalled(value)
        return call(self.totals[total]) if total in self.totals else _reduction(value, self)


def operation_into(value: Value, out: Piece, printer: NumpyValues, is_part: bool = False) -> list[Piece]:
    """The calls that compute an operation on views into an array; none where it is not filled yet.

    A part of an array has gaps.
    """
    products = printer.products if isinstance(printer, CallsOfUfuncs) else {}
    match value:
        case Allocate():
            return []
        case Elementwise("where", (condition, chosen, otherwise)):
            chosen_ones = call("np.copyto", out, printer.piece(chosen), where=printer.piece(condition))
            return [*_copied(otherwise, out, printer), chosen_ones]
        case Elementwise(operation, (operand,)) if is_kernel(operation):
            kernel = variable(printer.names[operation])
            if operand.kind is value.kind and operand.layout == value.layout:
                return [call(COMPUTING, kernel, printer.piece(operand), out)]
            return [*_copied(operand, out, printer), call(COMPUTING, kernel, out, out)]
        case Elementwise():
            return [_elementwise(value, out, printer)]
        case Reduce():
            return [_reduction(value, printer, out)]
        case MatrixProduct(Read(left), Read(right)) if (left, right, out.text) in products:
            return [call(products[left, right, out.text], printer.variable(right), out)]
        case MatrixProduct(left, Read(right)) if ("", right, out.text) in products:
            return [call(products["", right, out.text], printer.piece(left))]
        case MatrixProduct(left, right):
            operands = (printer.piece(left), printer.piece(right))
            # Of no more than two axes the method `dot` is the same product, and takes less time to be called.
            if max(len(left.layout), len(right.layout)) <= 2 and not is_part:
                return [method(operands[0], "dot", operands[1], out)]
            return [call("np.matmul", *operands, out=out)]
        case Cast(operand):
            return [call("np.copyto", out, printer.piece(operand), casting='"unsafe"')]
        case Pad():
            return _padded(value, out, printer)
        case Take(operand, (place,), skip):
            # Positions are checked, or computed; "raise" would compute into memory of its own first.
            places = [printer.piece(operand), printer.piece(place), Piece(str(skip)), out]
            return [call("np.take", *places, mode='"clip"')]
        case Copy(operand) | Fill(operand, _):
            return _copied(operand, out, printer)
    raise AssertionError(f"a {type(value).__name__} has no destination")


def _copied(value: Value, out: Piece, printer: NumpyValues) -> list[Piece]:
    piece = printer.piece(value)
    if value.kind is Kind.PYTHON and not value.layout:
        return [method(out, "fill", piece)]  # without the buffers in which copyto would cast it
    return [] if piece.text == out.text else [call("np.copyto", out, piece)]


def _elementwise(value: Elementwise, out: Piece, printer: NumpyValues) -> Piece:
    operands = [printer.piece(argument) for argument in value.arguments]
    match value:
        case Elementwise("power", (_, Literal(exponent))) if exponent in _POWERS:
            return call(_POWERS[exponent], operands[0], out)
        case Elementwise(operation, _) if operation in _UFUNCS:
            return call(_UFUNCS[operation], *operands, out)
    called = function_call(value.operation, operands)
    assert called.call is not None
    function, arguments = called.call
    if function.removesuffix("(") in _DESTINATION_NAMED:
        return call(function.removesuffix("("), *arguments, out=out)
    return call(function.removesuffix("("), *arguments, out)


def _reduction(value: Reduce, printer: NumpyValues, out: Piece | None = None) -> Piece:
    keywords: dict[str, Piece | str] = {}
    if len(value.places) == len(value.operand.layout) and not value.keep:
        keywords["axis"] = "None"
    else:
        keywords["axis"] = alone_or_tuple(list(map(str, value.places)))
    keywords |= {"keepdims": "True"} if value.keep else {}
    keywords |= {"initial": printer.piece(value.initial)} if value.initial is not None else {}
    keywords |= {"out": out} if out is not None else {}
    return call(_REDUCTIONS[value.reduction], printer.piece(value.operand), **keywords)


def _padded(value: Pad, out: Piece, printer: NumpyValues) -> list[Piece]:
    """Zeros, and the array in the middle of them."""
    spans: list[str] = []
    for before, after, group in zip(value.before, value.after, value.operand.layout, strict=True):
        size, start = printer.group_size(group), printer.piece(before)
        if before == Literal(0):
            spans.append(":" if after == before else slice_of(None, size))
        else:
            spans.append(slice_of(start, binary("+", start, size)))
    middle = subscript(out, spans)
    return [method(out, "fill", "0.0"), call("np.copyto", middle, printer.piece(value.operand))]


def calls_into(line: Statement | Store, printer: NumpyValues, is_array: bool) -> list[Piece] | None:
    """The calls that compute a line into an array, or a part of one; None where it is computed without."""
    if isinstance(line, Statement):
        into = printer.variable(line.name) if is_array and takes_destination(line.value) else None
    else:
        part = printer.part(line.name, line.items, in_place=True)
        if line.accumulate and line.items and part == printer.variable(line.name):
            # `y += v` would make y a variable of the inner function, which a number is already.
            return [call("np.add", part, printer.piece(line.value), part)]
        into = part if _has_destination(line, is_array) else None
    return None if into is None else operation_into(line.value, into, printer, into.closed or not is_array)


def _has_destination(line: Store, is_array: bool) -> bool:
    """Whether the places of a store are a view, which an operation of its shape can be computed into.

    Into a name that is no array, but a part of one, whatever is stored is computed.
    """
    value = line.value
    kept = [item for item in line.items if not isinstance(item, Pick)]
    picked = [item.place for item in line.items if isinstance(item, Pick)]
    return (
        not line.accumulate
        and takes_destination(value)
        and (isinstance(value, MatrixProduct) or _is_ufunc(value) or not is_array)
        and not any(place.layout for place in picked)
        and len(kept) == len(value.layout)
        and all(value.layout)
    )


def _is_ufunc(value: Value) -> bool:
    return isinstance(value, Elementwise) and value.operation != "where" and not is_kernel(value.operation)


def call_lines(piece: Piece, indent: str) -> list[str]:
    """A call, of a function by the name that it has in the steps."""
    assert piece.call is not None
    head, arguments = piece.call
    return bracketed(_local(head), arguments, ")", indent)


def _local(head: str) -> str:
    """What a call begins with, its function by the name that it has in `_steps`: np_add for np.add."""
    function, bracket, rest = head.partition("(")
    return f"{LOCAL_NAMES[function]}{bracket}{rest}" if function in LOCAL_NAMES else head
