"""Kernels as band matrices: a scattered sum over a short axis as one product, with nothing left to scatter.

    d[n,c,i] = sum(o, r, w[o,c,r]*pad(g[n,o,i-r]))
             = sum(o, a, w_band[o,a,c,i]*g[n,o,a]),  w_band[o,a,c,i] = pad(w[o,c,i-a])

Most of the band is zeros, so that the product is larger; but col2im adds up rows that are as short as the
axis, where a call of NumPy costs more for each row than for its numbers. Both are the same sum of finite
numbers; an infinite g[n,o,a] is no number times those zeros, and spoils its whole row d[n,c,:].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from symbackprop.cost.assumptions import PROGRAM
from symbackprop.indexing.counting import counter_of
from symbackprop.indexing.term_plans import Indices, TermPlan
from symbackprop.indexing.windows import Stepped
from symbackprop.integers.guards import padded
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import Element, Expression, Multiply, Reduction

# In multiply-adds of a large product of matrices, by NumPy 2 on a CPU with AVX2: a row that is added up in an
# array, and each of its numbers.
ROW, NUMBER = 500, 12


@dataclass(frozen=True)
class Band:
    """The matrix, with the indices of its array, and the factors that are summed with it over others."""

    matrix: Expression
    indices: Indices
    others: tuple[Expression, ...]
    summed: Indices

    def product(self, matrix: Expression) -> Expression:
        """The sum that reads the matrix from this expression."""
        return Reduction("sum", self.summed, Multiply((matrix, *self.others)))


def band_of(plan: TermPlan, result: Indices, own: Mapping[str, Indices]) -> Band | None:
    """The kernel of a scattered sum as a band matrix, along one axis; None where that costs more.

    `result` are the indices of the sum, `own` those of the tensors that are read.
    """
    bands = (_band(plan, way, result, own) for way in reversed(plan.ways))
    return next((band for band in bands if band is not None), None)


def _band(plan: TermPlan, way: Stepped, result: Indices, own: Mapping[str, Indices]) -> Band | None:
    term, solved, along, counter = plan.term, way.solved, way.along, counter_of(way.index)
    if not isinstance(term, Reduction) or solved is None or along is None:
        return None
    single = TermPlan(term, (), term.body, term.indices, result, plan.ranges).stepping(way, own)
    moving = [factor for factor in factors_of(single.body) if counter in factor.walk()]
    others = tuple(factor for factor in factors_of(single.body) if factor not in moving)
    place = linear_form(way.place)
    if len(moving) != 1 or place.coefficient(counter) != 1:
        return None
    (kernel,) = moving
    if not isinstance(kernel, Element) or {solved, along} & kernel.free_indices:
        return None
    if any(counter in position.walk() and position != counter for position in kernel.positions):
        return None
    offset = linear_form(solved).plus(place, -1).plus(linear_form(counter))
    positions = tuple(offset.expression() if each == counter else each for each in kernel.positions)
    matrix = padded(Element(kernel.tensor, positions), [index.axis for index in own[kernel.tensor]])
    steps = tuple(each.index for each in plan.ways if each is not way)
    summed = (*(index for index in single.bound if index not in steps), along)
    rows = tuple(index for index in result if index != solved)
    at = result.index(solved)
    live = (*summed, *rows[:at], *steps, solved, *rows[at:])
    indices = tuple(index for index in live if index in matrix.free_indices)
    band = Band(matrix, indices, others, (*steps, *summed))
    return band if _is_cheaper(band, way, result, steps) else None


def _is_cheaper(band: Band, way: Stepped, result: Indices, steps: Indices) -> bool:
    """Whether a larger product costs less than rows that are added up, for each of them and its numbers."""
    solved, along = way.solved, way.along
    assert solved is not None and along is not None
    sizes = (way.index.axis.size, along.axis.size, solved.axis.size)
    if None in sizes:
        return False
    kernel, given, wanted = (size or 0 for size in sizes)
    behind = PROGRAM.count(result[result.index(solved) + 1 :])
    summed = PROGRAM.count(index for index in band.summed if index not in (*steps, along))
    scattering = kernel * (ROW + NUMBER * given * behind)
    adding = ROW + NUMBER * wanted * behind if steps else 0
    more = summed * given * (wanted - kernel) * behind
    # The matrix is filled once, row by row, for all other indices of the result.
    free = frozenset().union(*(factor.free_indices for factor in band.others))
    read_for = PROGRAM.count(free - {*band.summed, *band.indices})
    filling = prod((summed, given, ROW + NUMBER * wanted)) // max(1, read_for)
    return adding + more + filling < scattering
