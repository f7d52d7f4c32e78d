"""Facts that no data obey are refused where that can be seen."""

import pytest

from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system

MODEL = """index b : B
index i, j, k : K
input d[b,k], M[i,j], v[i], s
param p[b,k]
{}
loss E = sum(b, k, d[b,k]*p[b,k]^2) + sum(i, j, M[i,j]*v[i]*v[j]) + s
"""
LINE = 5


def with_facts(*facts):
    return parse_system(MODEL.format("\n".join(f"fact {fact}" for fact in facts)))


@pytest.mark.parametrize(
    "facts",
    [
        ("1 == 2",),
        ("2*3 == 7",),
        ("M[i,j] == M[j,i] + 1",),
        ("sum(k, d[b,k]) == 1", "sum(j, d[b,j]) == 2"),
        ("sum(k, 2*d[b,k]) == 2", "sum(k, d[b,k]) == 3"),
        ("sum(k, d[b,k] + 1) == 1", "sum(k, d[b,k]) == 2 - size(k)"),
        ("v[i] == 2", "v[0] == 1"),
        ("v[1] == 1", "v[i] == 2"),
        ("s == v[i]", "v[1] == 3", "s == 4"),
        ("s^2 == 1", "s^2 == 2"),
    ],
)
def test_a_contradiction_is_an_error_at_the_last_fact_of_it(facts):
    with pytest.raises(NotationError, match="no data obey the fact") as raised:
        with_facts(*facts)
    error = raised.value
    assert error.place.line == LINE + len(facts) - 1 and error.remedy
    for number in range(len(facts) - 1):
        assert f"(line {LINE + number})" in error.cause


@pytest.mark.parametrize(
    "facts",
    [
        ("1 == 1",),
        ("6/4 == 3/2",),
        ("M[i,j] == M[j,i]",),
        ("M[i,j] == -M[j,i]", "M[i,i] == 0"),
        ("sum(k, d[b,k]) == 1", "sum(b, k, d[b,k]) == size(b)"),
        ("sum(k, 2*d[b,k]) == 2", "sum(k, d[b,k]) == 1"),
        ("v[0] == 1", "v[1] == 2"),
        ("s == v[0]", "v[1] == 3", "s == 4"),
        ("s^2 == 1", "s == 2"),  # not linear: found by no elimination
    ],
)
def test_facts_that_agree_are_accepted(facts):
    assert len(with_facts(*facts).facts) == len(facts)
