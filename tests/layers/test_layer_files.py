"""How a layer's file is read, and the pieces that make a network's text of it."""

from __future__ import annotations

import importlib.resources
import re
from fractions import Fraction

import pytest

from symbackprop.errors import LanguageError, RecordError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.layers.catalogue import CATALOGUE, formulas_of
from symbackprop.layers.catalogue_lookup import chosen_options
from symbackprop.layers.chosen_text import text_of
from symbackprop.layers.instance import index_names, instantiated
from symbackprop.layers.layer_file import LayerFormula, read_layer
from symbackprop.layers.network import Layer, OptionValue
from symbackprop.layers.options import ELEMENTWISE, OPTION_TYPES, value_of, value_text
from symbackprop.layers.renaming import renamed
from symbackprop.layers.sequential import Sequential
from symbackprop.layers.size_values import UnknownSizeError, size_value
from symbackprop.layers.specimen import specimen_options
from symbackprop.syntax.nodes import EquationStatement
from symbackprop.syntax.parsing import read_body, read_formula
from symbackprop.syntax.source import Source

SCALED = """\
# Scaled
#
# Multiplied,
# and perhaps moved.
#
# A second paragraph: with a colon.
#
# Shapes: x: (N, I).
#
# Source: nobody, 1999.
option scale: number        # the factor
option step: size = 1       # how far
option shift: count = 0     # how much is added
option twice: switch = false    # whether it is done twice
option side: left | right   # which side
option times: 2 | 3         # how often
option function: function = tanh
also doubled: scale = 2     # Twice as much
python doubled DOUBLED
rest n
index i : I
input x[n,i]   # what comes before
{param a[i] when twice}
y[n,i] = scale*x[n,i] + step*i - shift {+ a[i] when twice}
"""


def formula_of(body: str) -> LayerFormula:
    (formula,) = read_layer("test", f"# Test\n{body}")
    return formula


def instance(**options: OptionValue) -> tuple[str, ...]:
    (scaled, _) = read_layer("scaled", SCALED)
    defaults = {option.name: option.default for option in scaled.options if option.default is not None}
    return tuple(text for _, text in instantiated(scaled, {**defaults, **options}).written)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_what_a_file_says_that_it_is_is_what_it_computes(kind: str) -> None:
    formula = CATALOGUE[kind]
    chosen = instantiated(formula, chosen_options(formula, specimen_options(formula), ()))
    read, written = chosen.of_role("input"), chosen.of_role("param", "target", "const")
    shape = index_names(chosen.input.references[0])
    may_follow = (len(read), written, index_names(chosen.output)) == (1, (), shape)
    needs_nothing = not any(option.is_required for option in formula.options)
    assert formula.is_loss == (chosen.loss is not None) == bool(chosen.of_role("target"))
    assert formula.is_activation == (may_follow and needs_nothing)


def test_a_file_that_says_another_thing_is_refused() -> None:
    with pytest.raises(LanguageError, match="'lost' is nothing that a layer can be"):
        formula_of("is lost\nrest n\ninput u[n]\nz[n] = 2*u[n]\n")


def test_a_file_says_what_a_layer_is() -> None:
    scaled, doubled = read_layer("scaled", SCALED)
    assert (scaled.kind, scaled.python, scaled.title, scaled.rest) == ("scaled", "Scaled", "Scaled", "n")
    assert not scaled.is_loss and not scaled.is_batch
    assert scaled.description == "Multiplied, and perhaps moved.\n\nA second paragraph: with a colon."
    assert (scaled.shapes, scaled.source) == ("x: (N, I).", "nobody, 1999.")
    assert {option.name: option.default for option in scaled.options} == {
        "scale": None, "step": 1, "shift": 0, "twice": False, "side": "left", "times": 2, "function": "tanh",
    }  # fmt: skip
    assert scaled.options[0].description == "the factor"
    assert (doubled.kind, doubled.python, doubled.title) == ("doubled", "DOUBLED", "Twice as much")
    assert doubled.presets == {"scale": 2}
    assert [option.name for option in doubled.options] == [option.name for option in scaled.options[1:]]


def test_a_layer_may_stand_under_the_name_of_each_function() -> None:
    text = SCALED.replace("also doubled: scale = 2     # Twice as much", "also each: function")
    scaled, *others = read_layer("scaled", text)
    assert [other.kind for other in others] == list(ELEMENTWISE)
    relu = next(other for other in others if other.kind == "relu")
    assert (relu.python, relu.title) == ("ReLU", FUNCTIONS["relu"].title)
    assert relu.presets == {"function": "relu"}
    assert [option.name for option in relu.options] == [option.name for option in scaled.options[:-1]]


@pytest.mark.parametrize(("line", "remedy"), [
    ("option scale number", "write option"),
    ("option scale: factor", "axis, size"),
    ("also doubled", "write also"),
    ("also each", "write also"),
])  # fmt: skip
def test_a_header_line_that_says_nothing_is_refused(line: str, remedy: str) -> None:
    with pytest.raises(LanguageError) as caught:
        read_layer("wrong", f"# Wrong\n{line}\ny = x\n")
    assert caught.value.place is not None and caught.value.place.line == 2
    assert remedy in caught.value.remedy


