"""Sizes of axes as numbers and as relations: what is read, printed and refused, and positions across axes."""

import re

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import LanguageError, NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import system_text, text
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source

TENSORS = "const x[t], z[s], w[h]\n"
AXES = "index t : T\nindex s : S = T + 1\nindex h : H\n"


@pytest.mark.parametrize(
    "size, printed",
    [
        ("T+1", "T + 1"),
        ("4*H", "4*H"),
        ("H*T", "H*T"),
        ("T/H", "T/H"),
        ("floor((T + 2*1 - H)/2) + 1", "floor((T - H + 2)/2) + 1"),
        ("floor(size(t)/H)", "floor(T/H)"),
        ("ceil(H/3)", "floor((H + 2)/3)"),
        ("2*ceil((T - H)/2) + 1", "2*floor((T - H + 1)/2) + 1"),
        ("ceil(H/T)", "floor((H + T - 1)/T)"),
        ("ceil((T + 1)/(H - 1))", "-floor((-(T + 1))/(H - 1))"),
        ("ceil(T) + ceil(7/2)", "T + 4"),
        ("size(T) - 1", "T - 1"),
        ("T^2", "T^2"),
        ("H*(H + 1)/2", "H*(H + 1)/2"),
        ("-H + T", "T - H"),
        ("2*H*3 - 1 + 1", "6*H"),
        ("S", "S"),
        ("2*3", "6"),
    ],
)
def test_a_relation_prints_as_it_reads_and_reads_again(size: str, printed: str) -> None:
    system = parse_system(f"{AXES}index a : A = {size}\n{TENSORS}y[a] = a\n")
    shown = system_text(system)
    assert f"index a : A = {printed}\n" in shown and "index s : S = T + 1\n" in shown
    assert system_text(parse_system(shown)) == shown
    assert parse_system(shown).axes == system.axes


@pytest.mark.parametrize(
    "declarations, cause, remedy",
    [
        ("index a : A = B\nindex b : B = A + 1", "in a circle: A = B, B = A + 1", "leave one of them out"),
        ("index a : A = A/1", "the size of A is stated in a circle: A = A", ""),
        (
            "index a : A = 7\nindex b : B = A/2",
            "no axis has a size of 7/2: B = A/2 with A = 7",
            "whole number",
        ),
        ("index a : A = 2\nindex b : B = A - 2", "no axis has a size of 0: B = A - 2 with A = 2", ""),
        ("index a : A = 2*T\nindex b : A = 3*T", "has size 2*T at model:4:15 and 3*T here", "once"),
        ("index a : A = 2*T\nindex b : A = 3", "has size 2*T at model:4:15 and 3 here", "once"),
        ("index a : A = 2*B\nindex b : B", "nothing determines the size of A and B", "B = 10"),
        ("index a : A = T/B\nindex b : B", "no declared tensor has one of these axes", ""),
        ("index a : A = t", "'t' is an index, and a size is that of an axis", "write T"),
        ("index a : A = x", "'x' is a const", "S = T + 1"),
        ("index a : A = Q", "unknown axis 'Q'", "index q : Q"),
        ("index a : A = exp(T)", "no arithmetic of sizes", "floor(...)"),
        ("index a : A = T[1]", "no arithmetic of sizes", ""),
        ("index a : A = T < 2", "no arithmetic of sizes", ""),
        ("index a : A = 2^T", "the exponent of a size is a whole number", ""),
        ("index a : A = T/0", "division by zero", ""),
        ("index a : A = 2.5", "a whole number from 1 to", ""),
        ("index a : A = 2 - 3", "a whole number from 1 to", ""),
        ("index a : A = 99999*99999", "a whole number from 1 to", ""),
        ("index a : A = 99999\nindex b : B = A^2", "a whole number from 1 to", "smaller"),
        (f"index a : A = {'-' * 300}T", "nested more than", ""),
    ],
)
def test_what_is_no_size_is_refused(declarations: str, cause: str, remedy: str) -> None:
    with pytest.raises((LanguageError, NotationError)) as refusal:
        parse_system(f"{AXES}{declarations}\n{TENSORS}y = 1\n")
    assert cause in refusal.value.cause and remedy in refusal.value.remedy
    assert refusal.value.place is not None


@pytest.mark.parametrize("number", ["", " = 5"])
@pytest.mark.parametrize(
    "equation, refusal",
    [
        ("y[t] = x[t]*z[t]*z[t + 1]", ""),
        ("y[s] = where(s > 0, x[s - 1], 0)", ""),
        ("y[s] = where(s < size(t), x[s], 0)", ""),
        ("y[s] = pad(x[s])", ""),
        ("y[s] = sum(t, delta(s, t)*x[t])", ""),
        ("y[s] = x[s]", "x[s] lies outside axis T"),
        ("y[s] = x[s - 1]", "x[s - 1] lies outside axis T"),
        ("y[s] = where(s == 0, 0, x[s])", "x[s] lies outside axis T"),
        ("y[s] = where(s == 0, 0, 2*y[s-1] + x[s])", "x[s] lies outside axis T"),
        ("y[t] = where(t >= 3, z[t + 2], 0)", "z[t + 2] lies outside axis S"),
        ("y[t] = where(t + 2 < size(s), z[t + 2], 0)", ""),
        ("y[t] = z[t + 2]", "z[t + 2] lies outside axis S"),
        ("y[h] = x[h]", "axis clash in 'x': position 1 runs over axis T, but 'h' is an index over axis H"),
        ("y[t,h] = delta(t, h)", "axis clash in delta(t, h)"),
    ],
)
def test_an_index_reads_a_related_axis_where_it_lies_inside(number: str, equation: str, refusal: str) -> None:
    model = f"{AXES.replace('index t : T', f'index t : T{number}')}{TENSORS}{equation}\n"
    if not refusal:
        system = parse_system(model)
        (stated,) = system.equations
        assert parse_expression(text(stated.expression), system) == stated.expression
        return
    with pytest.raises(NotationError) as caught:
        parse_system(model)
    assert refusal in caught.value.cause


