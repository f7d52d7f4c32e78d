"""Modules generated from a text, and what stands in them."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.systems.system import Role, System
from tests.programs import lower_system, numpy_source


def forward_module(text: str, name: str = "model") -> ModuleType:
    """The module of a model without gradients."""
    return load_module(numpy_source(lower_system(parse_system(text, name))), name)


def forward_statements(text: str) -> list[str]:
    """The assignments of `_forward`, without what is read from arrays first."""
    return assignments(numpy_source(lower_system(parse_system(text))), "_forward")


def gradient_source(text: str, wrt: list[str] | None = None) -> str:
    return loads(text).derive(wrt).to_numpy()


def gradient_module(text: str, wrt: list[str] | None = None) -> ModuleType:
    return load_module(gradient_source(text, wrt), "model")


def assignments(source: str, function: str) -> list[str]:
    """The statements of a function that compute something, as they are printed."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            found = [item for item in ast.walk(node) if isinstance(item, ast.Assign)]
            texts = ["\n".join(lines[item.lineno - 1 : item.end_lineno]).strip() for item in found]
            return [text for text in texts if "tensors" not in text and ".shape" not in text]
    raise AssertionError(f"no function {function}")


def draw(
    system: System, sizes: dict[str, int], dtype: type[np.floating[Any]] = np.float64, seed: int = 0
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Parameters, and the other declared tensors, from a standard normal distribution."""
    rng = np.random.default_rng(seed)
    params, others = {}, {}
    for tensor in system.with_role(Role.PARAMETER, Role.INPUT, Role.TARGET, Role.CONSTANT):
        array = rng.normal(size=[sizes[index.axis.name] for index in tensor.indices]).astype(dtype)
        (params if tensor.role is Role.PARAMETER else others)[tensor.name] = array
    return params, others
