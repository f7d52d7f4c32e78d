"""Draws on which the bounds of a model act: silence, constants, a tensor of zeros beside others.

log(max(v, c)) is flat at v = 0, exactly where a form that divides by v has no value. Random data lie there
with probability 0, and those of silent recordings, blank images and dead units always.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.functions.record import Domain as OfFunction
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.draws_at_kinks import exact_sizes
from symbackprop.sampling.finite_data import GENTLE, Domain, Values
from symbackprop.systems.system import DECLARED_ROLES, System

SEED = 5
MOST_ALONE = 3  # tensors that are 0 while the others are not
NAMES_DEEP = 2  # equations between a bound and what has a domain
BOUNDS = frozenset(("max", "min", "abs", "relu"))
SILENCE = Domain("zero", lambda rng, shape: np.zeros(shape))
CONSTANT = Domain("one", lambda rng, shape: np.ones(shape))


def draws_at_bounds(drawing: Drawing) -> Iterator[Draw]:
    """Draws on which model and adjoints are finite, if bounds keep an argument of the model in its domain."""
    if not has_bounds(drawing.system):
        return
    sizes = exact_sizes(drawing.system)
    for values in _data(drawing, sizes):
        try:
            found = drawing.finite_at(values, sizes)
        except VerificationError:
            return  # these sizes do not fit
        draw = None if found is None else drawing.with_adjoints(found, is_at_kinks=True)
        if draw is not None:
            yield draw


def _data(drawing: Drawing, sizes: dict[str, int]) -> Iterator[Values]:
    rng = np.random.default_rng(SEED)
    yield from (drawing.values(sizes, domain, rng) for domain in (SILENCE, CONSTANT))
    reals = [each.name for each in drawing.system.with_role(*DECLARED_ROLES) if each.values is None]
    for name in reals[:MOST_ALONE] if len(reals) > 1 else ():
        values = drawing.values(sizes, GENTLE, rng)
        yield {**values, name: np.zeros_like(values[name])}


def has_bounds(system: System) -> bool:
    """Whether the argument of a quotient, logarithm or root comes from a maximum, minimum or `where`."""
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    return any(_is_bounded(each, system, NAMES_DEEP) for node in nodes for each in _with_domain(node))


def _with_domain(node: Expression) -> tuple[Expression, ...]:
    """The arguments of a node that has no value for some."""
    match node:
        case Power(base, Number(exponent)):
            return (base,) if exponent < 0 or exponent.denominator > 1 else ()
        case Power(base, _):
            return (base,)
        case Apply(function, arguments) if ALL_FUNCTIONS[function].domain is not OfFunction.REALS:
            return arguments
    return ()


def _is_bounded(node: Expression, system: System, names: int) -> bool:
    match node:
        case Apply(function, arguments):
            return function in BOUNDS and any(each.tensors for each in arguments)
        case Where(condition, _, _):
            return bool(condition.tensors)
        case Element(tensor, _):
            equation = system.definitions.get(tensor) if names else None
            return equation is not None and _is_bounded(equation.expression, system, names - 1)
        case Add() | Multiply() | Power() | Reduction("sum", _, _):
            return any(_is_bounded(each, system, names) for each in node.children)
    return False
