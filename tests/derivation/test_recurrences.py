"""Adjoints of recurrences as textbooks print them, their order, and what is refused."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.preparation import with_named_arguments
from symbackprop.derivation.reverse import adjoint_order
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import System
from tests.models.recurrences import system_of
from tests.models.whole_language.judge import judged


def closed_forms(system: System, wrt: list[str] | None = None) -> list[str]:
    return [equation_text(equation) for equation in derive(system, wrt).equations]


def test_backpropagation_through_time() -> None:
    assert closed_forms(system_of("elman"), ["U", "h0", "b"]) == [
        "delta_u_h[n,t,j] = (1 - h[n,t,j]^2)*(where(t + 1 < size(t), sum(k, U[k,j]*delta_u_h[n,t + 1,k]), 0)"
        " + delta(size(t) - 1,t)*(h[n,t,j] - d[n,j]))",
        "grad_b[j] = sum(n, t, delta_u_h[n,t,j])",
        "grad_U[j,k] = sum(n, t, delta_u_h[n,t,j]*where(t == 0, h0[k], h[n,t - 1,k]))",
        "grad_h0[j] = where(size(t) > 0, sum(n, k, U[k,j]*delta_u_h[n,0,k]), 0)",
    ]


def test_every_earlier_step_read_is_every_later_one_on_the_way_back() -> None:
    """Dense connections, and forward substitution, whose adjoint is back substitution."""
    for form in (
        "delta_h[n,t,d] = sum(m, e, where(t < m, (W[m,t,e,d] - 1/2)*delta_u[n,m,e], 0))"
        " + (h[n,t,d] - y[n,d])*delta(size(t) - 1,t)",
        "delta_u[n,t,d] = delta_h[n,t,d]*where(t != 0 and u[n,t,d] > 0, 1, 0)",
        "grad_W[t,m,d,e] = where(m < t, sum(n, delta_u[n,t,d]*h[n,m,e]), 0)",
    ):
        assert form in closed_forms(system_of("dense_connections"))
    assert closed_forms(system_of("forward_substitution"), ["b"]) == [
        "delta_x[n,i] = x[n,i] - y[n,i] - sum(j, where(i < j, L[j,i]*delta_x[n,j]/L[j,j], 0))",
        "grad_b[n,i] = delta_x[n,i]/L[i,i]",
    ]


def test_the_derivation_shows_the_boundary() -> None:
    steps = derive(system_of("elman"), ["U"]).steps
    assert any("0 if that is no place of i's axis" in step.rule.statement for step in steps)


def test_an_lstm_as_textbooks_print_it() -> None:
    forms = closed_forms(system_of("lstm"), ["Uf", "Ui", "Uo", "Ug"])
    for form in (
        "delta_s[n,t,j] = where(t + 1 < size(t), delta_s[n,t + 1,j]*f[n,t + 1,j], 0)"
        " + delta_h[n,t,j]*o[n,t,j]*(1 - tanh(s[n,t,j])^2)",
        "delta_u_f[n,t,j] = delta_s[n,t,j]*pad(s[n,t - 1,j])*f[n,t,j]*(1 - f[n,t,j])",
        "delta_u_i[n,t,j] = delta_s[n,t,j]*g[n,t,j]*i[n,t,j]*(1 - i[n,t,j])",
        "delta_u_g[n,t,j] = delta_s[n,t,j]*i[n,t,j]*(1 - g[n,t,j]^2)",
        "grad_Uf[j,k] = sum(n, t, delta_u_f[n,t,j]*pad(h[n,t - 1,k]))",
    ):
        assert form in forms


def test_a_definition_by_cases_is_folded_back_where_the_case_is_known() -> None:
    """h is tanh(u_h) wherever t != 0, and nothing of the kind at t == 0."""
    forms = closed_forms(system_of("base_case_outside"))
    assert "delta_u_h[t,j] = delta_h[t,j]*where(t != 0, 1 - h[t,j]^2, 0)" in forms


def test_an_argument_that_is_read_under_a_guard_keeps_it() -> None:
    system = with_named_arguments(system_of("base_case_outside"))
    assert [equation_text(equation) for equation in system.equations[:2]] == [
        "u_h[t,j] = where(t != 0, sum(k, U[j,k]*h[t - 1,k]) + x[t,j], 0)",
        "h[t,j] = where(t == 0, h0[j], tanh(u_h[t,j]))",
    ]


def test_a_guard_that_no_condition_gives_leaves_the_argument_where_it_is() -> None:
    text = "index t : T\nindex s : S\nindex k : K\ninput x[t,k]\nparam w[k]\n"
    system = parse_system(f"{text}y[s] = tanh(sum(k, w[k]*x[s+1,k]))\nloss E = sum(s, y[s])\n")
    assert [equation.tensor for equation in with_named_arguments(system).equations] == ["y", "E"]


def test_what_depends_on_a_parameter_by_way_of_a_later_step_is_not_forgotten() -> None:
    """Only f reads Uf in its own equation; the other gates read it through h[t-1]."""
    system = system_of("lstm")
    order = adjoint_order(system, ["Uf"])
    assert set(order) == {"p", "y", "h", "s", "g", "o", "i", "f", "Uf"}


def test_second_order_and_backwards() -> None:
    assert (
        "delta_u_h[t,j] = (h[t,j] - d[t,j] + where(t + 1 < size(t), sum(k, A[k,j]*delta_u_h[t + 1,k]), 0)"
        " + where(t + 2 < size(t), sum(k, B[k,j]*delta_u_h[t + 2,k]), 0))"
        "*(1 - h[t,j]^2)"
    ) in closed_forms(system_of("second_order"))
    forms = closed_forms(system_of("backwards"))
    assert any("A[k,j]*delta_u_h[t - 1,k]" in form for form in forms)


def test_a_missing_base_case_and_a_circle_within_a_step_are_refused() -> None:
    head = "index t : T\nparam a\n"
    with pytest.raises(NotationError, match="missing base case"):
        parse_system(f"{head}h[t] = a*h[t-1]\nloss E = sum(t, h[t])\n")
    with pytest.raises(NotationError, match="circle"):
        parse_system(f"{head}h[t] = a*g[t]\ng[t] = h[t]\nloss E = sum(t, h[t])\n")


def test_a_guard_that_leaves_the_branches_goes_back_around_what_it_guards() -> None:
    """Leaky ReLU of a sum over the past: delta_h[s] is read under t < s, or the adjoint is a circle."""
    text = "index t, s : T\nparam a[t], w[t,s]\nfunc lrelu(u) = where(u > 0, u, 0.2*u)\n"
    text += "h[t] = lrelu(a[t] + sum(s, where(s < t, w[t,s]*h[s], 0)))\nloss E = sum(t, h[t]^2)"
    derivation = derive(parse_system(text))
    equations = (*derivation.system.equations, *derivation.equations)
    directions = [stage.recurrence.direction for stage in stages_of(equations) if stage.recurrence]
    assert directions == [1, -1]


def test_states_over_one_step_more_than_the_inputs() -> None:
    text = "index t : T\nindex s : S = T + 1\ninput x[t]\nparam w, U, h0\n"
    text += "h[s] = where(s == 0, h0, tanh(w*x[s-1] + U*h[s-1]))\nloss E = 1/2*sum(t, (h[t+1] - x[t])^2)"
    forms = closed_forms(parse_system(text))
    assert "grad_w = sum(s, delta_u_h[s]*pad(x[s - 1]))" in forms
    assert "grad_U = sum(s, delta_u_h[s]*pad(h[s - 1]))" in forms


def test_a_guard_that_leaves_out_more_than_what_lies_outside_is_no_pad() -> None:
    text = "index t : T\ninput x[t]\nparam w\nh[t] = where(t > 1, w*x[t-1], 0) + where(t != 0, h[t-1], 0)\n"
    forms = closed_forms(parse_system(text + "loss E = 1/2*sum(t, h[t]^2)"))
    assert "grad_w = sum(t, delta_h[t]*where(t > 1, x[t - 1], 0))" in forms


def test_children_of_a_heap_are_read_under_the_guard_that_finds_them() -> None:
    text = "index t : T\nparam a[t]\nh[t] = where(t == 0, a[t], a[t]*h[floor((t-1)/2)])\n"
    text += "loss E = sum(t, h[t]^2)"
    derivation = derive(parse_system(text))
    forms = [equation_text(equation) for equation in derivation.equations]
    assert "delta_h[t] = sum(t', where(floor((t' - 1)/2) == t, delta_h[t']*a[t'], 0)) + 2*h[t]" in forms
    equations = (*derivation.system.equations, *derivation.equations)
    assert [stage.recurrence.direction for stage in stages_of(equations) if stage.recurrence] == [1, -1]


def test_a_gain_and_an_estimate_that_it_weighs() -> None:
    """Two recurrences of quotients take more searches than one, and both come to their closed form."""
    text = "index s : S\nparam a, r, q\ninput z[s]\nw[s] = C[s] + r\n"
    text += "C[s] = where(s == 0, 2, a^2*C[s-1]*r/(C[s-1] + r) + exp(q))\n"
    text += "b[s] = where(s == 0, 0, a*(b[s-1] + C[s-1]/(C[s-1] + r)*(z[s-1] - b[s-1])))\n"
    text += "loss E = 1/2*sum(s, log(w[s]) + (z[s] - b[s])^2/w[s])"
    (form,) = (each for each in closed_forms(parse_system(text)) if each.startswith("delta_C"))
    assert "(delta_C[s + 1]*a^2*r^2 + a*r*delta_b[s + 1]*(z[s] - b[s]))/w[s]^2" in form


def test_a_value_at_an_earlier_place_is_read_under_the_guard_of_that_place():
    """States of T + 1 that data hold still: the guard of ok[s-1] stood behind it where wheres were joined."""
    text = (
        "index t : T\nindex s : S = T + 1\nindex i, j : I\ninput ok[t]\nparam A[i,j], b[i]\n"
        "h[s,i] = where(s == 0, 2, where(ok[s - 1] > 0, exp(b[i]) + sin(sum(j, A[i,j]*h[s - 1,j])), 2))\n"
        "loss E = sum(i, h[size(t),i]^2)\n"
    )
    adjoints = [equation_text(each) for each in derive(parse_system(text)).equations]
    assert any("s != 0 and ok[s - 1] > 0, h[s - 1,j]" in each for each in adjoints), adjoints
    verdict = judged(f"{text}# data T=3 S=4 I=2 seed=1 kind=normal\n")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"
