"""A chain whose rules take one term of a sum after the other: the first at length, the others in a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.languages.phrases import marked
from symbackprop.lesson.document import Chain, Link, Reason
from symbackprop.notation.arithmetic import terms_of
from symbackprop.notation.expressions import Expression

_OTHER_TERM = marked("likewise for the other term")
_OTHER_TERMS = marked("likewise for the other terms")


@dataclass(frozen=True)
class _Turn:
    """Links in a row that change one term, the one at `place`; None where a link changes more than one."""

    place: int | None
    links: tuple[Link, ...]

    @property
    def rules(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What changes the term, in order."""
        return tuple([(link.reason.rule, link.reason.within) for link in self.links if link.reason])


def with_terms_alike(chain: Chain) -> Chain:
    """The chain; where terms go through the same rules one by one, those after the first in one link.

    Each term is another one, so that what is left out can be read off the first.
    """
    return replace(chain, links=tuple(_shortened(_turns(chain))))


def _turns(chain: Chain) -> list[_Turn]:
    before = [chain.left, *(link.expression for link in chain.links)]
    places = [_changed_term(*pair) for pair in itertools.pairwise(before)]
    rows = itertools.groupby(zip(places, chain.links, strict=True), key=lambda pair: pair[0])
    return [_Turn(place, tuple([link for _, link in row])) for place, row in rows]


def _changed_term(before: Expression, after: Expression) -> int | None:
    """The place of the one term that differs; None where the whole is no sum of as many terms."""
    first, second = terms_of(before), terms_of(after)
    if len(first) != len(second) or len(first) < 2:
        return None
    changed = [place for place, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1]]
    return changed[0] if len(changed) == 1 else None


def _shortened(turns: Sequence[_Turn]) -> Iterator[Link]:
    place = 0
    while place < len(turns):
        first = turns[place]
        yield from first.links
        others = _alike(first, turns[place + 1 :])
        if others:
            yield _in_one(others)
        place += 1 + len(others)


def _alike(first: _Turn, following: Sequence[_Turn]) -> list[_Turn]:
    """The turns in a row that do the same, each to a term of its own."""
    if first.place is None or len(first.links) < 2:
        return []
    seen, alike = {first.place}, []
    for turn in following:
        if turn.place is None or turn.place in seen or turn.rules != first.rules:
            break
        seen.add(turn.place)
        alike.append(turn)
    return alike


def _in_one(turns: Sequence[_Turn]) -> Link:
    statements = [
        said for turn in turns for link in turn.links if link.reason for said in link.reason.statements
    ]
    name = _OTHER_TERM if len(turns) == 1 else _OTHER_TERMS
    return Link(turns[-1].links[-1].expression, Reason(name, tuple(dict.fromkeys(statements))))
