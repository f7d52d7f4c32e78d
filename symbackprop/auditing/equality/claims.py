"""A claimed formula, dE/dW[j,i] = sum(b, (d[b,j]-y[b,j])*x[b,i]), against the derivation.

It is read by the model's own grammar, over the names of model and derivation. Two judges: the algebra brings
both sides to a normal form and certifies their identity over a prime field; values are compared on random
draws. A claim is wrong where values differ, right where they agree on all draws that reach every branch; the
report says whether the algebra proves it as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from numpy.typing import NDArray

from symbackprop.auditing.equality.proof import is_identity
from symbackprop.auditing.expectations import Expectations, sizes_of_conditions
from symbackprop.auditing.hypotheses import Evidence, diagnosis
from symbackprop.auditing.report import AuditReport, Compared, Finding, Verdict
from symbackprop.auditing.terms import Expansion
from symbackprop.errors import LanguageError, NotationError
from symbackprop.handwritten.agreement import agrees, error_of
from symbackprop.handwritten.naming import adjoint_of
from symbackprop.language.model import parse_expression
from symbackprop.languages.phrases import marked, worded
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.substitution import substitute
from symbackprop.sampling.branches import Branches
from symbackprop.sampling.drawing import Draw
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, Role, System, Tensor

Array: TypeAlias = NDArray[Any]

_SIDES = re.compile(r"(?P<left>[^=<>!]+)=(?!=)(?P<right>.+)", re.DOTALL)
OF_ROUNDING = 1e-10  # a relative error on gentle data of a formula that the algebra does not prove
LONGEST = 240  # characters of a difference that says something
PROVED, UNPROVED = worded("equal by algebra, and on every draw"), worded("equal on every draw, not proved")
_NO_INDICES = marked("is a number and has no indices")
_REMEDY = worded('write it as "dE/dW[j,i] = ...", with the loss and the tensor of the model')


@dataclass(frozen=True)
class Claim:
    """dE/dt[indices] = formula, as it was typed and as it was read."""

    text: str
    tensor: str
    indices: tuple[Index, ...]
    formula: Expression


def audit_claims(model: System, claims: Sequence[str]) -> AuditReport:
    """Whether each claimed formula is the derivative that it says.

    UNKNOWN where values agree on all data drawn, the algebra proves nothing, and no data drawn reach some
    branch of the model or of a claim. Raises LanguageError or NotationError where a claim cannot be read,
    DerivationError where there is no such derivative, UncertainError where the model is finite on no data.
    """
    expectations = Expectations.of(model, _asked(model, claims))
    read = [_read(each, expectations) for each in claims]
    together = _with_claims(read, expectations.system)
    branches = Branches(together)

    def reached(draw: Draw) -> frozenset[str]:
        return branches.reached(draw.known, draw.sizes)

    expectations = expectations.reaching(branches, reached, sizes_of_conditions(together))
    unreached = sorted(branches.wanted.difference(*map(reached, expectations.draws)))
    judged = [_judged(each, expectations) for each in read]
    findings = tuple([finding for finding, _ in judged if finding is not None])
    right = [each for each, (finding, _) in zip(read, judged, strict=True) if finding is None]
    compared = tuple([compared for _, compared in judged])
    remarks = [
        worded(
            "values compared on random data of sizes {sizes}",
            sizes="; ".join(map(_sizes, expectations.draws)),
        )
    ]
    verdict = Verdict.WRONG if findings else Verdict.RIGHT
    if unreached:
        remarks.append(
            worded(
                "no data drawn reach {branches}: nothing was compared there", branches=", ".join(unreached)
            )
        )
    if unreached and not findings and any(each.method == UNPROVED for each in compared):
        verdict = Verdict.UNKNOWN
    conventions = tuple(filter(None, [_convention(each, expectations) for each in right]))
    return AuditReport(model.name, verdict, findings, compared, conventions, tuple(remarks))


def _with_claims(claims: Sequence[Claim], system: System) -> System:
    """The model with an equation for each claim that reads the model's own tensors alone."""
    added = [
        Equation(adjoint_of(each.tensor), each.indices, each.formula)
        for each in claims
        if each.formula.tensors <= system.tensors.keys()
    ]
    tensors = {each.tensor: Tensor(each.tensor, each.indices, Role.DERIVED) for each in added}
    return replace(system, tensors={**system.tensors, **tensors}, equations=(*system.equations, *added))


