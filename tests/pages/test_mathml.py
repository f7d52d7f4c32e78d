import re
from xml.dom.minidom import parseString

import pytest

from symbackprop import loads
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.language.model import parse_system
from symbackprop.layers.loading import load_system
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Apply, Element, Multiply
from symbackprop.pages.breaking import breakable
from symbackprop.pages.math_names import index_markup, name_markup
from symbackprop.pages.mathml import MathPrinter
from tests.explanation.explained import EXAMPLES

PRINTER = MathPrinter("E", {"u2": "delta2"})
DECLARED = """
index i, j : I
index b : B
param W[i,j], x[i], y[i], a, W2[i,j], xhat[b,i]
"""


def shown(formula: str) -> str:
    """The characters of a formula, scripts and fractions in the order of the markup."""
    system = parse_system(f"{DECLARED}loss E = {formula}", "formula")
    return characters(PRINTER.inline(system.definitions["E"].expression))


def characters(markup: str) -> str:
    parseString(f"<all>{markup}</all>")
    return re.sub(r"<[^>]*>|[\u2061\u2062]", "", markup)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("sum(i, (x[i] + y[i])*a)", "∑i(xi+yi)a"),
        ("sum(i, x[i])*a", "(∑ixi)a"),  # else a would be summed too
        ("a*sum(i, x[i])", "a∑ixi"),
        ("sum(i, x[i] + y[i])", "∑i(xi+yi)"),  # a sum ends at the next +
        ("a - (a + 1)", "a\u2212(a+1)"),
        ("-2*a", "\u22122a"),
        ("1/2*a", "12a"),
        ("a/(a + 1)", "aa+1"),
        ("(a + 1)^2", "(a+1)2"),
        ("(-a)^2", "(\u2212a)2"),
        ("sqrt(a + 1)", "a+1"),
        ("sum(i, j, W2[i,j])", "∑i,jWij(2)"),
        ("sum(b, i, xhat[b,i])", "∑b,ix^bi"),
        ("exp(-a)", "e\u2212a"),
        ("log(a)*a", "log(a)a"),
        ("ceil(a)*floor(a + 1)", "⌈a⌉⌊a+1⌋"),
        ("round(a) + abs(a)", "round(a)+|a|"),
        ("sum(i, mod(i, 2)*x[i])", "∑i(imod2)xi"),
        ("where(a > 0, a, 1)", "{aif\u00a0a&gt;01otherwise"),
        ("where(a >= 0, 1, 0)*a", "[a≥0]a"),
        ("size(i)*a", "Ia"),
    ],
)
def test_a_formula_keeps_its_structure(formula, expected):
    assert shown(formula) == expected


def test_numbers_side_by_side_are_told_apart():
    system = parse_system(f"{DECLARED}loss E = 2*3*a", "formula")
    assert "23" not in characters(PRINTER.inline(system.definitions["E"].expression))
    assert "1.5\u22c50.25" in characters(PRINTER.inline(Multiply((Element("1.5"), Element("0.25")))))
    halves = parse_system(f"{DECLARED}loss E = 1/2*1/a", "formula").definitions["E"].expression
    assert '</mfrac><mo lspace="0.17em" rspace="0.17em">\u2062</mo><mfrac>' in PRINTER.inline(halves)
    for formula, is_apart in (("a*tanh(x[0])", True), ("a*x[0]", False)):
        product = parse_system(f"{DECLARED}loss E = {formula}", "formula").definitions["E"].expression
        assert ('rspace="0.17em"' in PRINTER.inline(product)) is is_apart
    text = characters(PRINTER.inline(Apply("max", (Element("1.5"), Element("(-0.5)")))))
    assert text == "max(1.5,(\u22120.5))"


@pytest.mark.parametrize(
    ("name", "base", "above"),
    [
        ("delta2", "δ", "(2)"),
        ("W_out", "W", "(out)"),
        ("delta_u_g", "δ", "(u,g)"),
        ("mu", "μ", ""),
        ("grad_W2", "grad_W2", ""),
        ("Xtilde", "X~", ""),
    ],
)
def test_names_read_as_they_do_in_latex(name, base, above):
    assert tuple(map(characters, name_markup(name))) == (base, above)


def test_primes_and_numbers_of_indices():
    assert characters(index_markup("k''")) == "k''"
    assert characters(index_markup("j2'")) == "j2'"
    assert characters(index_markup("alpha")) == "\u03b1"


def test_what_is_linked_bears_its_name():
    derivative = Derivative(Element("E"), Element("u2"), total=True)
    assert 'data-t="delta2"' in PRINTER.inline(derivative)
    assert 'data-t="delta2"' in PRINTER.slashed(derivative)
    assert 'data-t="delta2"' not in PRINTER.inline(Derivative(Element("y"), Element("u2"), total=False))
    assert "data-t" not in PRINTER.inline(Element("0.25"))


@pytest.mark.parametrize("function", sorted(ALL_FUNCTIONS))
def test_every_function_has_a_form(function):
    arguments = tuple(Element(name) for name in ("u", "v")[: ALL_FUNCTIONS[function].arity])
    found = characters(PRINTER.inline(Apply(function, arguments)))
    assert "u" in found and "\\" not in found and "{" not in found


def test_every_equation_of_the_examples_is_well_formed():
    models = sorted(EXAMPLES.rglob("*.model"))
    for path in models:
        for equation in load_system(path).equations:
            markup = breakable(PRINTER, equation.expression)
            assert characters(markup)
            assert all(f'data-t="{name}"' in markup for name in equation.reads)
    assert len(models) > 50


def test_every_step_of_a_derivation_has_a_form():
    derived = loads(
        "index t : T\nparam a, h0\ninput x[t]\nh[t] = a*where(t == 0, h0, h[t-1]) + x[t]\n"
        "loss E = mean(t, h[t]^2)"
    ).derive()
    for step in derived.steps:
        characters(PRINTER.inline(step.after))


def test_a_long_sum_may_break_between_its_terms():
    system = parse_system(f"{DECLARED}loss E = a + 2*a^2 - 3", "formula")
    markup = breakable(PRINTER, system.definitions["E"].expression)
    assert markup.count("<math") == 3 and characters(markup) == "a +2a2 \u22123"


LONG = "(3*a^2 + sum(i, x[i]) - 7*a^4 + sum(j, y[j]))"


@pytest.mark.parametrize(
    ("formula", "pieces"),
    [
        (f"1/2*a*{LONG}", 4),
        (f"2 - a*{LONG}", 5),  # a sign in front of the factors
        (f"-sum(j, y[j])*{LONG}", 4),  # which a sum does not swallow
        (f"{LONG}^2", 1),  # parentheses that bear an exponent
        (f"{LONG}/a", 1),  # above a line
        ("a*(sum(i, x[i]) - 1)", 1),  # short enough
    ],
)
def test_a_long_product_may_break_within_its_parentheses(formula: str, pieces: int):
    system = parse_system(f"{DECLARED}loss E = {formula}", "formula")
    markup = breakable(PRINTER, system.definitions["E"].expression)
    assert markup.count("<math") == pieces
    assert characters(markup).replace(" ", "") == shown(formula).replace(" ", "")
