"""From a derivation to a program: every equation one statement, every result computed once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial

from symbackprop.array.aliasing import with_fresh_results
from symbackprop.array.checking import checked, checked_equations
from symbackprop.array.empty_axes import with_maxima_over_nothing, with_safe_divisors
from symbackprop.array.nonempty_axes import with_nonempty_axes
from symbackprop.array.program import Line, PlaceCheck, Program
from symbackprop.array.related_sizes import related_sizes
from symbackprop.collecting import few_passes
from symbackprop.derivation.result import Derivation
from symbackprop.extrema.nearest_rows import with_nearest_rows
from symbackprop.extrema.picked_places import with_places_of_maxima
from symbackprop.extrema.shared_positions import with_shared_positions
from symbackprop.lowering.call_checks import needed_axes, place_checks, with_symmetries_checked
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.loops import loop_lines
from symbackprop.lowering.outputs import outputs_of, starts_of
from symbackprop.lowering.scattered_sums import with_scattered_sums
from symbackprop.lowering.stepping import EquationLowering
from symbackprop.lowering.symbols import Lines, Symbols
from symbackprop.notation.expressions import Axis
from symbackprop.passes.copied_windows import with_copied_windows
from symbackprop.passes.equal_statements import EqualStatements, Nameless
from symbackprop.passes.masked_exponents import with_masked_exponents
from symbackprop.passes.means import with_means
from symbackprop.passes.stated_names import with_stated_names
from symbackprop.rules.symmetry import stated_symmetries, symmetries_used
from symbackprop.schedule.driver import Schedule, schedule_of
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.recurrences import steps_of_stage
from symbackprop.systems.dependence import stops_gradient
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import DECLARED_ROLES, Equation, Role, System


@few_passes()
def lower(
    derivation: Derivation,
    schedule: Schedule | None = None,
    bands: bool = False,
    each_by_itself: bool = False,
) -> Program:
    """The program that computes a model's outputs, its loss and the gradients that were derived.

    `schedule` is that of the derivation, where it is known. With `bands`, small kernels become band matrices
    on the way back: faster, and not what a person writes. Equations that are equal but for names are lowered
    once, unless `each_by_itself`, which gives the same program. Raises ProgramError for what has no lowering,
    a circle among the adjoints included.
    """
    stated = stated_symmetries(derivation.system)
    symmetric = symmetries_used(derivation.system, stated, derivation.steps) if stated else {}
    scheduled = schedule or schedule_of(derivation)
    return _program(derivation.system, scheduled, derivation.gradients, symmetric, bands, each_by_itself)


def _kernel_axes(system: System) -> frozenset[Axis]:
    """The axes that a loop may step through: those of parameters, and those that no tensor has."""
    parameters = system.with_role(Role.PARAMETER)
    owned = {index.axis for tensor in system.tensors.values() for index in tensor.indices}
    of_parameters = {index.axis for tensor in parameters for index in tensor.indices}
    return frozenset({*of_parameters, *(axis for axis in system.axes if axis not in owned)})


def _program(
    system: System,
    schedule: Schedule,
    gradients: Mapping[str, Equation],
    symmetric: Mapping[str, str],
    bands: bool,
    each_by_itself: bool,
) -> Program:
    stated = schedule.equations  # whose positions are checked: those of maxima lie inside
    taken = _names_in(system, stated)
    ends = (
        *outputs_of(system),
        *((system.loss,) if system.loss else ()),
        *(each.tensor for each in gradients.values()),
    )
    placed = with_places_of_maxima(stated, taken)
    taken |= {item.equation.tensor for item in placed}
    items = with_nearest_rows(with_shared_positions(placed, taken), ends, taken)
    symbols, of_stated = _symbols(system, items), _symbols(system, stated)
    checked_equations(items, symbols.own)
    expressions = _expressions(system, schedule, items, symbols)
    lowering = EquationLowering(expressions, _kernel_axes(system), bands=bands)
    lines = _lines(items, frozenset(ends), lowering, symbols, each_by_itself)
    brought = system.integers.keys() - system.places.keys()
    checks = place_checks((item.equation for item in stated), of_stated.own, expressions, brought)
    program = with_lines(system, gradients, lines, checks)
    divided = with_maxima_over_nothing(with_safe_divisors(program), system.equations)
    looked_at = with_symmetries_checked(divided, symmetric, symbols.own)
    guarded = with_nonempty_axes(with_fresh_results(looked_at), system.equations, needed_axes(system))
    return with_stated_names(checked(with_means(with_masked_exponents(with_copied_windows(guarded))), items))


def with_lines(
    system: System,
    gradients: Mapping[str, Equation],
    lines: Lines,
    checks: tuple[PlaceCheck, ...] = (),
) -> Program:
    """The program of these lines, and all else in it as the system says."""
    initials, sizes_of_init = starts_of(system)
    return Program(
        model=system.name,
        source=system.source,
        tensors=system.with_role(*DECLARED_ROLES),
        sizes={axis.name: axis.size for axis in system.axes if axis.size is not None},
        statements=lines,
        outputs=outputs_of(system),
        loss=system.loss,
        gradients={name: equation.tensor for name, equation in gradients.items()},
        formulas=gradients,
        shorthands=system.shorthands,
        stopped=tuple(each.tensor for each in system.equations if stops_gradient(each.expression)),
        place_checks=checks,
        initials=initials,
        related=related_sizes(system),
        related_in_init=sizes_of_init,
        facts=system_text(system.behind_facts()) if system.facts or system.positive_definite else "",
    )


def _names_in(system: System, items: tuple[NamedEquation, ...]) -> set[str]:
    tensors = {*system.tensors, *(item.equation.tensor for item in items)}
    return tensors | {axis.name for axis in system.axes}


def _expressions(
    system: System, schedule: Schedule, items: tuple[NamedEquation, ...], symbols: Symbols
) -> ExpressionLowering:
    """What lowers the expressions of these equations."""
    values = {name: tensor.values for name, tensor in system.tensors.items() if tensor.values is not None}
    ranges = Ranges.of_circles(system.tensors.values(), [item.equation for item in items])
    definite = schedule.positive_definite
    return ExpressionLowering(symbols.kinds, symbols.own, definite, values=values, ranges=ranges)


def _symbols(system: System, items: tuple[NamedEquation, ...]) -> Symbols:
    """What the names of a model and of its scheduled equations stand for."""
    kinds = {name: Kind.INTEGER for name, tensor in system.tensors.items() if tensor.values is not None}
    kinds |= {item.equation.tensor: item.kind for item in items}
    own = {name: tensor.indices for name, tensor in system.tensors.items()}
    own |= {item.equation.tensor: item.equation.indices for item in items}
    taken = {*own, *(index.name for indices in own.values() for index in indices)}
    return Symbols(own, kinds, frozenset(taken))


def _lines(
    items: tuple[NamedEquation, ...],
    ends: frozenset[str],
    lowering: EquationLowering,
    symbols: Symbols,
    each_by_itself: bool,
) -> Lines:
    """The lines of each equation, and a loop for each recurrence; `ends` are results of the program."""
    by_name = {item.equation.tensor: item for item in items}
    equal = None if each_by_itself else EqualStatements()
    found: list[Line] = []
    ranges = lowering.expressions.ranges
    for stage in stages_of(tuple(item.equation for item in items)):
        members = [by_name[equation.tensor] for equation in stage.equations]
        if stage.recurrence is None:
            lines, symbols = _of_one(members[0], lowering, symbols, equal)
            lowering = lowering.after(members[0].equation)
        else:
            others = (item.equation for item in items if item not in members)
            read_later = ends.union(*(equation.reads for equation in others))
            found_sums = with_scattered_sums(
                members, stage.recurrence, symbols.own, lowering.expressions, symbols.taken
            )
            for total in found_sums.sums:
                for equation in (total.item.equation, total.addend):
                    symbols = symbols.declaring(equation.tensor, equation.indices, Kind.REAL)
            axes = {name: [index.axis for index in indices] for name, indices in symbols.own.items()}
            loops = steps_of_stage(found_sums.items, found_sums.recurrence, read_later, axes, ranges)
            lines, symbols = loop_lines(loops, found_sums.sums, lowering, symbols)
        found += lines
    return tuple(found)


def _of_one(
    item: NamedEquation, lowering: EquationLowering, symbols: Symbols, equal: EqualStatements | None
) -> tuple[Lines, Symbols]:
    """The lines of an equation, in which no recurrence runs, and the symbols known then."""
    reads_maximum = any(each.tensor in item.equation.reads for each in lowering.maxima)
    if equal is None or reads_maximum or symbols.invariants.names:
        return lowering.lines(item, symbols)  # which may depend on what has been computed before
    asked = Nameless(item, partial(_facts, lowering.expressions, symbols))
    known = equal.statement(asked)
    if known is not None:
        return (known,), symbols
    lines, after = lowering.lines(item, symbols)
    if after.taken is symbols.taken and not after.invariants.names:
        equal.keep(asked, lines)
    return lines, after


def _facts(lowering: ExpressionLowering, symbols: Symbols, name: str) -> Hashable:
    """All that lowering asks about a tensor."""
    ranges = lowering.ranges
    known = (ranges.positive, ranges.nonnegative, ranges.undefined, ranges.infinite)
    signs = [name in names for names in known]
    own, kind, axes = symbols.own.get(name), symbols.kinds.get(name), ranges.axes.get(name)
    return own, kind, axes, *signs, lowering.values.get(name), lowering.positive_definite.get(name)
