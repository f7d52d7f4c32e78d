"""dE/dz for an intermediate z: the response of the stated model to a nudge, z[..] = f + nudge[..].

Where the loss holds diff(y, x), the derivative answers to the nudge as stated: what z's own equation says of
dz/dx does not change, what lies behind z does. So it does not depend on what the algebra finds equal to z.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Add, Element
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import Role, System, Tensor
from tests.models.classics import small_sample
from tests.models.judges import assert_close
from tests.programs import numpy_source

STEP = 1e-4
SAMPLES = "index n : N\nindex j, k : J\ninput x[n]\nparam w[j], v[j], c\n"
MODELS = {
    "a tanh layer": SAMPLES + "a[n,j] = w[j]*x[n] + c\nz[n,j] = tanh(a[n,j])\nu[n] = sum(j, v[j]*z[n,j])\n"
    "r[n] = diff(u[n], x[n]) + u[n]^2\nloss E = sum(n, r[n]^2)\n",
    "no name for the argument": SAMPLES + "z[n,j] = tanh(w[j]*x[n])\nu[n] = sum(j, v[j]*sigmoid(z[n,j]))\n"
    "loss E = sum(n, (diff(u[n], x[n]) + z[n,0])^2)\n",
    "the second derivative": SAMPLES + "z[n,j] = sigmoid(w[j]*x[n] + c)\nu[n] = sum(j, v[j]*z[n,j]^2)\n"
    "loss E = sum(n, (diff(diff(u[n], x[n]), x[n]) - u[n])^2)\n",
    "what equals a function of z": SAMPLES
    + "z[n,j] = exp(w[j]*x[n])\ny[n,j] = z[n,j]^2\nu[n] = sum(j, v[j]*y[n,j])\n"
    "loss E = sum(n, diff(u[n], x[n])^2 + sum(j, y[n,j]))\n",
    "a softmax, whose sum is 1": SAMPLES
    + "z[n,j] = exp(w[j]*x[n])/sum(k, exp(w[k]*x[n]))\nu[n] = sum(j, v[j]*z[n,j]^2)\n"
    "loss E = sum(n, diff(u[n], x[n])^2)\n",
    "a derivative that is named": SAMPLES
    + "z[n,j] = tanh(w[j]*x[n])\nu[n] = sum(j, v[j]*z[n,j])\ng[n] = diff(u[n], x[n])\n"
    "loss E = sum(n, g[n]^3) + sum(n, diff(u[n], x[n])^2*u[n])\n",
    "Burgers": "index n : N\nindex j : J\ninput x[n], t[n]\nparam w[j], q[j], v[j], nu\n"
    "a[n,j] = w[j]*x[n] + q[j]*t[n]\nz[n,j] = tanh(a[n,j])\nu[n] = sum(j, v[j]*z[n,j])\n"
    "r[n] = diff(u[n], t[n]) + u[n]*diff(u[n], x[n]) - nu*diff(diff(u[n], x[n]), x[n])\n"
    "loss E = mean(n, r[n]^2)\n",
    "a symmetric matrix": SAMPLES + "S[j,k] = w[j]*w[k]\nu[n] = sum(j, k, S[j,k]*v[j]*sin(x[n]*v[k]))\n"
    "loss E = sum(n, diff(u[n], x[n])^2)\n",
}
CASES = [
    (name, tensor)
    for name, text in MODELS.items()
    for tensor in dict.fromkeys(line.split("[")[0] for line in text.splitlines() if "] = " in line)
]


def with_nudge(system: System, tensor: str) -> System:
    """The model where `tensor` is what its equation says and a `nudge` more."""
    equation = system.definitions[tensor]
    moved = replace(equation, expression=Add((equation.expression, Element("nudge", equation.indices))))
    equations = tuple(moved if each is equation else each for each in system.equations)
    nudge = Tensor("nudge", equation.indices, Role.CONSTANT)
    return replace(system, equations=equations, tensors={**system.tensors, "nudge": nudge})


@pytest.mark.parametrize(("name", "tensor"), CASES)
def test_the_derivative_by_an_intermediate_is_the_response_to_a_nudge(name: str, tensor: str) -> None:
    system = parse_system(MODELS[name])
    values, sizes = small_sample(system, {axis.name: 2 for axis in system.axes})
    module = load_module(numpy_source(lower(derive(system, [tensor]))), "nudged")
    parameters = {key: values[key] for key in module.PARAMETERS}
    others = {key: array for key, array in values.items() if key not in parameters}
    found = module.value_and_grad(parameters, **others)[1][tensor]

    nudged = with_nudge(system, tensor)

    def loss(nudge: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(evaluate(nudged, {**values, "nudge": nudge}, sizes, only=["E"])["E"])

    shape = [sizes[index.axis.name] for index in system.definitions[tensor].indices]
    expected = np.zeros(shape)
    for place in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[place] = STEP
        near, far = ((loss(each) - loss(-each)) for each in (unit, 2 * unit))
        expected[place] = (8 * near - far) / (12 * STEP)
    assert_close(found, expected, f"dE/d{tensor}", 1e-7)


def test_what_is_not_asked_for_keeps_its_closed_form() -> None:
    """By the parameters, dz/da is told by z, 1 - z^2; by z it is not."""

    def read_by_derivatives(wrt: list[str] | None) -> set[str]:
        expansion = derive(parse_system(MODELS["a tanh layer"]), wrt).expansion
        return {name for each in expansion.derivations for name in each.equation.reads}

    assert "z" in read_by_derivatives(None)
    assert "z" not in read_by_derivatives(["z"])
