"""Random small recurrences with masks, windows, pads and maxima."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

HEAD = """index t, s : T
index a, b, r : A{declared}
index c : C
index k : K = 2
input x[t,a], y[c,a], sizes[t,a,c]
param w[r], p[a], q[c,a], v, m[a,b]
"""
SIZES = ({"T": 1, "A": 1, "C": 2}, {"T": 2, "A": 3, "C": 1}, {"T": 3, "A": 2, "C": 3})


@dataclass
class MaskWriter:
    """Writes a state over t and a, perhaps a tensor without a recurrence, and the loss; `step` is -1 or 1."""

    random: Random
    step: int
    known: tuple[str, ...] = ()

    def state(self, moved: str = "a") -> str:
        """The state at an earlier step, 0 before the first; at a, or at a position beside it."""
        return f"pad(h[t{self.step:+d},{moved}])"

    def value(self) -> str:
        return self.random.choice(
            [
                self.state(),
                self.state(),
                "x[t,a]",
                "p[a]",
                "v",
                "2",
                "1/2",
                *(f"{name}[t,a]" for name in self.known),
            ]
        )

    def condition(self, depth: int = 2) -> str:
        pick = self.random.random()
        if depth and pick < 0.2:
            return f"({self.condition(depth - 1)} and {self.condition(depth - 1)})"
        if depth and pick < 0.35:
            return f"({self.condition(depth - 1)} or {self.condition(depth - 1)})"
        if depth and pick < 0.45:
            return f"not ({self.condition(depth - 1)})"
        return self.random.choice(
            [
                f"{self.state()} > 0",
                f"{self.value()} <= x[t,a]",
                "v < p[a]",
                "t == 0",
                "t != size(t)-1",
                "a >= 1",
                "a <= t",
                "mod(a, 2) == 0",
                "0 < a <= t",
                "size(t) > 2",
                "2 <= size(a)",
            ]
        )

    def term(self, depth: int) -> str:
        if depth == 0:
            return self.value()
        inner = self.term(depth - 1)
        moved = self.random.choice(["a+r-1", "a-r", "a+r"])
        read = self.random.choice([self.state(moved), f"pad(x[t,{moved}])", f"pad(p[{moved}])"])
        kernel = moved.replace("r", "k")
        pooled = self.random.choice([self.state(kernel), f"pad(x[t,{kernel}])"])
        return self.random.choice(
            [
                f"where({self.condition()}, {inner}, {self.term(depth - 1)})",
                f"where({self.condition()}, {inner}, {self.random.choice(['0', '0.1', '2'])})",
                f"where({self.condition()}, {self.random.choice(['1', '0.3'])}, {inner})",
                f"tanh({inner}) + {self.term(depth - 1)}",
                f"({inner})*({self.term(depth - 1)})",
                f"sum(r, {read}*w[r])",
                f"sum(r, {self.state()}*{read}*w[r])",
                f"max(k, {pooled})",
                f"max(k, {pooled} + {self.value()})",
                f"max(b, m[a,b]*{self.state('b')})",
                f"sum(c, where(q[c,a] > {self.value()}, q[c,a], 0.2))",
                f"max({inner}, {self.value()})",
                f"sum(t, x[t,a]*sum(r, {read}))" if "h[" not in read else f"prod(k, {pooled} + 1)",
                f"max(s, where(s <= t, x[s,a], {self.random.choice(['-1', 'p[a]'])}))*({inner})",
                f"sum(r, sum(k, {self.state('a+r-k')}*w[r]))",
                f"sum(r, {self.state('2*a+r-1')}*w[r])",
                f"{self.state('floor(a/2)')} + {self.state('mod(a,2)')}*v",
                f"sum(b, delta(a,b)*m[a,b]*{self.state('b')})",
                f"sum(b, where(m[a,b] > {self.state()}, m[a,b], {self.state('b')}))",
                f"min(k, where({pooled} > {self.value()}, {pooled}, 0.3))",
                f"sum(c, max(r, {read} + q[c,r]))",
                f"sum(s, where(s {'<' if self.step < 0 else '>'} t, x[s,a]*h[s,a], 0))",
            ]
        )

    def model(self, depth: int) -> str:
        declared = self.random.choice(["", "", " = 2"])
        lines = [HEAD.format(declared=declared)]
        if self.random.random() < 0.4:
            step, self.step = self.step, 0
            text = (
                self.term(depth - 1).replace("h[", "x[").replace("t+0", "t").replace("pad(x[t,a])", "x[t,a]")
            )
            lines.append(f"g[t,a] = {text}\n")
            self.step, self.known = step, ("g",)
        lines.append(f"h[t,a] = {self.term(depth)} + {self.random.choice(['x[t,a]', 'p[a]', '0.4'])}\n")
        loss = self.random.choice(["sum(t, a, h[t,a]^2)", "sum(t, a, where(h[t,a] > 0, h[t,a], 0.1)*x[t,a])"])
        lines.append(f"loss E = {loss}\n")
        return "".join(lines)


def random_model(seed: int, depth: int = 2) -> str:
    """A model of that seed, its state a formula of that depth."""
    random = Random(seed)
    return MaskWriter(random, random.choice((-1, 1))).model(depth)
