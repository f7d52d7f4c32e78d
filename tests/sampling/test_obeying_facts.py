import re

import numpy as np
import pytest

from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import ONE, Axis, Element, Index, Multiply, Number, Power, Reduction
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.systems.system import Equation, Fact, Role, System, Tensor
from tests.verification.on_numpy import check_model

B, K = Axis("B", "b"), Axis("K", "k")
b, k, m = Index("b", B), Index("k", K), Index("m", K)
SIZES = {"B": 3, "K": 4}


def system_with(*facts: Fact, equations: tuple[Equation, ...] = ()) -> System:
    tensors = {
        "d": Tensor("d", (b, k), Role.TARGET),
        "P": Tensor("P", (k, m), Role.INPUT),
        "x": Tensor("x", (b,), Role.INPUT),
    }
    derived = {e.tensor: Tensor(e.tensor, e.indices, Role.DERIVED) for e in equations}
    return System("facts", (B, K), tensors | derived, equations, facts)


def draw():
    rng = np.random.default_rng(3)
    return {"d": rng.normal(size=(3, 4)), "P": rng.normal(size=(4, 4)), "x": rng.normal(size=3)}


def test_a_distribution_sums_to_one():
    values = draw()
    found = obeying_facts(system_with(Fact(Reduction("sum", (k,), Element("d", (b, k))), ONE)), values, SIZES)
    assert found is not None
    np.testing.assert_allclose(found["d"].sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(found["x"], values["x"])


def test_a_symmetric_matrix_and_a_sum_together():
    facts = (
        Fact(Element("P", (k, m)), Element("P", (m, k))),
        Fact(Reduction("sum", (b,), Element("x", (b,))), Number(2)),
    )
    found = obeying_facts(system_with(*facts), draw(), SIZES)
    assert found is not None
    np.testing.assert_allclose(found["P"], found["P"].T, atol=1e-12)
    np.testing.assert_allclose(found["x"].sum(), 2.0, atol=1e-12)


def test_a_nonlinear_fact_about_a_derived_tensor():
    squares = Equation("q", (b,), Reduction("sum", (k,), Power(Element("d", (b, k)), Number(2))))
    fact = Fact(Multiply((Number(2), Element("q", (b,)))), Number(2))
    found = obeying_facts(system_with(fact, equations=(squares,)), draw(), SIZES)
    assert found is not None
    np.testing.assert_allclose((found["d"] ** 2).sum(axis=1), 1.0, atol=1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_a_fact_holds_as_nearly_as_rounding_allows(seed):
    squares = Reduction("sum", (k,), Power(Element("d", (b, k)), Number(2)))
    drawn = {**draw(), "d": np.random.default_rng(seed).normal(size=(3, 4))}
    found = obeying_facts(system_with(Fact(squares, ONE)), drawn, SIZES)
    assert found is not None
    np.testing.assert_allclose((found["d"] ** 2).sum(axis=1), 1.0, rtol=0, atol=1e-15)


@pytest.mark.parametrize("right", [-1])
def test_a_fact_that_cannot_hold_is_given_up(right):
    squares = Reduction("sum", (k,), Power(Element("d", (b, k)), Number(2)))
    assert obeying_facts(system_with(Fact(squares, Number(right))), draw(), SIZES) is None


def test_without_facts_nothing_moves():
    values = draw()
    assert obeying_facts(system_with(), values, SIZES) == values


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        (["s^2 == -1"], "s^2 == -1"),
        (["sum(k, d[k]) == 1", "s^2 == 1", "s == 2"], "s == 2"),
        (["exp(0) == 2"], "exp(0) == 2"),
    ],
)
def test_a_fact_that_no_data_obey_is_named(facts, named):
    lines = ["index k : K", "input d[k], s", "param p[k]", *(f"fact {fact}" for fact in facts)]
    system = parse_system("\n".join([*lines, "loss E = s*sum(k, d[k]*p[k]^2)"]) + "\n")
    with pytest.raises(VerificationError, match=re.escape(f"obey the fact {named}")) as raised:
        check_model(system)
    assert raised.value.place.line == 3 + len(facts) and raised.value.remedy
