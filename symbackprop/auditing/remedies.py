"""What keeps the digits of a gradient that loses them, as far as the model's equations say it."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.functions.record import Overflow
from symbackprop.functions.table import ALL_FUNCTIONS, definition_of
from symbackprop.languages.phrases import Message, worded
from symbackprop.notation.arithmetic import is_reciprocal, is_sum, terms_of
from symbackprop.notation.expressions import Add, Apply, Element, Expression, Number, Power, Size
from symbackprop.systems.system import System


def remedy_for(system: System, is_infinite: bool) -> Message:
    """Of exponentials that overflow, of squares of differences; else the form that the module has."""
    nodes = [node for each in system.equations for node in _with_formulas(each.expression)]
    if is_infinite and any(map(_has_a_common_factor, nodes)):
        return worded("subtract the largest value before exponentials")
    if is_infinite and any(_is_divided_by_exponentials(each) for each in nodes):
        return worded("take exponentials of what is at most 0, as of -abs(u), which do not overflow")
    squared = [] if is_infinite else [base for each in nodes for base in _squared_differences(each)]
    if any(_is_mean(term, system) for each in squared for term in terms_of(each)):
        return worded("subtract the mean before squares")
    if squared:
        return worded("subtract before squares: (f - g)^2 keeps digits that f^2 - 2*f*g + g^2 loses")
    return worded("compute it as the module does that `symbackprop generate` writes")


def _with_formulas(expression: Expression) -> Iterator[Expression]:
    """The nodes of an expression, and of the formulas that its functions are short for."""
    for node in expression.walk():
        yield node
        formula = definition_of(node) if isinstance(node, Apply) else None
        if formula is not None:
            yield from _with_formulas(formula)


def _has_a_common_factor(node: Expression) -> bool:
    """Exponentials that are added up within a logarithm, or over an index below a fraction bar, as softmax's.

    A factor e^m of all of them goes over into a term of the logarithm, or cancels.
    """
    if isinstance(node, Apply) and node.function == "log":
        return any(_has_exponential(each) for each in node.walk() if is_sum(each) or isinstance(each, Add))
    return _is_divided_by_exponentials(node) and any(is_sum(each) for each in node.walk())


def _is_divided_by_exponentials(node: Expression) -> bool:
    """1/(1 + e^u): where e^u overflows, this has a limit."""
    return is_reciprocal(node) and _has_exponential(node.base)


def _has_exponential(node: Expression) -> bool:
    applied = (each for each in node.walk() if isinstance(each, Apply))
    return any(ALL_FUNCTIONS[each.function].overflow is Overflow.ABOVE_ZERO for each in applied)


def _squared_differences(node: Expression) -> Iterator[Expression]:
    if isinstance(node, Power) and node.exponent == Number(2) and len(terms_of(node.base)) > 1:
        yield node.base


def _is_mean(term: Expression, system: System) -> bool:
    """A sum over an index divided by a size, or a name that is defined so."""
    read = (each.tensor for each in term.walk() if isinstance(each, Element))
    defined = [system.definitions[name].expression for name in read if name in system.definitions]
    nodes = [node for each in (term, *defined) for node in each.walk()]
    divisors = (each.base for each in nodes if is_reciprocal(each))
    return any(map(is_sum, nodes)) and any(isinstance(each, Size) for each in divisors)
