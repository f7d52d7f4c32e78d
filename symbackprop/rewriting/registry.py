"""Rules by their names: each has one name, and each name one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from symbackprop.errors import InternalError
from symbackprop.rewriting.justification import Justification, Premise
from symbackprop.rewriting.rule import Rule, Use

P = TypeVar("P", bound=Premise)


@dataclass(frozen=True)
class Family(Generic[P]):
    """Rules of one name, each made from a premise: `delta substitutes`, by what is known of the tensors."""

    name: str
    premise: type[P]
    make: Callable[[P], Rule | None]


Entry: TypeAlias = "Rule | Family[Any] | type[Justification]"


@dataclass(frozen=True)
class Registry:
    """What each name stands for: a rule, a family of rules, or a class of justifications."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, *entries: Entry) -> Registry:
        """The registry of these. InternalError where two have one name."""
        named = [(name, entry) for entry in entries for name in _names(entry)]
        names = [name for name, _ in named]
        for name in names:
            if names.count(name) > 1:
                raise InternalError(f"two rules are called '{name}'")
        return cls(dict(named))

    def rule(self, use: Use) -> Rule | None:
        """The rule that has been used; None where there is none of that name and premise."""
        match self.entries.get(use.name):
            case Rule() as rule if use.premise is None:
                return rule
            case Family(_, premise, make) if type(use.premise) is premise and use.premise is not None:
                return make(use.premise)
        return None

    def knows(self, reason: Justification) -> bool:
        """Whether the name is that of such a reason, and it says of itself what its record says."""
        if isinstance(reason, Use):
            rule = self.rule(reason)
            return rule is not None and rule.cited(reason.premise, reason.bindings) == reason
        is_one = self.entries.get(reason.name) is type(reason)
        return is_one and (reason.name, reason.statement) == reason.line


def _names(entry: Entry) -> Iterable[str]:
    return (entry.name,) if isinstance(entry, Rule | Family) else entry.names or (entry.name,)
