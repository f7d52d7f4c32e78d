"""What the stable forms are told about the equations behind names."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_system
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.scaled import has_exponentials

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


@pytest.mark.parametrize("step", ["v + a", "2*v", "v + exp(a)", "where(a > 0, v, 0)"])
def test_a_chain_of_names_is_followed_to_any_depth(step: str) -> None:
    chain = [f"v{n} = {step.replace('v', f'v{n - 1}')}" for n in range(1, 400)]
    system = parse_system("\n".join(["param a", "v0 = exp(a)", *chain, "loss E = v399*a", ""]))
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    names = [system.tensor(name).element for name in definitions]
    one_by_one, at_once = (Meanings(definitions, len(definitions)) for _ in range(2))
    assert [has_exponentials(name, at_once) for name in reversed(names)] == [
        has_exponentials(name, one_by_one) for name in names
    ][::-1]
    assert has_exponentials(names[3], at_once) is (step != "v + a")
    assert not at_once.may_reach_logarithm(names[-1])
