"""Forms held against each other on stress data: which keep the digits of the form before."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra.digits import keeps_digits
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression, Reduction
from symbackprop.systems.printing import equation_text
from tests.models.step_checker import check_every_step

SYSTEM = parse_system(
    "index i : I\nindex k : K\nparam a, b, c, m, p, u, v, y, s, x[i], w[i,k]\n"
    "loss E = a + b + c + m + p + u + v + y + s + sum(i, x[i]) + sum(i, k, w[i,k])"
)


def parsed(text: str) -> Expression:
    return parse_expression(text, SYSTEM)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("p*(a - b)", "p*a - p*b"),
        ("(a - b)^2", "a^2 - 2*a*b + b^2"),
        ("a*(b + c)", "a*b + a*c"),  # b may be close to -c
        ("sum(i, x[i]*(x[i] - m))", "sum(i, x[i]^2) - sum(i, x[i])*m"),
        ("sum(i, (x[i] - m)^2)", "sum(i, x[i]^2) - 2*sum(i, x[i])*m + size(i)*m^2"),
        ("exp(-(a - b)^2)", "exp(2*a*b - a^2 - b^2)"),
        ("exp(u)/(b + exp(u))", "1 - b/(b + exp(u))"),
        ("exp(u)/(b + exp(u))", "sigmoid(u)/(sigmoid(u) + b*(1 - sigmoid(u)))"),
        ("1/(1 + exp(u))", "1 - sigmoid(u)"),
        ("1/(b + exp(u))", "exp(-u)/(b*exp(-u) + 1)"),
        ("exp(-u*i)/(1 + a*exp(-u*i))^2", "exp(u*i)/(exp(u*i) + a)^2"),  # at i = 0 alone no exponential
        ("a*exp(u)", "(a*(exp(u) - 1)) + a"),
        ("sum(i, x[i]*y*(1 - y))", "sum(i, x[i]*y) - sum(i, x[i]*y^2)"),
        # Where c is all but 0 and a near b, the difference is all that is left.
        ("2*(a - b) + c*a*b", "2*a + b*(c*a - 2)"),
        ("2*(a - b) + c*(a + b)", "a*(2 + c) - b*(2 - c)"),
        # The chain rule takes the mean of a difference from a mean off again: its rounding is gone.
        ("(x[i] - mean(i, x[i]))/sum(i, x[i])", "x[i]/sum(i, x[i]) - 1/size(i)"),
        ("a - x[i] - v*(mean(i, x[i]) - x[i])", "a - mean(i, x[i]) + (1 - v)*(mean(i, x[i]) - x[i])"),
        # a is no mean of x.
        ("(x[i] - mean(i, x[i]))/s - a/s", "(x[i] - mean(i, x[i] + a))/s"),
    ],
)
def test_what_loses_digits(before: str, after: str) -> None:
    assert not keeps_digits(parsed(after), parsed(before))


@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_sum_reaches_the_places_that_its_masks_ask_for(place: int) -> None:
    before = f"sum(i, x[i]*(where(i == {place}, u, 0) - where(i == 0, v, 0)))"
    assert keeps_digits(parsed(f"x[{place}]*u - x[0]*v"), parsed(before))
    assert not keeps_digits(parsed(f"x[{place}]*(u + v) - v*(x[{place}] + x[0])"), parsed(before))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("p*a - p*b", "p*(a - b)"),
        ("a*(b^2 + c^2)", "a*b^2 + a*c^2"),
        ("sum(i, x[i]*(a + b))", "sum(i, x[i])*(a + b)"),
        ("-a/p*p*(1 - p) + (1 - a)*p", "p - a"),
        ("a*b - a^2", "a*(b - a)"),
        ("p*(x[i] - mean(i, x[i]))/s", "p/s*(x[i] - mean(i, x[i]))"),
        ("(x[i] - mean(i, x[i]))/s - a*b/s", "(x[i] - mean(i, x[i]) - a*b)/s"),
        ("1 - tanh(u)^2", "(1 - tanh(u))*(1 + tanh(u))"),
        ("sum(i, (x[i] - m)^2)/s", "sum(i, (x[i] - m)^2/s)"),
        ("exp(u)*exp(v)/exp(u)", "exp(v)"),
    ],
)
def test_what_keeps_digits(before: str, after: str) -> None:
    assert keeps_digits(parsed(after), parsed(before))


@pytest.mark.parametrize(
    ("before", "after", "name", "formula", "kept"),
    [
        # A sigmoid's derivative in terms of its value is the textbook's.
        ("exp(-u)/(1 + exp(-u))^2", "y*(1 - y)", "y", "sigmoid(u)", True),
        ("exp(u)/(b + exp(u))", "1 - b*y", "y", "1/(b + exp(u))", False),
        ("(a - m)/s^2", "y/s", "y", "(a - m)/s", True),
        ("p*(a - m)", "p*y*s", "y", "(a - m)/s", True),
        # Beside a term that hides it at most points: c may be large alone.
        ("u + p*(a - m)", "u + y - c", "y", "p*(a - m) + c", False),
        ("v*(u + p*a/(s + a))", "v*(u + c - y)", "y", "c - p*a/(s + a)", False),
        ("u + p*(a - m)", "u + p*y", "y", "a - m", True),
        ("(a - b)*(1 - p)", "y - b", "y", "p*b + (1 - p)*a", False),
        ("a*exp(u)", "y + a", "y", "a*(exp(u) - 1)", False),
        ("(x[i] - m)/m", "x[i]/m - 1", "m", "mean(i, x[i])", False),
        ("sigmoid(u) + u*exp(-u)/(1 + exp(-u))^2", "sigmoid(u) + y*(1 - sigmoid(u))", "y", "silu(u)", True),
        ("sigmoid(u) + u*exp(-u)/(1 + exp(-u))^2", "y + sigmoid(u)*(1 - y)", "y", "silu(u)", False),
    ],
)
def test_folding_into_a_name(before: str, after: str, name: str, formula: str, kept: bool) -> None:
    assert keeps_digits(parsed(after), parsed(before), [(parsed(name), parsed(formula))]) is kept


def test_an_offset_that_is_large_alone_is_not_taken_off_again() -> None:
    """A batch norm in names whose kinds of data never make the offset, t7, the largest of all by far."""
    system = parse_system(
        "index n, m : N\nparam t1[n], t4[n], t0, t2, t3, t7\n"
        "t5 = sum(n, t1[n]*(t4[n] - mean(m, t4[m])))/sqrt(t3 + 1/100)\n"
        "t6[n] = t0*(t4[n] - mean(m, t4[m]))/sqrt(t3 + 1/100) + t7\nloss E = sum(n, t6[n]) + t5 + t2\n"
    )
    first = "t0*(t1[n] - t2/size(n))/sqrt(t3 + 1/100)"
    plain = parse_expression(
        f"{first} - sum(m, t1[m]*(t4[m] - mean(n, t4[n])))*t0*(t4[n] - mean(m, t4[m]))"
        "/((t3 + 1/100)^(3/2)*size(n))",
        system,
    )
    by_value = parse_expression(f"{first} + t5*(t7 - t6[n])/(sqrt(t3 + 1/100)*size(n))", system)
    by_score = parse_expression(f"{first} + t0*t5*(mean(m, t4[m]) - t4[n])/((t3 + 1/100)*size(n))", system)
    equalities = [(equation.element, equation.expression) for equation in system.equations]
    assert not keeps_digits(by_value, plain, equalities)
    assert keeps_digits(by_score, plain, equalities)


def test_a_sigmoid_as_typed_is_one() -> None:
    written_out, name = parsed("1/(1 + exp(-u))"), (parsed("sigmoid(u)"), parsed("1/(1 + exp(-u))"))
    before, after = parsed("exp(-u)/(1 + exp(-u))^2"), parsed("y*(1 - y)")
    assert keeps_digits(after, before, [(parsed("y"), written_out), name])
    assert not keeps_digits(after, before, [(parsed("y"), written_out)])


def test_the_verdict_is_the_same_each_time_and_does_not_depend_on_order() -> None:
    before, after = parsed("p*(a - b)"), parsed("p*a - p*b")
    verdicts = [keeps_digits(after, before), keeps_digits(before, after), keeps_digits(after, before)]
    assert verdicts == [False, True, False]


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        ("sum(n, (l[n] - x[n])^2 + w[n]*l[n]^2*x[n])", "2*(l[n] - x[n]) + 2*w[n]*l[n]*x[n]"),
        ("sum(n, (l[n] - 1)^2 + w[n]*l[n]*x[n]^2)", "2*(l[n] - 1) + w[n]*x[n]^2"),
        ("1/2*sum(n, (l[n] - x[n])^2 + w[n]*l[n]^2)", "l[n] - x[n] + w[n]*l[n]"),
    ],
)
def test_a_difference_as_stated_stays_one_beside_a_penalty(loss: str, gradient: str) -> None:
    """Also where the penalty shares a factor: l + x*(w*l - 1) is one operation less, and no residual."""
    system = parse_system(f"index n : N\ninput x[n], w[n]\nparam l[n]\nloss E = {loss}")
    assert [equation_text(each) for each in derive(system).equations] == [f"grad_l[n] = {gradient}"]


@pytest.mark.parametrize(
    ("residual", "gradient"),
    [
        ("x[n] - m[n] + w*m[n] + b*x[n]", "sum(n, (x[n] - m[n] + w*m[n] + b*x[n])*m[n])"),
        ("m[n] - x[n] + w*x[n]", "sum(n, (m[n] - x[n] + w*x[n])*x[n])"),
    ],
)
def test_a_residual_stated_as_plain_terms_stays_one(residual: str, gradient: str) -> None:
    """sum(n, m[n]^2)*(w - 1) + sum(n, m[n]*x[n])*(b + 1) has lost x - m where w and b are small."""
    system = parse_system(f"index n : N\ninput x[n], m[n]\nparam w, b\nloss E = 1/2*sum(n, ({residual})^2)")
    found = [equation_text(each) for each in derive(system).equations]
    assert found[0] == f"grad_w = {gradient}"


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        ("mean(n, l[n] - x[n]*log(l[n]))", "(l[n] - x[n])/(l[n]*size(n))"),
        ("mean(n, l[n] - x[n]*log(l[n]))/sum(n, w[n])", "(l[n] - x[n])/(l[n]*size(n)*sum(n', w[n']))"),
        # Nothing to choose: either rounds the quotient.
        ("mean(n, l[n] - log(l[n]))", "(1 - 1/l[n])/size(n)"),
    ],
)
def test_of_two_equally_cheap_forms_the_more_accurate_wins(loss: str, gradient: str) -> None:
    """1 - x/l rounds x/l beside 1, where x - l is exact for x near l."""
    system = parse_system(f"index n : N\ninput x[n], w[n]\nparam l[n]\nloss E = {loss}")
    derivation = derive(system)
    assert [equation_text(each) for each in derivation.equations] == [f"grad_l[n] = {gradient}"]
    sizes = {"N": 3}
    values = {name: np.random.default_rng(0).uniform(0.5, 1.5, 3) for name in "xwl"}
    assert check_every_step(derivation, values, sizes)


def test_a_sum_is_split_term_by_term_as_it_stands_where_that_is_cheaper() -> None:
    """The negative binomial's size: (y + r)/(r + mu) is one quotient, not y/(r + mu) and r/(r + mu)."""
    system = parse_system(
        "index n : N\ninput y[n], m[n]\nparam r\n"
        "loss E = -sum(n, lgamma(y[n] + r) - lgamma(r) + r*log(r) - (y[n] + r)*log(r + m[n]))"
    )
    derivation = derive(system)
    assert [equation_text(each) for each in derivation.equations] == [
        "grad_r = sum(n, log(r + m[n])) + sum(n, (y[n] + r)/(r + m[n])) + size(n)*(digamma(r) - log(r) - 1)"
        " - sum(n, digamma(y[n] + r))"
    ]
    rng = np.random.default_rng(0)
    values = {"y": rng.uniform(1, 4, 3), "m": rng.uniform(1, 4, 3), "r": np.array(1.5)}
    assert check_every_step(derivation, values, {"N": 3})


