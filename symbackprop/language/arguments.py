"""What a call gives to a function of the model: indices for some parameters, values for the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.errors import NotationError
from symbackprop.language.calls import Reader
from symbackprop.language.expansion import ModelFunction, depends, parameter_element, parameter_index
from symbackprop.language.names import Surroundings, bare_word, bound_index, index_here, is_index
from symbackprop.language.parameters import run_over
from symbackprop.language.scope import Scope
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Expression, Index
from symbackprop.syntax.nodes import Call, Formula, FunctionBody


@dataclass(frozen=True)
class Arguments:
    """A call's arguments, by the function's parameters."""

    indices: Mapping[str, Index]
    values: Mapping[str, Expression]


def arguments_of(
    function: ModelFunction,
    given: Mapping[str, Formula],
    call: Call,
    surroundings: Surroundings,
    reader: Reader,
) -> Arguments:
    """A call's arguments; the indices are bound in the values.

    Where an index is given to a `max` or `min` of the body, this runs over it if the value beside it depends
    on the index, and compares two numbers otherwise. NotationError where that value reads a tensor, but not
    at the index: max(i, c) as it stands would be c.
    """
    scope = reader.scope
    indices = {
        name: _index_argument(name, given[name], surroundings, scope)
        for name in function.parameters
        if name in function.indices
    }
    possible = {
        name: _index_argument(name, given[name], surroundings, scope)
        for name in function.optional_indices
        if is_index(given[name], surroundings, scope)
    }
    inside = surroundings.binding((*indices.values(), *possible.values()))
    values = {name: reader.value(given[name], inside) for name in function.parameters if name not in indices}
    for name, index in possible.items():
        beside = [values[other] for other in function.optional_indices[name] if other in values]
        if any(_depends(value, index, surroundings) for value in beside):
            indices[name] = index
        elif any(value.tensors - surroundings.without_tensors for value in beside):
            raise _ambiguous(name, function, given[name], index, scope)
        else:
            expect_bound(given[name], surroundings, scope)
    if len(set(indices.values())) < len(indices):
        raise scope.error(
            worded("'{function}' is given an index twice", function=function.name),
            call.span,
            worded("give each an index of its own"),
        )
    return Arguments(indices, {name: value for name, value in values.items() if name not in indices})


def inside_body(function: ModelFunction, arguments: Arguments, surroundings: Surroundings) -> Surroundings:
    """The surroundings of a function's body that is composed for a call's arguments."""
    values = {parameter_element(name).tensor: value for name, value in arguments.values.items()}
    indices = {
        name: (parameter_index(function.name, name, index), index)
        for name, index in arguments.indices.items()
    }
    bound = run_over(function.formula)
    whole = {name: value for name, value in arguments.values.items() if name in function.whole}
    return Surroundings(
        {},
        frozenset(arguments.values),
        local_values={
            name: value
            for name, value in whole.items()
            if bound.isdisjoint(index.name for index in value.free_indices)
        },
        function=function.name,
        index_parameters={name: stand_in for name, (stand_in, _) in indices.items()},
        dependent={
            stand_in: frozenset([name for name in values if _depends(values[name], index, surroundings)])
            for stand_in, index in indices.values()
        },
        without_tensors=frozenset(
            [name for name, value in values.items() if value.tensors <= surroundings.without_tensors]
        ),
    )


def body_value(body: FunctionBody, surroundings: Surroundings, reader: Reader) -> Expression:
    """The value of a function's body, with what its local names stand for in their places."""
    for each in body.local:
        value = reader.value(each.formula, surroundings)
        reader.expect_expansion(value, each.formula.span)
        surroundings = surroundings.naming(each.word.text, value)
    return reader.value(body.value, surroundings)


def expect_bound(argument: Formula, surroundings: Surroundings, scope: Scope) -> None:
    """NotationError where the index that an argument names is not bound around the call."""
    word = bare_word(argument)
    if word is not None:
        bound_index(word, surroundings, scope)


def _depends(value: Expression, index: Index, surroundings: Surroundings) -> bool:
    return depends(value, index, surroundings.dependent.get(index, frozenset()))


def _index_argument(parameter: str, argument: Formula, surroundings: Surroundings, scope: Scope) -> Index:
    word = bare_word(argument)
    if word is None:
        raise scope.error(
            worded("the parameter '{parameter}' is an index, and this is not one", parameter=parameter),
            argument.span,
            worded("write an index here: the body of the function runs over it"),
        )
    return index_here(word, surroundings, scope)


def _ambiguous(
    parameter: str, function: ModelFunction, argument: Formula, index: Index, scope: Scope
) -> NotationError:
    word = bare_word(argument)
    name = word.text if word is not None else index.name
    return scope.error(
        worded(
            "'{name}', given for '{parameter}', may be what a max or min of '{function}' runs "
            "over or a number that it compares: the value beside it does not depend on "
            "'{name}'",
            name=name,
            parameter=parameter,
            function=function.name,
        ),
        argument.span,
        worded(
            "to compare numbers write {name} + 0; the maximum over '{name}' is that value itself", name=name
        ),
    )
