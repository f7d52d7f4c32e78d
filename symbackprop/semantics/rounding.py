"""How much rounding an expression picks up: its value beside a first-order bound on its error.

Running error analysis: every operation adds a unit in its own last place, and passes on what its operands
have (Wilkinson 1963; Higham, Accuracy and Stability of Numerical Algorithms, section 3.3). Errors are in
units of the rounding, so that one pass in float64 speaks for any precision. Elements without a formula are
data, and exact. Sums of three terms and more may be added up in any order.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from symbackprop.errors import NotationError
from symbackprop.functions.elementary import ALL_FUNCTIONS, INTEGER_FUNCTIONS
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.semantics.integer_values import compared, condition_holds, integer_value

Positions: TypeAlias = Mapping[Index, int]
INFINITESIMAL = 1e-30
SIZE = 2  # of every axis: what is read outside of it is data too


class Rounded(NamedTuple):
    """A value, and a bound on its error in units of the rounding."""

    value: float
    error: float


@dataclass(frozen=True)
class RoundingErrors:
    """Evaluates with errors, where every axis has two places.

    `datum` gives the value of an element, or of what has no arithmetic, by its spelling and its place.
    `formulas` are those of elements that are computed, by tensor, with the indices that they stand at.
    The values of the functions in `exact` count as data.
    """

    datum: Callable[[str, tuple[int, ...]], float]
    formulas: Mapping[str, tuple[tuple[Index, ...], Expression]]
    exact: frozenset[str] = frozenset()
    _known: dict[object, Rounded] = field(default_factory=dict, init=False, compare=False)
    _open: set[object] = field(default_factory=set, init=False, compare=False)

    def of(self, expression: Expression, at: Positions) -> Rounded | None:
        """The value and its error where the free indices stand at `at`; None where it is not finite."""
        try:
            found = self._of(expression, at)
        except (ArithmeticError, ValueError, NotationError):
            return None
        return found if math.isfinite(found.value) and math.isfinite(found.error) else None

    def _of(self, node: Expression, at: Positions) -> Rounded:
        match node:
            case Number(exact):
                return Rounded(exact.numerator / exact.denominator, 0.0)
            case Element(tensor, positions):
                return self._element(tensor, tuple([self._integer(each, at) for each in positions]))
            case Add(terms):
                return _added([self._of(term, at) for term in terms])
            case Multiply(factors):
                return _multiplied([self._of(factor, at) for factor in factors])
            case Power(base, Number(exponent)):
                return _raised(self._of(base, at), exponent.numerator / exponent.denominator)
            case Apply(function, _) if function not in INTEGER_FUNCTIONS:
                return self._applied(node, [self._of(argument, at) for argument in node.arguments])
            case Where(condition, chosen, otherwise):
                holds = condition_holds(condition, at, _SIZES, self._read)
                return self._of(chosen if holds else otherwise, at)
            case Reduction():
                return self._once((node, *_places(node, at)), lambda: self._reduced(node, at))
            case Size():
                return Rounded(float(SIZE), 0.0)
            case Constant():
                return Rounded(math.pi, 0.0)
            case Index() | Delta() | Apply():
                return Rounded(float(self._integer(node, at)), 0.0)
            case MatrixFunction(kind, tensor, _, batch, positions):
                places = [self._integer(each, at) for each in (*batch, *positions)]
                return Rounded(self.datum(f"{kind}({tensor})", tuple(places)), 0.0)
        places = [at[each] for each in node.walk() if isinstance(each, Index) and each in at]
        return Rounded(self.datum(f"{type(node).__name__} {sorted(node.tensors)}", tuple(places)), 0.0)

    def _once(self, key: object, compute: Callable[[], Rounded]) -> Rounded:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def _integer(self, node: Expression, at: Positions) -> int:
        return at[node] if type(node) is Index else int(integer_value(node, at, _SIZES, self._read))

    def _read(self, node: Expression, at: Positions) -> float:
        match node:
            case Comparison(operator, left, right):
                return compared(operator, self._of(left, at).value, self._of(right, at).value)
        return int(self._of(node, at).value) % SIZE

    def _element(self, tensor: str, places: tuple[int, ...]) -> Rounded:
        key = (tensor, places)
        if tensor not in self.formulas or key in self._open:  # a formula that reads its own element
            return Rounded(self.datum(tensor, places), 0.0)
        indices, formula = self.formulas[tensor]
        self._open.add(key)
        try:
            return self._once(key, lambda: self._of(formula, dict(zip(indices, places, strict=True))))
        finally:
            self._open.discard(key)

    def _applied(self, node: Apply, arguments: list[Rounded]) -> Rounded:
        evaluate = ALL_FUNCTIONS[node.function].evaluate
        values = [argument.value for argument in arguments]
        value = float(evaluate(*values).real)
        error = 0.0 if node.function in self.exact else abs(value)
        for place, argument in enumerate(arguments):
            if argument.error:
                nearby: list[complex] = list(values)
                nearby[place] += 1j * INFINITESIMAL
                error += abs(complex(evaluate(*nearby)).imag) / INFINITESIMAL * argument.error
        return Rounded(value, error)

    def _reduced(self, node: Reduction, at: Positions) -> Rounded:
        places = itertools.product(range(SIZE), repeat=len(node.indices))
        terms = [
            self._of(node.body, {**at, **dict(zip(node.indices, place, strict=True))}) for place in places
        ]
        match node.kind:
            case "sum":
                return _added(terms)
            case "prod":
                return _multiplied(terms)
        best = (min if node.kind == "min" else max)(terms, key=lambda term: term.value)
        return Rounded(float(terms.index(best)), 0.0) if node.kind == "argmax" else best


_SIZES: Mapping[str, int] = defaultdict(lambda: SIZE)


def _places(node: Expression, at: Positions) -> tuple[int, ...]:
    return tuple([at[index] for index in sorted(node.free_indices, key=lambda index: index.name)])


def _added(terms: list[Rounded]) -> Rounded:
    value, error = sum([term.value for term in terms]), sum([term.error for term in terms])
    own = abs(value) if len(terms) < 3 else sum([abs(term.value) for term in terms])
    return Rounded(value, error + own)


def _multiplied(factors: Iterable[Rounded]) -> Rounded:
    first, *others = factors
    value, error = first
    for factor in others:
        is_sign = value in (1.0, -1.0) and not error
        error = error * abs(factor.value) + abs(value) * factor.error
        value *= factor.value
        error += 0.0 if is_sign else abs(value)
    return Rounded(value, error)


def _raised(base: Rounded, exponent: float) -> Rounded:
    value = math.pow(base.value, exponent)
    slope = exponent * math.pow(base.value, exponent - 1) if base.error else 0.0
    return Rounded(value, abs(slope) * base.error + abs(value))
