r"""The forms of LaTeX formulas, from boxes to boxes: products, fractions, powers, functions, cases."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, translated
from symbackprop.notation.expressions import Number
from symbackprop.notation.nodes import Expression
from symbackprop.systems.decimals import decimal_of, turned
from symbackprop.typesetting.boxes import (
    ATOM,
    BASE,
    COMPARISON,
    POWER,
    PRODUCT,
    SUM,
    Begins,
    Box,
    Piece,
    at_level,
    deeper,
    delimiter,
    enclosed,
    glue,
    leaf,
    mark,
    row_latex,
    signed,
)

# What a case says of its condition, and of the other one.
IF, OTHERWISE = marked("if {condition}"), marked("otherwise")
# What stands in an exponent, in a denominator or beside a brace cannot break over lines; beyond these widths
# (in ems) it is written out instead.
WIDEST_FRACTION, WIDEST_EXPONENT, WIDEST_CASE = 22.0, 10.0, 24.0
_WIDE_FORMATS = {
    r"e^{{{}}}": r"\exp\left({}\right)",
    r"\left(e^{{{}}} - 1\right)": r"\left(\exp\left({}\right) - 1\right)",
}


@dataclass(frozen=True, eq=False, repr=False)
class Form(Expression):
    """What a page shows and no system holds, such as f' in a rule: how it is set from its parts."""

    build: Callable[[Sequence[Box]], Box]
    parts: tuple[Expression, ...] = ()

    @property
    def children(self) -> tuple[Expression, ...]:
        """The parts."""
        return self.parts

    def with_children(self, children: tuple[Expression, ...]) -> Form:
        """The same form of other parts."""
        return Form(self.build, children)


def number(shown: Number) -> Box:
    """A number; a minus sign stays pending."""
    negative = shown.value < 0
    return replace(_unsigned(turned(shown) if negative else shown), negative=negative, begins=Begins.NUMBER)


def is_fraction(shown: Number) -> bool:
    """Whether it is set with a fraction bar, and not as a decimal."""
    return shown.value.denominator != 1 and decimal_of(shown) is None


def _unsigned(shown: Number) -> Box:
    decimal = decimal_of(shown)
    if decimal is None:
        value = shown.value
        above, below = str(value.numerator), str(value.denominator)
        return leaf(rf"\frac{{{above}}}{{{below}}}", 0.3 + 0.5 * max(len(above), len(below)), ATOM, 2)
    if decimal.power is None:
        return leaf(decimal.digits, 0.5 * len(decimal.digits))
    scale = f"10^{{{decimal.power}}}"
    return (
        leaf(scale, 2.0) if decimal.digits == "1" else leaf(rf"{decimal.digits} \cdot {scale}", 4.0, PRODUCT)
    )


def joined(boxes: Sequence[Box], operator: str, width: float, level: int) -> Box:
    """Operands with one operator between them."""
    row = signed(boxes[0])
    for one in boxes[1:]:
        row = (*row, *glue((Piece(operator, width, 0, "{}"),), signed(one)))
    return Box(row, level, max(one.height for one in boxes))


def added(boxes: Sequence[Box]) -> Box:
    """Terms with + or - between them."""
    terms = [one if one.negative else at_level(one, SUM) for one in boxes]
    row = signed(terms[0])
    for one in terms[1:]:
        operator = " - " if one.negative else " + "
        row = (*row, *glue((Piece(operator, 1.2, 0, "{}"),), one.pieces))
    return Box(row, SUM, max(one.height for one in terms))


def juxtaposed(boxes: Sequence[Box]) -> Box:
    """Factors side by side; whatever would swallow its neighbour is kept apart."""
    if len(boxes) == 1:
        return boxes[0]
    last = len(boxes) - 1
    closed = [
        enclosed(one) if one.negative or one.level < PRODUCT or (one.open_right and place < last) else one
        for place, one in enumerate(boxes)
    ]
    row = closed[0].pieces
    for before, one in itertools.pairwise(closed):
        row = (*row, *glue(_product_sign(before, one), one.pieces))
    height, first, last_one = max(one.height for one in closed), closed[0], closed[-1]
    return Box(row, PRODUCT, height, open_right=last_one.open_right, begins=first.begins)


def _product_sign(before: Box, after: Box) -> tuple[Piece, ...]:
    if after.begins is Begins.NUMBER or (before.is_name and after.begins is Begins.PARENTHESIS):
        return (Piece(r" \cdot ", 0.7, 1, "{}"),)
    return (Piece(r"\,", 0.17, 1, r"{}\cdot "),)


def fraction(top: Box, bottom: Box) -> Box | None:
    """Top over bottom; None where that is too wide to stand on one line."""
    width = max(top.width, bottom.width)
    if width > WIDEST_FRACTION:
        return None
    shown = rf"\frac{{{row_latex(signed(top))}}}{{{row_latex(signed(bottom))}}}"
    is_number = all(one.begins is Begins.NUMBER and one.level == BASE for one in (top, bottom))
    whole = leaf(shown, 0.4 + width, ATOM, 2 + (max(top.height, bottom.height) > 1))
    return replace(whole, begins=Begins.NUMBER) if is_number else whole


def raised(base: Box, exponent: str, width: float) -> Box:
    """A power; `width` is the exponent's in text size."""
    closed = at_level(base, BASE)
    row = glue(closed.pieces, mark(f"^{{{exponent}}}", 0.7 * width))
    return Box(row, POWER, max(1, closed.height), is_name=closed.is_name, begins=closed.begins)


