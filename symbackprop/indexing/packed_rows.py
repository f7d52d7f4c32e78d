"""Rows of packed triangles, L[i*(i + 1)/2 + j] for j <= i: a slice for each i, of a length that i decides.

    y[n,i] = sum(j, where(j <= i, L[i*(i + 1)/2 + j]*x[n,j], 0))
        y[:,i] = x[:,:i + 1] @ L[a : a + i + 1], a = i*(i + 1)/2
    grad_L[p] = sum(i, where(p >= i*(i + 1)/2 and p <= i*(i + 1)/2 + i, d[i,p - i*(i + 1)/2], 0))
        grad_L[a : a + i + 1] += d[i,:i + 1]

A position with i*(i + 1)/2 in it is affine where i is the counter of a loop. The conditions keep another
index between bounds then; between these an index of its own counts, over an axis of as many places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from symbackprop.indexing.counting import Counter, Offset, counter_of, extent, size_of
from symbackprop.indexing.windows import simplified
from symbackprop.integers.bounds import conjunction, conjuncts, lower_bound, negated, upper_bound
from symbackprop.integers.linear import LinearForm, constant_form, linear_form
from symbackprop.integers.polynomials import is_never_negative
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    is_sum,
    multiply,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import (
    fresh_index,
    indices_in,
    rename_bound,
    rewrite_bottom_up,
    substitute,
)

Indices = tuple[Index, ...]


@dataclass(frozen=True)
class PackedRow:
    """A term where `narrowed` is start + along, and 0 elsewhere; in a loop over `index`, if it has one.

    `step` is the term over `along`, at the counter of `index`; `facts` say that what it reads lies inside.
    """

    index: Index | None
    narrowed: Index
    start: Expression
    along: Index
    step: Expression
    facts: tuple[Expression, ...] = ()

    @property
    def corners(self) -> tuple[Expression, ...]:
        """What decides where the row begins, floor(i*(i + 1)/2)."""
        nodes = chain(self.start.walk(), *(position.walk() for position in _positions(self.step)))
        floors = [node for node in nodes if isinstance(node, Apply) and node.function == "floor"]
        return tuple(dict.fromkeys(node for node in floors if not node.free_indices and not node.tensors))

    def with_corner(self, corner: Expression, name: str) -> PackedRow:
        """The row that reads the corner by its name."""
        offset = Offset(name, Axis(f"places of {name}", name))

        def named(node: Expression) -> Expression:
            return offset if node == corner else node

        return replace(
            self,
            start=rewrite_bottom_up(self.start, named),
            step=rewrite_bottom_up(self.step, named),
            facts=tuple([rewrite_bottom_up(fact, named) for fact in self.facts]),
        )


@dataclass(frozen=True)
class PackedRows:
    """The terms of an expression that are computed row by row, and the sum of all others."""

    rows: tuple[PackedRow, ...]
    rest: Expression


def packed_rows(
    expression: Expression, result: Indices, counters: Indices, own: Mapping[str, Indices]
) -> PackedRows | None:
    """The rows of an expression with these indices, within loops over `counters`; None where it has none.

    `own` are the indices of the tensors that are read.
    """
    if not reads_packed(expression):
        return None
    rows: list[PackedRow] = []
    rest: list[Expression] = []
    for term in (each for whole in terms_of(expression) for each in _branches(whole)):
        row = _row_of(term, result, counters, own)
        if row is None:
            rest.append(term)
        else:
            rows.append(row)
    is_packed = any(row.index is not None for row in rows)
    return PackedRows(tuple(rows), add(*rest)) if is_packed else None


def reads_packed(expression: Expression) -> bool:
    """Whether something is read at a position that is affine inside of a loop alone."""
    return any(_packing_index(position) for position in _positions(expression))


def is_packed(reduction: Reduction, live: Indices, own: Mapping[str, Indices]) -> bool:
    """Whether a reduction that stands in something else is computed row by row."""
    return packed_rows(reduction, live, (), own) is not None


def _positions(expression: Expression) -> Iterator[Expression]:
    for node in expression.walk():
        if isinstance(node, Element):
            yield from node.positions


def _packing_index(position: Expression) -> Index | None:
    """i where the position is affine but for what it has of i alone, as in i*(i + 1)/2 + j."""
    form = linear_form(position)
    curved = [unknown for unknown in form.coefficients if not isinstance(unknown, Index)]
    free = {index for unknown in curved for index in unknown.free_indices}
    others = {unknown for unknown in form.coefficients if isinstance(unknown, Index) and unknown.free_indices}
    if len(free) != 1 or any(unknown.tensors or unknown.binds for unknown in curved):
        return None
    (index,) = free
    return index if others - {index} else None


def _branches(term: Expression) -> tuple[Expression, ...]:
    """A `where` between two parts of which one is packed as two `where`s beside 0."""
    match term:
        case Where(condition, chosen, otherwise) if otherwise != ZERO and chosen != ZERO:
            if reads_packed(chosen) and reads_packed(otherwise):
                return Where(condition, chosen, ZERO), Where(negated(condition), otherwise, ZERO)
    return (term,)


def _row_of(
    term: Expression, result: Indices, counters: Indices, own: Mapping[str, Indices]
) -> PackedRow | None:
    number, rest = coefficient_and_rest(term)
    bound: Indices = ()
    if len(rest) == 1 and is_sum(rest[0]):
        total = rename_bound(rest[0], (*result, *counters))
        bound, term = total.indices, multiply(Number(number), total.body)
    packing = dict.fromkeys(filter(None, map(_packing_index, _positions(term))))
    if len(packing) > 1 or not set(packing) <= {*bound, *result}:
        return None
    index = next(iter(packing), None)
    body = term if index is None else substitute(term, {index: counter_of(index)})
    for narrowed in (*bound, *result):
        if narrowed != index and (index is not None or narrowed in result):
            row = _narrowed(body, narrowed, {*result, *bound, *counters})
            facts = None if row is None else _facts(row, own)
            if row is not None and facts is not None:
                inner = tuple(row.along if each == narrowed else each for each in bound if each != index)
                step = Reduction("sum", inner, row.step) if inner else row.step
                return replace(row, index=index, step=step, facts=facts)
    return None


def _narrowed(body: Expression, narrowed: Index, taken: set[Index]) -> PackedRow | None:
    """The body between the bounds that its `where`s give an index."""
    lows: list[LinearForm] = []
    highs: list[LinearForm] = []
    conditions, factors = _masked(body)
    others: list[Expression] = []
    for part in conditions:
        bound = _bound(part, narrowed)
        if bound is None:
            others.append(part)
        else:
            (lows if bound[0] else highs).append(bound[1])
    if any(narrowed in part.free_indices for part in others):
        return None
    if not lows and not highs:
        return None
    start = _furthest([constant_form(0), *lows], 1)
    stop = _furthest([linear_form(size_of(narrowed.axis)), *highs], -1)
    if start is None or stop is None or not is_never_negative(stop.plus(start, -1).expression()):
        return None
    length = stop.plus(start, -1).expression()
    axis = extent(narrowed.axis, length)
    along = fresh_index(Index(narrowed.name, axis), {*taken, *indices_in(body)} - {narrowed})
    place = add(start.expression(), along)
    chosen = multiply(*factors)
    masked = Where(conjunction(others), chosen, ZERO) if others else chosen
    step = simplified(substitute(masked, {narrowed: place}))
    return PackedRow(None, narrowed, start.expression(), along, step)


def _masked(body: Expression) -> tuple[list[Expression], list[Expression]]:
    """The conditions without which a product is 0, and what its factors are where all of them hold."""
    conditions: list[Expression] = []
    factors: list[Expression] = []
    for factor in factors_of(body):
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            inner, chosen = _masked(factor.chosen)
            conditions += (*conjuncts(factor.condition), *inner)
            factors += chosen
        else:
            factors.append(factor)
    return conditions, factors


def _facts(row: PackedRow, own: Mapping[str, Indices]) -> tuple[Expression, ...] | None:
    """That the positions with the row's corners lie inside of their axes; None where a proof fails."""
    found: dict[Expression, None] = {}
    last = subtract(size_of(row.along.axis), ONE)
    for element in (node for node in row.step.walk() if isinstance(node, Element)):
        for position, index in zip(element.positions, own[element.tensor], strict=True):
            form = linear_form(position)
            if not any(_is_curved(unknown) for unknown in form.coefficients):
                continue
            factor = form.coefficient(row.along)
            low = form.without(row.along)
            high = low.plus(linear_form(last), factor)
            behind = linear_form(Size(index.axis)).plus(high, -1).plus(constant_form(-1))
            if factor < 0 or not all(is_never_negative(each.expression()) for each in (low, behind)):
                return None
            found |= dict.fromkeys((lower_bound(position), upper_bound(position, index.axis)))
    return tuple(found)


