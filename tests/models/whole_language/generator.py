"""Random models of the whole language, as text: two to five features mixed in at most eight equations."""

from __future__ import annotations

import re
from random import Random

from tests.models.whole_language.names import (
    INDICES,
    SIGNS,
    WORDS_EVERY,
    declared,
    drawn_features,
    own_indices,
    with_index,
)
from tests.models.whole_language.recurrences import Recurrences

MOST_EQUATIONS = 5
SHORT, LONG = 120, 300  # characters of all equations


class Writer(Recurrences):
    """Writes a model, declarations first."""

    def text(self) -> str:
        """The whole model, with the data to judge it by in comments."""
        declarations = self._declarations()
        equations: list[str] = []
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 2, 3))):
            if len(equations) < MOST_EQUATIONS:
                equations += self._equation()
        equations.append(self._loss())
        heads = [self._axis(axis) for axis in self.axes]
        return "\n".join([*heads, *declarations, *equations, *self._data()]) + "\n"

    def _axis(self, axis: str) -> str:
        size = f" = {self.sizes[axis]}" if axis in self.declared else ""
        return f"index {', '.join(INDICES[axis])} : {axis}{size}"

    def _declarations(self) -> list[str]:
        lines = []
        if self.has("function"):
            name = self.fresh("f")
            body = self.choose(
                "u*sigmoid(u)",
                "where(u > 0, u, 0.2*u)",
                "u^2/(1 + u^2)",
                "tanh(u) + u",
                "max(u, 0)",
                "where(u > 1 and u < 2, u^2, 1)",
            )
            lines.append(f"func {name}(u) = {body}")
            self.functions.append(name)
        for _ in range(self.random.choice((1, 2)) if self.has("lookup") else 0):
            name, axes, axis = self.fresh("i"), self.layout(), self.random.choice(self.axes)
            axes = axes if self.chance(0.9) else ()
            self.integers[name] = (axes, axis)
            lines.append(f"input {declared(name, own_indices(axes))} in {axis}")
        for number in range(self.random.choice((2, 2, 3, 3, 4))):
            role = "param" if number < 2 else self.choose("param", "input", "target", "const")
            name, axes = self.fresh("p" if role == "param" else "x"), self.layout()
            self.tensors[name] = axes
            lines.append(f"{role} {declared(name, own_indices(axes))}")
        if self.has("fact"):
            lines += self._fact()
        if self.has("matrix") and self.chance(0.5):
            axes = (*self.layout(1), *[self.random.choice(self.axes)] * 2)
            if len(set(axes)) == len(axes) - 1:
                name = self.fresh("m")
                self.tensors[name] = axes
                self.matrices[name] = (axes[:-2], axes[-1])
                lines.append(f"{self.choose('param', 'input')} {declared(name, own_indices(axes))}")
        self._see_every_axis(lines)
        return lines

    def _fact(self) -> list[str]:
        name, axis = self.fresh("d"), self.random.choice(self.axes)
        index, other = INDICES[axis]
        if "matrix" in self.features:
            self.matrices[name] = ((), axis)
            self.tensors[name] = (axis, axis)
            role = self.choose("param", "input")
            return [f"{role} {name}[{index},{other}]", f"fact positive_definite({name})"]
        if self.chance(0.5):
            axes = (*[each for each in self.layout(1) if each != axis], axis)
            fact = f"fact sum({index}, {declared(name, own_indices(axes))}) == 1"
        else:
            axes, fact = (axis, axis), f"fact {name}[{index},{other}] == {name}[{other},{index}]"
        self.tensors[name] = axes
        return [f"{self.choose('target', 'const', 'input')} {declared(name, own_indices(axes))}", fact]

    def _see_every_axis(self, lines: list[str]) -> None:
        """An axis that no tensor has gets a size, but now and then."""
        shown = {axis for axes in self.tensors.values() for axis in axes}
        shown |= {axis for axes, _ in self.integers.values() for axis in axes}
        for axis in self.axes:
            if axis not in shown and self.chance(0.98):
                self.declared.add(axis)

    def _equation(self) -> list[str]:
        kinds = ["plain"] * 3
        for feature in ("recurrence", "past"):
            kinds += ["recurrence"] * (8 if feature in self.features and not self.recurs else 0)
        kinds += ["matrix"] * (0 if self.matrices else 6 if "matrix" in self.features else 0)
        kinds += ["window"] * (4 if "window" in self.features else 0)
        kinds += ["derivative"] * (8 if "inner derivative" in self.features else 0)
        match self.random.choice(kinds):
            case "recurrence":
                self.recurs = True
                return self.recurrence() if "T" in self.axes else self._plain()
            case "matrix":
                return self._matrix()
            case "window":
                return self._window()
            case "derivative":
                return self._derivative()
        return self._plain()

    def _plain(self) -> list[str]:
        name, axes = self.fresh("v"), self.layout()
        scope = own_indices(axes)
        line = (
            f"{declared(name, scope)} = {self.expression(scope, self.random.choice((1, 1, 1, 2, 2, 2, 3)))}"
        )
        self.tensors[name] = axes
        return [line]

    def _window(self) -> list[str]:
        """A convolution or a pooling over an axis, without or with a stride."""
        name, axis, over = self.fresh("v"), self.random.choice(self.axes), self.random.choice(self.axes)
        index, bound = INDICES[axis][0], INDICES[over][1]
        known = [each for each, axes in self.tensors.items() if axis in axes]
        if not known:
            return self._plain()
        read = self.random.choice(known)
        where = self.choose(
            f"{index}+{bound}",
            f"{index}-{bound}",
            f"{index}+{bound}-1",
            f"2*{index}+{bound}",
            f"{index}+2*{bound}",
            f"2*{index}-{bound}+1",
        )
        positions = [where if each == axis else "0" for each in self.tensors[read]]
        element = f"pad({declared(read, positions)})"
        inner = with_index((index,), bound)
        kind = self.choose("sum", "sum", *["max"] * self.has("extremum"), *["prod"] * self.has("product"))
        line = f"{name}[{index}] = {kind}({bound}, {element}*{self.element(inner)})"
        self.tensors[name] = (axis,)
        return [line]

    def _matrix(self) -> list[str]:
        """A matrix that is dominated by its diagonal; now and then one that is not."""
        name, axis = self.fresh("m"), self.random.choice(self.axes)
        batch = tuple(each for each in self.layout(1) if each != axis and self.chance(0.6))
        scope = own_indices((*batch, axis, axis))
        first, second = scope[-2:]
        body = self.expression(scope, self.random.choice((0, 1, 1)))
        form = self.choose(
            "3*delta({0},{1}) + tanh({2})",
            "3*delta({0},{1}) + {2}",
            "where({0} == {1}, 4, 0) + sin({2})",
            "where({0} == {1}, 4 + {2}^2, tanh({2}))",
        )
        line = f"{declared(name, scope)} = {form.format(first, second, f'({body})')}"
        self.tensors[name] = (*batch, axis, axis)
        self.matrices[name] = (batch, axis)
        return [line]

    def _derivative(self) -> list[str]:
        """A derivative of a network by its input, once or twice."""
        inputs = [
            name for name, axes in self.tensors.items() if name[0] == "x" and len(set(axes)) == len(axes)
        ]
        if not inputs:
            return self._plain()
        given = self.random.choice(inputs)
        axes = self.tensors[given]
        scope = own_indices(axes)
        element = declared(given, scope)
        weight, other = self.element(scope), self.element(scope)
        network = self.choose(
            "tanh({1}*{0} + {2})",
            "{1}*sin({0})",
            "sigmoid({1}*{0})*{2}",
            "{0}^2*{1} + {2}",
            "exp(-{0}^2)*{1}",
        )
        name, slope = self.fresh("u"), self.fresh("g")
        body = f"diff({declared(name, scope)}, {element})"
        body = self.choose(
            body, f"tanh({body})", f"{body} + {self.leaf(scope)}", f"{body}*{self.leaf(scope)}"
        )
        lines = [
            f"{declared(name, scope)} = {network.format(element, weight, other)}",
            f"{declared(slope, scope)} = {body}",
        ]
        self.tensors |= {name: axes, slope: axes}
        if self.chance(0.3):
            twice = self.fresh("g")
            lines.append(f"{declared(twice, scope)} = diff({declared(slope, scope)}, {element})")
            self.tensors[twice] = axes
        return lines

    def _loss(self) -> str:
        """The last tensor, squared or weighted, and something else."""
        names = [name for name in self.tensors if name[0] in "vhgm"] or list(self.tensors)
        name = names[-1]
        indices = own_indices(self.tensors[name])
        element = declared(name, indices)
        body = self.choose(
            f"{element}^2", f"{element}", f"{element}*{self.element(indices)}", f"tanh({element})"
        )
        kind = self.choose("sum", "sum", "mean")
        total = f"{kind}({', '.join(indices)}, {body})" if indices else body
        if self.chance(0.6):
            total += f" + {self.expression((), self.random.choice((0, 1, 1, 2)))}"
        if self.chance(0.1):
            total = self.choose(
                f"1/2*({total})",
                f"log(1 + ({total})^2)",
                f"sqrt(1 + ({total})^2)",
                f"-({total})",
                f"({total}) + 2",
            )
        return f"loss E = {total}"

    def _data(self) -> list[str]:
        """Two draws: the sizes of this model, and others, where an axis may be 1 or empty; half have ties."""
        lines = []
        for number in range(2):
            sizes = {axis: self.sizes[axis] for axis in self.axes}
            for axis in self.axes:
                if number and axis not in self.declared:
                    sizes[axis] = self.random.choice((1, 1, 2, 3, 4))
            open_axes = [axis for axis in self.axes if axis not in self.declared]
            if number and open_axes and self.chance(0.08):
                sizes[self.random.choice(open_axes)] = 0
            kind = "ties" if number and self.chance(0.4) else "normal"
            shown = " ".join(f"{axis}={size}" for axis, size in sizes.items())
            lines.append(f"# data {shown} seed={self.random.randint(0, 99)} kind={kind}")
        if self.chance(0.3):
            derived = [name for name in self.tensors if name[0] in "vhm"]
            names = [name for name in self.tensors if name[0] in "px"] + self.random.sample(
                derived, min(1, len(derived))
            )
            if not self.features & {"inner derivative", "fact"}:
                lines.append(f"# wrt {','.join(names)}")
        return lines


def model_text(seed: int) -> str:
    """The model of that seed; one in ten may be longer than many small ones, which show more in less time."""
    random = Random(seed)
    features = drawn_features(random) | ({"words"} if seed % WORDS_EVERY == 5 else set())
    most = LONG if random.random() < 0.1 else SHORT
    while True:
        text = Writer(random, features).text()
        if length(text) <= most and all(re.search(SIGNS[each], text) for each in features if each in SIGNS):
            return text
        most += 5  # some features do not fit into a short model


def length(text: str) -> int:
    """The characters of all equations."""
    return sum(
        len(line) for line in text.splitlines() if "=" in line and not re.match("index|#|fact|func", line)
    )
