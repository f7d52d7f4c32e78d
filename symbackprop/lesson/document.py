"""A derivation as a document that no output format knows of: headings, sentences, chains of equations.

Renderers (`lesson.text`, `lesson.markdown`, `lesson.latex_document`) turn the blocks into their
format; what is said, and in which order, is decided in `lesson.lesson`. Its blocks hold phrases, which
`lesson.translation` puts into a language before anything is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, phrase
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Expression, Index
from symbackprop.systems.system import Equation, Fact

# A sentence: words, and formulas between them.
Sentence: TypeAlias = tuple[str | Expression | Equation | Fact, ...]


@dataclass(frozen=True)
class Heading:
    """A section's title; `level` counts from 1."""

    level: int
    sentence: Sentence


@dataclass(frozen=True)
class Paragraph:
    """One or more sentences."""

    sentence: Sentence


@dataclass(frozen=True)
class Reason:
    """Why a link of a chain holds; without `statements` where the rule has been stated before.

    `within` are the rules that a rule consists of here, before they are put behind its name.
    """

    rule: str
    statements: tuple[Sentence, ...] = ()
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """`= expression`, and why."""

    expression: Expression
    reason: Reason | None = None


@dataclass(frozen=True)
class Chain:
    """left = first = second = ..., one link a line."""

    left: Expression
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Equations:
    """Equations, one a line."""

    lines: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Column:
    """A local derivative as a column over `over`: `entry` in the row `row`, 0 in every other."""

    derivative: Derivative
    over: Index
    row: Expression
    entry: Expression


Block: TypeAlias = Heading | Paragraph | Chain | Equations | Column


@dataclass(frozen=True)
class Document:
    """A title and blocks, in a language."""

    title: str
    blocks: tuple[Block, ...]
    language: Language = Language.ENGLISH


def title_of(model: str, loss: Words | str, asked: Words | str) -> Words:
    """The title of what is said about a gradient."""
    return phrase(
        "{model}: the gradient of {loss} with respect to {asked}", model=model, loss=loss, asked=asked
    )
