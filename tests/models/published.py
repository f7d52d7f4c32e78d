"""A derivation beside the form that was published: the same terms, and no dearer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.algebra.remembered import multiplied_out
from symbackprop.cost.expressions import cost
from symbackprop.derivation.result import Derivation
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.expressions import Expression
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation, Role, System, Tensor
from tests.models.classics import Classic


def shape(expression: Expression) -> Expression:
    """The expression up to the order of terms and factors and the names of bound indices."""
    return canonical_bound_names(rewrite_bottom_up(expression, normalised))


def terms(expression: Expression) -> set[Expression]:
    """The terms after multiplying out: the same terms with the same names, wherever a factor stands."""
    return {shape(term) for term in multiplied_out(shape(expression))}


def at_same_indices(derived: Equation, published: Equation) -> Expression:
    return substitute(derived.expression, dict(zip(derived.indices, published.indices, strict=True)))


def assert_as_published(derivation: Derivation, classic: Classic) -> None:
    """Each equation has the published terms, and all together cost no more than the published ones."""
    inner = [each.equation for each in derivation.expansion.derivations if each.kept]
    added = [equation for equation in inner if equation.tensor not in classic.system.tensors]
    derived = {equation.tensor: equation for equation in (*added, *derivation.equations)}
    assert set(derived) == set(classic.published)
    for tensor, published in classic.published.items():
        found = at_same_indices(derived[tensor], published)
        if shape(found) != shape(published.expression):
            assert terms(found) == terms(published.expression), equation_text(derived[tensor])
    ours = cost(*(equation.expression for equation in derived.values()))
    theirs = cost(*(equation.expression for equation in classic.published.values()))
    assert ours <= theirs


def evaluated(
    system: System, equations: tuple[Equation, ...], values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """The values of the system and of equations behind it."""
    behind = {each.tensor: Tensor(each.tensor, each.indices, Role.DERIVED) for each in equations}
    together = replace(
        system, tensors={**system.tensors, **behind}, equations=(*system.equations, *equations)
    )
    return evaluate(together, values, sizes)
