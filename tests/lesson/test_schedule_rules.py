"""The rules of the schedule: where each applies, a near-miss, and agreement with the naive evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.lesson.rulebook.examples import example_system, parsed, place_of_use
from symbackprop.lesson.rulebook.schedule_rules import example_equations, local_rules, naming_rules
from symbackprop.rewriting.rule import Rule
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import text

SIZES = {"I": 2, "J": 3, "K": 4, "D": 2, "Q": 8, "P": 4, "S": 3, "G": 24}

WHAT_THE_EXAMPLES_BECOME = {
    "stopped gradient": "y[j]",
    "empty sum as a condition": "where(size(i) > 0, log(c)*sum(i, x[i]), 0)",
    "delta as a condition": "where(i == i2, log(x[i]), 0)",
    "mask of sizes": "where(size(j) > 2, x[i], 0)",
    "tidy": "2*sum(i, x[i])",
    "cancel under delta": "sum(i, delta(ids[k],i)*c)",
    "reciprocal is sigmoid": "sigmoid(-c)",
    "exponential times sigmoid": "sigmoid(c)",
    "difference times sigmoid": "tanh(1/2*c)",
    "exponential by difference": "-1/expm1(-c)",
    "opposite exponentials": "2*sinh(c)",
    "tanh": "tanh(c)",
    "exponentials above and below": "exp(x[i] - max(i2, x[i2]))/sum(i2, exp(x[i2] - max(i2, x[i2])))",
    "product of exponentials": "exp(c + x[i])",
    "cancel in a sum": "x[i] + w[t]*sigmoid(c)",
    "reciprocal of where": "where(c > 0, 1/sigmoid(c), 1)",
    "one exponential": "exp(1/2*c)",
    "zero last": "where(c > 0, exp(x[i]), 0)",
    "log of where": "where(c > 0, log(exp(c)), log(sigmoid(c)))",
    "log of product": "log(c) + sum(i, log(sigmoid(x[i])))",
    "log of sigmoid": "-softplus(c)",
    "softplus difference": "c",
    "sigmoid difference": "tanh(1/2*c)",
    "log of cosh": "abs(c) + log1p(1/2*expm1(-2*abs(c)))",
    "log of difference": "c + log(-expm1(-c))",
    "log of one plus": "softplus(c)",
    "log of two exponentials": "max(c, x[i]) + softplus(-abs(c - x[i]))",
    "log of exponentials": "max(i, x[i]) + log(sum(i, exp(x[i] - max(i, x[i]))))",
    "numbers together": "sigmoid(c)",
    "reciprocal of 1 - sigmoid": "1/sigmoid(-c)",
    "exponential of softplus": "sigmoid(-c)",
    "log of softplus": "where(c > -40, log(softplus(c)), c)",
    "exponential by complement": "where(c > -40, exp(c)/expm1(-exp(c)), -1)",
    "sigmoid by softplus": "where(c > -40, sigmoid(c)/softplus(c), 1)",
    "absolute value": "abs(x[i])",
    "unit vector": "x[i]*where(sum(i, x[i]^2) != 0, 1/sqrt(sum(i, x[i]^2)), 0)",
    "distance to itself": "c*where(i != i2, 1/sqrt((x[i] - x[i2])^2), 0)",
    "mask of what may be large": "where(exp(c) < 5, exp(c), 0)",
    "where it has not vanished": (
        "where(exp(-x[i]^2*exp(c)) != 0, exp(-x[i]^2*exp(c))*(1 - x[i]^2*exp(c)), 0)"
    ),
    "mask on what may be infinite": "x[i]*where(i < i2, exp(x[i2]), 0)",
    "one guard is enough": "where(c > 0, 1/c, 2)",
    "log beside zero": "x[i]*log(where(x[i] != 0, x[i]/c, 1))",
    "log of a complement": "where(-c > -1, log(-expm1(-c)), log1p(-exp(-c)))",
    "sigmoid less an indicator": "where(c > 0, -1, 1)*sigmoid(where(c > 0, -h0, h0))",
    "powers alike": "(c + exp(h0))^c - exp(h0)^c",
    "difference from a number": "expm1(c)",
    "complement": "sigmoid(-x[i])",
    "cancel behind names": "1/exp(x[i2])",
    "complement beside an exponential": "exp(x[i])*sigmoid(-c)",
    "complement beside its reciprocal": "(1/(1 - sigmoid(c)) + x[i])*sigmoid(-c)",
    "complement in a sum": "c*(1 - sigmoid(x[i])) + (3 - 3*tanh(x[i])^2)",
    "difference of powers": "sigmoid(c)*sigmoid(-c)",
    "state itself": "c*where(t > 0, a[t - 1], 0) + exp(v[t])",
    "difference of slopes": "1 - sigmoid(c) - sigmoid(h0)",
    "difference of weighted slopes": "v[t]*(sigmoid(c) - sigmoid(h0))*(1 - sigmoid(c) - sigmoid(h0))",
    "variance by its mean": ("1/sum(i, m[i])*sum(i, m[i]*(x[i] - sum(i', m[i']*x[i'])/sum(i', m[i']))^2)"),
    "less its weighted mean": (
        "sum(i, (x[i] - sum(i2, x[i2]*exp(-x[i2]))/sum(i2, exp(-x[i2])))^2*exp(-x[i]))"
    ),
    "product of complements": "prod(i, sigmoid(-x[i]))",
    "complement of product": "-expm1(-sum(i, softplus(-x[i])))",
    "difference as stated": "(x[i] - c) + (y[j] - y[j2])",
    "sum in an exponent": "exp_of_sum(c, x[i])",
    "function by its gate": "x[i]*sigmoid(x[i])",
    "read at a lookup": "x[ids[k]]*(where(c > 0, y[j], 0) - h0)",
    "factor of a group": "x[ids[k2]]*sum(k, where(ids[k] == ids[k2], B[j,k], 0))",
    "row at its place": "sum(k, where(ids[k] == i, exp(B[j,k] - x[ids[k]]), 0))",
    "solve": "sum(j, y[j]*sum(j2, inv(T)[j,j2]*y[j2]))",
    "where by step": "where(t == size(s) - 1, w[t], 0)",
    "logarithms last": "(c - max(i, x[i])) - log(w[t])",
    "exponentials first": "c*exp(-x[i])*x[i]",
    "quotients first": "(w[t]/exp(c))^2/exp(c)",
    "powers of products": "(exp(x[i])*expm1(c))^2",
    "multiples last": "3*(x[i2] - max(i, x[i]))",
    "product beside an exponential": "exp(c)",
    "cancel a name in a sum": "c + w[t]*exp(x[i])",
    "complement of power": "-expm1(-exp(x[i])*softplus(-c))",
    "guard of what is never 0": "sigmoid(c)*softplus(-c)",
    "difference from a probability": "c*sigmoid(-h0)/sigmoid(h0) - (1 - c)",
    "multiples first": "-2*max(i2, x[i2]) + x[i] - max(i2, x[i2])",
    "differences first": "x[i] + w[t] - max(i2, x[i2] + w[t]) + c",
    "centre again": "(x[i] - sum(i2, x[i2])/size(i)) - sum(i', x[i'] - sum(i2, x[i2])/size(i))/size(i)",
}
every_rule = pytest.mark.parametrize("rule", local_rules(), ids=lambda rule: rule.name)
every_naming = pytest.mark.parametrize(
    ("rule", "computed"), naming_rules(), ids=[rule.name for rule, _ in naming_rules()]
)


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in local_rules()} == set(WHAT_THE_EXAMPLES_BECOME)


@every_rule
def test_rule(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    assert text(used[1]) == WHAT_THE_EXAMPLES_BECOME[rule.name]
    assert place_of_use(rule, parsed(rule.near_miss)) is None
    assert all(words in rule.statement for words in rule.where)


@every_rule
def test_rule_keeps_the_value(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    before, after = used
    rng = np.random.default_rng(2)
    values = {
        tensor.name: rng.uniform(0.2, 2.0, [SIZES[index.axis.name] for index in tensor.indices])
        for tensor in example_system().tensors.values()
    }
    values["o"] = np.concatenate([[0.0], values["a"][:-1]])  # a rule reads its equation
    indices = tuple(sorted(before.free_indices | after.free_indices, key=lambda index: index.name))
    evaluator = NaiveEvaluator(values, SIZES)
    with np.errstate(all="ignore"):
        value = evaluator.array(before, indices)
    defined = np.isfinite(value)  # of what divides by 0 a convention decides
    assert defined.any()
    np.testing.assert_allclose(
        evaluator.array(after, indices)[defined], value[defined], rtol=1e-9, atol=1e-12
    )


@every_naming
def test_a_naming_rule_leaves_its_near_miss_alone(rule, computed) -> None:
    given = example_equations(rule.near_miss)
    assert [item.equation for item in computed(given)] == [item.equation for item in given]
    named = computed(example_equations(rule.example))
    assert len(named) > len(example_equations(rule.example))
