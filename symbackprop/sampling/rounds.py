"""The sizes on which a gradient is checked, round after round, and how the data of a round are changed.

All axes different, so that a transposition or a sum over the wrong axis shows; then with axes of size 1,
where broadcasting hides what is missing; then as every condition on indices and sizes needs it to take both
values. At last all axes different again, on data that are not centred and far from 1 in size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from symbackprop.errors import NotationError
from symbackprop.integers.base_sizes import with_formulas
from symbackprop.integers.recognition import is_exact
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Comparison, Expression, Index, Number, Size
from symbackprop.sampling.related_sizes import following, free_axes
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.sampling.stress import PLAIN, Stress, scaled, shifted
from symbackprop.semantics.integer_values import condition_holds
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

LARGEST_TRIED = 12
FARTHEST = 300  # beyond which no sizes are sought for a condition
MOST_PLACES = 5_000  # positions of a condition's indices that are looked at
MOST_SEARCHED = 2_000  # sizes that are tried for a condition
MOST_ROUNDS = 8
# The strongest first: what overflows is tried on gentler data.
SHIFTED = tuple(shifted(offset) for offset in (1e4, 1e2, 1e1))
SCALED = tuple(scaled(factor) for factor in (8.0, 3.0, 1.5))


@dataclass(frozen=True)
class SizesOfRound:
    """What these sizes are for, and the sizes; the data are changed by `stress`.

    Where the model is not finite on such data, the `gentler` rounds stand in for it, one after another.
    """

    name: str
    sizes: Mapping[str, int]
    stress: Stress = PLAIN
    gentler: tuple[SizesOfRound, ...] = ()

    def moved(self, sizes: Mapping[str, int], others: Mapping[str, int]) -> SizesOfRound:
        """The same on other sizes, where it is on these."""
        gentler = tuple(each.moved(sizes, others) for each in self.gentler)
        return replace(self, sizes=others, gentler=gentler) if self.sizes == sizes else self


def rounds_of_sizes(system: System) -> tuple[tuple[SizesOfRound, ...], tuple[str, ...]]:
    """The sizes of each round, and remarks on the conditions for which no sizes give both values.

    Axes of a declared size keep it, and an axis that is read beyond its size grows as far as it must.
    """
    rounds = [SizesOfRound(worded("different sizes"), model_sizes(system))]
    rounds += _without_repetition(rounds, sizes_with_ones(system))
    remarks = []
    for condition in conditions_on_sizes(system):
        for wanted in (True, False):
            if any(wanted in values_taken(condition, each.sizes) for each in rounds):
                continue
            found = _sizes_where(system, condition, wanted) if len(rounds) < MOST_ROUNDS else None
            if found is not None:
                rounds.append(SizesOfRound(f"{text(condition)} {'holds' if wanted else 'fails'}", found))
            elif wanted or any(isinstance(node, Size) for node in condition.walk()):
                remarks.append(
                    f"{text(condition)} is {'never' if wanted else 'always'} true on the sizes tried"
                )
    return tuple(rounds), tuple(remarks)


def sizes_beyond(system: System) -> Iterator[Mapping[str, int]]:
    """Sizes for each value of a condition that only axes longer than those of the rounds give.

    For data that are evaluated alone: derivatives by differences would take too long there.
    """
    for condition, wanted in product(conditions_on_sizes(system), (True, False)):
        numbers = {abs(int(node.value)) for node in condition.walk() if isinstance(node, Number)}
        near = {number + step for number in numbers for step in (0, 1, 2)}
        far = sorted(size for size in near if LARGEST_TRIED < size <= FARTHEST)
        found = _sizes_where(system, condition, wanted, (2, 3, *far)) if far else None
        if found is not None:
            yield found


def stress_rounds(sizes: Mapping[str, int]) -> list[SizesOfRound]:
    """Data that are shifted, and data that are scaled, on these sizes, as far as the model bears it."""
    of_kinds = [
        [SizesOfRound(worded("data {kind}", kind=stress.name), sizes, stress) for stress in kind]
        for kind in (SHIFTED, SCALED)
    ]
    return [replace(strongest, gentler=tuple(others)) for strongest, *others in of_kinds]


def _without_repetition(
    rounds: list[SizesOfRound], further: Iterator[Mapping[str, int]]
) -> Iterator[SizesOfRound]:
    seen = [each.sizes for each in rounds]
    for sizes in further:
        if sizes not in seen:
            seen.append(sizes)
            yield SizesOfRound(worded("axes of size 1"), sizes)


def grown(system: System, sizes: Mapping[str, int], by: int) -> Mapping[str, int]:
    """Open axes so much longer."""
    return model_sizes(system, {name: sizes[name] + by for name in free_axes(system.axes)})


def sizes_with_ones(system: System) -> Iterator[Mapping[str, int]]:
    """Every other open axis of size 1, then the others: each is 1 once, beside larger ones."""
    yield from (model_sizes(system, ones) for ones in ones_in_turn(free_axes(system.axes)))


def ones_in_turn(names: Sequence[str]) -> list[dict[str, int]]:
    """Size 1 for every other name, then for the others."""
    return [dict.fromkeys(ones, 1) for ones in (names[::2], names[1::2]) if ones]


def conditions_on_sizes(system: System) -> list[Comparison]:
    """The comparisons of a model's equations that indices and sizes decide exactly, each once."""
    found: dict[Comparison, None] = {}
    for equation in system.equations:
        for node in equation.expression.walk():
            if isinstance(node, Comparison) and is_exact(node):
                found[node] = None
    return list(found)


def values_taken(condition: Comparison, sizes: Mapping[str, int]) -> frozenset[bool]:
    """Which of true and false a condition is somewhere over the ranges of its indices, for these sizes."""
    indices = sorted(condition.free_indices, key=lambda index: index.name)
    ranges = [range(sizes[index.axis.name]) for index in indices]
    if prod(len(each) for each in ranges) > MOST_PLACES:
        ranges = [range(min(len(each), 2 * LARGEST_TRIED)) for each in ranges]
    taken: set[bool] = set()
    for place in product(*ranges):
        try:
            taken.add(condition_holds(condition, dict(zip(indices, place, strict=True)), sizes, _no_tensor))
        except (NotationError, ZeroDivisionError):  # no whole number at this place: nothing is decided there
            continue
        if len(taken) == 2:
            break
    return frozenset(taken)


def _no_tensor(node: Expression, at: Mapping[Index, int]) -> int:
    raise NotationError(worded("{node} is read in a condition on sizes", node=text(node)))


def _sizes_where(
    system: System,
    condition: Comparison,
    wanted: bool,
    of_an_axis: Sequence[int] = range(1, LARGEST_TRIED + 1),
) -> Mapping[str, int] | None:
    """The smallest sizes of the axes that a condition speaks of for which it takes this value somewhere."""
    spoken_of = {node.axis.name for node in with_formulas(condition) if isinstance(node, Index | Size)}
    names = [name for name in free_axes(system.axes) if name in spoken_of]
    usual = model_sizes(system)
    tried = sorted(product(of_an_axis, repeat=min(len(names), 3)), key=sum)
    for sizes in tried[:MOST_SEARCHED]:
        wish = dict(zip(names, sizes, strict=False))
        tried_first = following(system.axes, {**usual, **wish})
        if tried_first is None or not _takes(condition, wanted, tried_first):
            continue
        grown = model_sizes(system, wish)
        if _takes(condition, wanted, grown):
            return grown
    return None


def _takes(condition: Comparison, wanted: bool, sizes: Mapping[str, int]) -> bool:
    return wanted in values_taken(condition, sizes)
