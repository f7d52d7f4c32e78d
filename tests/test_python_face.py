import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb

ROOT = Path(__file__).parent.parent
SEED = ROOT / "examples" / "seed.model"

IMPORT_ALONE = """
import sys
before = set(sys.modules)
import symbackprop
heavy = {"sympy", "lark", "pydantic", "numpy", "jinja2", "typer", "rich", "mpmath"}
loaded = heavy & {name.split(".")[0] for name in set(sys.modules) - before}
assert not loaded, loaded
assert symbackprop.SymbackpropError and symbackprop.__version__
"""


def test_importing_the_package_is_cheap():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALONE], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


DERIVE_ALONE = f"""
import sys
import symbackprop
symbackprop.load({str(SEED)!r}).derive().text()
loaded = {{"numpy", "scipy", "typer"}} & {{name.split(".")[0] for name in sys.modules}}
assert not loaded, loaded
"""


def test_who_only_derives_waits_for_no_array_library():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", DERIVE_ALONE], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_name_is_there():
    assert set(sb.__all__) | {"Dense", "ReLU", "LSTM", "HalfSquaredError"} <= set(dir(sb))
    assert all(getattr(sb, name) is not None for name in dir(sb))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sb.nonsense


def test_the_contract_of_the_interface():
    model = sb.load(SEED)
    derivation = model.derive(wrt=["W1", "W2"])
    gradient = derivation.gradients["W2"]
    assert str(gradient) == "dE/dW2[k,j] = sum(b, delta2[b,k]*z1[b,j])"
    assert gradient.latex() == (
        r"\frac{\partial E}{\partial W^{(2)}_{kj}} = \sum_{b} \delta^{(2)}_{bk}\,z^{(1)}_{bj}"
    )
    assert gradient._repr_latex_() == rf"$\displaystyle {gradient.latex()}$"
    assert list(derivation.gradients) == ["W1", "W2"]
    step = derivation.steps[0]
    assert step.rule.name and step.rule.statement and step.before != step.after
    source = derivation.to_numpy()
    assert "def value_and_grad(" in source
    module = derivation.module()
    rng = np.random.default_rng(0)
    params = module.init(rng, I=3, J=4, K=2)
    loss, grads = module.value_and_grad(params, x=rng.normal(size=(5, 3)), d=rng.normal(size=(5, 2)))
    assert np.ndim(loss) == 0 and {name: array.shape for name, array in grads.items()} == {
        "W1": (4, 3),
        "W2": (2, 4),
    }


def test_a_model_from_text_and_one_from_layers():
    text = SEED.read_text(encoding="utf-8")
    layered = sb.Sequential([sb.Dense("J", "sigmoid"), sb.Dense("K")], loss="half_squared_error", name="seed")
    assert isinstance(layered, sb.Model) and layered.name == "seed"
    assert layered.derive().result_text() == sb.loads(text).derive().result_text()
    assert sb.loads(layered.text()).derive().result_text() == layered.derive().result_text()


def test_every_parameter_by_default_and_anything_that_is_asked_for():
    model = sb.load(SEED)
    assert list(model.derive().gradients) == ["W1", "b1", "W2", "b2"]
    assert list(model.derive(["x", "u2"]).gradients) == ["x", "u2"]


def test_errors_are_of_one_family():
    for wrong in (
        lambda: sb.load("none.model"),
        lambda: sb.loads("loss E = "),
        lambda: sb.load(SEED).derive(["W9"]),
        lambda: sb.loads("input x\nloss E = x^2\n").derive(),
        lambda: sb.Sequential([], loss="nonsense"),
    ):
        with pytest.raises(sb.SymbackpropError):
            wrong()


def test_a_model_is_checked():
    report = sb.load(SEED).check(seed=1)
    assert report.ok and {row.tensor for row in report.rows} >= {"W1", "b1", "W2", "b2"}
