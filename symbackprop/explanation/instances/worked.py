"""One element of an equation with numbers in the place of symbols: what a person computes on a slide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.program import Loop
from symbackprop.errors import NotationError, VerificationError
from symbackprop.explanation.instances.digits import comes_to, in_formula
from symbackprop.explanation.instances.instance import Instance
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.semantics.integer_values import condition_holds, integer_value
from symbackprop.semantics.systems import undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import Shorthand
from symbackprop.systems.system import Equation

LONGEST = 240  # letters of a formula that is shown whole
_FIRST_TERMS, _DOTS = 2, Element("...")


@dataclass(frozen=True)
class WorkedElement:
    """An element, its sums written out, then with numbers, and its value.

    `is_rounded` where the numbers, as they are shown, come to another last digit.
    """

    forms: tuple[Expression, ...]
    value: str
    is_rounded: bool


def worked_element(
    equation: Equation, instance: Instance, loop: Loop | None = None, reads: Iterable[str] = ()
) -> WorkedElement | None:
    """An element of a tensor, worked; None where that says nothing, as of a copy, or is no arithmetic.

    It is the first that is not 0; in a loop that of the second step, which reads the first. Parts of the
    equation that the line `reads` by names of their own have these names.
    """
    array = instance.values.get(equation.tensor)
    if array is None or np.ndim(array) != len(equation.indices) or not np.size(array):
        return None
    places = _places(equation, array, instance, loop)
    at = dict(zip(equation.indices, map(Number, places), strict=True))
    others = (instance.parts.get(name, {}) for name in reads if name != equation.tensor)
    parts = {shown: part for each in others for shown, part in each.items()}
    writer = _Writer(instance, parts)
    decimals = instance.decimals[equation.tensor]
    try:
        symbols = writer.written_out(substitute(equation.expression, at))
        found = _value_of(writer.with_numbers(symbols))
        shown = _shortened(symbols)
        numbers = writer.with_numbers(shown)
        value = in_formula(array[places], decimals)
    except (NotationError, VerificationError, IndexError, KeyError, ArithmeticError):
        return None
    is_copy = isinstance(equation.expression, Element) and equation.expression.positions == equation.indices
    is_long = max(len(text(shown)), len(text(numbers))) > LONGEST
    if is_copy or is_long or isinstance(symbols, Number) or not np.isfinite(found):
        return None
    forms = (substitute(equation.element, at), shown, numbers)
    if isinstance(numbers, Element):  # of another tensor, the same number
        return WorkedElement(forms[:2], value, is_rounded=False)
    return WorkedElement(forms, value, not comes_to(found, value, decimals))


def _places(
    equation: Equation, array: NDArray[Any], instance: Instance, loop: Loop | None
) -> tuple[int, ...]:
    """The first place, of a loop's second step, unless what stands there is 0 and not everywhere."""
    first = tuple([_place(index, instance, loop) for index in equation.indices])
    if array[first]:
        return first
    others = [place for place in np.ndindex(np.shape(array)) if array[place]]
    steps = [place for place, index in enumerate(equation.indices) if loop and index.name == loop.counter]
    same_step = [place for place in others if all(place[step] == first[step] for step in steps)]
    return next(iter(same_step + others), first)


def _place(index: Index, instance: Instance, loop: Loop | None) -> int:
    steps = instance.sizes.get(index.axis.name, 1)
    if loop is None or index.name != loop.counter or steps < 2:
        return 0
    return steps - 2 if loop.reverse else 1


def _shortened(symbols: Expression) -> Expression:
    """The formula, if it is long with dots for the terms of sums but for the first ones and the last."""

    def dotted(node: Expression) -> Expression:
        if not isinstance(node, Add) or len(node.terms) <= _FIRST_TERMS + 2:
            return node
        return Add((*node.terms[:_FIRST_TERMS], _DOTS, node.terms[-1]))

    return symbols if len(text(symbols)) <= LONGEST else rewrite_bottom_up(symbols, dotted)


