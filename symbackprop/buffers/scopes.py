"""Names that several lines define, of which loops forget all but one, made different from one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Statement, statements_in
from symbackprop.array.slices import Item, Pick, Span
from symbackprop.array.value import Value, rewrite_values
from symbackprop.notation.fresh_names import numbered_name


def with_unique_names(lines: tuple[Line, ...], taken: set[str]) -> tuple[Line, ...]:
    """The lines, in which a loop's body names nothing as another line does; new names join `taken`."""
    defined = Counter(line.name for line in statements_in(lines) if isinstance(line, Statement))
    repeated = frozenset(name for name, count in defined.items() if count > 1)
    return tuple(_Renaming(repeated, taken).renamed(lines, {}, in_loop=False)) if repeated else lines


def reading(value: Value, names: Mapping[str, str]) -> Value:
    """The value, of arrays by other names."""

    def renamed(node: Value) -> Value:
        return replace(node, name=names.get(node.name, node.name)) if isinstance(node, Read) else node

    return rewrite_values(value, renamed)


@dataclass(frozen=True)
class _Renaming:
    repeated: frozenset[str]
    taken: set[str]

    def renamed(self, lines: Iterable[Line], outer: Mapping[str, str], in_loop: bool) -> Iterator[Line]:
        """The lines of one scope, with the names of those around it."""
        names = dict(outer)
        for line in lines:
            if isinstance(line, Loop):
                start, stop = reading(line.start, names), reading(line.stop, names)
                body = tuple(self.renamed(line.body, names, in_loop=True))
                yield replace(line, start=start, stop=stop, body=body)
                continue
            value = reading(line.value, names)
            if isinstance(line, Statement):
                names[line.name] = self._own(line.name, in_loop)
                yield replace(line, name=names[line.name], value=value)
            else:
                items = tuple(_item(item, names) for item in line.items)
                yield replace(line, name=names.get(line.name, line.name), items=items, value=value)

    def _own(self, name: str, in_loop: bool) -> str:
        if not in_loop or name not in self.repeated:
            return name
        new = numbered_name(name, self.taken)
        self.taken.add(new)
        return new


def _item(item: Item, names: Mapping[str, str]) -> Item:
    match item:
        case Pick(place):
            return Pick(reading(place, names))
        case Span(index, start, stop, step):
            first, last = (None if end is None else reading(end, names) for end in (start, stop))
            return Span(index, first, last, step)
    return item
