"""Whether an adjoint is better without a name, where the equations that read it take its formula."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.cost.expressions import Cost, cost
from symbackprop.cost.weights import MOST_FOR_A_DIVISION, MOST_FOR_A_MEAN, MOST_FOR_A_NAME_OF_MANY
from symbackprop.derivation.quantities import is_in_blocks
from symbackprop.notation.arithmetic import coefficient_and_rest, is_reciprocal, terms_of
from symbackprop.notation.expressions import Add, Apply, Delta, Element, Expression, Reduction, Where
from symbackprop.notation.substitution import elements_of
from symbackprop.presentation.means.summed import NamedMeans, takes_means_off
from symbackprop.systems.system import Equation

MOST_ELEMENTS_IN_A_SUM = 2
LARGEST_FORMULA = 150  # nodes: beyond that none is read, and chains of equations take linear time
MOST_BLOCKS = 8  # that are read one by one, and compared each with each


def cost_of(equations: Sequence[Equation]) -> Cost:
    """The cost of computing all these equations together."""
    return cost(*(equation.expression for equation in equations))


def may_vanish(expression: Expression) -> bool:
    """Whether it is like -d/p, which may lose its denominator in each of the equations that read it.

    Or like 1/2*(x - m), for a sum over x - m may have a name, or c*delta(i,k), which the next sum contracts.
    """
    _, rest = coefficient_and_rest(expression)
    is_multiple = len(rest) == 1 and isinstance(rest[0], Element | Add) and _is_short(rest[0])
    return is_multiple or any(
        isinstance(factor, Delta) or (is_reciprocal(factor) and bool(factor.tensors)) for factor in rest
    )


def is_mask_of_all(expression: Expression, read_by: Sequence[Expression]) -> bool:
    """Whether it is a mask, where(u > 0, 1, 0), that everything has that reads it: it drops out there."""
    match coefficient_and_rest(expression)[1]:
        case (Where() as mask,) if mask.is_indicator:
            return all(
                any(isinstance(node, Where) and node.condition == mask.condition for node in each.walk())
                for each in read_by
            )
    return False


def is_no_costlier(
    inlined: Equation, before: Sequence[Equation], after: Sequence[Equation], is_one_of_many: bool
) -> bool:
    """Whether the equations without the name cost no more than those with it, or lose a divisor."""
    named, together = cost_of((inlined, *before)), cost_of(after)
    if together <= MOST_FOR_A_DIVISION * named and _loses_a_division(inlined, after):
        return True
    if is_one_of_many and together > MOST_FOR_A_NAME_OF_MANY * named:
        return False
    if together != named:
        return together < named
    if len(before) > 1:
        lengths = (sum(each.expression.node_count for each in own) for own in (after, [inlined, *before]))
        return next(lengths) < next(lengths)
    if _is_read_repeatedly(inlined, before[0]) and _has_sum(inlined.expression):
        return False
    return not stands_in_a_sum(inlined, before[0]) or _is_short(inlined.expression)


def outgrown(before: Sequence[Equation], after: Sequence[Equation]) -> bool:
    """Whether an equation has become longer than anyone reads; one that was so before may not grow."""
    return any(
        new.expression.node_count > max(LARGEST_FORMULA, old.expression.node_count)
        and not _has_short_blocks(new.expression)
        for old, new in zip(before, after, strict=True)
    )


def _has_short_blocks(expression: Expression) -> bool:
    """Whether it is read block by block, as delta_a of the gates of an LSTM, each by itself short enough."""
    blocks = terms_of(expression)
    return (
        len(blocks) <= MOST_BLOCKS
        and all(block.node_count <= LARGEST_FORMULA for block in blocks)
        and is_in_blocks(expression)
    )


def _loses_a_division(inlined: Equation, after: Sequence[Equation]) -> bool:
    """Whether it divides by elements, which may be 0, and nothing does where it has been put in."""
    divisors = _divisors(inlined.expression)
    return bool(divisors) and not any(divisors & _divisors(equation.expression) for equation in after)


def _divisors(expression: Expression) -> set[str]:
    bases = (node.children[0] for node in expression.walk() if is_reciprocal(node))
    return {base.tensor for base in bases if isinstance(base, Element)}


def _is_short(expression: Expression) -> bool:
    """A difference or product of two elements reads well inside a sum; more than that keeps its name."""
    return not _has_sum(expression) and len(elements_of(expression)) <= MOST_ELEMENTS_IN_A_SUM


def _has_sum(expression: Expression) -> bool:
    return any(isinstance(node, Reduction) for node in expression.walk())


def _is_read_repeatedly(inlined: Equation, user: Equation) -> bool:
    """Whether several positions read one element, as in y[floor(i/2)]: each would redo a sum in it."""
    return any(
        isinstance(node, Apply) and node.function == "floor"
        for element in elements_of(user.expression)
        if element.tensor == inlined.tensor
        for position in element.positions
        for node in position.walk()
    )


def stands_in_a_sum(inlined: Equation, user: Equation) -> bool:
    """Whether the other equation reads it in a sum over indices, or another reduction."""
    return any(
        isinstance(node, Reduction) and inlined.tensor in node.tensors for node in user.expression.walk()
    )


def gains_a_mean(
    inlined: Equation, before: Sequence[Equation], after: Sequence[Equation], means: NamedMeans
) -> bool:
    """Whether a value comes to stand beside its weighted mean, f - m, of which two names hide that."""
    if cost_of(after) > MOST_FOR_A_MEAN * cost_of((inlined, *before)):
        return False
    is_so = [takes_means_off(each.expression, means) for each in (inlined, *before)]
    return not any(is_so) and any(takes_means_off(each.expression, means) for each in after)
