"""What the training examples share: digits, minibatches, Adam, a progress bar, a picture of the losses."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

Array = NDArray[Any]
Params = dict[str, Array]
Result = TypeVar("Result")

DIGITS = Path(__file__).parent / "data" / "digits.npz"
BRIGHTEST = 16.0
CLASSES = 10


@dataclass(frozen=True)
class Split:
    """Images as rows of 64 numbers from 0 to 1, with the digits they show."""

    images: Array
    labels: Array

    @property
    def one_hot(self) -> Array:
        """The labels as rows that are 1 at the digit and 0 elsewhere."""
        return np.eye(CLASSES)[self.labels]

    @property
    def squares(self) -> Array:
        """The images as arrays of shape (N, 8, 8) in float32."""
        return self.images.reshape(-1, 8, 8).astype(np.float32)


@dataclass(frozen=True)
class Outcome:
    """Mean training loss of each epoch, and the share of held-back images that are read rightly."""

    losses: tuple[float, ...]
    accuracy: float


def load_digits(rng: np.random.Generator) -> tuple[Split, Split]:
    """The images in random order: four fifths to train on, one fifth held back."""
    with np.load(DIGITS, allow_pickle=False) as data:
        images, labels = data["images"] / BRIGHTEST, data["labels"].astype(np.int64)
    order = rng.permutation(len(labels))
    held_back, training = np.split(order, [len(order) // 5])
    return Split(images[training], labels[training]), Split(images[held_back], labels[held_back])


def minibatches(rng: np.random.Generator, count: int, size: int) -> list[Array]:
    """The places 0 to count - 1 in random order, dealt out to batches of about `size`."""
    return np.array_split(rng.permutation(count), max(count // size, 1))


@dataclass
class Adam:
    """Steps along averages of the gradient and of its square (Kingma and Ba, 2015, algorithm 1)."""

    decay: float = 0.9
    square_decay: float = 0.999
    steps: int = 0
    means: Params = field(default_factory=dict)
    squares: Params = field(default_factory=dict)

    def step(self, params: Params, gradient: Params, rate: float) -> Params:
        """The parameters one step further; averages that began with 0 are corrected for it."""
        self.steps += 1
        self.means = _averages(self.means, gradient, self.decay)
        squares = {name: value * value for name, value in gradient.items()}
        self.squares = _averages(self.squares, squares, self.square_decay)
        size = rate / (1 - self.decay**self.steps)
        correction = 1 - self.square_decay**self.steps
        return {
            name: value - size * self.means[name] / (np.sqrt(self.squares[name] / correction) + 1e-8)
            for name, value in params.items()
        }


def _averages(averages: Params, values: Params, decay: float) -> Params:
    return {name: decay * averages.get(name, 0.0) + (1 - decay) * value for name, value in values.items()}


def warm_up_and_cool_down(step: int, steps: int, warm_up: int, peak: float) -> float:
    """A rate that rises in a line to its peak and then falls along half a cosine to a tenth of it."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    fraction = (step - warm_up) / max(steps - warm_up, 1)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * fraction)))


def with_progress(total: int, train: Callable[[Callable[[], None]], Result]) -> Result:
    """What `train` returns; the function it is given moves a bar on standard error on by one."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("training", total=total)
        return train(lambda: progress.advance(task))


def draw_losses(losses: tuple[float, ...], picture: Path, title: str, step: str = "epoch") -> None:
    """Write the loss curve as a PNG."""
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(range(1, len(losses) + 1), losses, color="#0072B2", linewidth=1.9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no epoch 2.5
    axes.set_xlabel(step)
    axes.set_ylabel("mean training loss")
    axes.set_title(title)
    axes.grid(True, color="#d9d9d9")
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)


def arguments(description: str | None, picture: Path) -> argparse.Namespace:
    """What stands on the command line: `picture`, `quick` and `seed`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("picture", nargs="?", type=Path, default=picture, help="where the loss curve goes")
    parser.add_argument("--quick", action="store_true", help="train for seconds only")
    parser.add_argument("--seed", type=int, default=0, help="where the random numbers start")
    return parser.parse_args()
