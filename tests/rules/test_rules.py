"""Every rule of the normal form: where it applies, a near-miss, and agreement with the naive evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra.phases import normal_form_rules
from symbackprop.algebra.sum_search import COST
from symbackprop.derivation.calculus import CALCULUS_RULES
from symbackprop.derivation.differentiation import put_together
from symbackprop.errors import RecordError
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import NAMES, SYMMETRIC, parsed, place_of_use
from symbackprop.lesson.rulebook.rule_phases import REASONS, phases
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Where,
)
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rewriting.strategies import apply_exhaustively, resolve, result_of
from symbackprop.rules.bookkeeping import multiple_of_a_sum
from symbackprop.rules.conditions import when
from symbackprop.rules.kronecker import out_of_where
from symbackprop.rules.stated_facts import fact_rules
from symbackprop.rules.stating import DIFFERENTIATED, CalculusRule
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text

SYSTEM = parse_system(f"{NAMES}fact sum(k, B[j,k]) == 1\n")
SIZES = {"I": 2, "J": 3, "K": 4, "D": 2, "Q": 8, "P": 4, "G": 24, "S": 3}

WHAT_THE_EXAMPLES_BECOME = {
    "softplus in pieces": "softplus(c) - c*h0",
    "softplus in branches": "softplus(c)",
    "log of cosh in pieces": "log(cosh(c))",
    "sigmoid in pieces": "sigmoid(c)",
    "left by a mask": "where(i != i2, 1, 0)",
    "delta of a lookup": "sum(k, delta(ids[k],i)*where(k > 0, B[j,k], 0)*c)",
    "read where looked up": "sum(k, delta(ids[k],i)*tanh(x[ids[k]]*B[j,k]))",
    "loss by itself": "1",
    "element": "delta(i,i2)",
    "scalar": "1",
    "constant factor": "c*(d(x[i]^2)/dx[i2])",
    "equal factors": "d(c^17)/dc",
    "function by its formula": "d(log(1 + exp(c)))/dc",
    "function": "(1 - tanh(c)^2)*(d(c)/dc)",
    "unused index of a maximum": "d(y[j])/dy[j2]",
    "sum rule": "(d(x[i])/dx[i]) + (d(c*x[i2])/dx[i])",
    "product rule": "(d(x[i])/dx[i])*x[i2] + x[i]*(d(x[i2])/dx[i])",
    "root of a square": "sign(x[i])*(d(x[i])/dx[i2])",
    "power rule": "2*x[i]*(d(x[i])/dx[i2])",
    "guarded power rule": "where(c != 0, c*x[i]^(c - 1), 0)*(d(x[i])/dx[i2])",
    "exponential rule": "2^x[i]*log(2)*(d(x[i])/dx[i2])",
    "guarded exponential rule": "where(c != 0, c^x[i]*log(c), 0)*(d(x[i])/dx[i2])",
    "power and exponential rule": (
        "where(x[i] != 0, x[i]^x[i], 0)*(d(x[i])/dx[i2])"
        " + where(x[i] != 0, x[i]^x[i]*log(x[i]), 0)*(d(x[i])/dx[i2])"
    ),
    "chain rule in one variable": "(1 - tanh(2*c)^2)*(d(2*c)/dc)",
    "where": "where(x[i] > 0, d(x[i])/dx[i2], 0)",
    "derivative under the sum": "sum(i, d(x[i]^2)/dx[i2])",
    "product over an index": "sum(i, prod(i', where(i' != i, x[i'], 1))*(d(x[i])/dx[i2]))",
    "inverse": "-inv(T)[j,j3]*inv(T)[j3',j2]",
    "determinant": "cofactor(T)[j,j2]",
    "cofactor": "det(T)*(inv(T)[j2,j]*inv(T)[j3',j3] - inv(T)[j2,j3]*inv(T)[j3',j])",
    "logarithm of the determinant": "inv(T)[j2,j]",
    "first maximum": "sum(i, where(argmax(i', x[i']) == i, d(x[i])/dx[i2], 0))",
    "put together": "x[i]^2*y[j]",
    "symmetry": "T[j,j2]*y[j]",
    "fact": "1",
    "factor in": "sum(i, x[i]/c)",
    "split sum": "sum(i, x[i]) + sum(i, c)",
    "places apart": "where(i == 0 and j == 1, x[i], 0) + where(i == 1 and j == 0, y[j], 0)",
    "one index for both": "delta(i,i2)*x[i]*c",
    "arrange": "(c - x[i])*y[j]",
    "join sums": "sum(j, k, y[j]*B[j,k]*delta(j + k,q))",
    "arithmetic": "x[i]",
    "add up positions": "z[i]",
    "condition that holds": "where(j > i, c, 0)",
    "where within a where": "where(i == 0 and j == 0, c, 0)",
    "join wheres": "where(i > 0 and j < 2, x[i]*c, 0)",
    "join masks": "where(i > 0 and c > 0, x[i], 0)",
    "join equal wheres": "where(i > 0, c*x[i - 1], 0)*y[j]",
    "join wheres alike": "where(c > 0, x[i]/c, 0)*y[j]",
    "mask is 0 or 1": "where(c > 0, 1, 0)",
    "mask of a positive part": "max(0, x[i])*y[j]",
    "compared maximum": "c <= 6",
    "condition under a negation": "not c > 0",
    "where of a negation": "where(c > 0 or x[i] > 0, x[i], 0)",
    "mask of a masked tensor": "o[t]*w[t]",
    "turn back a circular shift": "x[mod(i2 - 1, size(i))]",
    "residue of a residue": "mod(i + 1, size(i))",
    "named mask": "m[i] > 0",
    "difference within bounds": "x[i]",
    "difference beyond bounds": "(min(x[i], c) - c)*y[j]",
    "opposite sums": "2*c*sum(j, where(j > i, y[j]*(x[i] - c), 0))",
    "masks that exclude each other": "2*c*sum(j, where(j != j3, y[j], 0))",
    "extremum under a condition": "x[i]*where(x[i] <= c, y[j], 0)",
    "where under a condition": "where(c > 0, x[i]/c, 0)",
    "implied alternative": "c*min(x[i], y[j]) >= c*x[i]",
    "quotient of functions": "2*c*tanh(x[i])",
    "whole quotient": "y[j]*where(j + 1 == 2*i and i > 0, c, 0)",
    "powers of one base": "x[i]/c",
    "step and argument": "abs(x[i])*c",
    "multiple of a sum": "-2*(c + x[i])",
    "rest of a mask": "where(c > 0 and c < 1, 0, x[i])",
    "named product": "l[i,j]*x[i]",
    "named choice": "o[t]",
    "gather a value and its mean": "sum(j, y[j]*B[j,k]*(B[j,k] - sum(j, y[j]*B[j,k])/c))",
    "factor out of a value and its mean": "rho[j]*(B[j,k] - sum(j2, y[j2]*B[j2,k]))",
    "cases of one condition": "where(c != 0, where(c == 2, x[i]^2, -y[j]), 0)",
    "guard of cases": "-where(c == 1, x[i], 0)",
    "branches of one condition": "where(c > 0 and c < 1, x[i]^2, -y[j]^2)",
    "gather terms": "tanh(c)*(2*x[i] + y[j])",
    "one quotient": "x[i]*y[j]/(y[j] - c)",
    "one divisor": "(2*x[i] - h0/c)/c",
    "cancel a number": "c*sum(i, x[i]*c + 2*h0)",
    "multiples apart": "2*x[i]*c + 1/6*y[j]",
    "cancelled divisors": "x[i]*y[j] - h0*c",
    "masks of one condition": "where(c > 1, h0*x[i] - x[i]^2, 0)",
    "join a number": "y[j]*x[i]",
    "opposite branches": "where(c > 0, x[i]^2, -y[j]^2)",
    "branches that agree": "where(c > 0 or c < -1, x[i], y[j])",
    "factor out of branches": "x[i]*where(c > 0, 2*c, 1)",
    "term out of branches": "x[i] + where(i > 0, -c, 0)",
    "maximum of ordered values": "x[i] <= c and x[i] >= y[j]",
    "numbers on the right": "x[i] >= -3",
    "multiples of one value compared": "x[i] >= 0",
    "sizes on the right": "where(s >= 2*size(d), c, 0)",
    "cancel in a comparison": "d - size(i) > 0",
    "index alone in delta": "delta(i,size(i) - 1)",
    "pad": "pad(a[t - 1])",
    "delta as a guard": "where(floor(s/2) == t, a[s], 0)",
    "deltas of a where apart": (
        "delta(floor(s/2),t)*where(t < s, c*a[s], 0) + where(floor(s/2) < s, w[s], 0)*a[s]"
    ),
    "gather differences": "c*sum(i, 2*x[i] - 2*c - 1)",
    "gather where they meet": "sum(j, T[j3,j]*(y[j3] - y[j]))",
    "gather sums": "2*sum(j, (T[j3,j] - 1/2*T[j,j3])*y[j]) - c",
    "factor out of masked sum": "sum(i, where(x[i] > 0, x[i], 0)*y[j])*c",
    "mask around terms": "sum(i, where(i < j, x[i], 0))",
    "mask on the smaller factor": "sum(i, where(i < j, A[i,j], 0)*B[j,k])",
    "opposite wheres": "where(c > 0, x[i], -y[j])",
    "equal positions": "c*where(ids[k] == i, y[j], 0)",
    "mirrored squares": "1/(c - x[i])^2 + 1/(c - x[i])^2",
    "strict comparison": "i < j and c > 0",
    "where out of sum": "where(i > 0, sum(j, c*y[j]), 0)",
    "split into digits": "sum(j, delta(j,floor(q/2))*delta(d,mod(q, 2))*y[j])",
    "digit of a number": "j",
    "sum over the other digit": "sum(d, r[2*i + d])",
    "sum over the middle digit": "sum(j, n[i*size(j)*size(k) + j*size(k) + k])",
    "join digits": "sum(q, z[q]*delta(q,2*j + d))",
    "delta substitutes": "delta(ids[k],i)*A[i,j]",
    "delta fixes the index": "delta(ids[k],i)/x[ids[k]]",
    "cancel under delta": "x[i]*delta(ids[k],i)/x[ids[k]] - x[i]*c",
    "delta for where": "sum(j, (y[j] + delta(j,j2))*T[j,j3])",
    "delta of one index": "1",
    "delta is 0 or 1": "delta(i,i2)",
    "contract delta": "x[i]*A[i,j]",
    "delta out of where": "delta(i,i2)*where(c > 0, c, 0)",
    "split where": "where(c > 0, delta(i,i2), 0) + where(c > 0, 0, delta(j,j2))",
    "delta out of addition": "delta(i,i2)*(x[i] + 1)*y[j]",
    "multiply out": "delta(i,i2)*y[j] + x[i]*y[j]",
    "separate sum": "sum(i2, delta(i2,i)) + sum(i2, x[i2])",
    "sum of zeros": "0",
    "merge sums": "sum(i, j, A[i,j])",
    "factor out": "c*sum(i, x[i])*y[j]",
    "unused index": "size(i)*sum(j, y[j])",
    "whole product": "c*prod(i2, x[i2])",
    "maximum of a constant": "y[j]",
    "number out of where": "2*where(c > 0, c, 0)",
    "turn where": "where(c <= 0, c, 0)",
    "opposite comparison": "i >= 2",
    "turn comparison": "c > 0",
    "no where": "x[i]",
    "difference as stated": "(x[i] - c) + (y[j] - y[j2])",
    "sum as stated": "1/10*c/(x[i] + 1/10)",
    "fixed position": "pad(x[0])",
    "add wheres": "where(i > 0, c + x[i], 0)",
    "solve delta": "sum(j, y[j]*pad(x[q - 2*j]))",
    "read under the where": "w[t]*where(t < s, a[s], 0)",
    "read under the sum": "sum(d, where(t < s, delta(where(u[0,0,s,d] > 0, s - 1, 0),t)*a[s], 0))",
    "guard of all terms": "where(t < s, (c*w[t] + w[s])*a[s], 0)",
    "inverse times matrix": "delta(j2,j3)",
    "cofactors times matrix": "delta(j3,j2)*det(T)",
    "cofactor by determinant": "inv(T)[j2,j]",
}
RULES = tuple(rule for phase in phases() for rule in phase.rules)
BY_NAME = {rule.name: rule for rule in RULES}
MEASURES_OF = {rule.name: phase.measures for phase in phases() for rule in phase.rules}
STEP = 1e-30
NUMERATOR, DENOMINATOR = (
    frozenset({Index(name, SYSTEM.tensors["x"].indices[0].axis)}) for name in ("i2", "i")
)
EXAMPLE_SETTING = MeasureContext(
    Ranges.of(SYSTEM), frozenset({"a"}), SYMMETRIC, numerator=NUMERATOR, denominator=DENOMINATOR
)
every_record = pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES} == set(WHAT_THE_EXAMPLES_BECOME)
    assert {rule.name for rule in normal_form_rules(Ranges.of(SYSTEM))} <= set(BY_NAME)


@every_record
def test_rule(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    assert text(used[1]) == WHAT_THE_EXAMPLES_BECOME[rule.name]
    assert place_of_use(rule, parsed(rule.near_miss)) is None
    assert rule.decreases in MEASURES_OF[rule.name]
    if not isinstance(rule, CalculusRule):
        assert all(words in rule.statement for words in rule.where)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.decreases != COST])
def test_the_measure_falls_in_the_example(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    for name, measure in MEASURES_OF[rule.name].items():
        before, after = (measure.of(side, EXAMPLE_SETTING) for side in used)
        if name == rule.decreases:
            assert after < before
            break
        assert not before < after, name


def test_every_name_is_given_once() -> None:
    names = [rule.name for rule in RULES] + [reason.name for reason in REASONS]
    assert sorted(names) == sorted(set(names))


def drawn(rng: np.random.Generator) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """Values of every tensor; T is symmetric, and the rows of B obey the fact."""
    values = {
        tensor.name: rng.normal(size=[SIZES[index.axis.name] for index in tensor.indices])
        for tensor in SYSTEM.tensors.values()
    }
    values["ids"] = rng.integers(0, SIZES["I"], SIZES["K"])
    values["T"] = values["T"] + values["T"].T
    values["o"] = np.concatenate(([0.0], values["a"][:-1]))
    values["l"] = values["A"] * values["y"]
    values["rho"] = values["y"] / values["c"]
    values["m"] = np.maximum(0, values["x"] - values["c"])
    values["B"] = values["B"] / values["B"].sum(axis=1, keepdims=True)
    return values


def as_value(node: Expression) -> Expression:
    return Where(node, ONE, ZERO) if isinstance(node, Comparison | Logic) else node


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.decreases != DIFFERENTIATED])
def test_rule_keeps_the_value(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    node, result = map(as_value, used)
    rng = np.random.default_rng(1)
    for _ in range(3):
        indices = tuple(sorted(node.free_indices | result.free_indices, key=lambda index: index.name))
        evaluator = NaiveEvaluator(drawn(rng), SIZES)
        np.testing.assert_allclose(
            evaluator.array(result, indices), evaluator.array(node, indices), rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("rule", CALCULUS_RULES, ids=[rule.name for rule in CALCULUS_RULES])
def test_what_a_rule_of_calculus_leaves_is_the_derivative(rule: Rule) -> None:
    start = parsed(rule.example)
    used = place_of_use(rule, start)
    assert used is not None and isinstance(start, PartialDerivative)
    found = put_together(resolve(CALCULUS_RULES, used[1], PartialDerivative).result)
    values = {name: np.abs(array) for name, array in drawn(np.random.default_rng(2)).items()}
    by = start.denominator
    indices = sorted(start.free_indices, key=lambda index: index.name)
    for place in np.ndindex(*(SIZES[index.axis.name] for index in indices)):
        at = dict(zip(indices, place, strict=True))
        moved = np.array(values[by.tensor], dtype=complex)
        moved[tuple(at[index] for index in by.positions if isinstance(index, Index))] += STEP * 1j
        evaluator = NaiveEvaluator({**values, by.tensor: moved}, SIZES)
        expected = np.imag(evaluator.expression(start.expression, at)) / STEP
        derivative = NaiveEvaluator(values, SIZES).expression(found, at)
        np.testing.assert_allclose(derivative, expected, rtol=1e-9, atol=1e-12)


def test_a_statement_names_its_side_conditions() -> None:
    assert BY_NAME["number out of where"].statement == (
        "where(c, n*f, 0) = n*where(c, f, 0); where(c, 0, n*f) = n*where(c, 0, f), "
        "where n is a number other than 0 and 1"
    )
    with pytest.raises(RecordError, match=r"'at full moon', which is no predicate\n.*one of independent, "):
        when("at full moon", "f")


def test_fact_applies_up_to_names_and_not_to_another_tensor() -> None:
    rule = fact_rules(SYSTEM.facts, normal_form_rules(Ranges.of(SYSTEM)))[0].rule
    applied = rule.apply(parsed("sum(k', B[j2,k'])"))
    assert applied is not None
    assert text(applied) == "1"
    assert rule.apply(parsed("sum(j, B[j,k])")) is None
    assert rule.apply(parsed("sum(j, A[i,j])")) is None
    assert rule.apply(parsed("sum(k, B[j,k]^2)")) is None


def test_no_capture_when_a_delta_is_contracted_under_a_binder() -> None:
    # j is bound inside: putting it in the place of j2 must rename the inner one.
    node = parsed("sum(j2, delta(j2,j)*y[j2]*sum(j, A[i,j]*y[j2]))")
    result = BY_NAME["contract delta"].apply(node)
    assert result is not None
    assert text(result) == "y[j]*sum(j', A[i,j']*y[j])"


# A product with a delta, where the other factor may be undefined where the delta is 0
PARTIAL = [
    ("delta(ids[k],i)/x[ids[k]]", "delta(ids[k],i)/x[ids[k]]"),
    ("delta(ids[k],i)/x[i]", "delta(ids[k],i)/x[ids[k]]"),
    ("delta(ids[k],i)*x[i]*y[j]/x[ids[k]]", "delta(ids[k],i)*y[j]"),
    ("delta(ids[k],i)*A[i,j]*log(x[i])", "delta(ids[k],i)*A[i,j]*log(x[ids[k]])"),
    ("delta(size(i) - 1,i)*sqrt(x[i])", "delta(size(i) - 1,i)*sqrt(x[size(i) - 1])"),
    ("delta(i,i2)/(x[i] - x[i2])", "delta(i,i2)/(x[i] - x[i2])"),
    ("delta(i,i2)/(x[i] + x[i2])", "1/2*delta(i,i2)/x[i]"),
    ("delta(i,i2)/x[i2]", "delta(i,i2)/x[i2]"),
    ("delta(ids[k],i)*log(1 + x[ids[k]]^2)", "delta(ids[k],i)*log(1 + x[i]^2)"),
    ("delta(2*i,q)/z[2*i]", "delta(2*i,q)/z[2*i]"),
    ("sum(i, delta(2*i,q)/z[2*i])", "where(mod(q, 2) == 0 and floor(q/2) < size(i), 1/z[q], 0)"),
    (
        "sum(i, delta(3*i,q)*log(i - c))",
        "where(mod(q, 3) == 0 and floor(q/3) < size(i), log(floor(q/3) - c), 0)",
    ),
    ("sum(i, delta(3*i,q)*(i - c))", "(floor(q/3) - c)*where(mod(q, 3) == 0 and floor(q/3) < size(i), 1, 0)"),
]


@pytest.mark.parametrize(("before", "after"), PARTIAL)
def test_what_may_be_undefined_is_read_only_where_the_delta_is_not_zero(before: str, after: str) -> None:
    names = ("arithmetic", "delta substitutes", "delta fixes the index", "solve delta")
    deltas = [rule for rule in RULES if rule.name in names]
    node = parsed(before)
    assert text(result_of(apply_exhaustively(deltas, node), node)) == after


# Conditions and branches that differ in the names of bound indices alone
ALIKE = [
    (
        "where(sum(j, A[i,j]) > 0, x[i], 0)*where(sum(j2, A[i,j2]) > 0, y[j], 0)",
        "where(sum(j, A[i,j]) > 0, x[i]*y[j], 0)",
    ),
    (
        "where(sum(j, A[i,j]) > 0, x[i], 0) + 2*where(sum(j2, A[i,j2]) > 0, c, 0)",
        "where(sum(j, A[i,j]) > 0, x[i] + 2*c, 0)",
    ),
    ("where(c > 0, sum(j, A[i,j]), sum(j2, A[i,j2]))", "sum(j, A[i,j])"),
    # not the same sum
    (
        "where(sum(j, A[i,j]) > 0, x[i], 0)*where(sum(j, T[j,j3]) > 0, c, 0)",
        "where(sum(j, A[i,j]) > 0, x[i], 0)*where(sum(j, T[j,j3]) > 0, c, 0)",
    ),
]


@pytest.mark.parametrize(("before", "after"), ALIKE)
def test_bound_names_keep_nothing_apart(before: str, after: str) -> None:
    rules = normal_form_rules(Ranges.of(SYSTEM))
    node = parsed(before)
    assert text(result_of(apply_exhaustively(rules, node), node)) == after


DELTAS_FOR_WHERES = [
    ("sum(j, (y[j] + where(j == j2, 1, 0))*T[j,j3])", "sum(j, y[j]*T[j,j3]) + T[j2,j3]"),
    ("sum(i, j, (c + where(i == j, 1, 0))*A[i,j])", None),
    ("x[i]*(where(i == i2, 1, 0) + c)", "x[i]*(where(i == i2, 1, 0) + c)"),  # no sum contracts it
    ("sum(j, (y[j] + where(j == 1, 1, 0))*T[j,j3])", "sum(j, (y[j] + where(j == 1, 1, 0))*T[j,j3])"),
    ("sum(j, exp(where(j == j2, 1, 0))*y[j])", "sum(j, exp(where(j == j2, 1, 0))*y[j])"),
    ("max(j, where(j == j2, 1, 0)*y[j])", "max(j, where(j == j2, 1, 0)*y[j])"),
]


@pytest.mark.parametrize(("before", "after"), DELTAS_FOR_WHERES)
def test_a_where_of_two_indices_is_contracted_as_a_delta(before: str, after: str | None) -> None:
    node = parsed(before)
    found = result_of(apply_exhaustively(normal_form_rules(Ranges.of(SYSTEM)), node), node)
    assert text(found) == after or (after is None and "==" not in text(found))
    for sizes in ({**SIZES, "J": 0}, {**SIZES, "I": 1, "J": 1}, SIZES):
        rng = np.random.default_rng(4)
        values = {
            tensor.name: rng.normal(size=[sizes[index.axis.name] for index in tensor.indices])
            for tensor in SYSTEM.tensors.values()
        }
        indices = tuple(sorted(node.free_indices, key=lambda index: index.name))
        evaluator = NaiveEvaluator(values, sizes)
        if "max" not in before or sizes["J"]:
            np.testing.assert_allclose(evaluator.array(found, indices), evaluator.array(node, indices))


@pytest.mark.parametrize(
    ("condition", "leaves"),
    [
        ("s < size(a)", False),
        ("size(a) > s + 1", False),
        ("s >= 0 and s < 3", False),
        ("s < t", True),
        ("s >= 1", True),
        ("s + 1 < size(t)", True),
        ("t < size(a)", True),
        ("q + 1 < size(q)", False),
        ("q != size(t)", False),
        ("q == size(q) - 1", False),
        ("q >= 1", True),
    ],
)
def test_a_delta_leaves_no_condition_that_keeps_its_lookup_inside(condition: str, leaves: bool) -> None:
    """Of ids over T, which s runs over, or over an axis that q leaves at its last place."""
    at = "q,t" if "q" in condition else "s,t"
    relations = "index a : A\nindex s, t : T\nindex q : Q = T + 1\n"
    (equation,) = parse_system(f"{relations}param x\ny[{at}] = where({condition}, x, 0)\n").equations
    chosen = equation.expression
    assert isinstance(chosen, Where)
    lookup = Element("ids", (equation.indices[0],))
    product = multiply(Delta(lookup, Index("v", Axis("V", "v"))), chosen.chosen)
    known = Ranges.of(parse_system(f"{relations}index v : V\ninput ids[t] in V\n"))
    assert (out_of_where(Where(chosen.condition, product, ZERO), known) is not None) is leaves


def test_a_sum_that_is_not_put_together_is_no_multiple() -> None:
    x, y = parsed("x[i]"), parsed("y[j]")
    nothing = Multiply((ZERO, y))
    assert multiple_of_a_sum(Add((x, y, Multiply((Number(2), Add((x, nothing))))))) is None
    assert multiple_of_a_sum(Add((x, y, Multiply((Number(2), Add((x, y))))))) is not None
