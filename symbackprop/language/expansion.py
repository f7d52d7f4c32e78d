"""The model's own functions: `func swish(u) = u*sigmoid(beta*u)`, put in the place of their calls.

A body is composed once, at its definition, with parameters as scalar tensors whose names no user can write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.language.composing import recomposed
from symbackprop.notation.expressions import Element, Expression, Reduction
from symbackprop.notation.substitution import rename_bound


@dataclass(frozen=True)
class ModelFunction:
    """A function that a model defines; its body reads the parameters as `parameter_element` gives them."""

    name: str
    parameters: tuple[str, ...]
    body: Expression

    def at(self, arguments: tuple[Expression, ...]) -> Expression:
        """The body at these arguments."""
        names = [parameter_element(parameter).tensor for parameter in self.parameters]
        return expanded(self.body, dict(zip(names, arguments, strict=True)))


def parameter_element(parameter: str) -> Element:
    """What stands for a parameter in a body; the space keeps it apart from every tensor of the model."""
    return Element(f"parameter {parameter}")


def expanded(body: Expression, arguments: Mapping[str, Expression]) -> Expression:
    """Put expressions where scalar tensors of these names stand.

    An index that the body binds itself is renamed where an argument has one of that name.
    """
    if not body.tensors & arguments.keys():
        return body
    if isinstance(body, Element):
        return arguments[body.tensor]
    if isinstance(body, Reduction):
        arriving = [arguments[name].free_indices for name in sorted(body.tensors & arguments.keys())]
        body = rename_bound(body, frozenset().union(*arriving))
    return recomposed(body, tuple([expanded(child, arguments) for child in body.children]))


def height(expression: Expression, limit: int) -> int:
    """How many nodes lie on the longest way down, counted no further than one past the limit."""
    level: dict[int, Expression] = {id(expression): expression}
    found = 0
    while level and found <= limit:
        found += 1
        level = {id(child): child for node in level.values() for child in node.children}
    return found
