"""The language's functions on arrays of float64 or complex numbers; complex ones are decided by real parts.

A function whose record has no evaluation on arrays is taken number by number. Nothing here is shared with
what a generated module calls, but for NumPy's operations on real numbers that indices alone decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.functions.table import FUNCTIONS
from symbackprop.integers.recognition import NUMPY_FUNCTIONS
from symbackprop.notation.expressions import Constant, Expression
from symbackprop.semantics.floats_of_indices import Float64, Operation, operations_of

Array: TypeAlias = NDArray[Any]
LARGEST_WHOLE = 2**53  # of the whole numbers up to which float64 holds each

_COMPARED: Mapping[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def values_of(function: str, arguments: Sequence[Array]) -> Array:
    """A function of the language, number by number."""
    record = FUNCTIONS[function]
    if record.on_arrays is not None:
        return np.asarray(record.on_arrays(np, *arguments))
    arrays = np.broadcast_arrays(*arguments)
    numbers = [record.evaluate(*place) for place in zip(*map(_of_python, arrays), strict=True)]
    return np.array(numbers, dtype=None if numbers else float).reshape(arrays[0].shape)


def _of_python(array: Array) -> list[Any]:
    """Python's own numbers, which wider ones become: a special function takes no other."""
    own = array.astype(np.float64) if array.dtype == np.longdouble else array
    numbers: list[Any] = own.ravel().tolist()
    return numbers


def power_values(base: Array, exponent: Array) -> Array:
    """base^exponent; by repeated squaring where complex bases have one integer as exponent.

    An exponent that a complex step moved is no integer, however little it was moved: b^(1 + ih).
    """
    if not np.iscomplexobj(base) and not np.iscomplexobj(exponent):
        return np.asarray(np.float_power(base, exponent))
    whole = exponent.ravel()[:1].real
    is_one = exponent.size > 0 and np.all(exponent == whole) and whole == np.round(whole)
    if is_one and abs(whole[0]) < LARGEST_WHOLE:
        product: Array = whole_power(base, int(abs(whole[0])))
        return product if whole >= 0 else 1.0 / product
    return np.asarray(np.asarray(base, dtype=np.complex128) ** exponent)


def whole_power(base: Any, exponent: int) -> Any:
    """base^exponent, the squares of the base multiplied that the binary digits of the exponent name."""
    product = base**0
    while exponent:
        if exponent % 2:
            product = product * base
        exponent //= 2
        base = base * base if exponent else base
    return product


def compared(operator: str, left: Array, right: Array) -> Array:
    """A comparison, complex numbers by their real parts."""
    return _COMPARED[operator](np.real(left), np.real(right))


# NumPy's, as in a program: those of Python's math may differ in the last digit, and the floor by 1.
UFUNCS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "floor_of_real": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    **{name: getattr(np, name) for name in NUMPY_FUNCTIONS},
}


def float64_of(node: Expression, integer: Callable[[Expression], Any]) -> Any:
    """The number in float64; `integer` gives whole numbers, or arrays of them."""
    return _value(operations_of(node), integer)


def _value(number: Float64, integer: Callable[[Expression], Any]) -> Any:
    match number:
        case Operation(name, arguments):
            with np.errstate(all="ignore"):
                return UFUNCS[name](*[_value(each, integer) for each in arguments])
        case Constant():
            return np.float64(np.pi)
    return np.asarray(integer(number)).astype(np.float64)[()]
