"""What very many equations read has a gradient in parts, which are as many times fewer."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language.model import parse_system
from symbackprop.systems.fan_out import with_fan_out
from symbackprop.systems.portions import MOST_TERMS
from symbackprop.systems.printing import equation_text


def many_readers(count: int) -> str:
    lines = [f"v{n} = sin(w + {n})" for n in range(count)]
    total = " + ".join(f"v{n}" for n in range(count))
    return "\n".join(["param w", *lines, f"loss E = {total}", ""])


def test_readers_share_copies_and_copies_share_copies() -> None:
    lines = [f"v{n} = w + {n}" for n in range(5)]
    text = "\n".join(["param w", *lines, "loss E = v0 + v1 + v2 + v3 + v4*w", ""])
    equations = with_fan_out(parse_system(text), 2).equations
    assert [equation_text(equation) for equation in equations][:7] == [
        "w_copy_4 = w",
        "w_copy_5 = w",
        "w_copy = w_copy_4",
        "w_copy_2 = w_copy_4",
        "w_copy_3 = w_copy_5",
        "v0 = w_copy + 0",
        "v1 = w_copy + 1",
    ]
    assert equation_text(equations[-1]).endswith("v4*w_copy_3")


def test_an_equation_of_its_own_stands_before_its_copies() -> None:
    text = "param p\nw = sin(p)\na = 2*w\nb = 3*w\nloss E = a + b + w\n"
    copied = with_fan_out(parse_system(text), 2)
    assert [each.tensor for each in copied.equations] == ["w", "w_copy", "w_copy_2", "a", "b", "E"]
    assert all(len(readers) <= 2 for readers in copied.consumers.values())


@pytest.mark.parametrize(
    "text",
    [
        "param w\na = 2*w\nloss E = a + w\n",
        "input w\nparam p\na = 2*w\nb = 3*w\nloss E = a + b + w*p\n",
        "index i, j : I\nparam w[i,j]\nfact w[i,j] == w[j,i]\na = w[0,0]\nb = w[1,0]\nloss E = a*b*w[1,1]\n",
        "param w\na = sin(w)\nb = cos(w)\nloss E = a + b + diff(a, w)\n",
        "index t : T\nparam p\nw[t] = where(t == 0, p, w[t-1]*p)\na = w[0]\nloss E = a + sum(t, w[t]^2)\n",
    ],
    ids=["few readers", "no gradient", "a fact", "a derivative", "a recurrence"],
)
def test_what_is_left_alone(text: str) -> None:
    system = parse_system(text)
    assert with_fan_out(system, 2) == system


def test_no_sum_of_a_gradient_has_more_terms_than_a_portion() -> None:
    model = sb.loads(many_readers(MOST_TERMS + 1))
    derivation = model.derive()
    assert {"w_copy", "w_copy_2"} <= derivation.derivation.system.tensors.keys()
    assert derivation.replay()
    assert derivation.verification
    unchanged = parse_system(many_readers(MOST_TERMS))
    assert with_fan_out(unchanged, MOST_TERMS) == unchanged