def _sizes(draw: Draw) -> str:
    return ", ".join(f"{axis}={size}" for axis, size in draw.sizes.items()) or "no axes"


def _sides(claim: str) -> tuple[str, str]:
    found = _SIDES.fullmatch(claim.strip())
    if found is None:
        raise LanguageError(worded("the claim '{claim}' is no equation", claim=claim[:80]), remedy=_REMEDY)
    return found["left"].strip(), found["right"].strip()


def _derivatives(model: System) -> re.Pattern[str]:
    """dE/dW, with or without spaces, of the model's loss and any of its tensors."""
    names = "|".join(sorted(map(re.escape, model.tensors), key=len, reverse=True))
    return re.compile(rf"\bd\s*{re.escape(str(model.loss))}\s*/\s*d\s*(?P<tensor>{names})(?![\w'])")


def _asked(model: System, claims: Sequence[str]) -> list[str]:
    """The model's parameters, so that names are those of its own derivation, and what else is claimed."""
    declared = [each.name for each in model.tensors.values() if each.role.value == "param"]
    claimed = [
        found["tensor"]
        for claim in claims
        for found in _derivatives(model).finditer(_sides(claim)[0])
        if found["tensor"] not in model.definitions
    ]
    return list(dict.fromkeys([*declared, *claimed]))


def _read(claim: str, expectations: Expectations) -> Claim:
    adjoints, model = expectations.adjoints, expectations.system

    def named(found: re.Match[str]) -> str:
        adjoint = adjoints.get(found["tensor"])
        if adjoint is None:
            raise LanguageError(
                worded(
                    "{derivative} stands in no derivation: {loss} does not depend on {tensor}, or by no "
                    "way that leads to what is asked for",
                    derivative=found[0],
                    loss=model.loss,
                    tensor=found["tensor"],
                ),
                remedy=worded("the derivation has {adjoints}", adjoints=", ".join(adjoints)),
            )
        return adjoint.equation.tensor

    left, right = (_derivatives(model).sub(named, side) for side in _sides(claim))
    element = _derivative_named(left, expectations)
    by_name = {each.equation.tensor: each.tensor for each in expectations.derivation.adjoints}
    positions = element.children
    if not (
        isinstance(element, Element)
        and element.tensor in by_name
        and all(isinstance(each, Index) for each in positions)
        and len(set(positions)) == len(positions)
    ):
        raise LanguageError(
            worded("'{left}' is no derivative at indices of its own", left=left[:80]), remedy=_REMEDY
        )
    indices = tuple([each for each in positions if isinstance(each, Index)])
    formula = parse_expression(right, expectations.with_adjoints)
    loose = sorted(index.name for index in formula.free_indices - set(indices))
    if loose:
        raise LanguageError(
            worded(
                "the index {index} of '{formula}' stands free, and not on the left",
                index=loose[0],
                formula=right[:80],
            ),
            remedy=worded("sum over it: sum({index}, ...)", index=loose[0]),
        )
    return Claim(claim, by_name[element.tensor], indices, formula)


def _derivative_named(left: str, expectations: Expectations) -> Expression:
    """The left side, read; LanguageError in the claim's own words where the indices do not fit."""
    try:
        return parse_expression(left, expectations.with_adjoints)
    except (LanguageError, NotationError) as error:
        name, _, _ = left.partition("[")
        for adjoint in expectations.derivation.adjoints:
            equation = adjoint.equation
            if equation.tensor == name.strip():
                total = f"d{expectations.loss}/d{adjoint.tensor}"
                names = ",".join(index.name for index in equation.indices)
                some, none = worded("has the indices [{names}]", names=names), worded(_NO_INDICES)
                has = some if names else none
                written = f"{total}[{names}]" if names else total
                raise LanguageError(
                    worded(
                        "{total} {has}, and the claim writes {left}",
                        total=total,
                        has=has,
                        left=left.replace(name, total, 1),
                    ),
                    remedy=worded("write {written} = ...", written=written),
                ) from error
        raise


