"""The last of equal runs, made as long as the others.

On the way back the block next to the data passes on no delta, and so computes less than its equals. Who
writes one function for all has it compute that delta there too, and reads it nowhere: a few passes over
arrays, beside the block's matrix products, or products that are few among those of a deep stack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import permutations, takewhile

from symbackprop.array.cost import cost_of_lines
from symbackprop.array.ir import AxisSize, Elementwise, Expand, Literal, Read, Reduce, Reshape, Transpose
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Line, Statement
from symbackprop.array.value import Value
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.passes.axis_names import AxisName, AxisNames
from symbackprop.passes.doubled_stretches import CommonStretches
from symbackprop.passes.matching_lines import MatchingLines
from symbackprop.passes.renaming import names_in, renamed_line
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.schedule.named_equations import Origin

Names = Mapping[str, str]

# Of the operations of all lines, what products that nobody reads may take at most.
LARGEST_SHARE = Fraction(1, 16)

# What takes no longer than reading its operands; products of matrices, loops and scatters are none of it.
_PASSES = (AxisSize, Elementwise, Expand, Literal, Read, Reduce, Reshape, Transpose)
_PRODUCTS = (MatrixProduct, Tensordot)


@dataclass(frozen=True)
class _Match:
    """The last `length` lines are those before `end` in other names."""

    end: int
    length: int

    def by_length(self) -> tuple[int, int]:
        """Of equal length the nearest."""
        return self.length, self.end


def lacking_lines(
    matching: MatchingLines, named_runs: Iterable[Sequence[Names]], known: Collection[str]
) -> tuple[Statement, ...]:
    """What the last lines lack of the run that they begin like; none if it takes too much.

    `named_runs` has, for each earlier block, the tensors in each of its runs by the block's names; `known`
    are the names of all tensors.
    """
    match = _longest_match(matching)
    if match is None:
        return ()
    begin = len(matching.described) - match.length
    earlier = matching.described[match.end - match.length : match.end]
    alike = list(zip(earlier, matching.described[begin:], strict=True))
    names = dict(pair for one, other in alike for pair in zip(one.tensors, other.tensors, strict=True))
    for runs in named_runs:
        names = {**_counterparts(runs, names), **names}
    axes = AxisNames(dict(pair for one, other in alike for pair in zip(one.axes, other.axes, strict=True)))
    run = matching.described[match.end : begin if begin > match.end else None]
    over_known = takewhile(lambda each: axes.names.keys() >= {*each.axes}, run)
    found = tuple(_in_last_run([each.line for each in over_known], names, axes, set(known)))
    passes = tuple(takewhile(partial(_is_made_of, _PASSES), found))
    if cost_of_lines(found) <= LARGEST_SHARE * cost_of_lines(matching.lines):
        return found
    return passes if cost_of_lines(passes) <= cost_of_lines(matching.lines[begin:]) else ()


def _longest_match(matching: MatchingLines) -> _Match | None:
    """The longest run that ends before the last line and that the last lines are in other names."""
    backwards = CommonStretches(matching.shapes[::-1])
    number = len(matching.shapes)
    alike = {end: backwards.common(0, number - end, end) for end in range(1, number)}
    longest: _Match | None = None
    for end in sorted((end for end in alike if alike[end]), key=lambda end: (alike[end], end), reverse=True):
        if longest is not None and alike[end] < longest.length:
            break  # no end is left at which a longer run could end
        match = _match(matching, end)
        longest = match if longest is None else max(longest, match, key=_Match.by_length)
    return longest


def _match(matching: MatchingLines, end: int) -> _Match:
    names: dict[str | AxisName, str | AxisName] = {}
    others: dict[str | AxisName, str | AxisName] = {}
    length = 0
    while length < end and matching.shapes[end - 1 - length] == matching.shapes[-1 - length]:
        one_line, other_line = matching.described[end - 1 - length], matching.described[-1 - length]
        pairs = list(zip(one_line.names, other_line.names, strict=True))
        if any(names.get(one, other) != other or others.get(other, one) != one for one, other in pairs):
            break
        names |= dict(pairs)
        others |= {other: one for one, other in pairs}
        length += 1
    return _Match(end, length)


def _counterparts(runs: Sequence[Names], names: Names) -> Names:
    """What more goes over into what, where tensors of one of these runs go over into those of another."""
    for one, other in permutations(runs, 2):
        pairs = {name: other[own] for own, name in one.items()}
        if any(names.get(name) == pair != name for name, pair in pairs.items()):
            return pairs
    return {}


def _in_last_run(run: Sequence[Line], names: Names, axes: AxisNames, known: set[str]) -> Iterator[Statement]:
    """The lines of a run in the names of the last one, up to the first that is no pass and no product."""
    names = dict(names)
    for line in run:
        if not isinstance(line, Statement) or not _is_made_of((*_PASSES, *_PRODUCTS), line):
            return
        names[line.name] = numbered_name(_named_alike(line, names), known)
        known.add(names[line.name])
        if not names.keys() >= {*names_in(line)} or not known.issuperset(names[name] for name in line.reads):
            return
        yield _renamed(line, names, axes)


def _is_made_of(kinds: tuple[type[Value], ...], line: Statement) -> bool:
    return all(isinstance(node, kinds) for node in line.value.walk())


def _named_alike(line: Statement, names: Names) -> str:
    """`delta_x0` for `delta_x1` where x1 goes over into x0."""
    tensor = line.origin.adjoint.tensor if line.origin.adjoint else ""
    is_named_by_it = bool(tensor) and line.name.endswith(tensor)
    return line.name.removesuffix(tensor) + names.get(tensor, tensor) if is_named_by_it else line.name


def _renamed(line: Statement, names: Names, axes: AxisNames) -> Statement:
    def origin_of(origin: Origin) -> Origin:
        source, stated = axes.of(origin.source), origin.stated
        return replace(origin, source=renamed_equation(source, names), stated=renamed_equation(stated, names))

    found = renamed_line(axes.of_line(line), names, origin_of)
    assert isinstance(found, Statement)
    return found
