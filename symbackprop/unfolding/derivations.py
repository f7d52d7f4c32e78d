"""The derivation of a deep system, unfolded from that of the same system with few of its equal blocks.

What is derived with four of the blocks is unfolded to five, and compared with what is derived with five:
where the two are the same, one block more adds nothing but its own equations in its own names, and what has
been derived with five is unfolded to all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symbackprop.collecting import few_passes
from symbackprop.derivation.adjoint_names import adjoint_names, layer_name, layer_names
from symbackprop.derivation.driver import derive
from symbackprop.derivation.named_parts import with_functions_seen
from symbackprop.derivation.result import (
    AdjointDerivation,
    Derivation,
    Expansion,
    LocalDerivative,
    RenamedFactors,
)
from symbackprop.derivation.reverse import adjoint_order, differentiated_tensors, loss_name
from symbackprop.memoization.equal_blocks import Chain, longest_chain, with_few_blocks
from symbackprop.memoization.recall import Recall
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.substitution import holds_derivative, rename_tensors
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.systems.fan_out import with_fan_out
from symbackprop.systems.portions import MOST_TERMS
from symbackprop.systems.system import System
from symbackprop.unfolding.rows import NotUnfolded, Rows, Shift

FIRST = 3  # blocks beside the last one: the second of them has neighbours like any block in the middle
FEWEST_BLOCKS = 20
FEWEST_LEFT_OUT = 30  # equations: with fewer, deriving two shorter systems takes longer than it spares


@dataclass(frozen=True)
class Unfolding:
    """A derivation with few blocks, and the whole system's that comes of it; their names by rows."""

    few: Derivation
    whole: Derivation
    rows: Rows

    @cached_property
    def names(self) -> Mapping[int | None, dict[str, str]]:
        """By each shift, the few names of tensors and adjoints in the whole system."""
        there = {each.tensor: each.equation.tensor for each in self.whole.adjoints}
        return {shift: _with_adjoints(self.rows, shift, self.few, there) for shift in self.rows.shifts}

    def source(self, name: str) -> tuple[str, int | None]:
        """The few name of the equation that a tensor's or an adjoint's comes of, and its shift."""
        if name in self.whole.system.tensors:
            return self.rows.source(name)
        tensor, shift = self.rows.source(self._owners[name])
        return self._adjoints_of_few[tensor], shift

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        return {each.equation.tensor: each.tensor for each in self.whole.adjoints}

    @cached_property
    def _adjoints_of_few(self) -> Mapping[str, str]:
        return {each.tensor: each.equation.tensor for each in self.few.adjoints}

    @cached_property
    def next_of_few(self) -> dict[str, str]:
        """The few names a block further on, among the few."""
        rows = replace(self.rows, whole=self.rows.few)
        return _with_adjoints(rows, 1, self.few, self._adjoints_of_few)


@dataclass(frozen=True)
class UnfoldedDerivation:
    """A derivation that has been unfolded, `to_all` blocks, and by one block, which was compared."""

    by_one: Unfolding
    to_all: Unfolding

    @property
    def derivation(self) -> Derivation:
        """That of the whole system."""
        return self.to_all.whole


@few_passes()
def unfolded_derivation(system: System, wrt: Sequence[str] | None = None) -> UnfoldedDerivation | None:
    """The gradient of a deep system's loss; None where it does not come of few blocks."""
    wanted = differentiated_tensors(system, wrt)
    if not _may_be_unfolded(system):
        return None
    expansion = Expansion(system, system)
    blocks = _Blocks.of(system)
    if blocks is not None and with_functions_seen(blocks.few, wanted).system is not blocks.few:
        expansion = with_functions_seen(system, wanted)
        blocks = _Blocks.of(expansion.system)
    if blocks is None:
        return None
    try:
        return _unfolded(blocks, expansion, system, wanted)
    except NotUnfolded:
        return None


def _may_be_unfolded(system: System) -> bool:
    """Whether nothing speaks of the system as a whole, and no parameter is read through copies."""
    if len(system.equations) < FEWEST_LEFT_OUT or system.facts or system.positive_definite:
        return False
    is_plain = not any(holds_derivative(equation.expression) for equation in system.equations)
    return is_plain and with_fan_out(system, MOST_TERMS) is system


@dataclass(frozen=True)
class _Blocks:
    """The equal blocks of a system, and the system with few of them and with one more."""

    chain: Chain
    few: System
    more: System

    @classmethod
    def of(cls, system: System) -> _Blocks | None:
        chain = longest_chain(system.equations)
        if chain is None or chain.count < FEWEST_BLOCKS:
            return None
        if (chain.count - 2 * FIRST - 3) * chain.length < FEWEST_LEFT_OUT:
            return None
        few, more = (with_few_blocks(system, chain, first) for first in (FIRST, FIRST + 1))
        return None if few is None or more is None else cls(chain, few, more)


