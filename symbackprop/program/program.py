"""A program: statements in order, and which of their results are outputs, the loss and the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.notation.system import Role, Tensor
from symbackprop.program.ir import Read
from symbackprop.program.value import Value


@dataclass(frozen=True)
class Statement:
    """name = value; `formula` is the equation that it computes, `element` its left-hand side: `y[b,k]`.

    A guarded statement computes values that a `where` may leave unused, so that what is undefined in them
    is no cause for a warning.
    """

    name: str
    value: Value
    formula: str
    element: str = ""
    guarded: bool = False

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that the value reads, each once, in reading order."""
        return tuple(dict.fromkeys(node.name for node in self.value.walk() if isinstance(node, Read)))


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: "zeros", "ones", "eye", or "normal" over the root of the product of `fan_in`.

    `fan_in` names the axes that the equation using the parameter sums over; "eye" is the identity matrix.
    """

    tensor: str
    distribution: str
    fan_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A model's loss and gradients as array operations.

    `tensors` are the declared ones, in declared order; `gradients` maps the name of a tensor that was asked
    for to the statement that holds its gradient, `formulas` to the gradient's equation. Of `tensors`,
    `positive_definite` names those whose matrices are to be so.
    """

    model: str
    source: str
    tensors: tuple[Tensor, ...]
    sizes: Mapping[str, int]
    statements: tuple[Statement, ...]
    outputs: tuple[str, ...]
    loss: str | None
    gradients: Mapping[str, str]
    formulas: Mapping[str, str]
    initials: tuple[Initial, ...] = ()
    positive_definite: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Statement]:
        """Statements by the name that they define."""
        return {statement.name: statement for statement in self.statements}

    def with_role(self, *roles: Role) -> tuple[Tensor, ...]:
        """The declared tensors of these roles, in declared order."""
        return tuple(tensor for tensor in self.tensors if tensor.role in roles)

    def needed_for(self, names: tuple[str, ...]) -> tuple[Statement, ...]:
        """The statements that these results need, their own included, in order."""
        needed: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in self.by_name and name not in needed:
                needed.add(name)
                pending.extend(self.by_name[name].reads)
        return tuple(statement for statement in self.statements if statement.name in needed)