def _value_of(numbers: Expression) -> Any:
    """What digits that stand as names come to."""

    def number(node: Expression) -> Expression:
        match node:
            case Element(tensor):
                return Number(Fraction(tensor.strip("()")))
            case Apply(("max" | "min") as function, arguments):
                return reduce(lambda one, other: Apply(function, (one, other)), arguments)
        return node

    with undefined_is_silent():
        return VectorisedEvaluator({}, {}).array(rewrite_bottom_up(numbers, number), ())[()]


@dataclass(frozen=True)
class _Writer:
    instance: Instance
    parts: Mapping[str, Element]

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.instance.sizes

    def written_out(self, node: Expression) -> Expression:
        """Sums written out term by term, positions worked out, branches of a `where` chosen."""
        part = self.parts.get(text(node)) if self.parts else None
        if part is not None:
            return part
        match node:
            case Reduction("sum"):
                return add(*self._terms(node))
            case Reduction("prod"):
                return multiply(*self._terms(node))
            case Reduction(("max" | "min") as kind):
                terms = self._terms(node)
                return Apply(kind, terms) if len(terms) > 1 else terms[0]
            case Reduction() | MatrixFunction() | Shorthand() | Index():
                raise NotationError(worded("is no arithmetic of a slide"))
            case Where(condition, chosen, otherwise):
                holds = condition_holds(condition, {}, self.sizes, self._read)
                return self.written_out(chosen if holds else otherwise)
            case Delta() | Comparison() | Logic():
                return Number(integer_value(node, {}, self.sizes, self._read))
            case Size(axis):
                return Number(self.sizes[axis.name])
            case Element(tensor, positions):
                return Element(tensor, tuple(Number(self._position(position)) for position in positions))
        children = tuple(self.written_out(child) for child in node.children)
        whole = node.with_children(children) if children else node
        return add(*whole.terms) if isinstance(whole, Add) else whole

    def _terms(self, node: Reduction) -> tuple[Expression, ...]:
        places = product(*(range(self.sizes[index.axis.name]) for index in node.indices))
        at = (dict(zip(node.indices, map(Number, place), strict=True)) for place in places)
        return tuple([self.written_out(substitute(node.body, each)) for each in at])

    def with_numbers(self, node: Expression) -> Expression:
        """Each element by its value; a number stands as a name, so that any printer writes its digits."""
        if isinstance(node, Element):
            shown = self._digits(node)
            return Element(f"({shown})" if shown.startswith("-") else shown)
        if isinstance(node, Apply) and isinstance(node.arguments[0], Element):
            return node.with_children(
                tuple(
                    Element(self._digits(each)) if isinstance(each, Element) else self.with_numbers(each)
                    for each in node.arguments
                )
            )
        children = tuple(self.with_numbers(child) for child in node.children)
        return node.with_children(children) if children else node

    def _digits(self, node: Element) -> str:
        if node == _DOTS:
            return node.tensor
        return in_formula(self._value(node), self.instance.decimals[node.tensor])

    def _position(self, position: Expression) -> int:
        return int(integer_value(position, {}, self.sizes, self._read))

    def _value(self, element: Element) -> Any:
        array: NDArray[Any] = self.instance.values[element.tensor]
        places = [self._position(position) for position in element.positions]
        if any(place < 0 for place in places):
            raise NotationError(worded("{element} lies outside its axis", element=text(element)))
        return array[tuple(places)]

    def _read(self, node: Expression, at: Mapping[Index, int]) -> Any:
        """An element in a position or a condition."""
        if not isinstance(node, Element):
            raise NotationError(worded("is decided by more than one element"))
        value = self._value(
            Element(
                node.tensor,
                tuple(substitute(each, {i: Number(n) for i, n in at.items()}) for each in node.positions),
            )
        )
        return int(value) if isinstance(value, np.integer) else Fraction(float(value))
