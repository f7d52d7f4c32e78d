"""What the signs mean that an explanation shows: Kronecker's delta, the words of a lesson, functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from symbackprop.array.program import statements_in
from symbackprop.explanation.blocks import Code, Remark
from symbackprop.explanation.explanation import Explanation
from symbackprop.functions.table import definition_of
from symbackprop.languages.phrases import phrase
from symbackprop.lesson.local_derivatives import delta_said
from symbackprop.lesson.signs import SIGNS, as_printed
from symbackprop.notation.expressions import Apply, Delta, Element, Expression, Index
from symbackprop.systems.shorthands import spelled

_ARGUMENT = Element("f")


def signs_shown(explanation: Explanation) -> Iterator[Remark]:
    """A sentence for each sign that the page shows."""
    nodes = [node for each in _formulas(explanation) for node in as_printed(each)]
    deltas = [node for node in nodes if isinstance(node, Delta)]
    if deltas:
        plain = (each for each in deltas if all(isinstance(side, Index) for side in each.children))
        yield delta_said(next(plain, deltas[0]))
    for sign in SIGNS:
        # As the comments of the code write them: a page that sets formulas has D for size(e).
        meanings = (sign.said(node, Code) for node in nodes)
        yield from islice((each for each in meanings if each is not None), 1)
    yield from map(_defined, _functions(explanation))


def _functions(explanation: Explanation) -> Iterator[str]:
    """The functions of the model that are short for formulas of others, as sigmoid is."""
    words = explanation.derivation.system.shorthands
    stated = (spelled(each.expression, words) for each in explanation.derivation.system.equations)
    nodes = (node for each in stated for node in each.walk() if isinstance(node, Apply))
    for name in dict.fromkeys(node.function for node in nodes if len(node.arguments) == 1):
        if definition_of(Apply(name, (_ARGUMENT,))) is not None:
            yield name


def _defined(function: str) -> Remark:
    named = Apply(function, (_ARGUMENT,))
    return phrase("{name} is {meaning}.", name=named, meaning=definition_of(named))


def _formulas(explanation: Explanation) -> Iterable[Expression]:
    words = explanation.derivation.system.shorthands
    for product in explanation.chain_rule.products:
        yield product.value
        yield from (spelled(factor.value, words) for factor in product.factors)
    for line in statements_in(line for each in explanation.computations.items for line in each.lines):
        yield spelled(line.origin.stated.expression, line.origin.shorthands)
