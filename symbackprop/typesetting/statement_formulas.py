"""The formulas in statements of rules, as expressions to be set; no system holds what they speak of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, cast

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Axis,
    Comparison,
    ComparisonOperator,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, MatrixFunctionKind
from symbackprop.systems.shorthands import Shorthand
from symbackprop.typesetting.boxes import BASE, Box, at_level, glue, leaf, mark
from symbackprop.typesetting.forms import Form, called, derivative
from symbackprop.typesetting.names import escaped, index_name, is_single_letter
from symbackprop.typesetting.statement_tokens import END, WORD, Token, token_at, tokens_of

_LETTER = re.compile(r"[A-Za-z]\d?'*")
_DERIVATIVE = re.compile(r"d ?(?P<above>.*?)/d(?P<below>.*)")
_ANY = Axis("any", "any")
_ORDER = ("<", "<=", ">", ">=", "!=")
_MATRIX_WORDS = ("inv", "det", "cofactor", "logdet")
_OVER_INDICES = ("mean", "var", "softmax", "logsumexp", "norm", "argmin")


class NotAFormulaError(Exception):
    """What stands here is no formula: words, perhaps."""


class FormulaParser:
    """Reads one formula from a place among tokens on; NotAFormulaError where none stands there."""

    def __init__(self, tokens: Sequence[Token], place: int = 0) -> None:
        self.tokens = tokens
        self.place = place

    @property
    def token(self) -> Token:
        """The next token."""
        return token_at(self.tokens, self.place)

    def take(self, *expected: str) -> Token:
        """The next token, which has to be one of these where any are given."""
        token = self.token
        if token is END or (expected and token.text not in expected):
            raise NotAFormulaError(token.text)
        self.place += 1
        return token

    def sum(self) -> Expression:
        """Terms with their signs."""
        terms = [self._signed()]
        while self.token.text in ("+", "-"):
            negative = self.take().text == "-"
            term = self._product()
            terms.append(Multiply((MINUS_ONE, *_factors(term))) if negative else term)
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def _signed(self) -> Expression:
        if self.token.text != "-":
            return self._product()
        self.take()
        product = self._product()
        return Multiply((MINUS_ONE, *_factors(product)))

    def _product(self) -> Expression:
        factors = [self._power()]
        while self.token.text in ("*", "/"):
            divided = self.take().text == "/"
            factor = self._power()
            match factors[-1], factor:
                case Number(above), Number(below) if divided and below:
                    factors[-1] = Number(above / below)
                case _:
                    factors.append(Power(factor, MINUS_ONE) if divided else factor)
        return factors[0] if len(factors) == 1 else Multiply(tuple(factors))

    def _power(self) -> Expression:
        base = self._primed()
        if self.token.text != "^":
            return base
        self.take()
        negative = self.token.text == "-"
        exponent = self._signed() if negative else self._primed()
        return Power(base, exponent)

    def _primed(self) -> Expression:
        shown = self._atom()
        while self.token.text == "'" and not self.token.spaced:
            self.take()
            shown = Form(_with_prime, (shown,))
        return shown

    def sides(self) -> list[Expression]:
        """What stands on the sides of equals signs; a side may be a comparison."""
        found = [self._comparison(_ORDER)]
        while self.token.text in ("=", "=="):
            self.take()
            found.append(self._comparison(_ORDER))
        return found

    def condition(self) -> Expression:
        """Comparisons joined by `and` and `or`, or a formula."""
        operands, operator = [self._comparison()], ""
        while self.token.text in ("and", "or"):
            operator = self.take().text
            operands.append(self._comparison())
        if not operator:
            return operands[0]
        return Logic(cast(Literal["and", "or"], operator), tuple(operands))

    def _comparison(self, relations: Sequence[str] = (*_ORDER, "=", "==")) -> Expression:
        if self.token.text == "not":
            self.take()
            return Logic("not", (self._comparison(relations),))
        left = self.sum()
        if self.token.text not in relations:
            return left
        sides: list[Expression] = [left]
        compared: list[Expression] = []
        while self.token.text in relations:
            operator = self.take().text
            sides.append(self.sum())
            operator = "==" if operator == "=" else operator
            compared.append(Comparison(cast(ComparisonOperator, operator), sides[-2], sides[-1]))
        return compared[0] if len(compared) == 1 else Logic("and", tuple(compared))

    def _atom(self) -> Expression:
        token = self.take()
        if token.expression is not None:
            return self._at_positions(token.expression)
        if token.kind == "number":
            return Number(Fraction(token.text))
        if token.kind == "derivative":
            return _derivative_form(token.text)
        if token.text == "(":
            inside = self.condition()
            self.take(")")
            return inside
        if not token.text.isascii():
            return self._words(token.text)
        if token.kind != "name":
            raise NotAFormulaError(token.text)
        return self._named(token)

    def _words(self, first: str) -> Expression:
        """Japanese letters in the place of a formula, which are words."""
        words = first
        while not self.token.text.isascii():
            words += self.take().text
        return Form(lambda _: leaf(rf"\text{{{escaped(words)}}}", float(len(words))))

    def _named(self, token: Token) -> Expression:
        """A function's value, an element, a name; words in the place of a formula stay words."""
        if self.token.text == "(" and not self.token.spaced:
            arguments = self._arguments("(", ")")
            if token.text in _MATRIX_WORDS:
                return self._of_matrix(token.text, arguments)
            return _called(token.text, arguments)
        if self.token.text == "[" and not self.token.spaced:
            return Element(token.text, tuple(map(_as_index, self._arguments("[", "]"))))
        words = [token.text]
        while WORD.fullmatch(token.text) and self.token.kind == "name" and self.token.spaced:
            words.append(self.take().text)
        if len(words) > 1:
            shown = " ".join(f"${word}$" if is_single_letter(word) else escaped(word) for word in words)
            return Form(lambda _: leaf(rf"\text{{{shown}}}", 0.45 * len(" ".join(words))))
        return Constant("pi") if token.text == "pi" else _name(token.text)

    def _of_matrix(self, word: str, arguments: Sequence[Expression]) -> Expression:
        matrix, *more = arguments
        if more or not isinstance(matrix, Element | Index):
            raise NotAFormulaError(word)
        name, batch = (matrix.tensor, matrix.positions) if isinstance(matrix, Element) else (matrix.name, ())
        has_positions = self.token.text == "[" and not self.token.spaced
        positions = tuple(map(_as_index, self._arguments("[", "]"))) if has_positions else ()
        return MatrixFunction(cast(MatrixFunctionKind, word), name, _ANY, batch, positions)

    def _at_positions(self, shown: Expression) -> Expression:
        """A formula of its own, such as dE/dS, with positions behind it."""
        if self.token.text != "[" or self.token.spaced:
            return shown
        return Form(_with_subscript, (shown, *self._arguments("[", "]")))

    def _arguments(self, opening: str, closing: str) -> list[Expression]:
        self.take(opening)
        found: list[Expression] = []
        while self.token.text != closing:
            found.append(self.condition())
            if self.token.text == ",":
                self.take()
            elif self.token.text != closing:
                raise NotAFormulaError(self.token.text)
        self.take(closing)
        return found


