"""Parts of an equation that have got names of their own: put back, they give what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from symbackprop.integers.bounds import conjuncts
from symbackprop.integers.guards import guarded_children
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.expressions import ZERO, Element, Expression, Index, Where
from symbackprop.notation.matrix_functions import MatrixFunction, tensor_read
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.rewriting.justification import Equality, Justification
from symbackprop.rewriting.replacements import at_positions, renamed_equation
from symbackprop.rewriting.rule import Step
from symbackprop.systems.system import Equation

Conditions = tuple[Expression, ...]


@dataclass(frozen=True)
class Naming(Justification):
    """Names in the place of what they stand for, by the equations that are `named`."""

    name: str
    statement: str
    named: tuple[Equation, ...] = ()
    kind: ClassVar[str] = "naming"
    whole: ClassVar[bool] = True
    names: ClassVar[tuple[str, ...]] = ("choose matrices", "hoist", "share")

    @property
    def line(self) -> tuple[str, str]:
        """That of its record."""
        return self.name, self.statement

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equations of the names."""
        return tuple([(equation.element, equation.expression) for equation in self.named])

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether both sides are the same once the names have been replaced by what they stand for."""
        definitions = {equation.tensor: equation for equation in self.named}
        old, new = (_normal_form(_put_back(side, definitions, ())) for side in (before, after))
        return old == new

    def renamed(self, names: Mapping[str, str]) -> Naming:
        """The same in other names."""
        return replace(self, named=tuple([renamed_equation(equation, names) for equation in self.named]))


@dataclass(frozen=True)
class NamingRule:
    """A record: which parts get names, and when. `example` and `near_miss` are equations of a model."""

    name: str
    statement: str
    where: tuple[str, ...]
    example: str
    near_miss: str

    def steps(self, before: Expression, after: Expression, known: Mapping[str, Equation]) -> tuple[Step, ...]:
        """The step between two right-hand sides; none where they are the same.

        `known` has the equations of all names that may be new in `after`.
        """
        if before == after:
            return ()
        new = after.tensors - before.tensors
        named = tuple([equation for name, equation in known.items() if name in new])
        return (Step(Naming(self.name, self.statement, named), (), before, after),)


def _put_back(node: Expression, definitions: Mapping[str, Equation], conditions: Conditions) -> Expression:
    """The node with right-hand sides for names; where(c, f, 0) is f where c holds around it."""
    children = [_put_back(child, definitions, inside) for child, inside in guarded_children(node, conditions)]
    node = node.with_children(tuple(children))
    equation = definitions.get(tensor_read(node) or "")
    if equation is None:
        return node
    if isinstance(node, MatrixFunction):
        return _of_model_matrices(node, equation)
    assert isinstance(node, Element)
    value = at_positions(equation, node)
    match value:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return chosen if set(conjuncts(condition)) <= set(conditions) else value
    return value


def _of_model_matrices(node: MatrixFunction, equation: Equation) -> Expression:
    """A function of chosen matrices as one of those that they were chosen from."""
    match equation.expression:
        case Where(_, Element(tensor, (*batch, _, _)), _):
            at: dict[Index, Expression] = dict(zip(equation.indices, node.batch, strict=False))
            return replace(node, tensor=tensor, batch=tuple([substitute(each, at) for each in batch]))
    return node


def _normal_form(expression: Expression) -> Expression:
    return canonical_bound_names(rewrite_bottom_up(expression, normalised))


def by_tensor(equations: Iterable[Equation]) -> dict[str, Equation]:
    """The equations by their tensors."""
    return {equation.tensor: equation for equation in equations}


def is_chain(start: Expression, steps: Sequence[Step], end: Expression) -> bool:
    """Whether the steps lead from one expression to the other, each from where the last one ended."""
    states = [start, *(side for step in steps for side in (step.before, step.after)), end]
    return all(states[at] == states[at + 1] for at in range(0, len(states), 2))
