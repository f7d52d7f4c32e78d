"""What is known of an element-wise function: one record holds all of it.

A record says what a function means (its formula or its derivative), where it is defined, its kinks, how it
is computed by each evaluator, and what it is called in LaTeX, in SymPy, in the catalogue and in each target.
Every other room asks the record, or computes a table from all of them; none names a function by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import Any, TypeAlias

from symbackprop.notation.expressions import Expression

Numeric: TypeAlias = float | complex
Evaluation: TypeAlias = Callable[..., Numeric]


class Domain(Enum):
    """The real arguments for which a function is defined, as far as the algebra can use it."""

    REALS = "every real number"
    POSITIVE = "what is above 0"
    ABOVE_MINUS_ONE = "what is above -1"
    UNIT_INTERVAL = "-1 to 1"
    BETWEEN_POLES = "all but its poles"


class Overflow(Enum):
    """For which finite arguments float64 cannot hold the value."""

    NEVER = "for none"
    ABOVE_ZERO = "for large ones"
    BOTH_SIDES = "for those far from 0 on either side"


@dataclass(frozen=True)
class Kink:
    """A place where no difference quotient is the derivative, or where the function jumps.

    With one argument it lies at 0, with two where they are equal. `convention` states the derivative there;
    `otherwise` is the same function by the other convention.
    """

    convention: str
    otherwise: Callable[..., Expression]


@dataclass(frozen=True)
class SympyFunction:
    """A function of SymPy, with the whole numbers that stand before its argument: polygamma(1, u)."""

    name: str
    orders: tuple[int, ...] = ()


# exp, tanh and their like, as measured on arrays that fit the cache.
FUNCTION_WEIGHT = 8


@dataclass(frozen=True)
class NumpyCall:
    """A call of NumPy, with a slot {} for each argument: `np.tanh({})`."""

    text: str


@dataclass(frozen=True)
class NumpyKernel:
    """A function of the generated module, `templates/numpy/kernels/NAME.py.j2`, and the helpers it calls.

    `makes_array` says that of a scalar it makes an array without axes, as np.where and np.piecewise do, where
    NumPy's arithmetic makes a NumPy scalar.
    """

    calls: tuple[str, ...] = ()
    makes_array: bool = False


@dataclass(frozen=True)
class ElementwiseFunction:
    """One function of the language.

    Meaning: a function with a `definition` is nothing but that formula, and its derivative is derived from
    it. Any other has a `derivative` at its argument, or SymPy's of `sympy`.

    Evaluation: `evaluate` takes one real or complex number. A complex number is a real one with an
    infinitesimal imaginary part (the complex step), so that conditions are decided by the real part.
    `on_arrays` does the same for arrays of a library, its first argument, where that can; `precise` computes
    with mpmath's digits what has no definition. No target uses these three, and they use no target's kernels.

    Catalogue: `title` is that of the layer made of it, "" where none is; `class_name` its name in Python,
    where that is not the function's name capitalised.
    """

    name: str
    _: KW_ONLY
    latex: str
    """A format with one slot an argument."""
    mathml: str = ""
    """The same of presentation MathML, where the notation is none of a name and arguments in parentheses."""
    evaluate: Evaluation
    on_arrays: Callable[..., Any] | None = None
    precise: Callable[..., Any] | None = None
    definition: Callable[..., Expression] | None = None
    derivative: Callable[[Expression], Expression] | None = None
    sympy: SympyFunction | None = None
    numpy: NumpyCall | NumpyKernel | None = None
    """None for a function of integers, which the lowering turns into integer arithmetic."""
    arity: int = 1
    weight: int = FUNCTION_WEIGHT
    """What it costs on one element, against an addition in a pass over memory."""
    domain: Domain = Domain.REALS
    overflow: Overflow = Overflow.NEVER
    is_nonnegative: bool = False
    """Whether every value is at least 0; one that is greater may come out as 0."""
    between: tuple[int, int] | None = None
    """Whole numbers that no value, as computed, lies below and above."""
    is_even: bool = False
    """Whether its value at -u is its value at u."""
    is_odd: bool = False
    """Whether it is defined everywhere, and its value at -u is minus its value at u."""
    keeps_positive: bool = False
    """Whether its value, as computed, is greater than 0 wherever its argument is."""
    is_step: bool = False
    """Whether it is constant between its jumps, so that its derivative is 0 by convention."""
    stands_still: bool = False
    """Whether no chain rule goes through it: its derivative is 0 by what it means."""
    is_integer: bool = False
    """Whether its values are whole numbers, so that it may be a position, whatever its argument is."""
    spelling: str = ""
    """What it is called in the language, where another function has that name for other arguments."""
    shown_by_definition: bool = False
    """Whether formulas show its definition: it is a way to compute that, of any number of arguments."""
    quotient_of: tuple[str, str] | None = None
    """The functions that it is the quotient of, all of one argument: tanh(u) = sinh(u)/cosh(u)."""
    is_identity: bool = False
    """Whether its value is its argument's, which is computed in its place."""
    yields_its_name: bool = False
    """Whether a model may call something of its own by its name."""
    kink: Kink | None = None
    title: str = ""
    class_name: str = ""