@pytest.mark.parametrize(
    "before_it",
    [
        "where(t == 0, 0, z[t-1])",
        "where(t > 0, a*z[t-1], 0)",
        "where(t < 2, 0, z[t-2])",
        "where(t + 1 < size(t), z[t+1], 0)",
        "where(t >= size(t) - 2, 0, z[t+2])",
    ],
)
def test_a_term_of_a_running_sum_is_not_a_difference_of_sums(before_it: str) -> None:
    """At one of the ends the difference is exact; in the middle a small term beside large ones is lost."""
    system = parse_system(
        f"index t : T\nparam k[t], a\nz[t] = exp(k[t]) + {before_it}\nloss E = sum(t, z[t]^2) + a"
    )
    sums = parse_expression(f"sum(t, z[t] - {before_it})", system)
    terms = parse_expression("sum(t, exp(k[t]))", system)
    assert isinstance(sums, Reduction) and isinstance(terms, Reduction)
    equalities = [(equation.element, equation.expression) for equation in system.equations]
    assert not keeps_digits(sums.body, terms.body, equalities)
    assert keeps_digits(terms.body, sums.body, equalities)


def test_the_gradient_through_a_running_sum_reads_the_term() -> None:
    """A term far below the others: the difference of sums is 0 there, which times 1e15 is not."""
    derivation = derive(
        parse_system(
            "index i : I\nindex h : H\nparam k[i,h], v[i,h]\n"
            "m[i,h] = exp(k[i,h])*v[i,h] + where(i > 0, m[i-1,h], 0)\nloss E = sum(i, h, tanh(m[i,h]))"
        )
    )
    gradients = {equation.tensor: equation_text(equation) for equation in derivation.equations}
    assert gradients["grad_v"] == "grad_v[i,h] = delta_m[i,h]*exp(k[i,h])"
    assert "m[i - 1,h]" not in gradients["grad_k"]
