"""What a random model is made of: axes, indices, tensors, and the features that it mixes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

Scope = tuple[str, ...]

INDICES: Mapping[str, tuple[str, str]] = {
    "A": ("a", "a2"),
    "B": ("b", "b2"),
    "C": ("c", "c2"),
    "T": ("t", "s"),
}
AXIS_OF = {index: axis for axis, indices in INDICES.items() for index in indices}
MOST_DEPENDENT_SIZES = ((2, 3, 4, 5), (2, 3, 4, 2), (3, 2, 4, 3), (4, 3, 2, 5))

# What a model may mix, each with its weight. What is not drawn is written seldom or never.
FEATURES: Mapping[str, int] = {
    "window": 3,
    "lookup": 3,
    "mask": 4,
    "value mask": 3,
    "recurrence": 4,
    "past": 2,
    "matrix": 3,
    "extremum": 3,
    "product": 2,
    "inner derivative": 1,
    "reshape": 2,
    "integers": 3,
    "delta": 2,
    "function": 1,
    "fact": 1,
    "constant position": 3,
    "special": 2,
    "softmax": 2,
    "where": 3,
    "quotient": 3,
}

# One model in so many has the words that the language got later: every other one is what it was before them.
WORDS_EVERY = 8

# How a feature shows in a text, for those that might get lost otherwise.
SIGNS: Mapping[str, str] = {
    "window": r"pad\(|where\(0 <=|\+1|-1",
    "lookup": r"\[[^=\n]*\bi\d+",
    "value mask": "where",
    "mask": "where",
    "recurrence": r"(?m)^h.*[t][-+]\d",
    "past": r"(?m)^h\d+.*where\([^()]*s.*h\d",
    "matrix": r"(inv|det)\(",
    "extremum": r"(max|min)\(",
    "product": r"prod\(",
    "inner derivative": r"diff\(",
    "delta": r"delta\(|where\([a-ct]2? == ",
    "function": r"= .*\bf\d+\(",
    "fact": r"= .*\bd\d+",
    "special": r"gamma|asin|acos|sinh|cosh|erf|normcdf|sqrt",
    "softmax": r"exp\(",
    "words": r"softmax|logsumexp|norm|var|clip|stop|round|ceil|floor\(.*[pvx]\d|arg(max|min)",
}


def drawn_features(random: Random) -> frozenset[str]:
    """Two to five features, the more common ones more often."""
    names, weights = list(FEATURES), list(FEATURES.values())
    return frozenset(random.choices(names, weights, k=random.randint(2, 5)))


class Names:
    """The names of one model. Sizes are drawn once; those in `declared` are stated in the text."""

    def __init__(self, random: Random, features: frozenset[str]) -> None:
        self.random = random
        self.features = features
        self.axes = tuple(sorted(random.sample(list(INDICES), random.choice((2, 2, 3)))))
        if self.features & {"recurrence", "past"} and "T" not in self.axes:
            self.axes = (*self.axes[1:], "T")
        self.sizes = dict(zip(INDICES, random.choice(MOST_DEPENDENT_SIZES), strict=True))
        self.declared = {axis for axis in self.axes if random.random() < 0.25}
        self.tensors: dict[str, tuple[str, ...]] = {}
        self.integers: dict[str, tuple[tuple[str, ...], str]] = {}  # its axes, and the axis of its values
        self.matrices: dict[str, tuple[tuple[str, ...], str]] = {}  # its batch axes, and its axis
        self.functions: list[str] = []
        self.recurs = False
        self.used = 0

    def has(self, feature: str) -> bool:
        """Whether the model mixes it in; seldom it does so without having it drawn."""
        return feature in self.features or self.random.random() < 0.02

    def fresh(self, letter: str) -> str:
        self.used += 1
        return f"{letter}{self.used}"

    def choose(self, *options: str) -> str:
        return self.random.choice(options)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def layout(self, most: int = 2) -> tuple[str, ...]:
        """Axes of a new tensor; an axis may come twice."""
        count = self.random.choice((0, 1, 1, 1, 2, 2)[: most * 2 + 2])
        return tuple(self.random.choice(self.axes) for _ in range(count))

    def any_index(self) -> str:
        return self.random.choice(INDICES[self.random.choice(self.axes)])


def own_indices(axes: Sequence[str]) -> Scope:
    """Indices for the left-hand side: the second index of an axis that comes twice."""
    return tuple(INDICES[axis][axis in axes[:place]] for place, axis in enumerate(axes))


def declared(name: str, indices: Sequence[str]) -> str:
    """The name with its indices, if it has any."""
    return f"{name}[{','.join(indices)}]" if indices else name


def inside(scope: Scope, axis: str) -> list[str]:
    """The indices of that axis that are in sight."""
    return [index for index in scope if AXIS_OF[index] == axis]


def with_index(scope: Scope, *indices: str) -> Scope:
    """The scope inside a reduction over these indices."""
    return tuple(dict.fromkeys((*scope, *indices)))


def extremum_over(kind: str, index: str, body: str) -> str:
    """max(i, ..) of what depends on i, as it has to."""
    depends = re.search(rf"\b{index}\b", body) is not None
    return f"{kind}({index}, {body})" if depends else f"{kind}({index}, ({body})*(1 + {index}))"
