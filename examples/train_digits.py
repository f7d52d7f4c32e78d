"""Handwritten digits: a 64-32-10 net trained with minibatches on four fifths of the UCI images.

Run it from the checkout with `python -m examples.train_digits [PICTURE.png]`. The gradient is
generated/digits.py and nothing else; rich draws the progress bar, matplotlib the loss curve.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from examples.training import Outcome, Params, Split, draw_losses, load_digits, minibatches, with_progress
from generated import digits

PICTURE = Path("build") / "digits_loss.png"
EPOCHS = 30
BATCH = 16
RATE = 0.2


def accuracy(params: Params, split: Split) -> float:
    """The share of images whose largest output stands at their digit."""
    outputs = digits.forward(params, x=split.images)
    return float(np.mean(outputs.argmax(axis=1) == split.labels))


def train(seed: int = 0, epochs: int = EPOCHS, after_epoch: Callable[[], None] = lambda: None) -> Outcome:
    """Minibatch gradient descent from the module's own random start."""
    rng = np.random.default_rng(seed)
    training, held_back = load_digits(rng)
    images, targets = training.images, training.one_hot
    params = digits.init(rng)
    losses = []
    for _ in range(epochs):
        epoch_losses = []
        for batch in minibatches(rng, len(images), BATCH):
            loss, gradient = digits.value_and_grad(params, x=images[batch], d=targets[batch])
            params = {name: value - RATE * gradient[name] for name, value in params.items()}
            epoch_losses.append(float(loss))
        losses.append(float(np.mean(epoch_losses)))
        after_epoch()
    return Outcome(tuple(losses), accuracy(params, held_back))


def main() -> None:
    """Train, draw the loss curve, say the accuracy."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    outcome = with_progress(EPOCHS, lambda advance: train(after_epoch=advance))
    draw_losses(outcome.losses, picture, "Handwritten digits, 64-32-10")
    print(f"64-32-10 net, {EPOCHS} epochs: {outcome.accuracy:.1%} of the held-back images are read rightly")
    print(f"loss curve: {picture}")


if __name__ == "__main__":
    main()
