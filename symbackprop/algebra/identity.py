"""Equal forms of a scalar expression, as a justification that is certified and not recomputed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.algebra.certificate import is_certified
from symbackprop.algebra.rational import Relation
from symbackprop.functions.table import definition_of
from symbackprop.languages.phrases import phrase
from symbackprop.notation.arithmetic import multiply, subtract
from symbackprop.notation.expressions import ONE, Apply, Expression, Number, Power
from symbackprop.notation.substitution import bound_names_apart, rename_tensors
from symbackprop.rewriting.justification import Anchor, Equality, Justification
from symbackprop.rewriting.rule import conditions_at
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.systems.printing import text


@dataclass(frozen=True)
class Identity(Justification):
    """Both sides are equal as quotients of their atoms, under relations known = formula.

    Those relations of which a name has appeared are `folded` back.
    """

    relations: tuple[Relation, ...]
    folded: tuple[Relation, ...]
    name: str = "algebra"
    statement: str = "cancel, factor, collect"
    kind: ClassVar[str] = "identity"
    names: ClassVar[tuple[str, ...]] = ("algebra", "fold back")

    @classmethod
    def of(cls, before: Expression, after: Expression, relations: Sequence[Relation]) -> Identity:
        """Named by the relations that were used: those whose name has appeared."""
        nodes_before, nodes_after = set(before.walk()), set(after.walk())
        folded = [each for each in relations if each.known in nodes_after and each.known not in nodes_before]
        return cls._stated(_reached(relations, nodes_before | nodes_after), tuple(folded))

    @classmethod
    def _stated(cls, relations: tuple[Relation, ...], folded: tuple[Relation, ...]) -> Identity:
        if not folded:
            return cls(relations, ())
        return cls(relations, folded, "fold back", "; ".join(map(_line, folded)))

    @property
    def line(self) -> tuple[str, str]:
        """Named by whether a name has been folded back."""
        plain = self._stated(self.relations, self.folded)
        return plain.name, plain.statement

    @property
    def statements(self) -> tuple[str, ...]:
        """A line for each relation that is folded back."""
        return tuple(map(_line, self.folded)) or (self.statement,)

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """What is folded back, with what it stands for; afterwards the names alone."""
        if not self.folded:
            return super().wording(before, after, told)
        lines = [line for each in self.folded for line in _folding(each, before, after)]
        return Wording(tuple(map(phrase, lines)), tuple([phrase(text(each.known)) for each in self.folded]))

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The relations, as equalities."""
        return tuple([(relation.known, relation.formula) for relation in self.relations])

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether the difference is zero, by `algebra.certificate`, and each name has been folded back."""
        nodes_before, nodes_after = set(before.walk()), set(after.walk())
        names = {relation.known for relation in self.folded}
        if not names <= nodes_after or not names.isdisjoint(nodes_before):
            return False
        return is_certified(before, after, self.equations)

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether each relation is known under the conditions around the place."""
        around = conditions_at(before, place)
        return set(self.folded) <= set(self.relations) and all(
            anchor.states(each, around) for each in self.equations
        )

    def renamed(self, names: Mapping[str, str]) -> Identity:
        """The same in other names."""

        def in_names(relations: Iterable[Relation]) -> tuple[Relation, ...]:
            return tuple(
                [
                    Relation(rename_tensors(each.known, names), rename_tensors(each.formula, names))
                    for each in relations
                ]
            )

        return self._stated(in_names(self.relations), in_names(self.folded))


def _line(relation: Relation) -> str:
    return f"{text(relation.known)} = {text(relation.formula)}"


def _folding(relation: Relation, before: Expression, after: Expression) -> Iterator[str]:
    """z = sigmoid(u); where what that stands for has been met, z = sigmoid(u) = 1/(1 + exp(-u))."""
    formula = bound_names_apart(relation.formula, relation.known.free_indices)
    line = f"{text(relation.known)} = {text(formula)}"
    definition = definition_of(relation.formula) if isinstance(relation.formula, Apply) else None
    if definition is None or relation.formula in set(before.walk()):
        yield line
        return
    yield f"{line} = {text(definition)}"
    rest = subtract(ONE, relation.known)
    if isinstance(definition, Power) and definition.exponent == Number(-1) and rest in set(after.walk()):
        over = multiply(subtract(definition.base, ONE), definition)
        yield f"{text(rest)} = {text(over)}"


def _reached(relations: Sequence[Relation], nodes: set[Expression]) -> tuple[Relation, ...]:
    """The relations whose name stands among the nodes, or in the formula of one that does."""
    found: dict[Relation, None] = {}
    count = -1
    while len(found) > count:
        count = len(found)
        for relation in relations:
            if relation not in found and relation.known in nodes:
                found[relation] = None
                nodes = nodes | set(relation.formula.walk())
    return tuple(found)
