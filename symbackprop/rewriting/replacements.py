"""Equal things in each other's place: a definition put in, a name for what it stands for, a bound name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import Element, Expression
from symbackprop.notation.substitution import (
    canonical_bound_names,
    rename_indices,
    rename_tensors,
    rewrite_bottom_up,
)
from symbackprop.rewriting.justification import Anchor, Equality, Justification, Recomputed
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.systems.system import Equation

_FOUND = marked("{tensor}, found above")
_NAMED = marked("{name} for {derivative}")
_NAMED_ABOVE = marked("{names}, found above")
_NAMED_BELOW = marked("{names}, found below: it is that of another step of the recurrence")
_NAMED_BELOW_MANY = marked("{names}, found below: they are those of another step of the recurrence")


@dataclass(frozen=True)
class Definition(Recomputed):
    """An equation put in: its right-hand side in the place of its tensor's elements, at their positions."""

    equation: Equation
    name: str = "put in"
    statement: str = ""
    kind: ClassVar[str] = "definition"
    whole: ClassVar[bool] = True

    @classmethod
    def of(cls, equation: Equation) -> Definition:
        """The equation, named by its tensor."""
        return cls(equation, statement=_definition_of(equation))

    @property
    def line(self) -> tuple[str, str]:
        """Named by the tensor."""
        return Definition.name, _definition_of(self.equation)

    @property
    def said(self) -> tuple[Words, ...]:
        """The statement with the tensor apart."""
        return (phrase("the definition of {tensor}", tensor=self.equation.tensor),)

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """Which definition is put in is said each time; that of no tensor of the model has been found."""
        if self.equation.tensor in told.system.tensors:
            return Wording.each_time(self.said)
        return Wording.each_time((phrase(_FOUND, tensor=self.equation.tensor),))

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The definition."""
        return ((self.equation.element, self.equation.expression),)

    def again(self, node: Expression) -> Expression | None:
        """The definition at each element; sums and products above it are put together anew."""
        reads = [each for each in node.walk() if isinstance(each, Element)]
        own = [each for each in reads if each.tensor == self.equation.tensor]
        if not own or any(len(each.positions) != len(self.equation.indices) for each in own):
            return None

        def put_in(each: Expression) -> Expression:
            if isinstance(each, Element) and each.tensor == self.equation.tensor:
                return self.equation.at(each.positions)
            return normalised(each)

        return rewrite_bottom_up(node, put_in)

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether it is an equation that is computed, were it later: in a recurrence, at another step."""
        return all(map(anchor.computes, self.equations))

    def renamed(self, names: Mapping[str, str]) -> Definition:
        """The definition in other names."""
        return Definition.of(renamed_equation(self.equation, names))


def steps_putting_in(definitions: Iterable[Equation], expression: Expression) -> tuple[Step, ...]:
    """A step for each of these equations that an expression reads, in order."""
    steps: list[Step] = []
    for rule in map(Definition.of, definitions):
        before = steps[-1].after if steps else expression
        after = rule.again(before)
        if after is not None:
            steps.append(Step(rule, (), before, after))
    return tuple(steps)


@dataclass(frozen=True)
class Substitution(Recomputed):
    """Known values in the place of derivatives along the direct path, one after another."""

    equalities: tuple[Equality, ...]
    name: str = "put in the factors"
    statement: str = "the local derivatives found above"
    kind: ClassVar[str] = "substitution"
    whole: ClassVar[bool] = True
    along_all_paths: ClassVar[bool] = False

    @property
    def equations(self) -> tuple[Equality, ...]:
        """What stands for what."""
        return self.equalities

    def again(self, node: Expression) -> Expression | None:
        """Each left-hand side replaced; sums and products above it are put together anew."""
        values = dict(self.equalities)
        kinds = {type(left) for left in values}
        if not any(type(each) in kinds and each in values for each in node.walk()):
            return None

        def put_in(each: Expression) -> Expression:
            return values[each] if type(each) in kinds and each in values else normalised(each)

        return rewrite_bottom_up(node, put_in)

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether each value is the one found for such a derivative."""
        signs = (left for left, _ in self.equalities)
        are_such = all(isinstance(sign, Derivative) and sign.total == self.along_all_paths for sign in signs)
        return are_such and all(map(anchor.names, self.equalities))

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same in other names."""
        return replace(self, equalities=renamed_equalities(self.equalities, names))


@dataclass(frozen=True)
class AdjointNames(Substitution):
    """The names of adjoints in the place of derivatives along all paths."""

    name: str = "name the adjoints"
    statement: str = "what has been found keeps its name"
    along_all_paths: ClassVar[bool] = True

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """Which derivatives have which names: those that were found before, and those found below."""
        read = {node for node in before.walk() if isinstance(node, Derivative)}
        groups: dict[bool, dict[str, Words]] = {True: {}, False: {}}
        for derivative, named in self.equalities:
            if derivative in read and isinstance(derivative, Derivative) and isinstance(named, Element):
                said = phrase(_NAMED, name=Element(named.tensor), derivative=without_indices(derivative))
                if named.tensor in told.found:
                    groups[told.found[named.tensor]][named.tensor] = said
        above, below = ([*group.values()] for group in (groups[True], groups[False]))
        later = _NAMED_BELOW if len(below) == 1 else _NAMED_BELOW_MANY
        templates = ((_NAMED_ABOVE, above), (later, below))
        return Wording.each_time(
            tuple([phrase(template, names=listed(names)) for template, names in templates if names])
        )


@dataclass(frozen=True)
class Renaming(Justification):
    """Other names for bound indices; compared by canonical names, so that no index is captured."""

    name: str = "rename"
    statement: str = "a bound index may have any name"
    kind: ClassVar[str] = "renaming"
    whole: ClassVar[bool] = True

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether nothing but names of bound indices differs."""
        return canonical_bound_names(before) == canonical_bound_names(after)

    def renamed(self, names: Mapping[str, str]) -> Renaming:
        """Names of tensors do not matter."""
        return self


def _definition_of(equation: Equation) -> str:
    return f"the definition of {equation.tensor}"


def renamed_equation(equation: Equation, names: Mapping[str, str]) -> Equation:
    """The equation in other names."""
    tensor = names.get(equation.tensor, equation.tensor)
    indices = rename_indices(equation.indices, names)
    return Equation(tensor, indices, rename_tensors(equation.expression, names))


def renamed_equalities(equalities: tuple[Equality, ...], names: Mapping[str, str]) -> tuple[Equality, ...]:
    """Both sides of each equality in other names."""
    return tuple([(rename_tensors(old, names), rename_tensors(new, names)) for old, new in equalities])
