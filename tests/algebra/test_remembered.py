"""What an earlier run has found is believed where it is certified, and spares SymPy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.algebra import remembered
from symbackprop.algebra.rational import RationalSearch, Relation
from symbackprop.algebra.remembered import forget, found_by_search, multiplied_out
from symbackprop.derivation import elementary_derivatives
from symbackprop.derivation.elementary_derivatives import PLACEHOLDERS, elementary_derivative
from symbackprop.notation.arithmetic import add, multiply, negate, power, subtract
from symbackprop.notation.expressions import ONE, Apply, Element, Expression, Number
from symbackprop.storage import folder
from symbackprop.storage.spelled import spelled

A, B, U, Z = map(Element, "abuz")
E_U = Apply("exp", (negate(U),))
SIGMOID = Relation(Z, Apply("sigmoid", (U,)))
SLOPE = multiply(E_U, power(add(ONE, E_U), Number(-2)))  # z*(1 - z)
MOST = 750


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own, and no memory of what was found before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(folder.SWITCH)
    forget()
    elementary_derivative.cache_clear()


def answering(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Whatever is asked, this stands in the folder."""
    for module in (remembered, elementary_derivatives):
        monkeypatch.setattr(module, "stored", lambda question: answer)
    forget()
    elementary_derivative.cache_clear()


def without_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def searched(*_: object, **__: object) -> None:
        raise AssertionError("it is searched for again")

    monkeypatch.setattr(RationalSearch, "cheapest", searched)
    forget()


def test_a_form_is_searched_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_by_search(SLOPE, (SIGMOID,), MOST)
    assert found[0] == multiply(Z, subtract(ONE, Z))
    without_search(monkeypatch)
    assert found_by_search(SLOPE, (SIGMOID,), MOST) == found
    with pytest.raises(AssertionError):
        found_by_search(SLOPE, (), MOST)  # without the relation it is another question
    with pytest.raises(AssertionError):
        found_by_search(SLOPE, (SIGMOID,), MOST - 1)  # and with less work


@pytest.mark.parametrize(
    "answer",
    [
        [spelled(multiply(Element("t1"), add(ONE, Element("t1")))), 17],  # another value
        [spelled(Element("t1")), 17],
        [spelled(multiply(Element("t1"), subtract(ONE, Element("t1")))), "17"],
        [spelled(multiply(Element("t1"), subtract(ONE, Element("t1")))), -1],
        ["Add", 17],
        [["Add", 1], 17],
        17,
    ],
)
def test_what_is_not_certified_is_searched_for(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = found_by_search(SLOPE, (SIGMOID,), MOST)
    answering(monkeypatch, answer)
    assert found_by_search(SLOPE, (SIGMOID,), MOST) == expected


def test_an_equal_form_that_loses_digits_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared(one: Expression, other: Expression) -> Expression:
        return power(subtract(one, other), Number(2))

    first, second = Element("t0"), Element("t1")
    twice = multiply(Number(-2), first, second)
    apart = add(power(first, Number(2)), twice, power(second, Number(2)))
    answering(monkeypatch, [spelled(apart), 5])
    assert found_by_search(squared(A, B), (), MOST)[0] == squared(A, B)


def test_what_is_multiplied_out_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    product = multiply(add(A, B), subtract(A, B))
    terms = multiplied_out(product)
    assert set(terms) == {power(A, Number(2)), negate(power(B, Number(2)))}
    monkeypatch.setattr(remembered, "multiplied", lambda _: pytest.fail("SymPy is asked again"))
    forget()
    assert multiplied_out(product) == terms
    assert multiplied_out(multiply(add(B, U), subtract(B, U))) == (
        power(B, Number(2)),
        negate(power(U, Number(2))),
    )


@pytest.mark.parametrize("answer", [[spelled(Element("t0"))], [], [["Add", 1]], 5, [5]])
def test_terms_that_do_not_add_up_are_not_believed(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    product = multiply(add(A, B), subtract(A, B))
    terms = multiplied_out(product)
    answering(monkeypatch, answer)
    assert multiplied_out(product) == terms


@pytest.mark.parametrize("function", ["exp", "log", "sin", "erf", "tan", "lgamma"])
def test_elementary_derivatives(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = elementary_derivative(function)
    question = f"derivative of {function}"
    assert folder.stored(question) == spelled(expected)
    (u, _) = PLACEHOLDERS
    for wrong in (
        u,
        Apply("cosh", (u,)),
        Element("x"),
        add(expected, Number(1)),
        power(subtract(u, u), Number(-1)),
    ):
        answering(monkeypatch, spelled(wrong))
        assert elementary_derivative(function) == expected
    answering(monkeypatch, spelled(expected))
    assert elementary_derivative(function) == expected


def test_a_second_run_needs_no_sympy(tmp_path: Path) -> None:
    program = (
        "import sys, symbackprop as sb\n"
        "derived = sb.load('examples/seed.model').derive()\n"
        "print(derived.text())\n"
        "print('sympy' in sys.modules, file=sys.stderr)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder.PACKAGE.parent)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert [run.stderr.strip() for run in runs] == ["True", "False"]
    assert runs[0].stdout == runs[1].stdout
