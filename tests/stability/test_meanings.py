"""What the stable forms are told about the equations behind names."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.exponentials.exponents import softmax_count
from symbackprop.exponentials.factors import divides_by_exponentials, sums_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials, has_named_scale, scaled
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Element
from symbackprop.schedule.driver import ScheduleSource, schedule_of
from symbackprop.schedule.replaying import replayed
from symbackprop.stability.masks import mask_of_large
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

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


@pytest.mark.parametrize("large", ["exp(a)", "tanh(a)"])
def test_a_mask_is_found_behind_a_chain_of_names(large: str) -> None:
    chain = [f"v{n} = v{n - 1}*b" for n in range(1, 400)]
    head = ["param a, b", f"r = {large}", "v0 = where(r < 5, b, 0)"]
    system = parse_system("\n".join([*head, *chain, "y = r*v399", ""]))
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    found = mask_of_large(system.equations[-1].expression, Meanings(known, len(known)))
    expected = "where(r < 5, r*v399, 0)" if large == "exp(a)" else None
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize(("first", "is_sum"), [("sigmoid(a)", True), ("exp(a)", False), ("tanh(a)", False)])
def test_sigmoids_are_found_behind_a_chain_of_names(first: str, is_sum: bool) -> None:
    chain = [f"v{n} = 2*v{n - 1}" for n in range(1, 400)]
    system = parse_system(
        "\n".join(["param a", f"v0 = {first}", *chain, "loss E = exp(a) + v399*exp(-a)", ""])
    )
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    total = system.definitions["E"].expression
    meanings = Meanings(definitions, len(definitions) - 1)
    assert sums_sigmoids(total, meanings) is is_sum
    assert not sums_sigmoids(total, replace(meanings, known=0))


@pytest.mark.parametrize(("first", "is_taken_in"), [("exp(a)", True), ("a^2", False)])
def test_what_may_be_large_is_found_behind_a_chain_of_names(first: str, is_taken_in: bool) -> None:
    chain = [f"v{n} = v{n - 1} + a*v{n - 1}" for n in range(1, 700)]
    loss = "loss E = v699*where(v699 < 5, a, 0)"
    system = parse_system("\n".join(["param a", f"v0 = {first}", *chain, loss, ""]))
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    found = mask_of_large(system.definitions["E"].expression, Meanings(definitions, len(definitions) - 1))
    assert (found is not None and text(found)) == (is_taken_in and "where(v699 < 5, v699*a, 0)")


RECURRENCES = {
    "products": "a[t] = exp(w*x[t])\nh[t] = a[t]*where(t > 0, h[t-1], 1)\n",
    "sigmoids": "h[t] = sigmoid(w*x[t])*where(t > 0, h[t-1], 1)\n",
    "two names": "a[t] = sigmoid(w*x[t])*where(t > 0, h[t-1], 1)\nh[t] = a[t]*sigmoid(x[t])\n",
    "choices": "h[t] = where(t > 0, sigmoid(w*x[t])*h[t-1], exp(w))\n",
    "squares": "h[t] = (w*x[t])^2 + where(t > 0, h[t-1]^2, 0)\n",
    "every step before": "h[t] = exp(w*x[t]) + sum(s, where(s < t, h[s], 0))\n",
}


@cache
def recurrence(name: str) -> System:
    return parse_system("index t, s : T\nparam w\ninput x[t]\n" + RECURRENCES[name] + "loss E = log(h[0])\n")


def meanings_at(system: System, tensor: str) -> Meanings:
    """What names mean in a tensor's equation."""
    numbers = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    known, _ = numbers[tensor]
    before = {name: found for name, found in numbers.items() if found[0] < known}
    return Meanings(before, known, awaited=frozenset(numbers))


@pytest.mark.parametrize("name", RECURRENCES)
def test_a_recurrence_is_opened_once_and_by_no_rule_that_is_used_again(name: str) -> None:
    system = recurrence(name)
    meanings, h = meanings_at(system, "E"), system.tensor("h").element
    meant, before = meanings.opened(h)
    assert meant == meanings.of(h) == system.definitions["h"].expression
    while "h" not in meant.tensors:  # it reads itself by way of another name
        meant, before = before.opened(system.tensor("a").element)
    again = [each for each in meant.walk() if isinstance(each, Element) and each.tensor == "h"]
    assert again and all(before.of(each) == each for each in again)
    assert meanings.of_earlier(h).tensors & {"a", "h"}


