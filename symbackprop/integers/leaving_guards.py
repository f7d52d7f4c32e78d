"""Which factors may leave a `where`: those whose reads its condition does not keep inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.integers.guards import unproved_reads
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import Axis, Comparison, Expression, Index, Size
from symbackprop.notation.substitution import elements_of

NO_AXES: Mapping[str, Sequence[Axis]] = MappingProxyType({})


def is_readable_without(
    factor: Expression, condition: Expression, axes: Mapping[str, Sequence[Axis]] = NO_AXES
) -> bool:
    """Whether a factor may be read where a condition is false; `axes` are those of known tensors.

    It reads tensors at plain indices, and the condition keeps none of them below another axis' size or a
    number: i1[s] with s < size(b) may have a place for each b alone. Nor does it keep them inside an axis
    that is shorter than the index's, as y[q] with q + 1 < size(q), of y over U and q over U + 1.
    """
    positions = {position for read in elements_of(factor) for position in read.positions}
    return not any(
        not isinstance(position, Index) or _is_kept_below(position, part)
        for position in positions
        for part in conjuncts(condition)
    ) and not _keeps_inside(condition, factor, axes)


def _is_kept_below(index: Index, condition: Expression) -> bool:
    if not isinstance(condition, Comparison) or condition.operator not in ("<", "<=", ">", ">="):
        return False
    low, high = condition.left, condition.right
    if condition.operator in (">", ">="):
        low, high = high, low
    form = linear_form(subtract(low, high))
    rest = form.without(index).coefficients
    others = any(isinstance(each, Size) and each.axis != index.axis for each in rest)
    return form.coefficient(index) > 0 and (others or not rest)


def _keeps_inside(condition: Expression, factor: Expression, axes: Mapping[str, Sequence[Axis]]) -> bool:
    """Whether reads lie inside their axes by the condition, or by its opposite, and not without."""
    alone = _unproved_positions(factor, axes, ())
    either = (conjuncts(condition), conjuncts(negated(condition)))
    return bool(alone) and any(_unproved_positions(factor, axes, each) != alone for each in either)


def _unproved_positions(
    factor: Expression, axes: Mapping[str, Sequence[Axis]], known: tuple[Expression, ...]
) -> list[tuple[Expression, Axis]]:
    """The positions that need not lie inside, each with its axis, as far as the axes are known."""
    return [(position, axis) for _, position, axis in unproved_reads(factor, axes, known)]
