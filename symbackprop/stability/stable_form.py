"""The record of a rule that sees through names, and what it rests on: the equations of the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class NameDefinitions(Premise):
    """The equations of all names that a node reads, directly or through others, in reading order.

    `named` are the names that the largest exponent and the shifted value of a sum among them have got,
    `awaited` those of later equations that they read.
    """

    definitions: tuple[Equation, ...] = ()
    named: tuple[tuple[str, tuple[Equation, Equation]], ...] = ()
    awaited: frozenset[str] = frozenset()

    @classmethod
    def of(cls, node: Expression, meanings: Meanings) -> NameDefinitions:
        """What the meanings say of a node's names."""
        found: dict[str, int] = {}
        stands_for = {name: tensor for tensor, named in meanings.introduced.items() for name in named.names}
        pending = list(node.tensors)
        while pending:
            name = pending.pop()
            name = stands_for.get(name, name)
            number, equation = meanings.definitions.get(name, (meanings.known, None))
            if equation is not None and number < meanings.known and name not in found:
                found[name] = number
                pending += equation.expression.tensors
        names = sorted(found, key=lambda name: found[name])
        read = frozenset[str]().union(*(meanings.definitions[name][1].reads for name in names))
        introduced = meanings.computed
        return cls(
            tuple([meanings.definitions[name][1] for name in names]),
            tuple([(name, introduced[name]) for name in names if name in introduced]),
            (read & meanings.awaited) - found.keys(),
        )

    @property
    def meanings(self) -> Meanings:
        """What the names stand for by these equations alone."""
        return Meanings(
            {each.tensor: (number, each) for number, each in enumerate(self.definitions)},
            known=len(self.definitions),
            awaited=self.awaited,
            taken={name for each in self.definitions for name in (each.tensor, *each.reads)},
            given={tensor: (shift.tensor, value.tensor) for tensor, (shift, value) in self.named},
        )

    def allows(self, computed: Mapping[str, tuple[Equation, Equation]]) -> bool:
        """Whether these equations for exponents and values of names are the ones that have been named."""
        return computed.items() <= dict(self.named).items()

    @property
    def lines(self) -> tuple[str, ...]:
        """The equations."""
        return tuple(map(equation_text, self._equations))

    @property
    def _equations(self) -> tuple[Equation, ...]:
        return (*self.definitions, *(each for _, named in self.named for each in named))

    def holds(self, anchor: Anchor) -> bool:
        """Whether each of them is computed before."""
        return all(anchor.states((each.element, each.expression)) for each in self._equations)

    def renamed(self, names: Mapping[str, str]) -> NameDefinitions:
        """The same in other names."""
        return NameDefinitions(
            tuple([renamed_equation(each, names) for each in self.definitions]),
            tuple(
                [
                    (
                        names.get(tensor, tensor),
                        (renamed_equation(shift, names), renamed_equation(value, names)),
                    )
                    for tensor, (shift, value) in self.named
                ]
            ),
            frozenset(names.get(name, name) for name in self.awaited),
        )


@dataclass(frozen=True)
class StableForm:
    """The record of a rule that sees through names.

    `where` are side conditions in words; `decreases` names a measure of `stability.identities` or
    `stability.orders`, "" where a rule is used once at every node and needs none.
    """

    name: str
    statement: str
    rewrite: Callable[[Expression, Meanings], Expression | None]
    example: str
    near_miss: str
    where: tuple[str, ...] = ()
    decreases: str = ""

    def rule(self, meanings: Meanings) -> Rule:
        """The rule where names mean what `meanings` says."""

        def apply(node: Expression) -> Expression | None:
            return self._rewritten(node, meanings)

        return self._by(apply, lambda node: NameDefinitions.of(node, meanings))

    def by(self, premise: NameDefinitions) -> Rule:
        """The rule by the definitions of the names that a node reads."""

        def apply(node: Expression) -> Expression | None:
            meanings = premise.meanings
            meanings.taken.update(node.tensors)
            rewritten = self._rewritten(node, meanings)
            return rewritten if premise.allows(meanings.computed) else None

        return self._by(apply, lambda _: premise)

    def _rewritten(self, node: Expression, meanings: Meanings) -> Expression | None:
        """The rewritten node; the names in it are computed."""
        rewritten = self.rewrite(node, meanings)
        if rewritten is not None and meanings.introduced:
            meanings.read_by(rewritten)
        return rewritten

    def _by(
        self,
        apply: Callable[[Expression], Expression | None],
        premise: Callable[[Expression], NameDefinitions],
    ) -> Rule:
        return Rule(
            self.name,
            stated_where(self.statement, self.where),
            apply,
            self.decreases,
            self.where,
            example=self.example,
            near_miss=self.near_miss,
            premise=premise,
        )
