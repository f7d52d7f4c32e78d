"""Schedules done again: every rule replays, and corrupted steps, premises and chains are refused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.errors import ReplayError
from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import add, multiply, negate
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Index, Number
from symbackprop.rewriting.justification import Justification, Premise
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.premises import ChainRuleProducts, KnownRanges, Recurrence
from symbackprop.rewriting.replay import is_anchored, replays
from symbackprop.rewriting.rule import Step, Use
from symbackprop.schedule.driver import Schedule, ScheduleSource, scheduled
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.replaying import REGISTRY, chains, replayed
from symbackprop.stability.centring import DifferenceFromMean
from symbackprop.stability.stable_form import NameDefinitions
from symbackprop.systems.portions import MOST_TERMS
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation
from tests.derivation.corruptions import places_of, results

HEAD = """
index n : N
index e, f : Edge
index i, i2, i3, i' : I
index t, s : T
input dst[e] in N
input at in N
input x[n,i], w[t], M[t,i,i2], g[e]
param c, a, b[i], v[t], q[n]
"""


def large_sum(terms: int) -> str:
    return " + ".join(f"sin({n}*c)" for n in range(2, terms + 2))


# Formulas that between them use every rule, and the tensors by which a loss is differentiated.
MODELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sigmoids": (
        """
p[i] = 1/(1 + exp(b[i]))
r[i] = exp(b[i])*sigmoid(-b[i]) + log(1 + exp(3*b[i]))
o[i] = expm1(b[i])/(1 + exp(b[i]))
y[i] = exp(2*b[i])/expm1(2*b[i]) + log(p[i]) + 2*sum(i2, 3*x[0,i2])
z[i] = softplus(b[i]) - softplus(-b[i]) + silu(b[i]) + sigmoid(b[i]) + (sigmoid(a) - sigmoid(-a))^2
u = 1 - sigmoid(c)
uc = (1/sqrt(1 - sigmoid(c)) + a)*(1 - sigmoid(c))
us[i] = b[i]*(1 - sigmoid(b[i])) + 3 - 3*tanh(b[i])^2
zo[i] = exp(2*b[i])*expm1(a)^2
far = sigmoid(4*c)/softplus(4*c) + log(softplus(a)) + exp(-softplus(3*c)) + 1/(1 - sigmoid(2*a))
near[i] = 1 - (1 - b[i]*a)
powers[i] = sigmoid(b[i])*a - sigmoid(b[i])^2*a
noisy = 1 - prod(i, 1 - sigmoid(b[i]))
dd[i] = tanh((b[i] - c) + (a - w[0]))
cs[i] = sigmoid(b[i])*(w[0]/sigmoid(b[i]) + 1)
rc[i] = w[0]/where(b[i] > 0, sigmoid(b[i]), 1)
lw[i] = log(where(b[i] > 0, exp(b[i]), sigmoid(b[i]))) + log(prod(i2, sigmoid(b[i2])))
fp = (w[0] - noisy)/noisy
bp[i] = prod(i2, sigmoid(-b[i2]))/(noisy - 1)
ds = (sigmoid(c)*(1 - sigmoid(c)) - sigmoid(a)*(1 - sigmoid(a)))/(sigmoid(c) - sigmoid(a))
ec[i] = exp(b[i] + w[0])/(1 - exp(-exp(b[i])))
st = stop(c)
ll = c - log(sum(i, exp(x[0,i])))
""",
        (),
    ),
    "exponentials": (
        """
k = (exp(c) - exp(-c))/(exp(c) + exp(-c))
l = log(cosh(a)) + log(exp(a) - 1) + log(exp(c) + exp(a)) + exp(a - 1)*exp(c)
y[n] = log(sum(i, exp(x[n,i])))
h[i] = q[0]*log(q[0]/b[i])
cn[i] = exp(b[i])*(w[0]/exp(b[i]) + 1)
ml = log(sum(i, exp(3*b[i]))^2/sum(i, exp(2*b[i]))^3)
root = exp(c)^(1/2) + where(c > 0, 0, exp(c))
qq[n] = sqrt(q[n]^2) + where(q[n] > 0, where(q[n] != 0, 1/q[n], 0), 2)
""",
        (),
    ),
    "a softmax over segments": (
        """
m[n] = sum(e, where(dst[e] == n, exp(g[e]), 0))
y[e] = exp(g[e])/m[dst[e]]
z[n] = q[n]*sum(f, delta(dst[f],n)*g[f]/q[dst[f]])
chosen = c*where(size(t) > 2, 1, 0)
""",
        (),
    ),
    "groups of places": (
        """
