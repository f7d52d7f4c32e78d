"""The chain rule factor by factor: shapes, which index survives each factor, and which line computes what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbackprop.derivation.result import AdjointDerivation, Derivation, LocalDerivative
from symbackprop.explanation.programs.computations import Computations, Span
from symbackprop.integers.linear import linear_form
from symbackprop.lesson.chains import ChainWriter
from symbackprop.lesson.through_time import at_steps
from symbackprop.notation.arithmetic import factors_of, is_sum, terms_of
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import ZERO, Delta, Element, Expression, Index
from symbackprop.systems.shorthands import spelled

MOST_FACTORS = 6


@dataclass(frozen=True)
class Tie:
    """A Kronecker delta: only where `upper`, of what is differentiated, is `lower` is there a derivative."""

    upper: Expression
    lower: Expression


@dataclass(frozen=True)
class Factor:
    """A local derivative dw[o]/dt[q], read index by index.

    `ties` hold in every term of its value: of each index of w that they name one place contributes. So do
    those `among`, by which some places of several indices contribute (a window, a lookup), and the `fixed`
    ones, which name no index of w: one place of t is read. `summed` are the indices of w that none names:
    each of their places contributes. `stored` are the indices of the numbers that need not be 0.
    """

    local: LocalDerivative
    derivative: Derivative
    value: Expression
    ties: tuple[Tie, ...]
    among: tuple[Tie, ...]
    fixed: tuple[Tie, ...]
    summed: tuple[Index, ...]
    stored: tuple[Index, ...]

    @property
    def is_zero(self) -> bool:
        """Whether nothing of w depends on t but through choices, as an argmax does."""
        return self.value == ZERO

    @property
    def upper(self) -> tuple[Index, ...]:
        """The indices of what is differentiated."""
        return self.local.consumer.indices

    @property
    def upper_indices(self) -> tuple[Index, ...]:
        """Those, by the names that they have in the derivative."""
        return tuple(each for each in self.derivative.numerator.positions if isinstance(each, Index))

    @property
    def lower(self) -> Sequence[Expression]:
        """The positions of what it is differentiated by."""
        return self.derivative.denominator.positions


@dataclass(frozen=True)
class Product:
    """One step of the chain rule: dE/dt as a sum of products dE/dw * dw/dt, and the line that computes it.

    `chain` is the whole product back to the loss, where one path leads there; else the terms are sums.
    `computed_as` is the tensor whose lines compute it: its own adjoint, or the one that it has been put into,
    where `is_equal` says that this holds the same numbers and `is_factor` that it is a factor of them.
    """

    adjoint: AdjointDerivation
    factors: tuple[Factor, ...]
    terms: tuple[tuple[Derivative, ...], ...]
    value: Expression
    computed_as: AdjointDerivation | None
    is_equal: bool
    is_factor: bool
    spans: tuple[Span, ...]

    @property
    def indices(self) -> tuple[Index, ...]:
        """Those of the derivative."""
        return self.adjoint.equation.indices

    @property
    def is_given(self) -> str | None:
        """The name of a tensor that it is and nothing else, so that no line has to compute it."""
        expression = self.adjoint.equation.expression
        if self.adjoint.kept or not isinstance(expression, Element):
            return None
        return expression.tensor if expression.positions == self.indices else None

    @property
    def is_its_own(self) -> bool:
        """Whether the code has an array for it alone."""
        return self.computed_as is self.adjoint


@dataclass(frozen=True)
class ChainRule:
    """Every product of a derivation, from the loss backwards."""

    derivation: Derivation
    computations: Computations

    @cached_property
    def writer(self) -> ChainWriter:
        """Tells the derivative along the direct path alone from that along all paths."""
        return ChainWriter(self.derivation)

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """One for each tensor on the way to those that were asked for."""
        return tuple(self._product(adjoint) for adjoint in self.derivation.adjoints if adjoint.factors)

    def _product(self, adjoint: AdjointDerivation) -> Product:
        expression = adjoint.equation.expression
        is_nothing = expression == ZERO and not adjoint.kept
        holder = None if is_nothing else self._holder(adjoint)
        held = holder.equation.expression if holder else None
        return Product(
            adjoint,
            tuple(map(_factor, adjoint.factors)),
            tuple(self._chains(adjoint)),
            spelled(expression, self.derivation.system.shorthands),
            holder,
            held == expression and _indices(holder) == _indices(adjoint),
            held is not None and _is_factor(expression, held),
            self.computations.spans_for(holder.equation.tensor) if holder else (),
        )

    def _holder(self, adjoint: AdjointDerivation) -> AdjointDerivation | None:
        """The adjoint that is computed: itself, or the one that it has been put into, one after another."""
        seen: set[str] = set()
        while not adjoint.kept and adjoint.tensor not in seen:
            seen.add(adjoint.tensor)
            users = [
                other
                for other in self.derivation.adjoints
                if any(factor.consumer.tensor == adjoint.tensor for factor in other.factors)
            ]
            if len(users) != 1:
                return None
            adjoint = users[0]
        return adjoint if adjoint.kept else None

    def _chains(self, adjoint: AdjointDerivation) -> Iterator[tuple[Derivative, ...]]:
        """The factors of each term, followed back to the loss as long as one path leads there."""
        own, readers = at_steps(self.derivation, adjoint)
        if all(reader.positions in ((), own.positions) for reader in readers.values()):
            own, readers = Element(adjoint.tensor), {}  # all of it happens within one step
        for factor in adjoint.factors:
            above = factor.consumer.tensor
            reader = readers.get(above, Element(above))
            apart = self.writer.apart(factor.derivative).numerator.tensor
            chain = [Derivative(Element(apart, reader.positions), own, factor.derivative.total)]
            while above != self.derivation.system.loss and len(adjoint.factors) == 1:
                before = self._by_tensor[above]
                if len(before.factors) != 1 or len(chain) >= MOST_FACTORS:
                    break
                chain.insert(0, without_indices(self.writer.apart(before.factors[0].derivative)))
                above = before.factors[0].consumer.tensor
            if above != self.derivation.system.loss:
                loss = Element(self.derivation.system.loss or "")
                last = reader if above == reader.tensor else Element(above)
                chain.insert(0, Derivative(loss, last, total=True))
            yield tuple(chain)

    @cached_property
    def _by_tensor(self) -> dict[str, AdjointDerivation]:
        return {adjoint.tensor: adjoint for adjoint in self.derivation.adjoints}


def _indices(adjoint: AdjointDerivation | None) -> tuple[Index, ...]:
    return adjoint.equation.indices if adjoint else ()


def _is_factor(part: Expression, whole: Expression) -> bool:
    """Whether the factors of one expression are all among those of another, which has more."""
    factors = list(factors_of(whole))
    for factor in factors_of(part):
        if factor not in factors:
            return False
        factors.remove(factor)
    return bool(factors)


def _factor(local: LocalDerivative) -> Factor:
    derivative = local.derivative
    if local.value == ZERO:
        return Factor(local, derivative, local.value, (), (), (), (), ())
    upper = [each for each in derivative.numerator.positions if isinstance(each, Index)]
    lower = [each for each in derivative.denominator.positions if isinstance(each, Index)]
    terms = [_deltas(term, {*upper, *lower}) for term in terms_of(local.value)]
    common = [delta for delta in terms[0] if all(delta in term for term in terms)]
    tied = [tie for delta in common if (tie := _tie(delta, upper)) is not None]
    ties = tuple(tie for tie in tied if _is_one_place(tie.upper))
    among = tuple(tie for tie in tied if tie not in ties)
    read = (tie for delta in common if (tie := _tie(delta, lower)) is not None)
    fixed = tuple(tie for tie in read if tie.lower.free_indices <= frozenset(lower))
    named = frozenset(index for tie in tied for index in tie.upper.free_indices)
    summed = tuple(index for index in upper if index not in named)
    # A window's and a lookup's place of t follows from the places of w that it names.
    following = {*(tie.upper for tie in fixed), *(tie.lower for tie in among)}
    several = [index for tie in among for index in sorted(tie.upper.free_indices, key=lambda each: each.name)]
    stored = dict.fromkeys((*summed, *several, *(index for index in lower if index not in following)))
    return Factor(local, derivative, local.value, ties, among, fixed, summed, tuple(stored))


def _deltas(term: Expression, own: Collection[Index]) -> list[Delta]:
    """The deltas that a term is multiplied by, those inside the sums that it is included.

    A sum over an index that goes by the name of one of the derivative's `own` is left closed.
    """
    found: list[Delta] = []
    pending = list(factors_of(term))
    while pending:
        factor = pending.pop(0)
        if isinstance(factor, Delta):
            found.append(factor)
        elif is_sum(factor) and not set(factor.indices).intersection(own):
            pending += factors_of(factor.body)
    return found


def _is_one_place(position: Expression) -> bool:
    """Whether a position names one index, each of whose places gives another: k', t' - 1."""
    if position.tensors or len(position.free_indices) != 1:
        return False
    (index,) = position.free_indices
    form = linear_form(position)
    return abs(form.coefficient(index)) == 1 and not form.without(index).expression().free_indices


def _speaks(side: Expression, indices: Sequence[Index]) -> bool:
    return bool(side.free_indices & frozenset(indices))


def _tie(delta: Delta, indices: Sequence[Index]) -> Tie | None:
    """The delta with the side in front that speaks of these indices; None where both or neither does."""
    for over, under in ((delta.left, delta.right), (delta.right, delta.left)):
        if _speaks(over, indices) and not _speaks(under, indices):
            return Tie(over, under)
    return None
