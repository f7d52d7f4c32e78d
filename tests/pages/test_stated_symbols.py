r"""Symbols that a model states in LaTeX, in MathML: `as "\mathbf{W}^{(1)}"`."""

import re
from xml.dom.minidom import parseString

import pytest

from symbackprop import loads
from symbackprop.pages.mathml import MathPrinter
from symbackprop.pages.stated_symbols import markup_of
from symbackprop.reports.face import derivation_html
from symbackprop.syntax.latex_symbols import COMMANDS, fault_of_symbol
from symbackprop.typesetting.names import NameLatex
from symbackprop.typesetting.symbols import given_symbol, stated_symbols

MODEL = r"""
index b : B
index i : I
input x[b,i]
param W[i] as "\mathbf{w}^{(1)}", c as "\beta"
u[b] as "a_{o}" = sum(i, W[i]*x[b,i]) + c
loss E as "\mathcal{L}" = 1/2*sum(b, u[b]^2)
"""


def characters(markup: str) -> str:
    parseString(f"<all>{markup}</all>")
    return re.sub(r"<[^>]*>", "", markup)


@pytest.mark.parametrize(
    ("latex", "base", "above"),
    [
        (r"\mathbf{W}^{(1)}", "W", "(1)"),
        ("t^{*}", "t", "*"),
        ("a_{o}", "ao", ""),
        ("x_i^2", "xi", "2"),
        (r"\alpha", "\u03b1", ""),
        (r"\hat{\theta}", "\u03b8^", ""),
        (r"\mathcal{L}", "\u2112", ""),
        (r"\mathcal{D}", "\U0001d49f", ""),
        (r"\mathbb{R}^n", "\u211d", "n"),
        (r"\mathfrak{g}", "\U0001d524", ""),
        (r"\nabla W", "\u2207W", ""),
        (r"\mathrm{out}", "out", ""),
        (r"W'", "W\u2032", ""),
        (r"\overline{x y}", "xy\u00af", ""),
        (r"\mathbf{\hat{x}}", "x^", ""),
    ],
)
def test_a_symbol_has_a_base_and_what_stands_above_it(latex, base, above):
    assert not fault_of_symbol(latex)
    assert tuple(map(characters, markup_of(given_symbol(latex)))) == (base, above)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_shows_something_and_no_name(command):
    shown = characters(markup_of(given_symbol(rf"\{command}{{x}}"))[0])
    assert shown and command not in shown and "\\" not in shown


def test_a_bold_letter_is_upright_and_bold():
    assert markup_of(given_symbol(r"\mathbf{W}")) == (
        '<mi mathvariant="normal" style="font-weight:bold">W</mi>',
        "",
    )


def test_positions_stand_below_and_a_power_behind():
    system = loads(MODEL).system
    symbols = {name: given_symbol(latex) for name, latex in stated_symbols(system).items()}
    stated, plain = MathPrinter("E", {}, symbols), MathPrinter("E")
    found = [printer.math(system.definitions["u"].expression).markup for printer in (stated, plain)]
    assert "<msubsup><mi" in found[0] and "\u03b2" in found[0]
    assert "\u03b2" not in found[1] and "<msub><mi>W</mi>" in found[1]


def test_a_page_shows_the_symbols_and_links_the_names():
    page = derivation_html(loads(MODEL).derive())
    assert "\u2112" in page and 'style="font-weight:bold">w</mi>' in page and 'data-t="W"' in page


GATES = """
index b : B
index j : J
input x[b,j]
param Wf[j], bf[j], Wg[j], out_ml, outml as "o_{ml}"
f[b,j] = sigmoid(Wf[j]*x[b,j] + bf[j])
loss E = sum(b, j, Wg[j]*f[b,j])*out_ml*outml
"""


def test_pages_and_notebooks_set_names_as_papers_do():
    derived = loads(GATES).derive()
    page = derivation_html(derived)
    label = '<mrow><mo stretchy="false">(</mo><mi>f</mi><mo stretchy="false">)</mo></mrow>'
    assert f"<mi>W</mi>{'<mrow><mi>j</mi></mrow>'}{label}" in page and "<mi>Wf</mi>" not in page
    shown = derived._repr_html_(), loads(GATES)._repr_html_()
    assert all(label in each and "<mi>Wf</mi>" not in each for each in shown)
    assert all("W^{(f)}" in each._repr_latex_() for each in (derived, loads(GATES)))
    assert "o_{ml}" in loads(GATES)._repr_latex_()


def test_a_word_with_signs_of_latex_shows_them_without_a_backslash():
    assert characters(markup_of(NameLatex(r"\mathrm{out\_ml}", "", 3.0))[0]) == "out_ml"
