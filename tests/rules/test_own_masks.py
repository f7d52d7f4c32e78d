"""Masks that a tensor brings with it, negated conditions, and differences the other way round."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rules.compared_values import under_negation
from symbackprop.rules.own_masks import without_own_mask
from symbackprop.rules.support import Support
from symbackprop.systems.mirror_images import turned_alike
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import equation_text, text
from tests.models.judges import judge

FORMS = {
    "what is masked by data once": (
        "index t : T\nindex j : J\ninput x[t,j], e[t]\nparam w[j], c\n"
        "k[t] = where(e[t] > 0, sum(j, w[j]*x[t,j]), 0)\nr[t] = where(e[t] > 0, k[t]^2, 0)*c\n"
        "loss E = 1/2*sum(t, r[t]^2)",
        ["grad_c = sum(t, r[t]*k[t]^2)"],
    ),
    "steps of a discretised equation": (
        "index t : T\ninput y[t], f[t]\nparam a, b\n"
        "r[t] = where(t + 1 < size(t), y[t+1] - y[t] - a*y[t] - b*f[t], 0)\nloss E = 1/2*sum(t, r[t]^2)",
        ["grad_a = -sum(t, r[t]*y[t])", "grad_b = -sum(t, r[t]*f[t])"],
    ),
    "pairs of different points": (
        "index i, j : N\nindex d : D\ninput g[i,j]\nparam x[i,d]\n"
        "q[i,j] = where(i != j, 1/(1 + sum(d, (x[i,d] - x[j,d])^2)), 0)\nloss E = sum(i, j, g[i,j]*q[i,j])",
        ["grad_x[i,d] = 2*sum(j, (g[j,i] + g[i,j])*q[i,j]^2*(x[j,d] - x[i,d]))"],
    ),
    "a triangle keeps its mask": (
        "index s, t : T\nindex d : D\ninput v[s,d]\nparam a[t,s]\n"
        "p[t,s] = where(s <= t, a[t,s]^2, 0)\nz[t,d] = sum(s, p[t,s]*v[s,d])\n"
        "loss E = 1/2*sum(t, d, z[t,d]^2)",
        ["grad_a[t,s] = 2*sum(d, z[t,d]*v[s,d])*where(s <= t, a[t,s], 0)"],
    ),
    "where a condition is negated, the other branch": (
        "index t : T\ninput x[t], w[t]\nparam a\n"
        "loss E = sum(t, where(not (x[t] > 0.5 or t == 0), 0, a^2*w[t]))",
        ["grad_a = 2*sum(t, where(x[t] > 1/2 or t == 0, w[t], 0))*a"],
    ),
    "what always holds under a negation": (
        "index t : T\ninput x[t], w[t]\nparam a\n"
        "loss E = sum(t, where(not (t + 1 > 0 and x[t] > 2), a^2*w[t], 0))",
        ["grad_a = 2*sum(t, where(not x[t] > 2, w[t], 0))*a"],
    ),
    "a squashed difference of all pairs": (
        "index a, b : N\ninput y[a,b]\nparam x[a]\nloss E = sum(a, b, y[a,b]*tanh(x[a] - x[b]))",
        ["grad_x[a] = sum(b, (y[a,b] - y[b,a])*(1 - tanh(x[a] - x[b])^2))"],
    ),
    "one of each pair": (
        "index a, b : N\nparam x[a]\nloss E = sum(a, b, where(a < b, atan(x[a] - x[b]), 0)^2)",
        ["grad_x[a] = 2*sum(b, where(a != b, atan(x[a] - x[b])/((x[a] - x[b])^2 + 1), 0))"],
    ),
    "coupled oscillators": (
        "index a, c : N\ninput f[a]\nparam o[a]\n"
        "v[a] = sum(c, sin(o[c] - o[a]))/size(a) - f[a]\nloss E = 1/2*sum(a, v[a]^2)",
        ["grad_o[a] = sum(c, (v[c] - v[a])*cos(o[a] - o[c]))/size(a)"],
    ),
    "a share inside of its mask": (
        "index b : N\nindex t, s : T\ninput m[b,s], g[b,t,s]\nparam M[b,t,s]\n"
        "A[b,t,s] = where(m[b,s] > 0, exp(M[b,t,s])/(1 + sum(s, where(m[b,s] > 0, exp(M[b,t,s]), 0))), 0)\n"
        "loss E = sum(b, t, s, g[b,t,s]*A[b,t,s])",
        ["grad_M[b,t,s] = A[b,t,s]*(g[b,t,s] - sum(s', g[b,t,s']*A[b,t,s']))"],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, forms = FORMS[name]
    found = [equation_text(each) for each in derive(parse_system(model)).equations]
    assert [each for each in forms if each not in found] == [], found


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("sizes", [{}, {"T": 1, "N": 1}])
def test_before_every_judge_and_replayed(name: str, sizes: dict[str, int]) -> None:
    model, _ = FORMS[name]
    axes = [axis.name for axis in parse_system(model).axes]
    chosen = {axis: sizes.get(axis, 2 + place) for place, axis in enumerate(axes)} if sizes else None
    derivation = judge(model, sizes=chosen)
    assert sum(replayed(derivation).values()) > 0


MASKED = {"o": Support(parsed("o[t]").positions, (parsed("where(t > 0, 1, 0)").children[0],))}  # type: ignore


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("o[t]*where(t > 0, w[t], 0)", "o[t]*w[t]"),
        ("o[t]^2*where(t > 0 and c > 1, w[t], 0)", "o[t]^2*where(c > 1, w[t], 0)"),
        ("o[t+1]*where(t > 0, w[t], 0)", None),  # 0 at t + 1 == 0
        ("o[t]*where(t > 1, w[t], 0)", None),
        ("w[t]*where(t > 0, v[t], 0)", None),
        ("o[t]*where(t > 0, 1/w[t], 0)", None),  # undefined where w is 0
        ("o[t]*where(t > 0, exp(w[t]), 0)", None),  # 0*inf
        ("o[t]*where(t > 0, w[t-1], 0)", None),  # reads outside
        ("w[t]/o[t]*where(t > 0, v[t], 0)", None),
        ("o[t]*where(t > 0, w[t], v[t])", None),
    ],
)
def test_a_mask_that_a_factor_has(typed: str, form: str | None) -> None:
    found = without_own_mask(parsed(typed), MASKED, Ranges())
    assert (None if found is None else text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("not (i + 1 > 0 and c > 0)", "not c > 0"),
        ("not (i > 0 and c > 0)", None),
        ("not (i + 1 > 0 or c > 0)", None),
        ("not (i + 1 > 0 and i >= 0)", None),
    ],
)
def test_what_always_holds_under_a_negation(typed: str, form: str | None) -> None:
    condition = parsed(f"where({typed}, c, 0)").children[0]
    found = under_negation(condition)
    assert (None if found is None else text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("tanh(x[i] - c)*tanh(c - x[i])", "-tanh(c - x[i])^2"),
        ("atan(x[i] - c)^2 + atan(c - x[i])^2", "2*atan(c - x[i])^2"),
        ("tanh(x[i] - c)*tanh(c - x[i2])", None),
        ("exp(x[i] - c)*exp(c - x[i])", None),  # neither even nor odd
        ("tanh(x[i] + c)*tanh(c - x[i])", None),
        ("tanh(x[i] - c)*(x[i] - c)", None),  # in one order alone
    ],
)
def test_odd_functions_the_other_way_round(typed: str, form: str | None) -> None:
    before = parsed(typed)
    after = turned_alike(before)
    assert (None if after is None else text(rewrite_bottom_up(after, normalised))) == form
