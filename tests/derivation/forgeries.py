"""Forged steps, made from real ones: facts, symmetries and premises that the model does not state.

And arguments of functions that are not defined everywhere, where nobody knows that they lie inside.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from symbackprop.algebra.identity import Identity
from symbackprop.algebra.phases import RULES_OF_FACTS
from symbackprop.algebra.reassociation import Regrouping
from symbackprop.derivation.grounds import Grounds
from symbackprop.errors import VerificationError
from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import add, negate
from symbackprop.notation.derivatives import Derivative, InnerDerivative, PartialDerivative
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.justification import Premise
from symbackprop.rewriting.premises import KnownRanges, Matrices, Recurrence, TensorRange
from symbackprop.rewriting.rule import FactUse, Path, Step, Use, WholeUse, node_at, replace_at
from symbackprop.rules.stated_facts import FACT, Stated, fact_rules
from symbackprop.rules.support import Guarding
from symbackprop.rules.symmetry import SYMMETRY, Symmetries, oriented_by
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.system import Fact
from tests.derivation.corruptions import Corruption

SIGNS = (Derivative, InnerDerivative, PartialDerivative)


def forgeries(step: Step, grounds: Grounds, rng: random.Random) -> Iterator[Corruption]:
    """Some of every kind that the step can suffer."""
    yield from _facts(step)
    yield from _symmetries(step, grounds)
    yield from _premises(step, grounds)
    yield from _logarithms(step, rng)


# ---- fact, symmetry: what the model does not state


def _facts(step: Step) -> Iterator[Corruption]:
    """The step itself as a fact, and a real fact with a number more on its right."""
    use = step.rule
    if isinstance(use, Use) and isinstance(use.premise, Stated):
        fact = use.premise.fact
        for number in range(2, 5):
            yield _by_fact(step, Fact(fact.left, add(fact.right, Number(number))))
    sides = (step.before, step.after)
    if not any(isinstance(each, SIGNS) for side in sides for each in side.walk()):
        yield _by_fact(replace(step, place=()), Fact(*sides))


def _by_fact(step: Step, fact: Fact) -> Corruption:
    node, stated = node_at(step.before, step.place), Stated(fact)
    rule = next((each.rule for each in fact_rules((fact,), RULES_OF_FACTS)), None)
    made = rule.apply(node) if rule else None
    if rule is None or made is None:
        return Corruption("fact", replace(step, rule=FactUse(FACT, stated.statement, "size", stated)))
    after = replace_at(step.before, step.place, made)
    return Corruption("fact", replace(step, rule=rule.used_on(node), after=after))


def _symmetries(step: Step, grounds: Grounds) -> Iterator[Corruption]:
    """A matrix that is not symmetric turned round, and called so where that is asked for."""
    square = {
        node.tensor: node.positions[-1].axis
        for node in step.before.walk()
        if isinstance(node, Element) and _is_square(node) and not grounds.is_symmetric(node.tensor)
    }
    for tensor, axis in square.items():
        indices = sorted({node for node in step.before.walk() if isinstance(node, Index)}, key=str)
        for names in (indices, indices[::-1]):
            fact = f"fact {tensor}[i,j] == {tensor}[j,i]"
            premise = Symmetries((("", tensor, fact),), ((axis, tuple(names)),))
            rule = oriented_by(premise)
            after = rule.apply(step.before)
            if after is not None:
                yield Corruption("symmetry", Step(rule.cited(premise, ()), (), step.before, after))
        yield Corruption("symmetry", replace(step, rule=WholeUse(SYMMETRY, "", "", None)))
        if isinstance(step.rule, Regrouping):
            symmetric = step.rule.symmetric | {tensor}
            yield Corruption("symmetry", replace(step, rule=replace(step.rule, symmetric=symmetric)))
    if isinstance(step.rule, Use) and isinstance(step.rule.premise, Symmetries):
        for kind, tensor, _ in step.rule.premise.used:
            premise = replace(step.rule.premise, used=((kind, tensor, "for the asking"),))
            yield Corruption("symmetry", replace(step, rule=oriented_by(premise).cited(premise, ())))


def _is_square(node: Element) -> bool:
    match node.positions:
        case (*_, Index() as row, Index() as column):
            return row.axis == column.axis and row != column
    return False


# ---- exp(log): another argument of a function that is not defined everywhere


def _logarithms(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """A value as exp(log(f)), as the square of its root, and beside a power and its inverse."""
    nodes = [(place, node) for place, node in _values(step.before) if not isinstance(node, Number)]
    for place, node in rng.sample(nodes, min(2, len(nodes))):
        least = _least_value(node)
        power = Power(node, Element("?")), Power(node, negate(Element("?")))
        for wrapped, holds in (
            (Apply("exp", (Apply("log", (node,)),)), least > 0),
            (Power(Power(node, Number(Fraction(1, 2))), Number(Fraction(2))), least >= 0),
            (Multiply((node, *power)), least > 0),
        ):
            after = replace_at(step.before, place, wrapped)
            yield Corruption("exp(log)", Step(Identity((), ()), place, step.before, after), holds)


def _values(expression: Expression, place: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """The nodes that are values: no signs of derivatives, positions or conditions."""
    if any(isinstance(node, SIGNS) for node in expression.walk()):
        return
    yield place, expression
    if isinstance(expression, Add | Multiply | Apply | Reduction | Power | Where):
        for number, child in enumerate(expression.children):
            if not (isinstance(expression, Where) and number == 0) and not isinstance(child, Index):
                yield from _values(child, (*place, number))


def _least_value(node: Expression) -> float:
    """The least of some draws, at the second places of its indices; of those that are defined."""
    rng = np.random.default_rng(0)
    nodes = tuple(node.walk())
    reads = {each.tensor: len(each.children) for each in nodes if isinstance(each, Element | MatrixFunction)}
    axes = {each.axis.name for each in nodes if isinstance(each, Index | Size)}
    axes |= {index.axis.name for each in nodes if isinstance(each, Reduction) for index in each.indices}
    least = math.inf
    for _ in range(8):
        values = {name: rng.normal(size=(3,) * rank) for name, rank in reads.items()}
        evaluator = NaiveEvaluator(values, dict.fromkeys(axes, 3))
        try:
            with np.errstate(all="ignore"):
                value = float(evaluator.expression(node, dict.fromkeys(node.free_indices, 1)))
        except (ArithmeticError, VerificationError):
            value = math.nan
        least = min(least, value) if math.isfinite(value) else least
    return least


# ---- premise: what a rule of the system was made from


def _premises(step: Step, grounds: Grounds) -> Iterator[Corruption]:
    rule = step.rule
    if isinstance(rule, Use):
        for premise in _forged(rule.premise, grounds):
            yield Corruption("premise", replace(step, rule=replace(rule, premise=premise)))
    if isinstance(rule, Guarding):
        for adjoint, conditions in rule.support:
            for condition in conditions:
                forged = ((adjoint, (*conditions, negated(condition))),)
                yield Corruption("premise", replace(step, rule=replace(rule, support=forged)))


def _forged(premise: Premise | None, grounds: Grounds) -> Iterator[Premise]:
    match premise:
        case KnownRanges(tensors):
            for at, known in enumerate(tensors):
                for forged in _forged_ranges(known, grounds):
                    yield KnownRanges((*tensors[:at], forged, *tensors[at + 1 :]))
        case Recurrence(places, step, known):
            yield from (Recurrence((), step, known), Recurrence((*places, ("x", 0)), step, known))
            yield Recurrence(tuple([(name, place + 1) for name, place in places]), step, known)
            yield Recurrence(places, Index("t'", step.axis), known)
            for ranges in _forged(known, grounds):
                assert isinstance(ranges, KnownRanges)
                yield Recurrence(places, step, ranges)
        case Matrices(symmetric, definitions):
            yield Matrices(symmetric | {"A"}, definitions)
            for each in definitions:
                yield Matrices(symmetric, (replace(each, expression=add(each.expression, each.expression)),))


def _forged_ranges(known: TensorRange, grounds: Grounds) -> Iterator[TensorRange]:
    yield replace(known, axes=(Axis("ELSEWHERE", "e"),))
    yield replace(known, tensor="nobody")
    if not grounds.is_positive(known.tensor):
        yield replace(known, is_positive=True)
    if not grounds.is_nonnegative(known.tensor):
        yield replace(known, is_nonnegative=True)
    if not grounds.is_defined(known.tensor) and known.axes is not None:
        yield replace(known, is_undefined=False)
