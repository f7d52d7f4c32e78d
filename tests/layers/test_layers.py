"""Layered networks: the catalogue's formulas, their expansion into equations, names, and refusals."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from symbackprop.errors import LanguageError
from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES
from symbackprop.layers.expanding import network_system, network_text
from symbackprop.layers.loading import load_system
from symbackprop.layers.network import Layer, Network, NetworkError
from symbackprop.layers.sequential import Activation, Dense, Sequential
from symbackprop.notation.evaluation import evaluate
from symbackprop.notation.functions import FUNCTIONS
from symbackprop.notation.printing import text
from symbackprop.notation.system import Role, System

EXAMPLES = Path(__file__).parents[2] / "examples"
HALF = "half_squared_error"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def unnamed(system: System) -> System:
    return dataclasses.replace(system, name="", source="")


def test_the_seed_from_layers_is_the_seed() -> None:
    network = Sequential([Dense("J", activation="sigmoid"), Dense("K")], loss=HALF)
    seed = load_system(EXAMPLES / "seed.model")
    assert unnamed(network.system()) == unnamed(seed)
    assert list(network.system().tensors) == list(seed.tensors)


def test_an_activation_may_stand_alone() -> None:
    inside = Sequential([Dense(4, activation="tanh"), Dense(2, activation="relu")])
    apart = Sequential([Dense(4), Activation("tanh"), Dense(2), Activation("relu")])
    assert inside.text() == apart.text()


def test_the_text_is_a_model_that_reads_as_the_system() -> None:
    network = Sequential([Dense(3, "silu", "in,out"), Dense(5)], loss=HALF, inputs=4, name="small")
    system = network.system()
    assert parse_system(network.text(), "small") == system
    assert system.source == network.text()
    assert {axis.name: axis.size for axis in system.axes} == {"B": None, "I": 4, "J": 3, "K": 5}


def test_both_layouts_compute_the_same(rng: np.random.Generator) -> None:
    x, b1 = rng.standard_normal((2, 3)), rng.standard_normal(5)
    w1 = rng.standard_normal((5, 3))
    rows = evaluate(Sequential([Dense("J")]).system(), {"x": x, "W1": w1, "b1": b1})
    columns = evaluate(Sequential([Dense("J", layout="in,out")]).system(), {"x": x, "W1": w1.T, "b1": b1})
    np.testing.assert_allclose(rows["y"], x @ w1.T + b1, rtol=1e-12)
    np.testing.assert_allclose(columns["y"], rows["y"], rtol=1e-12)


@pytest.mark.parametrize("kind", sorted(ACTIVATIONS))
def test_every_activation_is_its_function(kind: str, rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 0.9, (2, 3))
    found = evaluate(Sequential([Activation(kind)]).system(), {"x": x})["y"]
    expected = [[FUNCTIONS[kind].evaluate(float(value)) for value in row] for row in x]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_half_the_squared_error_is_summed_over_the_batch(rng: np.random.Generator) -> None:
    x, d = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    found = evaluate(Sequential([Activation("sin")], loss=HALF).system(), {"x": x, "d": d})["E"]
    np.testing.assert_allclose(found, ((np.sin(x) - d) ** 2).sum() / 2, rtol=1e-12)


def test_every_formula_of_the_catalogue_is_a_model() -> None:
    for kind, formulas in LAYERS.items():
        for formula in formulas:
            assert formula.kind == kind
            assert len(formula.system.with_role(Role.INPUT)) == 1
            assert formula.system.axes[0].name == "N"
            assert formula.system.loss is None
    for formula in LOSSES.values():
        assert formula.system.loss is not None
        assert len(formula.system.with_role(Role.TARGET)) == 1


def test_the_activations_of_the_language_are_there() -> None:
    assert {"sigmoid", "tanh", "relu", "softplus", "gelu", "silu", "sin", "exp"} <= set(ACTIVATIONS)
    assert not {"max", "min", "trigamma"} & set(ACTIVATIONS)


def test_names_go_on_in_deep_networks() -> None:
    system = Sequential([Dense(10, "relu") for _ in range(50)], loss=HALF).system()
    assert len(system.axes) == 52
    assert len(system.with_role(Role.PARAMETER)) == 100
    assert [axis.label for axis in system.axes][:8] == ["b", "i", "j", "k", "m", "n", "p", "q"]
    assert len({axis.label for axis in system.axes}) == 52
    assert system.definitions["z49"].reads == ("u49",)
    assert Sequential([Dense(10, "relu") for _ in range(50)], loss=HALF).system() == system


def test_an_axis_that_comes_again_gets_a_second_index() -> None:
    system = Sequential([Dense("H", "tanh"), Dense("H", "tanh"), Dense("I")], loss=HALF).system()
    assert [axis.name for axis in system.axes] == ["B", "I", "H"]
    assert [text(tensor.element) for tensor in system.with_role(Role.PARAMETER)] == [
        "W1[h,i]", "b1[h]", "W2[j,h]", "b2[j]", "W3[i,j]", "b3[i]"
    ]  # fmt: skip
    assert text(system.tensors["d"].element) == "d[b,i]"


def test_given_names_are_kept_clear_of_chosen_ones() -> None:
    network = Network(
        (Layer("dense", 3), Layer("tanh"), Layer("relu"), Layer("dense", "y_axis")),
        loss=HALF,
        input_name="W1",
        target_name="j",
        output_name="k",
        loss_name="z1",
    )
    system = network_system(network)
    assert system.loss == "z1"
    assert [tensor.name for tensor in system.with_role(Role.PARAMETER)] == ["W1_2", "b1", "W2", "b2"]
    assert {"z1_2", "z1_3"} <= set(system.definitions)
    assert text(system.tensors["j"].element) == "j[b,y]"
    assert [axis.name for axis in system.axes] == ["B", "I", "M", "y_axis"]


@pytest.mark.parametrize(("network", "path", "cause", "remedy"), [
    (Network(()), ("layer",), "no layers", "at least one"),
    (Network((Layer("dens", 3),)), ("layer", 0, "kind"), "no layer 'dens'", "'dense'"),
    (Network((Layer("dense"),)), ("layer", 0), "needs units", "units = 10"),
    (Network((Layer("relu"), Layer("tanh", 3))), ("layer", 1, "units"), "as many units", "leave"),
    (Network((Layer("dense", 3, "sideways"),)), ("layer", 0, "layout"), "no layout 'sideways'", "'in,out'"),
    (Network((Layer("relu", layout="in,out"),)), ("layer", 0, "layout"), "no layout", "leave the layout out"),
    (Network((Layer("dense", 3, None, "rleu"),)), ("layer", 0, "activation"), "no activation", "'relu'"),
    (Network((Layer("dense", 3, None, "dense"),)), ("layer", 0, "activation"), "no activation 'dense'", ""),
    (Network((Layer("dense", 0),)), ("layer", 0, "units"), "from 1", ""),
    (Network((Layer("dense", True),)), ("layer", 0, "units"), "from 1", ""),
    (Network((Layer("dense", 2.5),)), ("layer", 0, "units"), "from 1", ""),
    (Network((Layer("dense", "a b"),)), ("layer", 0, "units"), "not plain ASCII", ""),
    (Network((Layer("dense", "__class__"),)), ("layer", 0, "units"), "not a name", ""),
    (Network((Layer("dense", "sum"),)), ("layer", 0, "units"), "cannot be a name", ""),
    (Network((Layer("dense", "x"),)), ("layer", 0, "units"), "used twice", ""),
    (Network((Layer("relu"),), loss="mse"), ("loss", "kind"), "no loss 'mse'", HALF),
    (Network((Layer("relu"),), loss=HALF, target_name="x"), ("loss", "target"), "used twice", ""),
    (Network((Layer("relu"),), input_size=-1), ("input", "size"), "from 1", ""),
])  # fmt: skip
def test_what_does_not_fit_is_refused(
    network: Network, path: tuple[object, ...], cause: str, remedy: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        network_text(network)
    assert caught.value.path == path
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy
    assert isinstance(caught.value, LanguageError)


def test_a_stranger_among_the_layers_is_refused() -> None:
    with pytest.raises(LanguageError, match="a str is not a layer"):
        Sequential(["dense"])  # type: ignore[list-item]


def test_a_network_is_checked_when_it_is_made() -> None:
    with pytest.raises(LanguageError, match="needs units"):
        Sequential([Layer("dense")])
