"""In which form a line computes what its equation states, and why: no overflow, no log(0), no digit lost."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbackprop.array.ir import AxisSize
from symbackprop.array.program import Statement, Store, statements_in
from symbackprop.explanation.blocks import Code, Remark
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.programs.polynomials import named
from symbackprop.indexing.counting import size_of
from symbackprop.languages.phrases import marked, phrase
from symbackprop.lesson.likewise.derivations import but_for_names
from symbackprop.notation.substitution import bound_names_apart
from symbackprop.rewriting.rule import Step, node_at
from symbackprop.stability.centring import CENTRE_AGAIN
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled

_NO_OVERFLOW = marked("{before} is computed as {after}, in which no exponential overflows.")
_NO_LOG_OF_0 = marked(
    "{before} is computed as {after}, finite where what the logarithm is taken of rounds to 0."
)
_KEEPS_DIGITS = marked("{before} is computed as {after}, which keeps its digits where a difference is small.")
_NOT_EMPTY = marked(
    "{code} is {size} but for an empty axis, over which a mean is 0 then, and not 0/0. An array over that "
    "axis has elements only where {size} is 1 or more, so {size} itself is enough there."
)
_PLAIN = frozenset({"mean"})  # words that say no less than what they stand for
# The forms that a reader would not expect, by their rules; others put what these leave in order.
WHY: Mapping[str, str] = {
    "exponentials above and below": _NO_OVERFLOW,
    "log of exponentials": _NO_OVERFLOW,
    "log of two exponentials": _NO_OVERFLOW,
    "log of cosh": _NO_OVERFLOW,
    "exponential times sigmoid": _NO_OVERFLOW,
    "log of sigmoid": _NO_LOG_OF_0,
    "log of where": _NO_LOG_OF_0,
    "log of product": _NO_LOG_OF_0,
    "log of softplus": _NO_LOG_OF_0,
    "complement of product": _KEEPS_DIGITS,
    "complement of power": _KEEPS_DIGITS,
    "log of difference": _KEEPS_DIGITS,
    "log of one plus": _KEEPS_DIGITS,
    "log of a complement": _KEEPS_DIGITS,
    "difference from a number": _KEEPS_DIGITS,
    "difference from a probability": _KEEPS_DIGITS,
    CENTRE_AGAIN: _KEEPS_DIGITS,
}


@dataclass(frozen=True)
class StableForms:
    """The forms in which the lines of an explanation compute."""

    explanation: Explanation

    def said_of(self, line: Statement | Store) -> Iterator[tuple[Hashable, Remark]]:
        """What is to be said of a line's form, of the whole or of the part that the line computes.

        Each remark with what it says but for the names of tensors: one that says the same is not needed.
        """
        yield from (self._said(line, step) for step in _own_forms(line))
        for other, step in self._by_result.get(text(line.origin.stated.expression), ()):
            yield self._said(other, step)
        for node in line.value.walk():
            if isinstance(node, AxisSize) and node.at_least_one:
                size = text(named(size_of(node.axis)))
                yield _NOT_EMPTY, phrase(_NOT_EMPTY, code=Code(f"max({size}, 1)"), size=Code(size))

    @cached_property
    def _by_result(self) -> Mapping[str, Sequence[tuple[Statement | Store, Step]]]:
        found: dict[str, list[tuple[Statement | Store, Step]]] = {}
        for line in statements_in(
            each for item in self.explanation.computations.items for each in item.lines
        ):
            for step in _own_forms(line):
                found.setdefault(text(node_at(step.after, step.place)), []).append((line, step))
        return found

    def _said(self, line: Statement | Store, step: Step) -> tuple[Hashable, Remark]:
        outer, names = line.origin.stated.element.free_indices, self.explanation.derivation.system.index_names
        before, after = (
            bound_names_apart(node_at(side, step.place), outer, names) for side in (step.before, step.after)
        )
        words = line.origin.shorthands
        after = spelled(after, _PLAIN.intersection(words))
        remark = phrase(WHY[step.rule.name], before=spelled(before, words), after=after)
        return (step.rule.name, but_for_names([before])), remark


def _own_forms(line: Statement | Store) -> Sequence[Step]:
    return [step for step in line.origin.steps if step.rule.name in WHY]
