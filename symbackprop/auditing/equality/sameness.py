"""Whether two models are equal: their losses, or outputs, and gradients, and where they first are not.

The models state the same tensors by the same names; axes and indices may be called otherwise. What both call
by one name is compared on the way, so that the first difference is said. Values are judged with sixty digits,
so that neither form's rounding passes for a difference, nor hides one; the algebra says whether the losses
are one formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.equality.pairs import Pair
from symbackprop.auditing.equality.proof import have_one_loss
from symbackprop.auditing.hypotheses import Evidence, diagnosis
from symbackprop.auditing.report import AuditReport, Compared, Finding, Verdict
from symbackprop.handwritten.agreement import OF_TENSOR, agrees, error_of
from symbackprop.languages.phrases import Message, worded
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.rounds import stress_rounds
from symbackprop.sampling.small_axes import with_small_axes
from symbackprop.sampling.stress import stressed
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import System

Array: TypeAlias = NDArray[Any]

DIGITS_LOST = 1e-6  # relative error on stressed data that is said
PROVED = worded("the losses are equal by algebra")


def same(first: System, second: System) -> AuditReport:
    """Whether two models have equal losses and gradients for all data, by algebra or as far as data can tell.

    UNKNOWN where the values agree on all data drawn, the algebra does not prove the losses equal, and no data
    drawn reach some branch. Raises NotationError where the models state other tensors, UncertainError where
    no data are found.
    """
    pair = Pair.of(with_small_axes(first), with_small_axes(second))
    subject = worded("{before} and {last}", before=first.name, last=second.name)
    compared = tuple(_compared(pair))
    different = [each for each in compared if not each.is_right]
    if different:
        finding = _where(pair, different[0])
        return AuditReport(subject, Verdict.WRONG, (finding,), compared, answer="not equal")
    is_proved = have_one_loss(pair.first.system, pair.second_over_axes_of_first)
    said = PROVED if is_proved else worded("the algebra does not prove the losses equal")
    conventions = tuple(dict.fromkeys(_at_kinks(pair)))
    remarks = (said, *_digits(pair))
    if pair.unreached and not is_proved:
        branches = ", ".join(pair.unreached)
        finding = Finding(
            pair.first.loss,
            "unreached",
            worded("equal on all data drawn, but none reach {branches}", branches=branches),
        )
        return AuditReport(subject, Verdict.UNKNOWN, (finding,), compared, conventions, remarks)
    return AuditReport(subject, Verdict.RIGHT, (), compared, conventions, remarks, answer="equal")


def _compared(pair: Pair) -> Iterator[Compared]:
    """The losses first, then each gradient."""
    data = list(_judged(pair))
    for name in (pair.first.loss, *pair.first.derivation.wrt):
        said = "loss" if name == pair.first.loss else _gradient(name)
        error = max(errors[name] for _, errors, _ in data)
        is_right = all(errors[name] <= most for _, errors, most in data)
        yield Compared(
            said,
            worded("on random data {data}", data="; ".join(each for each, _, _ in data)),
            is_right,
            error,
        )


def _gradient(name: str) -> Message:
    return worded("gradient with respect to {name}", name=name)


def _judged(pair: Pair) -> Iterator[tuple[str, Mapping[str, float], float]]:
    """Each data, what they are called, the errors on them and the largest that passes for rounding."""
    for draw in pair.first.draws:
        sizes = ",".join(f"{axis}={size}" for axis, size in draw.sizes.items())
        errors = pair.precise_errors(draw.values, draw)
        if errors is None:
            yield worded("of sizes {sizes}", sizes=sizes), _plain_errors(pair, draw), OF_TENSOR
        else:
            yield worded("of sizes {sizes}", sizes=sizes), errors, pair.tolerance
    for kind in _stressed(pair):
        judged = ((name, pair.precise_errors(values, pair.first.draws[0])) for name, values in kind)
        borne = next(((name, errors) for name, errors in judged if errors is not None), None)
        if borne is not None:
            yield (*borne, pair.tolerance)


def _plain_errors(pair: Pair, draw: Draw) -> Mapping[str, float]:
    """The errors in float64, for what is too large for more digits."""
    other = pair.known(draw.values, draw)[pair.second.loss]
    adjoints = pair.adjoints(draw)
    errors = {pair.first.loss: error_of(other, draw.known[pair.first.loss], draw.largest)}
    for name in pair.first.derivation.wrt:
        errors[name] = error_of(adjoints[name], draw.adjoints[name], draw.largest)
    return errors


def _stressed(pair: Pair) -> Iterator[list[tuple[str, Mapping[str, Array]]]]:
    """The first draw shifted, and scaled, the strongest first."""
    draw = pair.first.draws[0]
    for each in stress_rounds(draw.sizes):
        rounds = (each, *each.gentler)
        moved = [stressed(pair.first.system, dict(draw.values), draw.sizes, one.stress) for one in rounds]
        named = zip(rounds, moved, strict=True)
        yield [(one.name, values) for one, values in named if values is not None]


def _is_right(found: list[Array], expected: list[Array], draws: tuple[Draw, ...]) -> bool:
    triples = zip(found, expected, draws, strict=True)
    return all(agrees(one, other, draw.largest) for one, other, draw in triples)


def _where(pair: Pair, first: Compared) -> Finding:
    """The first tensor that both compute by one name and not alike, and by which factor or term."""
    draws = pair.first.draws
    known = [pair.known(draw.values, draw) for draw in draws]
    for equation in pair.first.system.equations:
        name = equation.tensor
        if name in pair.second.system.definitions:
            found = [np.asarray(each[name]) for each in known]
            expected = [np.asarray(draw.known[name]) for draw in draws]
            if not _is_right(found, expected, draws):
                other = pair.second.system.definitions[name]
                lines = f"{equation_text(equation)} and {equation_text(other)}"
                return Finding(name, *_said(name, found, expected, draws), lines)
    found = [np.asarray(each[pair.second.loss]) for each in known]
    expected = [np.asarray(draw.known[pair.first.loss]) for draw in draws]
    if not _is_right(found, expected, draws):
        return Finding(first.tensor, *_said("the loss", found, expected, draws))
    tensor = next((name for name in pair.first.derivation.wrt if _gradient(name) == first.tensor), None)
    if tensor is not None:
        found = [np.asarray(pair.adjoints(draw)[tensor]) for draw in draws]
        expected = [np.asarray(draw.adjoints[tensor]) for draw in draws]
    if _is_right(found, expected, draws):
        error = f"{first.error:.1e}"
        said = worded(
            "{tensor} differs by a relative {error}, which sixty digits show",
            tensor=first.tensor,
            error=error,
        )
        return Finding(first.tensor, "other", said)
    kind, message, remedy = _said(first.tensor, found, expected, draws)
    said = worded("the losses are equal, not the gradients: {sentence}", sentence=message)
    return Finding(first.tensor, kind, said, remedy)


def _said(
    name: str, found: list[Array], expected: list[Array], draws: tuple[Draw, ...]
) -> tuple[str, str, str]:
    """Kind, message and remedy."""
    sizes = tuple([draw.sizes for draw in draws])
    why = diagnosis(Evidence(name, tuple(found), tuple(expected), sizes))
    if why is None:
        return (
            "other",
            worded("{name} differs, and no factor and no order of axes explains it", name=name),
            "",
        )
    return why.kind, worded("{sentence} in the second model", sentence=why.about(name)), why.remedy


def _at_kinks(pair: Pair) -> Iterator[str]:
    for draw in pair.first.at_kinks:
        adjoints = pair.adjoints(draw)
        for name in pair.first.derivation.wrt:
            if not agrees(adjoints[name], draw.adjoints[name], draw.largest):
                yield worded(
                    "the gradient with respect to {name} differs where the model bends or ties", name=name
                )


def _digits(pair: Pair) -> Iterator[str]:
    """Where one of the two, as typed, loses what the other keeps."""
    draw = pair.first.draws[0]
    for said, values in (kind[0] for kind in _stressed(pair) if kind):
        own = evaluate_system(pair.first.system, values, draw.sizes)[pair.first.loss]
        other = pair.known(values, draw)[pair.second.loss]
        finite = [bool(np.isfinite(each)) for each in (own, other)]
        if finite[0] != finite[1] or (all(finite) and error_of(other, np.asarray(own), 0.0) > DIGITS_LOST):
            yield worded(
                "as typed, the losses are {own} and {other} on {data}: digits are lost",
                own=f"{own:.6g}",
                other=f"{other:.6g}",
                data=said,
            )
