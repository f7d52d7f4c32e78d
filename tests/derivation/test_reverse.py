"""Which adjoints are derived, in which order, and what is refused."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.preparation import with_named_arguments
from symbackprop.derivation.reverse import adjoint_order, chain_rule
from symbackprop.errors import DerivationError, NotationError
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text, text

CHAIN = """
index i : I
input x[i]
param w[i], v, unused
a[i] = w[i]*x[i]
b = sum(i, a[i]) + v
side = sum(i, x[i])
loss E = b^2
"""


def test_adjoints_from_the_loss_backwards_and_only_those_on_the_way() -> None:
    system = parse_system(CHAIN)
    assert adjoint_order(system, ["w"]) == ("b", "a", "w")
    assert adjoint_order(system, ["v"]) == ("b", "v")
    assert adjoint_order(system, ["w", "v", "unused"]) == ("b", "v", "a", "w", "unused")


def test_chain_rule_keeps_the_indices_of_both_sides_apart() -> None:
    total, rule = chain_rule(parse_system(CHAIN), "a", ["b", "a"])
    assert text(rule.again(total)) == "(dE/db)*(db/da[i])"
    total, rule = chain_rule(parse_system(CHAIN), "w", ["b", "a"])
    assert text(rule.again(total)) == "sum(i', (dE/da[i'])*(da[i']/dw[i]))"


def test_a_parameter_that_is_not_used_has_gradient_zero() -> None:
    derivation = derive(parse_system(CHAIN), ["unused"])
    assert [equation_text(equation) for equation in derivation.equations] == ["grad_unused = 0"]


def test_intermediates_inputs_and_the_loss_itself_may_be_asked_for() -> None:
    derivation = derive(parse_system(CHAIN), ["E", "b", "a", "x"])
    assert [equation_text(equation) for equation in derivation.gradients.values()] == [
        "grad_E = 1",
        "grad_b = 2*b",
        "grad_a[i] = grad_b",
        "grad_x[i] = grad_a[i]*w[i]",
    ]


def test_names_of_adjoints_step_aside_for_the_users() -> None:
    model = "param w, v, grad_w\ndelta_u = w*v\nu = w*v*grad_w\nloss E = u^2*delta_u\n"
    names = [equation.tensor for equation in derive(parse_system(model)).equations]
    assert names == ["E_u", "grad_E_grad_w", "E_delta_u", "grad_E_w", "grad_E_v"]


def test_no_loss_and_unknown_tensor_are_refused() -> None:
    with pytest.raises(DerivationError, match="has no loss"):
        derive(parse_system("param w\nu = w^2\n"))
    with pytest.raises(NotationError, match="no tensor named 'q'"):
        derive(parse_system(CHAIN), ["q"])


def test_a_contraction_inside_a_function_gets_a_name() -> None:
    system = with_named_arguments(
        parse_system(
            "index i : I\nindex b : B\ninput x[b,i]\nparam w[i]\n"
            "h[b] = tanh(sum(i, w[i]*x[b,i])) + exp(sum(i, x[b,i]))\nloss E = sum(b, h[b])\n"
        )
    )
    assert [equation_text(equation) for equation in system.equations] == [
        "u_h[b] = sum(i, w[i]*x[b,i])",
        "h[b] = tanh(u_h[b]) + exp(sum(i, x[b,i]))",
        "E = sum(b, h[b])",
    ]


def test_a_capture_that_random_models_found() -> None:
    """A definition that does not contain its own index must not be folded back into."""
    model = """
index a : A
param t[a]
const s
u[a] = where(a == 0, t[a]*s, s)
v = sum(a, u[a]*t[a])
loss E = v*v + s
"""
    for equation in derive(parse_system(model)).equations:
        assert equation.expression.free_indices <= frozenset(equation.indices)
