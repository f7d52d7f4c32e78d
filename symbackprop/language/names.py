"""What a name in a formula stands for: a tensor's element, an index, a parameter, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from symbackprop.language.expansion import parameter_element
from symbackprop.language.scope import Scope
from symbackprop.language.syntax import Formula, Reference, Word
from symbackprop.language.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.notation.expressions import Constant, Expression, Index
from symbackprop.systems.system import Tensor


@dataclass(frozen=True)
class Surroundings:
    """What a formula may name besides the model's tensors: the indices that are bound around it, parameters.

    `left` is the tensor that the formula defines, for messages; `function` is the function whose body it is,
    and `index_parameters` are those of its parameters that are indices. Where neither is given, it is a fact
    or stands alone, and every index is free.
    """

    visible: Mapping[str, Index]
    parameters: frozenset[str] = frozenset()
    left: Tensor | None = None
    function: str = ""
    index_parameters: Mapping[str, Index] = field(default_factory=dict)

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
    """What a name that is no tensor's stands for; NotationError where that is no value."""
    name = reference.word.text
    if name in surroundings.parameters:
        if reference.positions is not None:
            raise scope.error(
                f"'{name}' is a parameter and has no positions", reference.span, f"write {name}"
            )
        return parameter_element(name)
    if reference.positions is not None:
        _refuse_as_tensor(reference.word, scope)
    if name in CONSTANTS:
        return Constant("pi")
    if name in surroundings.index_parameters or scope.index(name) is not None:
        return bound_index(reference.word, surroundings, scope)
    _refuse_as_value(reference.word, surroundings, scope)


def _refuse_as_tensor(word: Word, scope: Scope) -> NoReturn:
    name = word.text
    if name in scope.first_uses or name in RESERVED | CALLABLE:
        is_function = scope.kind(name) == "a function"
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
    if name in RESERVED | CALLABLE or name in scope.first_uses:
        raise scope.error(f"'{name}' is a function and needs arguments", word.span, f"write {name}(...)")
    raise scope.unknown("name", word, {*scope.tensors, *scope.indices, *surroundings.parameters})


def as_given(tensor: Tensor) -> str:
    """A tensor as it was declared: `W1[j,i]`."""
    names = ",".join(index.name for index in tensor.indices)
    return f"{tensor.name}[{names}]" if names else tensor.name


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
    if word.text in scope.first_uses or word.text in RESERVED | CALLABLE:
        raise scope.error(
            f"'{word.text}' is {scope.kind(word.text)}, not an index", word.span, "write an index here"
        )
    raise scope.unknown("index", word, scope.indices)


def index_here(word: Word, surroundings: Surroundings, scope: Scope) -> Index:
    """The index of that name, or the one that a function's parameter stands for; NotationError as above."""
    return surroundings.index_parameters.get(word.text) or named_index(word, scope)


def bound_index(word: Word, surroundings: Surroundings, scope: Scope) -> Index:
    """An index that is bound here: it stands on the left, or a reduction around it runs over it."""
    if word.text in surroundings.index_parameters:
        return surroundings.index_parameters[word.text]
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