def root(radicand: Box) -> Box:
    """A square root, or a power with exponent 1/2 where the radicand may have to break."""
    if radicand.width > WIDEST_FRACTION:
        return raised(enclosed(radicand), "1/2", 1.5)
    shown = rf"\sqrt{{{row_latex(signed(radicand))}}}"
    return leaf(shown, 0.9 + radicand.width, ATOM, radicand.height + 1)


def application(pattern: str, arguments: Sequence[Box]) -> Box:
    """A function's format (see `functions.table`) filled with its arguments."""
    if arguments[0].width > WIDEST_EXPONENT:
        pattern = _WIDE_FORMATS.get(pattern, pattern)
    height = max(one.height for one in arguments)
    row: tuple[Piece, ...] = ()
    waiting, text_before = list(arguments), ""
    for literal, slot, _, _ in string.Formatter().parse(pattern):
        text_before += literal
        row = glue(row, _literal(literal, height))
        if slot is not None:
            row = glue(row, _slot(waiting.pop(0), text_before))
    level = BASE if pattern.startswith(r"\left") else ATOM
    begins = Begins.PARENTHESIS if pattern.startswith(r"\left(") else Begins.OTHER
    return Box(row, level, max(height, int("^" in pattern)), begins=begins)


def called(head: str, arguments: Sequence[Box]) -> Box:
    """A function's name in LaTeX before its arguments in parentheses."""
    slots = ", ".join("{}" for _ in arguments)
    return application(head.replace("{", "{{").replace("}", "}}") + rf"\left({slots}\right)", arguments)


def _literal(literal: str, height: int) -> tuple[Piece, ...]:
    r"""Text of a function's format, with `\left` and `\right` in the size that the arguments need."""
    row: tuple[Piece, ...] = ()
    for part in re.split(r"(\\(?:left|right)[(|)])", literal):
        if re.fullmatch(r"\\(?:left|right)[(|)]", part):
            row = glue(row, delimiter(part[-1], height, part.startswith(r"\left")))
        elif part:
            letters = re.sub(r"\\(sigma|psi|Gamma|Phi)", "x", part)
            letters = re.sub(r"\\operatorname|[{}^\\ ]", "", letters)
            row = glue(row, mark(part, 0.55 * len(letters)))
    return row


def _slot(argument: Box, text_before: str) -> tuple[Piece, ...]:
    """An argument in its place: as it is inside delimiters and exponents, as a factor elsewhere."""
    if text_before.endswith("^{"):
        return mark(row_latex(signed(argument)), 0.75 * argument.width)
    if not re.search(r"(\\left[(|]|, )$", text_before):
        argument = at_level(argument, PRODUCT)
    return deeper(signed(argument), 2)


def indicator(condition: Box) -> Box:
    """Iverson's bracket: 1 where the condition holds, else 0."""
    row = glue(mark(r"[\,", 0.5), deeper(condition.pieces, 2), mark(r"\,]", 0.5))
    return Box(row, BASE, condition.height)


def cases(condition: Box, chosen: Box, otherwise: Box, language: Language = Language.ENGLISH) -> Box:
    """Two cases behind a brace; where they are too wide for that, `[c] (a)` or `(a if c, otherwise b)`."""
    width = max(chosen.width, otherwise.width) + condition.width
    height = max(chosen.height, otherwise.height, condition.height)
    (before, after), other = said_of_condition(language), translated(OTHERWISE, language)
    if width > WIDEST_CASE and otherwise.latex == "0":
        row = glue(indicator(condition).pieces, mark(r"\,", 0.2), enclosed(chosen).pieces)
        return Box(row, PRODUCT, height)
    if width > WIDEST_CASE:
        # Without a word before it, the condition would be read as a factor.
        opening, closing = (f" {before}", after) if before else (" (", f"{after})")
        row = (
            *signed(chosen),
            *glue(mark(_text(opening), 1.4), deeper(condition.pieces, 1)),
            *glue(
                mark(_text(f"{closing}, "), 0.5 + len(closing)),
                mark(_text(f"{other} "), 4.2),
                signed(otherwise),
            ),
        )
        return enclosed(Box(row, BASE, height))
    shown = (
        rf"\begin{{cases}} {row_latex(signed(chosen))} & {_text(before)} {condition.latex} {_text(after)}\\"
        rf" {row_latex(signed(otherwise))} & {_text(other)} \end{{cases}}"
    )
    return leaf(shown, 6.0 + width, COMPARISON, 3 + (height >= 3))


def said_of_condition(language: Language) -> tuple[str, str]:
    """What stands before and behind the condition of a case."""
    before, _, after = translated(IF, language).partition("{condition}")
    return before, after


def _text(words: str) -> str:
    return rf"\text{{{words}}}" if words else ""


def derivative(above: Box, below: Box, order: str = "") -> Box:
    """One thing's derivative by another, as a fraction."""
    power = f"^{{{order}}}" if order else ""
    beneath = rf"\left({below.latex}\right){power}" if order else below.latex
    shown = rf"\frac{{\partial{power} {above.latex}}}{{\partial {beneath}}}"
    return leaf(shown, 0.9 + max(above.width, below.width), ATOM, 2)


def differential(below: Box) -> Box:
    """The operator that differentiates what stands behind it."""
    return leaf(rf"\frac{{\partial}}{{\partial {below.latex}}}", 0.9 + below.width, ATOM, 2)


def side_by_side(symbols: Sequence[str]) -> str:
    r"""Symbols without commas; a command such as \alpha must not run into the letter behind it."""
    shown = ""
    for symbol in symbols:
        runs_on = re.search(r"\\[A-Za-z]+$", shown) and symbol[0].isalpha()
        shown += (" " if runs_on else "") + symbol
    return shown
