"""How much rounding an expression picks up: its value beside a first-order bound on its error.

Running error analysis: every operation adds a unit in its own last place, and passes on what its operands
have (Wilkinson 1963; Higham, Accuracy and Stability of Numerical Algorithms, section 3.3). Errors are in
units of the rounding, so that one pass in float64 speaks for any precision. Elements without a formula are
data, and exact. Sums of three terms and more may be added up in any order.

Many points are evaluated at once, with a list for a number: what is not finite at a point is nan there,
but the reciprocal of an exact 0, which times an exact 0 is 0, as f/sqrt(sum(i, f^2)) is for f = 0.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS, INTEGER_FUNCTIONS
from symbackprop.integers.recognition import is_exact
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
from symbackprop.semantics.rounded import Rounded, added, finite, multiplied, raised, real_part, slope

Positions: TypeAlias = Mapping[Index, int]
Places: TypeAlias = tuple[int, ...]
SIZE = 2


@dataclass(frozen=True)
class RoundingErrors:
    """Evaluates with errors at `points` points, where every axis has `size` places.

    `datum` gives the values of an element, or of what has no arithmetic, by its spelling and its place.
    `formulas` are those of elements that are computed, by tensor, with the indices that they stand at.
    The values of the functions in `exact` count as data. So does what is read outside of an axis. `own_mean`
    gives the place of a sum's term that is the mean of those at others: exact, and taken off first.
    """

    points: int
    datum: Callable[[str, Places], list[float]]
    formulas: Mapping[str, tuple[tuple[Index, ...], Expression]]
    exact: frozenset[str] = frozenset()
    size: int = SIZE
    own_mean: Callable[[Add], tuple[int, Places] | None] = lambda _: None
    _known: dict[object, Rounded] = field(default_factory=dict, init=False, compare=False)
    _integer: dict[object, list[int]] = field(default_factory=dict, init=False, compare=False)
    _open: set[object] = field(default_factory=set, init=False, compare=False)

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        return defaultdict(lambda: self.size)

    def of(self, node: Expression, at: Positions) -> Rounded:
        """The values and their errors where the free indices stand at `at`."""
        if not isinstance(node, _COMPOUND) or self._depends_on_open(node):
            return self._of(node, at)
        return self._once((node, *_places(node, at)), lambda: self._of(node, at))

    def _depends_on_open(self, node: Expression) -> bool:
        """Whether it may read an element whose formula is being evaluated, which is data there alone."""
        return bool(self._open) and not node.tensors.isdisjoint(self.formulas)

    def _of(self, node: Expression, at: Positions) -> Rounded:
        match node:
            case Number(exact):
                return self._data(exact.numerator / exact.denominator)
            case Element(tensor, positions):
                return self._element(tensor, positions, at)
            case Add():
                return self._added(node, at)
            case Multiply(factors):
                return multiplied([self.of(factor, at) for factor in factors])
            case Power(base, Number(exponent)):
                return raised(self.of(base, at), exponent.numerator / exponent.denominator)
            case Apply(function, (argument,)) if ALL_FUNCTIONS[function].is_identity:
                return self.of(argument, at)
            case Apply(function, arguments) if function not in INTEGER_FUNCTIONS:
                return self._applied(function, [self.of(argument, at) for argument in arguments])
            case Where():
                return self._chosen(node, at)
            case Reduction():
                return self._once((node, *_places(node, at)), lambda: self._reduced(node, at))
            case Size():
                return self._data(float(self.size))
            case Constant():
                return self._data(math.pi)
            case Index() | Delta() | Apply():
                return self._exact([float(each) for each in self._integers(node, at)])
            case MatrixFunction(kind, tensor, _, batch, positions):
                return self._element(f"{kind}({tensor})", (*batch, *positions), at)
        free = [at[each] for each in node.walk() if isinstance(each, Index) and each in at]
        return self._exact(self.datum(f"{type(node).__name__} {sorted(node.tensors)}", tuple(free)))

    def _added(self, node: Add, at: Positions) -> Rounded:
        found = [self.of(term, at) for term in node.terms]
        own_mean = self.own_mean(node)
        if own_mean is None:
            return added(found)
        place, values = own_mean
        centred = added([*(found[each] for each in values), self._exact(found[place].values)])
        others = [each for number, each in enumerate(found) if number not in (place, *values)]
        return added([centred, *others]) if others else centred

    def _data(self, value: float) -> Rounded:
        return self._exact([value] * self.points)

    def _exact(self, values: list[float]) -> Rounded:
        return Rounded(values, [0.0] * self.points)

    def _once(self, key: object, compute: Callable[[], Rounded]) -> Rounded:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def _integers(self, node: Expression, at: Positions) -> list[int]:
        """The values of an integer expression, one a point."""
        if is_exact(node):
            return [int(integer_value(node, at, self._sizes, _unread))] * self.points
        key = (node, *_places(node, at))
        if key in self._integer and not self._depends_on_open(node):
            return self._integer[key]
        readers = map(self._reader, range(self.points))
        found = [int(integer_value(node, at, self._sizes, reader)) for reader in readers]
        if not self._depends_on_open(node):
            self._integer[key] = found
        return found

    def _reader(self, point: int) -> Callable[[Expression, Positions], Any]:
        """What an integer expression reads at a point: a place, or whether a comparison holds."""

        def read(node: Expression, at: Positions) -> Any:
            if isinstance(node, Comparison):
                return compared(
                    node.operator, *[self.of(each, at).values[point] for each in (node.left, node.right)]
                )
            value = self.of(node, at).values[point]
            return int(value) % self.size if math.isfinite(value) else 0

        return read

    def _element(self, tensor: str, positions: Sequence[Expression], at: Positions) -> Rounded:
        if not any([position.tensors for position in positions]):
            places = [at[each] if type(each) is Index else self._integers(each, at)[0] for each in positions]
            return self._at_places(tensor, tuple(places))
        rows = zip(*[self._integers(position, at) for position in positions], strict=True)
        read = [self._at_places(tensor, row) for row in rows]
        return Rounded(
            [each.values[point] for point, each in enumerate(read)],
            [each.errors[point] for point, each in enumerate(read)],
        )

    def _at_places(self, tensor: str, places: Places) -> Rounded:
        key = (tensor, places)
        # A formula may read its own element, or that of the step before, and so on without end.
        is_data = key in self._open or not all([0 <= place < self.size for place in places])
        if tensor not in self.formulas or is_data:
            return self._exact(self.datum(tensor, places))
        indices, formula = self.formulas[tensor]
        self._open.add(key)
        try:
            return self._once(key, lambda: self.of(formula, dict(zip(indices, places, strict=True))))
        finally:
            self._open.discard(key)

    def _applied(self, function: str, arguments: list[Rounded]) -> Rounded:
        evaluate = ALL_FUNCTIONS[function].evaluate
        rows = list(zip(*[argument.values for argument in arguments], strict=True))
        values = [finite(real_part, evaluate, row) for row in rows]
        own = 0.0 if function in self.exact else 1.0  # a 0 of other arguments than 0 has underflowed
        errors = [own * (abs(each) or 5e-324 * any(row)) for each, row in zip(values, rows, strict=True)]
        for place, argument in enumerate(arguments):
            for point, (row, error) in enumerate(zip(rows, argument.errors, strict=True)):
                # The argument of exp has been rounded, wherever it comes from.
                if error := max(error, abs(row[place])) if function == "exp" else error:
                    errors[point] += abs(finite(slope, evaluate, row, place)) * error
        return Rounded(values, errors)

    def _chosen(self, node: Where, at: Positions) -> Rounded:
        condition, chosen, otherwise = node.condition, node.chosen, node.otherwise
        if is_exact(condition):
            return self.of(chosen if condition_holds(condition, at, self._sizes, _unread) else otherwise, at)
        cases = (self.of(otherwise, at), self.of(chosen, at))
        readers = map(self._reader, range(self.points))
        truth = [condition_holds(condition, at, self._sizes, reader) for reader in readers]
        return Rounded(
            [cases[holds].values[point] for point, holds in enumerate(truth)],
            [cases[holds].errors[point] for point, holds in enumerate(truth)],
        )

    def _reduced(self, node: Reduction, at: Positions) -> Rounded:
        ranges = itertools.product(range(self.size), repeat=len(node.indices))
        terms = [self.of(node.body, {**at, **dict(zip(node.indices, each, strict=True))}) for each in ranges]
        match node.kind:
            case "sum":
                return added(terms)
            case "prod":
                return multiplied(terms)
        choose = min if node.kind == "min" else max
        rows = list(zip(*[term.values for term in terms], strict=True))
        best = [row.index(choose(row)) for row in rows]
        if node.kind == "argmax":
            return self._exact([float(place) for place in best])
        return Rounded(
            [row[place] for row, place in zip(rows, best, strict=True)],
            [terms[place].errors[point] for point, place in enumerate(best)],
        )


_COMPOUND = (Add, Multiply, Power, Apply, Where)


def _unread(node: Expression, _at: Positions) -> Any:
    raise AssertionError(f"{type(node).__name__} without tensors is read")


def _places(node: Expression, at: Positions) -> Places:
    return tuple([at[index] for index in sorted(node.free_indices, key=lambda index: index.name)])
