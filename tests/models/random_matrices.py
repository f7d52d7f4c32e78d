"""Random models of matrix functions among all else: windows, lookups, `where`s, maxima, recurrences."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

INDICES = {"I": ("i", "j", "k"), "T": ("t", "s"), "N": ("n", "m")}
# tensor's name to the axes before those of its matrices
MATRICES = {"M": (), "S": ("T",), "D": ("I",), "G": ("N", "T")}
TENSORS = {"x": ("I",), "y": ("T", "I"), "z": ("N",), "c": ()}
LOOKUPS = {"I": "row[{n}]", "T": "which[{n}]"}
DECLARED = """input which[n] in T
input row[n] in I
param M[i,j], S[t,i,j], D[k,i,j], G[n,t,i,j]
param x[i], y[t,i], z[n], c
"""
KINDS = ("inv", "inv", "inv", "det", "logdet", "cofactor", "trace")


class Writer:
    """Writes one model; every position that it writes lies inside, by a guard where it must."""

    def __init__(self, seed: int, depth: int = 2) -> None:
        self.random, self.depth = Random(seed), depth
        self.sizes = {"I": self.random.choice((1, 2, 2, 3)), "T": self.random.choice((1, 3, 4)), "N": 2}
        self.matrices, self.tensors = dict(MATRICES), dict(TENSORS)

    def choose(self, *options: Any) -> Any:
        return self.random.choice(options)

    def model(self) -> str:
        lines = [f"index {', '.join(names)} : {axis} = {self.sizes[axis]}" for axis, names in INDICES.items()]
        lines += [DECLARED, *self.equations()]
        total = self.expression(("n", "t", "i"), self.depth - 1)
        lines.append(f"loss E = sum(t, i, a[t,i]^2)/9 + sum(n, t, i, {total}*z[n]) + {self.last()}")
        return "\n".join(lines) + "\n"

    def equations(self) -> list[str]:
        derived = f"R[t,i,j] = {self.choose('S[t,i,j]', 'M[i,j] + S[t,i,j]')} + 2*delta(i,j) + y[t,i]*x[j]/9"
        self.matrices["R"] = ("T",)
        lines = [derived, *([self.recurrence()] if self.random.random() < 0.6 else [])]
        lines.append(f"a[t,i] = {self.expression(('t', 'i'), self.depth)}")
        self.tensors["a"] = ("T", "I")
        return self.random.sample(lines, len(lines))

    def recurrence(self) -> str:
        """A matrix or a vector that is carried through inverses, forwards or backwards."""
        first, before = self.choose(("t == 0", "t-1"), ("t == size(t)-1", "t+1"))
        if self.random.random() < 0.5:
            self.matrices["Q"] = ("T",)
            step = self.choose(
                f"3*delta(i,j) + c/9*inv(Q[{before}])[{self.choose('i,j', 'j,i')}]",
                f"S[t,i,j] + sum(k, inv(Q[{before}])[i,k]*M[k,j])/9",
                f"S[{before},i,j] + delta(i,j)*(2 + tanh(logdet(Q[{before}])))",
                f"2*delta(i,j) + Q[{before},i,j]/2 + cofactor(S[t])[i,j]/99",
            )
            return f"Q[t,i,j] = where({first}, M[i,j], {step})"
        step = self.choose(
            f"sum(j, inv(S[t])[i,j]*h[{before},j]) + y[t,i]",
            f"tanh(sum(j, inv(S[{before}])[j,i]*h[{before},j])*det(M)) + x[i]",
            f"where(y[t,0] > 0, sum(j, inv(M)[i,j]*h[{before},j]), h[{before},i])",
            f"pad(h[{before},i-1]) + inv(S[{before}])[0,i]*y[t,i]",
        )
        self.tensors["h"] = ("T", "I")
        return f"h[t,i] = where({first}, x[i], {step})"

    def last(self) -> str:
        return self.choose(
            "max(t, logdet(S[t]))",
            "min(t, i, inv(S[t])[i,i])",
            "prod(t, 1 + det(R[t])/99)",
            "log(sum(t, det(S[t])^2))",
            "sum(t, where(t > 0, logdet(R[t-1]), 0))",
            "c^2",
        )

    def expression(self, free: tuple[str, ...], depth: int) -> str:
        if depth == 0:
            return self.leaf(free)
        kind = self.choose("sum", "product", "reduced", "reduced", "chosen", "function", "leaf")
        one, other = (lambda: self.expression(free, depth - 1), lambda: self.expression(free, depth - 1))
        match kind:
            case "sum":
                return f"({one()} {self.choose('+', '-')} {other()})"
            case "product":
                return f"{one()}*{other()}"
            case "reduced":
                bound = self.choose(*(index for names in INDICES.values() for index in names[1:]))
                inner = self.expression((*free, bound), depth - 1)
                beside = self.leaf((*free, bound))
                return f"{self.choose('sum', 'sum', 'sum', 'mean', 'max')}({bound}, {inner}*{beside})"
            case "chosen":
                return f"where({self.condition(free)}, {one()}, {self.choose('0', '1', other())})"
            case "function":
                return f"{self.choose('tanh', 'sin', 'sigmoid')}({one()})"
        return self.leaf(free)

    def condition(self, free: tuple[str, ...]) -> str:
        index = self.choose(*free)
        axis = axis_of(index)
        other = self.choose(*(each for each in free if axis_of(each) == axis))
        return self.choose(
            f"{index} > 0", f"{index} <= {other}", f"{self.vector(free)} > 0", f"{index} + 1 < size({index})"
        )

    def leaf(self, free: tuple[str, ...]) -> str:
        return self.matrix(free) if self.random.random() < 0.6 else self.vector(free)

    def vector(self, free: tuple[str, ...]) -> str:
        name = self.choose(*sorted(self.tensors))
        positions, guards = self.positions(self.tensors[name], free)
        return self.guarded(f"{name}[{','.join(positions)}]" if positions else name, guards)

    def matrix(self, free: tuple[str, ...]) -> str:
        name, kind = self.choose(*sorted(self.matrices)), self.choose(*KINDS)
        batch, guards = self.positions(self.matrices[name], free)
        shown = f"{kind}({name}{f'[{chr(44).join(batch)}]' if batch else ''})"
        if kind in ("inv", "cofactor"):
            places, more = self.positions(("I", "I"), free)
            return self.guarded(f"{shown}[{','.join(places)}]", [*guards, *more])
        return self.guarded(shown if kind != "det" else f"{shown}/9", guards)

    def guarded(self, shown: str, guards: list[str]) -> str:
        return f"where({' and '.join(guards)}, {shown}, 0)" if guards else shown

    def positions(self, axes: tuple[str, ...], free: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """A position for each axis, and the conditions under which they are inside."""
        chosen, guards = [], []
        for axis in axes:
            inside = [index for index in free if axis_of(index) == axis]
            lookups = [LOOKUPS[axis].format(n=n) for n in free if axis_of(n) == "N" and axis in LOOKUPS]
            options = [*inside * 4, "0", f"size({INDICES[axis][0]})-1", *lookups]
            if inside:
                index = self.choose(*inside)
                options += [f"size({index})-1-{index}"]
                moved = self.choose(
                    f"{index}-1", f"{index}+1", *(f"{index}+{o}" for o in inside if o != index)
                )
                options.append(moved)
            position = self.choose(*options)
            if inside and position == moved:
                guards += [f"{position} >= 0", f"{position} < size({INDICES[axis][0]})"]
            chosen.append(position)
        return chosen, guards


def axis_of(index: str) -> str:
    return next(axis for axis, names in INDICES.items() if index in names)


def values_of(seed: int, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Matrices with a strong diagonal, which any sum of them has too."""
    rng = np.random.default_rng(seed)
    values: dict[str, np.ndarray] = {}
    for name, axes in (*MATRICES.items(), *TENSORS.items()):
        shape = tuple(sizes[axis] for axis in axes)
        if name in MATRICES:
            shape = (*shape, sizes["I"], sizes["I"])
            values[name] = rng.uniform(-0.5, 0.5, shape) + 2.5 * np.eye(sizes["I"])
        else:
            values[name] = rng.normal(size=shape)
    values["which"] = rng.integers(0, sizes["T"], sizes["N"])
    values["row"] = rng.integers(0, sizes["I"], sizes["N"])
    return values
