"""Conditions as a person writes them: u <= 3 for u + 3 <= 6, max(u, v) <= w where u >= v, pad(x[s - 1])."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.integers.bounds import conjunction, conjuncts, lower_bound
from symbackprop.integers.guards import always_holds, padded_element
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    divisor_of,
    is_reciprocal,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    MIRRORED,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

FLOAT32_DIGITS = 24  # binary ones
MOST_TIMES = 8  # a difference that much larger than the bound loses three binary digits of it


def numbers_on_the_right(node: Expression) -> Expression | None:
    """u + 3 <= 6 = u <= 3, 3 - u <= 6 = u >= -3, (u + 1)/2 < 1 = u < 1, for one term and a number."""
    return number_moved(node) if node.tensors else None


def number_moved(node: Expression) -> Expression | None:
    """The same of indices too, for printers alone: t >= 1 for t - 1 >= 0, and for t != 0."""
    match node:
        case Comparison("!=", Index() as index, right) if right == ZERO:
            return Comparison(">=", index, ONE)
    if not (isinstance(node, Comparison) and isinstance(node.right, Number)):
        return None
    multiple, rest = coefficient_and_rest(node.left)
    if multiple != 1 and len(rest) == 1 and isinstance(rest[0], Add):
        operator = node.operator if multiple > 0 else MIRRORED[node.operator]
        return Comparison(operator, rest[0], Number(node.right.value / multiple))
    numbers = [term for term in terms_of(node.left) if isinstance(term, Number)]
    others = [term for term in terms_of(node.left) if not isinstance(term, Number)]
    if len(numbers) != 1 or len(others) != 1:
        return None
    sign, (other,) = (-1 if coefficient_and_rest(others[0])[0] < 0 else 1), others
    operator = node.operator if sign > 0 else MIRRORED[node.operator]
    moved = sign * (node.right.value - numbers[0].value)
    if node.tensors and not _is_as_exact(moved, node.right.value):
        return None
    return Comparison(operator, multiply(Number(sign), other), Number(moved))


def _is_as_exact(moved: Fraction, bound: Fraction) -> bool:
    """Whether the difference is rounded no more than the bound: c <= 1 - 1e-12 is c <= 1 in float32."""
    denominator = moved.denominator
    is_exact = denominator & (denominator - 1) == 0 and moved.numerator.bit_length() <= FLOAT32_DIGITS
    return bound == 0 or is_exact or abs(moved) <= MOST_TIMES * abs(bound)


def cancelled(node: Expression) -> Expression | None:
    """i + f < i + g = f < g, 0 < g = g > 0: of integers, which are not rounded."""
    if not isinstance(node, Comparison) or node.tensors:
        return None
    sides = [list(terms_of(side)) for side in node.children]
    common = [term for term in sides[0] if term in sides[1]]
    if not common or ZERO in common:
        return None
    for term in common:
        for side in sides:
            side.remove(term)
    left, right = (add(*side) for side in sides)
    return (
        Comparison(MIRRORED[node.operator], right, left)
        if left == ZERO
        else Comparison(node.operator, left, right)
    )


def sizes_on_the_right(node: Expression) -> Expression | None:
    """Conditions of a `where` with sizes on the right: i >= size(h) for i - size(h) >= 0, and without floors.

    floor(f/m) < g is f < m*g, and floor(f/m) >= g is f >= m*g. A pad keeps the condition that it stands for.
    """
    if not isinstance(node, Where) or node.condition.tensors or is_pad(node):
        return None
    conditions = conjuncts(node.condition)
    written = [_with_sizes_on_the_right(condition) for condition in conditions]
    if written == [*conditions]:
        return None
    return Where(conjunction(written), node.chosen, node.otherwise)


def _with_sizes_on_the_right(condition: Expression) -> Expression:
    if not (isinstance(condition, Comparison) and is_written_otherwise(condition)):
        return condition
    terms = terms_of(subtract(condition.left, condition.right))
    floors = [term for term in terms if isinstance(term, Apply) and term.function == "floor"]
    others = [term for term in terms if term not in floors]
    if not floors:
        sizes = [term for term in terms if _is_of_sizes(term)]
        return Comparison(
            condition.operator,
            add(*(term for term in terms if term not in sizes)),
            negate(add(*sizes)),
        )
    number, factors = coefficient_and_rest(floors[0].children[0])
    below = [divisor for divisor in map(divisor_of, factors) if divisor is not None]
    above = (factor for factor in factors if not is_reciprocal(factor))
    divisor = multiply(Number(number.denominator), *below)
    right = add(*(multiply(divisor, negate(term)) for term in others))
    return Comparison(condition.operator, multiply(Number(number.numerator), *above), right)


def is_pad(node: Where) -> bool:
    """Whether a `where` reads as a pad: not of a position that is rounded, which tells blocks apart."""
    return padded_element(node) is not None and not _rounds(node.condition)


def _rounds(expression: Expression) -> bool:
    return any(isinstance(part, Apply) and part.function == "floor" for part in expression.walk())


def is_written_otherwise(condition: Comparison) -> bool:
    """Whether a comparison of integers takes sizes off, i - size(h) >= 0, or a floor is one term of it."""
    terms = terms_of(subtract(condition.left, condition.right))
    floors = [term for term in terms if isinstance(term, Apply) and term.function == "floor"]
    if not floors:
        fewer = [term for term in terms_of(condition.left) if not isinstance(term, Number)]
        taken_off = [term for term in fewer if coefficient_and_rest(term)[0] < 0]
        others = [term for term in terms if not _is_of_sizes(term)]
        return bool(others) and all(map(_is_of_indices, others)) and any(map(_is_of_sizes, taken_off))
    if len(floors) != 1 or condition.operator not in ("<", ">="):
        return False
    _, factors = coefficient_and_rest(floors[0].children[0])
    below = [divisor for divisor in map(divisor_of, factors) if divisor is not None]
    others = [term for term in terms if term is not floors[0]]
    return (
        len(others) < 3 and all(map(_is_of_sizes, others)) and all(isinstance(each, Size) for each in below)
    )


def _is_of_indices(term: Expression) -> bool:
    return all(isinstance(factor, Index) for factor in coefficient_and_rest(term)[1])


def _is_of_sizes(term: Expression) -> bool:
    """Whether it is a whole multiple of a product of sizes, or a whole number."""
    number, rest = coefficient_and_rest(term)
    return number.denominator == 1 and all(isinstance(factor, Size) for factor in rest)


def maximum_of_ordered(node: Expression) -> Expression | None:
    """u >= v and max(u, v) <= w = u >= v and u <= w, likewise min(u, v) where u <= v."""
    if not (isinstance(node, Logic) and node.operator == "and"):
        return None
    operands = list(node.operands)
    for place, known in enumerate(operands):
        if isinstance(known, Comparison) and known.operator in ("<", "<=", ">", ">="):
            for other, operand in enumerate(operands):
                changed = operand if other == place else _without_maximum(operand, known)
                if changed != operand:
                    return Logic("and", (*operands[:other], changed, *operands[other + 1 :]))
    return None


def _without_maximum(condition: Expression, known: Comparison) -> Expression:
    """The comparison of the greater of the two sides that are known, where it is one of their maximum."""
    if not isinstance(condition, Comparison):
        return condition
    is_left = known.operator in (">", ">=")
    greater, less = (known.left, known.right) if is_left else (known.right, known.left)

    def chosen(side: Expression) -> Expression:
        match side:
            case Apply("max" | "min" as function, arguments) if {*arguments} == {greater, less}:
                return greater if function == "max" else less
        return side

    return condition.with_children((chosen(condition.left), chosen(condition.right)))


def index_alone(node: Expression) -> Expression | None:
    """delta(i + p, q) = delta(i, q - p), where neither side is an index by itself."""
    if not isinstance(node, Delta) or isinstance(node.left, Index) or isinstance(node.right, Index):
        return None
    form = linear_form(subtract(node.left, node.right))
    for index, coefficient in form.coefficients.items():
        rest = form.without(index)
        is_alone = not any(index in unknown.free_indices for unknown in rest.coefficients)
        if isinstance(index, Index) and abs(coefficient) == 1 and is_alone:
            return Delta(index, rest.scaled(-coefficient).expression())
    return None


def as_pad(node: Expression) -> Expression | None:
    """where(s != 0, x[s - 1], 0) = pad(x[s - 1]): the condition says that one position is not below 0.

    Beside a sum it says so of what is summed: where(size(s) > 0, sum(i, x[i,0]), 0) = sum(i, pad(x[i,0])).
    """
    match node:
        case Where(condition, Reduction("sum", indices, Element() as element), otherwise):
            padded = Where(condition, element, otherwise)
            is_apart = condition.free_indices.isdisjoint(indices)
            return Reduction("sum", indices, padded) if is_apart and is_pad(padded) else None
        case Where(Comparison() as condition, Element() as element, otherwise) if otherwise == ZERO:
            moved = [position for position in element.positions if not isinstance(position, Index)]
            if len(moved) != 1 or node.condition.tensors or padded_element(node) is not None:
                return None
            if _rounds(moved[0]):
                return None
            bound = lower_bound(moved[0])
            if always_holds(bound, (condition,)) and always_holds(condition, (bound,)):
                return Where(bound, element, ZERO)
    return None


NUMBERS_ON_THE_RIGHT = stated(
    "numbers on the right",
    "(f + n < m) = (f < m - n), (n - f < m) = (f > n - m), (n*(f + g) < m) = (f + g < m/n) or > for n < 0, "
    "likewise the other comparisons",
    numbers_on_the_right,
    where=(when("numeral", "n"), when("numeral", "m"), when("not lost", "m", "n")),
    decreases="names and numbers",
    example="where(3 - x[i] <= 6, c, 0)",
    near_miss="where(x[i] + c <= 6, c, 0)",
    roots=(Comparison,),
)
CANCELLED = stated(
    "cancel in a comparison",
    "(f + g < f + h) = (g < h), (f < f + h) = (h > 0), likewise the other comparisons, of integers",
    cancelled,
    decreases="names and numbers",
    example="where(i < i + d - size(i), c, 0)",
    near_miss="where(i < i2 + d - size(i), c, 0)",
    roots=(Comparison,),
)
SIZES_ON_THE_RIGHT = stated(
    "sizes on the right",
    "where(i - f >= 0, g, h) = where(i >= f, g, h), where(floor(i/m) < f, g, h) = where(i < m*f, g, h), "
    "likewise >= of integers, m > 0",
    sizes_on_the_right,
    decreases="sizes on the left",
    example="where(floor(s/2) - size(d) >= 0, c, 0)",
    near_miss="where(floor(s/2) <= size(d), c, 0)",
    roots=(Where,),
)
MAXIMUM_OF_ORDERED = stated(
    "maximum of ordered values",
    "(f >= g and max(f, g) <= h) = (f >= g and f <= h), likewise min(f, g) of f <= g",
    maximum_of_ordered,
    decreases="names and numbers",
    example="where(max(x[i], y[j]) <= c and x[i] >= y[j], c, 0)",
    near_miss="where(max(x[i], y[j]) <= c and x[i] >= z[q], c, 0)",
    roots=(Logic,),
)
INDEX_ALONE = stated(
    "index alone in delta",
    "delta(i + p, q) = delta(i, q - p), delta(p - i, q) = delta(i, p - q)",
    index_alone,
    where=(when("independent", "p", "i"), when("independent", "q", "i")),
    decreases="deltas without an index alone",
    example="delta(i + 1, size(i))",
    near_miss="delta(2*i, size(i) - 1)",
    roots=(Delta,),
)
AS_PAD = stated(
    "pad",
    "where(c, a[p], 0) = pad(a[p]), where(c, sum(i, a[p]), 0) = sum(i, pad(a[p])), where c holds if and only "
    "if p lies inside a",
    as_pad,
    decreases="wheres that are no pads",
    example="where(t != 0, a[t - 1], 0)",
    near_miss="where(t > 1, a[t - 1], 0)",
    roots=(Where,),
)
