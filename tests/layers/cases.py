"""Small networks of one layer or loss each, with random data: what the tests of the catalogue go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace as Namespace
from typing import Any

import numpy as np

from symbackprop.layers.catalogue import CATALOGUE
from symbackprop.layers.catalogue_lookup import chosen_options
from symbackprop.layers.network import Layer, Network, OptionValue
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System

BATCH = 2


@dataclass(frozen=True)
class Case:
    """A layer with its options, behind an input of these sizes; a batch of 1 where a layer has many axes."""

    kind: str
    sizes: tuple[int, ...]
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    axes: tuple[str, ...] = ()
    batch: int = BATCH

    @property
    def label(self) -> str:
        return "-".join([self.kind, *(f"{name}={value}" for name, value in self.options.items())])

    @property
    def namespace(self) -> Namespace:
        """All options, those by default included."""
        formula = CATALOGUE[self.kind]
        return Namespace(**chosen_options(formula, self.options, ()), **formula.presets)

    def network(self, **more: Any) -> Network:
        """The layer in front of half the squared error."""
        return Network(
            (Layer(self.kind, self.options),),
            **{
                "loss": Layer("half_squared_error"),
                "input_sizes": self.sizes,
                "input_axes": self.axes,
                **more,
            },
        )


LAYER_CASES = [
    Case("dense", (3,), {"units": 4}),
    Case("dense", (3, 2), {"units": 1, "layout": "in,out", "bias": False}, ("T", "I")),
    Case("elementwise", (3, 2), {"function": "sin"}, ("T", "I")),
    Case("leaky_relu", (5,), {"slope": 0.2}),
    Case("prelu", (5,)),
    Case("elu", (3, 2), {"alpha": 1.5}, ("T", "I")),
    Case("selu", (5,)),
    Case("swish", (5,)),
    Case("softsign", (5,)),
    Case("softmax", (3,)),
    Case("log_softmax", (1, 3), axes=("T", "K")),
    Case("dropout", (5,), {"keep": 0.75}),
    Case("batch_norm", (3,), {"eps": 0.1}),
    Case("batch_norm2d", (2, 1, 3)),
    Case("instance_norm2d", (2, 1, 3)),
    Case("group_norm2d", (4, 1, 2), {"groups": 2}),
    Case("layer_norm", (3,)),
    Case("layer_norm", (1, 3), {"affine": False}, ("T", "I")),
    Case("rms_norm", (3,), {"eps": 0.5}),
    Case("attention", (3, 2), {"units": 1}),
    Case("attention", (3, 1), {"units": 2, "causal": True}),
    Case("multi_head_attention", (2, 1), {"heads": 2, "units": 3}),
    Case("multi_head_attention", (3, 1), {"heads": 2, "units": 1, "causal": True}),
    Case("grouped_query_attention", (2, 1), {"groups": 1, "heads": 2, "units": 1}),
    Case("windowed_attention", (2, 2, 1), {"heads": 1, "units": 1, "window": 2}, batch=1),
    Case("transformer_block", (2, 3), {"heads": 2, "units": 1, "hidden": 1}),
    Case("glu", (3,), {"units": 2}),
    Case("glu", (3,), {"units": 2, "bias": False}),
    Case("reglu", (3,), {"units": 4}),
    Case("geglu", (3,), {"units": 1}),
    Case("swiglu", (3,), {"units": 2}),
    Case("highway", (3,)),
    Case("residual_block", (3,), {"hidden": 2}),
    Case("conv1d", (3, 4), {"units": 1, "kernel": 3}),
    Case("conv1d", (1, 6), {"units": 2, "kernel": 3, "stride": 2, "padding": 1}),
    Case("conv1d", (1, 3), {"units": 1, "kernel": 2, "padding": 3, "dilation": 3, "bias": False}),
    Case("conv1d", (4, 2), {"units": 2, "kernel": 3, "padding": 1, "groups": 2}),
    Case("conv1d", (1, 1), {"units": 1, "kernel": 1}),
    Case("conv2d", (1, 3, 4), {"units": 2, "kernel": 3}),
    Case("conv2d", (1, 4, 3), {"units": 2, "kernel": 2, "stride": 2, "padding": 1}),
    Case("conv2d", (2, 2, 3), {"units": 2, "kernel": 2, "groups": 2, "bias": False}),
    Case("depthwise_conv2d", (2, 3, 2), {"kernel": 3, "padding": 1, "stride": 2}),
    Case("transposed_conv1d", (3, 2), {"units": 1, "kernel": 3, "stride": 2}),
    Case("transposed_conv2d", (2, 1, 2), {"units": 1, "kernel": 3, "stride": 2, "padding": 1}),
    Case("max_pool1d", (3, 5), {"kernel": 2}),
    Case("max_pool2d", (1, 5, 3), {"kernel": 3, "stride": 2}),
    Case("average_pool1d", (2, 5), {"kernel": 3, "stride": 2}),
    Case("average_pool2d", (1, 5, 2), {"kernel": 2}),
    Case("global_average_pool2d", (3, 1, 2)),
    Case("patch_embedding", (1, 2, 4), {"units": 3, "kernel": 2}),
    Case("pixel_shuffle", (4, 1, 3), {"factor": 2}),
    Case("pixel_unshuffle", (1, 2, 6), {"factor": 2}),
    Case("embedding", (4,), {"vocabulary": 3, "units": 2}),
    Case("embedding_bag", (4,), {"vocabulary": 3, "units": 2}),
    Case("positional_embedding", (4, 3)),
    Case("sinusoidal_positions", (2, 3)),
    Case("flatten", (2, 1, 3)),
    Case("flatten", (3, 2), {"axes": 2}),
    Case("last_step", (4, 3)),
    Case("mean_step", (4, 3)),
    Case("rnn", (4, 1), {"units": 2}),
    Case("lstm", (3, 1), {"units": 2}),
    Case("lstm", (1, 3), {"units": 2}),
    Case("gru", (3, 1), {"units": 2}),
]

# Whose values alone are compared.
LARGER_CASES = [
    Case("grouped_query_attention", (3, 2), {"groups": 2, "heads": 3, "units": 4, "causal": False}),
    Case("windowed_attention", (6, 3, 2), {"heads": 2, "units": 4, "window": 3}),
    Case("patch_embedding", (2, 6, 3), {"units": 2, "kernel": 3}),
    Case("pixel_shuffle", (18, 2, 1), {"factor": 3}),
    Case("pixel_unshuffle", (2, 6, 3), {"factor": 3}),
]

LOSS_CASES = [
    Case("half_squared_error", (3,)),
    Case("squared_error", (3,)),
    Case("mean_squared_error", (3,)),
    Case("absolute_error", (3,), {"average": True}),
    Case("huber", (5,), {"threshold": 0.7}),
    Case("log_cosh", (3,)),
    Case("cross_entropy", (3,)),
    Case("cross_entropy", (3,), {"average": True}),
    Case("integer_cross_entropy", (5,)),
    Case("binary_cross_entropy", (3,)),
    Case("kl_divergence", (3,)),
    Case("hinge", (3,)),
    Case("squared_hinge", (3,), {"average": True}),
    Case("multiclass_hinge", (5,)),
    Case("poisson", (3,)),
]


def random_values(system: System, batch: int = BATCH) -> dict[str, Array]:
    """Random arrays for all that is given to a system: whole numbers, a mask of 0 and 1."""
    rng = np.random.default_rng(11)
    values: dict[str, Array] = {}
    for tensor in system.tensors.values():
        if tensor.role is Role.DERIVED:
            continue
        shape = tuple(index.axis.size or batch for index in tensor.indices)
        if tensor.values is not None:
            values[tensor.name] = rng.integers(0, tensor.values.size or 0, shape)
        elif tensor.name.startswith("mask"):
            values[tensor.name] = rng.integers(0, 2, shape).astype(float)
        else:
            values[tensor.name] = rng.standard_normal(shape)
    return values


def target(kind: str, shape: tuple[int, ...]) -> Array:
    """A random target of the kind that a loss compares with."""
    rng = np.random.default_rng(12)
    match kind:
        case "integer_cross_entropy":
            return rng.integers(0, shape[-1], shape[:-1])
        case "cross_entropy" | "kl_divergence":
            return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        case "multiclass_hinge":
            return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
        case "binary_cross_entropy":
            return rng.uniform(0, 1, shape)
        case "hinge" | "squared_hinge":
            return rng.choice([-1.0, 1.0], shape)
        case "poisson":
            return rng.integers(0, 9, shape).astype(float)
    return rng.standard_normal(shape)
