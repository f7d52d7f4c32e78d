"""What the signs mean that a page shows and no textbook has: pad(...), mean(...), where(...), size(...)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from symbackprop.integers.guards import padded_element
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.notation.arithmetic import multiply, power
from symbackprop.notation.expressions import MINUS_ONE, Expression, Reduction, Size, Where
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import Shorthand

# How a page shows what is typed: as it is, or as code.
Typed: TypeAlias = Callable[[str], Any]

_PADDED = marked("{padded} is {element} where {condition}, and 0 elsewhere.")
_IS = marked("{name} is {meaning}.")
_WHERE = marked("{where} is {chosen} where the condition {condition} holds, and {otherwise} elsewhere.")
_SIZE = marked("{size} is {axis}, the size of the axis of {index}.")


@dataclass(frozen=True)
class Sign:
    """A word that printers write; `said` is what it means of a node that it stands for, None of any other."""

    word: str
    said: Callable[[Expression, Typed], Words | None]


def _padded(node: Expression, _typed: Typed) -> Words | None:
    """Where pad(x[t - 1]) is 0, its own condition says."""
    if not isinstance(node, Where) or padded_element(node) is None:
        return None
    return phrase(_PADDED, padded=node, element=node.chosen, condition=node.condition)


def _mean(node: Expression, _typed: Typed) -> Words | None:
    """A sum divided by sizes."""
    if not isinstance(node, Shorthand) or node.word != "mean":
        return None
    total = Reduction("sum", node.indices, *node.arguments)
    divisors = [power(Size(index.axis), MINUS_ONE) for index in node.indices]
    return phrase(_IS, name=node, meaning=multiply(total, *divisors))


def _where(node: Expression, typed: Typed) -> Words | None:
    if not isinstance(node, Where) or padded_element(node) is not None:
        return None
    parts = {"condition": typed("c"), "chosen": typed("f"), "otherwise": typed("g")}
    return phrase(_WHERE, where=typed("where(c, f, g)"), **parts)


def _size(node: Expression, typed: Typed) -> Words | None:
    """size(e) is D, where that is the name of the axis."""
    if not isinstance(node, Size):
        return None
    return phrase(_SIZE, size=typed(text(node)), axis=node.axis.name, index=node.axis.label)


PAD = Sign("pad", _padded)
SIGNS = (PAD, Sign("where", _where), Sign("size", _size), Sign("mean", _mean))


def as_printed(expression: Expression) -> Iterator[Expression]:
    """The nodes that a printer shows: of what is padded the element alone."""
    padded = padded_element(expression)
    yield expression
    for child in expression.children if padded is None else padded.positions:
        yield from as_printed(child)
