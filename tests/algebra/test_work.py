"""The search's work: what SymPy is spared, and where its budget ends."""

from __future__ import annotations

import pytest
import sympy

from symbackprop.algebra.phases import scope_of
from symbackprop.algebra.quotients import collected, factored, work_on
from symbackprop.algebra.rational import MOST_WORK as MOST_WORK_OF_A_SEARCH
from symbackprop.algebra.scalar_search import (
    MOST_WORK,
    MOST_WORK_OF_A_MODEL,
    MOST_WORK_OF_AN_EQUATION,
    Account,
    Budget,
    cheapest_form,
    forget_searches,
    rework,
)
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.rewriting.strategies import result_of
from symbackprop.systems.printing import equation_text, text
from tests.models.whole_language.judge import judged

a, b, c = sympy.symbols("a0 a1 a2")


@pytest.mark.parametrize("write", [sympy.factor, sympy.factor_terms])
@pytest.mark.parametrize("atom", [a, b, c])
@pytest.mark.parametrize(
    "expression",
    [
        sympy.expand((a + b) ** 2 * (c - 1)),
        2 * a * b - 4 * a / c + b * c / 2 + 3 - a**3 / b**2,
        a / (b + c) + a * b - c * a,  # no sum of monomials
        a,
        sympy.Integer(5),
    ],
)
def test_sums_are_collected_as_sympy_collects_them(expression, atom, write) -> None:
    assert collected(expression, atom, write) == sympy.collect(expression, atom, func=write)


def test_a_monomial_is_its_own_product() -> None:
    assert factored(3 * a**2 / b) == sympy.factor(3 * a**2 / b)


def test_work_grows_with_terms_and_atoms() -> None:
    assert work_on(sympy.Integer(3)) == 0
    assert work_on(a + b) < work_on((a + b) * (b + c)) < work_on((a + b) * (b + c) / (a + c))


MANY_QUOTIENTS = """
index i : I
input x[i], y[i], w[i]
param p, q, r
u[i] = (p*x[i] + q*y[i])/(1 + x[i]^2 + r^2) + w[i]*p/(2 + q^2)
v[i] = u[i]/(1 + exp(u[i]*r)) + x[i]*u[i]^2/(3 + y[i]^2*p^2)
z[i] = (u[i]*v[i] + q)/(1 + v[i]^2) + tanh(p*v[i])*r/(2 + x[i]^2*v[i]^2)
loss E = sum(i, z[i]^2*v[i]/(1 + z[i]^2*p^2) + log(1 + z[i]^2))
"""


def _left_after(model: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[str]]:
    """What has been left in the accounts at every charge, and the equations found."""
    left = []
    charge = Account.charge

    def watched(account: Account, work: int) -> None:
        charge(account, work)
        left.append(account.left)

    monkeypatch.setattr(Account, "charge", watched)
    found = [equation_text(each) for each in derive(parse_system(model)).equations]
    monkeypatch.undo()
    return left, found


def test_a_derivation_stops_searching_where_its_account_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_searches()
    left, found = _left_after(MANY_QUOTIENTS, monkeypatch)
    assert min(left) <= 0  # an account has been spent, by its last search
    most = MOST_WORK_OF_A_SEARCH + MOST_WORK  # the last search is finished, and may search once more
    assert min(left) > -2 * most
    remembered = _left_after(MANY_QUOTIENTS, monkeypatch)
    assert remembered == (left, found)  # what is remembered costs what it has cost


def test_all_accounts_of_a_derivation_draw_on_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[Budget] = []
    monkeypatch.setattr(Budget, "of", classmethod(lambda cls, _: budgets.append(cls(300)) or budgets[-1]))
    found = derive(parse_system(MANY_QUOTIENTS))
    assert len(budgets) == 1
    assert -MOST_WORK_OF_A_SEARCH - MOST_WORK < budgets[0].left <= 0
    assert found.equations


def test_what_is_found_within_the_account_is_right() -> None:
    verdict = judged(MANY_QUOTIENTS)
    assert (verdict.outcome, verdict.detail) == ("right", "")


def test_no_search_begins_where_nothing_is_left() -> None:
    system = parse_system(MANY_QUOTIENTS)
    expression = parse_expression("x[i]/(x[i]*y[i])", system)
    scope = scope_of(system)
    assert rework(expression, scope, Account(left=0)) == ()
    assert cheapest_form(expression, (), Account(left=0)) == expression
    account = Account()
    assert account.budget.left == MOST_WORK_OF_A_MODEL
    assert text(result_of(rework(expression, scope, account), expression)) == "1/y[i]"
    assert 0 < account.left < MOST_WORK
    assert MOST_WORK - account.left == MOST_WORK_OF_A_MODEL - account.budget.left


def test_a_longer_model_may_cost_more() -> None:
    assert Budget.of(parse_system(MANY_QUOTIENTS)).left == MOST_WORK_OF_A_MODEL + 4 * MOST_WORK_OF_AN_EQUATION


def test_small_searches_are_paid_for_where_the_budget_is_spent() -> None:
    system = parse_system(MANY_QUOTIENTS)
    small = parse_expression("x[i]/(x[i]*y[i])", system)
    large = parse_expression(
        "(p^2 - x[i]^2)*(q^2 - y[i]^2)*(r + p)/((p - x[i])*(q - y[i])*(r^2 - p^2))", system
    )
    assert text(cheapest_form(large, (), Account())) != text(large)
    account = Account(Budget(0))
    assert cheapest_form(large, (), account) == large
    assert text(cheapest_form(small, (), account)) == "1/y[i]"
    while not account.is_spent:
        account.charge(1)
    assert cheapest_form(small, (), account) == small
    assert account.left > 0
