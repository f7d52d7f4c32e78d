"""How many digits our gradients keep in float32, beside JAX's of the model as it is typed.

Run it from the checkout with `python -m benchmarks.digits [MODEL ...]`, by default on all classics and every
layer and loss of the catalogue. Data are plain, scaled, shifted and large negative, and a few tensors are
shifted alone, first those that an equation adds to something else. Exits 1 where our error
is more than four times that of JAX, and of the chain rule as typed with random rounding, which says how far
two equally good computations may lie apart; where JAX's error is as large as the tensor, no digit is lost.

An error is the largest distance of an element of a tensor from the truth, which is the chain rule as typed in
sixty digits, divided by the tensor's largest element; the worst of a few draws counts. What is below two
roundings of the largest element counts as two: which of two such results is nearer is luck.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import symbackprop as sb
from benchmarks.jax_model import JaxModel
from symbackprop.accuracy.evaluations import AsTyped, Truth
from symbackprop.derivation.driver import derive
from symbackprop.errors import SymbackpropError
from symbackprop.layers.expanding import network_system
from symbackprop.layers.network import Layer
from symbackprop.sampling.small_axes import model_sizes, with_small_axes
from symbackprop.sampling.stress import (
    LARGE_NEGATIVES,
    PLAIN,
    Stress,
    scaled,
    shifted,
    shifted_alone,
    stressed,
    suspects,
)
from symbackprop.systems.system import Role, System
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck, under_check
from symbackprop.verification.judged_equations import Equations
from tests.layers.cases import LAYER_CASES, LOSS_CASES, Case

Array: TypeAlias = NDArray[Any]

CLASSICS = Path(__file__).parent.parent / "examples" / "classics"
DATA = (PLAIN, scaled(8.0), shifted(1e2), shifted(1e4), shifted(1e4, data_alone=True), LARGE_NEGATIVES)
DRAWS = 3
ALONE = 3  # tensors of a model that are shifted alone, on one draw each
MOST = 4.0  # times JAX's error
DOUBTFUL = 1e3  # times the error of the chain rule as typed
LEAST_ERROR = 2 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Entry:
    """A model that is measured."""

    name: str
    system: System


@dataclass(frozen=True)
class Row:
    """The worst relative errors of a tensor of an entry on data of a kind; infinite where it is not finite.

    `typed` is that of the chain rule as typed in float32, with a few roundings of each operation.
    """

    entry: str
    data: str
    tensor: str
    ours: float
    jax: float
    typed: float

    @property
    def ratio(self) -> float:
        """Ours over JAX's, 1 where neither is finite."""
        return ratio_of(self.ours, self.jax)

    @property
    def is_above(self) -> bool:
        """Whether our form loses digits, and not one evaluation by chance."""
        return self.ratio > MOST and not self._is_chance and not self.is_noise

    @property
    def is_noise(self) -> bool:
        """Whether JAX has no digit to lose to: its error is as large as the tensor."""
        return self.ratio > MOST and bool(np.isfinite(self.ours)) and self.jax >= 1.0

    @property
    def is_above_by_chance(self) -> bool:
        """Whether other roundings of the same computation are as far off as ours."""
        return self.ratio > MOST and self._is_chance and not self.is_noise

    @property
    def _is_chance(self) -> bool:
        return bool(np.isfinite(self.typed)) and ratio_of(self.ours, self.typed) <= MOST

    @property
    def is_infinite(self) -> bool:
        """Whether neither result is finite where the truth is."""
        return not np.isfinite(self.ours) and not self.is_above

    @property
    def is_doubtful(self) -> bool:
        """Whether JAX computes something else: on plain data its errors are roundings."""
        is_finite = bool(np.isfinite(self.jax))
        return is_finite and self.data == PLAIN.name and ratio_of(self.jax, self.typed) > DOUBTFUL


def ratio_of(ours: float, theirs: float) -> float:
    """How many times as large an error is, 1 where neither result is finite."""
    if not np.isfinite(theirs):
        return 0.0 if np.isfinite(ours) else 1.0
    return ours / max(theirs, LEAST_ERROR)


def entries() -> Iterator[Entry]:
    """All classics, every layer before half the squared error, every loss behind a leaky relu."""
    for path in sorted(CLASSICS.glob("*.model")):
        yield Entry(path.stem, sb.load(path).system)
    for case in LAYER_CASES:
        yield Entry(f"layer {case.label}", network_system(case.network()))
    for case in LOSS_CASES:
        yield Entry(f"loss {case.label}", loss_system(case))


def loss_system(case: Case) -> System:
    """A loss behind a layer without parameters."""
    network = case.network(loss=Layer(case.kind, case.options))
    return network_system(replace(network, layers=(Layer("leaky_relu"),)))


