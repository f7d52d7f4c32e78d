"""A derivation done again: every step replayed, each chain of steps whole from its sign to its equation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from symbackprop.derivation.result import Derivation
from symbackprop.errors import ReplayError
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.replay import replay_all
from symbackprop.rewriting.rule import Step
from symbackprop.systems.printing import text


def replayed(derivation: Derivation) -> Counter[str]:
    """How many steps of which kind there are, all of which replay.

    Raises ReplayError, naming the step, where one does not, or where it does not go on from the step before.
    """
    kinds: Counter[str] = Counter()
    for start, steps, end in _chains(derivation):
        _expect_whole(start, steps, end)
        kinds.update(replay_all(steps))
    return kinds


def _chains(derivation: Derivation) -> Iterator[tuple[Expression, Sequence[Step], Expression]]:
    """Where each run of steps starts, its steps, and where it is said to end."""
    for adjoint in (*derivation.expansion.derivations, *derivation.adjoints):
        for factor in adjoint.factors:
            yield factor.derivative, factor.steps, factor.value
        yield adjoint.total, adjoint.steps, multiply(adjoint.deltas, adjoint.equation.expression)
    for restated in derivation.expansion.restated:
        yield restated.stated.expression, restated.steps, restated.equation.expression


def _expect_whole(start: Expression, steps: Sequence[Step], end: Expression) -> None:
    states = [start, *(side for step in steps for side in (step.before, step.after)), end]
    for left, right in zip(states[::2], states[1::2], strict=True):
        if left != right:
            raise ReplayError(
                f"a step is missing between {text(left)} and {text(right)}",
                remedy="this is a defect of symbackprop; please report the model",
            )
