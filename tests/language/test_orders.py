"""Sort orders and permutations as integer inputs: declared, checked at the call, drawn, differentiated."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.array.interpreter import interpret
from symbackprop.errors import NotationError, ProgramError
from symbackprop.language.model import parse_system
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.systems.printing import equation_text, system_text
from tests.models.judges import judge

GINI = """
index b : B
index n : N
input x[b,n]
param w[b,n]
input order[b,n] in argsort(w)
s[b,n] = w[b,order[b,n]]
loss E = sum(b, n, (2*n + 1 - size(n))*s[b,n]*x[b,n])
"""
SHUFFLED = """
index n : N
param w[n]
input perm[n] in permutation(N)
loss E = sum(n, n*w[perm[n]]^2)
"""


@pytest.mark.parametrize("sizes", [{"B": 2, "N": 4}, {"B": 3, "N": 1}])
def test_a_sort_has_the_gradient_of_its_order(sizes: dict[str, int]) -> None:
    derivation = judge(GINI, sizes=sizes, steps=False)
    assert equation_text(derivation.gradients["w"]) == (
        "grad_w[b,n] = sum(n', (2*n' + 1 - size(n))*x[b,n']*delta(order[b,n'],n))"
    )


def test_a_permutation_is_any_order() -> None:
    judge(SHUFFLED, sizes={"N": 5})


def test_a_system_says_what_its_orders_are() -> None:
    for model, said in ((GINI, "order[b,n] in argsort(w)"), (SHUFFLED, "perm[n] in permutation(N)")):
        printed = system_text(parse_system(model))
        assert f"input {said}" in printed
        assert system_text(parse_system(printed)) == printed


def test_drawn_orders_sort_what_was_drawn() -> None:
    values = {"w": np.array([[3.0, 1.0, 2.0]]), "order": np.array([[0, 0, 1]]), "x": np.zeros((1, 3))}
    found = obeying_facts(parse_system(GINI), values, {"B": 1, "N": 3})
    assert found is not None
    np.testing.assert_array_equal(found["order"], [[1, 2, 0]])


MODULES = {
    "sorted": (GINI, {"w": np.array([[3.0, 1.0, 1.0]])}, {"x": np.ones((1, 3))}, "order", [[2, 1, 0]]),
    "permuted": (SHUFFLED, {"w": np.arange(3.0)}, {}, "perm", [2, 0, 1]),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_takes_orders_alone(name: str) -> None:
    model, params, others, order, right = MODULES[name]
    derivation = sb.loads(model).derive()
    module = derivation.module()
    module.value_and_grad(params, **others, **{order: right})
    wrong = {"each position of the last axis once": np.zeros_like(right)}
    if name == "sorted":
        wrong["expected np.argsort(w)"] = np.array([[0, 1, 2]])
    for message, given in wrong.items():
        with pytest.raises(ValueError, match=re.escape(message)):
            module.value_and_grad(params, **others, **{order: given})
        with pytest.raises(ProgramError, match=order):
            interpret(derivation.program, {**params, **others, order: given})


def test_an_order_of_no_places_is_one() -> None:
    model, *_ = MODULES["permuted"]
    loss, grads = sb.loads(model).derive().module().value_and_grad({"w": np.zeros(0)}, perm=np.zeros(0, int))
    assert loss == 0 and grads["w"].shape == (0,)


@pytest.mark.parametrize(
    ("declaration", "cause", "remedy"),
    [
        ("input order in permutation(N)", "'order' has no index", "order[n]"),
        ("input order[n] in permutation(M)", "places of axis N along its last index", "permutation(N)"),
        ("input order[n] in permutation(Q)", "unknown axis 'Q'", ""),
        ("input order[n] in argsort(q)", "unknown tensor 'q'", ""),
        ("input order[n] in argsort(z)", "no declared tensor of real numbers", "permutation"),
        ("input order[n] in argsort(ids)", "no declared tensor of real numbers", "permutation"),
        ("input order[m] in argsort(x)", "'order[m]' has other axes than 'x[n]'", "order[n]"),
        ("input order[n] in argsort(a)", "other axes than 'a'", "sort a tensor that has an index"),
        ("input order[n] in sorted(x)", "'sorted' says nothing of integers", "argsort(x)"),
        ("param order[n] in argsort(x)", "a parameter holds real numbers", "declare it as input"),
    ],
)
def test_messages(declaration: str, cause: str, remedy: str) -> None:
    text = f"index n : N\nindex m : M\ninput x[n], a\ninput ids[n] in N\n{declaration}\nparam w[n], v[m]\n"
    text += "z[n] = 2*w[n]\nloss E = sum(n, z[n]*x[n]) + sum(m, v[m])\n"
    with pytest.raises(NotationError) as raised:
        parse_system(text)
    assert cause in raised.value.cause and remedy in raised.value.remedy


def test_argsort_and_permutation_are_words_behind_in_alone() -> None:
    system = parse_system("index n : N\nparam argsort[n]\ninput permutation[n] in argsort(argsort)\nloss E = "
                          "sum(n, n*argsort[permutation[n]])\n")  # fmt: skip
    assert system.tensors["permutation"].sorts == "argsort"


def test_in_is_said_of_the_tensors_back_to_the_last_in() -> None:
    given = 'input a[n] as "a", y[n] in V, p[n] in permutation(N), r[n] in N'
    system = parse_system(
        f"index n : N\nindex v : V\n{given}\nparam w[v], u[n]\n"
        "loss E = sum(n, w[y[n]]*w[a[n]]*u[p[n]]*u[r[n]])\n",
        "several",
    )
    values = {name: system.tensors[name].values for name in "ayr"}
    assert {name: axis and axis.name for name, axis in values.items()} == {"a": "V", "y": "V", "r": "N"}
    assert system.tensors["a"].symbol == "a" and system.tensors["p"].permuted
