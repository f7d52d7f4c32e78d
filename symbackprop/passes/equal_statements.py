"""The statement of an equation that is equal, but for names, to one whose statement is known."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.array.program import Line, Statement
from symbackprop.memoization.equal_blocks import mentioned, without_names
from symbackprop.notation.expressions import Expression
from symbackprop.passes.renaming import renamed_line
from symbackprop.schedule.named_equations import NamedEquation


@dataclass(frozen=True, eq=False)
class Nameless:
    """An equation without names; `facts` gives all that lowering asks about one of its tensors."""

    item: NamedEquation
    facts: Callable[[str], Hashable]

    @cached_property
    def expression(self) -> Expression:
        """The right-hand side."""
        return without_names(self.item.equation)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The tensors, each once."""
        return tuple(dict.fromkeys(self._mentioned))

    @cached_property
    def _mentioned(self) -> tuple[str, ...]:
        return mentioned(self.item.equation)

    @cached_property
    def key(self) -> Hashable:
        """The same for equations that are lowered alike; terms may come in another order.

        Names come in the same order, too, for that may break a tie.
        """
        item = self.item
        return (
            (self.expression, item.equation.indices, item.kind, item.guarded, item.origin.part),
            tuple(map(self.names.index, self._mentioned)),
            tuple(sorted(range(len(self.names)), key=self.names.__getitem__)),
            tuple(map(self.facts, self.names)),
        )


@dataclass
class EqualStatements:
    """Statements that are known, by the equations that they compute."""

    known: dict[Hashable, list[tuple[Nameless, Statement]]] = field(default_factory=dict)

    def statement(self, asked: Nameless) -> Statement | None:
        """That of an equal equation in the names of this one; None where there is none."""
        for each, statement in self.known.get(asked.key, ()):
            if each.expression.is_identical(asked.expression):
                names = dict(zip(each.names, asked.names, strict=True))
                renamed = renamed_line(statement, names, lambda _: asked.item.origin)
                assert isinstance(renamed, Statement)
                return renamed
        return None

    def keep(self, asked: Nameless, lines: Sequence[Line]) -> None:
        """Keep what an equation has been lowered to, where that is one statement of its own."""
        match lines:
            case (Statement(name=name, origin=origin) as statement,):
                is_own = name == asked.names[0] and origin is asked.item.origin
                if is_own and set(asked.names).issuperset(statement.reads):
                    self.known.setdefault(asked.key, []).append((asked, statement))
