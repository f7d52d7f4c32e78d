"""Where a model has a kink or a tie, and data that lie exactly there.

At such places no difference quotient is the derivative; the language fixes it: relu'(0) = 0, abs'(0) = 0,
sign'(0) = 0, max(a, b) to a where a >= b, and max over indices to the first maximum. The complex step through
the equations follows these conventions: it decides by real parts, and the equations say which side is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import SymbackpropError
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Comparison,
    ComparisonOperator,
    Expression,
    Index,
    Reduction,
    Size,
)
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.sampling.finite_data import Domain
from symbackprop.semantics.array_numbers import RoundedNumbers
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.systems import evaluate_system, undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, System

Array: TypeAlias = NDArray[Any]

# Whole numbers and halves are added and multiplied without rounding, so that a zero or a tie is one exactly,
# in whatever order a program computes it.
EXACT_DOMAINS = (
    Domain("-1, 0 and 1", lambda rng, shape: rng.integers(-1, 2, shape).astype(np.float64)),
    Domain("-4 to 4", lambda rng, shape: rng.integers(-4, 5, shape).astype(np.float64)),
    Domain("0 and 1", lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64)),
    Domain("1 and 2", lambda rng, shape: rng.integers(1, 3, shape).astype(np.float64)),
    Domain("zero", lambda rng, shape: np.zeros(shape)),
    Domain("-3/2 to 3/2 in halves", lambda rng, shape: rng.integers(-3, 4, shape) / 2),
    Domain("one half", lambda rng, shape: np.full(shape, 0.5)),
)
EXACT_SIZES = (2, 4)  # means over them are exact
_OTHER_SIDE: Mapping[str, ComparisonOperator] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


NEAR = 1e-9  # closer than this and not equal exactly: which side a program takes is a matter of rounding


@dataclass(frozen=True)
class RandomlyRounded:
    """Evaluates with every inexact operation rounded up or down at random; exact ones stay exact.

    Equal arguments of a function give equal values all the same, so that tanh(x[i]) ties where x does.
    """

    evaluator: VectorisedEvaluator

    @staticmethod
    def of(
        system: System, values: Mapping[str, Array], sizes: Mapping[str, int], seed: int
    ) -> RandomlyRounded:
        """All tensors of a system, so rounded."""
        numbers = RoundedNumbers(np.float64, np.random.default_rng(seed), salt=seed)
        known = evaluate_system(system, values, sizes, numbers=numbers)
        return RandomlyRounded(VectorisedEvaluator(known, sizes, numbers=numbers))

    def expression(self, expression: Expression, positions: Mapping[Index, int] | None = None) -> Any:
        """The value at a position."""
        return float(self.evaluator.array(expression, (), positions))

    def array(
        self, expression: Expression, indices: tuple[Index, ...], at: Mapping[Index, int] | None = None
    ) -> Array:
        """The values over all positions of the indices."""
        return self.evaluator.array(expression, indices, at)


Evaluator: TypeAlias = NaiveEvaluator | RandomlyRounded


@dataclass(frozen=True)
class Kink:
    """A node with a kink where its `sides` agree, or a maximum over indices that several terms may reach."""

    name: str
    tensor: str
    node: Expression
    sides: tuple[Expression, Expression] | None
    indices: tuple[Index, ...]

    def places(self, evaluator: NaiveEvaluator, others: Sequence[Evaluator]) -> Places:
        """At how many positions the data lie on the kink, and whether rounding could decide at one of them.

        `others` evaluate the same data with more digits, or other roundings: it could where they differ.
        """
        at_kink, is_rounded = 0, False
        for place in np.ndindex(*(evaluator.sizes[index.axis.name] for index in self.indices)):
            at = dict(zip(self.indices, place, strict=True))
            try:
                values = self._rivals(evaluator, at)
                if len(values) < 2:
                    continue
                at_kink += len(set(values)) == 1
                is_rounded = is_rounded or any(_differ(values, self._rivals(one, at), one) for one in others)
            except SymbackpropError:  # read outside an axis: another branch of a `where` is taken there
                continue
        return Places(at_kink, is_rounded)

    def is_met(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
        """Whether data may lie on the kink somewhere; true where it is guarded, so that one cannot look."""
        evaluator = VectorisedEvaluator(known, sizes)
        try:
            with undefined_is_silent():
                if self.sides is not None:
                    left, right = (evaluator.array(side, self.indices) for side in self.sides)
                    return bool(np.any(left == right))
                assert isinstance(self.node, Reduction)
                terms = evaluator.array(self.node.body, (*self.indices, *self.node.indices))
        except SymbackpropError:  # read outside an axis: another branch of a `where` is taken there
            return True
        over = tuple(range(len(self.indices), terms.ndim))
        best = (np.min if self.node.kind == "min" else np.max)(terms, axis=over, keepdims=True)
        return bool(np.any(np.sum(terms == best, axis=over) > 1))

    def _rivals(self, evaluator: Evaluator, at: dict[Index, int]) -> list[Any]:
        """The values that decide it and lie close: both sides, or the terms next to the extreme one."""
        if self.sides is not None:
            left, right = (evaluator.expression(side, at) for side in self.sides)
            return [left, right] if abs(left - right) <= NEAR * (1 + abs(left) + abs(right)) else []
        assert isinstance(self.node, Reduction)
        terms = list(evaluator.array(self.node.body, self.node.indices, at).ravel())
        best = min(terms) if self.node.kind == "min" else max(terms)
        return [term for term in terms if abs(term - best) <= NEAR * (1 + abs(best))]

    @property
    def otherwise(self) -> Expression | None:
        """The node by the other convention: the last maximum, the other side; None where there is none."""
        match self.node:
            case Apply(function, arguments):
                kink = ALL_FUNCTIONS[function].kink
                return None if kink is None else kink.otherwise(*arguments)
            case Comparison(operator, left, right) if operator in _OTHER_SIDE:
                return Comparison(_OTHER_SIDE[operator], left, right)
            case Reduction("max" | "min" as kind, indices, body):
                return Reduction(
                    kind, indices, substitute(body, {each: _from_behind(each) for each in indices})
                )
            case Reduction("argmax", (index,), body):
                last = Reduction("argmax", (index,), substitute(body, {index: _from_behind(index)}))
                return subtract(subtract(Size(index.axis), ONE), last)
        return None

    def with_the_other_side(self, system: System) -> System | None:
        """The model with the other convention at this kink; None where there is none."""
        other = self.otherwise
        if other is None:
            return None

        def changed(equation: Equation) -> Equation:
            expression = rewrite_bottom_up(
                equation.expression, lambda node: other if node == self.node else node
            )
            return replace(equation, expression=expression)

        equations = tuple(changed(each) if each.tensor == self.tensor else each for each in system.equations)
        return replace(system, equations=equations)


def _differ(values: list[Any], others: list[Any], evaluator: Evaluator) -> bool:
    """Whether another evaluation gives other values; of one that rounds at random, another order of them."""
    if not isinstance(evaluator, RandomlyRounded):
        return values != others
    old, new = ([(each > side[0], each < side[0]) for each in side] for side in (values, others))
    return old != new


def _from_behind(index: Index) -> Expression:
    """The position that is as far from the axis' end as the index is from its start."""
    return subtract(subtract(Size(index.axis), ONE), index)


