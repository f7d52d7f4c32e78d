"""Whether an equal form keeps the digits of the form before: their rounding compared on stress data.

The data are what trained networks and their inputs look like, and not only N(0,1): far from 0, nearly equal,
large and negative (so that e^u is tiny), of different sizes side by side. They are the same in every process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

from symbackprop.algebra.opened import rational_functions
from symbackprop.notation.expressions import Add, Apply, Element, Expression, Index, Power
from symbackprop.rewriting.justification import Equality
from symbackprop.semantics.rounding import Positions, Rounded, RoundingErrors

MOST_ERROR = 4  # times the bound of the form before
UNDERFLOW = 1e-280
UNIT = 2.0**-52

# The middle and the spread of a tensor's values.
_KINDS = ((0.0, 2.0), (1.0, 0.8), (1e3, 1.0), (-30.0, 3.0), (1.0, 1e-4), (30.0, 3.0))
# All tensors alike, and then each with a kind of its own.
_ALIKE = (*_KINDS, (1e6, 1.0), (-1e3, 1.0))
_MIXED = 8


def keeps_digits(form: Expression, expression: Expression, equalities: Iterable[Equality] = ()) -> bool:
    """Whether the form's rounding is at most MOST_ERROR times the expression's, on all the stress data.

    `equalities`, element = formula, are those by which they are equal. A form that is not finite where the
    expression is has lost all. Functions that are quotients in e^u count as data, for a textbook writes
    y*(1 - y) where y = sigmoid(u).
    """
    if not _may_lose_digits(form, expression):
        return True
    formulas = dict(_formulas(equalities))
    indices = sorted(form.free_indices | expression.free_indices, key=lambda index: index.name)
    for draw in range(len(_ALIKE) + _MIXED):
        errors = RoundingErrors(partial(_datum, draw), formulas, frozenset(rational_functions()))
        at: Positions = {index: zlib.crc32(f"{draw} {index.name}".encode()) % 2 for index in indices}
        before = errors.of(expression, at)
        if before is None:
            continue
        after = errors.of(form, at)
        if after is None:
            return False
        allowed = MOST_ERROR * max(before.error, abs(before.value))
        if allowed > UNDERFLOW and after.error > allowed and _agree(before, after):
            return False
    return True


def _agree(before: Rounded, after: Rounded) -> bool:
    """Whether the values are equal up to rounding; they are not where a fact that the data break is used."""
    slack = (before.error + after.error) * UNIT
    return abs(before.value - after.value) <= MOST_ERROR * slack


def _may_lose_digits(form: Expression, expression: Expression) -> bool:
    """Whether the form adds or divides what the expression does not."""
    return not _additions(form) <= _additions(expression)


def _additions(expression: Expression) -> set[Expression]:
    """The sums, and the powers and exponentials, which may overflow."""
    return {node for node in expression.walk() if isinstance(node, Add | Power) or _is_exponential(node)}


def _is_exponential(node: Expression) -> bool:
    return isinstance(node, Apply) and node.function == "exp"


def _formulas(equalities: Iterable[Equality]) -> Iterator[tuple[str, tuple[tuple[Index, ...], Expression]]]:
    """The formula of each tensor at indices of its own, as far as the equalities say it so."""
    for known, formula in equalities:
        if isinstance(known, Element) and _is_general(known.positions, formula):
            indices = tuple(position for position in known.positions if isinstance(position, Index))
            yield known.tensor, (indices, formula)


def _is_general(positions: Sequence[Expression], formula: Expression) -> bool:
    distinct = {position for position in positions if isinstance(position, Index)}
    return len(distinct) == len(positions) and formula.free_indices <= distinct


@cache
def _uniform(spelled: str) -> float:
    """A number in -1 to 1 that depends on the spelling alone."""
    return zlib.crc32(spelled.encode()) / 2**31 - 1


def _datum(draw: int, spelled: str, places: tuple[int, ...]) -> float:
    if draw < len(_ALIKE):
        middle, spread = _ALIKE[draw]
    else:
        middle, spread = _KINDS[zlib.crc32(f"{draw} {spelled}".encode()) % len(_KINDS)]
    # Symmetric in all places, so that what rests on a matrix being symmetric holds.
    return middle + spread * _uniform(f"{draw} {spelled} {sorted(places)}")
