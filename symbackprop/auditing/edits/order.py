"""The changes of a statement in the order in which they are tried.

A change that makes the results of several draws the expected ones says which line is wrong, how, and what
should stand there, in the names of whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from symbackprop.auditing.edits.arrangements import (
    lookup_turned_round,
    outer_product,
    tile,
    transposed_half,
)
from symbackprop.auditing.edits.axes import (
    along_another_axis,
    axis,
    axis_dropped,
    axis_forgotten,
    einsum_axes,
    einsum_sums,
    placed_axis,
    size_of_axis,
    size_worked_out,
    transpose,
)
from symbackprop.auditing.edits.factors import (
    another_factor,
    divisor_at_hand,
    extra_factor,
    extra_term,
    factor_at_hand,
    factor_of_a_term,
    factor_of_what_was,
    misplaced_power,
    missing_power,
    power_at_hand,
    term_at_hand,
    wrong_operation,
)
from symbackprop.auditing.edits.reads import (
    another_array,
    another_count,
    another_function,
    another_item,
    another_part,
    another_value,
    complement,
    exchanged,
    exchanged_places,
    other_part,
    reversal,
)
from symbackprop.auditing.edits.statements import (
    accumulation,
    centred,
    choice_alone,
    comparison,
    connective,
    in_place,
    repeated_positions,
    sign,
)
from symbackprop.auditing.edits.steps import carried_term, step
from symbackprop.auditing.sites import Proposal, Site

Edit: TypeAlias = Callable[[Site], Iterator[Proposal]]

OF_SIZES: tuple[Edit, ...] = (another_value, another_item, size_of_axis, another_count)
OF_DISPLAYS: tuple[Edit, ...] = (exchanged, in_place)
EDITS: tuple[Edit, ...] = (
    sign, step, transpose, axis, axis_dropped, axis_forgotten, size_of_axis, another_value, another_factor,
    exchanged, accumulation, einsum_axes, einsum_sums, another_item, another_function, complement,
    factor_of_a_term, centred, reversal, repeated_positions, lookup_turned_round, tile, transposed_half,
    in_place, extra_factor, missing_power, misplaced_power, wrong_operation, extra_term, choice_alone,
    comparison, connective, another_count, along_another_axis, placed_axis, other_part, another_part,
    outer_product, exchanged_places, factor_of_what_was, size_worked_out, carried_term,
)  # fmt: skip
# Tried where nothing plainer mends anything, each at all statements before the next.
FAR_FETCHED: tuple[Edit, ...] = (
    another_array, divisor_at_hand, factor_at_hand, term_at_hand, power_at_hand,
)  # fmt: skip
