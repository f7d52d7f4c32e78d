"""Changes of a text where its syntax tree says, which leave all else as it is written: line ends, spaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.syntax.nodes import (
    AxisDeclaration,
    Call,
    Chain,
    EquationStatement,
    Exponentiation,
    Factors,
    FactStatement,
    Formula,
    FunctionDefinition,
    Junction,
    LossMark,
    Negation,
    NumberLiteral,
    Packed,
    Reference,
    Span,
    Statement,
    TensorDeclaration,
    Terms,
    Word,
)


@dataclass
class Edits:
    """A text and what is to change in it; `start` and `end` are where a span stands in it."""

    text: str
    _changes: dict[tuple[int, int], str] = field(default_factory=dict)
    _dropped: list[tuple[int, int]] = field(default_factory=list)

    @cached_property
    def _line_starts(self) -> tuple[int, ...]:
        starts = [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return tuple(starts)

    def start(self, span: Span) -> int:
        """Where the span's first character stands."""
        return self._line_starts[span.line - 1] + span.column - 1

    def end(self, span: Span) -> int:
        """Where the first character behind the span stands."""
        return self._line_starts[span.end_line - 1] + span.end_column - 1

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in the place of what stands there, unless that is replaced or dropped already."""
        if not any(first <= start and end <= last for first, last in self._dropped):
            self._changes.setdefault((start, end), new)

    # A span leaves out the brackets around a formula, so that a neighbour's span says not where it begins.
    def drop_with_operator_behind(self, span: Span) -> None:
        """Take out a factor and the operator that follows."""
        end = self.end(span)
        self.drop(self.start(span), end + len(self.text[end:]) - len(self.text[end:].lstrip(" *")))

    def drop_with_operator_before(self, span: Span) -> None:
        """Take out a term and its sign."""
        self.drop(len(self.text[: self.start(span)].rstrip(" +-")), self.end(span))

    def drop(self, start: int, end: int) -> None:
        """Take out what stands there, and with it every change inside."""
        inside = [place for place in self._changes if start <= place[0] and place[1] <= end]
        for place in inside:
            del self._changes[place]
        self._dropped.append((start, end))

    def replace_word(self, word: Word, new: str) -> None:
        """Put another word in its place."""
        self.replace(self.start(word.span), self.end(word.span), new)

    def delete_item(self, span: Span) -> None:
        """Take an item out of a list, with the comma behind it or else the one before."""
        start, end = self.start(span), self.end(span)
        if self.text[end : end + 1] == ",":
            end += 2 if self.text[end + 1 : end + 2] == " " else 1
        else:
            start = self.text.rindex(",", 0, start)
        self.drop(start, end)

    def result(self) -> str:
        """The text with all changes."""
        pieces, at = [], 0
        for (start, end), new in sorted([*self._changes.items(), *((place, "") for place in self._dropped)]):
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])


def formulas_of(statement: Statement) -> tuple[Formula, ...]:
    """The formulas of a statement, tensors that it declares or defines included."""
    match statement:
        case AxisDeclaration(_, _, size):
            return () if size is None else (size,)
        case TensorDeclaration(_, references, _):
            return references
        case FunctionDefinition(_, _, body):
            return body.formulas
        case FactStatement(_, formula, users):
            return (formula, *(Reference(word, None, word.span) for word in users))
        case EquationStatement(left, right):
            return left, right
        case LossMark(target):
            return (target,)


def first_word(statement: Statement) -> Word:
    """The first word of a statement that its tree keeps, which stands on its first line."""
    match statement:
        case AxisDeclaration(indices, _, _):
            return indices[0]
        case TensorDeclaration(role, _, _):
            return role
        case FunctionDefinition(word, _, _) | FactStatement(word, _, _):
            return word
        case EquationStatement(left, _):
            return left.word
        case LossMark(target):
            return target.word


def parts_of(formula: Formula) -> tuple[Formula, ...]:
    """The formulas right inside a formula."""
    match formula:
        case NumberLiteral():
            return ()
        case Packed(words):
            return tuple(Reference(word, None, word.span) for word in words)
        case Reference(_, positions):
            return positions or ()
        case Call(_, arguments, positions):
            return (*arguments, *(positions or ()))
        case Negation(operand):
            return (operand,)
        case Terms(terms):
            return tuple(term for _, term in terms)
        case Factors(factors):
            return tuple(factor for _, factor in factors)
        case Exponentiation(base, exponent):
            return base, exponent
        case Chain(operands) | Junction(_, operands):
            return operands


def walk(statements: tuple[Statement, ...]) -> Iterator[Formula]:
    """Every formula of the statements, each before those inside it."""
    pending = [formula for statement in reversed(statements) for formula in reversed(formulas_of(statement))]
    while pending:
        formula = pending.pop()
        yield formula
        pending.extend(reversed(parts_of(formula)))
