import pytest

from symbackprop.language.model import parse_system
from symbackprop.lowering.outputs import initial_of, outputs_of
from symbackprop.systems.system import Role
from tests.array.hand_written import SEED

HEAD = """
index b : B
index i : I
index k : K
input x[b,i]
input ids[b] in K
target d[b,k]
param W[k,i], c[k], gamma[i], a
"""
LINEAR = "u[b,k] = sum(i, W[k,i]*x[b,i]) + c[k]\n"
SQUARES = "loss E = 1/2*sum(b, k, (u[b,k] - d[b,k])^2)\n"


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        (SEED, ("y",)),
        (HEAD + LINEAR + SQUARES, ("u",)),
        # an own equation for the residual, or for a penalty on parameters, is no output
        (HEAD + LINEAR + "r[b,k] = u[b,k] - d[b,k]\nloss E = sum(b, k, r[b,k]^2)\n", ("u",)),
        (HEAD + LINEAR + "p = sum(k, c[k]^2)\n" + SQUARES + "", ("u",)),
        (HEAD + LINEAR + "p = sum(k, c[k]^2)\nloss E = sum(b, k, (u[b,k] - d[b,k])^2) + p\n", ("u",)),
        # without targets: what the loss's own equation reads
        ("index i : I\ninput x[i]\nparam w[i]\ny = sum(i, w[i]*x[i])\nloss E = y^2\n", ("y",)),
        ("index i : I\nparam w[i]\nn = sum(i, w[i]^2)\nloss E = exp(n)\n", ("n",)),
        # nothing but the loss
        ("index i : I\nparam w[i]\nloss E = sum(i, w[i]^2)\n", ("E",)),
        # no loss: what nobody reads
        ("index i : I\ninput x[i]\ny[i] = x[i]\nz[i] = y[i]\nv[i] = 2*y[i]\n", ("z", "v")),
    ],
)
def test_outputs(text, outputs):
    assert outputs_of(parse_system(text)) == outputs


@pytest.mark.parametrize(
    ("equation", "tensor", "distribution", "fan_in"),
    [
        ("u[b,k] = sum(i, W[k,i]*x[b,i])", "W", "normal", ("I",)),
        ("u[b,i] = sum(k, W[k,i]*d[b,k])", "W", "normal", ("K",)),
        ("u[b] = sum(i, k, W[k,i]*x[b,i])", "W", "normal", ("I", "K")),
        ("u[b,k] = d[b,k] + c[k]", "c", "zeros", ()),
        ("u[b,i] = gamma[i]*x[b,i]", "gamma", "ones", ()),
        ("u[b] = a*sum(i, x[b,i])", "a", "ones", ()),
        ("u = sum(k, c[k]^2)", "c", "zeros", ()),
        ("u[b,k] = sum(i, gamma[i]*x[b,i])*c[k]", "c", "ones", ()),
        ("u[b,k] = d[b,k]", "c", "zeros", ()),
        ("u[b,i] = W[ids[b],i] + x[b,i]", "W", "normal", ()),
        ("u[b] = sum(i, W[ids[b],i]*x[b,i])", "W", "normal", ()),
        ("u[b] = c[size(k) - 1]*d[b,0]", "c", "ones", ()),
        ("u[b] = sum(k, c[size(k) - 1 - k]*d[b,k])", "c", "normal", ("K",)),
    ],
)
def test_initial(equation, tensor, distribution, fan_in):
    system = parse_system(HEAD + equation + "\n")
    (parameter,) = (item for item in system.with_role(Role.PARAMETER) if item.name == tensor)
    initial = initial_of(system, parameter)
    assert (initial.distribution, set(initial.fan_in)) == (distribution, set(fan_in))
