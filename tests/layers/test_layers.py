"""Layered networks: their expansion into equations, names, and refusals."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from symbackprop.errors import LanguageError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue import ACTIVATIONS
from symbackprop.layers.expanding import network_system, network_text
from symbackprop.layers.loading import load_system
from symbackprop.layers.network import Layer, Network, NetworkError, OptionValue
from symbackprop.layers.options import ELEMENTWISE
from symbackprop.layers.sequential import Activation, Dense, Sequential
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

EXAMPLES = Path(__file__).parents[2] / "examples"
HALF = "half_squared_error"


def dense(units: OptionValue, activation: str | None = None, **options: OptionValue) -> Layer:
    return Layer("dense", {"units": units, **options}, activation)


def network(*layers: Layer, loss: str | None = None) -> Network:
    return Network(layers, loss=None if loss is None else Layer(loss))


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


@pytest.mark.parametrize("kind", sorted(ELEMENTWISE))
def test_every_activation_is_its_function(kind: str, rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 0.9, (2, 3))
    found = evaluate(Sequential([Activation(kind)]).system(), {"x": x})["y"]
    expected = [[FUNCTIONS[kind].evaluate(float(value)) for value in row] for row in x]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_half_the_squared_error_is_summed_over_the_batch(rng: np.random.Generator) -> None:
    x, d = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    found = evaluate(Sequential([Activation("sin")], loss=HALF).system(), {"x": x, "d": d})["E"]
    np.testing.assert_allclose(found, ((np.sin(x) - d) ** 2).sum() / 2, rtol=1e-12)


def test_the_activations_of_the_language_are_there() -> None:
    assert set(ELEMENTWISE) <= set(ACTIVATIONS)
    assert not {"max", "min", "trigamma", "dense", "flatten", "dropout", "elementwise"} & set(ACTIVATIONS)


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
        (dense(3), Layer("tanh"), Layer("relu"), dense("y_axis")),
        loss=Layer(HALF),
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


HIDDEN = Layer("dense", {"units": 3, "unit": 3})


@pytest.mark.parametrize(("wrong", "path", "cause", "remedy"), [
    (network(), ("layer",), "no layers", "at least one"),
    (network(Layer("dens")), ("layer", 0, "kind"), "no layer 'dens'", "'dense'"),
    (network(Layer(HALF)), ("layer", 0, "kind"), "is a loss", "the network's loss"),
    (network(Layer("dense")), ("layer", 0), "needs units", "units = 10"),
    (network(HIDDEN), ("layer", 0, "unit"), "no option 'unit'", "'units'"),
    (network(Layer("relu"), Layer("tanh", {"units": 3})), ("layer", 1, "units"), "no option", "leave it out"),
    (network(dense(3, layout="sideways")), ("layer", 0, "layout"), "'layout' cannot be", '"in,out"'),
    (network(dense(3, bias=1)), ("layer", 0, "bias"), "'bias' cannot be 1", "true or false"),
    (network(dense(3, "rleu")), ("layer", 0, "activation"), "no activation", "'relu'"),
    (network(dense(3, "dense")), ("layer", 0, "activation"), "no activation 'dense'", ""),
    (network(dense(0)), ("layer", 0, "units"), "cannot be 0", "from 1"),
    (network(dense(True)), ("layer", 0, "units"), "cannot be true", "from 1"),
    (network(dense(2.5)), ("layer", 0, "units"), "cannot be 2.5", "from 1"),
    (network(dense(10**12)), ("layer", 0, "units"), "cannot be 10", "from 1"),
    (network(dense("a b")), ("layer", 0, "units"), "cannot be a name", ""),
    (network(dense("__class__")), ("layer", 0, "units"), "not a name", ""),
    (network(dense("sum")), ("layer", 0, "units"), "cannot be a name", ""),
    (network(dense("x")), ("layer", 0, "units"), "used twice", ""),
    (network(Layer("relu"), loss="mse"), ("loss", "kind"), "no loss 'mse'", HALF),
    (Network((Layer("relu"),), loss=Layer(HALF), target_name="x"), ("loss", "target"), "used twice", ""),
    (Network((Layer("relu"),), input_sizes=(-1,)), ("input", "size"), "from 1", ""),
    (Network((Layer("relu"),), input_sizes=(2, 3)), ("input", "size"), "has 2 sizes", "name the input"),
    (Network((Layer("relu"),), input_axes=("I", "J"), input_sizes=(2,)), ("input", "size"), "J and 1", ""),
    (Network((dense(2),), input_axes=("I", "I")), ("input", "axis"), "used twice", ""),
])  # fmt: skip
def test_what_does_not_fit_is_refused(
    wrong: Network, path: tuple[object, ...], cause: str, remedy: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        network_text(wrong)
    assert caught.value.path == path
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy
    assert isinstance(caught.value, LanguageError)


def test_a_network_without_batch_and_without_bias() -> None:
    system = Sequential([Dense("J", "tanh", bias=False)], loss=HALF, batch=None).system()
    assert {tensor.name: text(tensor.element) for tensor in system.tensors.values()} == {
        "x": "x[i]", "d": "d[j]", "W1": "W1[j,i]", "u1": "u1[j]", "y": "y[j]", "E": "E"
    }  # fmt: skip
    assert text(system.definitions["E"].expression) == "1/2*sum(j, (y[j] - d[j])^2)"


def test_a_layer_takes_each_position_of_a_sequence() -> None:
    system = Sequential([Dense(2)], loss=HALF, axes=("T", "I"), inputs=(5, 3)).system()
    assert text(system.definitions["u1"].element) == "u1[b,t,j]"
    assert text(system.definitions["E"].expression) == "1/2*sum(b, t, j, (y[b,t,j] - d[b,t,j])^2)"
    assert {axis.name: axis.size for axis in system.axes} == {"B": None, "T": 5, "I": 3, "J": 2}


def test_a_stranger_among_the_layers_is_refused() -> None:
    with pytest.raises(LanguageError, match="a str is not a layer"):
        Sequential(["dense"])  # type: ignore[list-item]


def test_a_network_is_checked_when_it_is_made() -> None:
    with pytest.raises(LanguageError, match="needs units"):
        Sequential([Layer("dense")])
