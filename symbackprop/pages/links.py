"""What a page links: names on one side, lines of code on the other.

A name is a tensor's or an adjoint's; that of an adjoint which has been put into another leads to the lines
of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.explanation.chain_rule import ChainRule
from symbackprop.explanation.programs.computations import Computations, Span


@dataclass
class Links:
    """Which lines compute each name, and which names have been given a place on the page so far."""

    spans: Mapping[str, tuple[Span, ...]]
    placed: set[str] = field(default_factory=set)

    @cached_property
    def names_by_line(self) -> Mapping[int, tuple[str, ...]]:
        """The names that each line of the module computes."""
        found: dict[int, list[str]] = {}
        for name, spans in self.spans.items():
            for number in numbers_of(spans):
                found.setdefault(number, []).append(name)
        return {number: tuple(names) for number, names in found.items()}

    def target_of(self, name: str | None) -> str:
        """Where a link from a name leads: its first line, or "" where no line computes it."""
        spans = self.spans.get(name or "", ())
        return f"#L{spans[0].first}" if spans else ""

    def place(self, name: str | None) -> str:
        """The id of a name where it is explained first, as an attribute; "" any time after that."""
        if name is None or name not in self.spans or name in self.placed:
            return ""
        self.placed.add(name)
        return f' id="t-{name}"'


def numbers_of(spans: Iterable[Span]) -> Iterable[int]:
    """The numbers of all lines of some spans."""
    return (number for span in spans for number in range(span.first, span.last + 1))


def links_of(chain_rule: ChainRule) -> Links:
    """The links of a derivation and its module."""
    computations: Computations = chain_rule.computations
    found: dict[str, tuple[Span, ...]] = {}
    for equation in chain_rule.derivation.system.equations:
        found[equation.tensor] = computations.spans_serving(equation.tensor)
    for adjoint in chain_rule.derivation.adjoints:
        found[adjoint.equation.tensor] = computations.spans_serving(adjoint.equation.tensor)
    for product in chain_rule.products:
        if not found.get(product.adjoint.equation.tensor):
            found[product.adjoint.equation.tensor] = product.spans
    return Links({name: spans for name, spans in found.items() if spans})