def _is_curved(unknown: Expression) -> bool:
    """Whether an unknown of a position is no index and no size, but made of counters."""
    return not isinstance(unknown, Index | Size) and any(isinstance(node, Counter) for node in unknown.walk())


def _bound(part: Expression, narrowed: Index) -> tuple[bool, LinearForm] | None:
    """(True, a) of narrowed >= a, (False, b) of narrowed < b, both of them one number inside the loop."""
    if not isinstance(part, Comparison) or part.tensors or part.operator not in ("<", "<=", ">", ">="):
        return None
    difference = subtract(part.left, part.right)
    form = linear_form(difference)
    factor = form.coefficient(narrowed)
    rest = form.without(narrowed)
    counted = all(
        not unknown.free_indices and not unknown.binds for unknown in rest.coefficients
    ) and is_integer(rest.expression())
    if abs(factor) != 1 or not counted:
        return None
    is_lower = (factor > 0) == (part.operator in (">", ">="))
    bound = rest.scaled(-factor)
    # narrowed > a is narrowed >= a + 1, narrowed <= b is narrowed < b + 1.
    moves = part.operator in ("<", ">") if is_lower else part.operator in ("<=", ">=")
    return is_lower, bound.plus(constant_form(1)) if moves else bound


def _furthest(bounds: Sequence[LinearForm], sign: int) -> LinearForm | None:
    """The largest of the bounds, or with sign -1 the smallest; None where no proof tells which that is."""
    for one in bounds:
        if all(is_never_negative(one.plus(other, -1).scaled(sign).expression()) for other in bounds):
            return one
    return None
