"""Steps that are renamed when they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.notation.expressions import Element, Expression
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps

A = Step(Renaming(), (), Element("a"), Element("b"))
B = Step(Renaming(), (), Element("b"), Element("c"))


def names_of(steps: Steps) -> list[str]:
    return [f"{step.before}{step.after}" for step in steps]


def test_steps_are_joined_and_renamed_in_turn() -> None:
    steps = Steps((A,)).renamed({"a": "b", "b": "d"}).followed_by((B,)).renamed({"b": "e"})
    assert names_of(steps) == ["ed", "ec"]
    assert names_of(steps.followed_by(Steps((A,)))) == ["ed", "ec", "ab"]
    assert list(steps.as_found) == list(steps)  # read by now


def test_nothing_is_renamed_before_it_is_read() -> None:
    @dataclass(frozen=True)
    class Watched(Step):
        read: list[str] = field(default_factory=list)

        def renamed(self, names: Mapping[str, str]) -> Step:
            self.read.append(str(self.before))
            return super().renamed(names)

    def watched(before: Expression) -> Watched:
        return Watched(Renaming(), (), before, before)

    one, other = watched(Element("a")), watched(Element("b"))
    steps = Steps((one, other)).renamed({"a": "n"}).followed_by((A,))
    assert len(steps) == 3
    assert list(steps.as_found) == [one, other, A]
    assert not (one.read or other.read)
    assert str(steps[0].before) == "n"
    assert steps[0] is steps[0]
    assert (one.read, other.read) == (["a"], [])
    assert steps[1:] == (Step(Renaming(), (), Element("b"), Element("b")), A)


def test_empty() -> None:
    assert not Steps()
    assert Steps() == Steps(()).renamed({"a": "b"}) == ()
