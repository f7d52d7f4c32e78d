"""Every rule on random expressions, in and out of its side condition, for sizes from 0 on, with ties.

Wherever a rule applies, before and after have one value: at every place where what stood there before can be
read, the new form can be read too and is the same number.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from symbackprop.algebra.phases import normal_form_rules
from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import ONE, ZERO, Comparison, Expression, Index, Logic, Where
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from tests.sweeps import swept

SYSTEM = parse_system(
    """
index i, i2 : I
index j, j2 : J
index k : K
index d : D = 2
index q : Q
input ids[k] in I
input x[i], y[j], A[i,j], z[q], S[i,i2], T[j,j2], B[k,d]
param c
loss E = c
"""
)
RULES = normal_form_rules(Ranges.of(SYSTEM))
SIZES = (
    {"I": 2, "J": 3, "K": 2, "D": 2, "Q": 7, "P": 4, "G": 12},
    {"I": 1, "J": 1, "K": 3, "D": 2, "Q": 2, "P": 2, "G": 3},
    {"I": 3, "J": 2, "K": 0, "D": 2, "Q": 1, "P": 6, "G": 0},
    {"I": 1, "J": 0, "K": 1, "D": 2, "Q": 4, "P": 2, "G": 0},
)
OF_INDICES = (
    "i < i2", "i <= i2", "i != i2", "i == i2", "i == 0", "i > 0", "i + 1 > 0", "i < 0", "i + j > 1",
    "2*i == q", "i == size(i) - 1", "j < size(j)/2", "mod(q, 2) == 0", "floor(q/2) == j", "size(j) > 1",
    "size(j) > 0",    "i >= i2", "q - 2*i >= 0", "j/2 < 1/3", "i - i2 != 0",
)  # fmt: skip
OF_VALUES = ("c > 0", "0 < x[i]", "x[i] > y[j]", "c == 1", "x[i] != c", "ids[k] == i", "ids[k] > 0")
DELTAS = (
    "delta(i,i2)", "delta(j,j2)", "delta(ids[k],i)", "delta(i,ids[k])", "delta(2*i,q)", "delta(i + j,q)",
    "delta(size(d)*j+d,q)", "delta(i,0)", "delta(q - i,j)", "delta(floor(q/2),j)", "delta(mod(q, 2),d)",
    "delta(i,size(i) - 1)", "delta(1 - i,i2)",
)  # fmt: skip
VALUES = (
    "x[i]", "y[j]", "A[i,j]", "x[i2]", "c", "2", "-1/2", "z[q]", "pad(x[i - 1])", "pad(z[2*i + j])",
    "x[ids[k]]", "size(j)", "i", "1/(1 + x[i]^2)", "c^2", "A[ids[k],j]", "pad(z[q + 1])", "1/y[j]", "y[j2]",
)  # fmt: skip
INDICES = ("i", "i2", "j", "j2", "k", "d", "q")


class Writer:
    """Draws the text of an expression."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def condition(self, depth: int = 1) -> str:
        if depth and self.rng.random() < 0.4:
            parts = self.condition(depth - 1), self.condition(depth - 1)
            return self.rng.choice(("{} and {}", "({} or {})", "{} and not ({})")).format(*parts)
        return self.rng.choice(OF_INDICES + OF_VALUES)

    def value(self, depth: int) -> str:
        if depth == 0:
            return self.rng.choice(self.rng.choice((VALUES, VALUES, DELTAS, ("0", "1"))))
        kind = self.rng.choice(("sum", "sum", "product", "product", "where", "where", "add", "max"))
        one, other = self.value(depth - 1), self.value(self.rng.randrange(depth))
        if kind == "sum":
            bound = self.rng.sample(INDICES, self.rng.choice((1, 1, 2)))
            return f"sum({', '.join(bound)}, {one}*({other}))"
        if kind == "where":
            return f"where({self.condition()}, {one}, {self.rng.choice(('0', '0', other))})"
        if kind == "max":
            return f"max({self.rng.choice(INDICES)}, {one})"
        return f"({one})*({other})*({self.value(0)})" if kind == "product" else f"({one} + {other})"


def values_for(sizes: dict[str, int], rng: np.random.Generator) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    drawn = {
        tensor.name: rng.choice([-1.0, 0.5, 1.0, 2.0], [sizes[index.axis.name] for index in tensor.indices])
        for tensor in SYSTEM.tensors.values()
    }
    return {**drawn, "ids": rng.integers(0, sizes["I"], sizes["K"])}


def as_value(node: Expression) -> Expression:
    return Where(node, ONE, ZERO) if isinstance(node, Comparison | Logic) else node


def _value_after(evaluator: NaiveEvaluator, after: Expression, at: dict[Index, int]) -> complex | None:
    """None for the maximum of nothing, taken out of a sum that has no terms."""
    try:
        return complex(evaluator.expression(after, at))
    except VerificationError as error:
        if "over an empty axis" in str(error):
            return None
        raise


def assert_same(before: Expression, after: Expression, rule: str) -> int:
    compared = 0
    for number, sizes in enumerate(SIZES):
        values = values_for(sizes, np.random.default_rng(number))
        evaluator = NaiveEvaluator(values, sizes)
        indices = tuple(sorted(before.free_indices | after.free_indices, key=lambda index: index.name))
        for place in np.ndindex(*(sizes[index.axis.name] for index in indices)):
            at = dict(zip(indices, place, strict=True))
            try:
                expected = complex(evaluator.expression(before, at))
            except (VerificationError, ZeroDivisionError):
                continue  # what a guard further out keeps from being read
            if np.isfinite(expected):
                found = _value_after(evaluator, after, at)
                if found is None:
                    continue
                is_same = abs(found - expected) <= 1e-9 * max(1.0, abs(expected))
                assert is_same, f"{rule}\n{text(before)}\n{text(after)}\n{at} {sizes} {values}"
                compared += 1
    return compared


@pytest.mark.parametrize("seed", swept(range(25), 5))
def test_every_rule_keeps_the_value(seed: int) -> None:
    writer = Writer(seed)
    with np.errstate(all="ignore"):
        for _ in range(8):
            expression = parse_expression(writer.value(3), SYSTEM)
            for node in expression.walk():
                for rule in RULES:
                    after = rule.apply(node)
                    if after is not None:
                        assert_same(as_value(node), as_value(after), rule.name)