@dataclass(frozen=True)
class Places:
    """At how many positions data lie on a kink, and whether another order of summing could move them."""

    count: int
    is_rounded: bool


def kinks_of(system: System) -> tuple[Kink, ...]:
    """Every place in the model's equations where a derivative is a matter of convention, each once."""
    found: dict[str, Kink] = {}
    for equation in system.equations:
        for node in equation.expression.walk():
            sides = _sides(node)
            of_reals = [name for name in node.tensors if system.tensors[name].values is None]
            if sides is not None and of_reals:
                name = f"{text(node)} {sides.where} in {equation.tensor}"
                indices = tuple(sorted(node.free_indices, key=lambda index: index.name))
                found.setdefault(name, Kink(name, equation.tensor, node, sides.sides, indices))
    return tuple(found.values())


@dataclass(frozen=True)
class _Sides:
    where: str
    sides: tuple[Expression, Expression] | None


def _sides(node: Expression) -> _Sides | None:
    match node:
        case Apply(function, arguments) if ALL_FUNCTIONS[function].kink is not None:
            if is_integer(node):
                return None  # a position
            if len(arguments) == 1:
                return _Sides("at 0", (arguments[0], ZERO))
            return _Sides("at a tie", (arguments[0], arguments[1]))
        case Comparison(_, left, right):
            # Where positions are compared, the kinks are those inside them.
            return None if is_integer(left) and is_integer(right) else _Sides("at equality", (left, right))
        case Reduction("max" | "min" | "argmax", _, _):
            return _Sides("at a tie", None)
    return None


def places_at(
    kinks: Iterable[Kink],
    known: Mapping[str, Array],
    sizes: Mapping[str, int],
    others: Sequence[Evaluator] = (),
) -> dict[str, int] | None:
    """Each kink's name to the number of positions at which the data lie on it; those at none are left out.

    `known` are the values of all tensors; `others` know them with more digits, or otherwise rounded. None
    where rounding would decide at some kink.
    """
    evaluator = NaiveEvaluator(known, sizes)
    with np.errstate(all="ignore"):
        found = {kink.name: kink.places(evaluator, others) for kink in kinks}
    if any(places.is_rounded for places in found.values()):
        return None
    return {name: places.count for name, places in found.items() if places.count}
