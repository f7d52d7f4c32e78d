"""What a module computes, against the naive evaluator, its complex step, and HIPS autograd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

import symbackprop as sb
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import Add, Element
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System, Tensor
from tests.models.autograd_oracle import loss_and_gradients
from tests.models.whole_language.data import Draw

STEP = 1e-30
STEP_AT_A_TIE = 1e-170  # its square is 0, so that 0 stays 0; too small for functions of 60 digits
TOLERANCE = 1e-7
INFINITE = 1e12
NUDGE = "nudge"


class Failure(Exception):
    """What a module does otherwise than its equations; the message begins with the kind and a colon."""


class Slow(Exception):
    """More than so many seconds of processor time."""


def differences(
    system: System, values: dict[str, Array], draw: Draw, loss: float, gradients: Mapping[str, Array]
) -> list[str]:
    """What differs from the naive evaluator, in words that begin with "loss:" or "gradient:"."""
    assert system.loss is not None
    known = evaluate(system, values, draw.sizes)
    right = float(np.real(known[system.loss]))
    if not _close(loss, right, abs(right)):
        return [f"loss: {loss}, right {right}"]
    rng = np.random.default_rng(draw.seed + 1000)
    found = []
    for name, gradient in gradients.items():
        if gradient.shape != known[name].shape:
            return [f"gradient: d/d{name} has shape {gradient.shape}, right {known[name].shape}"]
        direction = rng.uniform(0.5, 1.5, gradient.shape) * rng.choice((-1, 1), gradient.shape)
        slope = directional(system, known, values, draw.sizes, name, direction)
        if not abs(slope) < INFINITE:
            continue
        scale = float(np.sum(np.abs(gradient))) if np.all(np.isfinite(gradient)) else abs(slope)
        got_slope = float(np.sum(gradient * direction))
        if not _close(got_slope, slope, scale):
            smaller = directional(system, known, values, draw.sizes, name, direction, STEP_AT_A_TIE)
            if _close(got_slope, smaller, scale):
                continue
            got = np.array2string(gradient, precision=8).replace("\n", "")
            right_one = np.array2string(_every_element(system, known, values, draw.sizes, name), precision=8)
            what = "gradient" if np.all(np.isfinite(gradient)) else "gradient not finite"
            found.append(f"{what}: d/d{name} = {got}, right " + right_one.replace("\n", ""))
    return found


def _close(got: float, right: float, scale: float) -> bool:
    return bool(abs(got - right) <= TOLERANCE * max(1.0, scale, abs(right)))


def directional(
    system: System,
    known: Mapping[str, Array],
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    name: str,
    direction: Array,
    step: float = STEP,
) -> float:
    """The slope of the loss where a tensor moves along a direction, by the complex step.

    A derived tensor is moved by a nudge that its equation adds.
    """
    assert system.loss is not None
    fixed = {each: array for each, array in known.items() if each not in system.dependents((name,))}
    if _differentiates(system):
        fixed = {}  # what is given does not move with an inner derivative
    if name in values:
        moved = {name: np.asarray(values[name] + 1j * step * direction)}
        given = {**values, **fixed, **moved}
    else:
        system = _with_nudge(system, name)
        given = {**values, **fixed, NUDGE: np.asarray(1j * step * direction)}
    try:
        loss = evaluate(system, given, sizes, only=[system.loss or ""])[system.loss or ""]
    except (ArithmeticError, ValueError, sb.VerificationError):
        return float("nan")
    return float(np.imag(loss)) / step


def _differentiates(system: System) -> bool:
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    return any(isinstance(node, InnerDerivative) for node in nodes)


def _every_element(
    system: System,
    known: Mapping[str, Array],
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    name: str,
) -> Array:
    gradient = np.zeros(known[name].shape)
    for place in np.ndindex(gradient.shape):
        direction = np.zeros(gradient.shape)
        direction[place] = 1.0
        gradient[place] = directional(system, known, values, sizes, name, direction)
    return gradient


def _with_nudge(system: System, name: str) -> System:
    equation = system.definitions[name]
    nudged = replace(equation, expression=Add((equation.expression, Element(NUDGE, equation.indices))))
    equations = tuple(nudged if each is equation else each for each in system.equations)
    declared = Tensor(NUDGE, equation.indices, Role.CONSTANT)
    return replace(system, equations=equations, tensors={**system.tensors, NUDGE: declared})


def moved_a_little(system: System, values: dict[str, Array], draw: Draw) -> dict[str, Array] | None:
    """The data a billionth away, where no tie holds any more; None where facts would break."""
    if system.facts or system.positive_definite:
        return None
    rng = np.random.default_rng(draw.seed + 2000)
    return {
        name: array if array.dtype.kind in "iu" else array + 1e-5 * rng.standard_normal(array.shape)
        for name, array in values.items()
    }


def autograd_agrees(
    system: System, values: dict[str, Array], draw: Draw, gradients: Mapping[str, Array]
) -> str:
    """Every element against autograd, which knows the `where`s at kinks that are written as such."""
    given = tuple(name for name in gradients if name in values)
    if draw.kind == "ties" or not given:
        return "right"
    try:
        with np.errstate(all="ignore"):
            _, others = loss_and_gradients(system, values, draw.sizes, given)
    except Slow:
        raise
    except Exception:
        return "right"  # a recurrence, an inner derivative, an empty axis: autograd's arrays cannot take it
    for name in given:
        other = others[name]
        scale = float(np.max(np.abs(other), initial=1.0))
        if np.all(np.isfinite(other)) and np.max(np.abs(gradients[name] - other), initial=0.0) > 1e-6 * scale:
            raise Failure(f"autograd differs: d/d{name} = {gradients[name]}, autograd {other}")
    return "right by autograd too"
