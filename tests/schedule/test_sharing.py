import pytest

from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Element
from symbackprop.schedule.given_names import Shared
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.sharing import shared
from symbackprop.systems.printing import equation_text

HEAD = """
index b, c : B
index k : K
input x[b,k], g[b], w[k]
"""


def items_of(system):
    return [NamedEquation.of(equation) for equation in system.equations]


def computed(equations):
    system = parse_system(HEAD + equations)
    return [equation_text(item.equation) for item in shared(items_of(system), system.tensors)]


def test_a_subexpression_that_is_an_equation_is_read_from_it_even_if_it_comes_later():
    assert computed("e = sum(b, k, (x[b,k] - w[k])^2)\nr[b,k] = x[b,k] - w[k]\n") == [
        "r[b,k] = x[b,k] - w[k]",
        "e = sum(b, k, r[b,k]^2)",
    ]


def test_indices_may_have_other_names():
    assert computed("y[b] = exp(g[b])*sum(c, exp(g[c]))\n") == [
        "exp_g[b] = exp(g[b])",
        "y[b] = exp_g[b]*sum(c, exp_g[c])",
    ]


def test_equal_sums_over_indices_of_other_names_replay_as_one():
    """Read from one name they would be a square; where they were written, they are that as well."""
    equations = "v = sum(b, g[b])/size(b)*sum(c, g[c])\ne = sum(b, 1 + g[b])*sum(c, g[c])\n"
    items = shared(items_of(parse_system(HEAD + equations)), parse_system(HEAD).tensors)
    steps = [step for item in items for step in item.origin.steps]
    assert [step.rule.name for step in steps] == ["share", "share"]
    for step in steps:
        assert isinstance(step.rule, Shared) and step.rule.accounts_for(step.before, step.after)
        assert not step.rule.accounts_for(multiply(step.before, step.before), step.after)


def test_a_diagonal_is_no_provider_of_the_whole():
    """m[b,b] is read at one index twice, and says nothing of m[b,c]."""
    m = "m[b,c] = g[b] + g[c]^2\nd[b] = inv(m)[b,b]\n"
    assert "d" not in computed(m + "e = sum(b, c, inv(m)[b,c]) + 3*sum(b, c, inv(m)[b,c])\n")[-1]


def test_axes_come_in_the_order_of_the_first_consumer():
    assert computed("y[k,b] = exp(w[k]*g[b])\nz[b,k] = 1 + exp(w[k]*g[b])\n") == [
        "y[k,b] = exp(w[k]*g[b])",
        "z[b,k] = 1 + y[k,b]",
    ]


def test_signs_numbers_and_reciprocals_stay_where_they_are():
    assert computed("y[b] = -exp(g[b])\nz[b] = 1/exp(g[b])\nv[b] = 2*exp(g[b])\n") == [
        "exp_g[b] = exp(g[b])",
        "y[b] = -exp_g[b]",
        "z[b] = 1/exp_g[b]",
        "v[b] = 2*exp_g[b]",
    ]


def test_what_occurs_only_within_a_shared_subexpression_gets_no_name():
    assert computed("y[b] = exp(tanh(g[b]))\nz[b] = 3 + exp(tanh(g[b]))\n") == [
        "y[b] = exp(tanh(g[b]))",
        "z[b] = 3 + y[b]",
    ]


@pytest.mark.parametrize(
    "equations",
    ["y[b] = 2*g[b]\nz[b] = -g[b]\n", "y[b] = 1/g[b]\nz[b] = 3/g[b]\n", "y = size(b)\nz = size(b)\n"],
)
def test_what_costs_nothing_gets_no_name(equations):
    assert computed(equations) == equations.splitlines()


def test_a_condition_becomes_a_mask():
    assert computed("y[b] = where(g[b] > 0, g[b], 0)\nz[b] = where(g[b] > 0, 1, 0)\n") == [
        "g_above_zero[b] = g[b] > 0",
        "y[b] = where(g_above_zero[b], g[b], 0)",
        "z[b] = where(g_above_zero[b], 1, 0)",
    ]


def test_a_name_that_is_taken_is_not_given_again():
    text = "exp_g[b] = g[b]\ny[b] = exp(g[b]) + 1\nz[b] = exp(g[b]) - 1\n"
    assert computed(text)[1] == "exp_g_2[b] = exp(g[b])"


def test_a_long_description_gives_way_to_whose_part_it_is():
    text = "y[b,k] = exp(x[b,k]*w[k] + g[b])*2\nz[b,k] = tanh(exp(x[b,k]*w[k] + g[b]))\n"
    assert computed(text)[0] == "y_exp[b,k] = exp(x[b,k]*w[k] + g[b])"


def test_formulas_are_those_that_were_written():
    system = parse_system(HEAD + "y[b] = exp(g[b])*2\nz[b] = exp(g[b])*3\n")
    y, z = items_of(system)
    items = shared(
        (y.computing(multiply(y.equation.expression, Element("g", y.equation.indices))), z), system.tensors
    )
    assert [(item.origin.formula, item.origin.source, item.origin.part) for item in items] == [
        ("exp_g[b] = exp(g[b])", y.equation, Part.SUBEXPRESSION),
        ("y[b] = exp(g[b])*2", y.equation, Part.EQUATION),
        ("z[b] = exp(g[b])*3", z.equation, Part.EQUATION),
    ]


def test_what_only_branches_read_is_guarded():
    system = parse_system(
        HEAD + "y[b] = where(g[b] > 0, log(g[b]), 0)\nz[b] = where(g[b] > 1, 2*log(g[b]), 0)\n"
    )
    guarded = {item.equation.tensor: item.guarded for item in shared(items_of(system), system.tensors)}
    assert guarded == {"log_g": True, "y": False, "z": False}
