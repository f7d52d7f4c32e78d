"""What lowering an equation, or a part of it, gives: lines, and the names that are known after them."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.array.program import Line
from symbackprop.lowering.symbols import Symbols
from symbackprop.notation.expressions import Expression

Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Computation:
    """The lines that compute something, those of the temporaries that they read, and the names known then."""

    own: Lines
    symbols: Symbols
    before: Lines = ()


@dataclass(frozen=True)
class Separated:
    """An expression that reads temporaries, the lines that compute these, and the names known then."""

    expression: Expression
    symbols: Symbols
    lines: Lines = ()
