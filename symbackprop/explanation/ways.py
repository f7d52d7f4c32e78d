"""What each way of differentiating costs: operations counted on the programs, times measured here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.program import Program
from symbackprop.cost.assumptions import TYPICAL_SIZE
from symbackprop.derivation.result import Derivation
from symbackprop.emission.target import Target
from symbackprop.errors import NotationError, SymbackpropError
from symbackprop.explanation.programs.computations import Computations
from symbackprop.explanation.programs.polynomials import Polynomial, total_of
from symbackprop.explanation.without_reuse import operations_without_reuse, refusal, without_reuse
from symbackprop.language.model import whole_size
from symbackprop.languages.phrases import Words, marked, phrase, worded
from symbackprop.numerics.tolerance import agree, largest_of
from symbackprop.sampling.drawing import Drawing
from symbackprop.sampling.finite_data import GENTLE, Values
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.systems.system import System
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check

Array: TypeAlias = NDArray[Any]

SECONDS_EACH, FEWEST_RUNS, MOST_RUNS = 0.1, 3, 1000
MOST_MOVED = 400  # numbers that facts tie together, moved by solving for all at once
NUMERICAL, WITHOUT_REUSE = marked("numerical differentiation"), marked("gradient without reuse")
BACKPROPAGATION = marked("backpropagation")
_TIMES_ONE_LOSS = marked("2*{count} times the measured time of one loss")
_TOO_LARGE = marked("not measured: too large for a quick look; give smaller sizes with --size")
MOST_OPERATIONS, MOST_NUMBERS = 200_000_000, 20_000_000


@dataclass(frozen=True)
class Way:
    """One way to the gradient.

    `operations` are counted on its program. `seconds` is the time of one gradient, None where it was not
    measured; `note` says how it was measured, or why not.
    """

    name: str
    operations: Polynomial
    seconds: float | None
    note: Words


@dataclass(frozen=True)
class Ways:
    """All ways at the same sizes; `parameters` counts the gradient's numbers, `loss` a loss's operations."""

    sizes: Mapping[str, int]
    parameters: Polynomial
    loss: Polynomial
    ways: tuple[Way, ...]


def sizes_for(system: System, given: Mapping[str, int]) -> Mapping[str, int]:
    """A size for every axis: declared ones, those that are given, and typical ones for the others.

    NotationError for a size of an axis that is not there, or has its size from elsewhere, or is no integer.
    """
    free = free_axes(system.axes)
    for name in given:
        if name not in free:
            known = [axis.name for axis in system.axes]
            template = marked("{name} is no axis of the model")
            if name in known:
                template = marked("{name} has its size from the model")
            remedy = worded("give sizes of {axes}", axes=", ".join(free) or worded("no axis"))
            raise NotationError(worded(template, name=name), remedy=remedy)
    whole = {name: whole_size(name, size) for name, size in given.items()}
    return model_sizes(system, {**dict.fromkeys(free, TYPICAL_SIZE), **whole})


def parameters_of(computations: Computations) -> Polynomial:
    """How many numbers the gradient has."""
    program = computations.module.program
    return total_of(
        Polynomial.elements(program.by_name[name].value.indices) for name in program.gradients.values()
    )


def operations_of_ways(computations: Computations) -> Mapping[str, Polynomial]:
    """Each way's name to its operations, counted on its program: two losses a number make differences."""
    return {
        NUMERICAL: parameters_of(computations) * computations.operations_of_loss * 2,
        WITHOUT_REUSE: operations_without_reuse(computations),
        BACKPROPAGATION: computations.operations,
    }


def ways_of(
    derivation: Derivation, computations: Computations, target: Target, sizes: Mapping[str, int]
) -> Ways:
    """Numerical differentiation, the gradient that keeps nothing, and backpropagation."""
    parameters, operations = parameters_of(computations), operations_of_ways(computations)
    measured = _Measured.of(derivation, target, computations.module.program, computations, sizes)
    count = parameters.at(sizes)
    times = {
        NUMERICAL: (
            None if measured.loss is None else 2 * count * measured.loss,
            measured.why or phrase(_TIMES_ONE_LOSS, count=f"{count:,}"),
        ),
        WITHOUT_REUSE: measured.without_reuse,
        BACKPROPAGATION: (measured.gradient, measured.why or phrase("measured")),
    }
    ways = tuple([Way(name, operations[name], *times[name]) for name in operations])
    return Ways(sizes, parameters, computations.operations_of_loss, ways)


@dataclass(frozen=True)
class _Measured:
    """Times in seconds; `why` says why there are none."""

    loss: float | None
    gradient: float | None
    without_reuse: tuple[float | None, Words]
    why: Words = ()

    @classmethod
    def of(
        cls,
        derivation: Derivation,
        target: Target,
        program: Program,
        computations: Computations,
        sizes: Mapping[str, int],
    ) -> _Measured:
        given = sum(Polynomial.elements(tensor.indices).at(sizes) for tensor in program.tensors)
        if computations.operations.at(sizes) > MOST_OPERATIONS or given > MOST_NUMBERS:
            return cls._none(phrase(_TOO_LARGE))
        try:
            values = _values(derivation.model, sizes)
            module = _imported(target, program)
            expected = module.value_and_grad(values)[1]
        except SymbackpropError as error:
            return cls._none(phrase("not measured: {why}", why=error.cause))
        return cls(
            _seconds(lambda: module.loss(values)),
            _seconds(lambda: module.value_and_grad(values)),
            _time_without_reuse(target, computations, values, expected, sizes),
        )

    @classmethod
    def _none(cls, why: Words) -> _Measured:
        return cls(None, None, (None, why), why)


def _time_without_reuse(
    target: Target,
    computations: Computations,
    values: Values,
    expected: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> tuple[float | None, Words]:
    """The time of the module that keeps nothing, whose gradients have to be the same numbers."""
    if operations_without_reuse(computations).at(sizes) > MOST_OPERATIONS:
        return None, phrase("not measured: it takes too long")
    if why := refusal(computations):
        return None, phrase("not measured: {why}", why=why)
    module = _imported(target, without_reuse(computations))
    found = module.value_and_grad(values)[1]
    largest = largest_of([np.asarray(each) for each in expected.values()])
    if not all(agree(found[name], np.asarray(each), largest) for name, each in expected.items()):
        return None, phrase("not measured: rounding makes other numbers of it")
    return _seconds(lambda: module.value_and_grad(values)), phrase("measured")


def _imported(target: Target, program: Program) -> ModuleUnderCheck:
    return under_check(target.load(target.printed(program).text, program.model))


def _values(system: System, sizes: Mapping[str, int]) -> Values:
    """Gentle values of all declared tensors, such as obey the facts where few numbers are tied together."""
    drawn = Drawing(system, adjoints=lambda values, sizes: {}).values(sizes, GENTLE, np.random.default_rng(0))
    behind = system.precedents((*system.read_by_facts, *(each.tensor for each in system.positive_definite)))
    tied = sum(values.size for name, values in drawn.items() if name in behind)
    if tied > MOST_MOVED:
        system = replace(system, facts=())  # what is positive definite costs little
    return obeying_facts(system, drawn, sizes) or drawn


def _seconds(work: Callable[[], object]) -> float:
    """The shortest time of several runs."""
    times: list[float] = []
    while len(times) < FEWEST_RUNS or (sum(times) < SECONDS_EACH and len(times) < MOST_RUNS):
        before = perf_counter()
        work()
        times.append(perf_counter() - before)
    return min(times)
