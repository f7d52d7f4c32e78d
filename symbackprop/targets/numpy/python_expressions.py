"""Python expressions as text that knows its outermost operator: every operand gets the parentheses it needs.

All text of an expression is composed here. The levels are those of The Python Language Reference, section
6.17, Operator precedence; the layout is that of `ruff format`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

# From loosest to tightest.
(
    CONDITIONAL, DISJUNCTION, CONJUNCTION, NEGATION, COMPARISON, EITHER, BOTH, SUM, PRODUCT, SIGN, POWER, ATOM
) = range(12)  # fmt: skip

# Operators that group from the left.
_LEVELS: Mapping[str, int] = {
    "or": DISJUNCTION,
    "and": CONJUNCTION,
    "|": EITHER,
    "&": BOTH,
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "//": PRODUCT,
    "%": PRODUCT,
    "@": PRODUCT,
}
# Their chains are broken over lines, an operator at the start of each.
_BROKEN = (SUM, PRODUCT)


class Form(enum.Enum):
    """What a piece without operators is, so that a formatter sets it without spaces: a name, x.T, 2, 0.5."""

    NAME = "name"
    DOTTED = "dotted name"
    INTEGER = "integer"
    DECIMAL = "decimal"
    OTHER = "anything else"


@dataclass(frozen=True)
class Piece:
    """Source text, how tightly its outermost operator binds, and where it may be broken over lines.

    `form` is that of the text, `signed` says that a minus stands in front of it. `chain` holds the operands
    of the outermost operators of one level, each but the first after its operator; `call` a call up to its
    opening bracket, and the arguments. `finer` has for each of the chain what that is broken into where it is
    too long itself. `opened` says that it begins with a parenthesis, `closed` that it ends
    with a bracket; `links` counts the attributes behind a bracket.
    """

    text: str
    level: int = ATOM
    operator: str = ""
    chain: tuple[str, ...] = ()
    call: tuple[str, tuple[str, ...]] | None = None
    form: Form = Form.OTHER
    signed: bool = False
    finer: tuple[tuple[str, ...], ...] = ()
    opened: bool = False
    closed: bool = False
    links: int = 0

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"

    def opens(self, level: int) -> bool:
        """Whether that text begins with a parenthesis."""
        return self.opened or self.level < level

    def closes(self, level: int) -> bool:
        """Whether that text ends with a bracket."""
        return self.closed or self.level < level

    def in_parentheses(self) -> Piece:
        """`(x)`."""
        return Piece(f"({self.text})", opened=True, closed=True)


def variable(text: str) -> Piece:
    """A variable."""
    return Piece(text, form=Form.NAME)


def number(value: float | int) -> Piece:
    """A literal, `np.pi`, `np.inf` or `np.nan`."""
    if math.copysign(1, value) < 0 and not math.isnan(value):
        return negative(number(-value))
    if value == math.pi:
        return Piece("np.pi", form=Form.DOTTED)
    if not math.isfinite(value):
        return Piece("np.nan" if math.isnan(value) else "np.inf", form=Form.DOTTED)
    form = Form.INTEGER if isinstance(value, int) else Form.DECIMAL
    return Piece(repr(value).replace("e+", "e"), form=form)


def binary(operator: str, left: Piece, right: Piece) -> Piece:
    """`left operator right`, for an operator that groups from the left."""
    level = _LEVELS[operator]
    before, after = _beside(operator, left, level), _beside(operator, right, level + 1)
    chain: tuple[str, ...] = ()
    if level in _BROKEN:
        chain = (*(left.chain if before.level == level else (before.text,)), f"{operator} {after.text}")
    shown = f"{before.text} {operator} {after.text}"
    return Piece(shown, level, operator, chain, opened=before.opened, closed=after.closed)


def _beside(operator: str, operand: Piece, level: int) -> Piece:
    """An operand; a matrix product beside another product, whose signs bind equally, is set apart."""
    mixed = operand.level == PRODUCT == _LEVELS[operator] and (operator == "@") != (operand.operator == "@")
    return operand.in_parentheses() if mixed or operand.level < level else operand


def joined(operator: str, operands: Sequence[Piece]) -> Piece:
    """`a & b & c`; an operand with the same operator is in parentheses."""
    level = _LEVELS[operator]
    shown = f" {operator} ".join(operand.at(level + 1) for operand in operands)
    first, last = operands[0], operands[-1]
    return Piece(shown, level, operator, opened=first.opens(level + 1), closed=last.closes(level + 1))


def product(factors: Sequence[Piece]) -> Piece:
    """The factors multiplied from the left; 1 for none."""
    return reduce(lambda left, right: binary("*", left, right), factors) if factors else number(1)


def negative(operand: Piece) -> Piece:
    """`-x`; a power in parentheses, for as ruff formats it: -(x**2)."""
    form = Form.OTHER if operand.signed else operand.form
    level = ATOM if operand.level == POWER else SIGN
    return Piece(f"-{operand.at(level)}", SIGN, form=form, signed=True, closed=operand.closes(level))


def inverted(operand: Piece) -> Piece:
    """`~mask`, for an array of Booleans."""
    return Piece(f"~{operand.at(SIGN)}", SIGN, closed=operand.closes(SIGN))


def negation(operand: Piece) -> Piece:
    """`not holds`, for a Python bool."""
    return Piece(f"not {operand.at(NEGATION)}", NEGATION, closed=operand.closes(NEGATION))


def comparison(operator: str, left: Piece, right: Piece) -> Piece:
    """`left < right`; an operand that is a comparison itself is in parentheses, so that none is chained."""
    shown = f"{left.at(EITHER)} {operator} {right.at(EITHER)}"
    return Piece(shown, COMPARISON, opened=left.opens(EITHER), closed=right.closes(EITHER))


def power(base: Piece, exponent: Piece) -> Piece:
    """`base**exponent`, which groups from the right; as ruff formats it, names and numbers without spaces."""
    left, right = base.at(ATOM), exponent.at(SIGN)
    simple = not base.signed and _is_simple(base) and _is_simple(exponent)
    shown = f"{left}**{right}" if simple else f"{left} ** {right}"
    return Piece(shown, POWER, opened=base.opens(ATOM), closed=exponent.closes(SIGN))


def conditional(condition: Piece, chosen: Piece, otherwise: Piece) -> Piece:
    """`chosen if condition else otherwise`."""
    shown, test = chosen.at(DISJUNCTION), condition.at(DISJUNCTION)
    chain = (shown, f"if {test}", f"else {otherwise.at(CONDITIONAL)}")
    first, *others = otherwise.chain or (otherwise.at(CONDITIONAL),)
    begun = chosen.chain if chosen.level >= DISJUNCTION and chosen.chain else (shown,)
    finer = (begun, chain[1:2], (f"else {first}", *others))
    opened, closed = chosen.opens(DISJUNCTION), otherwise.closes(CONDITIONAL)
    return Piece(" ".join(chain), CONDITIONAL, chain=chain, finer=finer, opened=opened, closed=closed)


def attribute(operand: Piece, name: str) -> Piece:
    """`operand.name`; an int in parentheses, for a point behind it would be a decimal one."""
    shown = operand.at(ATOM)
    if operand.form is Form.INTEGER and not operand.signed:
        return Piece(f"({shown}).{name}", opened=True)
    is_name = operand.form in (Form.NAME, Form.DOTTED) and not operand.signed
    form = Form.DOTTED if is_name else Form.OTHER
    links = operand.links + shown.endswith((")", "]"))
    return Piece(f"{shown}.{name}", form=form, opened=operand.opens(ATOM), links=links)


def call(function: Piece | str, *arguments: Piece | str, **keywords: Piece | str) -> Piece:
    """`function(arguments, keyword=value)`; within the brackets nothing needs parentheses."""
    called = function if isinstance(function, Piece) else Piece(function)
    head = f"{called.at(ATOM)}("
    inside = tuple(map(_bare, arguments)) + tuple(f"{name}={_bare(part)}" for name, part in keywords.items())
    shown = f"{head}{', '.join(inside)})"
    opened = called.opens(ATOM)
    return Piece(shown, call=(head, inside), opened=opened, closed=True, links=called.links)


def method(operand: Piece, name: str, *arguments: Piece | str) -> Piece:
    """`operand.name(arguments)`."""
    return call(attribute(operand, name), *arguments)


def transposed(operand: Piece, order: tuple[int, ...]) -> Piece:
    """`operand.T`, `operand.mT` or `operand.transpose(order)`."""
    rank = len(order)
    if rank == 2:
        return attribute(operand, "T")
    if order == (*range(rank - 2), rank - 1, rank - 2):
        return attribute(operand, "mT")
    return method(operand, "transpose", *map(str, order))


def subscript(operand: Piece, items: Sequence[str]) -> Piece:
    """`operand[items]`; the operand itself where there are none."""
    if not items:
        return operand
    shown, opened = f"{operand.at(ATOM)}[{', '.join(items)}]", operand.opens(ATOM)
    return Piece(shown, opened=opened, closed=True, links=operand.links)


def tuple_of(items: Sequence[Piece | str]) -> Piece:
    """`(a, b)`, `(a,)`, `()`."""
    shown = [_bare(item) for item in items]
    return Piece(f"({shown[0]},)" if len(shown) == 1 else f"({', '.join(shown)})", opened=True, closed=True)


def alone_or_tuple(items: Sequence[Piece | str]) -> Piece | str:
    """The item where there is but one, as NumPy takes an axis, a shape or a width; else the tuple."""
    return items[0] if len(items) == 1 else tuple_of(items)


def slice_of(start: Piece | None, stop: Piece | None, step: int = 1) -> str:
    """`1:`, `r : r + 2 * A : 2`: with spaces round the colons where a part is no plain name or number."""
    first, last = (_bare(part or "") for part in (start, stop))
    if all(part is None or part.form in (Form.NAME, Form.INTEGER) for part in (start, stop)):
        return f"{first}:{last}" + (f":{step}" if step > 1 else "")
    shown = (f"{first} :" if first else ":") + (f" {last}" if last else "")
    if step > 1:
        shown += f" : {step}" if last else f": {step}"
    return shown


def _bare(part: Piece | str) -> str:
    return part.text if isinstance(part, Piece) else part


def _is_simple(operand: Piece) -> bool:
    """Whether an operand of a power is a name or a number."""
    is_number = operand.form in (Form.INTEGER, Form.DECIMAL)
    return is_number or (operand.form in (Form.NAME, Form.DOTTED) and not operand.signed)
