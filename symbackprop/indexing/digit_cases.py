"""Choices by a digit of an index of the result that others stand below: the index as two, cut at that digit.

    y[k] = where(mod(floor(k/size(m)), 2) == 0, f[floor(k/(2*size(m))),mod(k, size(m))], g[..])

is z[q,m] = where(mod(q, 2) == 0, f[floor(q/2),m], g[floor(q/2),m]), its axes merged: a case for each
remainder of q, and no masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.indexing.counting import size_of
from symbackprop.indexing.decisions import decided
from symbackprop.indexing.digit_axes import cut_at
from symbackprop.indexing.residues import residues_of
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import digit_of
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import ONE, Apply, Delta, Expression, Index, Where
from symbackprop.notation.substitution import substitute

Indices = tuple[Index, ...]


@dataclass(frozen=True)
class Cut:
    """An index of the result as size(low)*high + low, and the expression in these two."""

    index: Index
    high: Index
    low: Index
    expression: Expression

    @property
    def parts(self) -> Indices:
        """The two, the higher first."""
        return self.high, self.low

    def within(self, indices: Indices) -> Indices:
        """These indices, with the two in the place of the one."""
        return tuple(part for each in indices for part in (self.parts if each == self.index else (each,)))


def cut_for_choices(expression: Expression, result: Indices, own: Mapping[str, Indices]) -> Cut | None:
    """The first cut of an index of the result above which remainders decide all choices; None without one."""
    for index in result:
        for unit in dict.fromkeys(_units_of_choices(expression, index)):
            parts = cut_at(expression, index, unit, own)
            if parts is None:
                continue
            high, low = parts
            number = add(multiply(size_of(low.axis), high), low)
            cut = Cut(index, high, low, decided(substitute(expression, {index: number})))
            cases = residues_of(cut.expression, cut.within(result), own)
            if cases and cases[0].index == high:
                return cut
    return None


def _units_of_choices(expression: Expression, index: Index) -> Iterator[Expression]:
    """m of each floor(i/m) by which a condition or a delta chooses."""
    for choice in expression.walk():
        condition = choice.condition if isinstance(choice, Where) else choice
        if not isinstance(choice, Where | Delta) or index not in condition.free_indices:
            continue
        for node in condition.walk():
            digit = digit_of(node) if isinstance(node, Apply) else None
            if digit is not None and index in digit.base.free_indices:
                parts = (digit.base, *linear_form(digit.base).coefficients)
                inner = (digit_of(part) for part in parts if index in part.free_indices)
                units = [each.unit for each in inner if each is not None and each.base == index]
                units += [digit.unit] if digit.base == index else []
                yield from (related_form(unit).expression() for unit in units if unit != ONE)
