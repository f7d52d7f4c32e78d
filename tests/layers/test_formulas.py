"""Every layer and loss alone: its value against a reference, each step to its gradient on random data."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace as Namespace

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.layers.catalogue import CATALOGUE, LAYERS, LOSSES
from symbackprop.layers.expanding import network_system
from symbackprop.layers.network import Layer
from symbackprop.layers.sequential import Sequential, layer_class
from symbackprop.layers.toml_file import parse_toml
from symbackprop.numerics.differences import complex_step
from symbackprop.semantics.evaluation import evaluate, sizes_from_arrays
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Role, System
from tests.layers import references
from tests.layers.cases import LARGER_CASES, LAYER_CASES, LOSS_CASES, Case, random_values, target
from tests.models.step_checker import check_every_step

each_layer = pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
each_loss = pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.label)


def loss_system(case: Case) -> System:
    """The loss behind a layer that changes nothing but the size of what it gets."""
    network = case.network(loss=Layer(case.kind, case.options))
    return network_system(dataclasses.replace(network, layers=(Layer("tanh"),)))


def test_every_layer_and_loss_has_a_case_and_a_reference() -> None:
    functions = {kind for kind, formula in LAYERS.items() if "function" in formula.presets}
    assert {case.kind for case in LAYER_CASES} == set(LAYERS) - functions == set(references.LAYERS)
    assert {case.kind for case in LOSS_CASES} == set(LOSSES) == set(references.LOSSES)


@pytest.mark.parametrize("case", LAYER_CASES + LARGER_CASES, ids=lambda case: case.label)
def test_a_layer_computes_what_its_reference_computes(case: Case) -> None:
    system = network_system(case.network(loss=None))
    values = random_values(system)
    given = Namespace(**{name.rstrip("01"): array for name, array in values.items()})
    expected = references.LAYERS[case.kind](values["x"], given, case.namespace)
    found = evaluate(system, values)["y"]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@each_loss
def test_a_loss_computes_what_its_reference_computes(case: Case) -> None:
    system = loss_system(case)
    values = random_values(system)
    values["d"] = target(case.kind, values["x"].shape)
    each = references.LOSSES[case.kind](np.tanh(values["x"]), values["d"], case.namespace)
    average = getattr(case.namespace, "average", False)
    np.testing.assert_allclose(
        evaluate(system, values)["E"], each.mean() if average else each.sum(), rtol=1e-12
    )


@each_layer
def test_each_step_to_the_gradient_of_a_layer(case: Case) -> None:
    system = network_system(case.network())
    values = random_values(system, case.batch)
    wrt = [tensor.name for tensor in system.with_role(Role.PARAMETER)]
    wrt += [] if system.tensors["x"].values is not None else ["x"]
    assert_gradient(system, values, wrt)


@each_loss
def test_each_step_to_the_gradient_of_a_loss(case: Case) -> None:
    system = loss_system(case)
    values = random_values(system)
    values["d"] = target(case.kind, values["x"].shape)
    assert_gradient(system, values, ["x"])


def assert_gradient(system: System, values: dict[str, np.ndarray], wrt: list[str]) -> None:
    """Every step of the derivation keeps its value, and the result is the gradient."""
    derivation = derive(system, wrt)
    # The checker varies each tensor on its own, which one that reads itself at another step does not allow.
    if not any(stage.recurrence for stage in stages_of(system.equations)):
        assert check_every_step(derivation, values, sizes_from_arrays(system, values)) > 0
    assert_gradient_alone(system, derivation, values)


def assert_gradient_alone(system: System, derivation: Derivation, values: dict[str, np.ndarray]) -> None:
    sizes = sizes_from_arrays(system, values)
    together = dataclasses.replace(system, equations=(*system.equations, *derivation.equations))
    found = evaluate(together, values, sizes)
    for name, equation in derivation.gradients.items():
        expected = complex_step(lambda point: evaluate(system, point, sizes, only=["E"])["E"], values, name)
        np.testing.assert_allclose(found[equation.tensor], expected, rtol=1e-9, atol=1e-10, err_msg=name)


STACKS = {
    "convolutional": Sequential(
        [sb.Conv2d(2, 2, "tanh"), sb.MaxPool2d(2), sb.Flatten(), sb.Dense(3)],
        loss="integer_cross_entropy",
        inputs=(1, 5, 3),
    ),
    "recurrent": Sequential(
        [sb.LSTM(2), sb.LastStep(), sb.Dense(3)], loss=sb.CrossEntropy(average=True), inputs=(3, 1)
    ),
    "language model": Sequential(
        [sb.Embedding(3, 2), sb.PositionalEmbedding(), sb.TransformerBlock(1, 2, 1), sb.Dense(3)],
        loss="integer_cross_entropy",
        inputs=2,
    ),
    "masked": Sequential(
        [sb.Dense(2, "relu"), sb.Dropout(0.5), sb.SwiGLU(3)], loss="huber", inputs=3, batch=None
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKS)
def test_the_gradient_of_a_stack_is_that_of_the_complex_step(name: str) -> None:
    system = STACKS[name].system()
    values = random_values(system)
    if system.tensors["d"].values is None:
        values["d"] = target("cross_entropy", values["d"].shape)
    wrt = [tensor.name for tensor in system.with_role(Role.PARAMETER)]
    assert_gradient_alone(system, derive(system, wrt), values)


@each_layer
def test_toml_and_python_give_the_same_system(case: Case) -> None:
    axes = f"axis = {list(case.axes)}\n" if case.axes else ""
    options = "".join(f"{key} = {json.dumps(value)}\n" for key, value in case.options.items())
    toml = (
        f"[input]\nsize = {list(case.sizes)}\n{axes}"
        f"[[layer]]\nkind = '{case.kind}'\n{options}[loss]\nkind = 'half_squared_error'\n"
    )
    layer = layer_class(CATALOGUE[case.kind].python)(**case.options)
    assert (
        parse_toml(toml)
        == Sequential([layer], loss="half_squared_error", inputs=case.sizes, axes=case.axes).system()
    )


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_a_formula_says_what_it_is(kind: str) -> None:
    formula = CATALOGUE[kind]
    assert formula.title and formula.description and formula.shapes and formula.source
    assert formula.shapes.endswith(".") and formula.source.endswith(".")
    for option in formula.options:
        assert option.description, option.name
