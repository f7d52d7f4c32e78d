r"""Expressions as LaTeX for amsmath and for KaTeX, with every subexpression in its place.

    sum(b, (y[b,k] - d[b,k])*z1[b,j])    \sum_{b} (y_{bk} - d_{bk})\,z^{(1)}_{bj}

A sum reaches as far to the right as its product does and ends at the next + or -. [u > 0] is 1 where the
condition holds and 0 elsewhere (Iverson's bracket).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.errors import PrintingError
from symbackprop.functions.table import ALL_FUNCTIONS, as_shown
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import padded_element
from symbackprop.integers.integer_valued import without_floor
from symbackprop.integers.linear import divided
from symbackprop.languages.language import Language
from symbackprop.notation.arithmetic import divisor_of, is_reciprocal
from symbackprop.notation.derivatives import Derivative, InnerDerivative, PartialDerivative
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Axis,
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
from symbackprop.presentation.comparisons import number_moved
from symbackprop.systems.decimals import number_text, turned
from symbackprop.systems.shorthands import Shorthand
from symbackprop.typesetting.boxes import (
    AND,
    ATOM,
    BASE,
    COMPARISON,
    NOT,
    OR,
    PRODUCT,
    SUM,
    Box,
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
from symbackprop.typesetting.forms import (
    Form,
    added,
    application,
    called,
    cases,
    derivative,
    differential,
    fraction,
    indicator,
    is_fraction,
    joined,
    juxtaposed,
    number,
    raised,
    root,
    side_by_side,
)
from symbackprop.typesetting.names import NameLatex, index_name, is_single_letter, tensor_name, upright

_RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_BIG_OPERATORS = {
    "sum": (r"\sum", 1.5),
    "prod": (r"\prod", 1.4),
    "max": (r"\max", 1.9),
    "min": (r"\min", 1.9),
    "argmax": (r"\operatorname*{arg\,max}", 3.6),
}


@dataclass(frozen=True)
class Typesetter:
    """Sets expressions; a tensor in `symbols` is written as they say, any other as its name is read."""

    symbols: Mapping[str, NameLatex] = field(default_factory=dict)
    language: Language = Language.ENGLISH

    def latex(self, expression: Expression) -> str:
        """The expression in math mode, on one line."""
        return row_latex(signed(self.box(expression)))

    def inline(self, expression: Expression) -> str:
        """The expression within a sentence; a derivative with a slash, which spreads no lines."""
        match expression:
            case Derivative(Element() as above, below) | InnerDerivative(Element() as above, below):
                return rf"\partial {self.latex(above)} / \partial {self.latex(below)}"
        return self.latex(expression)

    def symbol(self, tensor: str) -> NameLatex:
        """How a tensor's name is written."""
        return self.symbols.get(tensor) or tensor_name(tensor)

    def box(self, expression: Expression) -> Box:
        """The expression as pieces that may be broken over lines."""
        match expression:
            case Number():
                return number(expression)
            case Constant(name):
                return Box(mark(rf"\{name}", 0.6), is_name=True)
            case Index(name, _):
                return Box(mark(*index_name(name)), is_name=True)
            case Size(axis):
                return _size(axis)
            case Element(tensor, positions):
                return self._element(tensor, positions)
            case Add(terms):
                return added(
                    [enclosed(self.box(term)) if isinstance(term, Add) else self.box(term) for term in terms]
                )
            case Multiply(factors):
                return self._product(factors)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Comparison(operator, left, right):
                sides = (at_level(self.box(left), SUM), at_level(self.box(right), SUM))
                return joined(sides, f" {_RELATIONS[operator]} ", 1.4, COMPARISON)
            case Logic(operator, operands):
                return self._logic(operator, operands)
            case Form(build, parts):
                return build([self.box(part) for part in parts])
        whole = without_floor(expression)
        return self._box_of_form(as_shown(expression)) if whole is None else self.box(whole)

    def _box_of_form(self, expression: Expression) -> Box:
        """What has a form of its own: a function, a reduction, a delta, a `where`, a derivative."""
        match expression:
            case Apply("floor", (argument,)):
                above, below = divided(argument)
                return application(ALL_FUNCTIONS["floor"].latex, [self._quotient([above], [below])])
            case Apply(function, arguments):
                return application(ALL_FUNCTIONS[function].latex, list(map(self.box, arguments)))
            case MatrixFunction():
                return self._matrix_function(expression)
            case Reduction():
                return self._reduction(expression)
            case Shorthand("diff", _, (numerator, Element() as denominator, Number() as order)):
                return derivative(self.box(numerator), self.box(denominator), number_text(order))
            case Shorthand("diff", _, (numerator, Element() as denominator)):
                return juxtaposed([differential(self.box(denominator)), self.box(numerator)])
            case Shorthand(word, indices, arguments):
                over = ", ".join(index_name(index.name)[0] for index in indices)
                operator = rf"\operatorname{{{word}}}" + (f"_{{{over}}}" if over else "")
                return called(operator, list(map(self.box, arguments)))
            case Delta(left, right):
                subscript, width = self._subscript((left, right))
                return leaf(rf"\delta_{{{subscript}}}", 0.5 + width)
            case InnerDerivative(InnerDerivative() as numerator, denominator):
                return juxtaposed([differential(self.box(denominator)), self.box(numerator)])
            case PartialDerivative(formula, denominator):
                return juxtaposed([differential(self.box(denominator)), enclosed(self.box(formula))])
            case Derivative(numerator, denominator) | InnerDerivative(numerator, denominator):
                return derivative(self.box(numerator), self.box(denominator))
            case Where():
                return self._where(expression)
        raise PrintingError(f"no LaTeX for a {type(expression).__name__}")

    def _where(self, node: Where) -> Box:
        condition, padded = node.condition, padded_element(node)
        if node.is_indicator:
            return indicator(self.box(condition))
        # One bound of an index says more than the word does: h_{t-1} if t >= 1.
        if padded is not None and (len(conjuncts(condition)) > 1 or not condition.free_indices):
            return called(r"\operatorname{pad}", [self.box(padded)])
        if node.otherwise == ZERO and not condition.tensors:
            condition = conjunction([number_moved(each) or each for each in conjuncts(condition)])
        return cases(self.box(condition), self.box(node.chosen), self.box(node.otherwise), self.language)

    def _element(self, tensor: str, positions: tuple[Expression, ...]) -> Box:
        name = self.symbol(tensor)
        above = f"^{{{name.superscript}}}" if name.superscript else ""
        subscript, width = self._subscript(positions) if positions else ("", 0.0)
        below = f"_{{{subscript}}}" if positions else ""
        row = mark(name.base + above + below, name.width + width)
        return Box(row, ATOM if above else BASE, int(bool(above)), is_name=not positions)

    def _matrix_function(self, node: MatrixFunction) -> Box:
        r"""(X^{-1})_{ij} for an element of an inverse, \operatorname{cof}(X)_{ij}, \det(X), \log|\det(X)|."""
        matrix = self._element(node.tensor, node.batch)
        if node.positions:
            whole = enclosed(raised(matrix, "-1", 1.1)) if node.kind == "inv" else self._cofactors(matrix)
            subscript, width = self._subscript(node.positions)
            row = glue(whole.pieces, mark(f"_{{{subscript}}}", width))
            return Box(row, BASE, whole.height, begins=whole.begins)
        determinant = glue(mark(r"\det", 1.4), enclosed(matrix).pieces)
        if node.kind == "det":
            return Box(determinant, ATOM, matrix.height)
        bars = [delimiter("|", matrix.height, opening) for opening in (True, False)]
        return Box(glue(mark(r"\log", 1.3), bars[0], determinant, bars[1]), ATOM, matrix.height)

    def _cofactors(self, matrix: Box) -> Box:
        return Box(glue(mark(r"\operatorname{cof}", 1.6), enclosed(matrix).pieces), ATOM, matrix.height)

    def _subscript(self, positions: Sequence[Expression]) -> tuple[str, float]:
        """Single letters side by side, anything longer with commas between."""
        boxes = [self.box(position) for position in positions]
        shown = [row_latex(signed(one)) for one in boxes]
        close = all(isinstance(position, Index) and is_single_letter(position.name) for position in positions)
        width = sum(0.7 * one.width + 0.3 * (not close) for one in boxes)
        return (side_by_side(shown) if close else ", ".join(shown)), width

    def _product(self, factors: tuple[Expression, ...]) -> Box:
        negative = False
        if isinstance(factors[0], Number) and factors[0].value < 0:
            negative = True
            front = turned(factors[0])
            factors = factors[1:] if front == ONE and len(factors) > 1 else (front, *factors[1:])
        below = [divisor for divisor in map(divisor_of, factors) if divisor is not None]
        above = [factor for factor in factors if not is_reciprocal(factor)]
        product = self._quotient(above, below) if below else juxtaposed(self._factor_boxes(above))
        return replace(at_level(product, PRODUCT), negative=True) if negative else product

    def _quotient(self, above: list[Expression], below: list[Expression]) -> Box:
        """One fraction; 1/2 stays in front of what else is above, a sum or what is too long behind it."""
        front = [factor for factor in above if isinstance(factor, Number) and factor.value.denominator != 1]
        behind = [factor for factor in above if self.box(factor).open_right]
        inside = [factor for factor in above if factor not in front and factor not in behind]
        if not inside and all(map(is_fraction, front)):  # half of 1/s is 1/(2*s)
            below = [*(Number(each.value.denominator) for each in front), *below]
            inside, front = [Number(each.value.numerator) for each in front], []
        bottom = juxtaposed(self._factor_boxes(below))
        quotient = fraction(juxtaposed(self._factor_boxes(inside)) if inside else number(ONE), bottom)
        if quotient is None:
            quotient, behind = fraction(number(ONE), bottom), [*inside, *behind]
        if quotient is None:
            inverses = [raised(enclosed(self.box(divisor)), "-1", 1.1) for divisor in below]
            return juxtaposed([*self._factor_boxes(above), *inverses])
        return juxtaposed([*self._factor_boxes(front), quotient, *self._factor_boxes(behind)])

    def _factor_boxes(self, factors: Sequence[Expression]) -> list[Box]:
        alone = len(factors) == 1
        return [
            enclosed(self.box(factor)) if isinstance(factor, Multiply) and not alone else self.box(factor)
            for factor in factors
        ]

    def _power(self, base: Expression, exponent: Expression) -> Box:
        below = divisor_of(Power(base, exponent))
        if below is not None:
            return self._quotient([], [below])
        if isinstance(exponent, Number) and exponent.value == Fraction(1, 2):
            return root(self.box(base))
        above = self.box(exponent)
        shown = number_text(exponent) if isinstance(exponent, Number) else row_latex(signed(above))
        return raised(self.box(base), shown, above.width)

    def _reduction(self, reduction: Reduction) -> Box:
        operator, width = _BIG_OPERATORS[reduction.kind]
        names = [index_name(index.name) for index in reduction.indices]
        below = ", ".join(name for name, _ in names)
        body = at_level(self.box(reduction.body), PRODUCT)
        operator_width = max(width, sum(0.7 * each + 0.3 for _, each in names)) + 0.2
        row = glue(mark(f"{operator}_{{{below}}} ", operator_width), deeper(body.pieces, 1))
        return Box(row, PRODUCT, max(2, body.height), open_right=True)

    def _logic(self, operator: str, operands: tuple[Expression, ...]) -> Box:
        if operator == "not":
            inside = at_level(self.box(operands[0]), NOT + 1)
            return Box(glue(mark(r"\lnot ", 0.7), inside.pieces), NOT, inside.height)
        level, sign = (AND, r" \land ") if operator == "and" else (OR, r" \lor ")
        return joined([at_level(self.box(operand), level + 1) for operand in operands], sign, 1.2, level)


PLAIN = Typesetter()


def latex(expression: Expression) -> str:
    """The expression in math mode, on one line, its names read without regard to a model."""
    return PLAIN.latex(expression)


def _size(axis: Axis) -> Box:
    shown = axis.name if is_single_letter(axis.name) else upright(axis.name)
    return Box(mark(shown, 0.6 * len(axis.name)), is_name=True)
