"""Words that take arguments and are no element-wise functions: reductions, `where`, `delta`, `size`, ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from symbackprop.functions.table import FUNCTIONS
from symbackprop.language import composing
from symbackprop.language.expansion import parameter_element
from symbackprop.language.names import Surroundings, bare_word, bound_index, index_here, is_index
from symbackprop.language.scope import Scope, counted, here
from symbackprop.language.shorthands import DEFINITIONS, argmin, clip
from symbackprop.languages.phrases import NO_MESSAGE, Message, marked, worded
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import Element, Expression, Index, Reduction, ReductionKind, Size, Where
from symbackprop.syntax.nodes import Call, Formula, NumberLiteral, Span
from symbackprop.syntax.words import REDUCTIONS
from symbackprop.systems.printing import text


class Reader(Protocol):
    """What reads the arguments; `shorthands` are the words for composite expressions that came up."""

    shorthands: set[str]

    @property
    def scope(self) -> Scope:
        """The names of the model."""

    def value(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A formula that is a number."""

    def condition(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A formula that holds or does not."""

    def expect_expansion(self, expression: Expression, span: Span) -> None:
        """LanguageError where the functions expand to more than a model may have."""


Form: TypeAlias = Callable[[Call, Surroundings, Reader], Expression]

_KINDS: Mapping[str, ReductionKind] = {
    "sum": "sum", "prod": "prod", "max": "max", "min": "min", "argmax": "argmax",
}  # fmt: skip


def expect_arguments(call: Call, number: int, scope: Scope, usage: Message = NO_MESSAGE) -> None:
    """NotationError where a call has not this many arguments."""
    if len(call.arguments) != number:
        raise scope.error(
            worded(
                "'{word}' takes {counted}, {here}",
                word=call.word.text,
                counted=counted(number, marked("{number} argument"), marked("{number} arguments")),
                here=here(len(call.arguments)),
            ),
            call.span,
            usage or worded("write {call}", call=f"{call.word.text}({_arguments(number)})"),
        )


def _arguments(number: int) -> str:
    return ", ".join("uvwxyz"[:number]) if number < 7 else "..."


def _where(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    expect_arguments(call, 3, reader.scope, worded("write where(condition, a, b)"))
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
    usage = worded("write size(b) with an index or an axis")
    expect_arguments(call, 1, reader.scope, usage)
    word = bare_word(call.arguments[0])
    if word is None or word.text in surroundings.parameters:
        raise reader.scope.error(worded("size(...) takes an index or an axis"), call.arguments[0].span, usage)
    axis = None if word.text in surroundings.index_parameters else reader.scope.axes.get(word.text)
    return Size(axis if axis is not None else index_here(word, surroundings, reader.scope).axis)


def _clip(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    expect_arguments(call, 3, reader.scope, worded("write {call}", call="clip(u, lo, hi)"))
    body, lowest, highest = (reader.value(argument, surroundings) for argument in call.arguments)
    return clip(body, lowest, highest)


_DIFF_USAGE = worded("write diff(y[n], x[n,i]): an element, and an element of a tensor that it depends on")
_HIGHEST_ORDER = 10


def _derivative(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    """`diff(y[n], x[n,i])`, with an order as a third argument; the first may be such a derivative itself."""
    scope = reader.scope
    order = _order(call, scope) if len(call.arguments) == 3 else 1
    if len(call.arguments) != 3:
        expect_arguments(call, 2, scope, _DIFF_USAGE)
    _expect_equation(call, surroundings, scope)
    above, below = (reader.value(argument, surroundings) for argument in call.arguments[:2])
    if not isinstance(above, Element | InnerDerivative):
        cause = worded("diff(...) differentiates one element of a tensor, and this is a formula")
        remedy = worded("define it by an equation of its own: f[n] = ..., then diff(f[n], ...)")
        raise scope.error(cause, call.arguments[0].span, remedy)
    if not isinstance(below, Element):
        what = worded("an index") if isinstance(below, Index) else worded("a formula")
        cause = worded("diff(...) differentiates by one element of a tensor, and this is {what}", what=what)
        raise scope.error(cause, call.arguments[1].span, _DIFF_USAGE)
    for element, argument in zip((above, below), call.arguments, strict=False):
        if isinstance(element, Element):
            _expect_real(element, argument, scope)
            _expect_plain_positions(element, argument, scope)
    for _ in range(order):
        above = InnerDerivative(above, below)
    return above


def _order(call: Call, scope: Scope) -> int:
    argument = call.arguments[2]
    written = argument.text if isinstance(argument, NumberLiteral) else ""
    if not written.isdigit() or not 0 < int(written[:3]) <= _HIGHEST_ORDER:
        raise scope.error(
            worded(
                "the order of a derivative is a whole number from 1 to {largest}",
                largest=_HIGHEST_ORDER,
            ),
            argument.span,
            worded("write diff(u[n], x[n], 2) for the second derivative"),
        )
    return int(written)


def _expect_equation(call: Call, surroundings: Surroundings, scope: Scope) -> None:
    """NotationError in the body of a function, whose parameters are values, and in a fact."""
    if surroundings.function:
        cause = worded(
            "diff(...) stands in the body of the function '{function}'", function=surroundings.function
        )
        raise scope.error(
            cause, call.span, worded("write it in an equation: a parameter is a value, not a tensor")
        )
    if surroundings.left is None and not scope.is_printed:
        remedy = worded("name it by an equation, g[n] = diff(...), and state the fact about g")
        raise scope.error(worded("diff(...) stands outside an equation"), call.span, remedy)


def _expect_real(element: Element, argument: Formula, scope: Scope) -> None:
    if scope.tensors[element.tensor].values is not None:
        cause = worded(
            "'{tensor}' is an integer tensor: there is no derivative of it, nor by it", tensor=element.tensor
        )
        raise scope.error(cause, argument.span, worded("a value that jumps between whole numbers has none"))


def _expect_plain_positions(element: Element, argument: Formula, scope: Scope) -> None:
    if not all(isinstance(position, Index) for position in element.positions):
        remedy = worded(
            "name the derivative by an equation over plain indices and read that at these positions"
        )
        raise scope.error(worded("the positions in diff(...) are plain indices"), argument.span, remedy)


SPECIAL_FORMS: Mapping[str, Form] = {
    "where": _where, "size": _size, "sqrt": _square_root, "clip": _clip, "diff": _derivative,
}  # fmt: skip


def is_reduction(call: Call, surroundings: Surroundings, scope: Scope) -> bool:
    """Whether a call runs over indices.

    `max` and `min` do where their first argument is the bare name of an index; otherwise they choose between
    two values.
    """
    name = call.word.text
    if name in FUNCTIONS and name in REDUCTIONS:
        return bool(call.arguments) and is_index(call.arguments[0], surroundings, scope)
    return name in REDUCTIONS


def reduction(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    """`sum(i, j, e)` and its like."""
    indices, body = indices_and_body(call, surroundings, reader)
    # What is given for a function's parameter may depend on the index, and what was derived need not.
    if not (surroundings.function or reader.scope.is_printed):
        _expect_no_choice(call, indices, body, surroundings, reader.scope)
    match call.word.text:
        case "mean":
            reader.shorthands.add("mean")
            return composing.mean(indices, body)
        case "argmin":
            return argmin(indices, body)
    return Reduction(_KINDS[call.word.text], indices, body)


def shorthand(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    """`softmax(k, e)` and its like, by their definitions; the indices of softmax are bound around it."""
    if call.word.text == "softmax":
        for word in filter(None, map(bare_word, call.arguments[:-1])):
            bound_index(word, surroundings, reader.scope)
    indices, body = indices_and_body(call, surroundings, reader)
    return DEFINITIONS[call.word.text](indices, body)


def indices_and_body(
    call: Call, surroundings: Surroundings, reader: Reader
) -> tuple[tuple[Index, ...], Expression]:
    """The arguments before the last are indices, the last is the body, in which they are bound."""
    name, scope = call.word.text, reader.scope
    usage = worded(
        "write {name}(i, ...): the body comes last, the arguments before it are indices", name=name
    )
    if len(call.arguments) < 2:
        raise scope.error(
            worded("'{name}' needs an index to run over and a body", name=name), call.span, usage
        )
    *written, last = call.arguments
    indices: list[Index] = []
    for argument in written:
        word = bare_word(argument)
        if word is None:
            raise scope.error(
                worded("'{name}' runs over indices, and this is not one", name=name), argument.span, usage
            )
        index = index_here(word, surroundings, scope)
        if index in indices:
            raise scope.error(
                worded("'{name}' runs over '{index}' twice", name=name, index=index.name),
                argument.span,
                worded("name each index once"),
            )
        indices.append(index)
    body = reader.value(last, surroundings.binding(tuple(indices)))
    if surroundings.function and surroundings.index_parameters.keys().isdisjoint(_bare_words(written)):
        _expect_dependence(body, indices, call, surroundings, scope)
    return tuple(indices), body


def _expect_no_choice(
    call: Call, indices: tuple[Index, ...], body: Expression, surroundings: Surroundings, scope: Scope
) -> None:
    """Refuse max(i, 1) where i has a value: over i it is 1, and the greater of two values is meant."""
    name, (first, *others) = call.word.text, indices
    has_value = first.name in surroundings.visible
    if name in FUNCTIONS and not others and has_value and first not in body.free_indices:
        shown = text(body)
        two = (f"{first.name} + 0", shown) if isinstance(body, Index) else (shown, first.name)
        raise scope.error(
            worded(
                "'{name}({index}, {body})' runs over '{index}', on which '{body}' does not depend",
                name=name,
                index=first.name,
                body=shown,
            ),
            call.span,
            worded("write {name}({first}, {second}) for two values", name=name, first=two[0], second=two[1]),
        )


def _bare_words(arguments: Sequence[Formula]) -> set[str]:
    return {word.text for word in map(bare_word, arguments) if word is not None}


def _expect_dependence(
    body: Expression, indices: list[Index], call: Call, surroundings: Surroundings, scope: Scope
) -> None:
    """Refuse sum(k, exp(u)) for a parameter u: an argument's k is another k, so that nothing is summed."""
    reads_parameter = any(parameter_element(name).tensor in body.tensors for name in surroundings.parameters)
    unused = [index.name for index in indices if index not in body.free_indices]
    if unused and reads_parameter:
        raise scope.error(
            worded(
                "'{word}' over '{unused}' in the body of '{function}': a parameter does not "
                "depend on the function's own '{unused}'",
                word=call.word.text,
                unused=unused[0],
                function=surroundings.function,
            ),
            call.span,
            worded("write the reduction at the call, or define a tensor by an equation"),
        )
