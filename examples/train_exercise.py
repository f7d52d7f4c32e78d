"""The course's exercise: a 2-10-1 net learns d = 3*x0 + 2*x1, one random sample a step.

Run it from the checkout with `python -m examples.train_exercise`. The gradient is generated/exercise.py and
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generated import exercise

Array = NDArray[Any]

SEEDS = range(20)
STEPS = 1000
RATE = 0.07
TEST_SAMPLES = 200


@dataclass(frozen=True)
class Outcome:
    """Mean loss over samples that were not trained on, before and after training."""

    before: float
    after: float

    @property
    def factor(self) -> float:
        """How many times smaller the loss has become."""
        return self.before / self.after


def target(x: Array) -> Array:
    """What the net has to learn: 3*x0 + 2*x1."""
    return np.asarray(3 * x[..., 0] + 2 * x[..., 1])


def random_inputs(rng: np.random.Generator, count: int) -> Array:
    """`count` samples, uniform over [-1, 1) x [-1, 1)."""
    return rng.uniform(-1.0, 1.0, (count, 2))


def mean_loss(params: dict[str, Array], inputs: Array) -> float:
    """The mean of the module's own loss over these samples."""
    return float(np.mean([exercise.loss(params, x=x, d=target(x)) for x in inputs]))


def train(seed: int, steps: int = STEPS, rate: float = RATE) -> Outcome:
    """Stochastic gradient descent from the module's own random start."""
    rng = np.random.default_rng(seed)
    params = exercise.init(rng)
    held_back = random_inputs(rng, TEST_SAMPLES)
    before = mean_loss(params, held_back)
    for x in random_inputs(rng, steps):
        gradient = exercise.grad(params, x=x, d=target(x))
        params = {name: value - rate * gradient[name] for name, value in params.items()}
    return Outcome(before, mean_loss(params, held_back))


def main() -> None:
    """Train from twenty seeds and say by how much the loss fell."""
    factors = sorted(train(seed).factor for seed in SEEDS)
    print(f"2-10-1 net, {STEPS} steps at rate {RATE}, {len(factors)} seeds: the loss falls by a factor of")
    print(
        f"  {np.median(factors):,.0f} in the median, {factors[0]:,.0f} at worst, {factors[-1]:,.0f} at best"
    )


if __name__ == "__main__":
    main()
