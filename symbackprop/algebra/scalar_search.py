"""Scalar algebra inside index notation: the binder-free subterms of an expression, which SymPy may rework.

Such a subterm stands between two binders: the whole right-hand side, the body of a sum, a branch of a
`where`. Inside it, sums and `where`s are atoms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from symbackprop.algebra.arrangement import tidied
from symbackprop.algebra.context import Scope
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.known_equations import with_quotients
from symbackprop.algebra.multiplied_differences import mean_taken_off
from symbackprop.algebra.opened import opened, scalar_atoms
from symbackprop.algebra.quotients import forget_quotients
from symbackprop.algebra.rational import MOST_WORK as MOST_WORK_OF_A_SEARCH
from symbackprop.algebra.rational import Relation
from symbackprop.algebra.remembered import forget, found_by_search
from symbackprop.cost.contraction import forget_plans
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    factors_of,
    is_reciprocal,
    is_root,
    is_sum,
    multiply,
    terms_of,
)
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.rule import Path, Step, conditions_at, node_at, replace_at
from symbackprop.systems.system import System

MOST_STEPS = 50
# In all searches for one closed form: a transformer takes 1963, the gain of a Kalman filter 2023.
MOST_WORK = 2000
# In all searches of one derivation: a transformer takes 240 an equation, a Kalman filter 1000.
MOST_WORK_OF_A_MODEL = 2500
MOST_WORK_OF_AN_EQUATION = 640
LEAST_WORK = 50  # what every closed form may cost: sigmoid' takes 17


@dataclass
class Budget:
    """What the searches of one derivation may still cost, all closed forms together."""

    left: int = MOST_WORK_OF_A_MODEL

    @classmethod
    def of(cls, system: System) -> Budget:
        """What the derivation of a system may cost; it grows with the number of equations."""
        return cls(MOST_WORK_OF_A_MODEL + MOST_WORK_OF_AN_EQUATION * len(system.equations))

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0


@dataclass
class Account:
    """What the searches for one closed form may still cost, in units of `quotients.work_on`.

    Where nothing is left, the best form so far stands. What is searched for again for the same form is paid
    for once; a search that is remembered of another costs what it has cost there, so that the form does not
    depend on what has been derived before. Where the budget of the derivation is spent, LEAST_WORK is left
    for each closed form.
    """

    budget: Budget = field(default_factory=Budget)
    left: int = MOST_WORK
    paid: set[tuple[Expression, tuple[Relation, ...]]] = field(default_factory=set)

    def charge(self, work: int) -> None:
        """Take off what a search has cost."""
        self.left -= work
        self.budget.left -= work

    @property
    def is_spent(self) -> bool:
        """Whether no search is paid for any more."""
        return self.left <= (0 if self.budget.left > 0 else MOST_WORK - LEAST_WORK)

    @property
    def most_for_a_search(self) -> int:
        """What one search may cost."""
        return MOST_WORK_OF_A_SEARCH if self.budget.left > 0 else LEAST_WORK


def scalar_paths(expression: Expression, place: Path = (), is_root: bool = True) -> Iterator[Path]:
    """The places of binder-free subterms, innermost first; a position is an integer, and none of them.

    A difference less its own mean stays as a `var` has it: mean(i, (x - m - mean(i, x - m))^2).
    """
    if has_positions(expression) or (is_root and mean_taken_off(base_and_exponent(expression)[0])):
        return
    for number, child in enumerate(expression.children):
        starts = isinstance(expression, Reduction) or (isinstance(expression, Where) and number > 0)
        starts = starts or (isinstance(expression, Add) and _divides_by_an_exponential(child))
        yield from scalar_paths(child, (*place, number), starts)
    if is_root and _is_worth_a_search(expression):
        yield place


def _divides_by_an_exponential(term: Expression) -> bool:
    """Whether a factor is 1/(1 + e^u) or its like: the quotient has a name that no other term shall hide."""
    return any(
        is_reciprocal(factor)
        and isinstance(factor, Power)
        and any(isinstance(each, Apply) and each.function == "exp" for each in terms_of(factor.base))
        for factor in factors_of(term)
    )


def _is_worth_a_search(expression: Expression) -> bool:
    """A product of different elements, numbers and sums has only one form."""
    return any(
        isinstance(node, Add | Apply | Power | MatrixFunction) for node in _above_binders(expression)
    ) or len(set(factors_of(expression))) < len(factors_of(expression))


def _above_binders(expression: Expression) -> Iterator[Expression]:
    yield expression
    if not isinstance(expression, Reduction | Where | Element):
        for child in expression.children:
            yield from _above_binders(child)


def rework(expression: Expression, scope: Scope, account: Account) -> tuple[Step, ...]:
    """Bring every binder-free subterm into its cheapest form, one step for each that changes."""
    steps: list[Step] = []
    done: set[tuple[Expression, tuple[Expression, ...]]] = set()
    while len(steps) < MOST_STEPS:
        step = _next_step(expression, scope, done, account)
        if step is None:
            break
        steps.append(step)
        expression = step.after
    return tuple(steps)


def _next_step(
    expression: Expression,
    scope: Scope,
    done: set[tuple[Expression, tuple[Expression, ...]]],
    account: Account,
) -> Step | None:
    for place in () if account.is_spent else scalar_paths(expression):
        subterm, conditions = node_at(expression, place), conditions_at(expression, place)
        if (subterm, conditions) in done:
            continue
        relations = scope.relations(subterm, conditions)
        known = {each.known for each in relations}
        relations += tuple(each for each in scope.sums_taken_off(subterm) if each.known not in known)
        better = cheapest_form(subterm, relations, account)
        done.update(((subterm, conditions), (better, conditions)))
        if better != subterm:
            identity = Identity.of(subterm, better, relations)
            return Step(identity, place, expression, replace_at(expression, place, better))
    return None


def name_roots(expression: Expression, scope: Scope, account: Account) -> tuple[Step, ...]:
    """Roots by the names defined as such, while they stand as typed: a^2 has not left sum(i, (a*x[i])^2)."""
    return _named(expression, scope, account, _is_root_of_sum)


def name_functions(expression: Expression, scope: Scope, account: Account) -> tuple[Step, ...]:
    """Functions by the names defined as such, while they stand at the positions typed.

    tanh(a[2*size(h) + h]) is g[h]; when a delta has made it tanh(a[k]), that is seen no more.
    """
    return _named(expression, scope, account, _is_function_at_position)


def _named(
    expression: Expression, scope: Scope, account: Account, is_named: Callable[[Expression], bool]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    while len(steps) < MOST_STEPS:
        step = next(_names_put_in(expression, scope, account, is_named), None)
        if step is None:
            break
        steps.append(step)
        expression = step.after
    return tuple(steps)


def _names_put_in(
    expression: Expression, scope: Scope, account: Account, is_named: Callable[[Expression], bool]
) -> Iterator[Step]:
    for place in _places(expression, is_named):
        whole = node_at(expression, place)
        known = scope.relations(whole, conditions_at(expression, place))
        relations = tuple([relation for relation in known if is_named(relation.formula)])
        named = cheapest_form(whole, relations, account) if relations else whole
        if isinstance(base_and_exponent(named)[0], Element):
            identity = Identity.of(whole, named, relations)
            yield Step(identity, place, expression, replace_at(expression, place, named))


def _places(
    expression: Expression, is_named: Callable[[Expression], bool], place: Path = ()
) -> Iterator[Path]:
    """The places of what may have a name, innermost first."""
    for number, child in enumerate(expression.children):
        yield from _places(child, is_named, (*place, number))
    if is_named(expression):
        yield place


def _is_root_of_sum(node: Expression) -> bool:
    return is_root(node) and any(map(is_sum, node.walk()))


def _is_function_at_position(node: Expression) -> bool:
    match node:
        case Apply(_, (Element(_, positions),)):
            return any(position.free_indices and not isinstance(position, Index) for position in positions)
    return False


def cheapest_form(expression: Expression, relations: tuple[Relation, ...], account: Account) -> Expression:
    """The cheapest form under the relations; the same for equal layers, whatever their names.

    Factors that meet nothing else stay outside: the search for u's share of delta*f'(u) is that for f'(u).
    """
    if account.is_spent:
        return expression
    relations = with_quotients(relations)
    passive, core = _apart(expression, relations)
    found = _cheapest_core(core, relations, account)
    return expression if found == core else tidied(multiply(*passive, found))


def _apart(
    expression: Expression, relations: tuple[Relation, ...]
) -> tuple[tuple[Expression, ...], Expression]:
    """The factors that are atoms which occur nowhere else, and the product of the others.

    A delta stays outside too: a sum over its index will take it away, and all that it costs.
    """
    factors = factors_of(expression)
    atoms = [scalar_atoms(opened(factor)) for factor in factors]
    formulas = (part for each in relations for part in (each.known, opened(each.formula)))
    elsewhere = Counter(atom for part in formulas for atom in scalar_atoms(part))
    elsewhere.update(atom for found in atoms for atom in found)
    passive = [
        factor
        for factor, found in zip(factors, atoms, strict=True)
        if isinstance(factor, Delta)
        or (not isinstance(factor, Add | Apply | Power) and all(elsewhere[atom] == 1 for atom in found))
    ]
    core = multiply(*(factor for factor in factors if factor not in passive))
    return (tuple(passive), core) if passive and not isinstance(core, Number) else ((), expression)


def _cheapest_core(expression: Expression, relations: tuple[Relation, ...], account: Account) -> Expression:
    found, work = found_by_search(expression, relations, account.most_for_a_search)
    if (expression, relations) not in account.paid:
        account.paid.add((expression, relations))
        account.charge(work)
    return found


def forget_searches() -> None:
    """Empty the memory of searches and contraction plans, so that a benchmark measures them again."""
    forget()
    forget_quotients()
    forget_plans()
