"""What goes as before is said in a line: nothing else than names may differ, and no step is lost."""

import re

from symbackprop import loads
from symbackprop.lesson.document import Chain, Link, Reason
from symbackprop.lesson.likewise.terms import with_terms_alike
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import Element

GATES = """
index b : B
index t : T
index j, k : J
input x[b,t,j]
param Wa[j,k], Wc[j,k], Wr[k,j], v[j]
a[b,t,j] = sigmoid(sum(k, Wa[j,k]*x[b,t,k] + pad(h[b,t-1,k])))
c[b,t,j] = sigmoid(sum(k, Wc[j,k]*x[b,t,k] + pad(h[b,t-1,k])))
r[b,t,j] = sigmoid(sum(k, Wr[k,j]*x[b,t,k]))
h[b,t,j] = a[b,t,j]*c[b,t,j]*r[b,t,j]
loss E = sum(b, j, v[j]*h[b,size(t)-1,j])
"""


def section(shown, title):
    return re.search(rf"(?ms)^{re.escape(title)}[^\n]*\n-+\n(.*?)(?:^\S+\n-+$|\Z)", shown)[1]


def test_a_derivative_in_other_names_is_its_value_and_one_in_other_indices_is_worked_out():
    derived = loads(GATES).derive()
    shown = derived.text()
    first, second = section(shown, "dE/dWc"), section(shown, "dE/dWa")
    assert "likewise" not in first and first.count("\n") > 12
    (line,) = re.findall(r"dE/dWa\[j,k\] = (.*)", second)
    assert line == "sum(b, t, delta_u_a[b,t,j]*x[b,t,k])    # likewise: as dE/dWc"
    assert "likewise: as du_c/dWc" in second and "[    :" not in second
    assert "likewise" not in section(shown, "dE/dWr")


def test_what_is_left_out_on_the_page_is_in_the_derivation():
    derived = loads(GATES).derive()
    assert "likewise" not in derived.text(steps="main")
    steps = {adjoint.tensor: len(adjoint.steps) for adjoint in derived.derivation.adjoints}
    assert steps["Wa"] == steps["Wc"] > 2


def test_terms_that_take_turns_are_in_one_link_and_in_both_languages():
    derived = loads(GATES).derive()
    chain = section(derived.text(), "dE/dh")
    assert chain.count("solve delta") == 1 and chain.count("# likewise for the other term\n") == 1
    assert "# もう一つの項も同様にする" in derived.text(lang="ja")
    assert "likewise" not in derived.text(lang="ja")


def chain(*rows):
    """One link a row, each a sum of its letters, by the rule that stands first."""
    links = [Link(add(*map(Element, terms)), Reason(rule)) for rule, *terms in rows]
    return Chain(add(*map(Element, "abz")), tuple(links))


def rules(found):
    return [link.reason.rule for link in found.links]


def test_turns_of_other_rules_of_one_term_or_of_several_stay():
    alike = chain(("R", *"cbz"), ("S", *"dbz"), ("R", *"dez"), ("S", *"dfz"))
    assert rules(with_terms_alike(alike)) == ["R", "S", "likewise for the other term"]
    assert with_terms_alike(alike).links[-1].expression == alike.links[-1].expression
    for other in (
        chain(("R", *"cbz"), ("S", *"dbz"), ("S", *"dez"), ("R", *"dfz")),
        chain(("R", *"cbz"), ("S", *"dbz"), ("R", *"dey"), ("S", *"dfy")),
        chain(("R", *"cbz"), ("S", *"dbz"), ("R", *"ebz"), ("S", *"fbz")),
        chain(("R", *"cbz"), ("R", *"cez")),
    ):
        assert with_terms_alike(other) == other


def test_a_definition_that_is_put_in_is_named_each_time():
    shown = (
        loads(
            "index b : B\nindex j : J\ninput x[b,j], g[b,j]\nparam s[j], m[j]\n"
            "y[b,j] = s[j]*x[b,j] + m[j]\nloss E = sum(b, j, g[b,j]*y[b,j])"
        )
        .derive()
        .text()
    )
    assert shown.count("put in: dE/dy, found above") == 2 and not re.search("# put in$", shown, re.M)


def test_folding_back_a_function_shows_what_it_stands_for():
    shown = (
        loads(
            "index b : B\ninput x[b]\nparam w\nz[b] = sigmoid(w*x[b])\np[b] = tanh(w*x[b])\n"
            "loss E = sum(b, z[b]^2*p[b])"
        )
        .derive()
        .text()
    )
    assert re.search(r"z\[b'?\] = sigmoid\(.*\) = 1/\(1 \+ exp\(-", shown)
    assert re.search(r"1 - z\[b'?\] = exp\(-.*\)/\(1 \+ exp\(-", shown)
    assert not re.search(r"tanh\(.*\) = \(", shown)
