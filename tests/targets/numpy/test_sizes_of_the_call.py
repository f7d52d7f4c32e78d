"""Axes whose sizes no array has, such as a number of iterations: given with each call."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import Role
from tests.targets.numpy.generated import gradient_source

DESCENT = """\
index it : ITERATIONS
index i, j : N
input x[i]
param A[i,j], eta
z[it,i] = where(it == 0, x[i], z[it-1,i] - eta*(sum(j, A[i,j]*z[it-1,j]) - x[i]))
loss E = sum(i, z[size(it)-1,i]^2)
"""


@pytest.fixture(scope="module")
def module():
    """Verified, so that every judge of the gate has seen a size that is given."""
    return sb.loads(DESCENT).derive().module()


def by_hand(A, x, eta, count):
    z = x
    for _ in range(count - 1):
        z = z - eta * (A @ z - x)
    return float(np.sum(z**2))


def test_the_number_of_iterations_is_an_argument(module):
    rng = np.random.default_rng(0)
    A, x = rng.normal(size=(3, 3)), rng.normal(size=3)
    for count in (1, 2, np.int64(5)):
        loss, grads = module.value_and_grad({"A": A, "eta": 0.3}, x, ITERATIONS=count)
        assert loss == pytest.approx(by_hand(A, x, 0.3, count), rel=1e-12)
        slope = (by_hand(A, x, 0.3 + 1e-6, count) - by_hand(A, x, 0.3 - 1e-6, count)) / 2e-6
        assert grads["eta"] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    assert module.forward({"A": A, "eta": 0.3}, x, 4).shape == (4, 3)
    assert module.GIVEN_SIZES == ("ITERATIONS",)


@pytest.mark.parametrize("wrong", [-1, 2.0, True, np.ones(3), "3"])
def test_what_is_no_size_is_refused(module, wrong):
    with pytest.raises(ValueError, match="ITERATIONS: expected a size, a whole number from 0 on, got"):
        module.loss({"A": np.eye(2), "eta": 0.1}, np.ones(2), wrong)


def test_without_an_iteration_there_is_no_last_one(module):
    with pytest.raises(ValueError, match="reads position -1, but ITERATIONS=0"):
        module.loss({"A": np.eye(2), "eta": 0.1}, np.ones(2), 0)


def test_only_axes_of_derived_tensors_are_given():
    system = parse_system(DESCENT + "index k : K\nindex s : S = ITERATIONS + 1\nq[s] = 1\n")
    assert [tensor.name for tensor in system.with_role(Role.SIZE)] == ["ITERATIONS"]
    assert parse_system(system_text(system)).tensors.keys() == system.tensors.keys()
    declared = parse_system(DESCENT.replace(": ITERATIONS", ": ITERATIONS = 3"))
    assert not declared.with_role(Role.SIZE)


SERIES = """\
index n : N
index r, r' : TERMS
input x[n]
param a
p[n] = sum(r, exp(r*a - lgamma(r + 1))*x[n]^r) + mean(r', cos(a*r'))
loss E = sum(n, p[n]^2)/2
"""


def test_an_axis_that_sums_alone_run_over_is_given():
    """Conway-Maxwell-Poisson's normaliser was refused: no tensor has the axis."""
    module = sb.loads(SERIES).derive().module()
    x, a, step = np.array([0.3, 0.8, 1.1]), 0.4, 1e-6
    for count in (1, 2, 6):
        r = np.arange(count)
        factorials = np.cumprod(np.maximum(r, 1))

        def by_hand(a, r=r, factorials=factorials):
            p = np.sum(np.exp(r * a) / factorials * x[:, None] ** r, axis=1) + np.mean(np.cos(a * r))
            return np.sum(p**2) / 2

        loss, grads = module.value_and_grad({"a": a}, x, TERMS=count)
        slope = (by_hand(a + step) - by_hand(a - step)) / (2 * step)
        assert loss == pytest.approx(by_hand(a), rel=1e-12)
        assert grads["a"] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_there_is_no_derivative_by_a_size():
    with pytest.raises(sb.DerivationError, match="'ITERATIONS' is the size of an axis"):
        sb.loads(DESCENT).derive(wrt=["ITERATIONS"])


def test_a_size_may_be_declared_from_outside():
    model = sb.loads(DESCENT, sizes={"ITERATIONS": 3})
    assert {axis.name: axis.size for axis in model.system.axes} == {"ITERATIONS": 3, "N": None}
    assert not model.system.with_role(Role.SIZE)
    with pytest.raises(sb.NotationError, match="no axis named 'K'"):
        sb.loads(DESCENT, sizes={"K": 3})
    with pytest.raises(sb.NotationError, match="axis ITERATIONS has size 3, not 4"):
        sb.loads(model.system.source, sizes={"ITERATIONS": 4})


@pytest.mark.parametrize(
    ("loss", "reads_size"),
    [
        ("sum(i, z[size(t)-1,i]^2)", False),
        ("sum(i, z[size(t)-2,i]*z[size(t)-1,i])", False),
        ("sum(i, z[size(t)-1,i]^2)/size(t)", True),
    ],
)
def test_places_that_are_counted_from_the_end_read_no_size(loss, reads_size):
    text = f"index t : T\nindex i : I\ninput x[t,i]\nparam v[i]\nz[t,i] = v[i]*x[t,i]\nloss E = {loss}\n"
    source = gradient_source(text)
    body = source.partition("def _loss(")[2].partition("    return")[0]
    assert "z[-1]" in body and ("    T = z.shape[0]\n" in body) == reads_size
    x, module = np.arange(1.0, 7.0).reshape(3, 2), load_module(source, "last")
    z = x * [2.0, 3.0]
    factor = z[1] if "-2" in loss else z[2]
    assert module.loss({"v": np.array([2.0, 3.0])}, x) == factor @ z[2] / (3.0 if reads_size else 1.0)


STATES = """
index it : STEPS
index s : STATES = STEPS + 1
index i, j : N
param A[i,j], b[i], eta
x[s,i] = where(s == 0, b[i], x[s-1,i] - eta*sum(j, A[i,j]*x[s-1,j]))
loss E = sum(i, x[size(it),i]^2)
"""


@pytest.mark.parametrize("steps", [1, 3])
def test_the_states_before_and_after_take_their_size_from_the_number_of_steps(steps: int) -> None:
    module = sb.loads(STATES).derive().module()
    rng = np.random.default_rng(steps)
    A, b, eta = rng.normal(size=(2, 2)), rng.normal(size=2), 0.3
    loss, grads = module.value_and_grad({"A": A, "b": b, "eta": eta}, STEPS=steps)
    power = np.linalg.matrix_power(np.eye(2) - eta * A, steps)
    assert loss == pytest.approx(np.sum((power @ b) ** 2))
    np.testing.assert_allclose(grads["b"], 2 * power.T @ power @ b)


def test_a_size_that_an_array_has_a_part_in_is_asked_for_where_it_is_stated() -> None:
    with pytest.raises(sb.NotationError, match="nothing determines the size of K and J"):
        parse_system("index k : K = 2*J + 1\nindex j : J\nindex n : N\ninput x[n]\nloss E = sum(n, x[n])\n")
