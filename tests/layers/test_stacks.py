"""Layers on one another: axes and sizes go through, and what does not fit is refused at its place."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import LanguageError
from symbackprop.layers.expanding import network_system, network_text
from symbackprop.layers.network import Layer, Network, NetworkError, OptionValue
from symbackprop.layers.sequential import Sequential
from symbackprop.systems.printing import text


def layer(kind: str, **options: OptionValue) -> Layer:
    return Layer(kind, options)


def network(*layers: Layer, sizes: tuple[int, ...] = (), axes: tuple[str, ...] = ()) -> Network:
    return Network(layers, input_sizes=sizes, input_axes=axes)


def test_a_convolutional_network() -> None:
    network = Sequential(
        [
            sb.Conv2d(8, 3, "relu", padding=1),
            sb.MaxPool2d(2),
            sb.Conv2d(16, 3, "relu"),
            sb.Flatten(),
            sb.Dense(10),
        ],
        loss="integer_cross_entropy",
        inputs=(1, 8, 8),
    )
    system = network.system()
    shapes = {
        tensor.name: [index.axis.size for index in tensor.indices] for tensor in system.tensors.values()
    }
    assert shapes["W1"] == [8, 1, 3, 3]
    assert shapes["z1"] == [None, 8, 8, 8]
    assert shapes["W2"] == [16, 8, 3, 3]
    assert shapes["u2"] == [None, 16, 2, 2]
    assert shapes["W3"] == [10, 64]
    assert text(system.tensors["d"].element) == "d[b]"
    assert system.tensors["d"].values == system.tensors["y"].indices[-1].axis


def test_a_language_model() -> None:
    network = Sequential(
        [
            sb.Embedding("V", 16),
            sb.PositionalEmbedding(),
            sb.TransformerBlock(heads=2, units=8, hidden=32),
            sb.TransformerBlock(heads=2, units=8, hidden=32),
            sb.LayerNorm(),
            sb.Dense("V"),
        ],
        loss=sb.IntegerCrossEntropy(average=True),
        axes="T",
    )
    system = network.system()
    assert text(system.tensors["x"].element) == "x[b,t]"
    assert system.tensors["x"].values is not None and system.tensors["x"].values.name == "V"
    assert text(system.tensors["y"].element) == "y[b,t,v]"
    assert text(system.tensors["d"].element) == "d[b,t]"
    assert {"W_q3", "W_q4", "gamma5", "b6"} <= set(system.tensors)


def test_a_recurrent_classifier() -> None:
    system = Sequential(
        [sb.LSTM(7), sb.LastStep(), sb.Dense(3)], loss="cross_entropy", inputs=(8, 5)
    ).system()
    assert text(system.tensors["h1"].element) == "h1[b,t,j]"
    assert text(system.definitions["y1"].expression) == "h1[b,size(t) - 1,j]"
    assert len(system.facts) == 1


def test_masks_are_inputs_of_their_own() -> None:
    system = Sequential([sb.Dense(3, "relu"), sb.Dropout(0.5), sb.Dense(2), sb.Dropout()]).system()
    given = [text(tensor.element) for tensor in system.tensors.values() if tensor.role.value == "input"]
    assert given == ["x[b,i]", "mask1[b,j]", "mask2[b,k]"]


def test_an_input_takes_the_axes_that_its_first_layer_reads() -> None:
    for first, shown in (
        (layer("conv2d", units=2, kernel=1), "x[b,c,i,j]"),
        (layer("rnn", units=2), "x[b,t,i]"),
    ):
        sizes = (3,) * (shown.count(","))
        assert text(network_system(network(first, sizes=sizes)).tensors["x"].element) == shown


CONV = layer("conv2d", units=4, kernel=3)
LSTM = layer("lstm", units=4)
EMBEDDING = layer("embedding", vocabulary=7, units=3)


def test_sizes_follow_from_those_of_an_input_that_is_not_known() -> None:
    stack = network(CONV, layer("max_pool2d", kernel=2), layer("flatten"), layer("group_norm2d", groups=2))
    lines = network_text(network(*stack.layers[:3])).splitlines()
    assert "index p : P = I - 2" in lines and "index q : Q = J - 2" in lines
    assert "index n : N = floor((P - 2)/2) + 1" in lines
    assert any(line.endswith(" = O*N*T") for line in lines)
    assert "index q : Q = C/2" in network_text(network(stack.layers[3])).splitlines()


def grouped(units: OptionValue) -> Layer:
    return layer("conv1d", units=units, kernel=1, groups=2)


@pytest.mark.parametrize(("wrong", "path", "cause", "remedy"), [
    (network(CONV, sizes=(3, 2, 9)), ("layer", 0), "does not fit its input: it would have 0 values of p", ""),
    (network(CONV, CONV, sizes=(1, 5, 4)), ("layer", 1), "0 values of q", "size of what comes before"),
    (network(CONV, axes=("I",), sizes=(4,)), ("layer", 0), "reads [...,c,i,j], and x[b,i]", "axes"),
    (network(layer("dense", units=3), LSTM), ("layer", 1), "reads [...,t,e], and u1[b,j] comes", "batch"),
    (network(layer("dense", units=3), EMBEDDING), ("layer", 1), "reads whole numbers, and u1[b,j]", "first"),
    (network(layer("batch_norm"), axes=("T", "I")), ("layer", 0), "reads [n,i], and x[b,t,i] comes", "axes"),
    (network(layer("group_norm2d", groups=2), sizes=(3, 4, 5)), ("layer", 0), "have 3/2 values of q", ""),
    (network(grouped("K"), sizes=(2, 3)), ("layer", 0), "need a number", "units"),
    (network(grouped(3), sizes=(2, 3)), ("layer", 0), "have 3/2 values of e", "options"),
    (network(layer("conv2d", units=3)), ("layer", 0), "needs kernel", "kernel = 3"),
    (network(layer("conv2d", units=3, kernel="K")), ("layer", 0, "kernel"), 'cannot be "K"', "whole"),
    (network(layer("glu", units=3, gate="sin_")), ("layer", 0, "gate"), 'cannot be "sin_"', "element-wise"),
    (network(layer("swiglu", units=3, gate="relu")), ("layer", 0, "gate"), "no option 'gate'", "there are"),
    (network(layer("dropout", keep=0.0)), ("layer", 0, "keep"), "cannot be 0.0", "above 0"),
    (network(layer("flatten", axes=4)), ("layer", 0, "axes"), "cannot be 4", "3 or 2"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(
    wrong: Network, path: tuple[object, ...], cause: str, remedy: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        network_text(wrong)
    assert caught.value.path == path
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


def test_python_names_take_options_by_position_and_by_name() -> None:
    assert sb.Conv2d(8, 3, "relu", 2) == sb.Conv2d(units=8, kernel=3, activation="relu", stride=2)
    assert sb.Conv2d(8, 3).options == {"units": 8, "kernel": 3}
    assert sb.Dense.__doc__ is not None and "Rumelhart" in sb.Dense.__doc__
    with pytest.raises(LanguageError) as caught:
        sb.Conv2d(8, 3, strides=2)
    assert "strides" in caught.value.cause and "'stride'" in caught.value.remedy
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        sb.layers.sequential.Nonsense  # noqa: B018
