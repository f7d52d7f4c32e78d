"""Names that parts of a model get before it is differentiated: each is a step, and a wrong one is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.named_parts import Arguments, Copies, Portions
from symbackprop.derivation.replaying import replayed
from symbackprop.derivation.result import Derivation, Expansion, NamedParts, RestatedEquation
from symbackprop.errors import NotationError, ReplayError
from symbackprop.language.model import parse_system
from symbackprop.lesson.json_document import derivation_json
from symbackprop.notation.arithmetic import multiply, negate
from symbackprop.notation.expressions import Add, Element, Expression, Number, Where
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.rule import Step
from symbackprop.systems.portions import MOST_TERMS
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation, System


def sum_of(count: int) -> str:
    names = ", ".join(f"x{n}" for n in range(count))
    return f"param w\ninput {names}\nloss E = " + " + ".join(f"w*x{n}" for n in range(count)) + "\n"


def sum_of_readers(count: int) -> str:
    readers = "".join(f"v{n} = {n + 2}*w\n" for n in range(count))
    return f"param w\n{readers}loss E = " + " + ".join(f"v{n}" for n in range(count)) + "\n"


MODELS = {
    "portions": sum_of(2 * MOST_TERMS),
    "portions of a nesting": "param x\nloss E = " + "sin(" * 20 + "x" + ")" * 20 + "\n",
    "copies": sum_of_readers(MOST_TERMS + 1),
    "arguments in a recurrence": "index t : T\nindex j, k : J\nparam U[j,k], h0[j]\ninput x[t,j]\n"
    "h[t,j] = where(t == 0, h0[j], tanh(x[t,j] + sum(k, U[j,k]*h[t-1,k])))\nloss E = sum(t, j, h[t,j]^2)\n",
    "a norm": "index b : B\nindex i : I\ninput x[b,i]\nparam a\nloss E = sum(b, 1/norm(i, a*x[b,i]))\n",
    "a softmax": "index i : I\nparam a, v[i]\ninput w[i]\nloss E = sum(i, softmax(i, a*w[i])*v[i])\n",
    "derivatives inside": "index n : N\nindex i : I\ninput x[n,i]\nparam w[i], a\n"
    "u[n] = tanh(sum(i, w[i]*x[n,i]))\nloss E = sum(n, exp(a*sum(i, diff(u[n], x[n,i])*w[i])))\n",
}


@cache
def derivation_of(name: str) -> Derivation:
    return derive(parse_system(MODELS[name]))


def namings(expansion: Expansion) -> list[Step]:
    return [step for step in expansion.steps if isinstance(step.rule, Naming)]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("portions", {Portions}),
        ("portions of a nesting", {Portions}),
        ("copies", {Portions, Copies}),
        ("arguments in a recurrence", {Arguments}),
        ("a norm", {Arguments}),
        ("a softmax", {Arguments}),
        ("derivatives inside", {Arguments}),
    ],
)
def test_each_name_of_a_part_is_given_by_a_step_that_replays(name: str, kinds: set[type[Naming]]) -> None:
    derivation = derivation_of(name)
    steps = namings(derivation.expansion)
    assert {type(step.rule) for step in steps} == kinds
    assert replayed(derivation)["naming"] == len(steps)
    named = {each.tensor for step in steps for each in step.rule.named}  # type: ignore[attr-defined]
    given = derivation.system.definitions.keys() - derivation.model.definitions.keys()
    derived = {each.equation.tensor for each in derivation.expansion.derivations}
    assert named == given - derived


def test_a_derivation_says_so() -> None:
    derivation = derive(parse_system(sum_of(300)))
    assert replayed(derivation)["naming"] == 1
    (step,) = namings(derivation.expansion)
    assert (step.rule.name, len(step.before.children)) == ("name portions", 300)
    (restated,) = json.loads(derivation_json(derivation_of("portions")))["named_parts"]
    justification = restated["steps"][0]["justification"]
    assert (justification["kind"], len(justification["equations"])) == ("naming", 2)


@pytest.mark.parametrize(
    "model",
    [
        sum_of(MOST_TERMS),
        "index i : I\nparam w[i]\nloss E = log(sum(i, exp(w[i])))\n",
    ],
    ids=["as many terms as a portion", "no contraction in a function"],
)
def test_what_needs_no_name_takes_no_step(model: str) -> None:
    derivation = derive(parse_system(model))
    assert not namings(derivation.expansion) and replayed(derivation)["naming"] == 0


# ---- wrong names


def with_parts(derivation: Derivation, place: int, parts: NamedParts) -> Derivation:
    """The derivation where names have been given in another way; what is differentiated stays the same."""
    expansion = derivation.expansion
    before = (*expansion.named_before[:place], parts, *expansion.named_before[place + 1 :])
    is_last = place == len(before) - 1 and not expansion.derivations and not expansion.restated
    stated = parts.after if is_last else expansion.stated
    system = parts.after if is_last else expansion.system
    changed = replace(expansion, named_before=before, stated=stated, system=system)
    return replace(derivation, expansion=changed, system=system)


def with_definition(parts: NamedParts, equation: Equation) -> NamedParts:
    """The parts, of which one is defined otherwise, consistently in the system and in the steps."""

    def other(each: Equation) -> Equation:
        return equation if each.tensor == equation.tensor else each

    restated = tuple([_with_definition(each, equation) for each in parts.restated])
    after = replace(parts.after, equations=tuple(map(other, parts.after.equations)))
    return replace(parts, after=after, restated=restated)


def _with_definition(restated: RestatedEquation, equation: Equation) -> RestatedEquation:
    (step,) = restated.steps
    assert isinstance(step.rule, Naming)
    named = tuple([equation if each.tensor == equation.tensor else each for each in step.rule.named])
    return replace(restated, steps=(replace(step, rule=replace(step.rule, named=named)),))


def wrong_definitions(equation: Equation, system: System) -> Iterator[tuple[str, Equation]]:
    expression = equation.expression
    yield "sign", replace(equation, expression=negate(expression))
    yield "factor", replace(equation, expression=multiply(Number(7), expression))
    yield "circle", replace(equation, expression=equation.element)
    if isinstance(expression, Add):
        yield "dropped term", replace(equation, expression=Add(expression.terms[1:]))
    if isinstance(expression, Where):
        yield "dropped guard", replace(equation, expression=expression.chosen)
    for reader in system.consumers[equation.tensor][:1]:
        yield "circle", replace(equation, expression=reader.element)


@pytest.mark.parametrize("name", MODELS)
def test_a_part_that_is_defined_otherwise_is_refused(name: str) -> None:
    derivation = derivation_of(name)
    refused: Counter[str] = Counter()
    for place, parts in enumerate(derivation.expansion.named_before):
        for equation in parts.after.equations:
            if equation.tensor in parts.before.tensors:
                continue
            for kind, wrong in wrong_definitions(equation, parts.after):
                with pytest.raises(ReplayError):
                    replayed(with_parts(derivation, place, with_definition(parts, wrong)))
                refused[kind] += 1
    assert refused["sign"] and refused["circle"]
    assert bool(refused["dropped guard"]) == (name == "arguments in a recurrence")
    assert bool(refused["dropped term"]) == (name in ("portions", "copies"))


def _changed(restated: RestatedEquation, expression: Expression) -> RestatedEquation:
    (step,) = restated.steps
    equation = replace(restated.equation, expression=expression)
    return replace(restated, steps=(replace(step, after=expression),), equation=equation)


@pytest.mark.parametrize("name", MODELS)
def test_an_equation_that_reads_other_parts_is_refused(name: str) -> None:
    derivation = derivation_of(name)
    for place, parts in enumerate(derivation.expansion.named_before):
        restated = parts.restated[0]
        wrong = _changed(restated, multiply(Number(2), restated.equation.expression))
        equations = [
            wrong.equation if each.tensor == wrong.equation.tensor else each for each in parts.after.equations
        ]
        forged = NamedParts(parts.before, parts.after.with_equations(equations), (wrong, *parts.restated[1:]))
        with pytest.raises(ReplayError):
            replayed(with_parts(derivation, place, forged))
        with pytest.raises(ReplayError, match="not of the model"):
            replayed(with_parts(derivation, place, replace(parts, restated=parts.restated[1:])))


def test_a_name_by_another_rule_or_in_another_system_is_refused() -> None:
    derivation = derivation_of("portions")
    (parts,) = derivation.expansion.named_before
    (restated,) = parts.restated
    (step,) = restated.steps
    assert isinstance(step.rule, Naming)
    other = replace(restated, steps=(replace(step, rule=Copies(step.rule.named)),))
    with pytest.raises(ReplayError, match="does not replay"):
        replayed(with_parts(derivation, 0, replace(parts, restated=(other,))))
    with pytest.raises(ReplayError, match="not of the model"):
        replayed(with_parts(derivation, 0, replace(parts, after=replace(parts.after, loss=None))))
    with pytest.raises(ReplayError, match="not of the model"):
        replayed(replace(derivation, expansion=replace(derivation.expansion, named_before=())))


def test_a_guard_stays_with_what_only_it_lets_be_read() -> None:
    system = derivation_of("arguments in a recurrence").system
    (named,) = [each for each in system.equations if each.tensor.startswith("u_")]
    assert isinstance(named.expression, Where), equation_text(named)
    assert {each.tensor for each in named.expression.walk() if isinstance(each, Element)} == {"x", "U", "h"}


def test_a_part_that_makes_a_circle_is_refused_in_the_models_own_names():
    """The root on the diagonal would be an equation that reads its row and is read by it."""
    model = parse_system(
        "index i, j, k : P\nparam S[i,j]\n"
        "M[i,j] = where(i == j, sqrt(S[i,i] - sum(k, where(k < i, M[i,k]^2, 0))), "
        "where(i > j, S[i,j]/M[j,j], 0))\nloss E = sum(i, log(M[i,i]))\n"
    )
    with pytest.raises(NotationError, match=r"^model:3:1: .* in a circle: M needs M\n"):
        derive(model)