def _unfolded(
    blocks: _Blocks, expansion: Expansion, model: System, wanted: Sequence[str]
) -> UnfoldedDerivation:
    following, whole = blocks.chain.next, expansion.system
    by_one = Rows.of(following, blocks.few, blocks.more, 1)
    to_all = Rows.of(following, blocks.more, whole, blocks.chain.count - FIRST - 2)
    recall = Recall()
    few, more = (
        derive(each, [name for name in wanted if name in each.tensors], _names_beside(each, whole), recall)
        for each in (blocks.few, blocks.more)
    )
    beside = _names_beside(blocks.more, whole)
    if more.system is not more.model or not _is_same(unfold(few, by_one, more, more.wrt, beside), more):
        raise NotUnfolded
    plain = Derivation(whole, tuple(wanted), (), expansion, model)
    return UnfoldedDerivation(
        Unfolding(few, more, by_one), Unfolding(more, unfold(more, to_all, plain, wanted), to_all)
    )


def _names_beside(system: System, whole: System) -> frozenset[str]:
    """The names after layers that tensors which a system lacks lay claim to, so that no other has them."""
    left_out = [each.tensor for each in whole.equations if each.tensor not in system.tensors]
    return frozenset(filter(None, map(layer_name, left_out)))


def unfold(
    few: Derivation,
    rows: Rows,
    of: Derivation,
    wanted: Sequence[str],
    avoided: frozenset[str] = frozenset(),
) -> Derivation:
    """The derivation `of` the whole system, with the adjoints that come of what has been derived of few.

    No adjoint is called after its layer by one of the names that are to be `avoided`.
    Raises NotUnfolded where something speaks of names that have none in the whole.
    """
    if few.system is not few.model:
        raise NotUnfolded
    whole = of.system
    known = {each.tensor: each for each in few.adjoints}
    order = adjoint_order(whole, wanted)
    sources = {tensor: rows.source(tensor) for tensor in order}
    asked = frozenset(few.wrt)
    if any(one not in known or (name in wanted) != (one in asked) for name, (one, _) in sources.items()):
        raise NotUnfolded
    kept = frozenset([name for name, (one, _) in sources.items() if known[one].kept])
    names = _names(whole, order, wanted, kept, avoided)
    shifts = {shift: Shift(_with_adjoints(rows, shift, few, names)) for shift in rows.shifts}
    adjoints = tuple([_renamed(known[one], shifts[shift]) for one, shift in sources.values()])
    return replace(of, adjoints=adjoints)


def _names(
    system: System,
    order: Sequence[str],
    wanted: Sequence[str],
    kept: frozenset[str],
    avoided: frozenset[str],
) -> Mapping[str, str]:
    """The names of all adjoints, as the driver gives them."""
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    names = adjoint_names(order, wanted, loss_name(system), taken)
    of_layers = {name: names[name] for name in order if name in kept and name not in wanted}
    layers = layer_names(of_layers, taken | avoided)
    return {tensor: layers.get(name, name) for tensor, name in names.items()}


def _with_adjoints(
    rows: Rows, shift: int | None, few: Derivation, there: Mapping[str, str]
) -> dict[str, str]:
    """The few names of tensors in the whole system, and those of adjoints; `there` gives its adjoints."""
    names = {name: name for name in few.system.tensors.keys() - rows.moving} | rows.shifted(shift)
    tensors = {each.equation.tensor: names.get(each.tensor, "") for each in few.adjoints}
    return names | {name: there[tensor] for name, tensor in tensors.items() if tensor in there}


def _renamed(adjoint: AdjointDerivation, shift: Shift) -> AdjointDerivation:
    names = shift.names
    expressions = [adjoint.equation.expression, adjoint.total]
    for factor in adjoint.factors:
        expressions += [factor.consumer.expression, factor.value, factor.derivative]
    for expression in expressions:
        shift.expect_order(expression.tensors)
    total = rename_tensors(adjoint.total, names)
    assert isinstance(total, Derivative)
    factors = RenamedFactors(adjoint.factors, names)
    equation, steps = renamed_equation(adjoint.equation, names), adjoint.steps.renamed(names)
    return AdjointDerivation(names[adjoint.tensor], total, factors, steps, equation, adjoint.kept)


def _is_same(one: Derivation, other: Derivation) -> bool:
    """Whether two derivations have the same equations, written alike, for the same reasons."""
    return len(one.adjoints) == len(other.adjoints) and all(map(_are_alike, one.adjoints, other.adjoints))


def _are_alike(one: AdjointDerivation, other: AdjointDerivation) -> bool:
    return (
        (one.tensor, one.total, one.kept) == (other.tensor, other.total, other.kept)
        and one.equation == other.equation
        and one.equation.expression.is_identical(other.equation.expression)
        and len(one.steps) == len(other.steps)
        and all(
            first.rule.name == second.rule.name
            for first, second in zip(one.steps.as_found, other.steps.as_found, strict=True)
        )
        and len(one.factors) == len(other.factors)
        and all(map(_are_factors_alike, one.factors, other.factors))
    )


def _are_factors_alike(one: LocalDerivative, other: LocalDerivative) -> bool:
    return (one.consumer, one.derivative, len(one.further)) == (
        other.consumer,
        other.derivative,
        len(other.further),
    ) and one.value.is_identical(other.value)
