"""Expressions as MathML, which browsers set without a script.

Every element of a tensor, and every derivative of the loss, carries the name by which a page links it to the
lines of code that compute it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape

from symbackprop.errors import PrintingError
from symbackprop.functions.table import as_shown
from symbackprop.integers.guards import padded_element
from symbackprop.integers.integer_valued import without_floor
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import translated
from symbackprop.notation.arithmetic import divisor_of, is_reciprocal
from symbackprop.notation.derivatives import Derivative, InnerDerivative, PartialDerivative
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
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
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.pages.math_functions import application
from symbackprop.pages.math_names import index_markup, name_markup
from symbackprop.pages.math_parts import (
    AND,
    ATOM,
    COMPARISON,
    MINUS,
    NOT,
    OR,
    POWER,
    PRODUCT,
    SUM,
    Math,
    joined,
    number,
    parenthesised,
)
from symbackprop.pages.stated_symbols import markup_of
from symbackprop.systems.decimals import turned
from symbackprop.systems.shorthands import Shorthand
from symbackprop.typesetting.forms import OTHERWISE, said_of_condition
from symbackprop.typesetting.names import NameLatex, is_single_letter

_OPERATORS = {"<": "&lt;", "<=": "\u2264", ">": "&gt;", ">=": "\u2265", "==": "=", "!=": "\u2260"}
_BIG = {"sum": "\u2211", "prod": "\u220f", "max": "max", "min": "min", "argmax": "arg max"}
_PARTIAL = "<mi>\u2202</mi>"


@dataclass(frozen=True)
class MathPrinter:
    """Prints formulas; `derivatives` names the adjoint of each tensor that the loss is differentiated by.

    `symbols` are those of tensors that are not set as their names read by themselves.
    """

    loss: str = ""
    derivatives: Mapping[str, str] = field(default_factory=dict)
    symbols: Mapping[str, NameLatex] = field(default_factory=dict)
    language: Language = Language.ENGLISH

    def inline(self, expression: Expression) -> str:
        """A formula within a sentence, or an equation's side that stays on one line."""
        return f"<math>{self.math(expression).markup}</math>"

    def slashed(self, derivative: Derivative) -> str:
        """A derivative within a sentence, with a slash, which spreads no lines."""
        above, below = self.math(derivative.numerator).markup, self.math(derivative.denominator).markup
        markup = f"<mrow>{_PARTIAL}{above}<mo>/</mo>{_PARTIAL}{below}</mrow>"
        return f"<math>{self._of_loss(derivative.numerator, derivative.denominator, markup)}</math>"

    def math(self, expression: Expression) -> Math:
        """A formula's markup."""
        match expression:
            case Number():
                return number(expression)
            case Constant():
                return Math("<mi>\u03c0</mi>")
            case Index(name, _):
                return Math(index_markup(name))
            case Size(axis):
                return Math(name_markup(axis.name)[0])
            case Element(tensor, positions):
                return Math(self._linked(tensor, self._element(tensor, positions)))
            case Add(terms):
                signed = (self.signed(term, bool(place)) for place, term in enumerate(terms))
                return Math(f"<mrow>{''.join(signed)}</mrow>", SUM)
            case Multiply(factors):
                return self._product(factors)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Comparison(operator, left, right):
                sides = [self.math(side).at(SUM) for side in (left, right)]
                return Math(f"<mrow>{sides[0]}<mo>{_OPERATORS[operator]}</mo>{sides[1]}</mrow>", COMPARISON)
            case Logic(operator, operands):
                return self._logic(operator, operands)
        return self._form(as_shown(expression))

    def _form(self, expression: Expression) -> Math:
        """What has a form of its own: a function, a reduction, a delta, a `where`, a derivative."""
        match expression:
            case Apply("floor") if (whole := without_floor(expression)) is not None:
                return self.math(whole)
            case Apply(function, arguments):
                shown = [self.math(argument) for argument in arguments]
                return Math(application(function, [each.markup for each in shown]))
            case MatrixFunction():
                return self._matrix_function(expression)
            case Reduction(kind, indices, body):
                below = "<mo>,</mo>".join(index_markup(index.name) for index in indices)
                operator = f"<munder><mo>{_BIG[kind]}</mo><mrow>{below}</mrow></munder>"
                return Math(f"<mrow>{operator}{self.math(body).at(PRODUCT)}</mrow>", PRODUCT, open_right=True)
            case Delta(left, right):
                return Math(f"<msub><mi>\u03b4</mi>{self._positions((left, right))}</msub>")
            case Shorthand("diff", _, (numerator, Element() as denominator, Number(order))):
                return self._derivative(numerator, denominator, f"<mn>{order}</mn>")
            case Shorthand("diff", _, (numerator, Element() as denominator)):
                return self._derivative(numerator, denominator)
            case Shorthand(word, indices, arguments):
                return self._shorthand(word, indices, arguments)
            case PartialDerivative(formula, denominator):
                return Math(f"<mrow>{self._d(denominator)}{parenthesised(self.math(formula).markup)}</mrow>")
            case Derivative(numerator, denominator) | InnerDerivative(numerator, denominator):
                return self._derivative(numerator, denominator)
            case Where(condition, chosen, otherwise):
                return self._where(expression, condition, chosen, otherwise)
        raise PrintingError(f"no MathML for a {type(expression).__name__}")

    def _linked(self, tensor: str, markup: str) -> str:
        """The markup under the tensor's name; a number that stands as a name is no tensor's."""
        return markup if markup.startswith("<mn>") else f'<mrow data-t="{escape(tensor)}">{markup}</mrow>'

    def _element(self, tensor: str, positions: Sequence[Expression]) -> str:
        base, above = self._name(tensor)
        if positions and above:
            return f"<msubsup>{base}{self._positions(positions)}{above}</msubsup>"
        if positions:
            return f"<msub>{base}{self._positions(positions)}</msub>"
        return f"<msup>{base}{above}</msup>" if above else base

    def _name(self, tensor: str) -> tuple[str, str]:
        """A tensor's name as a base, and what stands above it to the right, or ""."""
        return markup_of(self.symbols[tensor]) if tensor in self.symbols else name_markup(tensor)

    def _positions(self, positions: Sequence[Expression]) -> str:
        """Single letters side by side, anything longer with commas between."""
        close = all(isinstance(each, Index) and is_single_letter(each.name) for each in positions)
        between = "" if close else "<mo>,</mo>"
        return f"<mrow>{between.join(self.math(each).markup for each in positions)}</mrow>"

    def signed(self, term: Expression, goes_on: bool, form: str = ' form="infix"') -> str:
        """A term with its sign in front; a plus where it goes on with a sum."""
        negative, rest = sign_apart(term)
        sign = leading_sign(negative, goes_on, form)
        return f"<mrow>{sign}{self.math(rest).at(PRODUCT if negative else SUM)}</mrow>"

    def _product(self, factors: Sequence[Expression]) -> Math:
        negative, positive = sign_apart(Multiply(tuple(factors)))
        if negative:
            return Math(f"<mrow><mo>{MINUS}</mo>{self.math(positive).at(PRODUCT)}</mrow>", SUM)
        below = [divisor for divisor in map(divisor_of, factors) if divisor is not None]
        above = [factor for factor in factors if not is_reciprocal(factor)]
        return self._quotient(above, below) if below else self._side_by_side(above)

    def _quotient(self, above: Sequence[Expression], below: Sequence[Expression]) -> Math:
        """One fraction; a fractional number stays in front of it, a sum behind it."""
        front = [each for each in above if isinstance(each, Number) and each.value.denominator != 1]
        behind = [each for each in above if each not in front and self.math(each).open_right]
        inside = [each for each in above if each not in front and each not in behind]
        top = self._side_by_side(inside).markup if inside else "<mn>1</mn>"
        fraction = Math(f"<mfrac>{top}{self._side_by_side(below).markup}</mfrac>")
        return joined([*map(self.math, front), fraction, *map(self.math, behind)])

    def _side_by_side(self, factors: Sequence[Expression]) -> Math:
        return joined([self.math(each) for each in factors])

    def _power(self, base: Expression, exponent: Expression) -> Math:
        below = divisor_of(Power(base, exponent))
        if below is not None:
            return Math(f"<mfrac><mn>1</mn>{self.math(below).markup}</mfrac>", PRODUCT)
        if isinstance(exponent, Number) and exponent.value == Fraction(1, 2):
            return Math(f"<msqrt>{self.math(base).markup}</msqrt>")
        shown, above = self.math(base), self.math(exponent).markup
        if isinstance(base, Element) and not self._name(base.tensor)[1]:
            name, positions = self._name(base.tensor)[0], base.positions
            scripts = f"msubsup>{name}{self._positions(positions)}" if positions else f"msup>{name}"
            raised = f"<{scripts}{above}</{scripts.partition('>')[0]}>"
            return Math(self._linked(base.tensor, raised), POWER)
        inside = parenthesised(shown.markup) if isinstance(base, Element | Apply) else shown.at(ATOM)
        return Math(f"<msup>{inside}{above}</msup>", POWER)

    def _logic(self, operator: str, operands: Sequence[Expression]) -> Math:
        level = {"or": OR, "and": AND, "not": NOT}[operator]
        shown = [self.math(each).at(level + 1) for each in operands]
        word = f"<mtext>\u00a0{operator}\u00a0</mtext>"
        return Math(f"<mrow>{word + shown[0] if operator == 'not' else word.join(shown)}</mrow>", level)

    def _where(
        self, whole: Expression, condition: Expression, chosen: Expression, otherwise: Expression
    ) -> Math:
        """Iverson's bracket for 1 or 0; the element alone where it is 0 outside its axis; else two cases."""
        padded = padded_element(whole)
        if padded is not None:
            return Math(f"<mrow><mi>pad</mi>{parenthesised(self.math(padded).markup)}</mrow>")
        held = self.math(condition).markup
        if chosen == ONE and otherwise == ZERO:
            return Math(f"<mrow><mo>[</mo>{held}<mo>]</mo></mrow>")
        before, after = map(_text, said_of_condition(self.language))
        other = _text(translated(OTHERWISE, self.language))
        rows = (
            f"<mtr><mtd>{self.math(chosen).markup}</mtd><mtd>{before}{held}{after}</mtd></mtr>"
            f"<mtr><mtd>{self.math(otherwise).markup}</mtd><mtd>{other}</mtd></mtr>"
        )
        table = f'<mtable class="cases">{rows}</mtable>'
        return Math(f"<mrow><mo>{{</mo>{table}</mrow>", PRODUCT, open_right=True)

    def _matrix_function(self, node: MatrixFunction) -> Math:
        matrix = self._linked(node.tensor, self._element(node.tensor, node.batch))
        if node.positions:
            positions = self._positions(node.positions)
            inverse = f"<msup>{parenthesised(matrix) if node.batch else matrix}<mn>{MINUS}1</mn></msup>"
            whole = inverse if node.kind == "inv" else f"<mrow><mi>cof</mi>{parenthesised(matrix)}</mrow>"
            return Math(f"<msub>{parenthesised(whole)}{positions}</msub>")
        determinant = f"<mi>det</mi>{parenthesised(matrix)}"
        if node.kind == "det":
            return Math(f"<mrow>{determinant}</mrow>")
        return Math(f"<mrow><mi>log</mi><mo>|</mo>{determinant}<mo>|</mo></mrow>")

    def _shorthand(self, word: str, indices: Sequence[Index], arguments: Sequence[Expression]) -> Math:
        below = "<mo>,</mo>".join(index_markup(index.name) for index in indices)
        name = f"<msub><mi>{word}</mi><mrow>{below}</mrow></msub>" if indices else f"<mi>{word}</mi>"
        shown = "<mo>,</mo>".join(self.math(each).markup for each in arguments)
        return Math(f"<mrow>{name}{parenthesised(shown)}</mrow>")

    def _derivative(self, numerator: Expression, denominator: Element, order: str = "") -> Math:
        above, below = self.math(numerator).markup, self.math(denominator).markup
        sign = f"<msup>{_PARTIAL}{order}</msup>" if order else _PARTIAL
        beneath = f"<msup>{parenthesised(below)}{order}</msup>" if order else below
        markup = f"<mfrac><mrow>{sign}{above}</mrow><mrow>{_PARTIAL}{beneath}</mrow></mfrac>"
        return Math(self._of_loss(numerator, denominator, markup))

    def _of_loss(self, numerator: Expression, denominator: Element, markup: str) -> str:
        """A derivative of the loss bears the name of the adjoint that it is."""
        is_of_loss = isinstance(numerator, Element) and numerator.tensor == self.loss
        name = self.derivatives.get(denominator.tensor) if is_of_loss else None
        return self._linked(name, markup) if name else markup

    def _d(self, denominator: Element) -> str:
        below = self.math(denominator).markup
        return f"<mfrac>{_PARTIAL}<mrow>{_PARTIAL}{below}</mrow></mfrac>"


def leading_sign(negative: bool, goes_on: bool, form: str) -> str:
    """The sign in front of a term; `form` says how a sign that goes on with a sum is set."""
    form = form if goes_on else ""
    return f"<mo{form}>{MINUS}</mo>" if negative else (f"<mo{form}>+</mo>" if goes_on else "")


def sign_apart(term: Expression) -> tuple[bool, Expression]:
    """Whether a minus sign stands in front of a term, and the term without it."""
    match term:
        case Number(value) if value < 0:
            return True, turned(term)
        case Multiply((Number(value) as lead, *rest)) if value < 0:
            front = [] if value == -1 else [turned(lead)]
            factors = (*front, *rest)
            return True, factors[0] if len(factors) == 1 else Multiply(factors)
    return False, term


def _text(words: str) -> str:
    """Words in a formula, their spaces kept."""
    return f"<mtext>{escape(words).replace(' ', chr(0xA0))}</mtext>" if words else ""
