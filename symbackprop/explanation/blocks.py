"""What an explanation's page is made of, beside the blocks of a lesson: tables, lines of code, numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.explanation.programs.computations import Span
from symbackprop.languages.language import Language
from symbackprop.lesson.document import Equations, Heading
from symbackprop.notation.expressions import Expression
from symbackprop.systems.system import Equation, Fact


@dataclass(frozen=True)
class Code:
    """A name or an expression of the module, as it stands there."""

    text: str


@dataclass(frozen=True)
class Lines:
    """The numbers of lines of the module."""

    spans: tuple[Span, ...]

    @property
    def numbers(self) -> str:
        """`70, 103-105`."""
        return ", ".join(span.numbers for span in self.spans)


@dataclass(frozen=True)
class Approximately:
    """The sign between numbers that agree but for rounding."""


# Words, formulas, code and numbers of lines.
Shown: TypeAlias = str | Expression | Equation | Fact | Code | Lines | Approximately
Remark: TypeAlias = tuple[Shown, ...]


@dataclass(frozen=True)
class Note:
    """One or more sentences."""

    remark: Remark


@dataclass(frozen=True)
class Table:
    """Rows of cells below headings; `right` are the columns that are set to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Remark, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Numbers:
    """The numbers of a small array, row by row."""

    name: Expression
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Step:
    """One equation and the lines that compute it, what is to be said of them, and numbers.

    `tensor` is the name that the equation computes, `left` what that is: dE/dW2[k,j] of grad_W2. `worked` is
    an element of it: its name, the same written out, and with numbers; `worked_value` is what that comes to,
    `is_rounded` if the numbers that are shown come to another in the last digit. One that `goes_on` computes
    another part of the equation before.
    """

    tensor: str
    left: Expression
    equation: Equation
    shape: Remark
    spans: tuple[Span, ...]
    remarks: tuple[Remark, ...] = ()
    numbers: tuple[Numbers, ...] = ()
    worked: tuple[Expression, ...] = ()
    worked_value: str = ""
    goes_on: bool = False
    is_rounded: bool = False


Block: TypeAlias = Heading | Note | Table | Equations | Numbers | Step


@dataclass(frozen=True)
class Page:
    """A title and blocks, in a language."""

    title: str
    blocks: tuple[Block, ...]
    language: Language = Language.ENGLISH
