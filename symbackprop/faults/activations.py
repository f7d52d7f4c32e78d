"""The derivatives of the activations, in terms of one value each.

Nothing is stated here: a model of each function is derived, and its program read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from symbackprop.array.ir import Read
from symbackprop.array.value import Value, rewrite_values
from symbackprop.derivation.driver import derive
from symbackprop.faults.planting import factors_of, names_in, product_of
from symbackprop.functions.record import Domain
from symbackprop.functions.table import FUNCTIONS
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower

_MODEL = """
index i : I
param u[i]
const d[i]
z[i] = {}(u[i])
loss E = sum(i, d[i]*z[i])
"""


@cache
def derivatives() -> Mapping[str, Value]:
    """By the name of each activation that is defined everywhere: its derivative, which reads one array.

    One that reads the function's argument and its value both is left out.
    """
    names = [each.name for each in FUNCTIONS.values() if each.title and each.domain is Domain.REALS]
    found = {name: _derivative(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def at_value(derivative: Value, read: Value) -> Value:
    """The derivative as a function of another array."""
    return rewrite_values(derivative, lambda node: read if isinstance(node, Read) else node)


def _derivative(function: str) -> Value | None:
    """f' in the program that computes d*f'(u)."""
    program = lower(derive(parse_system(_MODEL.format(function), function)))
    line = program.by_name.get(program.gradients["u"])
    if line is None:
        return None
    factors = [each for each in factors_of(line.value) if names_in(each) != {"d"}]
    return product_of(factors) if len({name for each in factors for name in names_in(each)}) == 1 else None
