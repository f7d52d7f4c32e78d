"""What is done to a whole document: put into a language, composite expressions called by their names.

The names are words of the model language, softmax(k, u[k]) and norm(i, x[i]). A sign that a page shows and no
textbook has is explained where it first stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from symbackprop.integers.guards import padded_element
from symbackprop.integers.whole_definitions import Word
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, in_language, marked, phrase, translated
from symbackprop.lesson.document import (
    Block,
    Chain,
    Column,
    Document,
    Equations,
    Heading,
    Link,
    Paragraph,
    Reason,
    Sentence,
)
from symbackprop.notation.arithmetic import multiply, power
from symbackprop.notation.expressions import MINUS_ONE, Axis, Expression, Reduction, Size, Where
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import Shorthand, spelled
from symbackprop.systems.system import Equation, Fact

Part: TypeAlias = str | Expression | Equation | Fact

_PADDED = marked("{padded} is {element} where {condition}, and 0 elsewhere.")
_IS = marked("{name} is {meaning}.")
_WHERE = marked("where(condition, f, g) is f where the condition holds, and g elsewhere.")
SIZE_SAID = marked("{size} is {axis}, the size of the axis of {index}.")


def in_language_of(blocks: Iterable[Block], language: Language) -> tuple[Block, ...]:
    """The blocks, their phrases as words of the language."""
    return tuple(_block_in(block, language) for block in blocks)


def _block_in(block: Block, language: Language) -> Block:
    match block:
        case Heading() | Paragraph():
            return replace(block, sentence=in_language(block.sentence, language))
        case Chain(_, links):
            shown = [replace(link, reason=_reason_in(link.reason, language)) for link in links]
            return replace(block, links=tuple(shown))
    return block


def _reason_in(reason: Reason | None, language: Language) -> Reason | None:
    """The rule's name, behind it those of the rules that it consists of, and its statements."""
    if reason is None:
        return None
    within = ", ".join(translated(name, language) for name in reason.within)
    name = translated(reason.rule, language) + (f" ({within})" if within else "")
    return Reason(name, tuple(in_language(each, language) for each in reason.statements))


def with_signs_explained(document: Document, *, only_pad: bool = False) -> Document:
    """The document, with what pad(...), where(...) and size(...) mean below the first formulas that have one.

    For pages that print the words; LaTeX and HTML set cases and sizes as one sets them.
    """
    blocks: list[Block] = []
    said: set[str] = set()
    for block in document.blocks:
        blocks.append(block)
        for node in (node for each in _shown_in(block) for node in as_printed(each)):
            sign, meaning = _meaning(node)
            if sign and sign not in said and (sign == "pad" or not only_pad):
                said.add(sign)
                blocks += in_language_of((Paragraph(meaning),), document.language)
    return replace(document, blocks=tuple(blocks))


def _meaning(node: Expression) -> tuple[str, Words]:
    """The word that a printer writes for a node, and what it means; "" for what needs no word."""
    if isinstance(node, Where) and padded_element(node) is not None:
        return "pad", padding_said(node)
    if isinstance(node, Shorthand) and node.word == "mean":
        total = Reduction("sum", node.indices, *node.arguments)
        divisors = [power(Size(index.axis), MINUS_ONE) for index in node.indices]
        return node.word, phrase(_IS, name=node, meaning=multiply(total, *divisors))
    if isinstance(node, Where):
        return "where", phrase(_WHERE)
    return ("size", size_said(node.axis)) if isinstance(node, Size) else ("", ())


def padding_said(padded: Where) -> Words:
    """What pad(x[t - 1]) means: where it is 0, its own condition says."""
    return phrase(_PADDED, padded=padded, element=padded.chosen, condition=padded.condition)


def size_said(axis: Axis) -> Words:
    """What size(e) means: D, where that is the name of the axis."""
    return phrase(SIZE_SAID, size=Size(axis), axis=axis.name, index=axis.label)


def as_printed(expression: Expression) -> Iterator[Expression]:
    """The nodes that a printer shows: of what is padded the element alone."""
    padded = padded_element(expression)
    yield expression
    for child in expression.children if padded is None else padded.positions:
        yield from as_printed(child)


def _shown_in(block: Block) -> list[Expression]:
    match block:
        case Equations(lines):
            return [right for _, right in lines]
        case Chain(_, links):
            return [link.expression for link in links]
        case Paragraph(sentence):
            read = [part.expression if isinstance(part, Equation) else part for part in sentence]
            return [part for part in read if isinstance(part, Expression)]
    return []


def with_shorthands(document: Document, words: Collection[Word]) -> Document:
    """The document with these words in the place of what they stand for."""
    if not words:
        return document
    return replace(document, blocks=tuple(_block(block, words) for block in document.blocks))


def _block(block: Block, words: Collection[Word]) -> Block:
    match block:
        case Heading() | Paragraph():
            return replace(block, sentence=_sentence(block.sentence, words))
        case Equations(lines):
            return Equations(tuple((left, spelled(right, words)) for left, right in lines))
        case Chain(_, links):
            return replace(block, links=_links(links, words))
        case Column():
            return replace(block, entry=spelled(block.entry, words))


def _links(links: Sequence[Link], words: Collection[Word]) -> tuple[Link, ...]:
    """The links but for those that look like the one before: a bound index that a word hides was renamed."""
    shown: list[Link] = []
    for link in links:
        expression = spelled(link.expression, words)
        if not shown or text(expression) != text(shown[-1].expression):
            shown.append(replace(link, expression=expression))
    return tuple(shown)


def _sentence(sentence: Sentence, words: Collection[Word]) -> Sentence:
    return tuple(_part(part, words) for part in sentence)


def _part(part: Part, words: Collection[Word]) -> Part:
    match part:
        case Expression():
            return spelled(part, words)
        case Equation():
            return replace(part, expression=spelled(part.expression, words))
        case Fact():
            return replace(part, left=spelled(part.left, words), right=spelled(part.right, words))
    return part