def test_what_reads_earlier_names_alone_is_opened_in_any_case() -> None:
    system = recurrence("products")
    a = system.tensor("a").element
    for tensor in ("h", "E"):
        meanings = meanings_at(system, tensor)
        assert meanings.of_earlier(a) == meanings.of(a) == system.definitions["a"].expression


@pytest.mark.parametrize("name", RECURRENCES)
def test_the_stable_forms_of_what_reads_a_recurrence_come_to_rest(name: str) -> None:
    loss = "sum(t, x[t]/sqrt(h[t]))" if name == "squares" else "sum(t, log(h[t]))"
    text = f"index t, s : T\nparam w\ninput x[t]\n{RECURRENCES[name]}loss E = {loss}\n"
    derivation = derive(parse_system(text))
    schedule = schedule_of(derivation)
    assert replayed(schedule, ScheduleSource.of(derivation))


SUMS = """
index t : T
input x[t]
param u[t]
h[t] = x[t]^2 + exp(u[t])
p[t] = exp(u[t])/h[t]
q[t] = x[t] - 2*p[t]
r[t] = h[t]*exp(u[t])
a[t] = where(t == 0, 0, a[t-1]) + x[t]^2 + exp(u[t])
loss E = sum(t, p[t]*q[t]*r[t]*a[t])
"""


@pytest.mark.parametrize(
    ("tensor", "sees", "sees_alone", "divides"),
    [
        ("x", False, False, False),
        ("h", True, False, False),
        ("p", True, True, True),
        ("q", True, False, True),
        ("a", True, False, False),
    ],
)
def test_sums_with_other_terms_are_seen_through_where_something_is_divided_by_them(
    tensor: str, sees: bool, sees_alone: bool, divides: bool
) -> None:
    system = parse_system(SUMS)
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    meanings = Meanings(definitions, len(definitions))
    element = system.tensor(tensor).element
    assert scaled(element, meanings.with_sums()).is_plain is not sees
    assert divides_by_exponentials(element, meanings) is divides
    assert scaled(element, meanings).is_plain is not sees_alone


@pytest.mark.parametrize(
    ("exponent", "count"),
    [
        ("u[t] - max(0, u[t])", 1),
        ("u[t] - max(max(t, u[t]), x[t])", 1),
        ("max(t, u[t]) - max(x[t], max(t, u[t]))", 1),
        ("x[t] - max(0, u[t])", 0),
        ("-max(0, u[t])", 0),
        ("u[t] - 2*max(0, u[t])", 0),
    ],
)
def test_exponents_that_a_maximum_of_two_shifts(exponent: str, count: int) -> None:
    system = parse_system(f"index t : T\ninput x[t]\nparam u[t]\ny[t] = {exponent}\nloss E = sum(t, y[t])\n")
    assert softmax_count(system.equations[0].expression) == count


def test_a_name_for_what_is_too_large_for_its_place_is_computed_where_it_is_read() -> None:
    terms = " + ".join(f"{number}/({number} + exp({number}*c))" for number in range(2, 30))
    system = parse_system(f"param c, a\nx = {terms}\ny = a*exp(c)*x\n")
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    meanings = Meanings(definitions, len(definitions), taken={"x", "y"}).with_sums()
    found = scaled(system.tensor("x").element, meanings)
    named = meanings.introduced["x"]
    assert list(named.names) == [text(found.exponent), text(found.value)]
    assert [each.element for each in named.equations] == [found.exponent, found.value]
    for reading, expected in ((system.tensor("y").element, []), (found.value, ["x"])):
        meanings.read_by(reading)
        assert list(meanings.computed) == expected
    assert has_named_scale(system.tensor("x").element, meanings)
    assert not has_named_scale(system.tensor("x").element, replace(meanings, sees_sums=False))
