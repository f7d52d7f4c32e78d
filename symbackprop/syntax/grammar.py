"""From text to syntax: the grammar of `model.lark`, its tokens and the nodes they become.

This is the only module that imports lark when it is itself imported; `parsing` imports it at first use.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from itertools import pairwise
from typing import Any, Literal, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from symbackprop.errors import LanguageError
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import ComparisonOperator
from symbackprop.syntax.equal_lines import FEWEST_LINES, statements_of
from symbackprop.syntax.latex_symbols import fault_of_symbol
from symbackprop.syntax.nodes import (
    AxisDeclaration,
    Call,
    Chain,
    EquationStatement,
    Exponentiation,
    Factors,
    FactStatement,
    Formula,
    FunctionBody,
    FunctionDefinition,
    Junction,
    LocalDefinition,
    LossMark,
    Negation,
    NumberLiteral,
    Ordering,
    Packed,
    Reference,
    Span,
    Statement,
    TensorDeclaration,
    Terms,
    Word,
)
from symbackprop.syntax.source import Source
from symbackprop.syntax.spelling import explained
from symbackprop.syntax.tokens import RefusedTokenError, TokenFilter

Child: TypeAlias = Token | Word | Formula | Ordering | FunctionBody | LocalDefinition | tuple[Formula, ...]


def read_model(source: Source) -> tuple[Statement, ...]:
    """The statements of a model; LanguageError at the first that the grammar does not know."""
    if source.text.count("\n") >= FEWEST_LINES:
        with suppress(RefusedTokenError, UnexpectedInput):  # what is wrong is told of the whole text
            return statements_of(
                source.text, lambda part: cast(tuple[Statement, ...], _parsed(part, "model"))
            )
    return cast(tuple[Statement, ...], _read(source, "model"))


def read_formula(source: Source) -> Formula:
    """One formula; LanguageError where the grammar does not know it."""
    return cast(Formula, _read(source, "formula"))


def _read(source: Source, start: str) -> object:
    try:
        return _parsed(source.text, start)
    except RefusedTokenError as error:
        raise LanguageError(
            error.cause, place=source.place(_span(error.token)), remedy=error.remedy
        ) from None
    except UnexpectedInput as error:
        raise explained(error, source) from None


def _parsed(text: str, start: str) -> Any:
    return _lark().parse(f"{text}\n", start=start)


@functools.cache
def _lark() -> Lark:
    return Lark.open_from_package(
        __package__,
        "model.lark",
        parser="lalr",
        lexer="basic",
        start=["model", "formula"],
        postlex=TokenFilter(),
        transformer=_SyntaxBuilder(),
    )


def _span(token: Token) -> Span:
    line, column = token.line or 1, token.column or 1
    return Span(line, column, token.end_line or line, token.end_column or column)


def _word(token: Token) -> Word:
    return Word(str(token), _span(token))


def _symbol(child: Child | None) -> Word | None:
    """The LaTeX in the quotation marks of `as "W^{(1)}"`, where the child is that."""
    if not isinstance(child, Token) or child.type != "LATEX":
        return None
    latex = str(child).partition('"')[2].removesuffix('"')
    fault = fault_of_symbol(latex)
    if fault:
        raise RefusedTokenError(
            child, fault, worded(r'write letters, accents, fonts and scripts: as "\mathbf{W}^{(1)}"')
        )
    return Word(latex.strip(), _span(child))


def _words(children: list[Child]) -> tuple[Word, ...]:
    return tuple(_word(child) for child in children if isinstance(child, Token) and child.type == "NAME")


def _nodes(children: list[Child]) -> tuple[Formula, ...]:
    return tuple(cast(Formula, child) for child in children if not isinstance(child, Token | Word))


def _declaration(role: Word, children: list[Child]) -> TensorDeclaration:
    """The tensors of a role with their symbols, and what one `in` says of them all."""
    references = tuple(child for child in children if isinstance(child, Reference))
    values_axis = _words(children)
    ordering = next((child for child in children if isinstance(child, Ordering)), None)
    symbols = tuple(
        _symbol(following) for child, following in pairwise([*children, None]) if isinstance(child, Reference)
    )
    return TensorDeclaration(role, references, values_axis[0] if values_axis else None, ordering, symbols)


class _SyntaxBuilder(Transformer[Token, object]):
    """One method a rule of the grammar, called while the text is read, so that no tree is ever walked."""

    def model(self, children: list[Statement | tuple[Statement, ...]]) -> tuple[Statement, ...]:
        statements: list[Statement] = []
        for child in children:
            statements.extend(child if isinstance(child, tuple) else (child,))
        return tuple(statements)

    def formula(self, children: list[Formula]) -> Formula:
        return children[0]

    def group(self, children: list[Child]) -> Formula:
        return _nodes(children)[0]

    def packed(self, children: list[Child]) -> Packed:
        words = _words(children)
        return Packed(words, words[0].span.to(_span(cast(Token, children[-1]))))

    def axis(self, children: list[Child]) -> AxisDeclaration:
        *indices, axis = _words(children)
        size = _nodes(children)
        return AxisDeclaration(tuple(indices), axis, size[0] if size else None)

    def tensors(self, children: list[Child | list[Child]]) -> tuple[TensorDeclaration, ...]:
        role, *rest = children
        groups = [child for child in rest if isinstance(child, list)] or [cast(list[Child], rest)]
        return tuple(_declaration(_word(cast(Token, role)), group) for group in groups)

    def held(self, children: list[Child]) -> list[Child]:
        return children

    def ordering(self, children: list[Child]) -> Ordering:
        return Ordering(*_words(children))

    def function(self, children: list[Child]) -> FunctionDefinition:
        word, *parameters = _words(children)
        body = children[-1]
        if not isinstance(body, FunctionBody):
            body = FunctionBody((), cast(Formula, body))
        return FunctionDefinition(word, tuple(parameters), body)

    def body(self, children: list[Child]) -> FunctionBody:
        local = tuple(child for child in children if isinstance(child, LocalDefinition))
        return FunctionBody(local, cast(Formula, children[-2]))

    def local(self, children: list[Child]) -> LocalDefinition:
        return LocalDefinition(_word(cast(Token, children[0])), cast(Formula, children[1]))

    def fact(self, children: list[Child]) -> FactStatement:
        return FactStatement(_word(cast(Token, children[0])), _nodes(children)[0], _words(children))

    def equation(self, children: list[Child]) -> EquationStatement:
        left, *symbol, right = children
        return EquationStatement(
            cast(Reference, left), cast(Formula, right), _symbol(symbol[0]) if symbol else None
        )

    def loss(self, children: list[Child]) -> LossMark | tuple[Statement, ...]:
        left = cast(Reference, children[0])
        if len(children) == 1:
            return LossMark(left)
        return self.equation(children), LossMark(left)

    def number(self, children: list[Token]) -> NumberLiteral:
        return NumberLiteral(str(children[0]), _span(children[0]))

    def reference(self, children: list[Child]) -> Reference:
        word = _word(cast(Token, children[0]))
        if len(children) == 1:
            return Reference(word, None, word.span)
        positions, end = cast(tuple[tuple[Formula, ...], Span], children[1])
        return Reference(word, positions, word.span.to(end))

    def call(self, children: list[Child]) -> Call:
        word = _word(cast(Token, children[0]))
        arguments, end = cast(tuple[tuple[Formula, ...], Span], children[1])
        if len(children) == 2:
            return Call(word, arguments, None, word.span.to(end))
        positions, end = cast(tuple[tuple[Formula, ...], Span], children[2])
        return Call(word, arguments, positions, word.span.to(end))

    def arguments(self, children: list[Child]) -> tuple[tuple[Formula, ...], Span]:
        return _nodes(children), _span(cast(Token, children[-1]))

    def positions(self, children: list[Child]) -> tuple[tuple[Formula, ...], Span]:
        return _nodes(children), _span(cast(Token, children[-1]))

    def signed(self, children: list[Child]) -> Negation:
        (operand,) = _nodes(children)
        return Negation(operand, _span(cast(Token, children[0])).to(operand.span))

    def power(self, children: list[Formula]) -> Exponentiation:
        base, exponent = children
        return Exponentiation(base, exponent, base.span.to(exponent.span))

    def product(self, children: list[Child]) -> Factors:
        nodes = _nodes(children)
        return Factors(_with_operators("*", children), nodes[0].span.to(nodes[-1].span))

    def sum(self, children: list[Child]) -> Terms:
        nodes = _nodes(children)
        return Terms(_with_operators("+", children), nodes[0].span.to(nodes[-1].span))

    def comparison(self, children: list[Child]) -> Chain:
        nodes = _nodes(children)
        operators = tuple(cast(ComparisonOperator, str(child)) for child in children[1::2])
        return Chain(nodes, operators, nodes[0].span.to(nodes[-1].span))

    def inversion(self, children: list[Child]) -> Junction:
        nodes = _nodes(children)
        return Junction("not", nodes, _span(cast(Token, children[0])).to(nodes[0].span))

    def conjunction(self, children: list[Child]) -> Junction:
        return _junction("and", children)

    def disjunction(self, children: list[Child]) -> Junction:
        return _junction("or", children)


def _with_operators(first: str, children: list[Child]) -> tuple[tuple[str, Formula], ...]:
    operators = (first, *(str(child) for child in children[1::2]))
    return tuple(zip(operators, _nodes(children), strict=True))


def _junction(operator: Literal["and", "or"], children: list[Child]) -> Junction:
    nodes = _nodes(children)
    return Junction(operator, nodes, nodes[0].span.to(nodes[-1].span))
