"""From a derivation to a program: every equation one statement, every result computed once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from symbackprop.array.aliasing import with_fresh_results
from symbackprop.array.checking import checked, checked_equations
from symbackprop.array.empty_axes import with_safe_means
from symbackprop.array.program import Line, Program
from symbackprop.array.solid_axes import with_solid_axes
from symbackprop.derivation.result import Derivation
from symbackprop.errors import NotationError, ProgramError
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.fact_checks import with_symmetries_checked
from symbackprop.lowering.loops import loop_lines
from symbackprop.lowering.outputs import initial_of, outputs_of
from symbackprop.lowering.place_checks import place_checks
from symbackprop.lowering.stepping import EquationLowering
from symbackprop.lowering.symbols import Symbols
from symbackprop.notation.expressions import Axis
from symbackprop.rules.symmetry import symmetries_used
from symbackprop.schedule.gates import with_shared_gates
from symbackprop.schedule.hoisting import hoisted
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.matrix_guards import with_guarded_matrices
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.recurrences import steps_of_stage
from symbackprop.schedule.sharing import shared
from symbackprop.schedule.solves import with_solves
from symbackprop.schedule.stability import stable_equations
from symbackprop.schedule.undefined_factors import with_deltas_as_conditions
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.portions import in_portions
from symbackprop.systems.printing import equation_text, system_text
from symbackprop.systems.system import DECLARED_ROLES, Equation, Role, System


def lower(derivation: Derivation) -> Program:
    """The program that computes a model's outputs, its loss and the gradients that were derived.

    Raises ProgramError for what has no lowering, a circle among the adjoints included.
    """
    gradients = {name: equation.tensor for name, equation in derivation.gradients.items()}
    formulas = {name: equation_text(equation) for name, equation in derivation.gradients.items()}
    symmetric = symmetries_used(derivation.system, derivation.steps)
    try:
        return _program(derivation.system, derivation.equations, gradients, formulas, symmetric)
    except NotationError as error:  # the model's own equations were in order
        raise ProgramError(error.cause, remedy=error.remedy) from error


def lower_system(system: System) -> Program:
    """The program of a model alone, without gradients."""
    return _program(system, (), {}, {}, {})


def _kernel_axes(system: System) -> frozenset[Axis]:
    """The axes that a loop may step through: those of parameters, and those that no tensor has."""
    parameters = system.with_role(Role.PARAMETER)
    owned = {index.axis for tensor in system.tensors.values() for index in tensor.indices}
    of_parameters = {index.axis for tensor in parameters for index in tensor.indices}
    return frozenset({*of_parameters, *(axis for axis in system.axes if axis not in owned)})


def _program(
    system: System,
    adjoints: tuple[Equation, ...],
    gradients: dict[str, str],
    formulas: dict[str, str],
    symmetric: Mapping[str, str],
) -> Program:
    written = _in_portions((*system.equations, *adjoints), system)
    formulas_as_written = {equation.tensor: equation_text(equation) for equation in written}
    stated = frozenset(known.tensor for known in system.positive_definite)
    derived = {equation.tensor for equation in adjoints}
    defined = with_deltas_as_conditions(written, system.tensors.values(), derived)
    guarded = with_guarded_matrices(with_shared_gates(stable_equations(defined)), system.tensors, stated)
    prepared = tuple(
        replace(equation, expression=with_solves(equation.expression)) for equation in guarded.equations
    )
    apart = hoisted(prepared, system.tensors)
    items = shared(apart, formulas_as_written, system.tensors)
    kinds = {name: Kind.INTEGER for name, tensor in system.tensors.items() if tensor.values is not None}
    kinds |= {item.equation.tensor: item.kind for item in items}
    own = {name: tensor.indices for name, tensor in system.tensors.items()}
    own |= {item.equation.tensor: item.equation.indices for item in items}
    checked_equations(items, {equation.tensor for equation in written}, own)
    values = {name: tensor.values for name, tensor in system.tensors.items() if tensor.values is not None}
    expressions = ExpressionLowering(kinds, own, guarded.positive_definite, values=values)
    taken = {*own, *(index.name for indices in own.values() for index in indices)}
    lowering = EquationLowering(expressions, Symbols(own, kinds, taken), _kernel_axes(system))
    ends = (*outputs_of(system), *((system.loss,) if system.loss else ()), *gradients.values())
    program = Program(
        model=system.name,
        source=system.source,
        tensors=system.with_role(*DECLARED_ROLES),
        sizes={axis.name: axis.size for axis in system.axes if axis.size is not None},
        statements=tuple(_lines(items, frozenset(ends), lowering)),
        outputs=outputs_of(system),
        loss=system.loss,
        gradients=gradients,
        formulas=formulas,
        place_checks=place_checks((item.equation for item in items), own, expressions),
        initials=tuple(initial_of(system, tensor) for tensor in system.with_role(Role.PARAMETER)),
        facts=system_text(system.behind_facts()) if system.facts or system.positive_definite else "",
    )
    looked_at = with_symmetries_checked(with_safe_means(program), symmetric, own)
    return checked(with_solid_axes(with_fresh_results(looked_at), system.equations), items)


def _in_portions(equations: tuple[Equation, ...], system: System) -> tuple[Equation, ...]:
    """The equations, with names for parts of what is too long or too deep for one statement."""
    layouts = {name: tensor.indices for name, tensor in system.tensors.items()}
    layouts |= {equation.tensor: equation.indices for equation in equations}
    return in_portions(equations, layouts, {*layouts, *(axis.name for axis in system.axes)})


def _lines(
    items: tuple[NamedEquation, ...], ends: frozenset[str], lowering: EquationLowering
) -> Iterator[Line]:
    """The lines of each equation, and a loop for each recurrence; `ends` are results of the program."""
    by_name = {item.equation.tensor: item for item in items}
    for stage in stages_of(tuple(item.equation for item in items)):
        members = [by_name[equation.tensor] for equation in stage.equations]
        if stage.recurrence is None:
            yield from lowering.lines(members[0])
            continue
        others = (item.equation for item in items if item not in members)
        read_later = ends.union(*(equation.reads for equation in others))
        axes = {name: [index.axis for index in indices] for name, indices in lowering.lowering.own.items()}
        steps = steps_of_stage(members, stage.recurrence, read_later, axes)
        yield from loop_lines(steps, lowering)