def test_options_stand_in_the_formula_as_numbers() -> None:
    assert instance(scale=0.5)[-1] == "y[n,i] = 0.5*x[n,i] + i"
    assert instance(scale=1e-5, step=3, shift=2)[-1] == "y[n,i] = 1e-5*x[n,i] + 3*i - 2"


def test_an_option_in_the_formula_keeps_the_brackets_around_its_neighbours() -> None:
    formula = formula_of("y = scale*(a - shift) + scale*(b) + (c) - shift - (d - shift) + 2*shift + scale")
    text = instantiated(formula, {"scale": 1, "shift": 0}).text
    assert text == "y = (a) + (b) + (c) - (d) + 2*0 + 1\n"


def test_an_axis_may_be_called_as_an_option_is() -> None:
    text = Sequential([Layer("conv1d", {"units": "stride", "kernel": 3, "stride": 2})], inputs=(2, 7)).text()
    assert "index s : stride\n" in text
    assert "u1[b,s,p] = sum(c, r, W1[s,c,r]*x[b,c,2*p + r]) + b1[s]" in text


def test_what_depends_on_an_option_is_there_or_not() -> None:
    assert instance(scale=2) == ("index i : I", "input x[n,i]", "y[n,i] = 2*x[n,i] + i")
    assert instance(scale=2, twice=True)[-2:] == ("param a[i]", "y[n,i] = 2*x[n,i] + i + a[i]")


@pytest.mark.parametrize(("text", "options", "found"), [
    ("y = {a when side == left else b}", {"side": "left"}, "y = a"),
    ("y = {a when side == left else b}", {"side": "right"}, "y = b"),
    ("y = {a when times > 2}c", {"times": 3}, "y = ac"),
    ("y = {a when times > 2}c", {"times": 2}, "y =c"),
    ("y {- a when not on}", {"on": False}, "y - a"),
    ("y {- a when not on}", {"on": True}, "y"),
    ("y {+ {a when on else b} when times == 2}", {"on": True, "times": 2}, "y + a"),
    ("y {+ {a when on else b} when times == 2}", {"on": True, "times": 3}, "y"),
    ("y{\nz when on else\nv}", {"on": False}, "yv"),
    ("y = {whenever when on}", {"on": True}, "y = whenever"),
])  # fmt: skip
def test_choices(text: str, options: dict[str, OptionValue], found: str) -> None:
    assert text_of(read_body(Source("test", text)), options) == found


@pytest.mark.parametrize(("text", "padding", "found"), [
    ("y = {pad when padding > 0}(x[i - padding])*2", 1, "y = pad(x[i - padding])*2"),
    ("y = {pad when padding > 0}(x[i - padding])*2", 0, "y =x[i - padding]*2"),
    ("y = a*{pad when padding > 0}(x[f(i)])", 0, "y = a*x[f(i)]"),
    ("y = a*{pad when padding > 0}(x[{i when padding == 0 else f(i)}])", 0, "y = a*x[i]"),
    ("y = a*{pad when padding > 0}(x[{i when padding == 0 else f(i)}])", 2, "y = a*pad(x[f(i)])"),
    ("y = {pad when padding > 0 else f}(x[i])", 0, "y = f(x[i])"),
])  # fmt: skip
def test_a_call_or_its_argument(text: str, padding: int, found: str) -> None:
    assert text_of(read_body(Source("test", text)), {"padding": padding}) == found


@pytest.mark.parametrize(("text", "cause"), [
    ("y = {pad( when padding > 0}x[i]{) when padding > 0}", "this '(' is not closed"),
    ("y = x[i]{) when on}", "this ')' closes nothing"),
    ("y = (x[i]", "this '(' is not closed"),
    ("y = (x[i)]", "this '[' is not closed"),
    ("y = x[i])", "this ')' closes nothing"),
    ("y = {a}", "opens no alternative"),
    ("y = {a when }", "opens no alternative"),
    ("y = {a when b else c", "never closed"),
    ("y = {f when on}(x", "is not closed"),
    ("y = a}", "ends nothing"),
    ("y = {f + when on}(x)", "opens no alternative"),
    ("y = {a$ when on}", "'$' has no meaning here"),
])  # fmt: skip
def test_choices_that_do_not_pair(text: str, cause: str) -> None:
    with pytest.raises(LanguageError, match=re.escape(cause)) as caught:
        _ = read_layer("wrong", f"# Wrong\nrest n\n{text}\n")[0].alternatives
    assert caught.value.remedy and caught.value.place is not None and caught.value.place.line == 3


def test_statements_may_run_over_lines() -> None:
    formula = formula_of("a = (b\n  + c[\n i])\n\nd = 1 # e\n")
    found = instantiated(formula, {}).written
    assert [text for _, text in found] == ["a = (b\n  + c[\n i])", "d = 1"]
    assert all(isinstance(statement, EquationStatement) for statement, _ in found)


