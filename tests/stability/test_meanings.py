"""What the stable forms are told about the equations behind names."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_system
from symbackprop.stability.meanings import Meanings

MODEL = """
index n : N
input x[n]
a[n] = log(x[n])
b[n] = 2*a[n] + x[n]
c[n] = tanh(a[n])
d[n] = x[n]*c[n]
loss E = sum(n, b[n]*d[n])
"""


@pytest.mark.parametrize(
    ("tensor", "leads"), [("x", False), ("a", True), ("b", True), ("c", False), ("d", False), ("E", False)]
)
def test_sums_products_and_names_lead_to_a_logarithm(tensor: str, leads: bool) -> None:
    system = parse_system(MODEL)
    meanings = Meanings({each.tensor: (number, each) for number, each in enumerate(system.equations)})
    assert meanings.may_reach_logarithm(system.tensor(tensor).element) is leads


def test_a_name_whose_equation_is_to_come_may_lead_to_a_logarithm() -> None:
    system = parse_system(MODEL)
    element = system.tensor("a").element
    assert Meanings(awaited=frozenset({"a"})).may_reach_logarithm(element)
    assert not Meanings().may_reach_logarithm(element)
