"""Relations solved for the size that is missing: T = S - 1, E = D/H, (sqrt(8*P + 1) - 1)/2 of a triangle."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from symbackprop.integers.linear import LinearForm, constant_form, divided, linear_form
from symbackprop.integers.relations import HALF, Relation, Sizes, is_root, size_value, sizes_in
from symbackprop.notation.arithmetic import factors_of, multiply, negate, subtract
from symbackprop.notation.expressions import ONE, Apply, Expression, Number, Power, Size


@dataclass(frozen=True)
class SizeStep:
    """size(axis) == above/below, by a relation: works the size out, or checks it.

    A size that follows by a root, rounded down, is yet to be checked.
    """

    relation: Relation
    axis: str
    above: Expression
    below: Expression

    @property
    def is_checked(self) -> bool:
        """Whether a quotient that comes out even is one that obeys the relation."""
        return not any(map(is_root, self.above.walk()))

    def value(self, sizes: Sizes) -> int | None:
        """The size by those of the other axes; None where it comes to no whole number, or less than 0."""
        below = size_value(self.below, sizes)
        if below is None or below == 0:
            return None
        above = size_value(self.above, sizes)
        value = None if above is None else above / below
        return None if value is None or value < 0 or value.denominator > 1 else int(value)


def solved_for(relation: Relation, name: str) -> SizeStep | None:
    """The size of one of its axes by those of the others; None where it stands in a cube or a floor."""
    above, below = divided(relation.length)
    form = linear_form(subtract(multiply(Size(relation.axis), below), above))
    coefficients = [constant_form(form.constant), constant_form(0), constant_form(0)]
    for unknown, value in form.coefficients.items():
        powers, others = _without_size(unknown, name)
        if not 0 <= powers <= 2 or name in sizes_in(multiply(*others)):
            return None
        coefficients[powers] = coefficients[powers].plus(linear_form(multiply(*others)), value)
    return _solution(relation, name, *coefficients)


def _without_size(product: Expression, name: str) -> tuple[int, list[Expression]]:
    """How often the size of that axis is a factor of a product, and the other factors."""
    powers, others = 0, []
    for factor in factors_of(product):
        base, exponent = (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, ONE)
        if isinstance(base, Size) and base.axis.name == name and isinstance(exponent, Number):
            powers += int(exponent.value)
        else:
            others.append(factor)
    return powers, others


def _solution(
    relation: Relation, name: str, rest: LinearForm, factor: LinearForm, square: LinearForm
) -> SizeStep | None:
    """n of square*n^2 + factor*n + rest = 0: a quotient, or a root."""
    if square != constant_form(0):
        return _root(relation, name, rest, factor, square)
    above, below = negate(rest.expression()), factor.expression()
    if factor.constant < 0 or any(value < 0 for value in factor.coefficients.values()):
        above, below = negate(above), negate(below)
    return SizeStep(relation, name, linear_form(above).expression(), linear_form(below).expression())


def _root(
    relation: Relation, name: str, rest: LinearForm, factor: LinearForm, square: LinearForm
) -> SizeStep | None:
    """The only root that is not negative (of 0 and 1 it is 1); None where there may be two, or none."""
    if square.constant < 0:
        rest, factor, square = rest.scaled(-1), factor.scaled(-1), square.scaled(-1)
    if square.coefficients or factor.coefficients or not _is_never_positive(rest):
        return None
    twice = 2 * square.constant
    discriminant = rest.scaled(-2 * twice).plus(constant_form(factor.constant**2))
    root = Apply("floor", (Power(discriminant.expression(), HALF),))
    return SizeStep(relation, name, linear_form(root).plus(factor, -1).expression(), Number(twice))


def _is_never_positive(form: LinearForm) -> bool:
    return form.constant <= 0 and all(value < 0 for value in form.coefficients.values())


def steps_of(relations: Sequence[Relation], known: Collection[str]) -> tuple[SizeStep, ...]:
    """How the sizes that are not known follow, and the checks of relations between known ones, in order.

    Relations that leave more than one size open are not among them.
    """
    found: list[SizeStep] = []
    names, pending = set(known), list(relations)
    while True:
        ready = ((relation, _step(relation, names)) for relation in pending)
        relation, step = next(((each, own) for each, own in ready if own is not None), (None, None))
        if relation is None or step is None:
            return tuple(found)
        pending.remove(relation)
        names.add(step.axis)
        found.append(step)
        if not step.is_checked:
            pending.append(relation)


def _step(relation: Relation, known: Collection[str]) -> SizeStep | None:
    open_axes = [name for name in relation.axes if name not in known]
    if len(open_axes) > 1:
        return None
    return solved_for(relation, *open_axes or [relation.axis.name])


def worked_out(relations: Sequence[Relation], sizes: Sizes) -> dict[str, int]:
    """These sizes and those that follow from them; NotationError where they do not obey a relation."""
    found = dict(sizes)
    for step in steps_of(relations, found):
        size = step.value(found)
        if size is None or found.setdefault(step.axis, size) != size:
            raise step.relation.refusal(found)
    return found
