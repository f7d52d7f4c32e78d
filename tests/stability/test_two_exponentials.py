"""log(exp(f) + exp(g)) is the larger of f and g and what the other adds, however far they are apart."""

import mpmath
import numpy as np
import pytest

from symbackprop.pipeline import loads

# What is under the logarithm in the model language, and with many digits.
SUMS = {
    "exp(w[k]) + 1e-3": lambda w, u: mpmath.exp(w) + mpmath.mpf("1e-3"),
    "2*exp(w[k]) + exp(-u[k]^2)/3": lambda w, u: 2 * mpmath.exp(w) + mpmath.exp(-(u**2)) / 3,
    "exp(-abs(w[k])*exp(-u[k])) + 0.05": lambda w, u: (
        mpmath.exp(-abs(w) * mpmath.exp(-u)) + mpmath.mpf("0.05")
    ),
    "exp(w[k]) + exp(w[k] - u[k]^2)": lambda w, u: mpmath.exp(w) + mpmath.exp(w - u**2),
}
FAR = (-1e10, -1e6, -800.0, -80.0, -6.9, 0.0, 0.3, 75.0, 790.0, 1e5)


@pytest.mark.parametrize("under", SUMS)
def test_the_loss_keeps_its_digits_far_out(under):
    module = loads(f"index k : K\nparam w[k], u[k]\nloss L = sum(k, log({under}))\n", "far").derive().module()
    with mpmath.workdps(40):
        for w in FAR:
            for u in (-3.0, 0.25, 40.0):
                loss, _ = module.value_and_grad({"w": np.array([w]), "u": np.array([u])})
                true = mpmath.log(SUMS[under](mpmath.mpf(w), mpmath.mpf(u)))
                assert abs(loss - true) <= 4e-15 * max(abs(true), 1), (w, u)
