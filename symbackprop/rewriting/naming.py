"""Parts of an equation that have got names of their own: put back, they give what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from symbackprop.integers.bounds import conjuncts
from symbackprop.integers.guards import always_holds, guarded_children
from symbackprop.notation.arithmetic import negate, normalised
from symbackprop.notation.expressions import ZERO, Add, Element, Expression, Index, Multiply, Number, Where
from symbackprop.notation.matrix_functions import MatrixFunction, tensor_read
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.rewriting.justification import Anchor, Equality, Justification
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Step
from symbackprop.systems.system import Equation

Conditions = tuple[Expression, ...]


@dataclass(frozen=True)
class Naming(Justification):
    """Names in the place of what they stand for, by the equations that are `named`."""

    named: tuple[Equation, ...]
    name: str = ""
    statement: str = ""
    kind: ClassVar[str] = "naming"
    whole: ClassVar[bool] = True

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equations of the names."""
        return tuple([(equation.element, equation.expression) for equation in self.named])

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether both sides are the same once the names have been replaced by what they stand for."""
        # At last nothing is put back, and a where of what was is dropped where its condition holds around it.
        for definitions in (*_readers_first(self.named), {}):
            before, after = (_put_back(side, definitions, ()) for side in (before, after))
        return _normal_form(before) == _normal_form(after)

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether each name is that of an equation which is computed, were it later."""
        return all(map(anchor.computes, self.equations))

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same in other names."""
        return replace(self, named=tuple([renamed_equation(equation, names) for equation in self.named]))


@dataclass(frozen=True)
class NamingRule:
    """A record: which parts get names, and when. `example` and `near_miss` are equations of a model."""

    naming: type[Naming]
    where: tuple[str, ...]
    example: str
    near_miss: str

    @property
    def name(self) -> str:
        """The naming's name."""
        return self.naming.name

    @property
    def statement(self) -> str:
        """The naming's line."""
        return self.naming.statement

    def steps(self, before: Expression, after: Expression, known: Mapping[str, Equation]) -> tuple[Step, ...]:
        """The step between two right-hand sides; none where they are the same.

        `known` has the equations of all names that may have been given in `after`.
        """
        if before == after:
            return ()
        given = _names_given(before, after)
        naming = self._of(given - before.tensors, known)
        # A name that was read before may have come to stand in a further place.
        if given & before.tensors and not naming.accounts_for(before, after):
            naming = self._of(given, known)
        return (Step(naming, (), before, after),)

    def _of(self, names: frozenset[str], known: Mapping[str, Equation]) -> Naming:
        return self.naming(tuple([equation for name, equation in known.items() if name in names]))


def _names_given(before: Expression, after: Expression) -> frozenset[str]:
    """The tensors in the places of something else; all that are read where parts have moved."""
    name = tensor_read(after)
    if before == after:
        return frozenset()
    if name is not None and name != tensor_read(before):
        return frozenset((name,))
    # What stands on both sides has kept its place, if not its number.
    old = [child for child in before.children if child not in after.children]
    new = [child for child in after.children if child not in before.children]
    if type(before) is not type(after) or len(old) != len(new):
        return after.tensors
    return frozenset[str]().union(*(_names_given(*pair) for pair in zip(old, new, strict=True)))


def _readers_first(named: Iterable[Equation]) -> Iterator[Mapping[str, Equation]]:
    """The equations in groups, each before those that it reads: these may be read on both sides."""
    left = by_tensor(named)
    while left:
        read = {name for tensor, each in left.items() for name in each.reads if name != tensor}
        # Members of a recurrence read one another.
        group = {tensor: left[tensor] for tensor in left if tensor not in read} or left
        yield group
        left = {tensor: left[tensor] for tensor in left if tensor not in group}


def _put_back(node: Expression, definitions: Mapping[str, Equation], conditions: Conditions) -> Expression:
    """The node with right-hand sides for names; where(c, f, 0) is f where c holds around it."""
    children = [_put_back(child, definitions, inside) for child, inside in guarded_children(node, conditions)]
    node = node.with_children(tuple(children))
    equation = definitions.get(tensor_read(node) or "")
    if equation is None:
        return _chosen(node, conditions)
    if isinstance(node, MatrixFunction):
        return _of_model_matrices(node, equation)
    assert isinstance(node, Element)
    return _chosen(equation.at(node.positions), conditions)


def _chosen(value: Expression, conditions: Conditions) -> Expression:
    match value:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return chosen if all(_holds(each, conditions) for each in conjuncts(condition)) else value
    return value


def _holds(condition: Expression, conditions: Conditions) -> bool:
    """Whether it is one of the conditions or, as t != 0 of s < t, follows from those on indices."""
    if condition in conditions or condition.tensors:
        return condition in conditions
    return always_holds(condition, [each for each in conditions if not each.tensors])


def _of_model_matrices(node: MatrixFunction, equation: Equation) -> Expression:
    """A function of chosen matrices as one of those that they were chosen from."""
    match equation.expression:
        case Where(_, Element(tensor, (*batch, _, _)), _):
            at: dict[Index, Expression] = dict(zip(equation.indices, node.batch, strict=False))
            return replace(node, tensor=tensor, batch=tuple([substitute(each, at) for each in batch]))
    return node


def _normal_form(expression: Expression) -> Expression:
    """Factors that differ in the names of bound indices alone are equal ones, and become a power."""
    return canonical_bound_names(rewrite_bottom_up(canonical_bound_names(expression), _finished))


def _finished(node: Expression) -> Expression:
    """Normalised, and -(f - g) as g - f: a name may stand for either."""
    match normalised(node):
        case Multiply((Number(number), Add() as total)) if number == -1:
            return negate(total)
        case finished:
            return finished


def by_tensor(equations: Iterable[Equation]) -> dict[str, Equation]:
    """The equations by their tensors."""
    return {equation.tensor: equation for equation in equations}
