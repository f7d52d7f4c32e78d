"""Random compositions of exp, log, softplus, tanh, sigmoid and log-sum-exp, in the model language.

No exponential has an exponential for its argument, so that true values fit float64 for arguments up to 800.
"""

from __future__ import annotations

import random
from collections.abc import Callable

Writer = Callable[[], str]


class CompositionWriter:
    """Writes expressions of `u` and `q`: over k too, with sums over it, or element by element."""

    def __init__(self, seed: int, reduces: bool) -> None:
        self.random = random.Random(seed)
        self.reduces = reduces
        self.read = ["u[b,k]", "q[b,k]"] if reduces else ["u[b]", "q[b]"]

    def _one_of(self, *writers: Writer) -> str:
        return self.random.choice(writers)()

    def linear(self, depth: int) -> str:
        """What grows no faster than its argument."""
        u, q = self.read[0], self.read[1]
        if depth <= 0:
            return self.random.choice([*self.read, f"({u} - {q})", f"(-{u})", f"(2*{u})"])
        writers: list[Writer] = [
            lambda: f"softplus({self.linear(depth - 1)})",
            lambda: f"log({self.positive(depth - 1)})",
            lambda: f"({self.linear(depth - 1)} - {self.linear(depth - 1)})",
            lambda: f"log(cosh({self.linear(depth - 1)}))",
            lambda: f"{self.linear(depth - 1)}*{self.unit(depth - 1)}",
        ]
        if self.reduces:
            writers.append(lambda: f"log(sum(k, exp({self.linear(depth - 1)})))")
            writers.append(lambda: f"log(sum(k, {self.unit(depth - 1)}*exp({self.linear(depth - 1)})))")
        return self._one_of(*writers)

    def unit(self, depth: int) -> str:
        """A number from 0 to 1."""
        writers: list[Writer] = [
            lambda: f"sigmoid({self.linear(depth - 1)})",
            lambda: f"exp(-softplus({self.linear(depth - 1)}))",
            lambda: f"1/(1 + exp({self.linear(depth - 1)}))",
        ]
        if depth > 0:
            writers.append(lambda: f"(1 - {self.unit(depth - 1)})")
            if self.reduces:
                writers.append(lambda: self.softmax(self.linear(depth - 2)))
        return self._one_of(*writers)

    def softmax(self, logits: str) -> str:
        """One of the probabilities."""
        return f"exp({logits})/sum(k, exp({logits}))"

    def positive(self, depth: int) -> str:
        """A number above 0."""
        writers: list[Writer] = [
            lambda: f"exp({self.linear(depth - 1)})",
            lambda: f"(1 + exp({self.linear(depth - 1)}))",
            lambda: f"softplus({self.linear(depth - 1)})",
            lambda: self.unit(depth - 1),
        ]
        if depth > 0:
            writers.append(lambda: f"(2 + {self.symmetric(depth - 1)})")
            writers.append(lambda: f"{self.positive(depth - 1)}*{self.positive(depth - 1)}")
        return self._one_of(*writers)

    def symmetric(self, depth: int) -> str:
        """A number from -1 to 1."""
        return self._one_of(
            lambda: f"tanh({self.linear(depth - 1)})",
            lambda: f"({self.unit(depth - 1)} - {self.unit(depth - 1)})",
            lambda: f"(1 - tanh({self.linear(depth - 1)})^2)",
        )

    def term(self, depth: int) -> str:
        """Any of them, and products."""
        return self._one_of(
            lambda: self.linear(depth),
            lambda: self.symmetric(depth),
            lambda: f"{self.symmetric(depth)}*{self.linear(depth - 1)}",
            lambda: f"{self.unit(depth)}*log({self.positive(depth - 1)})",
            lambda: f"log({self.unit(depth)})",
        )


def composition(seed: int) -> str:
    """A model whose loss sums a composition, written at once or through a name."""
    writer = CompositionWriter(seed, reduces=seed % 2 == 0)
    indices = "b,k" if writer.reduces else "b"
    head = "index b : B\n" + ("index k : K\n" if writer.reduces else "")
    head += f"param u[{indices}], q[{indices}]\n"
    if seed % 3 == 0:
        head += f"h[{indices}] = {writer.term(1)}\n"
        outer = writer.random.choice(("tanh", "softplus", "sigmoid"))
        return f"{head}loss E = sum({indices}, {outer}(h[{indices}])*{writer.random.choice(writer.read)})\n"
    return f"{head}loss E = sum({indices}, {writer.term(2)})\n"
