import copy
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.explanation.ways import sizes_for
from symbackprop.notation.expressions import Expression
from symbackprop.notation.faces import Formula
from tests.processes import run_within

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
    done = run_within(
        60, [sys.executable, "-c", IMPORT_ALONE], env=environment, capture_output=True, text=True
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
    done = run_within(
        60, [sys.executable, "-c", DERIVE_ALONE], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_name_is_there():
    assert set(sb.__all__) | {"Dense", "ReLU", "LSTM", "HalfSquaredError"} <= set(dir(sb))
    assert all(getattr(sb, name) is not None for name in dir(sb))
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'; dir\(symbackprop\) lists"):
        _ = sb.nonsense


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Conv2D", "Conv2d"),
        ("dense", "Dense"),
        ("lstm", "LSTM"),
        ("CrossEntrpy", "CrossEntropy"),
        ("lods", "loads"),
    ],
)
def test_a_name_that_is_nearly_right(name, meant):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; did you mean '{meant}'"):
        getattr(sb, name)


def test_sizes_may_be_of_any_integers():
    four, shape = np.int64(4), np.array([1, 8, 8])
    for inputs in (four, np.array(4), [four], np.array([4])):
        model = sb.Sequential([sb.Dense(np.uint8(2))], loss="half_squared_error", inputs=inputs)
        plain = sb.Sequential([sb.Dense(2)], loss="half_squared_error", inputs=4)
        assert model.text() == plain.text()
    layers = [sb.Conv2d(np.int16(8), 3, "relu", padding=np.int64(1)), sb.Flatten(), sb.Dense(10)]
    for inputs in (shape, tuple(shape)):
        assert "= 8" in sb.Sequential(layers, loss="integer_cross_entropy", inputs=inputs).text()
    assert sb.load(SEED, {"I": four}).text() == sb.load(SEED, {"I": 4}).text()
    assert type(sizes_for(sb.load(SEED).system, {"I": four})["I"]) is int  # JSON knows no other


def test_numbers_of_options_may_be_an_array_librarys():
    eps = np.float64(1e-5)
    assert sb.Sequential([sb.LayerNorm(eps=eps)]).text() == sb.Sequential([sb.LayerNorm(eps=1e-5)]).text()


@pytest.mark.parametrize(
    "size", [2.5, np.float64(3), True, "5", "5\nparam q", None, np.array([1, 2]), 1j, 0, -1, 10**20]
)
def test_a_size_that_is_no_integer(size):
    with pytest.raises(sb.NotationError, match="axis I cannot have the size"):
        sb.load(SEED, {"I": size})
    with pytest.raises(sb.LanguageError):
        sb.Sequential([sb.Dense("J")], inputs=size if size is not None else 0).text()


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


def test_whatever_is_a_formula_shows_as_one():
    def kinds(kind: type) -> list[type]:
        return [kind, *(each for below in kind.__subclasses__() for each in kinds(below))]

    assert len(kinds(Expression)) > 10
    assert [kind for kind in kinds(Expression) if kind.__repr__ is not Formula.__repr__] == []
    derivation = sb.load(SEED).derive(wrt=["W2"])
    equation = derivation.gradients["W2"].equation
    assert repr(equation.expression) == "<Reduction sum(b, (y[b,k] - d[b,k])*z1[b,j])>"
    assert repr(equation.indices) == "(<Index k>, <Index j>)"
    assert repr(derivation.program) == "<Program seed: 7 lines>"


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


def test_a_gradient_that_was_not_derived_says_what_was_and_what_to_type():
    gradients = sb.load(SEED).derive(wrt="W2, b2").gradients
    assert list(gradients) == ["W2", "b2"]
    with pytest.raises(KeyError, match=r'derived were W2, b2; .*derive\(wrt="W2, b2, W1"\)'):
        gradients["W1"]
    with pytest.raises(KeyError, match="no tensor 'w2'; derived were W2, b2; did you mean 'W2'"):
        gradients["w2"]
    with pytest.raises(AttributeError, match=r"no attribute 'W2'; write gradients\[\"W2\"\]"):
        _ = gradients.W2
    assert "W9" not in gradients
    assert gradients.get("W9") is None
    assert pickle.loads(pickle.dumps(gradients)) == gradients == copy.copy(gradients)


def test_values_are_a_short_line_each():
    model = sb.load(SEED)
    derivation = model.derive()
    wrong = sb.audit(model, claims=["dE/db2[k] = sum(b, d[b,k] - y[b,k])"])
    assert repr(wrong) == "<AuditReport seed: WRONG: the claimed dE/db2 has the wrong sign>"
    assert "WRONG" in wrong._repr_html_()
    assert repr(derivation.schedule) == "<Schedule 11 equations>"
    assert repr(derivation.derivation.adjoints[0]).startswith(
        "<AdjointDerivation delta_y[b,k] = y[b,k] - d[b,k]"
    )
    assert repr(sb.Conv2d(8, 3, "relu")) == "Conv2d(units=8, kernel=3, activation='relu')"
    assert repr(sb.Activation("relu")) == "Activation('relu')"
