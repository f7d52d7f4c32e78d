"""Tensors that the loss does not move with, though it reads them: shifts and scales that cancel.

Where m = max(k, u[k]) and P[k] = exp(u[k] - m), a step of m multiplies each P[k] by one factor, and
sum(k, P[k]*v[k])/sum(k, P[k]), homogeneous of degree 0 in P, stays what it is (Euler): dE/dm = 0. So it is
with m + log(sum(k, P[k])), and with a maximum that runs along a recurrence.

Each expression is followed as it moves with every element of the tensor: in proportion to its own value (a
factor), by what does not depend on it (a shift), or not at all. The conventions are those of derivatives: a
condition has none, and neither has what stop(..) holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.systems.dependence import moves
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Equation, Role, System

Positions: TypeAlias = tuple[Expression, ...]
Kind: TypeAlias = Literal["shift", "factor", "zero", "unknown"]
KINDS: tuple[Kind, ...] = ("shift", "factor")
MOST_ROUNDS = 3  # in a recurrence: one for what it begins with, one that must find the same again


@dataclass(frozen=True)
class Movement:
    """How a value moves with the elements of a tensor: `rates` by their positions, 0 where none stands.

    A `factor` moves by its value times the rate, a `shift` by the rate. `zero` is the number 0, which moves
    like either; `unknown` is what a recurrence has not said yet.
    """

    kind: Kind
    rates: Mapping[Positions, Expression] = field(default_factory=dict)

    @property
    def is_still(self) -> bool:
        """Whether it does not move."""
        return self.kind == "zero" or (self.kind != "unknown" and not self.rates)

    def times(self, number: Expression) -> Movement:
        """With each rate multiplied."""
        return _movement(self.kind, [(at, multiply(rate, number)) for at, rate in self.rates.items()])

    def at(self, places: Mapping[Index, Expression]) -> Movement:
        """With expressions in the place of free indices."""
        pairs = self.rates.items()
        moved = [(tuple([substitute(p, places) for p in at]), substitute(rate, places)) for at, rate in pairs]
        return _movement(self.kind, moved)

    def reads(self, indices: frozenset[Index], *, rates_too: bool) -> bool:
        """Whether one of the indices is a position, or one of a rate where these count."""
        return any(
            not indices.isdisjoint(part.free_indices)
            for at, rate in self.rates.items()
            for part in ((*at, rate) if rates_too else at)
        )


Known: TypeAlias = dict[str, tuple[tuple[Index, ...], Movement]]
STILL: Final = Movement("shift")
NOTHING: Final = Movement("zero")
UNKNOWN: Final = Movement("unknown")


def unmoved_tensors(system: System) -> frozenset[str]:
    """The parameters and derived tensors by each element of which the derivative of the loss is 0.

    That is, those with which some equation moves while the loss does not, since steps cancel on the way. What
    the loss does not read is not among them, nor anything where it is not seen.
    """
    if system.loss is None:
        return frozenset()
    found: set[str] = set()
    still = set(system.tensors.keys() - system.precedents((system.loss,)))
    stages = [stage.equations for stage in stages_of(system.equations)]
    places = {each.tensor: place for place, stage in enumerate(stages) for each in stage}
    derived = [equation.tensor for equation in reversed(system.equations)]
    for name in (*derived, *(tensor.name for tensor in system.with_role(Role.PARAMETER))):
        readers = [each for each in system.consumers[name] if each.tensor not in still]
        if any(moves(each.expression, name) for each in readers):
            following = stages[min(places[each.tensor] for each in readers) :]
            own = system.tensors[name].element
            if any(_is_unmoved(following, still, system.loss, own, kind) for kind in KINDS):
                found.add(name)
                still.add(name)
    return frozenset(found)


def cancels_within(expression: Expression, element: Element) -> bool:
    """Whether the expression itself does not move with a tensor that it reads, as a softmax's maximum."""
    return any(_is_still(_Moving(_start(element, kind)).of(expression)) for kind in KINDS)


def _is_still(movement: Movement | None) -> bool:
    return movement is not None and movement.kind != "unknown" and not movement.rates


def _start(element: Element, kind: Kind) -> Known:
    indices = tuple([index for index in element.positions if isinstance(index, Index)])
    return {element.tensor: (indices, Movement(kind, {element.positions: ONE}))}


def _is_unmoved(
    stages: Iterable[Sequence[Equation]], still: Collection[str], loss: str, own: Element, kind: Kind
) -> bool:
    known = _start(own, kind)
    for stage in stages:
        members = [each for each in stage if each.tensor != own.tensor and each.tensor not in still]
        if all(known.keys().isdisjoint(each.reads) for each in members):
            continue
        found = _of_stage(members, known)
        if found is None:
            return False
        known |= found
    return loss not in known


def _of_stage(members: Sequence[Equation], known: Known) -> Known | None:
    """How the members move, by induction over the steps where they read one another; None where none sees."""
    names = {each.tensor for each in members}
    is_recurrence = any(not names.isdisjoint(each.reads) for each in members)
    assumed: Known = {each.tensor: (each.indices, UNKNOWN) for each in members} if is_recurrence else {}
    for _ in range(MOST_ROUNDS):
        found: Known = {}
        for each in members:
            movement = _Moving({**known, **assumed, **found}).of(each.expression)
            if movement is None:
                return None
            found[each.tensor] = (each.indices, movement)
        if not is_recurrence or all(_is_same(found[name][1], assumed[name][1]) for name in names):
            is_said = all(movement.kind != "unknown" for _, movement in found.values())
            return {name: each for name, each in found.items() if each[1].rates} if is_said else None
        assumed = found
    return None