@pytest.mark.parametrize(("statement", "found"), [
    ("u[n,j] = sum(i, W[j,i]*x[n,i])", "u2[b,t,k] = sum(j, W2[k,j]*z1[b,t,j])"),
    ("E = sum(n, i, (x[n,i])^2)", "E = sum(b, t, j, (z1[b,t,j])^2)"),
    ("v[n] = 1e5*where(i' == 0, x[n,i'], 2.e3)", "v[b,t] = 1e5*where(j' == 0, z1[b,t,j'], 2.e3)"),
])  # fmt: skip
def test_renaming(statement: str, found: str) -> None:
    names = {"n": ("b", "t"), "i": ("j",), "j": ("k",), "x": ("z1",), "W": ("W2",), "u": ("u2",)}
    assert renamed(statement, names) == found


@pytest.mark.parametrize(("statement", "found"), [
    ("u[n,j] = sum(i, x[n,i])", "u[j] = sum(i, x[i])"),
    ("E = sum(n, i, x[n,i])", "E = sum(i, x[i])"),
    ("E = -mean(n, sum(k, d[n,k]*log(p[n,d[n]])))", "E = -(sum(k, d[k]*log(p[d])))"),
    ("E = sum(n, x[n])", "E = (x)"),
    ("E = sum(i, n, x[i,n])", "E = sum(i, x[i])"),
    ("E = sum(n, i, ((x[n,i])))", "E = sum(i, ((x[i])))"),
    ("input ids[n,i] in V", "input ids[i] in V"),
])  # fmt: skip
def test_an_index_that_is_not_there_leaves_no_trace(statement: str, found: str) -> None:
    assert renamed(statement, {"n": ()}) == found


@pytest.mark.parametrize(("text", "value"), [
    ("floor((size(i) + 2*1 - 3*(3 - 1) - 1)/2) + 1", 2),
    ("size(i)/2", Fraction(7, 2)),
    ("-floor(-size(i)/2)", 4),
    ("ceil(size(i)/2)", 4),
    ("mod(size(i), 4)*2", 6),
    ("1 - 2 - 3", -4),
])  # fmt: skip
def test_size_arithmetic(text: str, value: Fraction) -> None:
    assert size_value(read_formula(Source("test", text)), {"i": 7}) == value


@pytest.mark.parametrize("text", ["size(j)", "size(1)", "i", "2^3", "exp(1)", "floor(1, 2)", "x[i]", "1 < 2"])
def test_what_is_no_size_arithmetic(text: str) -> None:
    with pytest.raises(LanguageError, match="no size arithmetic"):
        size_value(read_formula(Source("test", text)), {"i": 7})


def test_a_size_that_is_not_known() -> None:
    with pytest.raises(UnknownSizeError) as caught:
        size_value(read_formula(Source("test", "2*size(i)")), {"i": None})
    assert caught.value.axis == "i"


@pytest.mark.parametrize("text", ["true", "false", "0", "17", "1e-5", "0.25", "tanh", "out,in"])
def test_values_are_written_as_they_are_read(text: str) -> None:
    assert value_text(value_of(text)).lower() == text


@pytest.mark.parametrize(("word", "good", "bad"), [
    ("axis", (1, 10**9), (0, True, 1.0, 10**9 + 1)),
    ("size", (1, 7), (0, -1, True, 2.0, "K")),
    ("count", (0, 7), (-1, False, 1.5, "K")),
    ("number", (1, 0.5), (0, -1.0, True, float("inf"), float("nan"), "1")),
    ("switch", (True, False), (0, 1, "true")),
    ("function", ("tanh", "relu"), ("max", "trigamma", "dense", 1)),
])  # fmt: skip
def test_what_an_option_may_be(
    word: str, good: tuple[OptionValue, ...], bad: tuple[OptionValue, ...]
) -> None:
    assert all(OPTION_TYPES[word].accepts(value) for value in good)
    assert not any(OPTION_TYPES[word].accepts(value) for value in bad)


WAVE = """# Wave
#
# Bends.
#
# Shapes: x: (N), y: (N).
#
# Source: none.
{also}rest n
input x[n]
y[n] = sin(x[n])
"""
RIPPLE = "option of: switch = true   # what\nalso wave: of = false  # Wave\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"ripple.layer": WAVE.format(also=RIPPLE)},
            r"two layers are called 'wave': by another name in ripple\.layer and by wave\.layer",
        ),
        ({}, r"two layers are called 'tanh': by another name in elementwise\.layer and by tanh\.layer"),
    ],
)
def test_two_layers_of_one_name_are_refused(files: dict[str, str], message: str) -> None:
    own = "wave" if files else "tanh"
    folder = importlib.resources.files("symbackprop.layers").joinpath("formulas")
    elementwise = {"elementwise.layer": folder.joinpath("elementwise.layer").read_text(encoding="utf-8")}
    with pytest.raises(RecordError, match=message):
        formulas_of({**elementwise, **files, f"{own}.layer": WAVE.format(also="")})
