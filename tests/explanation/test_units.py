"""Net inputs, activation functions and the identity, by the structure of equations and not by their names."""

import pytest

from symbackprop import loads
from symbackprop.explanation.blocks import Code
from symbackprop.explanation.units import units
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import in_language

DECLARED = """
index b : B
index i : I
index j : J
input x[b,i], h[b,j]
param W[j,i], V[j,i], c[j]
"""


def said(equations: str, language: Language = Language.ENGLISH) -> list[str]:
    system = loads(f"{DECLARED}{equations}\nloss E = sum(b, j, q[b,j]^2)\n").system
    shown = [in_language(each, language) for each in units(system)]
    return ["".join(part.text if isinstance(part, Code) else str(part) for part in each) for each in shown]


NET_INPUT = "q[b,j] = sum(i, W[j,i]*x[b,i]) + c[j]"
NAMED = NET_INPUT.replace("q", "a", 1)


@pytest.mark.parametrize(
    ("equations", "found"),
    [
        (NET_INPUT, ["a sum weighted by W"]),
        ("q[b,j] = sum(i, W[j,i]*x[b,i]) + sum(i, V[j,i]*x[b,i])", ["a sum weighted by W, V"]),
        ("q[b,j] = sum(i, W[j,i]*x[b,i]) + c[j]*h[b,j]", ["a sum weighted by W, c"]),
        (
            f"{NAMED}\nq[b,j] = tanh(a[b,j])",
            ["weighted by W", "function tanh applied"],
        ),
        (f"{NAMED}\nq[b,j] = a[b,j]", ["weighted by W", "is the identity"]),
        # Near-misses: a scale without a sum, alone and shifted.
        ("q[b,j] = c[j]*h[b,j]", []),
        ("a[b,j] = c[j]*h[b,j] + c[j]\nq[b,j] = tanh(a[b,j])", []),
        # No weight, a square, two weights, a factor that is a formula, what is no activation.
        ("q[b,j] = c[j] + 0*h[b,j]", []),
        ("q[b,j] = sum(i, x[b,i]^2) + h[b,j]", []),
        ("q[b,j] = sum(i, W[j,i]*V[j,i]*x[b,i])", []),
        ("q[b,j] = sum(i, W[j,i]*exp(x[b,i]))", []),
        ("q[b,j] = sum(i, W[j,i]*x[b,i]) + h[b,j]", []),
        ("q[b,j] = tanh(h[b,j])", []),
        (f"{NAMED}\nq[b,j] = floor(a[b,j])", ["weighted by W"]),
    ],
)
def test_what_an_equation_is_called(equations, found):
    sentences = said(equations)
    assert len(sentences) == len(found)
    assert all(part in sentence for part, sentence in zip(found, sentences, strict=True)), sentences


def test_the_terms_of_a_japanese_course():
    sentences = said(
        f"{NAMED}\nz[b,j] = relu(a[b,j])\nq[b,j] = a[b,j] + 0*z[b,j]",
        Language.JAPANESE,
    )
    assert "総入力" in sentences[0] and "活性化関数" in sentences[1]
    assert "恒等写像" in said(f"{NAMED}\nq[b,j] = a[b,j]", Language.JAPANESE)[1]
