"""The model's own functions: `func swish(u) = u*sigmoid(beta*u)`, put in the place of their calls.

A body is composed once, at its definition, with parameters as scalar tensors whose names no user can write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from symbackprop.language.composing import recomposed
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.substitution import rename_bound
from symbackprop.syntax.nodes import FunctionBody


@dataclass(frozen=True)
class ModelFunction:
    """A function that a model defines; its body reads the parameters as `parameter_element` gives them.

    Where parameters are `indices`, their axes are a call's: the body is composed there. So it is where some
    are `whole` numbers, and where a call gives an index for one of the `optional_indices`; each of them comes
    with the parameters that a max or min over it reads.
    """

    name: str
    parameters: tuple[str, ...]
    formula: FunctionBody
    indices: frozenset[str] = frozenset()
    optional_indices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    body: Expression | None = None


def parameter_element(parameter: str) -> Element:
    """What stands for a parameter in a body; the space keeps it apart from every tensor of the model."""
    return Element(f"parameter {parameter}")


def parameter_index(function: str, parameter: str, index: Index) -> Index:
    """What stands for a function's parameter that is an index, over the axis of the one that a call gives."""
    return Index(f"parameter {parameter} of {function}", index.axis)


def expanded(
    body: Expression,
    arguments: Mapping[str, Expression],
    indices: Mapping[Index, Index] = MappingProxyType({}),
) -> Expression:
    """Put expressions where scalar tensors of these names stand, and indices where parameters do.

    An index that the body binds itself is renamed where an argument has one of that name; one that is a
    parameter binds that of the arguments.
    """
    if not indices and body.tensors.isdisjoint(arguments):
        return body
    if isinstance(body, Index):
        return indices.get(body, body)
    if isinstance(body, Element) and body.tensor in arguments:
        return arguments[body.tensor]
    if isinstance(body, Reduction):
        arriving = [arguments[name].free_indices for name in sorted(body.tensors & arguments.keys())]
        body = rename_bound(body, frozenset(indices.values()).union(*arriving))
        bound = tuple([indices.get(index, index) for index in body.indices])
        return Reduction(body.kind, bound, expanded(body.body, arguments, indices))
    return recomposed(body, tuple([expanded(child, arguments, indices) for child in body.children]))


def depends(expression: Expression, index: Index, dependent: frozenset[str]) -> bool:
    """Whether an expression depends on an index, where the scalar tensors `dependent` do so."""
    if index in expression.free_indices or (
        isinstance(expression, Element) and expression.tensor in dependent
    ):
        return True
    if expression.tensors.isdisjoint(dependent) or (
        isinstance(expression, Reduction) and index in expression.indices
    ):
        return False
    return any(depends(child, index, dependent) for child in expression.children)


def height(expression: Expression, limit: int) -> int:
    """How many nodes lie on the longest way down, counted no further than one past the limit."""
    level: dict[int, Expression] = {id(expression): expression}
    found = 0
    while level and found <= limit:
        found += 1
        level = {id(child): child for node in level.values() for child in node.children}
    return found
