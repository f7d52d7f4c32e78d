"""Which equations a document refers to: a label for each, and the number that it will have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symbackprop.lesson.document import Chain, Document, Equations, Paragraph
from symbackprop.notation.expressions import Element
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class References:
    """The labels of a block's lines, "" for none, and of the equations that a paragraph quotes, by place.

    `numbers` has the number of each label, where equations count from 1 and each line and chain has one.
    """

    of_lines: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    quoted: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


NO_REFERENCES = References()


def references_in(document: Document) -> References:
    """A quoted equation is the last one displayed before it with its tensor, at as many indices, on the left.

    The matrix form of an equation has none of them.
    """
    wanted = {(each.tensor, len(each.indices)) for block in document.blocks for each in _quoted(block)}
    model, count = document.title.partition(":")[0], 0
    of_lines: dict[int, tuple[str, ...]] = {}
    quoted: dict[int, dict[str, str]] = {}
    numbers: dict[str, int] = {}
    last: dict[str, str] = {}
    for place, block in enumerate(document.blocks):
        if isinstance(block, Equations):
            tensors = [
                left.tensor
                if isinstance(left, Element) and (left.tensor, len(left.positions)) in wanted
                else ""
                for left, _ in block.lines
            ]
            for number, tensor in enumerate(tensors, count + 1):
                if tensor:
                    last[tensor] = numbered_name(f"eq:{model}:{tensor}", numbers)
                    numbers[last[tensor]] = number
            of_lines[place] = tuple([last.get(tensor, "") for tensor in tensors])
            count += len(tensors)
        count += isinstance(block, Chain)
        quoted[place] = {each.tensor: last[each.tensor] for each in _quoted(block) if each.tensor in last}
    return _of_use(References(of_lines, quoted, numbers))


def _of_use(found: References) -> References:
    """Without the labels of lines that nothing quotes."""
    used = {label for labels in found.quoted.values() for label in labels.values()}
    of_lines = {
        place: tuple([label if label in used else "" for label in labels])
        for place, labels in found.of_lines.items()
    }
    numbers = {label: number for label, number in found.numbers.items() if label in used}
    return References(of_lines, found.quoted, numbers)


def _quoted(block: object) -> Iterator[Equation]:
    """The equations in a paragraph's sentence."""
    if isinstance(block, Paragraph):
        yield from (part for part in block.sentence if isinstance(part, Equation))
