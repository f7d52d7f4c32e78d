"""Whether the algebra proves formulas, or the losses of two models, equal.

Normal forms first, then closed forms, and exact values over a prime field. False says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symbackprop.algebra.certificate import is_certified
from symbackprop.algebra.phases import scope_of, simplify
from symbackprop.auditing.terms import Expansion
from symbackprop.errors import RewritingError
from symbackprop.notation.expressions import ZERO, Element, Expression, Index
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.notation.substitution import bound_names_by_height, rename_tensors, substitute
from symbackprop.rewriting.strategies import result_of
from symbackprop.systems.system import Equation, System

MOST_NODES = 400  # of a loss with the definitions that it reads put in


def is_identity(claimed: Expression, expected: Expression, system: System, known: Iterable[Equation]) -> bool:
    """Whether both have one normal form, with the `known` equations put in, or closed forms of one value."""
    equations = tuple(known)
    expansion = Expansion(system, {each.tensor: each for each in equations})
    if claimed == expected or expansion.difference(claimed, expected) == ZERO:
        return True
    scope = scope_of(system).with_equations(equations)
    try:
        closed = result_of(simplify(claimed, scope, claimed.free_indices), claimed)
    except RewritingError:
        closed = claimed
    relations = {each.known: each.formula for side in (closed, expected) for each in scope.relations(side)}
    return closed == expected or is_certified(expected, closed, tuple(relations.items()))


def have_one_loss(first: System, second: System) -> bool:
    """Whether the losses of two models over the same axes are one formula of the declared tensors.

    What both define by one equation is left as it is, recurrences among it; the rest is put in.
    """
    shared = _shared(first, second)
    own = {name: each for name, each in first.definitions.items() if name not in shared}
    names = _fresh_names(first, second, shared)
    other = {
        names[name]: replace(each, tensor=names[name], expression=rename_tensors(each.expression, names))
        for name, each in second.definitions.items()
        if name not in shared
    }
    losses = (str(first.loss), names.get(str(second.loss), str(second.loss)))
    if losses[0] == losses[1]:
        return True
    if max(_nodes(name, each) for name, each in zip(losses, (own, other), strict=True)) > MOST_NODES:
        return False
    left, right = (Element(name, ()) for name in losses)
    return is_identity(left, right, first, (*own.values(), *other.values()))


def _shared(first: System, second: System) -> frozenset[str]:
    """The tensors that both define by one equation of shared tensors: the most of which that can be said."""
    shared = frozenset(first.definitions.keys() & second.definitions.keys())
    while True:
        names = _fresh_names(first, second, shared)
        kept = frozenset(
            name
            for name in shared
            if _stated(first.definitions[name], {}) == _stated(second.definitions[name], names)
        )
        if kept == shared:
            return shared
        shared = kept


def _fresh_names(first: System, second: System, shared: frozenset[str]) -> dict[str, str]:
    """New names for the second model's derived tensors that are not shared."""
    taken = {*first.tensors, *second.tensors}
    names: dict[str, str] = {}
    for name in second.definitions.keys() - shared:
        names[name] = lengthened_name(f"{name}_", "_", taken)
        taken.add(names[name])
    return names


def _stated(equation: Equation, names: Mapping[str, str]) -> tuple[tuple[object, ...], Expression]:
    """The axes of an equation, and its formula in names that do not depend on those of its indices."""
    plain = [Index(f"position {place}", index.axis) for place, index in enumerate(equation.indices)]
    formula = substitute(equation.expression, dict(zip(equation.indices, plain, strict=True)))
    axes = tuple([index.axis for index in equation.indices])
    return axes, bound_names_by_height(rename_tensors(formula, names))


def _nodes(name: str, definitions: Mapping[str, Equation], above: frozenset[str] = frozenset()) -> int:
    """The nodes of a tensor with the definitions put in; what reads itself stays a name."""
    if name not in definitions or name in above:
        return 1
    expression = definitions[name].expression
    elements = [node.tensor for node in expression.walk() if isinstance(node, Element)]
    within = above | {name}
    return min(
        MOST_NODES + 1,
        expression.node_count + sum(_nodes(each, definitions, within) for each in elements),
    )
