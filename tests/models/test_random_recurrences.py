"""Random recurrences: two states that read one another at other steps, either way, before the judges."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.step_checker import check_every_step, total_gradient
from tests.programs import numpy_source
from tests.sweeps import swept

HEAD = """
index t : T
index j, k : J
input x[t,j]
param U[j,k], V[j,k], b[j], h0[j]
"""


@dataclass
class Writer:
    """Writes the right-hand sides; `sign` is the side on which the steps before lie."""

    random: Random
    sign: str

    def state(self, name: str, index: str) -> str:
        back = self.random.choice("1112")
        return f"pad({name}[t{self.sign}{back},{index}])"

    def leaf(self, known: list[str]) -> str:
        name = self.random.choice("hs")
        choices = [
            self.state(name, "j"),
            f"sum(k, {self.random.choice('UV')}[j,k]*{self.state(name, 'k')})",
            "x[t,j]",
            "b[j]",
            *(f"{each}[t,j]" for each in known),
        ]
        return self.random.choice(choices)

    def formula(self, known: list[str], depth: int = 2) -> str:
        if depth == 0:
            return self.leaf(known)
        left, right = self.formula(known, depth - 1), self.formula(known, depth - 1)
        shape = self.random.choice(["{} + {}", "({})*({})", "tanh({}) + {}", "sigmoid({})*({})"])
        return shape.format(left, right)

    def model(self) -> str:
        start = "t == 0" if self.sign == "-" else "t == size(t)-1"
        first = self.formula([]) + f" + {self.state('h', 'j')}"
        second = self.formula(["h"])
        if self.random.random() < 0.5:
            first = f"where({start}, h0[j], {first})"
        loss = self.random.choice(["sum(t, j, (s[t,j] - x[t,j])^2)", "sum(j, s[0,j]*h[size(t)-1,j])"])
        return f"{HEAD}h[t,j] = {first}\ns[t,j] = {second}\nloss E = {loss} + sum(t, j, h[t,j]^2)\n"


@pytest.mark.parametrize("seed", swept(range(8), 4))
def test_random_recurrence(seed):
    random = Random(seed)
    text = Writer(random, random.choice("-+")).model()
    derivation = derive(parse_system(text))
    system = derivation.system
    module = load_module(numpy_source(lower(derivation)), "recurrence")
    rng = np.random.default_rng(seed)
    for steps in (1, 2, 4):
        sizes = {"T": steps, "J": 2}
        values = {
            name: 0.5
            * rng.standard_normal([sizes[index.axis.name] for index in system.tensors[name].indices])
            for name in ("x", "U", "V", "b", "h0")
        }
        params = {name: values[name] for name in ("U", "V", "b", "h0")}
        if steps == 2:
            check_every_step(derivation, values, sizes)
        _, grads = module.value_and_grad(params, values["x"])
        for name in params:
            wanted = total_gradient(system, values, sizes, name)
            np.testing.assert_allclose(grads[name], wanted, rtol=1e-8, atol=1e-9, err_msg=f"{name}\n{text}")
