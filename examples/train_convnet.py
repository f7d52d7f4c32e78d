"""Handwritten digits: two convolutions with max pooling and a dense layer, trained with Adam.

Run it from the checkout with `python -m examples.train_convnet [PICTURE.png] [--quick] [--seed N]`. The
gradient is generated/convnet.py and nothing else: windows, pooling, a reshape and the label's probability
looked up, all by index arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from examples.training import (
    Adam,
    Outcome,
    Params,
    Split,
    arguments,
    draw_losses,
    load_digits,
    minibatches,
    warm_up_and_cool_down,
    with_progress,
)
from generated import convnet

PICTURE = Path("build") / "convnet_loss.png"
EPOCHS = 40
QUICK_EPOCHS = 8
BATCH = 32
RATE = 5e-3


def accuracy(params: Params, split: Split) -> float:
    """The share of images whose most probable digit is the right one."""
    p = convnet.forward(params, x=split.squares)
    return float(np.mean(p.argmax(axis=1) == split.labels))


def train(seed: int = 0, epochs: int = EPOCHS, after_epoch: Callable[[], None] = lambda: None) -> Outcome:
    """Adam on minibatches from the module's own random start."""
    rng = np.random.default_rng(seed)
    training, held_back = load_digits(rng)
    images, labels = training.squares, training.labels
    params = convnet.init(rng, dtype=np.float32)
    adam = Adam()
    losses = []
    for epoch in range(epochs):
        rate = warm_up_and_cool_down(epoch, epochs, 0, RATE)
        epoch_losses = []
        for batch in minibatches(rng, len(images), BATCH):
            loss, gradient = convnet.value_and_grad(params, x=images[batch], d=labels[batch])
            params = adam.step(params, gradient, rate)
            epoch_losses.append(float(loss))
        losses.append(float(np.mean(epoch_losses)))
        after_epoch()
    return Outcome(tuple(losses), accuracy(params, held_back))


def main() -> None:
    """Train, draw the loss curve, say the accuracy."""
    given = arguments(__doc__, PICTURE)
    epochs = QUICK_EPOCHS if given.quick else EPOCHS
    outcome = with_progress(epochs, lambda advance: train(given.seed, epochs, advance))
    draw_losses(outcome.losses, given.picture, "Handwritten digits, convolutional net")
    print(
        f"convolutional net, {epochs} epochs: {outcome.accuracy:.1%} of the held-back images are read rightly"
    )
    print(f"loss curve: {given.picture}")


if __name__ == "__main__":
    main()
