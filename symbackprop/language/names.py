"""What a name in a formula stands for: a tensor's element, an index, a parameter, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NoReturn

from symbackprop.errors import NotationError
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import floor_quotient, linear_form
from symbackprop.language.expansion import parameter_element
from symbackprop.language.scope import Scope
from symbackprop.language.sizes import size_text
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Axis,
    Constant,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
)
from symbackprop.notation.substitution import substitute
from symbackprop.syntax.nodes import Formula, Packed, Reference, Word
from symbackprop.syntax.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.systems.system import Tensor


@dataclass(frozen=True)
class Surroundings:
    """What a formula may name besides the model's tensors: the indices that are bound around it, parameters.

    `left` is the tensor that the formula defines, for messages; `function` is the function whose body it is,
    and `index_parameters` are those of its parameters that are indices. Of the others, by the tensors that
    stand for them, `dependent` are those whose values depend on such an index, `without_tensors` those whose
    values read no tensor. Where neither tensor nor function is given, it is a fact or stands alone, and every
    index is free.
    """

    visible: Mapping[str, Index]
    parameters: frozenset[str] = frozenset()
    left: Tensor | None = None
    function: str = ""
    index_parameters: Mapping[str, Index] = field(default_factory=dict)
    dependent: Mapping[Index, frozenset[str]] = field(default_factory=dict)
    without_tensors: frozenset[str] = frozenset()

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
        else:
            part = _packed_index(word, own, surroundings, scope)
            size = Size(part.axis)
        position, places = add(multiply(position, size), part), multiply(places, size)
    if related_form(places) != related_form(Size(own.axis)):
        raise scope.error(
            f"{formula} counts {size_text(places)} places, but axis {own.axis.name} has "
            f"{size_text(own.axis.formula or Size(own.axis))}",
            formula.span,
            f"relate the sizes: index {own.axis.label} : {own.axis.name} = {size_text(places)}",
        )
    return linear_form(position).expression()


def _packed_index(word: Word, own: Index, surroundings: Surroundings, scope: Scope) -> Index:
    """An index of a packed position; NotationError where the name stands for none."""
    owner = next((axis for axis, names in scope.blocks.items() if word.text in names), None)
    if owner is not None:
        raise scope.error(
            f"'{word.text}' is a block of axis {owner}, and stands first in a position of that axis, "
            f"but this is one of axis {own.axis.name}",
            word.span,
            f"a block is read as in ({word.text} h)",
        )
    return bound_index(word, surroundings, scope)


def refused_packed(formula: Packed, scope: Scope) -> NotationError:
    """The error for indices side by side that are no position."""
    return scope.error(
        f"{formula} packs indices, and is a whole position of a tensor",
        formula.span,
        f"read it as in x[{formula}]; a product needs '*'",
    )


def packed_axis(formula: Packed, scope: Scope) -> Axis:
    """The axis that a packed left-hand side counts through; NotationError where none or several are."""
    places = multiply(*(Size(named_index(word, scope).axis) for word in formula.words))
    found = [axis for axis in scope.axes.values() if related_form(Size(axis)) == related_form(places)]
    if len(found) == 1:
        return found[0]
    names = " and ".join(axis.name for axis in found)
    raise scope.error(
        f"{formula} counts {size_text(places)} places, as {names or 'no axis'} {'do' if found else 'does'}",
        formula.span,
        "write an index over the axis that is meant, and its digits: floor(o/size(e)) and mod(o, size(e))"
        if found
        else f"declare the axis: index o : O = {size_text(places)}",
    )


def unpacked(expression: Expression, parts: Sequence[Index], index: Index) -> Expression:
    """The right-hand side for y[(h e)], in the index over the packed axis: h is floor(o/size(e))."""
    whole: Expression = ZERO
    for part in parts:
        whole = add(multiply(whole, Size(part.axis)), part)
    joined = _joined(expression, linear_form(whole).expression(), index, {index, *parts})
    digits: dict[Index, Expression] = {}
    unit: Expression = ONE
    for place, part in reversed(list(enumerate(parts))):
        above = index if unit == ONE else floor_quotient(index, unit)
        digits[part] = above if place == 0 else Apply("mod", (above, Size(part.axis)))
        unit = multiply(unit, Size(part.axis))
    return substitute(joined, digits)


def _joined(node: Expression, whole: Expression, index: Index, names: Set[Index]) -> Expression:
    """The index itself where all its digits stand together, as in x[(h e)], and in u[(k h e)] of a block."""
    if node == whole:
        return index
    if isinstance(node, Add) and not node.tensors and whole.free_indices <= node.free_indices:
        rest = linear_form(node).plus(linear_form(whole), -1).expression()
        if not whole.free_indices & rest.free_indices:
            return add(index, rest)
    if isinstance(node, Reduction) and names & set(node.indices):
        return node
    return node.with_children(tuple([_joined(child, whole, index, names) for child in node.children]))
