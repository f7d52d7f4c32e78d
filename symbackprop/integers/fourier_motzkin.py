"""Whether linear inequalities contradict one another (Fourier-Motzkin elimination, 1826)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product

from symbackprop.integers.linear import LinearForm
from symbackprop.notation.expressions import Expression

MOST_INEQUALITIES = 200

# Forms that are all >= 0.
Case = tuple[LinearForm, ...]


def contradict(forms: Case) -> bool:
    """Whether no rational numbers make all forms >= 0: eliminate one unknown after another."""
    system = _cleaned(forms)
    while system is not None:
        costs = _costs(system)
        if not costs or len(system) > MOST_INEQUALITIES:
            return False
        system = _cleaned(_eliminated(system, min(costs, key=costs.__getitem__)))
    return True


def _costs(system: Sequence[LinearForm]) -> dict[Expression, int]:
    """How many more forms there are once an unknown is eliminated, for each in order of appearance."""
    signs: dict[Expression, list[int]] = {}
    for form in system:
        for unknown, value in form.coefficients.items():
            signs.setdefault(unknown, [0, 0])[value.numerator > 0] += 1
    return {unknown: above * below - above - below for unknown, (below, above) in signs.items()}


def _eliminated(system: Sequence[LinearForm], unknown: Expression) -> Case:
    rest: list[LinearForm] = []
    above: list[LinearForm] = []
    below: list[LinearForm] = []
    for form in system:
        value = form.coefficient(unknown).numerator
        (above if value > 0 else below if value else rest).append(form)
    for one, other in product(above, below):
        rest.append(one.scaled(-other.coefficient(unknown)).plus(other, one.coefficient(unknown)))
    return tuple(rest)


def _cleaned(forms: Iterable[LinearForm]) -> list[LinearForm] | None:
    """The forms that say something, the strictest of those alike; None where one is plainly false."""
    strictest: dict[frozenset[tuple[Expression, Fraction]], LinearForm] = {}
    for form in forms:
        if not form.coefficients:
            if form.constant < 0:
                return None
            continue
        scale = 1 / abs(next(iter(form.coefficients.values())))
        form = form.scaled(scale)
        key = frozenset(form.coefficients.items())
        if key not in strictest or form.constant < strictest[key].constant:
            strictest[key] = form
    return list(strictest.values())
