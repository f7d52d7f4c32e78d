"""What stable forms cost grows with the number of layers, not with its square."""

import numpy as np
import pytest

from symbackprop.exponentials import factors
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scales import outgrows
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule import stability

HEAD = "index b : B\nindex i, j : I\ninput x0[b,i]\ntarget d[b,i]\n"
SOFTMAX = (
    "param W@[i,j]\n"
    "p@[b,i] = exp(x<[b,i])/sum(i, exp(x<[b,i]))\n"
    "x@[b,i] = x<[b,i] + sum(j, W@[i,j]*p@[b,j])\n"
)
NORM = (
    "param g@[i]\n"
    "m@[b] = mean(i, x<[b,i])\n"
    "h@[b,i] = (x<[b,i] - m@[b])/sqrt(mean(i, (x<[b,i] - m@[b])^2) + 1e-5)\n"
    "x@[b,i] = tanh(g@[i]*h@[b,i])\n"
)


def derived(layer: str, count: int, loss: str = "(x@[b,i] - d[b,i])^2") -> ModelDerivation:
    numbers = range(1, count + 1)
    layers = "".join(layer.replace("@", str(n)).replace("<", str(n - 1)) for n in numbers)
    summand = loss.replace("@", str(count))
    return loads(f"{HEAD}{layers}loss E = 1/2*sum(b, i, {summand})\n").derive()


def test_names_are_opened_once_for_all_that_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Expression] = []
    opened = factors._opened

    def counted(node: Expression, meanings: Meanings) -> tuple[Expression, ...]:
        calls.append(node)
        return opened(node, meanings)

    monkeypatch.setattr(factors, "_opened", counted)

    def number(layers: int) -> int:
        calls.clear()
        assert derived(SOFTMAX, layers, "log(1 + x@[b,i]^2)").schedule
        return len(calls)

    two, four, eight = number(2), number(4), number(8)
    assert four - two > 0
    assert eight - four <= 2.5 * (four - two)


def test_a_mean_is_taken_away_where_the_difference_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Rule] = []
    of = stability.CentringRules.of

    def counted(self: stability.CentringRules, expression: Expression) -> tuple[Rule, ...]:
        tried.extend(found := of(self, expression))
        return found

    monkeypatch.setattr(stability.CentringRules, "of", counted)

    def number(layers: int) -> tuple[int, int]:
        tried.clear()
        equations = derived(NORM, layers).schedule.equations
        used = [step for each in equations for step in each.origin.steps if step.rule.name == "centre again"]
        return len(tried), len(used)

    (tried_for_two, used_for_two), (tried_for_four, used_for_four) = number(2), number(4)
    assert 0 < used_for_two < used_for_four
    assert tried_for_two == 2 * used_for_two  # in both signs
    assert tried_for_four == 2 * used_for_four


def test_what_is_behind_names_is_looked_through_once_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Expression] = []
    opened = Meanings.opened

    def counted(meanings: Meanings, node: Expression) -> tuple[Expression, Meanings]:
        calls.append(node)
        return opened(meanings, node)

    monkeypatch.setattr(Meanings, "opened", counted)
    numbers: list[int] = []
    for count in (3, 6, 12):  # so few that none is unfolded
        calls.clear()
        _ = derived(SOFTMAX, count).schedule
        numbers.append(len(calls))
    few, some, many = numbers
    assert 0 < many - some < 2.1 * (some - few)


def test_two_recurrences_that_divide_by_one_another_are_left_as_typed() -> None:
    """Each opened in the shift of the other made 127,000 characters, and nan from the second step on."""
    text = (
        "index m : M\nindex n : N\nindex t : T\ninput r[m], s[n]\nparam D[m,n]\nK[m,n] = exp(-D[m,n])\n"
        "p[t,m] = r[m]/sum(n, K[m,n]*where(t == 0, 1, q[t-1,n]))\nq[t,n] = s[n]/sum(m, K[m,n]*p[t,m])\n"
        "loss E = sum(n, q[size(t)-1,n])\n"
    )
    derivation = loads(text).derive()
    module = derivation.module(verify=False)
    assert len(derivation.to_numpy(verify=False)) < 15_000
    rng = np.random.default_rng(0)
    costs, given = rng.normal(size=(3, 2)), (rng.uniform(0.5, 1, 3), rng.uniform(0.5, 1, 2))
    for steps in (1, 2, 4):
        found = module.grad({"D": costs}, *given, steps)["D"]
        for place in np.ndindex(costs.shape):
            step = np.zeros_like(costs)
            step[place] = 1e-6
            ends = [module.loss({"D": costs + sign * step}, *given, steps) for sign in (1, -1)]
            np.testing.assert_allclose(found[place], (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("typed", "nodes", "is_too_long"),
    [(20, 2400, False), (20, 3100, True), (70, 2400, False), (70, 2700, True), (240, 7400, False)],
)
def test_what_nobody_reads_is_left_as_typed(typed: int, nodes: int, is_too_long: bool) -> None:
    """A spline flow by two softmaxes had formulas of 2,700 to 8,000 nodes, 31 to 49 times those typed."""
    expression = parse_expression(" + ".join(["x"] * (typed - 1)), parse_system("param x\nloss E = x"))
    assert expression.node_count == typed
    assert outgrows(nodes, expression) is is_too_long
