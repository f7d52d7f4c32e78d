"""What is suggested where digits are lost: only what the model's own equations bear out."""

import pytest

from symbackprop import loads
from symbackprop.auditing.remedies import remedy_for

LARGEST = "subtract the largest value before exponentials"
AT_MOST_0 = "take exponentials of what is at most 0"
AS_GENERATED = "compute it as the module does that `symbackprop generate` writes"


def remedy(loss, is_infinite):
    model = f"index n : N\nindex k : K\nparam w[n,k], t[n,k]\nm[n] = mean(k, w[n,k])\nloss E = {loss}\n"
    return str(remedy_for(loads(model).system, is_infinite))


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("sum(n, k, t[n,k]*softmax(k, w[n,k])) + m[0]", LARGEST),
        ("sum(n, logsumexp(k, w[n,k]) + m[n])", LARGEST),
        ("sum(n, k, t[n,k]*log(1 + exp(w[n,k]))) + m[0]", LARGEST),
        ("sum(n, k, t[n,k]/(1 + exp(-w[n,k]))) + m[0]", AT_MOST_0),
        ("sum(n, k, silu(w[n,k])) + m[0]", AT_MOST_0),
        # exp(w) - t is all there is: nothing cancels, whatever is subtracted
        ("sum(n, k, exp(w[n,k]) - t[n,k]*w[n,k]) + m[0]", AS_GENERATED),
        ("sum(n, k, (w[n,k] - m[n])^2)", AS_GENERATED),
    ],
)
def test_of_what_is_not_finite(loss, said):
    assert remedy(loss, True).startswith(said)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("sum(n, k, (w[n,k] - m[n])^2)", "subtract the mean before squares"),
        ("sum(n, var(k, w[n,k]) + m[n])", "subtract the mean before squares"),
        ("sum(n, k, (w[n,k] - t[n,k])^2) + m[0]", "subtract before squares: (f - g)^2 keeps digits"),
        # a mean and a square, of which no difference is squared
        ("mean(n, k, w[n,k]^2) + m[0]", AS_GENERATED),
        ("sum(n, k, t[n,k]*exp(w[n,k])) + m[0]", AS_GENERATED),
    ],
)
def test_of_what_is_off(loss, said):
    assert remedy(loss, False).startswith(said)
