"""A character-level transformer learns to write like "Alice's Adventures in Wonderland".

Run it from the checkout with `python -m examples.train_transformer [PICTURE.png] [--quick] [--seed N]`. The
gradient is generated/transformer.py and nothing else. The last tenth of the book is held back; the figure is
the mean cross-entropy of its characters, each given those before it in a piece of 64, in nats. A guess
without knowledge costs log(72) = 4.28, one that knows how frequent each character is 3.16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from examples.training import (
    Adam,
    Array,
    Params,
    arguments,
    draw_losses,
    warm_up_and_cool_down,
    with_progress,
)
from generated import transformer

TEXT = Path(__file__).parent / "data" / "alice.txt"
PICTURE = Path("build") / "transformer_loss.png"


@dataclass(frozen=True)
class Settings:
    """Sizes of the model and of the training."""

    length: int = 64
    features: int = 64
    heads: int = 4
    hidden: int = 128
    batch: int = 16
    steps: int = 1000
    warm_up: int = 100
    rate: float = 6e-3


FULL = Settings()
QUICK = Settings(length=32, features=32, hidden=64, steps=150, warm_up=20, rate=1e-2)


@dataclass(frozen=True)
class Text:
    """A text as the places of its characters in an alphabet, for training and held back."""

    alphabet: str
    training: Array
    held_back: Array


@dataclass(frozen=True)
class Outcome:
    """The training loss of each step, the loss on the held-back text, and what the model writes."""

    losses: tuple[float, ...]
    held_back: float
    sample: str


def load() -> Text:
    """The book, its last tenth held back."""
    text = TEXT.read_text(encoding="ascii")
    alphabet = "".join(sorted(set(text)))
    places = np.array([alphabet.index(character) for character in text])
    training, held_back = np.split(places, [len(places) * 9 // 10])
    return Text(alphabet, training, held_back)


def start(rng: np.random.Generator, text: Text, settings: Settings) -> Params:
    """The module's own random start, in float32."""
    return transformer.init(
        rng,
        V=len(text.alphabet),
        T=settings.length,
        I=settings.features,
        H=settings.heads,
        D=settings.features // settings.heads,
        M=settings.hidden,
        dtype=np.float32,
    )


def train(settings: Settings, seed: int = 0, after_step: Callable[[], None] = lambda: None) -> Outcome:
    """Adam on pieces of text that begin anywhere."""
    rng = np.random.default_rng(seed)
    text = load()
    params = start(rng, text, settings)
    adam = Adam()
    losses = []
    for step in range(settings.steps):
        begins = rng.integers(len(text.training) - settings.length, size=settings.batch)
        pieces = text.training[begins[:, None] + np.arange(settings.length + 1)]
        loss, gradient = transformer.value_and_grad(params, pieces[:, :-1], pieces[:, 1:])
        rate = warm_up_and_cool_down(step, settings.steps, settings.warm_up, settings.rate)
        params = adam.step(params, gradient, rate)
        losses.append(float(loss))
        after_step()
    held_back = held_back_loss(params, text, settings.length)
    return Outcome(tuple(losses), held_back, write(params, text, settings.length, rng))


def held_back_loss(params: Params, text: Text, length: int) -> float:
    """The mean loss over the text held back, cut into pieces one after the other."""
    count = (len(text.held_back) - 1) // length
    ids = text.held_back[: count * length].reshape(count, length)
    targets = text.held_back[1 : count * length + 1].reshape(count, length)
    return float(transformer.loss(params, ids, targets))


def write(params: Params, text: Text, length: int, rng: np.random.Generator) -> str:
    """As many characters as one piece holds, each drawn from what the model expects after those before it."""
    ids = np.zeros((1, length + 1), dtype=np.int64)
    ids[0, 0] = text.alphabet.index(" ")
    for t in range(length):
        p = transformer.forward(params, ids[:, :-1])[0, t].astype(float)
        ids[0, t + 1] = rng.choice(len(p), p=p / p.sum())
    return "".join(text.alphabet[place] for place in ids[0, 1:])


def main() -> None:
    """Train, draw the loss curve, say the loss on the text held back and show what the model writes."""
    given = arguments(__doc__, PICTURE)
    settings = QUICK if given.quick else FULL
    outcome = with_progress(settings.steps, lambda advance: train(settings, given.seed, advance))
    draw_losses(outcome.losses, given.picture, "Characters of a novel, transformer with two blocks", "step")
    print(f"transformer, {settings.steps} steps: {outcome.held_back:.2f} nats a held-back character")
    print(f"it writes: {outcome.sample!r}")
    print(f"loss curve: {given.picture}")


if __name__ == "__main__":
    main()