def _is_same(left: Movement, right: Movement) -> bool:
    return left.kind == right.kind and left.rates == right.rates


@dataclass(frozen=True)
class _Moving:
    """How expressions move where these tensors, each at its indices, do; None where that is not seen."""

    known: Known

    def of(self, node: Expression) -> Movement | None:
        """How the value moves."""
        if self.known.keys().isdisjoint(node.tensors):
            return NOTHING if node == ZERO else STILL
        match node:
            case Comparison() | Logic() | Delta():
                return STILL
            case Element(tensor, positions):
                return self._of_element(tensor, positions)
            case Add(terms):
                return _together([self.of(term) for term in terms])
            case Multiply(factors):
                return self._of_product(factors)
            case Power(base, exponent):
                return self._of_power(base, exponent)
            case Where(_, chosen, otherwise):
                return _alike([self.of(chosen), self.of(otherwise)])
            case Apply():
                return self._of_function(node)
            case Reduction():
                return self._of_reduction(node)
        return None

    def _of_element(self, tensor: str, positions: Positions) -> Movement:
        if tensor not in self.known:
            return STILL  # a position that moves has no derivative
        indices, movement = self.known[tensor]
        return movement.at(dict(zip(indices, positions, strict=True)))

    def _of_product(self, factors: Positions) -> Movement | None:
        movements = [self.of(factor) for factor in factors]
        if any(each is None or each.kind == "unknown" for each in movements):
            return None if None in movements else UNKNOWN
        found = [each for each in movements if each is not None]
        shifts = [place for place, each in enumerate(found) if each.kind == "shift" and each.rates]
        if not shifts:
            pairs = [pair for each in found for pair in each.rates.items()]
            return _movement("factor", pairs)
        others = [each for place, each in enumerate(found) if place != shifts[0]]
        if not all(each.is_still for each in others):
            return None
        rest = multiply(*(factor for place, factor in enumerate(factors) if place != shifts[0]))
        return found[shifts[0]].times(rest)

    def _of_power(self, base: Expression, exponent: Expression) -> Movement | None:
        below, above = self.of(base), self.of(exponent)
        if below is None or above is None or not above.is_still:
            return None
        if below.is_still or below.kind == "unknown":
            return UNKNOWN if below.kind == "unknown" else STILL
        return below.times(exponent) if below.kind == "factor" else None

    def _of_function(self, node: Apply) -> Movement | None:
        record, formula = ALL_FUNCTIONS[node.function], definition_of(node)
        if record.is_step or record.stands_still:
            return STILL
        if formula is not None:
            return self.of(formula)
        movements = [self.of(argument) for argument in node.arguments]
        if None in movements:
            return None
        if node.function in ("max", "min"):
            return _alike(movements)
        (inner,) = movements if len(movements) == 1 else (None,)
        if inner is None or inner.is_still or inner.kind == "unknown":
            return inner if inner is None or inner.kind == "unknown" else STILL
        if node.function == "exp" and inner.kind == "shift":
            return Movement("factor", inner.rates)
        if node.function == "log" and inner.kind == "factor":
            return Movement("shift", inner.rates)
        return None

    def _of_reduction(self, node: Reduction) -> Movement | None:
        if node.kind == "argmax":
            return STILL
        inner, bound = self.of(node.body), frozenset(node.indices)
        if inner is None or not inner.rates:
            return inner
        sums_rates = (node.kind, inner.kind) in (("sum", "shift"), ("prod", "factor"))
        if node.kind == "prod" and not sums_rates:
            return None
        if inner.reads(bound, rates_too=not sums_rates):
            return None
        if not sums_rates:
            return inner
        return _movement(inner.kind, [(at, _summed(rate, node)) for at, rate in inner.rates.items()])


def _summed(rate: Expression, node: Reduction) -> Expression:
    inside = tuple([index for index in node.indices if index in rate.free_indices])
    sizes = [Size(index.axis) for index in node.indices if index not in inside]
    return multiply(*sizes, Reduction("sum", inside, rate) if inside else rate)


def _together(movements: list[Movement | None]) -> Movement | None:
    """How a sum moves whose terms move so: terms that move by factors move by the same one."""
    found = [each for each in movements if each is not None]
    if len(found) < len(movements):
        return None
    said = [each for each in found if each.kind not in ("zero", "unknown")]
    if not any(each.kind == "factor" and each.rates for each in said):
        is_unknown = not any(each.rates for each in said) and len(said) < len(found)
        shift = _movement("shift", [pair for each in said for pair in each.rates.items()])
        return UNKNOWN if is_unknown and any(each.kind == "unknown" for each in found) else shift
    return _alike(movements)


def _alike(movements: list[Movement | None]) -> Movement | None:
    """How a value moves that is one of some, or a sum of factors: as all of them do, but for 0."""
    found = [each for each in movements if each is not None]
    if len(found) < len(movements):
        return None
    said = [each for each in found if each.kind not in ("zero", "unknown")]
    if not said:
        return UNKNOWN if UNKNOWN in found else NOTHING
    first = said[0]
    is_shifted = any(each.kind == "shift" and each.rates for each in said)
    if is_shifted and any(each.kind == "zero" for each in found):
        return None
    is_one = all(each.rates == first.rates and (not each.rates or each.kind == first.kind) for each in said)
    return first if is_one else None


def _movement(kind: Kind, pairs: Iterable[tuple[Positions, Expression]]) -> Movement:
    """With the rates at the same positions added, and none that is 0."""
    rates: dict[Positions, Expression] = {}
    for at, rate in pairs:
        rates[at] = canonical_bound_names(add(rates.get(at, ZERO), rate))
    return Movement(kind, {at: rate for at, rate in rates.items() if rate != ZERO})
