"""What a loop stores step by step runs again over all steps at once, where no step needs another."""

import numpy as np
import pytest

from symbackprop import loads
from symbackprop.recomputation.less_memory import choice_for, in_less_memory
from symbackprop.recomputation.stored_steps import whole_statements
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.targets.numpy.variants import NUMPY_IN_LESS_MEMORY
from symbackprop.verification.checked_module import under_check

HEAD = "index t : T\nindex n : N\nindex j, k : J\nparam U[j,k], a[j]\ninput x[t,n,j], h0[n,j]\n"
# The gate takes a product and what is masked an earlier step; the rest each step makes of its own.
GATED = (
    HEAD
    + "param scale[n]\n"
    + "g[t,n,j] = sigmoid(sum(k, U[j,k]*where(t == 0, h0[n,k], h[t-1,n,k])) + x[t,n,j])\n"
    + "c[t,n,j] = g[t,n,j]*where(t == 0, h0[n,j], c[t-1,n,j]) + (1 - g[t,n,j])*x[t,n,j]\n"
    + "r[t,n,j] = exp(-c[t,n,j]^2)*a[j]\n"
    + "h[t,n,j] = scale[n]*g[t,n,j]*r[t,n,j]\n"
    + "loss E = sum(t, n, j, sin(h[t,n,j])*r[t,n,j])\n"
)


@pytest.fixture(scope="module")
def gated():
    return loads(GATED, "gated").derive()


def test_what_each_step_makes_of_its_own_runs_again(gated):
    assert {line.name for line in whole_statements(gated.program.statements, gated.program)} >= {"r", "h"}
    recomputed = {line.name for line in choice_for(gated.program).recomputed}
    assert {"r", "h"} <= recomputed and not {"g", "c_masked"} & recomputed
    assert in_less_memory(gated.program) is not gated.program


@pytest.mark.parametrize("sizes", [(4, 2, 3), (1, 3, 2), (3, 1, 1)])
def test_the_numbers_are_the_same(gated, sizes):
    rng = np.random.default_rng(2)
    _, rows, units = sizes
    shapes = {"U": (units, units), "a": units, "scale": rows, "x": sizes, "h0": (rows, units)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    plain, little = (
        under_check(target.load(target.printed(gated.program).text, "gated")).value_and_grad(values)
        for target in (NUMPY, NUMPY_IN_LESS_MEMORY)
    )
    assert plain[0] == little[0]
    for name, gradient in plain[1].items():
        np.testing.assert_allclose(little[1][name], gradient, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    "own",
    [
        "h[t,n,j] = tanh(where(t == 0, h0[n,j], h[t-1,n,j]) + x[t,n,j])",  # of the step before
        "h[t,n,j] = tanh(sum(k, U[j,k]*where(t == 0, h0[n,k], h[t-1,n,k])) + x[t,n,j])",  # of a product
    ],
)
def test_a_recurrence_does_not_run_twice(own):
    program = (
        loads(f"{HEAD.format(order='t : T')}{own}\nloss E = sum(t, n, j, a[j]*h[t,n,j]^2)").derive().program
    )
    assert "h" in {name for line in program.statements for name in line.written}
    assert "h" not in {line.name for line in choice_for(program).recomputed}
