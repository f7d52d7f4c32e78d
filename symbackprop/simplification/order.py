"""The normal form: every rule, in the order in which it is tried."""

from __future__ import annotations

from symbackprop.notation.expressions import Expression
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.simplification.bookkeeping import BOOKKEEPING_RULES
from symbackprop.simplification.facts import fact_rules
from symbackprop.simplification.kronecker import KRONECKER_RULES
from symbackprop.simplification.regions import rework
from symbackprop.simplification.scope import Scope
from symbackprop.simplification.summation import SUMMATION_RULES

NORMAL_FORM_RULES: tuple[Rule, ...] = (*BOOKKEEPING_RULES, *KRONECKER_RULES, *SUMMATION_RULES)
MOST_ROUNDS = 10
TIDY_NAMES = Rule("rename", "a bound index may have any name", lambda expression: None)


def simplify(expression: Expression, scope: Scope) -> tuple[Step, ...]:
    """The steps to the closed form: contract and sort the sums, use facts, then rework what is between them."""
    rules = (*NORMAL_FORM_RULES, *fact_rules(scope.facts))
    steps: list[Step] = []
    for _round in range(MOST_ROUNDS):
        before = result_of(steps, expression)
        steps.extend(apply_exhaustively(rules, before))
        steps.extend(rework(result_of(steps, expression), scope))
        if result_of(steps, expression) == before:
            break
    tidied = tidy_bound_names(result_of(steps, expression))
    if tidied != result_of(steps, expression):
        steps.append(Step(TIDY_NAMES, (), result_of(steps, expression), tidied))
    return tuple(steps)