def test_the_remedies_say_how_sizes_are_related() -> None:
    with pytest.raises(NotationError, match=r"relate the sizes: index t : T = H \+ 1"):
        parse_system(f"{AXES}{TENSORS}y[h] = x[h]\n")
    with pytest.raises(NotationError, match=r"'s' runs over axis S, which is longer"):
        parse_system(f"{AXES}{TENSORS}y[s] = x[s]\n")
    with pytest.raises(NotationError, match=r"outside axis S for t = size\(t\) - 1, where S = T \+ 1"):
        parse_system(f"{AXES}{TENSORS}y[t] = z[t + 2]\n")
    with pytest.raises(NotationError, match=r"which is longer, where S = T \+ 1"):
        parse_system(f"{AXES}{TENSORS}y[s] = x[s]\n")
    with pytest.raises(NotationError, match=r"S = T \+ 1 does not say that it has as many places as H"):
        parse_system(f"{AXES}{TENSORS}y[h] = z[h]\n")


@pytest.mark.parametrize(
    "declarations, cause",
    [
        ("index h : H = 3\nindex o : D = 10\nindex e : E = D/H", "no axis has a size of 10/3: E = D/H"),
        ("index t : T = 5\nindex s : S = T + 1\nindex r : S = 7", "axis S has size T + 1 at"),
        ("index t : T = 5\nindex s : S = 2*T\nindex k : K = S/3", "no axis has a size of 10/3: K = S/3"),
        ("index t : T = 2*R\nindex s : S = T + 1\nindex r : R = S", "T = 2*R, R = S, S = T + 1"),
        ("index k : K = 2*J + 1\nindex j : J", "nothing determines the size of K and J"),
        ("index d : E\nindex e : d", "'d' is used twice: it is an index at model:1:7 and an axis here"),
        ("index e : d\nindex d : E", "'d' is used twice: it is an axis at model:1:11 and an index here"),
        ("index d : d\ninput d[d]", "'d' is used twice: it is an index at model:1:7 and an input here"),
    ],
)
def test_mistakes_about_sizes_have_one_message(declarations: str, cause: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_system(f"{declarations}\nloss L = 1\n")
    assert cause in caught.value.cause and caught.value.place is not None and caught.value.remedy


@pytest.mark.parametrize(
    ("long", "remedy"),
    [(7, r"relate the sizes: index m : M = P \+ 4$"), (3, "relate the sizes: index m : M = P$"),
     (2, "for M has fewer places than P$")],
)  # fmt: skip
def test_a_relation_that_a_remedy_gives_holds_of_the_sizes_that_are_stated(long: int, remedy: str) -> None:
    stated = "index p : P = 3\nindex m : M = {}\nparam u[m]\ny[p] = u[p]\n"
    with pytest.raises(NotationError) as caught:
        parse_system(stated.format(long))
    assert re.search(remedy, caught.value.remedy)
    if long >= 3:
        parse_system(stated.format(f"P + {long - 3}" if long > 3 else "P"))


def test_an_index_may_have_the_name_of_its_axis() -> None:
    axes = "index t, u : t\nindex s : s = t + 1\nindex d, e : d\n"
    rest = "input x[t,d]\nparam W[d,e]\nh[s,d] = where(s == 0, 1, sum(e, W[d,e]*h[s-1,e]) + x[s-1,d])\n"
    rest += "loss L = sum(t, d, h[t+1,d]^2)/size(t)\n"
    system = parse_system(axes + rest)
    assert parse_system(system_text(system)).equations == system.equations
    module = load_module(numpy_source(lower(derive(system))), "same_names")
    values = {"x": np.arange(6.0).reshape(3, 2), "W": np.eye(2)}
    found = module.grad({"W": values["W"]}, values["x"])["W"]
    np.testing.assert_allclose(found, total_gradient(system, values, {"t": 3, "s": 4, "d": 2}, "W"))


def test_numbers_that_happen_to_fit_relate_nothing() -> None:
    with pytest.raises(NotationError, match="axis clash"):
        parse_system("index t : T = 5\nindex s : S = 6\nconst z[s]\ny[t] = z[t]\n")


def test_axes_have_names_of_their_own() -> None:
    system = parse_system("""
index d : D
index e : E = D + 1
index q : sq
param D[d], sq[q]
input x[d,e] in D
func sqr(u) = u^2
y[d] = sqr(D[d])*size(D)*size(E)*size(e)
loss E = sum(d, y[d]) + sum(q, sq[q])
""")
    assert system_text(parse_system(system_text(system))) == system_text(system)
    assert text(system.definitions["y"].expression) == "D[d]^2*size(d)*size(e)*size(e)"
    assert system.tensors["x"].values == next(axis for axis in system.axes if axis.name == "D")
