"""What a name in a formula stands for: a tensor's element, an index, a parameter, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from symbackprop.errors import NotationError
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import linear_form
from symbackprop.language.expansion import parameter_element
from symbackprop.language.scope import Scope, as_given
from symbackprop.language.sizes import size_text
from symbackprop.languages.phrases import NO_MESSAGE, joined, marked, worded
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Axis,
    Constant,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.syntax.nodes import Formula, Packed, Reference, Word
from symbackprop.syntax.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.systems.system import Tensor


@dataclass(frozen=True)
class Surroundings:
    """What a formula may name besides the model's tensors: the indices that are bound around it, parameters.

    `left` is the tensor that the formula defines, for messages; `function` is the function whose body it is,
    `local_values` what those of the parameters stand for that are its local names, and `index_parameters`
    are those that are indices. Of the others, by the tensors that
    stand for them, `dependent` are those whose values depend on such an index, `without_tensors` those whose
    values read no tensor. Where neither tensor nor function is given, it is a fact or stands alone, and every
    index is free.
    """

    visible: Mapping[str, Index]
    parameters: frozenset[str] = frozenset()
    local_values: Mapping[str, Expression] = field(default_factory=dict)
    left: Tensor | None = None
    function: str = ""
    index_parameters: Mapping[str, Index] = field(default_factory=dict)
    dependent: Mapping[Index, frozenset[str]] = field(default_factory=dict)
    without_tensors: frozenset[str] = frozenset()

    def naming(self, name: str, value: Expression) -> Surroundings:
        """The surroundings behind a function's local definition of this name."""
        local_values = {**self.local_values, name: value}
        return replace(self, parameters=self.parameters | {name}, local_values=local_values)

    def binding(self, indices: tuple[Index, ...]) -> Surroundings:
        """The surroundings inside a reduction over these indices, which hide parameters of their names."""
        names = {index.name: index for index in indices}
        return replace(self, visible={**self.visible, **names}, parameters=self.parameters - names.keys())


def bare_word(formula: Formula) -> Word | None:
    """The word of a formula that is nothing but a name without positions."""
    return formula.word if isinstance(formula, Reference) and formula.positions is None else None


def is_index(formula: Formula, surroundings: Surroundings, scope: Scope) -> bool:
    """Whether a formula is the bare name of an index, which no parameter hides."""
    word = bare_word(formula)
    if word is None or word.text in surroundings.parameters:
        return False
    return word.text in surroundings.index_parameters or scope.index(word.text) is not None


def referenced(reference: Reference, surroundings: Surroundings, scope: Scope) -> Expression:
    """What a name that is no tensor's stands for; NotationError where that is no value."""
    name = reference.word.text
    if name in surroundings.parameters:
        if reference.positions is not None:
            template = marked("'{name}' is a parameter and has no positions")
            if name in surroundings.local_values:
                template = marked("'{name}' is a local name of the function and has no positions")
            raise scope.error(
                worded(template, name=name),
                reference.span,
                worded("write {name}", name=name),
            )
        return surroundings.local_values.get(name, parameter_element(name))
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
        is_function = scope.first_uses.get(name, ("function",))[0] == "function"
        raise scope.error(
            worded("'{name}' is {kind} and has no positions", name=name, kind=scope.kind(name)),
            word.span,
            (
                worded("call it: {name}(...)", name=name)
                if is_function
                else worded("only a tensor has positions")
            ),
        )
    raise scope.unknown("tensor", word, scope.tensors)


def _refuse_as_value(word: Word, surroundings: Surroundings, scope: Scope) -> NoReturn:
    name = word.text
    if name in scope.axes:
        raise scope.error(
            worded("'{name}' is an axis, not a value", name=name),
            word.span,
            worded("its size is size({name})", name=name),
        )
    if name in RESERVED | CALLABLE or name in scope.first_uses:
        raise scope.error(
            worded("'{name}' is a function and needs arguments", name=name),
            word.span,
            worded("write {name}(...)", name=name),
        )
    raise scope.unknown("name", word, {*scope.tensors, *scope.indices, *surroundings.parameters})


