"""Which adjoints keep their name: one that is used once moves into its use where that is no dearer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.derivation.result import AdjointDerivation
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.notation.system import Equation
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import result_of
from symbackprop.simplification.cost import cost
from symbackprop.simplification.order import simplify
from symbackprop.simplification.scope import Scope


def inline_adjoints(
    adjoints: Sequence[AdjointDerivation], wanted: frozenset[str], scope: Scope
) -> list[AdjointDerivation]:
    """Go through the adjoints from the loss backwards and move each into its uses where that pays.

    An adjoint that costs nothing (another's name, a number) moves into every use; one that is used in one
    equation moves there unless the program would become dearer, or a sum would come to stand inside a sum.
    """
    current = {adjoint.equation.tensor: adjoint for adjoint in adjoints}
    users: dict[str, dict[str, None]] = {name: {} for name in current}
    for adjoint in adjoints:
        _note_reads(adjoint.equation, users)
    for name in list(current):
        adjoint = current[name]
        is_free = not cost(adjoint.equation.expression)
        if adjoint.tensor in wanted or not users[name] or (len(users[name]) > 1 and not is_free):
            continue
        moved = {user: _with_inlined(current[user], adjoint.equation, scope) for user in users[name]}
        first = next(iter(moved))
        if is_free or _is_no_dearer(adjoint.equation, current[first].equation, moved[first].equation):
            current[name] = replace(adjoint, kept=False)
            _forget_reads(adjoint.equation, users)
            for user, changed in moved.items():
                _forget_reads(current[user].equation, users)
                _note_reads(changed.equation, users)
            current |= moved
    return list(current.values())


def _note_reads(equation: Equation, users: dict[str, dict[str, None]]) -> None:
    for name in equation.reads:
        if name in users:
            users[name][equation.tensor] = None


def _forget_reads(equation: Equation, users: dict[str, dict[str, None]]) -> None:
    for name in equation.reads:
        if name in users:
            users[name].pop(equation.tensor, None)


def _is_no_dearer(inlined: Equation, before: Equation, after: Equation) -> bool:
    named = cost(inlined.expression) + cost(before.expression)
    together = cost(after.expression)
    if together != named:
        return together < named
    return not _stands_in_a_sum(inlined, before) or not _has_sum(inlined.expression)


def _has_sum(expression: Expression) -> bool:
    return any(isinstance(node, Reduction) for node in expression.walk())


def _stands_in_a_sum(inlined: Equation, user: Equation) -> bool:
    return any(
        isinstance(node, Reduction) and inlined.tensor in node.tensors for node in user.expression.walk()
    )


def _with_inlined(user: AdjointDerivation, inlined: Equation, scope: Scope) -> AdjointDerivation:
    rule = Rule("put in", f"the definition of {inlined.tensor}", lambda expression: None)
    start = user.equation.expression
    put_in = _put_in(start, inlined)
    steps = (Step(rule, (), start, put_in), *simplify(put_in, scope))
    equation = replace(user.equation, expression=result_of(steps, start))
    return replace(user, steps=(*user.steps, *steps), equation=equation)


def _put_in(expression: Expression, equation: Equation) -> Expression:
    def put_in(node: Expression) -> Expression:
        if isinstance(node, Element) and node.tensor == equation.tensor:
            at: dict[Index, Expression] = dict(zip(equation.indices, node.positions, strict=True))
            return substitute(equation.expression, at)
        return normalised(node)

    return rewrite_bottom_up(expression, put_in)
