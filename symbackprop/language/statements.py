"""What the statements of a model define: functions with their parameters and local names, and tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from symbackprop.integers.bounds import by_length
from symbackprop.integers.integer_valued import with_whole_floors
from symbackprop.integers.recognition import is_integer
from symbackprop.integers.whole_definitions import WholeDefinition, is_clip, with_definitions
from symbackprop.integers.whole_recurrences import stays_inside
from symbackprop.language.composing import unpacked
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.formulas import FormulaReader
from symbackprop.language.names import Surroundings, bare_word, named_index
from symbackprop.language.parameters import index_parameters, optional_indices, whole_parameters
from symbackprop.language.scope import Scope, integer_tensors, refuse_reserved
from symbackprop.languages.phrases import marked, worded
from symbackprop.notation.expressions import Axis, Index
from symbackprop.syntax.nodes import (
    Call,
    EquationStatement,
    Formula,
    FunctionDefinition,
    Packed,
    Reference,
    Word,
    walk,
)
from symbackprop.systems.components import strongly_connected
from symbackprop.systems.system import Equation

_OF_WHOLE_NUMBERS = ("delta", "mod", "floor", "ceil")


def model_function(definition: FunctionDefinition, reader: FormulaReader) -> ModelFunction:
    """A function of the model; those that its body calls are known, but where they run in a circle."""
    scope = reader.scope
    names: list[str] = []
    for word in definition.parameters:
        _expect_free(
            word, marked("'{word}' cannot be a parameter of '{function}' here"), names, definition, reader
        )
        names.append(word.text)
    taken = [*names]
    for local in definition.body.local:
        _expect_free(
            local.word,
            marked("'{word}' cannot be a local name of '{function}' here"),
            taken,
            definition,
            reader,
        )
        taken.append(local.word.text)
    name, indices = definition.word.text, index_parameters(definition.body, names, scope.functions)
    optional = optional_indices(definition.body, {*names} - indices, scope.functions)
    whole = whole_parameters(definition.body, names, scope.functions)
    body = None
    if not indices and not whole:
        body = reader.whole_body(definition.body, Surroundings({}, frozenset(names), function=name))
    return ModelFunction(name, tuple(names), definition.body, indices, optional, whole, body)


def _expect_free(
    word: Word, template: str, taken: list[str], definition: FunctionDefinition, reader: FormulaReader
) -> None:
    """NotationError where a name cannot be one of the function's own."""
    refuse_reserved(word, reader.scope)
    if word.text in taken or word.text == definition.word.text or word.text.endswith("'"):
        raise reader.scope.error(
            worded(template, word=word.text, function=definition.word.text),
            word.span,
            worded("give each parameter and local name a name of its own, without primes"),
        )


def equations_of(statements: Sequence[EquationStatement], reader: FormulaReader) -> tuple[Equation, ...]:
    """The equations in the order of their statements; each is read behind those that its positions name."""
    scope = reader.scope
    scope.names_of_positions = _names_of_positions(statements)
    scope.self_reading = _in_circles(statements)
    untried = _axes_of_values(statements, scope)
    while True:
        for name, axes in untried.items():
            scope.tensors[name] = replace(scope.tensors[name], values=axes[0] if axes else None)
        found = _read_once(statements, reader)
        wrong = [name for name, axes in untried.items() if axes and not _stays_inside(found[name], scope)]
        if not wrong:
            return tuple([found[statement.left.word.text] for statement in statements])
        for name in wrong:
            axis = untried[name].pop(0)
            if is_integer(found[name].expression, integer_tensors(found[name].expression, scope)):
                scope.unbounded.setdefault(name, axis)


def _read_once(statements: Sequence[EquationStatement], reader: FormulaReader) -> dict[str, Equation]:
    """The equations by their names, where the values of recurrences are of the axes that the scope notes."""
    scope = reader.scope
    scope.whole_definitions.clear()
    scope.clips.clear()
    scope.read_in_positions.clear()
    found: dict[str, Equation] = {}
    for statement in _positions_first(statements):
        equation = _equation(statement, reader)
        if equation.tensor in scope.names_of_positions:
            equation = replace(equation, expression=scope.with_clips(equation.expression))
        found[equation.tensor] = equation
        _remember_whole(equation, scope)
    return found


def _stays_inside(equation: Equation, scope: Scope) -> bool:
    """Whether a recurrence defines places of the axis that is noted for its values."""
    expression = with_definitions(equation.expression, scope.whole_definitions)
    definition = WholeDefinition(equation.tensor, equation.indices, expression)
    values = {name: tensor.values for name, tensor in scope.tensors.items() if tensor.values is not None}
    return stays_inside(definition, values)