def named_index(word: Word, scope: Scope) -> Index:
    """The index of that name; NotationError where the name is unknown or stands for something else."""
    index = scope.index(word.text)
    if index is not None:
        return index
    if word.text in scope.axes:
        label = scope.axes[word.text].label
        raise scope.error(
            worded("'{word}' is an axis, not an index", word=word.text),
            word.span,
            worded("an index over it is '{label}'", label=label),
        )
    if word.text in scope.first_uses or word.text in RESERVED | CALLABLE:
        raise scope.error(
            worded("'{word}' is {kind}, not an index", word=word.text, kind=scope.kind(word.text)),
            word.span,
            worded("write an index here"),
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
            worded(
                "index not summed: '{word}' is free in the body of the function '{function}'",
                word=word.text,
                function=surroundings.function,
            ),
            word.span,
            worded(
                "sum over it, sum({word}, ...), or pass what depends on it as an argument", word=word.text
            ),
        )
    if surroundings.left is None:
        return index
    left = surroundings.left
    more = ",".join([*(own.name for own in left.indices), word.text])
    raise scope.error(
        worded(
            "index not summed: '{word}' is neither summed nor on the left, in {given}",
            word=word.text,
            given=as_given(left),
        ),
        word.span,
        worded(
            "sum over it, sum({word}, ...), or put it on the left, {left}[{more}]",
            word=word.text,
            left=left.name,
            more=more,
        ),
    )


def packed_position(formula: Packed, own: Index, surroundings: Surroundings, scope: Scope) -> Expression:
    """h*size(e) + e for (h e), and 1*size(h) + h for (f h), f the second block of the axis."""
    blocks = scope.blocks.get(own.axis.name, ())
    position: Expression = ZERO
    places: Expression = ONE
    part: Expression
    size: Expression
    for number, word in enumerate(formula.words):
        if word.text in blocks and number == 0:
            part, size = Number(blocks.index(word.text)), Number(len(blocks))
        elif blocks and number == 0 and not scope.is_known(word.text):
            raise scope.error(
                worded("axis {axis} has no block '{word}'", axis=own.axis.name, word=word.text),
                word.span,
                worded("its blocks are {blocks}", blocks=", ".join(blocks)),
            )
        else:
            part = _packed_index(word, own, surroundings, scope)
            size = Size(part.axis)
        position, places = add(multiply(position, size), part), multiply(places, size)
    if related_form(places) != related_form(Size(own.axis)):
        raise scope.error(
            worded(
                "{formula} counts {size} places, but axis {axis} has {own_size}",
                formula=formula,
                size=size_text(places),
                axis=own.axis.name,
                own_size=size_text(own.axis.formula or Size(own.axis)),
            ),
            formula.span,
            worded(
                "relate the sizes: index {axis} : {name} = {size}",
                axis=own.axis.label,
                name=own.axis.name,
                size=size_text(places),
            ),
        )
    return linear_form(position).expression()


def _packed_index(word: Word, own: Index, surroundings: Surroundings, scope: Scope) -> Index:
    """An index of a packed position; NotationError where the name stands for none."""
    owner = next((axis for axis, names in scope.blocks.items() if word.text in names), None)
    if owner is not None:
        raise scope.error(
            worded(
                "'{word}' is a block of axis {owner}, and stands first in a position of that "
                "axis, but this is one of axis {axis}",
                word=word.text,
                owner=owner,
                axis=own.axis.name,
            ),
            word.span,
            worded("a block is read as in ({word} h)", word=word.text),
        )
    return bound_index(word, surroundings, scope)


def refused_packed(formula: Packed, scope: Scope) -> NotationError:
    """The error for indices side by side that are no position."""
    return scope.error(
        worded("{formula} packs indices, and is a whole position of a tensor", formula=formula),
        formula.span,
        worded("read it as in x[{formula}]; a product needs '*'", formula=formula),
    )


def packed_axis(formula: Packed, scope: Scope) -> Axis:
    """The axis that a packed left-hand side counts through; NotationError where none or several are."""
    places = multiply(*(Size(named_index(word, scope).axis) for word in formula.words))
    found = [axis for axis in scope.axes.values() if related_form(Size(axis)) == related_form(places)]
    if len(found) == 1:
        return found[0]
    template = marked("{formula} counts {size} places, as no axis does")
    if found:
        template = marked("{formula} counts {size} places, as {axes} do")
    size = size_text(places)
    axes = joined(marked("{before} and {after}"), [axis.name for axis in found]) if found else NO_MESSAGE
    raise scope.error(
        worded(template, formula=formula, size=size, axes=axes),
        formula.span,
        (
            worded(
                "write an index over the axis that is meant, and its digits: floor({index}/size({last})) and "
                "mod({index}, size({last}))",
                index=found[0].label,
                last=formula.words[-1].text,
            )
            if found
            else worded("declare the axis: index o : O = {size}", size=size)
        ),
    )
