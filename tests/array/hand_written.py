"""Derivations written by hand: a model's text whose last equations are the adjoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.derivation.result import AdjointDerivation, Derivation, Expansion
from symbackprop.language.model import parse_system
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Number
from symbackprop.schedule.named_equations import Origin
from symbackprop.systems.system import Equation, System

SEED = """
index b : B
index i : I
index j : J
index k : K
input  x[b,i]
target d[b,k]
param  W1[j,i], b1[j], W2[k,j], b2[k]
u1[b,j] = sum(i, W1[j,i]*x[b,i]) + b1[j]
z1[b,j] = sigmoid(u1[b,j])
u2[b,k] = sum(j, W2[k,j]*z1[b,j]) + b2[k]
y[b,k]  = u2[b,k]
loss E  = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)
"""
SEED_ADJOINTS = """
delta2[b,k] = y[b,k] - d[b,k]
grad_W2[k,j] = sum(b, delta2[b,k]*z1[b,j])
grad_b2[k] = sum(b, delta2[b,k])
delta1[b,j] = sum(k, delta2[b,k]*W2[k,j])*z1[b,j]*(1 - z1[b,j])
grad_W1[j,i] = sum(b, delta1[b,j]*x[b,i])
grad_b1[j] = sum(b, delta1[b,j])
"""
SEED_TENSORS = {
    "delta2": "u2",
    "grad_W2": "W2",
    "grad_b2": "b2",
    "delta1": "u1",
    "grad_W1": "W1",
    "grad_b1": "b1",
}

# What the lines of a program that no equation stands behind are computed for.
_NOTHING = Equation("y", (), Number(0))
BY_HAND = Origin(_NOTHING, _NOTHING)


def derivation_by_hand(
    model: str, adjoints: str, tensors: Mapping[str, str], wrt: tuple[str, ...]
) -> Derivation:
    """A derivation by its adjoint equations; `tensors` maps each to the tensor that it is the adjoint of."""
    whole = parse_system(model + adjoints, "by_hand")
    equations = tuple(equation for equation in whole.equations if equation.tensor not in tensors)
    system = replace(
        whole,
        equations=equations,
        tensors={name: tensor for name, tensor in whole.tensors.items() if name not in tensors},
    )
    found = [whole.definitions[name] for name in tensors]
    return Derivation(
        system,
        wrt,
        tuple(
            AdjointDerivation(tensors[item.tensor], _total(system, tensors[item.tensor]), (), (), item, True)
            for item in found
        ),
        Expansion(system, system),
        system,
    )


def _total(system: System, tensor: str) -> Derivative:
    return Derivative(Element(system.loss or ""), system.tensors[tensor].element, total=True)


def seed() -> Derivation:
    return derivation_by_hand(SEED, SEED_ADJOINTS, SEED_TENSORS, ("W1", "b1", "W2", "b2"))
