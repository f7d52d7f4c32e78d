import re

import pytest

from symbackprop.lesson.rulebook.rule_phases import phases
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.typesetting.formulas import PLAIN, Typesetter
from symbackprop.typesetting.names import NameLatex
from symbackprop.typesetting.statements import statement_atoms

STATEMENTS = sorted({rule.statement for phase in phases() for rule in phase.rules if rule.statement})


def shown(*sentence, typesetter=PLAIN):
    atoms = statement_atoms(sentence, typesetter)
    return (
        "".join(" " * atom.spaced + atom.latex for atom in atoms)
        .strip()
        .replace("{} =", " =")
        .replace("$ = ", "$= ")
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("(f*g)' = f'*g + f*g'", r"$(f\,g)' = f'\,g + f\,g'$"),
        ("(f^n)' = n*f^(n-1)*f'", r"$\bigl(f^{n}\bigr)' = n\,f^{n - 1}\,f'$"),
        ("da[p]/da[q] = delta(p,q)", r"$\frac{\partial a_{p}}{\partial a_{q}} = \delta_{pq}$"),
        (
            "sum(i, f*g) = f*sum(i, g), where f is independent of i",
            r"$\sum_{i} f\,g = f\,\sum_{i} g$, where $f$ is independent of $i$",
        ),
        (
            "dE/dx = sum over every w that reads x of dE/dw * dw/dx",
            r"$\frac{\partial E}{\partial x} = \text{sum over every $w$ that reads $x$ of}$ "
            r"$\frac{\partial E}{\partial w}\,\frac{\partial w}{\partial x}$",
        ),
        ("max(f, g) = max(g, f)", r"$\max(f, g) = \max(g, f)$"),
        ("max(i, f) = f", r"$\max_{i} f = f$"),
        ("where(i == j, 1, 0)*f = delta(i,j)*f", r"$[\,i = j\,]\,f = \delta_{ij}\,f$"),
        ("mod(i, m) = i, where 0 <= i < m", r"$(i \bmod m) = i$, where $0 \le i \land i < m$"),
        ("n < f = f > n, likewise", r"$(n < f) = (f > n)$, likewise"),
        ("where a = 0, a sum or a delta", "where $a = 0$, a sum or a delta"),
        ("a loop-carried read of i's axis", "a loop-carried read of i's axis"),
        ("what has been found keeps its name", "what has been found keeps its name"),
        (
            "d inv(X)[i,j]/dX[p,q] = -inv(X)[i,p]*inv(X)[q,j]",
            r"$\frac{\partial \bigl(X^{-1}\bigr)_{ij}}{\partial X_{pq}} = "
            r"-\bigl(X^{-1}\bigr)_{ip}\,\bigl(X^{-1}\bigr)_{qj}$",
        ),
        ("s1[n'] = sqrt(v[n'] + 1e-05)", r"$s^{(1)}_{n'} = \sqrt{v_{n'} + 10^{-5}}$"),
        ("k[n] = exp(-1/2*r[n]^2)", r"$k_{n} = e^{-\frac{1}{2}\,r_{n}^{2}}$"),
        ("50% of a_b {or} so $", r"$50$\% of $a^{(\mathrm{b})}$ \{or\} so \$"),
        ("(f + = )", "(f + = )"),
        ("", ""),
    ],
)
def test_a_statement_is_mathematics_between_words(statement, expected):
    assert shown(statement) == expected


def test_a_formula_among_the_words_is_set_as_what_it_is():
    derivative = Derivative(Element("E"), Element("S"), True)
    assert shown("the definition of ", derivative) == r"the definition of $\partial E / \partial S$"
    assert shown(derivative, "[i,j] = ", derivative, "[j,i] (by its definition)") == (
        r"$\left(\frac{\partial E}{\partial S}\right)_{ij} = "
        r"\left(\frac{\partial E}{\partial S}\right)_{ji}$ (by its definition)"
    )


def test_the_names_of_a_model_are_those_of_its_symbols():
    typesetter = Typesetter({"Wf": NameLatex("W", "(f)", 1.0)})
    assert shown("Wf[i,j] = tanh(v[i,j])", typesetter=typesetter) == r"$W^{(f)}_{ij} = \tanh(v_{ij})$"


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_rule_is_left_in_the_model_language(statement):
    """Its words hold no operator, and everything outside the formulas is words."""
    words = re.sub(r"\$[^$]*\$", "", shown(statement))
    assert not re.search(r"[*\[\]^+]|\w\(|\\text(bar|less)", words), words
    formulas = "".join(re.findall(r"\$([^$]*)\$", shown(statement)))
    assert not re.search(r"\b(sum|where|delta|size)\(", formulas), formulas
    assert formulas.count("{") == formulas.count("}")
