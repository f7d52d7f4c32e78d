"""Expressions as text in the model language, so that what is printed can be read again."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from itertools import groupby
from typing import get_args

from symbackprop.errors import NotationError
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.guards import padded_element
from symbackprop.integers.integer_valued import without_floor
from symbackprop.integers.linear import divided
from symbackprop.integers.whole_definitions import Word
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import divisor_of
from symbackprop.notation.derivatives import Derivative, InnerDerivative, PartialDerivative
from symbackprop.notation.expressions import (
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
    ReductionKind,
    Size,
    Where,
)
from symbackprop.notation.faces import as_text
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.systems.decimals import decimal_of, turned, with_zeros_counted
from symbackprop.systems.rows import Break, Row, enclosed, joined_rows, row_text
from symbackprop.systems.shorthands import Shorthand, spelled
from symbackprop.systems.system import Equation, Fact, PositiveDefinite, Role, System, Tensor

OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)

_AT_SIGN, _AT_FACTOR, _AT_FRACTION_BAR, _AT_COMMA = map(Break, range(4))
_COMMA: Row = (",", _AT_COMMA, " ")
_FACTOR: Row = (_AT_FACTOR, "*")
_FRACTION_BAR: Row = (_AT_FRACTION_BAR, "/")


@as_text.register
def text(expression: Expression) -> str:
    """The expression as a person types it: `1/2*sum(b, k, (y[b,k] - d[b,k])^2)`."""
    if isinstance(expression, Index):  # most texts by far are positions
        return expression.name
    return row_text(text_row(expression))


def text_row(expression: Expression) -> Row:
    """The text of the expression, with the places where it may go on in another line."""
    return _row_and_level(expression)[0]


def _at_level(expression: Expression, level: int) -> Row:
    shown, own_level = _row_and_level(expression)
    return shown if own_level >= level else enclosed("(", shown)


def _call(word: str, *arguments: Row) -> Row:
    return enclosed(f"{word}(", joined_rows(_COMMA, arguments))


def _row_and_level(expression: Expression) -> tuple[Row, int]:
    """The row, and how tightly its outermost operation binds."""
    match expression:
        case Add(terms):
            return _sum(terms), SUM
        case Multiply(factors):
            return _product(factors)
        case Power(base, exponent):
            return _power(base, exponent)
        case Comparison(operator, left, right):
            sides = (*_at_level(left, SUM), f" {operator} ", *_at_level(right, SUM))
            return tuple([_AT_FRACTION_BAR if part is _AT_SIGN else part for part in sides]), COMPARISON
        case Logic(operator, operands):
            return _logic(operator, operands)
        case Number():
            shown, level = _number(expression)
            return (shown,), level
        case Derivative(numerator, denominator, _):
            return (f"d{text(numerator)}/d{text(denominator)}",), COMPARISON
        case PartialDerivative(formula, denominator):
            return (*enclosed("d(", text_row(formula)), f"/d{text(denominator)}"), COMPARISON
    whole = without_floor(expression)
    return (_atom(expression), ATOM) if whole is None else _row_and_level(whole)


def _atom(expression: Expression) -> Row:
    """A name, an element or a call, which needs no parentheses anywhere."""
    match expression:
        case Constant(name) | Index(name, _):
            return (name,)
        case Size(axis):
            return (f"size({axis.label})",)
        case Element(tensor, positions):
            return (f"{tensor}[{','.join(map(text, positions))}]" if positions else tensor,)
        case Apply("floor", (argument,)):
            above, below = divided(argument)
            return enclosed("floor(", (*_at_level(above, PRODUCT), *_FRACTION_BAR, *_at_level(below, POWER)))
        case MatrixFunction():
            return (_matrix_function(expression),)
        case Apply(function, arguments):
            rows = tuple(map(text_row, _read_back(function, arguments)))
            return _call(ALL_FUNCTIONS[function].spelling or function, *rows)
        case Reduction(kind, indices, body):
            return _call(kind, *[(index.name,) for index in indices], text_row(body))
        case Delta(left, right):
            return (f"delta({text(left)},{text(right)})",)
        case Where(condition, chosen, otherwise):
            element = padded_element(expression)
            if element is not None:
                return (f"pad({text(element)})",)
            return _call("where", text_row(condition), text_row(chosen), text_row(otherwise))
        case Shorthand(word, indices, arguments):
            return _call(word, *[(index.name,) for index in indices], *map(text_row, arguments))
        case InnerDerivative(numerator, denominator):
            return _call("diff", text_row(numerator), text_row(denominator))
    raise NotationError(worded("no text for a {kind}", kind=type(expression).__name__))


def _matrix_function(expression: MatrixFunction) -> str:
    batch, positions = (
        f"[{','.join(map(text, positions))}]" if positions else ""
        for positions in (expression.batch, expression.positions)
    )
    return f"{expression.kind}({expression.tensor}{batch}){positions}"


def _read_back(function: str, arguments: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """The arguments as the language reads them again: max(i, a) is a reduction over i, max(a, i) is not."""
    first, *others = arguments
    if function not in get_args(ReductionKind) or not isinstance(first, Index):
        return arguments
    (other,) = others
    if other.tensors or isinstance(other, Index):
        return (Add((first, ZERO)), other)  # at a tie the gradient is that of the first
    return (other, first)


def _number(number: Number) -> tuple[str, int]:
    value = number.value
    decimal = with_zeros_counted(value) or decimal_of(number)
    if value < 0:
        return str(decimal or value), SUM
    return (str(decimal), ATOM) if decimal else (str(value), PRODUCT)


def _sum(terms: tuple[Expression, ...]) -> Row:
    shown: list[str | Break] = []
    for term in terms:
        first, *others = enclosed("(", text_row(term)) if isinstance(term, Add) else _at_level(term, SUM)
        if not shown:
            shown += [first, *others]
        elif isinstance(first, str) and first.startswith("-"):
            shown += [_AT_SIGN, " - ", first[1:], *others]
        else:
            shown += [_AT_SIGN, " + ", first, *others]
    return tuple(shown)


def _product(factors: tuple[Expression, ...]) -> tuple[Row, int]:
    """Factors with negative powers go below one fraction bar each, in their place in the order."""
    sign, shown = "", list[str | Break]()
    if isinstance(factors[0], Number) and factors[0].value < 0 and len(factors) > 1:
        sign = "-"
        factors = (turned(factors[0]), *factors[1:])
        if factors[0] == Number(1):
            factors = factors[1:]
    for is_below, group in groupby(factors, key=lambda factor: divisor_of(factor) is not None):
        members = tuple(group)
        if is_below:
            below = tuple(divisor_of(factor) or factor for factor in members)
            shown += _FRACTION_BAR if shown else ("1", *_FRACTION_BAR)
            shown += _at_level(below[0] if len(below) == 1 else Multiply(below), POWER)
            continue
        for factor in members:
            level = SIGN if shown else PRODUCT
            shown += (*(_FACTOR if shown else ()), *_at_level(factor, level))
    if not sign:
        return tuple(shown), PRODUCT
    return (f"-{shown[0]}", *shown[1:]), SUM


def _power(base: Expression, exponent: Expression) -> tuple[Row, int]:
    below = divisor_of(Power(base, exponent))
    if below is not None:
        return ("1", *_FRACTION_BAR, *_at_level(below, POWER)), PRODUCT
    if isinstance(exponent, Number) and exponent.value == Fraction(1, 2):
        return _call("sqrt", text_row(base)), ATOM
    return (*_at_level(base, ATOM), "^", *_at_level(exponent, ATOM)), POWER


def _logic(operator: str, operands: tuple[Expression, ...]) -> tuple[Row, int]:
    if operator == "not":
        return ("not ", *_at_level(operands[0], COMPARISON)), NOT
    level = AND if operator == "and" else OR
    joint = (_AT_FACTOR, f" {operator} ")
    return joined_rows(joint, [_at_level(operand, level + 1) for operand in operands]), level


@as_text.register
def equation_text(equation: Equation, words: Collection[Word] = ()) -> str:
    """`y[b,k] = u2[b,k]`, with these shorthands."""
    return f"{text(equation.element)} = {text(spelled(equation.expression, words))}"


def fact_text(fact: Fact | PositiveDefinite, words: Collection[Word] = ()) -> str:
    """`sum(k, d[b,k]) == 1`, `positive_definite(P)`, with these shorthands."""
    if isinstance(fact, PositiveDefinite):
        return f"positive_definite({fact.tensor})"
    return f"{text(spelled(fact.left, words))} == {text(spelled(fact.right, words))}"


def _users(fact: Fact | PositiveDefinite, system: System) -> str:
    """The equations of the system that the fact has simplified: ` in delta2, grad_W2`."""
    users = [name for name in fact.users if name in system.definitions]
    return f" in {', '.join(users)}" if users else ""


def _values_text(tensor: Tensor) -> str:
    """What the values of an integer tensor are: ` in V`, ` in permutation(N)`, ` in argsort(x)`."""
    if tensor.values is None:
        return ""
    order = f"argsort({tensor.sorts})" if tensor.sorts else f"permutation({tensor.values.name})"
    return f" in {order if tensor.permuted else tensor.values.name}"


def _symbol_text(tensor: Tensor) -> str:
    """The LaTeX that the model gives a tensor: ` as "W^{(1)}"`."""
    return f' as "{tensor.symbol}"' if tensor.symbol else ""


def system_text(system: System) -> str:
    """The whole system as a model file."""
    lines = []
    related = {relation.axis.name: relation.text for relation in system.relations}
    for axis in system.axes:
        names = [index.name for index in system.index_names[axis]]
        named = f"({' '.join(system.blocks[axis.name])})" if axis.name in system.blocks else axis.size
        size = f"{axis.name} = {named}" if named is not None else axis.name
        lines.append(f"index {', '.join(names)} : {related.get(axis.name, size)}")
    for tensor in system.tensors.values():
        if tensor.role not in (Role.DERIVED, Role.SIZE):
            said = f"{_symbol_text(tensor)}{_values_text(tensor)}"
            lines.append(f"{tensor.role.value} {text(tensor.element)}{said}")
    facts: tuple[Fact | PositiveDefinite, ...] = (*system.facts, *system.positive_definite)
    lines.extend(f"fact {fact_text(fact, system.shorthands)}{_users(fact, system)}" for fact in facts)
    for equation in system.equations:
        prefix = "loss " if equation.tensor == system.loss else ""
        left, equals, right = equation_text(equation, system.shorthands).partition(" = ")
        symbol = _symbol_text(system.tensors[equation.tensor])
        lines.append(f"{prefix}{left}{symbol}{equals}{right}")
    return "\n".join(lines) + "\n"
