"""Words that take arguments and are no element-wise functions: reductions, `where`, `delta`, `size`, ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from symbackprop.language import composing
from symbackprop.language.expansion import parameter_element
from symbackprop.language.names import Surroundings, bare_word, counted, here, named_index
from symbackprop.language.scope import Scope
from symbackprop.language.syntax import Call, Formula
from symbackprop.language.words import REDUCTIONS
from symbackprop.notation.expressions import Expression, Index, Reduction, ReductionKind, Size, Where
from symbackprop.notation.functions import FUNCTIONS


class Reader(Protocol):
    """What reads the arguments."""

    @property
    def scope(self) -> Scope:
        """The names of the model."""

    def value(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A formula that is a number."""

    def condition(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A formula that holds or does not."""


Form: TypeAlias = Callable[[Call, Surroundings, Reader], Expression]

_KINDS: Mapping[str, ReductionKind] = {
    "sum": "sum", "prod": "prod", "max": "max", "min": "min", "argmax": "argmax",
}  # fmt: skip


def expect_arguments(call: Call, number: int, scope: Scope, usage: str = "") -> None:
    """NotationError where a call has not this many arguments."""
    if len(call.arguments) != number:
        raise scope.error(
            f"'{call.word.text}' takes {counted(number, 'argument')}, {here(len(call.arguments))}",
            call.span,
            usage or f"write {call.word.text}({', '.join('uvwxyz'[:number]) if number < 7 else '...'})",
        )


def _where(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    expect_arguments(call, 3, reader.scope, "write where(condition, a, b)")
    condition, chosen, otherwise = call.arguments
    return Where(
        reader.condition(condition, surroundings),
        reader.value(chosen, surroundings),
        reader.value(otherwise, surroundings),
    )


def _square_root(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    expect_arguments(call, 1, reader.scope)
    return composing.square_root(reader.value(call.arguments[0], surroundings))


def _size(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    usage = "write size(b) with an index or an axis"
    expect_arguments(call, 1, reader.scope, usage)
    word = bare_word(call.arguments[0])
    if word is None or word.text in surroundings.parameters:
        raise reader.scope.error("size(...) takes an index or an axis", call.arguments[0].span, usage)
    axis = reader.scope.axes.get(word.text)
    return Size(axis if axis is not None else named_index(word, reader.scope).axis)


SPECIAL_FORMS: Mapping[str, Form] = {"where": _where, "size": _size, "sqrt": _square_root}


def is_reduction(call: Call, surroundings: Surroundings, scope: Scope) -> bool:
    """Whether a call runs over indices.

    `max` and `min` do where their first argument is the bare name of an index; otherwise they choose between
    two values. `argmax` is a word only where derived formulas are read back.
    """
    name = call.word.text
    if name == "argmax":
        return scope.is_printed
    if name in FUNCTIONS and name in REDUCTIONS:
        word = bare_word(call.arguments[0]) if call.arguments else None
        return (
            word is not None
            and word.text not in surroundings.parameters
            and scope.index(word.text) is not None
        )
    return name in REDUCTIONS


def reduction(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    """`sum(i, j, e)` and its like: the arguments before the last are indices, the last is the body."""
    name, scope = call.word.text, reader.scope
    usage = f"write {name}(i, ...): the body comes last, the arguments before it are indices"
    if len(call.arguments) < 2:
        raise scope.error(f"'{name}' needs an index to run over and a body", call.span, usage)
    *written, last = call.arguments
    indices: list[Index] = []
    for argument in written:
        word = bare_word(argument)
        if word is None:
            raise scope.error(f"'{name}' runs over indices, and this is not one", argument.span, usage)
        index = named_index(word, scope)
        if index in indices:
            raise scope.error(
                f"'{name}' runs over '{index.name}' twice", argument.span, "name each index once"
            )
        indices.append(index)
    body = reader.value(last, surroundings.binding(tuple(indices)))
    if surroundings.function:
        _expect_dependence(body, indices, call, surroundings, scope)
    if name == "mean":
        return composing.mean(tuple(indices), body)
    return Reduction(_KINDS[name], tuple(indices), body)


def _expect_dependence(
    body: Expression, indices: list[Index], call: Call, surroundings: Surroundings, scope: Scope
) -> None:
    """Refuse sum(k, exp(u)) for a parameter u: an argument's k is another k, so that nothing is summed."""
    reads_parameter = any(parameter_element(name).tensor in body.tensors for name in surroundings.parameters)
    unused = [index.name for index in indices if index not in body.free_indices]
    if unused and reads_parameter:
        raise scope.error(
            f"'{call.word.text}' over '{unused[0]}' in the body of '{surroundings.function}': a parameter "
            f"does not depend on the function's own '{unused[0]}'",
            call.span,
            "write the reduction at the call, or define a tensor by an equation",
        )
