"""What is done to a whole document: put into a language, composite expressions called by their names.

The names are words of the model language, softmax(k, u[k]) and norm(i, x[i]). A sign that no textbook has is
explained where it first stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from symbackprop.integers.whole_definitions import Word
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import in_language, translated
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
from symbackprop.lesson.signs import SIGNS, Sign, as_printed
from symbackprop.notation.expressions import Expression
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation, Fact

Part: TypeAlias = str | Expression | Equation | Fact


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


def with_signs_explained(document: Document, signs: Sequence[Sign] = SIGNS) -> Document:
    """The document, with what each of the signs means below the first formulas that have it.

    For pages that print the words; LaTeX and HTML set cases and sizes as one sets them.
    """
    blocks: list[Block] = []
    unsaid = list(signs)
    for block in document.blocks:
        blocks.append(block)
        for node in (node for each in _shown_in(block) for node in as_printed(each)):
            for sign, meaning in [(sign, sign.said(node, str)) for sign in unsaid]:
                if meaning is not None:
                    unsaid.remove(sign)
                    blocks += in_language_of((Paragraph(meaning),), document.language)
    return replace(document, blocks=tuple(blocks))


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
