"""Random models as text: directed acyclic graphs of equations with shared tensors, nested sums and masks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from symbackprop.language.model import parse_system
from symbackprop.systems.system import Role, System
from tests.models.whole_language.names import extremum_over

SIZES: Mapping[str, int] = {"A": 2, "B": 3, "C": 4}
INDICES: Mapping[str, tuple[str, str]] = {"A": ("a", "p"), "B": ("b", "q"), "C": ("c", "r")}
AXIS_OF = {index: axis for axis, indices in INDICES.items() for index in indices}
BOUNDED = ("tanh", "sigmoid", "sin", "cos")
SMOOTH = ("softplus", "gelu", "normcdf", "silu", "atan", "relu", "abs")


@dataclass
class _Writer:
    """Draws expressions over the tensors written so far and the indices in scope."""

    draw: st.DrawFn
    tensors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    matrices: dict[str, str] = field(default_factory=dict)  # invertible ones, each with its axis

    def choose(self, options: tuple[str, ...] | list[str]) -> str:
        return self.draw(st.sampled_from(list(options)))

    def element(self, scope: tuple[str, ...]) -> str:
        """A tensor that can be read in this scope; one with a missing axis is summed over it."""
        name = self.choose(list(self.tensors))
        positions, bound = [], []
        for axis in self.tensors[name]:
            inside = [index for index in scope if AXIS_OF[index] == axis]
            if inside:
                positions.append(self.choose(inside))
            else:
                index = INDICES[axis][0] if INDICES[axis][0] not in bound else INDICES[axis][1]
                bound.append(index)
                positions.append(index)
        shown = f"{name}[{','.join(positions)}]" if positions else name
        return f"mean({', '.join(dict.fromkeys(bound))}, {shown})" if bound else shown

    def expression(self, scope: tuple[str, ...], depth: int) -> str:
        if depth == 0:
            return self.element(scope) if self.draw(st.integers(0, 5)) else self.leaf(scope)
        kinds = ["add", "sub", "mul", "mul", "div", "call", "power", "reduce", "reduce", "where", "leaf"]
        kind = self.choose(kinds + ["matrix"] * 5 if self.matrices else kinds)
        return getattr(self, kind)(scope, depth - 1)

    def leaf(self, scope: tuple[str, ...], depth: int = 0) -> str:
        options = ["2", "1/2", "3/4", "size(a)", *(f"{index}" for index in scope[:1])]
        return self.choose(options)

    def add(self, scope: tuple[str, ...], depth: int) -> str:
        return f"({self.expression(scope, depth)} + {self.expression(scope, depth)})"

    def sub(self, scope: tuple[str, ...], depth: int) -> str:
        return f"({self.expression(scope, depth)} - {self.expression(scope, depth)})"

    def mul(self, scope: tuple[str, ...], depth: int) -> str:
        return f"{self.expression(scope, depth)}*{self.expression(scope, depth)}"

    def div(self, scope: tuple[str, ...], depth: int) -> str:
        return f"({self.expression(scope, depth)})/(3/2 + ({self.expression(scope, depth)})^2)"

    def power(self, scope: tuple[str, ...], depth: int) -> str:
        body = self.expression(scope, depth)
        return self.choose(
            [f"({body})^2", f"sqrt(2 + ({body})^2)", f"log(2 + ({body})^2)", f"exp(-({body})^2)"]
        )

    def call(self, scope: tuple[str, ...], depth: int) -> str:
        return f"{self.choose(BOUNDED + SMOOTH)}({self.expression(scope, depth)})"

    def reduce(self, scope: tuple[str, ...], depth: int) -> str:
        index = self.choose(list(AXIS_OF))
        inner = tuple(dict.fromkeys((*scope, index)))
        body = self.expression(inner, depth)
        kind = self.choose(["sum", "sum", "sum", "mean", "max", "min", "prod", "softmax"])
        if kind == "softmax":
            return f"sum({index}, exp(tanh({body}))*({self.element(inner)}))/sum({index}, exp(tanh({body})))"
        if kind in ("max", "min"):
            return extremum_over(kind, index, body)
        return f"prod({index}, tanh({body}))" if kind == "prod" else f"{kind}({index}, {body})"

    def matrix(self, scope: tuple[str, ...], depth: int) -> str:
        """An inverse at indices in scope or summed with something, or a determinant."""
        name = self.choose(list(self.matrices))
        first, second = INDICES[self.matrices[name]]
        row = next((index for index in scope if AXIS_OF[index] == self.matrices[name]), None)
        forms = [f"logdet({name})", f"tanh(det({name})/8)", f"trace({name})/4"]
        if row is None:
            bilinear = [self.expression((*scope, index), depth) for index in (first, second)]
            forms.append(
                f"sum({first}, {second}, ({bilinear[0]})*inv({name})[{first},{second}]*({bilinear[1]}))"
            )
        else:
            summed = second if row == first else first
            positions = self.choose([f"{row},{summed}", f"{summed},{row}"])
            right = self.expression(tuple(dict.fromkeys((*scope, summed))), depth)
            forms += [f"sum({summed}, inv({name})[{positions}]*({right}))"] * 3
            forms.append(f"inv({name})[{row},{self.choose([row, *(i for i in scope if i == summed)])}]")
        return self.choose(forms)

    def add_matrix(self, number: int, symmetric: bool) -> str:
        """An equation for a matrix that is dominated by its diagonal."""
        axis = self.choose(list(SIZES))
        first, second = INDICES[axis]
        off_diagonal = f"tanh({self.expression((first, second), 1)})"
        if symmetric:
            one, other = (self.element((index,)) for index in (first, first))
            there = [re.sub(rf"\b{first}\b", second, part) for part in (one, other)]
            off_diagonal = f"tanh({one}*{there[0]} + {other}*{there[1]})"
        name = f"m{number}"
        self.matrices[name] = axis
        self.tensors[name] = (axis, axis)
        return f"{name}[{first},{second}] = 5*delta({first},{second}) + {off_diagonal}"

    def where(self, scope: tuple[str, ...], depth: int) -> str:
        chosen, otherwise = self.expression(scope, depth), self.choose(["0", self.expression(scope, depth)])
        pairs = [(i, j) for i in scope for j in scope if i != j and AXIS_OF[i] == AXIS_OF[j]]
        conditions = [f"{self.element(scope)} > {self.element(scope)}", f"{self.element(scope)} <= 1/4"]
        conditions += [f"{i} <= {j}" for i, j in pairs] + [f"{index} == 0" for index in scope]
        return f"where({self.choose(conditions)}, {chosen}, {otherwise})"


@st.composite
def model_texts(draw: st.DrawFn, most_equations: int = 6, most_matrices: int = 0) -> str:
    """The text of a model: at most so many matrices, then two to `most_equations` equations and a loss."""
    writer = _Writer(draw)
    lines = [f"index {', '.join(INDICES[axis])} : {axis}" for axis in SIZES]
    lines.append("const sizes[a,b,c]")  # so that every size can be read from an array
    writer.tensors["sizes"] = ("A", "B", "C")
    layouts = st.lists(st.sampled_from(list(SIZES)), max_size=2)
    for number in range(draw(st.integers(2, 3))):
        axes = tuple(draw(layouts))
        role = ("param", "param", "input")[number]
        lines.append(f"{role} {_declared(f't{number}', axes)}")
        writer.tensors[f"t{number}"] = axes
    for number in range(draw(st.integers(min(1, most_matrices), most_matrices))):
        lines.append(writer.add_matrix(number, symmetric=draw(st.booleans())))
    for number in range(draw(st.integers(1, most_equations - 1))):
        axes = tuple(draw(layouts))
        scope = _own_indices(axes)
        lines.append(f"{_declared(f'v{number}', axes)} = {writer.expression(scope, draw(st.integers(1, 3)))}")
        writer.tensors[f"v{number}"] = axes
    final = list(writer.tensors)[-1]
    indices = _own_indices(writer.tensors[final])
    body = f"({writer.element(indices)})*{_declared(final, writer.tensors[final])} + {writer.element(())}"
    lines.append(f"loss E = sum({', '.join(indices)}, {body})" if indices else f"loss E = {body}")
    return "\n".join(lines) + "\n"


def _own_indices(axes: tuple[str, ...]) -> tuple[str, ...]:
    indices: list[str] = []
    for axis in axes:
        indices.append(INDICES[axis][1] if INDICES[axis][0] in indices else INDICES[axis][0])
    return tuple(indices)


def _declared(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}[{','.join(_own_indices(axes))}]" if axes else name


def random_values(system: System, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Data for the declared tensors."""
    generator = np.random.default_rng(seed)
    return {
        tensor.name: generator.normal(size=[SIZES[index.axis.name] for index in tensor.indices])
        for tensor in system.tensors.values()
        if tensor.role is not Role.DERIVED
    }


def parsed(text: str) -> System:
    """The model of that text."""
    return parse_system(text, "random")