y[e] = exp(g[e])/sum(f, where(dst[f] == dst[e], exp(g[f]), 0))
z[e] = a*max(f, where(dst[f] == dst[e], g[f], 0)) + sum(f, delta(dst[f],dst[e])*g[f]*q[dst[f]])
rd[e] = sum(n, q[n]*(where(dst[e] == n and q[n] > 0, g[e], 0) - where(dst[e] == n, a, 0)))
""",
        (),
    ),
    "adjoints": ("loss E = sqrt(pad(q[at + 1])) + sum(n, i, x[n,i]*sqrt(a))", ("q", "a")),
    "an exponential": ("loss E = sum(t, v[t]^2*w[t]^3*exp(-v[t])*c)", ("c",)),
    "a mixture of intervals": (
        "pr[n] = sum(i, sigmoid(c - x[n,i]) - sigmoid(a - x[n,i]))\nloss E = sum(n, log(pr[n]))",
        ("x",),
    ),
    "a clipped ratio": ("r[t] = exp(v[t])\nloss E = sum(t, min(r[t]*w[t], min(r[t], c)*w[t]))", ("v", "c")),
    "a survival curve": (
        "H[t] = w[t]^2*exp(v[t])\nS[t] = exp(-H[t])\nloss E = sum(t, (S[t] - c)^2)",
        ("v", "c"),
    ),
    "a mean": (
        "m = sum(i, b[i])/size(i)\nsd = sqrt(sum(i, (b[i] - m)^2)/size(i))\n"
        "z[i] = (b[i] - m)/sd\nloss E = sum(n, i, x[n,i]*z[i])",
        ("b",),
    ),
    "a recurrence": (
        "h[t] = tanh(c*w[t] + v[t] + pad(h[t-1])*sum(i', b[i']^2))\nloss E = h[size(t) - 1]^2",
        ("v", "c"),
    ),
    "a running sum": (
        "r[t] = exp(v[t]) + where(t > 0, r[t-1], 0)\nloss E = sum(t, (c*w[t]/r[t])^3)",
        ("v", "c"),
    ),
    "a running sum whose state has a name": (
        "sb[t] = where(t > 0, z[t-1], 0)\nz[t] = exp(v[t]) + c*sb[t]\nloss E = sum(t, w[t]/z[t])",
        ("v",),
    ),
    "a ratio of running sums": (
        "r[t] = exp(v[t]) + where(t > 0, r[t-1], 0)\nu[t] = exp(v[t])*w[t] + where(t > 0, u[t-1]/2, 0)\n"
        "loss E = sum(t, tanh(u[t]^2/r[t]^2))",
        ("v", "w"),
    ),
    "a recurrence over matrices": (
        """
h[t,i] = where(t > 0, sum(i2, i3, inv(M[t-1])[i,i2]*b[i2]*c*b[i3]), pad(h[t-1,i])*c*w[t])
loss E = sum(i, h[size(t) - 1,i]^2)
""",
        ("b", "c"),
    ),
    "packed axes": (
        """
index p : P = 2*T
input k[n,p]
z[n,t] = k[n,t]*k[n,size(t) + t] + v[t]
d[n,p] = where(p < size(t), v[p]^2, 0)*k[n,p] + where(p >= size(t), c*w[p - size(t)], 0)
loss E = sum(n, t, z[n,t]^2) + sum(n, p, d[n,p]*k[n,p]^2)
""",
        ("k", "v"),
    ),
    "a causal mask in blocks": (
        """
