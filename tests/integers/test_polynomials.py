"""What is proved never to be negative is not, at any sizes; and what a packed triangle asks for is proved."""

from __future__ import annotations

import itertools

import pytest

from symbackprop.integers.polynomials import is_never_negative
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.semantics.integer_values import Positions, integer_value

SYSTEM = parse_system(
    "index i, j : I\nindex d : D = 4\nindex p : P = I*(I+1)/2\ninput x[i], y[j], z[d], t[p]\n"
    "loss E = sum(i, x[i]) + sum(j, y[j]) + sum(d, z[d]) + sum(p, t[p])\n"
)
PROVED = [
    "size(p) - floor((i^2 + i)/2) - i - 1",
    "floor((2*i*size(i) - i^2 - i)/2)",
    "size(i)*(size(i) - 1)/2 - i*(i - 1)/2 - i",
    "size(i)^2 - size(i)",
    "i*(size(i) - 1 - i)",
    "6 - d*(d + 1)/2",
    "d*(7 - d)/2",
]
NOT_PROVED = [
    "size(p) - floor((i^2 + i)/2) - i - 2",
    "size(i)^2 - 2*size(i)",
    "i - 1",
    "5 - d*(d + 1)/2",
    "floor(i/2) - 1",
    "i*j - size(i)",
]


def expression(text: str) -> Expression:
    return parse_expression(text, SYSTEM)


def unread(element: Expression, at: Positions) -> int:
    raise AssertionError(f"{element} is read at {at}")


@pytest.mark.parametrize("text", [*PROVED, *NOT_PROVED])
def test_what_is_proved_is_true(text: str) -> None:
    asked = expression(text)
    assert is_never_negative(asked) == (text in PROVED)
    indices = {index.name: index for index in asked.free_indices}
    lengths = [{"I": size, "D": 4, "P": size * (size + 1) // 2} for size in range(5)]
    values = [
        integer_value(asked, dict(zip(indices.values(), places, strict=True)), sizes, unread)
        for sizes in lengths
        for places in itertools.product(*(range(sizes[index.axis.name]) for index in indices.values()))
    ]
    assert (min(values) >= 0) == (text in PROVED)
