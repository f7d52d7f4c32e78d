"""What a name in a formula stands for: a tensor's element, an index, a parameter, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from symbackprop.language.expansion import parameter_element
from symbackprop.language.scope import Scope
from symbackprop.language.syntax import Call, Formula, NumberLiteral, Reference, Word
from symbackprop.language.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.notation.expressions import Constant, Element, Expression, Index
from symbackprop.notation.system import Tensor


@dataclass(frozen=True)
class Surroundings:
    """What a formula may name besides the model's tensors: the indices that are bound around it, parameters.

    `left` is the tensor that the formula defines, for messages and to know a recurrence; `function` is the
    function whose body it is. Where neither is given, it is a fact or stands alone, and every index is free.
    """

    visible: Mapping[str, Index]
    parameters: frozenset[str] = frozenset()
    left: Tensor | None = None
    function: str = ""

    def binding(self, indices: tuple[Index, ...]) -> Surroundings:
        """The surroundings inside a reduction over these indices, which hide parameters of their names."""
        names = {index.name: index for index in indices}
        return replace(self, visible={**self.visible, **names}, parameters=self.parameters - names.keys())


def bare_word(formula: Formula) -> Word | None:
    """The word of a formula that is nothing but a name without positions."""
    return formula.word if isinstance(formula, Reference) and formula.positions is None else None


def counted(number: int, noun: str) -> str:
    """`1 position`, `2 positions`."""
    return f"{number} {noun}" + ("s" if number != 1 else "")


def here(number: int) -> str:
    """`here is 1`, `here are 3`, `here are none`."""
    return "here is 1" if number == 1 else f"here are {number or 'none'}"


def referenced(reference: Reference, surroundings: Surroundings, scope: Scope) -> Expression:
    """What a name, with its positions, stands for; NotationError where that is no value."""
    name = reference.word.text
    if name in surroundings.parameters:
        if reference.positions is not None:
            raise scope.error(
                f"'{name}' is a parameter and has no positions", reference.span, f"write {name}"
            )
        return parameter_element(name)
    if name in scope.tensors:
        return _element(reference, surroundings, scope)
    if reference.positions is not None:
        _refuse_as_tensor(reference.word, scope)
    if name in CONSTANTS:
        return Constant("pi")
    if scope.index(name) is not None:
        return bound_index(reference.word, surroundings, scope)
    _refuse_as_value(reference.word, surroundings, scope)


def _refuse_as_tensor(word: Word, scope: Scope) -> NoReturn:
    name = word.text
    if name in scope.first_uses or name in RESERVED:
        is_function = name in CALLABLE or scope.kind(name) == "a function"
        raise scope.error(
            f"'{name}' is {scope.kind(name)} and has no positions",
            word.span,
            f"call it: {name}(...)" if is_function else "only a tensor has positions",
        )
    raise scope.unknown("tensor", word, scope.tensors)


def _refuse_as_value(word: Word, surroundings: Surroundings, scope: Scope) -> NoReturn:
    name = word.text
    if name in scope.axes:
        raise scope.error(f"'{name}' is an axis, not a value", word.span, f"its size is size({name})")
    if name in RESERVED or name in scope.first_uses:
        raise scope.error(f"'{name}' is a function and needs arguments", word.span, f"write {name}(...)")
    raise scope.unknown("name", word, {*scope.tensors, *scope.indices, *surroundings.parameters})


def _element(reference: Reference, surroundings: Surroundings, scope: Scope) -> Element:
    """A tensor at its positions, each an index over the axis that the tensor has there."""
    tensor = scope.tensors[reference.word.text]
    written = reference.positions or ()
    if len(written) != len(tensor.indices):
        if not tensor.indices:
            raise scope.error(
                f"'{tensor.name}' is a scalar and has no positions", reference.span, f"write {tensor.name}"
            )
        raise scope.error(
            f"'{tensor.name}' has {counted(len(tensor.indices), 'position')}, {here(len(written))}",
            reference.span,
            f"it was given as {as_given(tensor)}",
        )
    positions = []
    for number, (position, own) in enumerate(zip(written, tensor.indices, strict=True), start=1):
        index = _position(position, tensor, surroundings, scope)
        if index.axis != own.axis:
            raise scope.error(
                f"axis clash in '{tensor.name}': position {number} runs over axis {own.axis.name}, "
                f"but '{index.name}' is an index over axis {index.axis.name}",
                position.span,
                f"it was given as {as_given(tensor)}; write an index over {own.axis.name}, "
                f"such as '{own.axis.label}'",
            )
        positions.append(index)
    return Element(tensor.name, tuple(positions))


def as_given(tensor: Tensor) -> str:
    """A tensor as it was declared: `W1[j,i]`."""
    names = ",".join(index.name for index in tensor.indices)
    return f"{tensor.name}[{names}]" if names else tensor.name


def _position(position: Formula, tensor: Tensor, surroundings: Surroundings, scope: Scope) -> Index:
    """The index that stands as a position; anything else that is legal there is not supported yet."""
    word = bare_word(position)
    if word is None or (word.text in scope.tensors and word.text not in surroundings.parameters):
        what = _kind_of_position(position, tensor, surroundings)
        raise scope.not_supported(what, position.span, "in this version a position is a plain index")
    if word.text in surroundings.parameters:
        raise scope.error(
            f"the parameter '{word.text}' is a value and cannot be a position of '{tensor.name}'",
            word.span,
            "pass the element itself as an argument",
        )
    return bound_index(word, surroundings, scope)


def _kind_of_position(position: Formula, tensor: Tensor, surroundings: Surroundings) -> str:
    if surroundings.left is not None and surroundings.left.name == tensor.name:
        return f"a recurrence ('{tensor.name}' reads itself at another position)"
    if isinstance(position, Reference | Call):
        return f"a lookup (a value as a position of '{tensor.name}')"
    if isinstance(position, NumberLiteral):
        return f"a constant as a position of '{tensor.name}'"
    return f"index arithmetic in a position of '{tensor.name}'"


def named_index(word: Word, scope: Scope) -> Index:
    """The index of that name; NotationError where the name is unknown or stands for something else."""
    index = scope.index(word.text)
    if index is not None:
        return index
    if word.text in scope.axes:
        label = scope.axes[word.text].label
        raise scope.error(
            f"'{word.text}' is an axis, not an index", word.span, f"an index over it is '{label}'"
        )
    if word.text in scope.first_uses or word.text in RESERVED:
        raise scope.error(
            f"'{word.text}' is {scope.kind(word.text)}, not an index", word.span, "write an index here"
        )
    raise scope.unknown("index", word, scope.indices)


def bound_index(word: Word, surroundings: Surroundings, scope: Scope) -> Index:
    """An index that is bound here: it stands on the left, or a reduction around it runs over it."""
    index = named_index(word, scope)
    if word.text in surroundings.visible:
        return surroundings.visible[word.text]
    if surroundings.function:
        raise scope.error(
            f"index not summed: '{word.text}' is free in the body of the function '{surroundings.function}'",
            word.span,
            f"sum over it, sum({word.text}, ...), or pass what depends on it as an argument",
        )
    if surroundings.left is None:
        return index
    left = surroundings.left
    more = ",".join([*(own.name for own in left.indices), word.text])
    raise scope.error(
        f"index not summed: '{word.text}' is neither summed nor on the left, in {as_given(left)}",
        word.span,
        f"sum over it, sum({word.text}, ...), or put it on the left, {left.name}[{more}]",
    )
