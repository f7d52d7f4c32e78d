"""Handwritten digits: a 64-32-10 net trained with minibatches on four fifths of the UCI images.

Run it from the checkout with `python -m examples.train_digits [PICTURE.png]`. The gradient is
generated/digits.py and nothing else; rich draws the progress bar, matplotlib the loss curve.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from generated import digits

Array = NDArray[Any]

DATA = Path(__file__).parent / "data" / "digits.npz"
PICTURE = Path("build") / "digits_loss.png"
BRIGHTEST = 16.0
CLASSES = 10
EPOCHS = 30
BATCH = 16
RATE = 0.2


@dataclass(frozen=True)
class Split:
    """Images as rows of 64 numbers from 0 to 1, with the digits they show."""

    images: Array
    labels: Array

    @property
    def one_hot(self) -> Array:
        """The labels as rows that are 1 at the digit and 0 elsewhere."""
        return np.eye(CLASSES)[self.labels]


@dataclass(frozen=True)
class Outcome:
    """Mean training loss of each epoch, and the share of held-back images that are read rightly."""

    losses: tuple[float, ...]
    accuracy: float


def load(rng: np.random.Generator) -> tuple[Split, Split]:
    """The images in random order: four fifths to train on, one fifth held back."""
    with np.load(DATA, allow_pickle=False) as data:
        images, labels = data["images"] / BRIGHTEST, data["labels"]
    order = rng.permutation(len(labels))
    held_back, training = np.split(order, [len(order) // 5])
    return Split(images[training], labels[training]), Split(images[held_back], labels[held_back])


def accuracy(params: dict[str, Array], split: Split) -> float:
    """The share of images whose largest output stands at their digit."""
    outputs = digits.forward(params, x=split.images)
    return float(np.mean(outputs.argmax(axis=1) == split.labels))


def train(seed: int = 0, epochs: int = EPOCHS, after_epoch: Callable[[], None] = lambda: None) -> Outcome:
    """Minibatch gradient descent from the module's own random start."""
    rng = np.random.default_rng(seed)
    training, held_back = load(rng)
    images, targets = training.images, training.one_hot
    params = digits.init(rng)
    losses = []
    for _ in range(epochs):
        order = rng.permutation(len(images))
        batches = np.array_split(order, len(order) // BATCH)
        epoch_losses = []
        for batch in batches:
            loss, gradient = digits.value_and_grad(params, x=images[batch], d=targets[batch])
            params = {name: value - RATE * gradient[name] for name, value in params.items()}
            epoch_losses.append(float(loss))
        losses.append(float(np.mean(epoch_losses)))
        after_epoch()
    return Outcome(tuple(losses), accuracy(params, held_back))


def draw_losses(losses: tuple[float, ...], picture: Path) -> None:
    """Write the loss curve as a PNG."""
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(range(1, len(losses) + 1), losses)
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean training loss")
    axes.set_title("Handwritten digits, 64-32-10")
    axes.grid(True, which="both", alpha=0.3)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)


def main() -> None:
    """Train, draw the loss curve, say the accuracy."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("training", total=EPOCHS)
        outcome = train(after_epoch=lambda: progress.advance(task))
    draw_losses(outcome.losses, picture)
    print(f"64-32-10 net, {EPOCHS} epochs: {outcome.accuracy:.1%} of the held-back images are read rightly")
    print(f"loss curve: {picture}")


if __name__ == "__main__":
    main()
