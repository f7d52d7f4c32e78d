"""A module on empty axes, and on data of which nothing is known: it computes what is meant, or refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symbackprop.errors import NotationError, VerificationError
from symbackprop.numerics.tolerance import agree, all_finite
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.sampling.related_sizes import following, free_axes
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import DECLARED_ROLES
from symbackprop.verification.conformance import agree_where_told
from symbackprop.verification.results import Compared, Subject, computes, results


def run_on_anything(subject: Subject) -> None:
    """Run a module for which no data are finite; MismatchError unless it computes something or refuses."""
    sizes = model_sizes(subject.model)
    computes(subject, sizes, _values_on(subject, sizes, 1))


def hold_on_empty_axes(subject: Subject) -> None:
    """Hold a module on each open axis empty, where it does not refuse that; MismatchError where it differs.

    First on negative data, on which a factor that a sum leaves behind is undefined most of all.
    """
    usual = model_sizes(subject.model)
    for name in free_axes(subject.model.axes):
        sizes = following(subject.model.axes, {**usual, name: 0})
        for sign in (-1, 1) if sizes is not None else ():
            if sizes is not None and _held_where_defined(subject, sizes, sign):
                break


def _held_where_defined(subject: Subject, sizes: Mapping[str, int], sign: int) -> bool:
    """Hold the module on numbers of one sign; False where the model has no value, so that nothing is said."""
    drawn = _values_on(subject, sizes, sign)
    try:
        values = obeying_facts(subject.model, drawn, sizes)
        known = {} if values is None else evaluate_system(subject.model, values, sizes)
    except (VerificationError, NotationError):  # a maximum of nothing, a remainder by a size of 0
        values, known = None, {}
    if values is None or not np.all(np.isfinite(known[str(subject.model.loss)])):
        computes(subject, sizes, drawn)
        return False
    if not computes(subject, sizes, values):
        return True
    draw = Draw(sizes, values, known, subject.adjoints(known, sizes))
    compared = map(_where_finite, results(subject, draw, is_once=True))
    if not all_finite(draw.adjoints.values()):
        compared = map(_where_computed, compared)
    wrong = [each for each in compared if not agree(each.found, each.expected, 0.0)]
    if wrong and _has_undefined_part(subject, draw):
        return False
    agree_where_told(subject, draw, wrong)
    return True


def _has_undefined_part(subject: Subject, draw: Draw) -> bool:
    """Whether a part is 0/0, as the mean of nothing, less than no number; a module compares its 0."""
    try:
        evaluate_system(subject.model, draw.values, draw.sizes, strict=True)
    except FloatingPointError:
        return True
    return False


def _where_finite(compared: Compared) -> Compared:
    """What was found and what is expected, both 0 where the equations have no finite value."""
    found, expected = np.asarray(compared.found), compared.expected
    if found.shape != expected.shape or np.all(np.isfinite(expected)):
        return compared
    told = np.isfinite(expected)
    return replace(compared, found=np.where(told, found, 0.0), expected=np.where(told, expected, 0.0))


def _where_computed(compared: Compared) -> Compared:
    """The same, both 0 where no number was found: an infinite slope times nothing is nan."""
    found = np.asarray(compared.found)
    if found.shape != compared.expected.shape or np.all(np.isfinite(found)):
        return compared
    told = np.isfinite(found)
    return replace(
        compared, found=np.where(told, found, 0.0), expected=np.where(told, compared.expected, 0.0)
    )


def _values_on(subject: Subject, sizes: Mapping[str, int], sign: int) -> Values:
    rng = np.random.default_rng(0)
    values: Values = {}
    for tensor in subject.model.with_role(*DECLARED_ROLES):
        shape = tuple(sizes[index.axis.name] for index in tensor.indices)
        if tensor.values is None:
            values[tensor.name] = sign * rng.uniform(0.5, 1.5, shape)
        else:
            values[tensor.name] = rng.integers(0, max(1, sizes[tensor.values.name]), shape)
    return values