@dataclass(frozen=True)
class Peers:
    """A model, our module for it, and small sizes to measure on."""

    as_typed: AsTyped
    checked: ModuleUnderCheck
    sizes: Mapping[str, int]

    def in_jax(self, values: Mapping[str, Array]) -> JaxModel:
        """The model for these whole numbers."""
        derivation = self.as_typed.derivation
        integers = {name: array for name, array in values.items() if array.dtype.kind in "iu"}
        return JaxModel(derivation.system, self.sizes, derivation.wrt, integers)

    def errors(
        self, jax_model: JaxModel, truth: Truth, values: Mapping[str, Array]
    ) -> Iterator[tuple[str, tuple[float, float, float]]]:
        """Our error, JAX's and that of the chain rule as typed, of each tensor that float32 can hold."""
        loss, gradients = self.checked.value_and_grad(values)
        ours, theirs = {self.as_typed.names[0]: loss, **gradients}, jax_model(values)
        typed = list(self.as_typed.rounded(np.float32, values, self.sizes))
        for name in self.as_typed.names:
            if truth.is_held_by(name, np.float32):
                errors = [
                    truth.relative_error(name, each[name], np.float32) for each in (ours, theirs, *typed)
                ]
                yield name, (errors[0], errors[1], max(errors[2:]))


def rows_of(entry: Entry) -> tuple[list[Row], list[str]]:
    """The errors of each tensor on each kind of data, and what could not be measured."""
    system = with_small_axes(entry.system)
    wrt = tuple(
        tensor.name for tensor in system.with_role(Role.PARAMETER, Role.INPUT) if tensor.values is None
    )
    derivation = derive(system, wrt)
    checked = under_check(NUMPY.load(NUMPY.emitted(derivation).text, system.name))
    peers = Peers(AsTyped(derivation), checked, model_sizes(system))
    equations = Equations(system, derivation)
    rng = np.random.default_rng(0)
    found: list[Row] = []
    unmeasured = []
    draws = [equations.sample(peers.sizes, rng) for _ in range(DRAWS)]
    jax_models = [peers.in_jax(draw) for draw in draws]
    if not jax_models[0].integers:
        jax_models = jax_models[:1] * DRAWS  # compiled once
    drawn = list(zip(draws, jax_models, strict=True))
    for stress in (*DATA, *map(shifted_alone, suspects(system)[:ALONE])):
        rows, causes = _on(entry, peers, system, drawn[:1] if stress.tensor else drawn, stress)
        found += rows
        if not rows:
            unmeasured.append(f"{entry.name}, {stress.name}: {causes[0]}")
    return found, unmeasured


def _on(
    entry: Entry,
    peers: Peers,
    system: System,
    draws: Sequence[tuple[Mapping[str, Array], JaxModel]],
    stress: Stress,
) -> tuple[list[Row], list[str]]:
    """A row for each tensor, the worst of all draws; or why there is none."""
    worst: dict[str, tuple[float, float, float]] = {}
    causes = ["the truth is not finite, or too large for float32"]
    for draw, jax_model in draws:
        moved = stressed(system, draw, peers.sizes, stress)
        if moved is None:
            causes = ["no such data obey the facts", *causes]
            continue
        values = {name: a if a.dtype.kind in "iu" else a.astype(np.float32) for name, a in moved.items()}
        truth = peers.as_typed.truth(values, peers.sizes, stress.reach)
        if truth is None:
            causes = ["too large for sixty digits", *causes]
            continue
        try:
            for name, errors in peers.errors(jax_model, truth, values):
                ours, theirs, typed = map(max, errors, worst.get(name, errors))
                worst[name] = ours, theirs, typed
        except CheckedCodeError as error:
            causes = [error.cause, *causes]
    return [Row(entry.name, stress.name, name, *errors) for name, errors in worst.items()], causes


def shown(row: Row) -> str:
    """A line of the table."""
    errors = f"{row.ours:9.1e} {row.jax:9.1e} {row.typed:9.1e}"
    return f"{row.entry:44s} {row.data:16s} {row.tensor:8s} {errors} {row.ratio:8.3g}"


# What is listed after the table, and which rows.
LISTS: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    (f"above {MOST:g} times JAX's error", lambda row: row.is_above),
    ("above it, as are other roundings of the same computation", lambda row: row.is_above_by_chance),
    ("above it, where JAX's error is as large as the tensor", lambda row: row.is_noise),
    ("not finite where the truth is, nor is JAX", lambda row: row.is_infinite),
    ("JAX computes something else, so that nothing is said", lambda row: row.is_doubtful),
)


def main() -> None:
    """Print the worst row of each entry, then the lists; exit 1 where a row is above the bound."""
    chosen = [Entry(Path(each).stem, sb.load(each).system) for each in sys.argv[1:]] or list(entries())
    found: list[Row] = []
    unmeasured: list[str] = []
    print(f"{'':44s} {'data':16s} {'tensor':8s} {'ours':>9s} {'JAX':>9s} {'as typed':>9s} {'ratio':>8s}")
    for entry in chosen:
        try:
            rows, causes = rows_of(entry)
        except SymbackpropError as error:
            rows, causes = [], [f"{entry.name}: {error.cause}"]
        unmeasured += causes
        if rows:
            print(shown(max(rows, key=lambda row: row.ratio)), flush=True)
        found += rows
    for heading, belongs in LISTS:
        listed = [row for row in found if belongs(row)]
        print(f"\n{heading}: {len({row.entry for row in listed})} of {len(chosen)} entries")
        print("".join(f"{shown(row)}\n" for row in listed), end="")
    print("\nnot measured:", *unmeasured, sep="\n")
    sys.exit(any(row.is_above or row.is_doubtful for row in found))


if __name__ == "__main__":
    main()
