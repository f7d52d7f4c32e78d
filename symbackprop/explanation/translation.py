"""The page of an explanation in a language: every phrase of a remark, and the headings of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.explanation.blocks import Block, Note, Page, Step, Table
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, in_language, text_in, translated
from symbackprop.lesson.document import Heading


def page_in(title: Words, blocks: Sequence[Block], language: Language) -> Page:
    """The page, its phrases as words of the language."""
    return Page(text_in(title, language), tuple(_block(block, language) for block in blocks), language)


def _block(block: Block, language: Language) -> Block:
    match block:
        case Heading():
            return replace(block, sentence=in_language(block.sentence, language))
        case Note(remark):
            return Note(in_language(remark, language))
        case Step():
            remarks = tuple(in_language(each, language) for each in block.remarks)
            return replace(block, shape=in_language(block.shape, language), remarks=remarks)
        case Table(headings, rows):
            shown = tuple(translated(heading, language) for heading in headings)
            cells = tuple(tuple(in_language(cell, language) for cell in row) for row in rows)
            return replace(block, headings=shown, rows=cells)
    return block
