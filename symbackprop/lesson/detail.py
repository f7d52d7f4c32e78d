"""How much of a derivation is shown: every step, the main ones, the result."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from symbackprop.lesson.document import Block, Chain, Document, Equations, Heading, Paragraph
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Delta, Expression


class Steps(enum.Enum):
    """Which steps of a derivation are shown."""

    RESULT = "result"
    MAIN = "main"
    ALL = "all"


def with_steps(document: Document, steps: Steps) -> Document:
    """The document with these steps.

    The result leaves the sections between the model and the result out. The main steps are, for each adjoint,
    the chain rule and the closed form that comes of it; how local derivatives are worked out is left out.
    """
    if steps is Steps.ALL:
        return document
    sections = list(_sections(document.blocks))
    middle = [] if steps is Steps.RESULT else sections[1:-1]
    shown = [sections[0], *map(_main, middle), sections[-1]]
    return replace(document, blocks=tuple(_with_signs_in_use([block for each in shown for block in each])))


def _with_signs_in_use(blocks: Sequence[Block]) -> Iterator[Block]:
    """Without what explains Kronecker's delta where no formula that is left has one."""
    is_used = any(_has_delta(each) for block in blocks for each in _formulas(block))
    for block in blocks:
        if is_used or not isinstance(block, Paragraph) or not any(map(_has_delta, block.sentence)):
            yield block


def _formulas(block: Block) -> Iterator[Expression]:
    """The displayed ones."""
    if isinstance(block, Chain):
        yield from (link.expression for link in block.links)
    elif isinstance(block, Equations):
        yield from (right for _, right in block.lines)


def _has_delta(part: object) -> bool:
    return isinstance(part, Expression) and any(isinstance(node, Delta) for node in part.walk())


def _sections(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks from one heading of the first level to the next."""
    number = 0
    numbered = []
    for block in blocks:
        number += isinstance(block, Heading) and block.level == 1
        numbered.append((number, block))
    for _, section in groupby(numbered, key=lambda pair: pair[0]):
        yield [block for _, block in section]


def _main(section: Sequence[Block]) -> Iterable[Block]:
    chains = [block for block in section if isinstance(block, Chain)]
    if not chains:
        return section
    totals = [chain for chain in chains if isinstance(chain.left, Derivative) and chain.left.total]
    kept = totals or chains[-1:]
    names = [block for block in section if isinstance(block, Paragraph) and _gives_a_name(block)]
    headings = [block for block in section if isinstance(block, Heading) and block.level == 1]
    return [*headings, *map(_shortened, kept), *names]


def _gives_a_name(paragraph: Paragraph) -> bool:
    return " := " in paragraph.sentence


def _shortened(chain: Chain) -> Chain:
    """The chain's first link where it has the chain rule, and its last; no rule for what several did."""
    if len(chain.links) == 1:
        return chain
    first, last = chain.links[0], chain.links[-1]
    if not any(isinstance(node, Derivative) for node in first.expression.walk()):
        return replace(chain, links=(replace(last, reason=None),))
    return replace(chain, links=(first, last if len(chain.links) == 2 else replace(last, reason=None)))