def _judged(claim: Claim, expectations: Expectations) -> tuple[Finding | None, Compared]:
    adjoint = expectations.adjoints[claim.tensor].equation
    expected = substitute(adjoint.expression, dict(zip(adjoint.indices, claim.indices, strict=True)))
    evidence = _evidence(claim, expected, expectations)
    largest = max(draw.largest for draw in expectations.draws)
    errors = [
        error_of(found, right, largest)
        for found, right in zip(evidence.found, evidence.expected, strict=True)
    ]
    error = max(errors)
    name = f"d{expectations.loss}/d{claim.tensor}"
    equations = [each.equation for each in expectations.derivation.adjoints]
    is_proved = evidence.explained_by(evidence.expected) and is_identity(
        claim.formula, expected, expectations.system, equations
    )
    if is_proved or (errors[0] <= OF_ROUNDING and evidence.explained_by(evidence.expected)):
        method = PROVED if is_proved else UNPROVED
        return None, Compared(name, method, True, error)
    return _finding(claim, name, expected, evidence, expectations), Compared(name, "claimed", False, error)


def _convention(claim: Claim, expectations: Expectations) -> str:
    """What a right formula says otherwise where the model bends; "" where nothing."""
    for draw in expectations.at_kinks:
        found = expectations.evaluated(claim.formula, claim.indices, draw)
        if not agrees(found, draw.adjoints[claim.tensor], draw.largest):
            return worded(
                "the claimed d{loss}/d{tensor} differs where the model bends or ties",
                loss=expectations.loss,
                tensor=claim.tensor,
            )
    return ""


def _finding(
    claim: Claim, name: str, expected: Expression, evidence: Evidence, expectations: Expectations
) -> Finding:
    formula = f"{name}{_positions(claim)} = {text(expected)}"
    should_be = expectations.with_definitions(formula, expected.tensors, claim.formula.tensors)
    found = diagnosis(evidence)
    if found is not None:
        message = found.about(worded("the claimed {name}", name=name))
        return Finding(claim.tensor, found.kind, message, found.remedy, should_be)
    message = worded("the claimed {name} is wrong", name=name)
    remainder = text(_expansion(expectations).difference(claim.formula, expected))
    if len(remainder) <= LONGEST:
        rest = worded("claimed - true = {remainder}", remainder=remainder)
        message = worded("{before}; {item}", before=message, item=rest)
    return Finding(claim.tensor, "other", message, "", should_be)


def _positions(claim: Claim) -> str:
    return f"[{','.join(index.name for index in claim.indices)}]" if claim.indices else ""


def _evidence(claim: Claim, expected: Expression, expectations: Expectations) -> Evidence:
    draws = expectations.draws

    def on_draws(expression: Expression) -> tuple[Array, ...]:
        return tuple([expectations.evaluated(expression, claim.indices, draw) for draw in draws])

    shape = draws[0].adjoints[claim.tensor].shape
    others = {
        f"d{expectations.loss}/d{name}": tuple([draw.adjoints[name] for draw in draws])
        for name in expectations.adjoints
        if name != claim.tensor and shape and draws[0].adjoints[name].shape == shape
    }
    expansion = _expansion(expectations)
    terms = [expansion.tidied(each) for each in expansion.terms(expected)]
    return Evidence(
        claim.tensor,
        on_draws(claim.formula),
        tuple([draw.adjoints[claim.tensor] for draw in draws]),
        tuple([draw.sizes for draw in draws]),
        {text(each): on_draws(each) for each in terms} if len(terms) > 1 else {},
        others,
    )


def _expansion(expectations: Expectations) -> Expansion:
    equations = [each.equation for each in expectations.derivation.adjoints]
    return Expansion(expectations.system, {each.tensor: each for each in equations})
