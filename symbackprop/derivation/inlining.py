"""Which adjoints keep their name: one that is used once moves into its use where that is no costlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import simplify
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.cost.expressions import cost
from symbackprop.derivation.parts.readers import Readers
from symbackprop.derivation.parts.worth_inlining import (
    gains_a_mean,
    is_mask_of_all,
    is_no_costlier,
    may_vanish,
    outgrown,
    stands_in_a_sum,
)
from symbackprop.derivation.quantities import is_in_blocks
from symbackprop.derivation.result import AdjointDerivation
from symbackprop.memoization.recall import Recall
from symbackprop.notation.expressions import ONE, Expression, Index, Number
from symbackprop.notation.substitution import rename_tensors
from symbackprop.presentation.means.summed import NamedMeans
from symbackprop.rewriting.replacements import Definition
from symbackprop.rewriting.replay import Beside
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps
from symbackprop.rewriting.strategies import result_of
from symbackprop.systems.partial import is_of_sizes
from symbackprop.systems.system import Equation

MOST_USERS = 4


def inline_adjoints(
    adjoints: Sequence[AdjointDerivation],
    wanted: frozenset[str],
    scope: Scope,
    budget: Budget,
    recall: Recall,
) -> list[AdjointDerivation]:
    """Go through the adjoints from the loss backwards and move each into its uses where that pays.

    `wanted` are the names of those that stay.

    An adjoint that costs nothing (another's name, a number, 1/size(n)) moves into every use; one used in one
    equation moves there unless the program would become costlier, or a sum would become hard to read. One
    made up of blocks, [dq dk dv], stays one tensor where it is summed over; that of a first layer, of which
    the like in other layers is read more often and stays, stays too, unless much is spared.
    """
    current = {adjoint.equation.tensor: adjoint for adjoint in adjoints}
    means = NamedMeans.of(each for name, each in scope.definitions.items() if name not in current)
    inlining = _Inlining(current, wanted, scope, budget, recall, means)
    inlining.put_numbers_in()
    while any([inlining.try_to_inline(name) for name in inlining.kept_names()]):
        pass  # each round keeps fewer names, so that there are finitely many
    return list(inlining.current.values())


@dataclass
class _Inlining:
    """The adjoints as they stand, and for each which of the others' equations read it.

    `means` are the equations of the model that are sums or quotients, by their names.
    """

    current: dict[str, AdjointDerivation]
    wanted: frozenset[str]
    scope: Scope
    budget: Budget
    recall: Recall
    means: NamedMeans
    readers: Readers = field(init=False)
    accounts: dict[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        self.readers = Readers(self.current)
        self.accounts = {name: Account(self.budget) for name in self.current}
        for adjoint in self.current.values():
            self.readers.note(adjoint.equation)

    def kept_names(self) -> tuple[str, ...]:
        """The adjoints that still have an equation of their own and might lose it."""
        return tuple(name for name, each in self.current.items() if each.kept and name not in self.wanted)

    def put_numbers_in(self) -> None:
        """Put many numbers at once into what reads them: dE/du = 1 for each part u of a long sum."""
        numbers = {
            name for name in self.kept_names() if isinstance(self.current[name].equation.expression, Number)
        }
        for user, adjoint in tuple(self.current.items()):
            equation = adjoint.equation
            read = [self.current[name].equation for name in equation.reads if name in numbers]
            if len(read) > MOST_USERS:
                scope = self.scope.before(equation.element)
                self._change({user: _with_inlined(adjoint, read, scope, self.accounts[user], self.recall)})

    def try_to_inline(self, name: str) -> bool:
        """Move one adjoint into its uses if that pays; whether it did."""
        adjoint, users = self.current[name], self.readers.of(name)
        formula, are_few = adjoint.equation.expression, len(users) <= MOST_USERS
        is_free = not cost(formula) or (are_few and is_of_sizes(formula))
        if name in users:
            return False  # it reads itself at another step
        if not users:
            self._replace(adjoint, {})  # its share has turned out to be zero
            return True
        read_by = [self.current[user].equation.expression for user in users]
        is_open = are_few and (may_vanish(formula) or is_mask_of_all(formula, read_by))
        if len(users) > 1 and not is_free and not is_open:
            return False
        if not is_free and self.budget.is_spent:
            return False  # what is put in would not be brought to its cheapest form
        if not is_free and self._is_summed_over_blocks(adjoint.equation):
            return False  # one sum over all blocks would become a sum for each
        moved = {
            user: _with_inlined(
                self.current[user],
                [adjoint.equation],
                self.scope.before(self.current[user].equation.element, name),
                self.accounts[user],
                self.recall,
            )
            for user in users
        }
        before = [self.current[user].equation for user in moved]
        after = [changed.equation for changed in moved.values()]
        is_one_of_many = self.readers.is_one_of_many(adjoint.equation)
        if not is_free and (
            outgrown(before, after)
            or not (
                is_no_costlier(adjoint.equation, before, after, is_one_of_many)
                or gains_a_mean(adjoint.equation, before, after, self._means_in(after))
            )
        ):
            return False
        self._replace(adjoint, moved)
        return True

    def _means_in(self, equations: Sequence[Equation]) -> NamedMeans:
        """Those of the model, and those of the adjoints that equations read."""
        read = {name for each in equations for name in each.reads if name in self.current}
        return self.means.beside(NamedMeans.of(self.current[name].equation for name in read))

    def _is_summed_over_blocks(self, equation: Equation) -> bool:
        users = [self.current[user].equation for user in self.readers.of(equation.tensor)]
        return any(stands_in_a_sum(equation, user) for user in users) and is_in_blocks(equation.expression)

    def _replace(self, inlined: AdjointDerivation, moved: dict[str, AdjointDerivation]) -> None:
        name = inlined.equation.tensor
        self.current[name] = replace(inlined, kept=False)
        self.scope = self.scope.without(name)
        self.readers.forget(inlined.equation)
        self._change(moved)

    def _change(self, moved: dict[str, AdjointDerivation]) -> None:
        self.scope = self.scope.with_equations([each.equation for each in moved.values()])
        for user, changed in moved.items():
            self.readers.forget(self.current[user].equation)
            self.current[user] = changed
            self.readers.note(changed.equation)


def _with_inlined(
    user: AdjointDerivation, inlined: Sequence[Equation], scope: Scope, account: Account, recall: Recall
) -> AdjointDerivation:
    outer = user.total.free_indices
    steps, closed = recall.taken_over(
        (user.total, user.equation, *inlined),
        scope,
        account,
        lambda asked: _settled(steps_with(user.equation, inlined, asked, outer, account)),
        lambda found, names: (found[0].renamed(names), rename_tensors(found[1], names)),
    )
    if user.deltas != ONE:  # the steps are of the whole derivative, which has these as factors too
        steps = Steps([Beside.of(user.deltas, each) for each in steps])
    return replace(
        user, steps=user.steps.followed_by(steps), equation=replace(user.equation, expression=closed)
    )


def _settled(steps: tuple[Step, ...]) -> tuple[Steps, Expression]:
    return Steps(steps), steps[-1].after


def steps_with(
    user: Equation,
    inlined: Sequence[Equation],
    scope: Scope,
    outer: frozenset[Index],
    account: Account,
) -> tuple[Step, ...]:
    """The steps to a right-hand side in which other equations' definitions stand for their names.

    No bound index of it shall share a name with one of `outer` or of the left-hand side.
    """
    steps: list[Step] = []
    for rule in map(Definition.of, inlined):
        before = result_of(steps, user.expression)
        steps.append(Step(rule, (), before, rule.again(before) or before))
    put_in = result_of(steps, user.expression)
    return (*steps, *simplify(put_in, scope, outer | frozenset(user.indices), account))
