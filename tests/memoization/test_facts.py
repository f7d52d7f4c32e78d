"""Which facts bear on a result: those that speak of what came up there, found without asking all."""

import pytest

from symbackprop.language.model import parse_system
from symbackprop.memoization import watched_scope
from symbackprop.memoization.watched_scope import FactsByTensor
from symbackprop.notation.expressions import Number
from symbackprop.systems.system import Fact

HEAD = "index i : N\ninput p[i], q[i], r[i]\nparam w\n"
FACTS = "fact sum(i, p[i]) == 1\nfact sum(i, q[i]) == sum(i, r[i])\n"
PROBABILITY, EQUAL = parse_system(HEAD + FACTS + "loss E = w*sum(i, p[i])\n").facts
NUMBERS = Fact(Number(2), Number(2))


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        (["p"], [PROBABILITY, NUMBERS]),
        (["p", "w"], [PROBABILITY, NUMBERS]),
        (["w"], [NUMBERS]),
        (["r"], [EQUAL, NUMBERS]),  # by one of its sides
        (["r", "p"], [PROBABILITY, EQUAL, NUMBERS]),
        ([], [NUMBERS]),
    ],
)
def test_facts_are_found_by_what_one_side_speaks_of(tensors: list[str], expected: list[Fact]) -> None:
    assert FactsByTensor((PROBABILITY, EQUAL, NUMBERS)).about(tensors) == tuple(expected)


def test_a_side_that_speaks_of_another_tensor_too_is_none() -> None:
    text = "index i : N\ninput p[i], q[i]\nparam w\nfact sum(i, p[i]*q[i]) == 1\nloss E = w*sum(i, p[i])\n"
    facts = FactsByTensor(parse_system(text).facts)
    assert facts.about(["p"]) == ()
    assert facts.about(["p", "q", "w"]) == facts.facts


def test_only_facts_near_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer has facts of its own; to compare all of them with each layer took time by the square."""
    names = [f"p{number}" for number in range(200)]
    declared = "".join(f"input {name}[i]\nfact sum(i, {name}[i]) == 1\n" for name in names)
    facts = FactsByTensor(parse_system(f"index i : N\nparam w\n{declared}loss E = w*sum(i, p0[i])\n").facts)
    looked_at: list[Fact] = []
    sides_of = watched_scope._sides_of

    def counted(fact: Fact) -> list[frozenset[str]]:
        looked_at.append(fact)
        return sides_of(fact)

    monkeypatch.setattr(watched_scope, "_sides_of", counted)
    assert len(facts.about(["p7", "p150", "w"])) == len(looked_at) == 2
