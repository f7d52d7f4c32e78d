"""A derivation as JSON: what was derived from what, by which rule, in the model language and in LaTeX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

from symbackprop.derivation.result import (
    AdjointDerivation,
    Derivation,
    LocalDerivative,
    NamedParts,
    RestatedEquation,
)
from symbackprop.lesson.lesson import result_equations
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.replay import Beside, Composite
from symbackprop.rewriting.rule import Step, Use
from symbackprop.systems.printing import equation_text, fact_text, text
from symbackprop.typesetting.formulas import latex

Json: TypeAlias = bool | int | str | Sequence["Json"] | dict[str, "Json"] | None


def derivation_json(derivation: Derivation) -> str:
    """The whole derivation; every step by itself, also where a text shows several as one."""
    system = derivation.system
    return _dumped(
        {
            "model": system.name,
            "loss": system.loss,
            "wrt": list(derivation.wrt),
            "equations": [equation_text(equation, system.shorthands) for equation in system.equations],
            "facts": [
                fact_text(fact, system.shorthands) for fact in (*system.facts, *system.positive_definite)
            ],
            "named_parts": [_restated(each) for parts in _named(derivation) for each in parts.restated],
            "inner_derivatives": [_adjoint(inner) for inner in derivation.expansion.derivations],
            "restated": [_restated(equation) for equation in derivation.expansion.restated],
            "adjoints": [_adjoint(adjoint) for adjoint in derivation.adjoints],
            "result": _result(derivation),
        }
    )


def result_json(derivation: Derivation) -> str:
    """The gradient's equations alone."""
    return _dumped(
        {
            "model": derivation.system.name,
            "loss": derivation.system.loss,
            "wrt": list(derivation.wrt),
            "result": _result(derivation),
        }
    )


def _dumped(value: Json) -> str:
    return json.dumps(value, indent=2) + "\n"


def _adjoint(adjoint: AdjointDerivation) -> Json:
    return {
        "tensor": adjoint.tensor,
        "name": adjoint.equation.tensor,
        "kept": adjoint.kept,
        "derivative": text(adjoint.total),
        "total": adjoint.total.total,
        "equation": equation_text(adjoint.equation),
        "factors": [_factor(factor) for factor in adjoint.factors],
        "steps": [_step(step) for step in adjoint.steps],
    }


def _named(derivation: Derivation) -> Sequence[NamedParts]:
    """The names that parts of the model's equations have got, and those of what came of its derivatives."""
    return (*derivation.expansion.named_before, *derivation.expansion.named_after)


def _restated(restated: RestatedEquation) -> Json:
    return {
        "stated": equation_text(restated.stated),
        "equation": equation_text(restated.equation),
        "steps": [_step(step) for step in restated.steps],
    }


def _factor(factor: LocalDerivative) -> Json:
    return {
        "equation": equation_text(factor.consumer),
        "derivative": text(factor.derivative),
        "total": factor.derivative.total,
        "value": text(factor.value),
        "latex": latex(factor.value),
        "steps": [_step(step) for step in factor.steps],
    }


def _step(step: Step) -> Json:
    return {
        "rule": step.rule.name,
        "statement": step.rule.statement,
        "place": list(step.place),
        "before": text(step.before),
        "after": text(step.after),
        "latex": latex(step.after),
        "justification": _justification(step.rule),
    }


def _justification(rule: Justification) -> Json:
    """Why the step holds: the rule's name, its kind, what the variables of its pattern stand for.

    Then what it was made from, where it is a rule of this system, the equations that it uses, and the steps
    that it consists of.
    """
    parts = rule.steps if isinstance(rule, Composite | Beside) else ()
    use = rule if isinstance(rule, Use) else None
    return {
        "rule": rule.name,
        "kind": rule.kind,
        "bindings": {variable.name: _bound(value) for variable, value in (use.bindings if use else ())},
        "premise": list(use.premise.lines) if use and use.premise else [],
        "equations": [f"{text(left)} = {text(right)}" for left, right in rule.equations],
        "steps": [_step(step) for step in parts],
    }


def _bound(value: Expression | tuple[Index, ...]) -> str:
    return text(value) if isinstance(value, Expression) else ", ".join(index.name for index in value)


def _result(derivation: Derivation) -> Json:
    return [_line(derivation, left, right) for left, right in result_equations(derivation).lines]


def _line(derivation: Derivation, left: Expression, right: Expression) -> Json:
    """One equation; an adjoint on the way says which derivative it is."""
    name = left.tensor if isinstance(left, Element) else None
    derivative = derivation.meanings.get(name) if name else None
    return {
        "left": text(left),
        "right": text(right),
        "derivative": text(derivative or left),
        "latex": f"{latex(left)} = {latex(right)}",
    }
