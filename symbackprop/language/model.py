"""Text in the model language to a system of equations: the entry points of this room.

text -> statements (grammar) -> scope (which name is what) -> equations, facts, loss -> System
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, SupportsIndex

from symbackprop.errors import LanguageError, NotationError, Place, SymbackpropError
from symbackprop.integers.own_axes import OwnAxes, compares_sizes
from symbackprop.language.contradictions import expect_consistent
from symbackprop.language.declarations import declared, sizes_of_the_call
from symbackprop.language.formulas import FormulaReader
from symbackprop.language.guarding import expect_reads_inside
from symbackprop.language.matrices import is_positive_definite, positive_definite, users_of
from symbackprop.language.names import Surroundings
from symbackprop.language.parameters import in_calling_order
from symbackprop.language.scope import DERIVED, Scope, at, scope_of
from symbackprop.language.statements import equations_of, model_function
from symbackprop.languages.phrases import with_parts, worded
from symbackprop.notation.expressions import Expression
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.syntax.limits import LARGEST_AXIS
from symbackprop.syntax.nodes import (
    Chain,
    EquationStatement,
    FactStatement,
    FunctionDefinition,
    LossMark,
    Span,
    Statement,
)
from symbackprop.syntax.parsing import read_formula, read_model
from symbackprop.syntax.source import Source, source_of
from symbackprop.systems.ordering import in_reading_order
from symbackprop.systems.system import Equation, Fact, PositiveDefinite, System

_MODEL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def parse_system(text: str, name: str = "model", source_name: str | None = None) -> System:
    """The system of equations that a text in the model language states.

    `name` is the model's, `source_name` what messages call the text (the name, unless given). Equations may
    stand in any order. Raises LanguageError where the text is not in the language, and NotationError where
    its equations do not fit together.
    """
    source = source_of(text, source_name or name)
    statements = _statements(name, source)
    scope = declared(statements, source)
    reader = FormulaReader(scope)
    for definition in in_calling_order([each for each in statements if isinstance(each, FunctionDefinition)]):
        scope.functions[definition.word.text] = model_function(definition, reader)
    facts: list[Fact] = []
    definite: list[PositiveDefinite] = []
    for statement in statements:
        match statement:
            case FactStatement(_, formula) if is_positive_definite(formula):
                definite.append(positive_definite(statement, reader))
            case FactStatement():
                facts.append(_fact(statement, reader))
    stated = [statement for statement in statements if isinstance(statement, EquationStatement)]
    equations = equations_of(stated, reader)
    system = System(
        name=name,
        axes=tuple(scope.axes.values()),
        tensors={**scope.tensors, **sizes_of_the_call(scope, statements)},
        equations=in_reading_order(equations),
        facts=tuple(facts),
        loss=_loss(statements, scope),
        source=source.text,
        positive_definite=tuple(definite),
        relations=scope.relations,
        blocks=dict(scope.blocks),
        shorthands=frozenset((*reader.shorthands, *scope.read_in_positions, *_own_axes(equations, scope))),
    )
    expect_reads_inside(system)
    expect_consistent(system)
    return system


def _own_axes(equations: Sequence[Equation], scope: Scope) -> tuple[OwnAxes, ...]:
    """The axes of the tensors, where a condition speaks of a size that need not be that of an own axis."""
    if not compares_sizes(equation.expression for equation in equations):
        return ()
    held = {name: tuple([index.axis for index in each.indices]) for name, each in scope.tensors.items()}
    return tuple([OwnAxes(name, axes) for name, axes in held.items() if axes])


def _statements(name: str, source: Source) -> tuple[Statement, ...]:
    """The statements of a model that has a name and is not empty."""
    if not _MODEL_NAME.fullmatch(name):
        raise LanguageError(
            worded("{name} cannot name a model", name=repr(name[:100])),
            remedy=worded("use letters, digits, '_', '.' and '-', at most 100"),
        )
    statements = read_model(source)
    if not statements:
        raise LanguageError(
            worded("the model is empty"),
            place=Place(source.name, 1, 1, ""),
            remedy=worded("state axes, tensors and equations"),
        )
    return statements


def parse_expression(text: str, system: System) -> Expression:
    """The expression that a text states over a system's names, so that printed formulas can be read back.

    Every index may be free, and an index may carry primes that its declaration does not list.
    """
    source = source_of(text, "expression")
    formula = read_formula(source)
    return FormulaReader(scope_of(system, source)).whole_of_any_kind(formula, Surroundings(visible={}))


def _fact(statement: FactStatement, reader: FormulaReader) -> Fact:
    """left == right, where one side's free indices are among the other's."""
    scope, formula = reader.scope, statement.formula
    if not isinstance(formula, Chain) or formula.operators != ("==",):
        raise scope.error(
            worded("a fact is one equality"),
            formula.span,
            worded("write fact left == right; other relations are not facts"),
        )
    left, right = (reader.whole(side, Surroundings({})) for side in formula.operands)
    only_left = sorted(index.name for index in left.free_indices - right.free_indices)
    only_right = sorted(index.name for index in right.free_indices - left.free_indices)
    if only_left and only_right:
        raise scope.error(
            worded(
                "the free indices of the fact's sides do not fit: {only_left} only on the left, "
                "{only_right} only on the right",
                only_left=", ".join(only_left),
                only_right=", ".join(only_right),
            ),
            formula.span,
            worded("sum over an index that belongs to one side alone"),
        )
    return Fact(left, right, scope.source.place(statement.word.span), users_of(statement, scope))


def _loss(statements: tuple[Statement, ...], scope: Scope) -> str | None:
    """The scalar that is marked as the loss, or None where there is no mark."""
    marked: Span | None = None
    name = None
    for statement in statements:
        if not isinstance(statement, LossMark):
            continue
        word = statement.target.word
        if marked is not None:
            raise scope.error(
                worded(
                    "two losses: '{name}' {where} and '{word}' here",
                    name=name,
                    where=at(scope.source.place(marked)),
                    word=word.text,
                ),
                word.span,
                worded("add them up into one loss"),
            )
        _expect_loss(statement, scope)
        marked, name = word.span, word.text
    return name


def _expect_loss(mark: LossMark, scope: Scope) -> None:
    """NotationError where what is marked as the loss is no scalar that an equation defines."""
    word = mark.target.word
    if word.text not in scope.tensors:
        raise scope.unknown("tensor", word, scope.tensors)
    if scope.tensors[word.text].indices or mark.target.positions:
        names = ", ".join(index.name for index in scope.tensors[word.text].indices)
        raise scope.error(
            worded("the loss '{word}' is not a scalar", word=word.text),
            mark.target.span,
            worded("sum over its indices: sum({names}, ...)", names=names),
        )
    if scope.first_uses[word.text][0] != DERIVED:
        raise scope.error(
            worded("the loss '{word}' is {kind}", word=word.text, kind=scope.kind(word.text)),
            word.span,
            worded("a loss is defined by an equation: loss E = ..."),
        )


def with_statements(system: System, statements: str) -> System:
    """The system with statements behind its text; what is said against them counts their own lines."""
    if not statements:
        return system
    try:
        return parse_system(f"{system.source}{statements}\n", system.name)
    except SymbackpropError as error:
        raise _counted_from(error, system) from None


def whole_size(axis: str, size: SupportsIndex) -> int:
    """The size of an axis, of any type of integers; NotationError for what is none, or is out of bounds."""
    with suppress(TypeError):
        if not isinstance(size, bool) and 1 <= operator.index(size) <= LARGEST_AXIS:
            return operator.index(size)
    raise NotationError(
        worded("axis {axis} cannot have the size {size}", axis=axis, size=f"{size!r:.40}"),
        remedy=worded("give a whole number from 1 to {largest}", largest=f"{LARGEST_AXIS:,}"),
    )


def with_sizes(system: System, sizes: Mapping[str, int]) -> System:
    """The system with the sizes of these axes declared.

    Raises NotationError for an axis that it does not have, where another size is declared, and for a size
    that is no integer.
    """
    if not sizes:
        return system
    sizes = {name: whole_size(name, size) for name, size in sizes.items()}
    axes = {axis.name: axis for axis in system.axes}
    unknown = [name for name in sizes if name not in axes]
    if unknown:
        raise NotationError(
            worded("the model has no axis named '{unknown}'", unknown=unknown[0]),
            remedy=worded("it has {axes}", axes=", ".join(axes) or worded("none")),
        )
    open_sizes: dict[str, int] = {}
    for name, size in sizes.items():
        stated = axes[name].size
        if stated is None:
            open_sizes[name] = size
        elif stated != size:
            raise NotationError(
                worded("axis {name} has size {stated}, not {size}", name=name, stated=stated, size=size),
                remedy=worded("leave one of them out"),
            )
    taken = {*system.tensors, *(index.name for indices in system.index_names.values() for index in indices)}
    names = {name: numbered_name(f"{axes[name].label}_sized", taken) for name in open_sizes}
    lines = [f"\nindex {names[name]} : {name} = {size}" for name, size in open_sizes.items()]
    return with_statements(system, "".join(lines))


def _counted_from(error: SymbackpropError, system: System) -> SymbackpropError:
    """The error with its places counted in the statements: the text in front of them, nobody typed."""
    lines = system.source.count("\n")

    def counted(part: Any) -> Any:
        if not isinstance(part, Place):
            return part
        if part.line <= lines:
            return worded("a place in the derived equations")
        return replace(part, source="statements", line=part.line - lines)

    at = error.place if error.place is None or error.place.line > lines else None
    return type(error)(
        with_parts(error.cause, counted), place=at and counted(at), remedy=with_parts(error.remedy, counted)
    )
