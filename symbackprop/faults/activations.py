"""The derivatives of the activations as a target writes them, in terms of one value each.

Nothing is stated here: a model of each function is derived, and its module read.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache

from symbackprop.derivation.driver import derive
from symbackprop.emission.target import Target
from symbackprop.faults.planting import (
    GradientCode,
    factors_of,
    names_in,
    product_of,
    replaced,
)
from symbackprop.functions.elementary import FUNCTIONS
from symbackprop.functions.record import Domain
from symbackprop.language.model import parse_system

VALUE = "z"  # what the derivatives are functions of
_MODEL = """
index i : I
param u[i]
const d[i]
z[i] = {}(u[i])
loss E = sum(i, d[i]*z[i])
"""


@cache
def derivatives_by_call(target: Target) -> Mapping[str, ast.expr]:
    """By what the target's code calls: the derivative of each activation that is defined everywhere.

    One that reads the function's argument and its value both is left out.
    """
    found: dict[str, ast.expr] = {}
    for name, call in target.calls.items():
        function = FUNCTIONS.get(name)
        if function is not None and function.title and function.domain is Domain.REALS:
            derivative = _derivative(name, target)
            if derivative is not None:
                found[call] = derivative
    return found


def _derivative(function: str, target: Target) -> ast.expr | None:
    """f' in the names of a module that computes d*f'(u), with `VALUE` for the one that it reads."""
    module = target.emitted(derive(parse_system(_MODEL.format(function), function)))
    code = GradientCode(module.text, target)
    factors = [each for each in factors_of(_gradient(code)) if not _is_named(each, "d")]
    names = {name for each in factors for name in names_in(each)} - {*target.calls.values()}
    if len(names) != 1 or not names <= {"u", "z"}:
        return None

    def read(node: ast.expr) -> ast.expr | None:
        return ast.Name(VALUE) if isinstance(node, ast.Name) and node.id in names else None

    return replaced(product_of(factors), read)


def _gradient(code: GradientCode) -> ast.expr:
    """The expression of the only gradient; its name where it is not assigned as a whole."""
    assigned: dict[str, ast.expr] = {}
    for statement in ast.walk(code.gradients):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            assigned[statement.targets[0].id] = statement.value
    gradients = assigned["grads"]
    assert isinstance(gradients, ast.Dict)
    (gradient,) = gradients.values
    return assigned.get(gradient.id, gradient) if isinstance(gradient, ast.Name) else gradient


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
