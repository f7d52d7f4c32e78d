"""Reverse accumulation as it stands in the textbook, before any simplification, worked out in numbers.

    dE/dt[q] = sum over the equations w that read t of sum(o, dE/dw[o] * dw[o]/dt[q])

with the local derivatives as differentiation leaves them: Kronecker deltas, `where`s and all. What became of
it by simplifying, naming, inlining and lowering must have the same value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.derivation.result import AdjointDerivation, Derivation, LocalDerivative
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.semantics.array_numbers import DOUBLE, ArrayNumbers
from symbackprop.semantics.systems import at_steps, undefined_is_silent, unfilled
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.stability.roots import with_unit_vectors
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Stage, computations, selection
from symbackprop.systems.system import Equation

Array: TypeAlias = NDArray[Any]

LEAST = 1e-300


def unsimplified_adjoints(
    derivation: Derivation,
    known: Mapping[str, Array],
    sizes: Mapping[str, int],
    numbers: ArrayNumbers = DOUBLE,
    chain_rule: Mapping[str, Equation] | None = None,
    as_ieee: bool = False,
) -> dict[str, Array]:
    """dE/dt of each tensor that the derivation has an adjoint for, by the chain rule as it was written first.

    `known` are the values of all tensors of the derivation's system, `numbers` those that are computed with.
    `chain_rule` is the derivation's `chain_rule_of`, for those who ask again and again. An infinite adjoint
    times 0 is 0 or, `as_ieee`, no number, as it is in a program.
    """
    equations = chain_rule_of(derivation) if chain_rule is None else chain_rule
    with undefined_is_silent():
        return _evaluated(derivation, equations, known, sizes, numbers=numbers, as_ieee=as_ieee)


def undefined_adjoints(
    derivation: Derivation,
    known: Mapping[str, Array],
    sizes: Mapping[str, int],
    chain_rule: Mapping[str, Equation] | None = None,
) -> dict[str, Array]:
    """The same, infinite or no number where what the loss depends on has no finite derivative.

    An adjoint may be 0 by chance there, and 0 times infinity is undefined: sqrt(h)^2 at h = 0. What the loss
    does not depend on passes nothing on, whatever its derivative.
    """
    equations = chain_rule_of(derivation) if chain_rule is None else chain_rule
    with undefined_is_silent():
        # Where they are 0 for other values as well, the loss does not depend on the tensor.
        elsewhere = _evaluated(derivation, equations, _moved(known), sizes)
        depends = {tensor: array != 0 for tensor, array in elsewhere.items()}
        return _evaluated(derivation, equations, known, sizes, depends)


def never(_factor: LocalDerivative) -> bool:
    """No local derivative."""
    return False


def reads_no_adjoint(derivation: Derivation) -> Callable[[LocalDerivative], bool]:
    """Each whose closed form reads tensors of the model alone."""
    known = derivation.system.tensors.keys()
    return lambda factor: factor.value.tensors <= known


def reads_value_alone(factor: LocalDerivative) -> bool:
    """Each whose closed form reads the value alone: y*(1 - y) has the digits that y itself has kept of u."""
    return factor.value.tensors <= {factor.consumer.tensor}


def chain_rule_of(
    derivation: Derivation, is_closed: Callable[[LocalDerivative], bool] = never
) -> dict[str, Equation]:
    """The chain rule for each tensor with an adjoint, as an equation, each after those that it reads.

    The local derivatives for which `is_closed` says so are in closed form. That of a norm is 0 at 0, as the
    language has it.
    """
    equations = [_equation(adjoint, is_closed) for adjoint in _in_reading_order(derivation)]
    equations = with_unit_vectors(equations, derivation.system.equations)
    return dict(zip((each.tensor for each in _in_reading_order(derivation)), equations, strict=True))


def _evaluated(
    derivation: Derivation,
    equations: Mapping[str, Equation],
    known: Mapping[str, Array],
    sizes: Mapping[str, int],
    depends: Mapping[str, Array] = MappingProxyType({}),
    numbers: ArrayNumbers = DOUBLE,
    as_ieee: bool = False,
) -> dict[str, Array]:
    """The adjoints; one that is 0 where the loss depends on its tensor is LEAST, which infinity outweighs."""
    stages = {
        name: stage
        for stage in stages_of(derivation.system.equations)
        if stage.recurrence is not None
        for name in stage.recurrence.places
    }
    values = dict(known)
    pending = frozenset() if as_ieee else frozenset(map(_name, equations))
    evaluator = VectorisedEvaluator(values, sizes, pending, numbers=numbers)
    for tensor, equation in equations.items():
        if tensor not in stages:
            values[equation.tensor] = evaluator.array(equation.expression, equation.indices)
        elif equation.tensor not in values:
            together = {each: equations[each] for each in equations if stages.get(each) == stages[tensor]}
            values.update(_stepwise(together, stages[tensor], evaluator))
        if tensor in depends:
            array = values[equation.tensor]
            values[equation.tensor] = np.where((array == 0) & depends[tensor], LEAST, array)
    return {tensor: values[equation.tensor] for tensor, equation in equations.items()}


def _moved(known: Mapping[str, Array]) -> dict[str, Array]:
    """Every number of every tensor a little larger, whatever the equations say."""
    rng = np.random.default_rng(0)
    return {
        name: array
        if np.asarray(array).dtype.kind in "iu"
        else array + 1e-3 * rng.uniform(0.5, 1.0, np.shape(array))
        for name, array in known.items()
    }


def _in_reading_order(derivation: Derivation) -> list[AdjointDerivation]:
    """Each adjoint after those of the tensors that are computed from its own tensor."""
    computed = {equation.tensor: place for place, equation in enumerate(derivation.system.equations)}
    return sorted(derivation.adjoints, key=lambda adjoint: -computed.get(adjoint.tensor, -1))


def _name(tensor: str) -> str:
    """No tensor of a model is called so."""
    return f"adjoint of {tensor}"


def _equation(adjoint: AdjointDerivation, is_closed: Callable[[LocalDerivative], bool]) -> Equation:
    """The chain rule, with local derivatives in closed form or as differentiation left them."""
    chain_rule = adjoint.steps[0].after
    local = {
        factor.derivative: factor.value if is_closed(factor) else factor.differentiated
        for factor in adjoint.factors
    }

    def put_in(node: Expression) -> Expression:
        if isinstance(node, Derivative) and node.total:
            return Element(_name(node.denominator.tensor), node.denominator.positions)
        return local[node] if isinstance(node, Derivative) else normalised(node)

    indices = tuple(each for each in adjoint.total.denominator.positions if isinstance(each, Index))
    return Equation(_name(adjoint.tensor), indices, rewrite_bottom_up(chain_rule, put_in))


def _stepwise(
    equations: Mapping[str, Equation], stage: Stage, evaluator: VectorisedEvaluator
) -> dict[str, Array]:
    """The adjoints of a recurrence, from its last step to its first."""
    assert stage.recurrence is not None
    arrays = unfilled(equations.values(), evaluator)
    stepping = replace(evaluator, values={**evaluator.values, **arrays})
    for equation, at in computations(stage.recurrence.backwards(equations), evaluator.sizes):
        arrays[equation.tensor][selection(equation, at)] = at_steps(stepping, equation, at)
    return arrays