index r, u : R
index p : P = 2*I
input k[r,p], y[r,u]
z[r,u] = softmax(u, where(u <= r, sum(i, k[r,i]*k[u,size(i) + i]), -10))
loss E = sum(r, u, z[r,u]^2*y[r,u])
""",
        ("k",),
    ),
    "a shared factor": ("r[t] = exp(v[t])\nz[t] = r[t]*w[t]\ny[t] = c*z[t]/r[t]", ()),
    "a small complement": ("y[t] = exp(v[t])*(w[t]*(1 - sigmoid(w[t])) + c)", ()),
    "ends of probabilities": (
        "y[t] = log1p(-exp(-v[t]))\nz[t] = sigmoid(w[t]) - where(v[t] > c, 1, 0)",
        (),
    ),
    "a power of a probability": (
        "y[t] = where(sigmoid(v[t]) != 0, w[t]*log(1 - sigmoid(v[t])^exp(c)), 0)",
        (),
    ),
    "powers that nearly cancel": ("loss E = sum(t, ((w[t]^2 + exp(v[t]))^c - exp(v[t])^c - 1)^2)", ("v",)),
    "a share beside a large exponential": (
        "index k : K\nparam l[k], m[k]\nloss E = sum(t, logsumexp(k, m[k] - l[k] - exp(-2*l[k])*w[t]^2))",
        ("l",),
    ),
    "an edge from a node to itself": (
        "input src[e] in N\ny[e,i] = x[src[e],i] - x[dst[e],i]\n"
        "loss E = sum(e, i, g[e]*tanh(y[e,i]/norm(i, y[e,i])))",
        ("x",),
    ),
    "a mean by shares and one by weights": (
        "y[n] = sum(i, softmax(i, c*x[n,i])*x[n,i])\nz = sum(t, exp(a*v[t]))\n"
        "u = sum(t, v[t]*exp(a*v[t]))/z\nloss E = sum(n, y[n]^2) + u^2 + log(z)",
        ("c", "a"),
    ),
    "a large sum": ("y = " + large_sum(MOST_TERMS + 1), ()),
}


@cache
def example(name: str) -> tuple[Schedule, ScheduleSource]:
    formulas, wrt = MODELS[name]
    system = parse_system(HEAD + formulas + "\n")
    source = ScheduleSource.of(derive(system, wrt)) if wrt else ScheduleSource(system)
    return scheduled(source), source


def test_every_rule_of_the_schedule_replays() -> None:
    used: set[str] = set()
    for name in MODELS:
        schedule, source = example(name)
        replayed(schedule, source)
        origins = [item.origin for item in schedule.equations]
        used.update(step.rule.name for each in origins for step in (*each.portions, *each.steps))
    assert used == set(REGISTRY.entries)


def test_a_name_that_is_0_where_nothing_is_read_replays() -> None:
    """Its guard s < t implies the t > 0 around it, which the name does not repeat."""
    formula = "h[t] = where(t > 0, log(sum(s, where(s < t, exp(a*h[s]*v[t]), 0))), c)"
    source = ScheduleSource(parse_system(f"{HEAD}{formula}\n"))
    schedule = scheduled(source)
    named = [equation_text(item.equation) for item in schedule.equations[:-1]]
    assert any("where(s < t, " in each for each in named) and not any("t > 0 and" in each for each in named)
    assert replayed(schedule, source)


def test_names_for_the_exponent_and_the_value_of_an_adjoint_replay() -> None:
    sums = "l = sum(t, exp(v[t])*w[t])\nz = sum(t, exp(v[t]))\ny = (a^2 + l^2)/(1 + z)^2\n"
    source = ScheduleSource.of(
        derive(parse_system(f"{HEAD}{sums}loss E = log(y + c^2) + sqrt(1 + y)\n"), ("v", "w"))
    )
    schedule = scheduled(source)
    named = {item.equation.tensor for item in schedule.equations}
    assert {"delta_l_shift", "delta_l_shifted"} <= named
    assert not {"z_shift", "l_shift"} & named, "what is small stands in its place"
    assert replayed(schedule, source)


def _seven_times(equation: Equation) -> Equation:
    return replace(equation, expression=multiply(Number(7), equation.expression))


def _each_scaled(equations: tuple[Equation, ...]) -> Iterator[tuple[Equation, ...]]:
    for at, each in enumerate(equations):
        yield (*equations[:at], _seven_times(each), *equations[at + 1 :])


def _premises(premise: Premise) -> Iterator[tuple[str, Premise]]:
    """Premises that say what is not so."""
    match premise:
        case NameDefinitions(definitions, named):
            for scaled in _each_scaled(definitions):
                yield "definition", replace(premise, definitions=scaled)
            for at, (tensor, equations) in enumerate(named):
                for scaled in _each_scaled(equations):
                    wrong = (*named[:at], (tensor, scaled), *named[at + 1 :])
                    yield "named sum", replace(premise, named=wrong)
        case ChainRuleProducts(known, derivative):
            for at, each in enumerate(known.tensors):
                if not each.is_positive:
                    positive = replace(each, is_positive=True)
                    ranges = KnownRanges((*known.tensors[:at], positive, *known.tensors[at + 1 :]))
                    yield "range", replace(premise, known=ranges)
            if derivative is not None:
                other = Derivative(derivative.denominator, derivative.numerator, total=True)
                yield "derivative", replace(premise, derivative=other)
        case DifferenceFromMean(_, _, mean):
            if mean is not None:
                yield "mean", replace(premise, mean=_seven_times(mean))
                yield "mean", replace(premise, mean=None)
            yield "difference", replace(premise, difference=add(premise.difference, Number(7)))
        case Recurrence(places, step, _):
            yield "recurrence", replace(premise, places=places[1:])
            yield "recurrence", replace(premise, step=Index("another", step.axis))


def _reasons(rule: Justification) -> Iterator[tuple[str, Justification]]:
    for name in REGISTRY.entries.keys() - {rule.name}:
        yield "name", replace(rule, name=name)
    match rule:
        case Use(premise=Premise() as premise):
            for kind, wrong in _premises(premise):
                yield kind, replace(rule, premise=wrong)
            yield "no premise", replace(rule, premise=None)
        case Naming(named=named):
            for at, scaled in enumerate(_each_scaled(named)):
                yield "name of something else", replace(rule, named=scaled)
                yield "name of nothing", replace(rule, named=(*named[:at], *named[at + 1 :]))


def _corrupted(step: Step, rng: random.Random) -> Iterator[tuple[str, Step]]:
    for corruption in results(step, rng):
        if not corruption.holds:
            yield corruption.kind, corruption.step
    for kind, rule in _reasons(step.rule):
        yield kind, replace(step, rule=rule)
    places = [place for place, _ in places_of(step.before) if place != step.place]
    for place in rng.sample(places, min(4, len(places))):
        yield "place", replace(step, place=place)


def test_corrupted_steps_are_refused() -> None:
    refused: Counter[str] = Counter()
    for name in MODELS:
        rng = random.Random(name)
        for chain in chains(*example(name)):
            for step, grounds in chain.grounded_steps():
                for kind, wrong in _corrupted(step, rng):
                    accepted = replays(wrong, REGISTRY) and is_anchored(wrong, grounds)
                    assert not accepted, f"{name}: {kind} of {step.rule}: {wrong}"
                    refused[kind] += 1
    assert all(refused[kind] > 10 for kind in ("sign", "index", "dropped", "name", "place")), refused
    rare = ("definition", "named sum", "range", "derivative", "recurrence", "no premise")
    assert all(refused[kind] for kind in (*rare, "name of something else", "name of nothing")), refused


def _with(schedule: Schedule, place: int, item: NamedEquation) -> Schedule:
    equations = schedule.equations
    return replace(schedule, equations=(*equations[:place], item, *equations[place + 1 :]))


def _forged(schedule: Schedule) -> Iterator[tuple[str, Schedule]]:
    """Schedules with a step left out, or that compute something else."""
    for place, item in enumerate(schedule.equations):
        steps, expression = item.origin.steps, item.equation.expression
        for at in [at for at, step in enumerate(steps) if step.before != step.after]:
            fewer = replace(item.origin, steps=(*steps[:at], *steps[at + 1 :]))
            yield "a step is missing", _with(schedule, place, replace(item, origin=fewer))
        yield "a step is missing", _with(schedule, place, item.computing(negate(expression)))
        stated = replace(item.origin.stated, expression=negate(item.origin.stated.expression))
        other = item.computing(negate(expression)) if not steps else item
        forged = replace(other, origin=replace(item.origin, stated=stated))
        is_of_source = item.origin.stated.tensor == item.origin.source.tensor
        yield (
            "does not compute" if is_of_source else "a step|rests on|does not replay",
            _with(schedule, place, forged),
        )


@pytest.mark.parametrize("name", ["exponentials", "a recurrence over matrices", "packed axes"])
def test_forged_schedules_are_refused(name: str) -> None:
    schedule, source = example(name)
    for message, forged in _forged(schedule):
        with pytest.raises(ReplayError, match=message):
            replayed(forged, source)


def test_portions_of_a_large_equation_are_named_by_a_step() -> None:
    schedule, source = example("a large sum")
    (y,) = [item for item in schedule.equations if item.equation.tensor == "y"]
    (step,) = y.origin.portions
    assert (step.before, step.rule.name) == (source.system.definitions["y"].expression, "name portions")
    assert replayed(schedule, source)["naming"] == 1
    place = schedule.equations.index(y)
    with pytest.raises(ReplayError, match="does not compute"):
        replayed(_with(schedule, place, replace(y, origin=replace(y.origin, portions=()))), source)
    fewer = replace(step, after=negate(step.after))
    with pytest.raises(ReplayError, match="a step is missing"):
        replayed(_with(schedule, place, replace(y, origin=replace(y.origin, portions=(fewer,)))), source)
    small = scheduled(ScheduleSource(parse_system(HEAD + f"y = {large_sum(MOST_TERMS)}\n")))
    assert not any(item.origin.portions for item in small.equations)


def test_equations_that_name_one_another_are_refused() -> None:
    source = ScheduleSource(
        parse_system(HEAD + "y[n] = sum(i, exp(x[n,i])*q[n])\nz[n] = sum(i, exp(x[n,i])*q[n])\n")
    )
    schedule = scheduled(source)
    y, z = schedule.equations
    (step,) = z.origin.steps
    assert isinstance(step.rule, Naming)
    named = replace(step.rule, named=(z.origin.stated,))
    circle = replace(step, before=step.before, after=z.equation.element, rule=named)
    wrong = y.computing(z.equation.element, (circle,))
    with pytest.raises(ReplayError, match="circle"):
        replayed(replace(schedule, equations=(wrong, z)), source)


def test_a_schedule_of_another_model_is_refused() -> None:
    schedule, _ = example("sigmoids")
    _, source = example("exponentials")
    with pytest.raises(ReplayError, match="does not compute"):
        replayed(schedule, source)
