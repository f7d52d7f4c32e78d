"""What the grammar reads: statements and formulas as they are written, before any name has a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symbackprop.notation.expressions import ComparisonOperator


@dataclass(frozen=True, slots=True)
class Span:
    """From a line and column to another, both counted from 1; the end is one past the last character."""

    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, end: Span) -> Span:
        """From the start of this span to the end of another."""
        return Span(self.line, self.column, end.end_line, end.end_column)


@dataclass(frozen=True, slots=True)
class Word:
    """A name where it stands."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number as it is written."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A name, with positions where it has brackets: `E`, `W1[j,i]`."""

    word: Word
    positions: tuple[Formula, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A word applied to arguments: a function, a reduction, `where`, `size`, ...

    `positions` are those of `inv(X)[i,j]`.
    """

    word: Word
    arguments: tuple[Formula, ...]
    positions: tuple[Formula, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    """-x."""

    operand: Formula
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms with the sign that stands before each; the first has a plus."""

    terms: tuple[tuple[str, Formula], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Factors:
    """Factors with the operator before each, `*` or `/`; the first has a `*`."""

    factors: tuple[tuple[str, Formula], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Exponentiation:
    """base ^ exponent."""

    base: Formula
    exponent: Formula
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """Comparisons, perhaps chained: `0 <= a < b`."""

    operands: tuple[Formula, ...]
    operators: tuple[ComparisonOperator, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and` or `or`, or one after `not`."""

    operator: Literal["and", "or", "not"]
    operands: tuple[Formula, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Packed:
    """`(h e)`: a position that counts through several indices, the last one fastest; names of blocks."""

    words: tuple[Word, ...]
    span: Span

    @property
    def names(self) -> tuple[str, ...]:
        """The words' texts."""
        return tuple(word.text for word in self.words)

    def __str__(self) -> str:
        return f"({' '.join(self.names)})"


Formula: TypeAlias = (
    NumberLiteral | Reference | Call | Negation | Terms | Factors | Exponentiation | Chain | Junction | Packed
)


def walk(formula: Formula) -> Iterator[Formula]:
    """The formula and all that stands inside it."""
    pending = [formula]
    while pending:
        part = pending.pop()
        yield part
        match part:
            case Reference(_, positions, _):
                pending += positions or ()
            case Call(_, arguments, positions, _):
                pending += (*arguments, *(positions or ()))
            case Negation(operand, _):
                pending.append(operand)
            case Terms(parts, _) | Factors(parts, _):
                pending += (operand for _, operand in parts)
            case Exponentiation(base, exponent, _):
                pending += (base, exponent)
            case Chain(operands, _, _) | Junction(_, operands, _):
                pending += operands


@dataclass(frozen=True, slots=True)
class AxisDeclaration:
    """`index t, s : T = 8`."""

    indices: tuple[Word, ...]
    axis: Word
    size: Formula | None


@dataclass(frozen=True, slots=True)
class Ordering:
    """`argsort(x)` or `permutation(N)`: which orders of an axis' places a tensor holds."""

    word: Word
    argument: Word


@dataclass(frozen=True, slots=True)
class TensorDeclaration:
    """`param W1[j,i], b1[j]`; `values_axis` is the V of `input ids[n] in V`.

    `ordering` is the argsort(x) of `input order[n] in argsort(x)`, or the permutation(N). `symbols` has, for
    each of the references, the LaTeX of `param W1[j,i] as "W^{(1)}"`, or None.
    """

    role: Word
    references: tuple[Reference, ...]
    values_axis: Word | None
    ordering: Ordering | None = None
    symbols: tuple[Word | None, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalDefinition:
    """`m = mean(i, u)` in the body of a function."""

    word: Word
    formula: Formula


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """A function's value, and what its local names stand for, each of which may read those before it."""

    local: tuple[LocalDefinition, ...]
    value: Formula

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas of the local names, and the value's."""
        return (*(each.formula for each in self.local), self.value)


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """`func swish(u) = u*sigmoid(beta*u)`."""

    word: Word
    parameters: tuple[Word, ...]
    body: FunctionBody


@dataclass(frozen=True, slots=True)
class FactStatement:
    """`fact sum(k, d[b,k]) == 1`, `fact sum(k, d[b,k]) == 1 in delta2, grad_W2`."""

    word: Word
    formula: Formula
    users: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class EquationStatement:
    """`u1[b,j] = ...`, or with LaTeX for the tensor: `u1[b,j] as "u^{(1)}" = ...`."""

    left: Reference
    right: Formula
    symbol: Word | None = None


@dataclass(frozen=True, slots=True)
class LossMark:
    """`loss E`: this scalar is what is differentiated. `loss E = ...` is a mark and an equation."""

    target: Reference


Statement: TypeAlias = (
    AxisDeclaration | TensorDeclaration | FunctionDefinition | FactStatement | EquationStatement | LossMark
)
