"""What a lesson calls things: bound indices, parts of equations, and what a guard rests on."""

from symbackprop import loads
from symbackprop.languages.language import Language
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.text import document_text

HEAD = "index n : N\nindex c : C\nindex i : I\ninput x[n,i]\ntarget d[n] in C\nparam W[c,i], V[c]\n"
PICKED = (
    HEAD
    + "q[n,c] = exp(sum(i, W[c,i]*x[n,i]) + V[c])/sum(c, exp(sum(i, W[c,i]*x[n,i]) + V[c]))\n"
    + "loss E = -sum(n, log(q[n,d[n]]))"
)
NORMED = HEAD + "r[n,c] = V[c]*x[n,0]\np[n,c] = r[n,c]/sum(c, r[n,c]^2)\nloss E = sum(n, c, p[n,c]^3)"


def said(text: str, language: Language = Language.ENGLISH) -> str:
    document = derivation_document(loads(text, "model").derive().derivation, language=language)
    return " ".join(document_text(document).split())


def test_a_bound_index_has_a_name_of_its_own():
    page = said(NORMED)
    assert "p[n,c] = r[n,c]/sum(c, r[n,c]^2)" in page.partition("The chain rule")[0]  # as it was written
    assert "From p[n',c'] = r[n',c']/sum(c, r[n',c]^2):" in page
    assert "= r[n,c]/sum(c, r[n,c]^2):" not in page


def test_names_of_parts_are_said_to_be_such():
    page = said(PICKED)
    assert "u_q stands for a part of an equation as it was written" in page
    assert "as it was written" not in said(NORMED)
    assert "もとの式の一部に付けた名前" in said(PICKED, Language.JAPANESE)


def test_a_guard_says_where_the_adjoint_is_0():
    page = said(PICKED)
    assert "guard: dE/dq[n',c'] is 0 unless d[n'] == c'" in page
    assert "dE/dw*where(c, f, 0)" not in page


def test_a_constant_factor_is_mentioned():
    assert "constant factor" in said(NORMED) and "(c*f)' = c*f'" in said(NORMED)
