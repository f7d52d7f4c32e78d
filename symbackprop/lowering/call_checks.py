"""What a module holds its data against when it is called: positions that sizes decide, and facts.

A position may be read outside every condition that would keep it inside. What follows from the declared sizes
was proved when the model was read; the rest is a matter of the sizes that the arrays bring, so that a module
looks at it when it is called: a position never wraps round. Facts that a gradient's form rests on are looked
at there, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from symbackprop.array.ir import Read
from symbackprop.array.linear_algebra import Cholesky, Symmetric
from symbackprop.array.nonempty_axes import factors_of_size
from symbackprop.array.program import Line, PlaceCheck, Program, Statement, rewrite_lines, statements_in
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.array.views import lined_up, union_in_order
from symbackprop.integers.bounds import conjuncts, unproved_bounds
from symbackprop.integers.choices import axes_needed, choices_in, is_certain, widths_of_clips
from symbackprop.integers.guards import GuardedRead, guarded_reads
from symbackprop.integers.pointers import axes_with_steps
from symbackprop.integers.whole_definitions import WholeDefinition
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.notation.expressions import Axis, Comparison, Element, Expression, Index, Logic, Size
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import Origin, Part
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import text
from symbackprop.systems.recurrences import at_step
from symbackprop.systems.system import Equation, System


def place_checks(
    equations: Iterable[Equation],
    own: Mapping[str, tuple[Index, ...]],
    lowering: ExpressionLowering,
    given: Collection[str],
) -> tuple[PlaceCheck, ...]:
    """The checks that the equations need, each once; that of x[ids[0]] after that of ids[0].

    `given` are the integers that a call brings. Where real numbers choose a position, all are looked at.
    """
    stated = tuple(equations)
    conditions_named = _named_conditions(stated)
    found: dict[object, PlaceCheck] = {}
    for equation in stated:
        expression = _with_conditions(equation.expression, conditions_named)
        for read in sorted(guarded_reads(expression), key=_lookups_within):
            for position, index in zip(read.element.positions, own[read.element.tensor], strict=True):
                certain = partial(_is_certain, lowering=lowering)
                for chosen, conditions in choices_in(position, certain, read.conditions):
                    if not chosen.tensors.issubset(given):
                        # Proved to lie inside when the model was read, if the bounds of clips are in order.
                        for width in widths_of_clips(chosen, index.axis):
                            if unproved_bounds(chosen, index.axis, conditions):
                                check = _check(read, width, index.axis, (), lowering)
                                found.setdefault((check.places, check.condition, check.axis), check)
                        continue
                    if unproved_bounds(chosen, index.axis, conditions):
                        # Where a maximum is, real numbers say, which a module does not look at.
                        certain_too = tuple([each for each in conditions if each.tensors.issubset(given)])
                        check = _check(read, chosen, index.axis, certain_too, lowering)
                        found.setdefault((check.places, check.condition, check.axis), check)
    return tuple(found.values())


def needed_axes(system: System) -> Mapping[str, str]:
    """The names of axes without a place of which computed integers are no places, and the first that are not.

    No equation that has no places itself where the axis is empty needs it.
    """
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    found: dict[str, str] = {}
    for equation in system.equations:
        own = system.places.get(equation.tensor)
        certain = partial(is_certain, integers=system.integers)
        over = {name for index in equation.indices for name in factors_of_size(index.axis)}
        for axis in (*((own,) if own else ()), *axes_needed(equation.expression, axes, certain)):
            if axis.name not in over:
                found.setdefault(axis.name, text(equation.element))
    for equation, axis in _axes_of_steps(system):
        found.setdefault(axis.name, text(equation.element))
    return found


def _axes_of_steps(system: System) -> Iterator[tuple[Equation, Axis]]:
    """The axes by whose sizes recurrences step, s[t - size(p)]: without a place s[t] would need itself."""
    for stage in stages_of(system.equations):
        for recurrence in stage.nested:
            for equation in recurrence.equations:
                step = at_step(recurrence, equation)
                for read in guarded_reads(equation.expression):
                    if (place := recurrence.places.get(read.whole.tensor)) is not None:
                        position = read.whole.positions[place]
                        for axis in axes_with_steps(position, step, read.conditions):
                            yield equation, axis


def _named_conditions(equations: Iterable[Equation]) -> Mapping[str, WholeDefinition]:
    """The conditions that are computed by names of their own: m_below_n[n,m] = m < n."""
    return {
        each.tensor: WholeDefinition(each.tensor, each.indices, each.expression)
        for each in equations
        if isinstance(each.expression, Comparison | Logic)
    }


def _with_conditions(expression: Expression, named: Mapping[str, WholeDefinition]) -> Expression:
    """The expression with the conditions for their names, which no module has computed when it looks."""

    def change(node: Expression) -> Expression:
        if isinstance(node, Element) and node.tensor in named:
            return _with_conditions(named[node.tensor].at(node.positions), named)
        return node

    return expression if expression.tensors.isdisjoint(named) else rewrite_bottom_up(expression, change)


def _lookups_within(read: GuardedRead) -> int:
    return max((_depth(position) for position in read.element.positions), default=0)


def _depth(position: Expression) -> int:
    """How many elements stand inside one another."""
    return isinstance(position, Element) + max(map(_depth, position.children), default=0)


def _is_certain(condition: Expression, lowering: ExpressionLowering) -> bool:
    """Whether a condition can be looked at when a module is called, and no real number is rounded in it."""
    return not condition.tensors or lowering.compares_integers(condition)


def _check(
    read: GuardedRead,
    position: Expression,
    axis: Axis,
    conditions: tuple[Expression, ...],
    lowering: ExpressionLowering,
) -> PlaceCheck:
    parts = tuple(dict.fromkeys(part for each in conditions for part in conjuncts(each)))
    order = tuple(dict.fromkeys(_indices((position, *parts))))
    condition = Logic("and", parts) if len(parts) > 1 else parts[0] if parts else None
    # Nested in the position there may be reads of their own, which the conditions keep inside.
    inside = lowering if condition is None else lowering.under(condition)
    places = inside.integer(position, order)
    holds = () if condition is None else (lowering.value(condition, order),)
    target = union_in_order((places, *holds), order)
    return PlaceCheck(
        element=text(read.element),
        position=text(position),
        axis=axis,
        places=lined_up(places, target),
        condition=lined_up(holds[0], target) if holds else None,
        axes=tuple(dict.fromkeys((axis, *_axes((position, *parts))))),
        tensors=tuple(sorted(position.tensors.union(*(part.tensors for part in parts)))),
    )


def _indices(expressions: Iterable[Expression]) -> Iterator[Index]:
    for expression in expressions:
        yield from (node for node in expression.walk() if isinstance(node, Index))


def _axes(expressions: Iterable[Expression]) -> Iterator[Axis]:
    for expression in expressions:
        yield from (node.axis for node in expression.walk() if isinstance(node, Index | Size))


def with_symmetries_checked(
    program: Program, facts: Mapping[str, str], own: Mapping[str, tuple[Index, ...]]
) -> Program:
    """The program, where the lines that read these tensors on the way back do so once they are looked at.

    `facts` gives the tensors whose symmetry was used, each with the fact that states it. Where nothing on the
    way back reads one, what reads it on the way to the loss does.
    """
    for tensor, fact in facts.items():
        program = _checked(program, tensor, fact, own[tensor])
    return program


def _checked(program: Program, tensor: str, fact: str, indices: tuple[Index, ...]) -> Program:
    ahead = program.needed_for((*program.outputs, *((program.loss,) if program.loss else ())))
    readers = [line for line in program.statements if tensor in line.reads and tensor not in line.written]
    chosen = [line for line in readers if line not in ahead] or readers
    if not chosen or any(_is_factored(line, tensor) for line in ahead):
        return program
    taken = {tensor.name for tensor in program.tensors}.union(*(line.written for line in program.statements))
    name = numbered_name(f"{tensor}_symmetric", taken)

    def renamed(value: Value) -> Value:
        return replace(value, name=name) if isinstance(value, Read) and value.name == tensor else value

    lines: list[Line] = []
    for line in program.statements:
        if line is chosen[0]:
            checked = Symmetric(Read(tensor, indices, Kind.REAL), tensor, fact)
            same = Equation(name, indices, Element(tensor, indices))
            lines.append(Statement(name, checked, origin=_origin(line, tensor, same), opens=True))
        lines += rewrite_lines((line,), renamed) if any(line is each for each in chosen) else (line,)
    return replace(program, statements=tuple(lines))


def _origin(line: Line, tensor: str, stated: Equation) -> Origin:
    """That of the first statement which reads the tensor."""
    readers = (each for each in statements_in((line,)) if tensor in each.reads)
    return next(readers).origin.of_part(Part.CHECK, stated)


def _is_factored(line: Line, tensor: str) -> bool:
    """Whether a line is sure to factor the tensor's matrices, which looks at them too."""
    nodes = [node for value in line.values for node in value.walk()]
    return any(isinstance(node, Cholesky) and node.tensor == tensor for node in nodes) and not any(
        isinstance(node, Conditional) for node in nodes
    )