def _factors(product: Expression) -> tuple[Expression, ...]:
    return product.factors if isinstance(product, Multiply) else (product,)


def _name(text: str) -> Expression:
    """A name by itself: an index such as i or j2, or a tensor."""
    return Index(text, _ANY) if _LETTER.fullmatch(text) else Element(text)


def _as_index(position: Expression) -> Expression:
    return (
        Index(position.tensor, _ANY) if isinstance(position, Element) and not position.positions else position
    )


def _called(word: str, arguments: Sequence[Expression]) -> Expression:
    """What a word of the language makes of its arguments; any other is a function of them."""
    *before, last = arguments
    match word, arguments:
        case "delta", (left, right):
            return Delta(left, right)
        case "where", (condition, chosen, otherwise):
            return Where(condition, chosen, otherwise)
        case "sqrt", (radicand,):
            return Power(radicand, Number(Fraction(1, 2)))
        case "sum" | "prod" | "max" | "min" | "argmax", _ if _are_indices(word, before, last):
            return Reduction(word, tuple(index for index in before if isinstance(index, Index)), last)
    if word in ALL_FUNCTIONS and len(arguments) == ALL_FUNCTIONS[word].arity:
        return Apply(word, tuple(arguments))
    if word in _OVER_INDICES:
        return Shorthand(word, tuple(index for index in before if isinstance(index, Index)), (last,))
    shown = (
        index_name(word)[0] if re.fullmatch(r"[A-Za-z]\d?'*", word) else rf"\operatorname{{{escaped(word)}}}"
    )
    return Form(lambda boxes: called(shown, boxes), tuple(arguments))


def _are_indices(word: str, before: Sequence[Expression], body: Expression) -> bool:
    """Whether a reduction runs over these: max(i, f) does, max(f, g) is the larger of two."""
    if not before or not all(isinstance(index, Index) for index in before):
        return False
    read = {position for node in body.walk() if isinstance(node, Element) for position in node.positions}
    of_rules = all(isinstance(index, Index) and index.name in "ijkpq" for index in before)
    return word in ("sum", "prod") or of_rules or all(index in read for index in before)


def _derivative_form(text: str) -> Expression:
    match = _DERIVATIVE.fullmatch(text)
    if match is None:
        raise NotAFormulaError(text)
    sides = [FormulaParser(tokens_of(match[side])).sum() for side in ("above", "below")]
    return Form(lambda boxes: derivative(boxes[0], boxes[1]), tuple(sides))


def _with_prime(boxes: Sequence[Box]) -> Box:
    closed = at_level(boxes[0], BASE)
    return Box(glue(closed.pieces, mark("'", 0.3)), BASE, closed.height, begins=closed.begins)


def _with_subscript(boxes: Sequence[Box]) -> Box:
    whole, *positions = boxes
    below = "".join(position.latex for position in positions)
    return leaf(rf"\left({whole.latex}\right)_{{{below}}}", whole.width + 0.8 + 0.7 * len(positions), BASE, 2)
