"""Random models of functions that are not defined everywhere, read only where they are.

Each has data on which what is not chosen is undefined: logarithms of negative numbers, 1/0, sqrt(0), asin(2).
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

SIZES = {"N": 3, "K": 2}
DECLARED = """index n, m : N
index k, k2 : K
input flag[n], w[n], c[k]
input ids[n] in K
param x[n], y[n,k], p[n,m], a, b[k]
"""
# Functions of an argument that is between 0.2 and 0.9 where it is read.
PARTIAL = (
    "log({})", "sqrt({})", "1/{}", "asin({})", "acos({})", "{}^(-2)", "{}^(3/2)", "{}*log({})", "a/{}",
    "{}^a", "sqrt({} - 0.1)", "1/sqrt({})", "log({})^2", "sqrt(log(1 + 1/{}))", "exp(1/{})", "a*{}^(1/3)",
)  # fmt: skip
TOTAL = ("{}", "tanh({})", "{}^2", "a*{}", "sigmoid({})", "{} + a", "2*{} - 1")


class Writer:
    """Writes one model; every partial expression has conditions under which it may be read."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: list[str] = []
        self.terms: list[str] = []

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def function(self, argument: str) -> str:
        form = self.pick(*PARTIAL)
        return f"({form.format(*[argument] * form.count('{}'))})"

    def total(self, argument: str) -> str:
        form = self.pick(*TOTAL)
        return f"({form.format(argument)})"

    def named(self, expression: str, indices: str) -> str:
        """The expression, or the name of an equation for it, or for a function of its name."""
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            name = f"v{len(self.lines)}[{indices}]"
            self.lines.append(f"{name} = {expression}")
            expression = self.total(name) if self.rng.random() < 0.5 else name
        return expression

    def product(self, expression: str, index: str) -> str:
        return self.pick(
            expression, f"w[{index}]*{expression}", f"{expression}*x[{index}]", f"b[1]*{expression}"
        )

    def by_flag(self) -> None:
        condition = self.pick(
            "flag[n] > 0", "not flag[n] == 0", "x[n] > 0 and x[n] < 1", "flag[n] == 1 and x[n] > 0",
            "0 < x[n] and abs(x[n]) < 1",
        )  # fmt: skip
        inner = self.named(self.product(self.named(self.function("x[n]"), "n"), "n"), "n")
        otherwise = self.pick("0", "0", "x[n]", "1")
        chosen = self.named(f"where({condition}, {inner}, {otherwise})", "n")
        self.terms.append(f"{self.pick('sum', 'mean')}(n, {self.total(chosen)})")

    def by_pairs(self) -> None:
        argument = self.pick("p[n,m]", "p[n,m]", "(x[n] - x[m])^2", "abs(x[n] - x[m])")
        condition = self.pick("n < m", "m > n", "n < m and n >= 0", "not n >= m")
        if "x" in argument:
            condition += " and flag[n] > 0 and flag[m] > 0"
        inner = self.named(self.product(self.named(self.function(argument), "n,m"), "n"), "n,m")
        chosen = self.named(f"where({condition}, {inner}, 0)", "n,m")
        self.terms.append(f"sum(n, m, {self.total(chosen)})")

    def by_lookup(self) -> None:
        inner = self.function("y[n,k]")
        if self.rng.random() < 0.5:
            name = f"v{len(self.lines)}"
            self.lines.append(f"{name}[n,k] = {self.product(inner, 'n')}")
            chosen = f"{name}[n,ids[n]]"
        else:
            chosen = self.pick(
                inner.replace("y[n,k]", "y[n,ids[n]]"), f"sum(k, where(k == ids[n], {inner}, 0))"
            )
        chosen = self.named(self.product(chosen, "n"), "n")
        self.terms.append(f"{self.pick('sum', 'mean')}(n, {self.total(chosen)})")

    def by_shift(self) -> None:
        inner = self.function(self.pick("x[n-1]", "pad(x[n-1])"))
        condition = self.pick("n > 0 and flag[n-1] > 0", "n >= 1 and x[n-1] > 0 and x[n-1] < 1")
        chosen = self.named(f"where({condition}, {self.product(inner, 'n')}, 0)", "n")
        self.terms.append(f"sum(n, {self.total(chosen)})")

    def by_stride(self) -> None:
        inner = self.function("y[2*k,k]")
        self.terms.append(f"sum(k, where(2*k < size(n) and ids[2*k] == k, c[k]*{inner}, 0))")

    def by_power(self) -> None:
        """x^k and g^(t-s), which are defined at 0 too."""
        base = self.pick("b[k]", "a", "x[n]", "(b[k] - b[k])")
        exponent = self.pick("k", "n", "(k + n)", "(n*k)", "(size(n) - 1 - n)")
        self.terms.append(f"sum(n, k, c[k]*{base}^{exponent})")
        self.terms.append(f"sum(n, m, where(m <= n, w[m]*{self.pick('a', 'b[0]')}^(n-m), 0))")

    def by_index(self) -> None:
        inner = self.pick("log(n)", "1/n", "sqrt(n - 1/2)", "n^(-1/2)")
        self.terms.append(f"sum(n, where(n > 0, {self.pick(inner, f'{inner}*w[n]')}*x[n]^2, 0))")

    def text(self) -> str:
        kinds = (self.by_flag, self.by_flag, self.by_pairs, self.by_pairs, self.by_lookup, self.by_lookup)
        kinds += (self.by_shift, self.by_stride, self.by_power, self.by_index)
        for _ in range(self.rng.choice((1, 2, 2, 3))):
            self.rng.choice(kinds)()
        loss = self.pick("{}", "({})^2", "tanh({})").format(" + ".join(self.terms))
        return DECLARED + "".join(f"{line}\n" for line in self.lines) + f"loss E = {loss} + a*sum(n, x[n])\n"


def model_text(seed: int) -> str:
    """The model of a seed."""
    return Writer(seed).text()


def data(seed: int) -> dict[str, NDArray]:  # type: ignore[type-arg]
    """Data on which what is not chosen is undefined."""
    rng = np.random.default_rng(seed)
    n, k = SIZES["N"], SIZES["K"]

    def mixed(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        good = rng.uniform(0.2, 0.9, chosen.shape)
        return np.where(chosen, good, rng.choice([0.0, 0.0, -0.5, -2.0, 3.0], chosen.shape))

    flag = rng.integers(0, 2, n)
    flag[rng.integers(n)] = 1
    ids = rng.integers(0, k, n)
    return {
        "flag": flag.astype(float),
        "w": rng.normal(size=n),
        "c": rng.normal(size=k),
        "ids": ids,
        "x": mixed(flag == 1),
        "y": mixed(ids[:, None] == np.arange(k)),
        "p": mixed(np.arange(n)[:, None] < np.arange(n)),
        "a": np.float64(rng.choice([0.7, 1.3])),
        "b": rng.choice([0.0, 0.5, -0.8], k),
    }
