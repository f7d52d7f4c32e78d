"""Blocks that are equal but for names are found, and a model is the same with three of them."""

import pytest

from symbackprop.language.model import parse_system
from symbackprop.memoization.equal_blocks import longest_chain, with_three_blocks
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import System
from tests.memoization.test_recall import SHARED, dense, layers

CROSSED = "u@[b,i] = v<[b,i]*x<[b,i]", "v@[b,i] = sin(u@[b,i])", "x@[b,i] = v@[b,i] + w@[i]*u@[b,i]"


def shortened(text: str) -> System | None:
    system = parse_system(text)
    chain = longest_chain(system.equations)
    assert chain is not None
    return with_three_blocks(system, chain)


def test_a_block_is_a_layer_however_often_its_equations_look_alike() -> None:
    chain = longest_chain(parse_system(dense(12)).equations)
    assert chain is not None
    assert (chain.first, chain.length, chain.count) == (0, 2, 12)
    assert chain.next["W4"] == "W5" and chain.next["x0"] == "x1" and chain.next["u11"] == "u12"


def test_the_last_of_three_blocks_goes_on_from_the_second() -> None:
    system = shortened(dense(12))
    assert system is not None
    assert system_text(system).splitlines()[-7:] == [
        *("u1[b,i] = sum(j, W1[i,j]*x0[b,j]) + v1[i]", "x1[b,i] = sigmoid(u1[b,i])"),
        *("u2[b,i] = sum(j, W2[i,j]*x1[b,j]) + v2[i]", "x2[b,i] = sigmoid(u2[b,i])"),
        *("u12[b,i] = sum(j, W12[i,j]*x2[b,j]) + v12[i]", "x12[b,i] = sigmoid(u12[b,i])"),
        "loss E = 1/2*sum(b, i, (x12[b,i] - d[b,i])^2)",
    ]
    assert set(system.tensors) == {
        *("x0", "d", "E", "W1", "v1", "u1", "x1", "W2", "v2", "u2", "x2", "W12", "v12", "u12", "x12")
    }


def test_what_all_blocks_read_stays() -> None:
    system = shortened(SHARED)
    assert system is not None
    assert "W" in system.tensors and len(system.equations) == 4


def test_a_block_may_read_several_tensors_of_the_one_before() -> None:
    text = layers(*CROSSED, count=7, declared="param w@[i]").replace("target", "input v0[b,i]\ntarget", 1)
    system = shortened(text)
    assert system is not None
    assert "u7[b,i] = v2[b,i]*x2[b,i]" in system_text(system)


@pytest.mark.parametrize(
    "text",
    [
        dense(9).replace("(x9[b,i]", "(x9[b,i] + x5[b,i]"),
        dense(9).replace("u1[b,i] =", "fact sum(i, v5[i]) == 1\nu1[b,i] ="),
    ],
    ids=["values of a block", "facts"],
)
def test_blocks_stay_that_others_read(text: str) -> None:
    assert shortened(text) is None


def test_what_is_read_elsewhere_too_stays() -> None:
    system = shortened(dense(9).replace("(x9[b,i]", "(x9[b,i] + v5[i]"))
    assert system is not None
    assert "v5" in system.tensors and "W5" not in system.tensors


@pytest.mark.parametrize(
    ("weights", "count"),
    [("WWWWWWWWW", 9), ("WVWVWVWV", 8), ("WUVQRVS", 5), ("WUVQWRS", 5)],
)
def test_a_name_goes_over_into_one_name_all_along_a_chain(weights: str, count: int) -> None:
    equations = [f"x{n}[b,i] = tanh(sum(j, {w}[i,j]*x{n - 1}[b,j]))" for n, w in enumerate(weights, 1)]
    declared = "index b : B\nindex i, j : N\ninput x0[b,i]\nparam " + ", ".join(
        f"{name}[i,j]" for name in sorted(set(weights))
    )
    loss = f"loss E = sum(b, i, x{len(weights)}[b,i])"
    chain = longest_chain(parse_system("\n".join([declared, *equations, loss])).equations)
    assert chain is not None and (chain.length, chain.count) == (1, count)


def test_equations_of_other_shapes_are_no_chain() -> None:
    text = "param w\nu = sin(w)\nv = cos(u)\nloss E = exp(v)"
    assert longest_chain(parse_system(text).equations) is None
