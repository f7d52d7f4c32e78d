"""A derivative that is worked out as an earlier one is, but for the names of tensors: its value in a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from symbackprop.languages.phrases import marked, phrase
from symbackprop.lesson.document import Block, Chain, Column, Equations, Link, Paragraph, Reason
from symbackprop.lesson.likewise.terms import with_terms_alike
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import Element, Expression
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rename_tensors
from symbackprop.systems.printing import text

_LIKEWISE = marked("likewise")
_AS = marked("as {derivative}")

# How a chain goes: its rules, and its formulas with the tensors numbered in the order in which they are read.
_Course: TypeAlias = tuple[object, ...]


def with_likewise(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks, where what goes as before is said in a line."""
    once = with_derivations_alike(blocks)
    return tuple([with_terms_alike(block) if isinstance(block, Chain) else block for block in once])


def with_derivations_alike(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks; a chain that goes as an earlier one does, in the same indices, has its last link alone.

    Whatever displays its value goes with the links. The earlier one stands at length.
    """
    known: dict[_Course, Derivative] = {}
    found: list[Block] = []
    place = 0
    while place < len(blocks):
        block, display = blocks[place], _display_at(blocks, place + 1)
        place += 1
        if isinstance(block, Chain) and isinstance(block.left, Derivative):
            earlier = known.setdefault(_course(block), block.left)
            if earlier is not block.left and (len(block.links) > 1 or display):
                block = _in_a_line(block, earlier)
                place += len(display)
        found.append(block)
    return tuple(found)


def _display_at(blocks: Sequence[Block], place: int) -> Sequence[Block]:
    """What says of a local derivative that it is one number an element, or a column: words and a formula."""
    match blocks[place : place + 2]:
        case [Paragraph(), Column() | Equations()] as display:
            return display
    return ()


def _course(chain: Chain) -> _Course:
    rules = [(link.reason.rule, link.reason.within) for link in chain.links if link.reason]
    return (*rules, *but_for_names([chain.left, *(link.expression for link in chain.links)]))


def but_for_names(formulas: Sequence[Expression]) -> tuple[str, ...]:
    """The formulas, the same for all that differ in the names of tensors alone."""
    reads = [_tensor(node) for formula in formulas for node in formula.walk()]
    names = {name: f"t{number}" for number, name in enumerate(dict.fromkeys(filter(None, reads)))}
    return tuple([text(rename_tensors(formula, names)) for formula in formulas])


def _tensor(node: Expression) -> str:
    return node.tensor if isinstance(node, Element | MatrixFunction) else ""


def _in_a_line(chain: Chain, earlier: Derivative) -> Chain:
    reason = Reason(_LIKEWISE, (phrase(_AS, derivative=without_indices(earlier)),))
    return Chain(chain.left, (Link(chain.links[-1].expression, reason),))
