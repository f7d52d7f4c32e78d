"""Sums of terms and of nested maxima, drawn at random: what puts differences in order keeps their value."""

from __future__ import annotations

import random

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.arithmetic import add, multiply, negate, terms_of
from symbackprop.notation.expressions import ZERO, Apply, Element, Expression, Number
from symbackprop.pipeline import loads
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.stability.multiples import differences_first, multiples_first, multiples_last
from symbackprop.systems.printing import text
from tests.stability.test_random_compositions import truth

NAMES = "fgh"


def exponent(rng: random.Random, depth: int) -> Expression:
    numbers = rng.choices((1, 1, 1, 2, -1, -3), k=rng.randint(1, 2))
    terms = [multiply(Number(number), Element(rng.choice(NAMES))) for number in numbers]
    inner = [largest(rng, depth - 1)] if depth and rng.random() < 0.6 else []
    return add(*terms, *inner)


def largest(rng: random.Random, depth: int) -> Apply:
    first = ZERO if rng.random() < 0.3 else exponent(rng, depth)
    return Apply("max", (first, exponent(rng, depth)))


def shifted(rng: random.Random) -> Expression:
    """Less a maximum, with some of the terms that it is the largest of."""
    maximum = largest(rng, 2)
    terms = [part for each in rng.choices(maximum.arguments, k=3) for part in terms_of(each)]
    terms += [exponent(rng, 1) for _ in range(3)]
    return add(negate(maximum), *rng.sample(terms, rng.randint(1, len(terms) // 2)))


@pytest.mark.parametrize("rule", [differences_first, multiples_first, multiples_last])
def test_values_are_kept(rule):
    rng = random.Random(11)
    used = 0
    for typed in (shifted(rng) for _ in range(300)):
        found = rule(typed, Meanings())
        if found is None:
            continue
        used += 1
        # Whole numbers, which no order of adding them rounds.
        values = {name: np.array(float(rng.randint(-9, 9))) for name in NAMES}
        before, after = (NaiveEvaluator(values, {}).expression(each) for each in (typed, found))
        assert after == before, f"{text(typed)} became {text(found)}"
    assert used


def test_what_powers_of_sigmoids_leave_of_1_in_a_denominator() -> None:
    model = loads("param f, g, h\np = sigmoid(g)^2\nq = sigmoid(f)\nloss L = p*q/((1 - p*p*q)*(1 + h^2*q))\n")
    values = {"f": np.array(0.7), "g": np.array(0.4), "h": np.array(0.3)}
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for each, found in {"L": loss, **gradients}.items():
        np.testing.assert_allclose(found, truth(model.system, values, 60)[each], 1e-13, err_msg=each)
