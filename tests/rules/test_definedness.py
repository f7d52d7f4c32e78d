"""Where the left side of a rule is a finite number, so is the right side, but for what the rule states.

Axes may be empty or have one place; values may be 0, negative, nan or infinite.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lesson.rulebook.examples import NAMES, place_of_use
from symbackprop.lesson.rulebook.rule_phases import phases
from symbackprop.notation.expressions import ONE, ZERO, Comparison, Expression, Index, Logic, Reduction, Where
from symbackprop.presentation.branches import CASES_OF_ONE_CONDITION, GUARD_OF_CASES
from symbackprop.rewriting.rule import Rule, StatedFact
from symbackprop.rules.conditions import PREDICATES, is_assumed
from symbackprop.rules.measures import INWARD_MEASURES, MEASURES
from symbackprop.semantics.naive import NaiveEvaluator

SYSTEM = parse_system(NAMES)
# The rule of a fact holds where the fact does.
RULES = {each.name: each for each in (CASES_OF_ONE_CONDITION, GUARD_OF_CASES)} | {
    rule.name: rule
    for phase in phases()
    for rule in phase.rules
    if phase.measures in (MEASURES, INWARD_MEASURES) and not isinstance(rule, StatedFact)
}
# Beside each rule's own example, what is partial, or compares what may be nan.
PARTIAL = [
    ("arithmetic", "c/c"), ("arithmetic", "0*log(c)"), ("arithmetic", "c^0"),
    ("arithmetic", "sqrt(c)*sqrt(c)"),
    ("arithmetic", "sqrt(c)^2"), ("arithmetic", "(x[i]/c)^2"), ("arithmetic", "c^h0*c"),
    ("arithmetic", "c - c"),
    ("factor out", "sum(i, x[i]*log(c))"), ("factor out", "sum(i, x[i]/c)"),
    ("unused index", "sum(i, log(c))"), ("maximum of a constant", "min(i, 1/c)"),
    ("maximum of a constant", "argmax(i, c)"), ("merge sums", "sum(i, sum(j, 1/y[j]))"),
    ("sum of zeros", "sum(i, 0)"), ("number out of where", "where(c > 0, 2*log(c), 0)"),
    ("turn where", "where(c > 0, 0, log(c))"), ("turn where", "where(c > 0, 0, x[i])"),
    ("turn where", "where(i > 0, 0, log(c))"),
    ("turn comparison", "where(0 < c, log(c), 0)"), ("no where", "where(c > 0, log(c), log(c))"),
    ("fixed position", "sum(i, where(i == 0 and x[i] > 0, log(x[i]), 0))"),
    ("fixed position", "sum(i, where(i == 1 and i + c > 0, x[i]/c, 0))"),
    ("add wheres", "where(c > 0, log(c), 0) - 2*where(c > 0, 1/c, 0)"),
    ("join wheres", "where(i > 0, log(c)*where(i < 1, 1/c, 0), 0)"),
    ("join masks", "where(i > 0, 1, 0)*where(c > 0, log(c), 0)/c"),
    ("powers of one base", "c^(size(i) - 1)*log(h0)/c^size(i)"),
    ("whole quotient", "delta(floor(j/2),i)*where(mod(j,2) == 0 and c > 0, log(c), 0)/h0"),
    ("join equal wheres", "where(i > 0, log(c), 0)*where(i >= 1, 1/c, 0)/h0"),
    ("join wheres alike", "where(c > 0, log(c), 0)*where(c > 0, 1/c, 0)/h0"),
    ("where out of sum", "sum(i, where(j > 0, log(c), 0)*x[i])"),
    ("condition that holds", "where(i + 1 > 0, log(x[i]), 1/c)"),
    ("contract delta", "sum(i2, delta(i2,i)*log(x[i2])*c)"),
    ("split where", "where(c > 0, delta(i,i2)/c, log(c))"),
    ("multiply out", "(delta(i,i2) + log(c))/x[i]"), ("separate sum", "sum(i2, delta(i2,i)/c + log(x[i2]))"),
    ("delta out of where", "where(c > 0, delta(i,i2)*log(c), 0)"),
    ("solve delta", "sum(i, delta(2*i,q)/z[2*i])"), ("join sums", "sum(j, log(y[j])*sum(k, delta(j+k,q)/c))"),
    ("delta is 0 or 1", "delta(i,i2)^2"), ("read under the where", "where(t < s, w[t]/c, 0)*a[s]"),
    ("delta for where", "sum(i, (log(c) + where(i == i2, 1, 0)/c)*x[i])"),
    ("delta for where", "sum(i, where(c > 0, where(i == i2, 1, 0), log(x[i])))"),
    ("solve delta", "sum(i, delta(2*i,q)*log(x[i]))"), ("solve delta", "sum(i, delta(i+j,q)/x[i])"),
    ("solve delta", "sum(i, delta(i-1,i2)*x[i]/x[i2])"),
    ("solve delta", "sum(i, delta(2*i-1,q)*log(c)*where(i > 0, log(x[i-1]), 0))"),
    ("delta fixes the index", "delta(ids[k],i)*log(x[i])*A[ids[k],j]"),
    ("delta fixes the index", "delta(i,i2)*log(x[i]*x[i2])"),
    ("delta substitutes", "delta(size(i)-1,i)*A[size(i)-1,j]*log(c)"),
    ("delta fixes the index", "delta(ids[k],i)*where(x[i] > 0, log(x[i]), 0)"),
    ("read under the where", "w[t]*where(t < s, log(c), 0)*a[s]"),
    ("read under the where", "where(t < s and t > 0, log(v[t-1]), 0)*a[s]"),
    ("cofactor by determinant", "cofactor(T)[j,j2]/det(T)^2"),
    ("cofactor by determinant", "c*cofactor(T)[j,j2]/sqrt(det(T))"),
    ("mask of a positive part", "where(c > 0, max(0, c)*x[i], 0)"),
    ("mask of a positive part", "relu(c)^2*where(c >= 0, x[i], 0)"),
    ("condition that holds", "where(c > -1 and c >= 2, log(c), 0)"),
    ("condition that holds", "where(2*c < 3 and c < 2, 1/c, 0)"),
    ("compared maximum", "where(min(c, 2) > 0, log(c), 0)"),
    ("condition that holds", "log(x[i])*(where(size(i) > 0, 1, 0)/c + where(size(i) > 1, 1/c, 0))"),
    ("guard of cases", "where(c != 0 and x[i] > 0, where(c > 2, log(x[i]), 2*where(c == 1, 1/c, 0)), 0)"),
    ("cases of one condition", "where(c == 2, log(x[i]), 0) - where(c != 1 and c != 2, 1/(c - 1), 0)/h0"),
    ("turn where", "where(x[i] == c, 0, y[j])"), ("turn where", "where(i > i2 or i == 0, 0, log(c))"),
]  # fmt: skip
CASES = [*((name, RULES[name].example) for name in RULES), *PARTIAL]
# What the rules take for granted, and every difference that this accounts for: no other one is allowed.
EMPTY = {("empty", "undefined")}  # "f is defined if the axis of i is empty"
NOT_FINITE = {("nan", "undefined"), ("inf", "undefined")}  # "f is defined for all finite values"
DIFFERENT = {
    ("factor out", "sum(i, c*x[i]*y[j])"): EMPTY,
    ("factor out", "sum(i, x[i]*log(c))"): EMPTY,
    ("factor out", "sum(i, x[i]/c)"): EMPTY,
    ("unused index", "sum(i, j, y[j])"): EMPTY,
    ("unused index", "sum(i, log(c))"): EMPTY,
    ("solve delta", "sum(i, j, delta(i+2*j,q)*x[i]*y[j])"): EMPTY,
    ("delta substitutes", "delta(ids[k],i)*A[ids[k],j]"): NOT_FINITE,
    # "g(p) is defined": where x[ids[k]] is 0 or nan.
    ("delta fixes the index", "delta(ids[k],i)/x[i]"): {("finite", "undefined"), ("nan", "undefined")},
    ("solve delta", "sum(i, delta(2*i-1,q)*log(c)*where(i > 0, log(x[i-1]), 0))"): EMPTY,
    ("delta fixes the index", "delta(ids[k],i)*log(x[i])*A[ids[k],j]"): {
        *NOT_FINITE,
        ("finite", "undefined"),
    },
    ("delta fixes the index", "delta(ids[k],i)*where(x[i] > 0, log(x[i]), 0)"): {("inf", "undefined")},
    ("cofactor by determinant", "cofactor(T)[j,j2]/det(T)^2"): {("inf", "undefined")},
    ("read under the where", "where(t < s, w[t], 0)*a[s]"): NOT_FINITE,
    ("read under the where", "where(t < s, w[t]/c, 0)*a[s]"): NOT_FINITE,
    ("factor out of masked sum", "sum(i, where(x[i] > 0, x[i]*c, 0)*y[j])"): EMPTY | NOT_FINITE,
    ("mask on the smaller factor", "sum(i, A[i,j]*where(i < j, B[j,k], 0))"): NOT_FINITE,
    ("mask of a masked tensor", "o[t]*where(t > 0, w[t], 0)"): NOT_FINITE,
    # "c compares no nan"
    ("turn where", "where(c > 0, 0, x[i])"): {("nan", "another number")},
    ("mask of a positive part", "where(c > 0, max(0, c)*x[i], 0)"): {("nan", "undefined")},
    # The matrices of `inv`, `det` and `cofactor` hold finite numbers.
    ("cofactor by determinant", "cofactor(T)[j,j2]/det(T)"): {("inf", "undefined")},
    ("cofactors times matrix", "sum(j, cofactor(T)[j2,j]*T[j3,j])"): NOT_FINITE,
}
SPECIAL = (0.0, -1.0, 2.0, np.nan, np.inf)
SIZES = [
    {"I": size, "J": other, "K": size, "D": 2, "Q": 8, "P": 2 * size, "G": size * other * size, "S": other}
    for size in (0, 1, 3)
    for other in (0, 1, 3)
]


def values_of(sizes: dict[str, int], special: float, seed: int) -> dict[str, np.ndarray]:
    """Positive, negative and special values, the scalars among them."""
    rng = np.random.default_rng(seed)
    values = {
        tensor.name: rng.choice([1.5, -0.5, special], [sizes[index.axis.name] for index in tensor.indices])
        for tensor in SYSTEM.tensors.values()
    }
    values["o"] = np.concatenate(([0.0], values["a"][:-1]))[: sizes["S"]]
    return {**values, "c": np.array(special), "ids": rng.integers(0, max(sizes["I"], 1), sizes["K"])}


def as_value(node: Expression) -> Expression:
    return Where(node, ONE, ZERO) if isinstance(node, Comparison | Logic) else node


def value_of(evaluator: NaiveEvaluator, expression: Expression, at: dict[Index, int]) -> complex | None:
    """None where it is undefined: no finite number, or not readable at all."""
    try:
        value = complex(evaluator.expression(expression, at))
    except (VerificationError, ZeroDivisionError, OverflowError):
        return None
    return value if np.isfinite(value) else None


def differences(before: Expression, after: Expression) -> Iterator[tuple[str, str]]:
    """What is special wherever the left side is defined and the right side is not, and how it is not."""
    indices = sorted(before.free_indices | after.free_indices, key=lambda index: index.name)
    bound = {index.axis.name for index in before.indices} if isinstance(before, Reduction) else set()
    for sizes, special, seed in itertools.product(SIZES, SPECIAL, range(4)):
        evaluator = NaiveEvaluator(values_of(sizes, special, seed), sizes)
        for place in np.ndindex(*(sizes[index.axis.name] for index in indices)):
            at = dict(zip(indices, place, strict=True))
            expected = value_of(evaluator, before, at)
            found = None if expected is None else value_of(evaluator, after, at)
            if expected is not None and (found is None or abs(found - expected) > 1e-9 * (1 + abs(expected))):
                is_empty = any(sizes[name] == 0 for name in bound)
                situation = "empty" if is_empty else "finite" if np.isfinite(special) else str(special)
                yield situation, "undefined" if found is None else "another number"


@pytest.mark.parametrize(("name", "formula"), CASES)
def test_the_right_side_is_defined_where_the_left_side_is(name: str, formula: str) -> None:
    used = place_of_use(RULES[name], parse_expression(formula, SYSTEM))
    assert used is not None
    before, after = map(as_value, used)
    with np.errstate(all="ignore"):
        assert set(differences(before, after)) == DIFFERENT.get((name, formula), set())


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("factor out", "f is defined if the axis of i is empty"),
        ("unused index", "f is defined if the axis of i is empty"),
        ("solve delta", "f is defined if the axis of i is empty"),
        ("turn where", "c compares no nan"),
        ("mask of a positive part", "f > 0 compares no nan"),
        ("delta fixes the index", "g(p) is defined"),
        ("delta substitutes", "f is defined for all finite values"),
        ("read under the where", "f is defined for all finite values"),
        ("factor out of masked sum", "f is defined for all finite values"),
        ("mask on the smaller factor", "f is defined for all finite values"),
        ("mask of a masked tensor", "f is defined for all finite values"),
    ],
)
def test_what_a_rule_takes_for_granted_is_stated(name: str, where: str) -> None:
    assert where in RULES[name].where


def test_no_difference_is_allowed_that_has_no_case() -> None:
    assert DIFFERENT.keys() <= set(CASES)


def test_only_what_cannot_be_read_off_the_expression_is_taken_for_granted() -> None:
    assumed = {name for name, predicate in PREDICATES.items() if predicate.holds is is_assumed}
    assert assumed == {"defined when empty", "defined", "not empty", "no nan", "invertible"}


def test_a_condition_at_the_fixed_position_is_taken_there() -> None:
    rule: Rule = RULES["fixed position"]
    assert "where(c(p), f(p), 0)" in rule.statement
