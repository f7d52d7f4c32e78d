"""The generated modules as a contender of a harness that times loss and gradients of fixed workloads.

The harness loads this file by its path, calls `setup(workload, inputs)` once, and times the function that it
returns. Workloads are named `W1-32`: a family, and what varies in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from symbackprop.pipeline import Model, load, loads  # noqa: E402 (a file loaded by its path has no package)

Arrays = Mapping[str, Any]
Step = Callable[[Arrays], tuple[Any, Arrays]]

# The model of a family, the inputs that are no parameters, and what is asked for beside the parameters.
FAMILIES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "W1": ("mlp_square", ("x", "d"), ()),
    "W2": ("mlp_softmax", ("x", "d"), ()),
    "W3": ("small_net", ("x", "d"), ()),
    "W4": ("deep", ("x", "d"), ()),
    "W5": ("gelu_block", ("x", "d"), ("x",)),
    "W6": ("attention", ("x", "d"), ("x",)),
    "W7": ("lenet", ("x", "d"), ()),
    "W8": ("lstm", ("x", "d"), ()),
}
DEPTH = 50


def deep_model(depth: int) -> str:
    """W4: so many dense layers with tanh, one width throughout, half the squared error."""
    layers = "\n".join(
        f"z{n}[n,{j}] = tanh(sum({i}, {f'z{n - 1}' if n else 'x'}[n,{i}]*W{n}[{i},{j}]) + b{n}[{j}])"
        for n, (i, j) in ((n, ("i", "j") if n % 2 == 0 else ("j", "i")) for n in range(depth))
    )
    parameters = ", ".join(f"W{n}[i,j], b{n}[j]" for n in range(depth))
    last = f"z{depth - 1}[n,i]"
    return (
        f"index n : N\nindex i, j : I\ninput x[n,i]\ntarget d[n,i]\nparam {parameters}\n{layers}\n"
        f"loss E = sum(n, i, ({last} - d[n,i])^2)/(2*size(n))\n"
    )


def model_of(family: str) -> Model:
    """The model that states a family of workloads."""
    name = FAMILIES[family][0]
    return loads(deep_model(DEPTH), name) if name == "deep" else load(FOLDER / f"{name}.model")


def setup(workload: str, inputs: Arrays) -> Step:
    """Generate the module; the step reads the arrays, and their shapes, anew at each call."""
    family, _, variant = workload.partition("-")
    if family not in FAMILIES:
        raise NotImplementedError(f"{family} is no gradient")
    _, given, also = FAMILIES[family]
    model = model_of(family)
    names = [name for name in inputs if name not in given]
    module = model.derive(wrt=[*names, *also]).module(verify=False, fast=True)
    workspace = module.workspace()
    heads = int(variant) if family == "W6" else 0

    def step(arrays: Arrays) -> tuple[Any, Arrays]:
        params = {name: arrays[name] for name in names}
        if heads:  # the same numbers, heads and their features apart
            params = {name: _by_heads(name, array, heads) for name, array in params.items()}
        given_arrays = [arrays[name] for name in given]
        loss, gradients = module.value_and_grad(params, *given_arrays, workspace=workspace)
        return loss, {name: array.reshape(arrays[name].shape) for name, array in gradients.items()}

    return step


def _by_heads(name: str, array: Any, heads: int) -> Any:
    rows, columns = array.shape
    split = (heads, rows // heads, columns) if name == "Wo" else (rows, heads, columns // heads)
    return array.reshape(split)


def function(inputs: Arrays) -> tuple[Any, Arrays]:
    """Not timed: the harness takes the step that `setup` returns."""
    raise NotImplementedError
