"""One element of an equation with numbers in the place of symbols: what a person computes on a slide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.program import Loop
from symbackprop.errors import NotationError, VerificationError
from symbackprop.explanation.instance import DECIMALS, NEXT_TO_NOTHING, Instance
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import add
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

LONGEST = 110  # letters of a formula that is shown with its numbers
_SMALL = 0.5e-3


@dataclass(frozen=True)
class WorkedElement:
    """An element with sums written out, with numbers, and its value.

    `is_rounded` where the numbers, as they are shown, come to another last digit.
    """

    element: Expression
    written_out: Expression
    with_numbers: Expression
    value: str
    is_rounded: bool


def worked_element(equation: Equation, instance: Instance, loop: Loop | None = None) -> WorkedElement | None:
    """An element of a tensor, worked; None where that says nothing or is too long for a slide.

    It is the first; in a loop that of the second step, which reads the first.
    """
    places = [_place(index, instance, loop) for index in equation.indices]
    at = dict(zip(equation.indices, map(Number, places), strict=True))
    writer = _Writer(instance)
    try:
        symbols = writer.written_out(substitute(equation.expression, at))
        numbers = writer.with_numbers(symbols)
        value = instance.values[equation.tensor][tuple(places)]
        shown = decimal(value)
        found = _value_of(numbers)
    except (NotationError, VerificationError, IndexError, KeyError, ArithmeticError):
        return None
    is_long = max(len(text(symbols)), len(text(numbers))) > LONGEST
    if is_long or isinstance(symbols, Element | Number) or not np.isfinite(found):
        return None
    return WorkedElement(substitute(equation.element, at), symbols, numbers, shown, decimal(found) != shown)


def _place(index: Index, instance: Instance, loop: Loop | None) -> int:
    steps = instance.sizes.get(index.axis.name, 1)
    if loop is None or index.name != loop.counter or steps < 2:
        return 0
    return steps - 2 if loop.reverse else 1


def _value_of(numbers: Expression) -> Any:
    """What digits that stand as names come to."""

    def number(node: Expression) -> Expression:
        return Number(Fraction(node.tensor.strip("()"))) if isinstance(node, Element) else node

    with undefined_is_silent():
        return VectorisedEvaluator({}, {}).array(rewrite_bottom_up(numbers, number), ())[()]


def decimal(value: Any) -> str:
    """A number to three decimals, all of them where it is rounded; one digit of a small number."""
    if isinstance(value, np.integer | int):
        return str(int(value))
    if NEXT_TO_NOTHING < abs(float(value)) < _SMALL:
        return np.format_float_positional(float(value), precision=1, fractional=False)
    shown = f"{float(value) + 0.0:.{DECIMALS}f}"
    if abs(float(value) - float(shown)) > NEXT_TO_NOTHING:
        return shown
    shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown


@dataclass(frozen=True)
class _Writer:
    instance: Instance

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.instance.sizes

    def written_out(self, node: Expression) -> Expression:
        """Sums written out term by term, positions worked out, branches of a `where` chosen."""
        match node:
            case Reduction("sum", indices, body):
                places = product(*(range(self.sizes[index.axis.name]) for index in indices))
                terms = [
                    self.written_out(substitute(body, dict(zip(indices, map(Number, place), strict=True))))
                    for place in places
                ]
                return add(*terms)
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

    def with_numbers(self, node: Expression) -> Expression:
        """Each element by its value; a number stands as a name, so that any printer writes its digits."""
        if isinstance(node, Element):
            shown = decimal(self._value(node))
            return Element(f"({shown})" if shown.startswith("-") else shown)
        if isinstance(node, Apply) and isinstance(node.arguments[0], Element):
            return node.with_children(
                tuple(
                    Element(decimal(self._value(each)))
                    if isinstance(each, Element)
                    else self.with_numbers(each)
                    for each in node.arguments
                )
            )
        children = tuple(self.with_numbers(child) for child in node.children)
        return node.with_children(children) if children else node

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