def _axes_of_values(statements: Sequence[EquationStatement], scope: Scope) -> dict[str, list[Axis]]:
    """The axes whose places a recurrence may hold that positions name: those of these positions, or any."""
    bare: dict[str, dict[Axis, None]] = {}
    within: dict[str, dict[Axis, None]] = {}
    for position, axis in (pair for each in statements for pair in _places_in(each.right, scope)):
        for part in walk(position):
            if isinstance(part, Reference) and part.word.text in scope.self_reading:
                found = bare if part is position else within
                found.setdefault(part.word.text, {})[axis] = None
    names = scope.self_reading & scope.names_of_positions
    all_axes = dict.fromkeys(scope.axes.values())
    return {
        name: _shortest_first(bare[name]) if name in bare else list(within.get(name, {}) | all_axes)
        for name in names
    }


def _places_in(formula: Formula, scope: Scope) -> Iterator[tuple[Formula, Axis]]:
    """What stands where a place of an axis is meant: a position, or beside an index in a delta."""
    for part in walk(formula):
        match part:
            case Reference(word, positions, _) if word.text in scope.tensors:
                for position, index in zip(positions or (), scope.tensors[word.text].indices, strict=False):
                    yield position, index.axis
            case Call(Word("delta"), (left, right), _, _):
                for side, other in ((left, right), (right, left)):
                    beside = bare_word(other)
                    along = None if beside is None else scope.index(beside.text)
                    if along is not None:
                        yield side, along.axis


def _shortest_first(axes: Iterable[Axis]) -> list[Axis]:
    return [*(by_length(tuple(axes)) or axes)]


def _equation(statement: EquationStatement, reader: FormulaReader) -> Equation:
    left = reader.scope.tensors[statement.left.word.text]
    visible: dict[str, Index] = {}
    packed: list[tuple[Index, list[Index]]] = []
    for index, position in zip(left.indices, statement.left.positions or (), strict=True):
        words = position.words if isinstance(position, Packed) else ()
        parts = [named_index(word, reader.scope) for word in words]
        visible |= {each.name: each for each in parts or [index]}
        packed += [(index, parts)] if parts else []
    expression = reader.whole(statement.right, Surroundings(visible, left=left))
    for index, parts in packed:
        expression = unpacked(expression, parts, index)
    return Equation(left.name, left.indices, expression, left.place)


def _remember_whole(equation: Equation, scope: Scope) -> None:
    """Note a definition that is a whole number for all values of its indices, or a clipped one."""
    expression = with_definitions(equation.expression, scope.whole_definitions)
    whole = with_whole_floors(expression, integer_tensors(expression, scope))
    if whole is not None and equation.tensor not in expression.tensors:
        definition = WholeDefinition(equation.tensor, equation.indices, whole)
        scope.whole_definitions[equation.tensor] = definition
    elif is_clip(expression) and equation.tensor not in expression.tensors:
        scope.clips[equation.tensor] = WholeDefinition(equation.tensor, equation.indices, expression)


def _positions_first(statements: Sequence[EquationStatement]) -> list[EquationStatement]:
    """The equations, each behind those that it reads in positions; in a circle as they stand."""
    by_name = {statement.left.word.text: statement for statement in statements}
    named = {name: [*_named_in_positions(each.right)] for name, each in by_name.items()}
    ordered: dict[str, EquationStatement] = {}
    visiting: set[str] = set()
    pending = list(reversed(by_name))
    while pending:
        name = pending.pop()
        before = [each for each in named[name] if each in by_name and each not in visiting]
        if name in visiting or not before:
            ordered.setdefault(name, by_name[name])
        else:
            pending += [name, *reversed(before)]
        visiting.add(name)
    return list(ordered.values())


def _in_circles(statements: Sequence[EquationStatement]) -> frozenset[str]:
    """The tensors whose formulas read them, directly or by way of others."""
    formulas = {statement.left.word.text: statement.right for statement in statements}
    reads = {
        name: [each.word.text for each in walk(formula) if isinstance(each, Reference)]
        for name, formula in formulas.items()
    }
    graph = {name: [each for each in read if each in formulas] for name, read in reads.items()}
    circles = (part for part in strongly_connected(graph) if len(part) > 1 or part[0] in graph[part[0]])
    return frozenset(name for part in circles for name in part)


def _names_of_positions(statements: Sequence[EquationStatement]) -> frozenset[str]:
    """The tensors that positions name, and those that define these."""
    formulas = {statement.left.word.text: statement.right for statement in statements}
    pending = [name for formula in formulas.values() for name in _named_in_positions(formula)]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in formulas and name not in found:
            found.add(name)
            pending += [each.word.text for each in walk(formulas[name]) if isinstance(each, Reference)]
    return frozenset(found)


def _named_in_positions(formula: Formula) -> Iterator[str]:
    for part in walk(formula):
        places: tuple[Formula, ...] = ()
        if isinstance(part, Reference | Call):
            places = part.positions or ()
        if isinstance(part, Call) and part.word.text in _OF_WHOLE_NUMBERS:
            places = (*places, *part.arguments)
        for place in places:
            yield from (each.word.text for each in walk(place) if isinstance(each, Reference))
