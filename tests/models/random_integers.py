"""Random models built around integer arithmetic: positions, conditions, values, lookups and scatters."""

from __future__ import annotations

import random
from functools import cached_property

NAMES = {"A": ("a", "p"), "B": ("b", "q"), "C": ("c", "r")}
LOOKUPS = {"A": "ids[{B}]", "B": "nums[{A},{C}]", "C": "kinds[{A}]"}
ORDERS = "input order[a] in argsort(v)\ninput perm[a,b] in permutation(B)"
REALS = {"x": ("A", "B"), "w": ("C",), "v": ("A",), "u": ("B", "C")}


class IntegerModels:
    """Writes a small model whose sizes are declared, or left open; the seed decides everything."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.sizes = {axis: self.random.randint(1, 4) for axis in NAMES}
        if self.random.random() < 0.3:
            self.sizes = dict.fromkeys(NAMES, self.random.randint(1, 3))

    @cached_property
    def text(self) -> str:
        """The model."""
        is_open = self.random.random() < 0.4
        lines = [
            f"index {', '.join(names)} : {axis}" + ("" if is_open else f" = {self.sizes[axis]}")
            for axis, names in NAMES.items()
        ]
        lines += ["input ids[b] in A", "input nums[a,c] in B", "input kinds[a] in C"]
        lines.append("param x[a,b], w[c], v[a], u[b,c]")
        if self.random.random() < 0.5:
            lines.append(f"y[a,b] = {self.equation(('a', 'b'), 'c')}")
            last = f"y[{self.inside('A', ('a', 'b'), 1)},{self.inside('B', ('a', 'b'), 1)}]"
            lines.append(f"loss E = sum(a, b, y[a,b]^2)/7 + sum(a, b, v[a]*{last})")
        else:
            lines.append(f"z[c] = {self.equation(('c',), self.random.choice('abpq'))}")
            lines.append("loss E = sum(c, z[c]^2*w[c])")
        if self.seed % 3 == 0:
            lines.insert(len(NAMES), ORDERS)
            lines[-1] += " + sum(a, b, (a + 1)*v[order[a]]*x[order[a],perm[a,b]])"
        return "\n".join(lines) + "\n"

    def equation(self, free: tuple[str, ...], bound: str) -> str:
        """A right-hand side: a reduction over the bound index of a product of reads and integers."""
        names = (*free, bound)
        factors = [self.read(names) for _ in range(self.random.randint(1, 2))]
        if self.random.random() < 0.5:
            factors.append(self.number(names))
        body = "*".join(factors)
        match self.random.randrange(5):
            case 0:
                body = f"tanh({body})"
            case 1:
                body = f"where({self.condition(names)}, {body}, {self.read(names)})"
            case 2:
                body = f"where({self.condition(names)}, {body}, 0)"
            case 3:
                name = self.random.choice(free)
                axis = next(axis for axis, own in NAMES.items() if name in own)
                body += f"*delta({self.inside(axis, names, 1)}, {name})"
        return f"sum({bound}, {body})"

    def read(self, names: tuple[str, ...]) -> str:
        """An element, at positions that are inside or 0 outside."""
        tensor = self.random.choice(sorted(REALS))
        if self.random.random() < 0.4:
            return f"pad({tensor}[{','.join(self.integer(names, 1) for _ in REALS[tensor])}])"
        return f"{tensor}[{','.join(self.inside(axis, names, 2) for axis in REALS[tensor])}]"

    def inside(self, axis: str, names: tuple[str, ...], depth: int) -> str:
        """A position that never leaves the axis."""
        own = [name for name in NAMES[axis] if name in names]
        match self.random.randrange(6 if depth > 0 else 2):
            case 0 | 1 if own:
                return self.random.choice(own)
            case 2:
                return f"mod({self.integer(names, depth - 1)}, size({axis}))"
            case 3:
                return f"min(abs({self.integer(names, depth - 1)}), size({axis}) - 1)"
            case 4:
                return f"max(min({self.integer(names, depth - 1)}, size({axis}) - 1), 0)"
            case 5:
                one, other = self.inside(axis, names, depth - 1), self.inside(axis, names, depth - 1)
                return f"where({self.condition(names, depth - 1)}, {one}, {other})"
        return self.lookup(axis, names, depth)

    def lookup(self, axis: str, names: tuple[str, ...], depth: int) -> str:
        """An element of an integer tensor whose values index the axis, or the first place."""
        if depth < 0:
            return "0"
        places = {other: self.inside(other, names, depth - 1) for other in NAMES if other != axis}
        return LOOKUPS[axis].format(**places)

    def integer(self, names: tuple[str, ...], depth: int) -> str:
        """Any integer expression."""
        terms = [name for name in names if self.random.random() < 0.6] or [self.random.choice(names)]
        linear = " + ".join(f"{self.random.choice((1, 1, 2, 3, -1, -2))}*{term}" for term in terms)
        linear = f"{linear} + {self.random.randint(-3, 3)}".replace("+ -", "- ")
        if depth <= 0:
            return linear
        first, second = self.random.choice(names), self.random.choice(names)
        axis = self.random.choice(sorted(NAMES))
        choices = (
            linear,
            f"{first}*{second} - {self.random.randint(0, 3)}",
            f"{first}^2 - {second}",
            f"2^{first} - 1",
            f"floor(({linear})/{self.random.choice(('2', '3', f'size({axis})', f'({second} + 1)'))})",
            f"mod({linear}, {self.random.choice(('2', '3', '-2', f'({second} + 1)'))})",
            f"abs({linear})",
            f"max({linear}, {self.integer(names, 0)})",
            f"where({self.condition(names, depth - 1)}, {linear}, {second})",
            f"{self.lookup(axis, names, depth)} + {linear}",
            f"3*{self.lookup(axis, names, depth)} - {second}",
            f"size({axis})^2 - {first}",
            f"delta({first}, {first}) + {second}",
        )
        return self.random.choice(choices)

    def number(self, names: tuple[str, ...]) -> str:
        """An integer expression, or a ratio of such, as a real factor."""
        integer = self.integer(names, 1)
        divisor = self.random.choice(("3", "size(B)", "4"))
        return self.random.choice((f"({integer})", f"({integer})/{divisor}", f"cos({integer})"))

    def condition(self, names: tuple[str, ...], depth: int = 0) -> str:
        """A comparison of integers, of ratios of them, or of integers with real numbers."""
        operator = self.random.choice(("<", "<=", ">", ">=", "==", "!="))
        left = self.integer(names, 0)
        first = self.random.choice(names)
        axis = self.random.choice(sorted(NAMES))
        right = self.random.choice(
            (
                str(self.random.randint(-1, 3)),
                f"{first}*{first}",
                f"size({axis})/2",
                f"mod({first}, 2)",
                self.lookup(axis, names, depth - 1),
                "3/2",
                f"w[{self.lookup('C', names, depth - 1)}]",
            )
        )
        return f"{left} {operator} {right}"
