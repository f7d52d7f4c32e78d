"""The TOML form: the same networks, messages that know the line, and the schema."""

import dataclasses
import io
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.errors import LanguageError, SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue import LAYERS
from symbackprop.layers.loading import load_system
from symbackprop.layers.sequential import Dense, Sequential
from symbackprop.layers.tables import toml_schema
from symbackprop.layers.toml_file import parse_toml
from symbackprop.systems.printing import text

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = """\
name = "digits"

[input]
size = 64

[[layer]]
kind = "dense"
units = 32
activation = "sigmoid"

[[layer]]
kind = "dense"  # the output
units = 10

[loss]
kind = "half_squared_error"
"""


def refusal(text: str) -> LanguageError:
    started = time.perf_counter()
    with pytest.raises(LanguageError) as caught:
        parse_toml(text, source_name="net.toml")
    assert time.perf_counter() - started < 1
    assert type(caught.value) is LanguageError
    assert caught.value.remedy
    return caught.value


def test_the_file_is_the_network_in_python() -> None:
    network = Sequential(
        [Dense(32, "sigmoid"), Dense(10)], loss="half_squared_error", inputs=64, name="digits"
    )
    assert parse_toml(DIGITS) == network.system()


def test_the_seed_as_toml_is_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "seed.toml"
    path.write_text(
        DIGITS.replace("size = 64\n", "").replace("32", '"J"').replace("10", '"K"').replace("digits", "seed")
    )
    seed = load_system(EXAMPLES / "seed.model")
    assert dataclasses.replace(load_system(path), source="") == dataclasses.replace(seed, source="")


def test_options_axes_and_no_batch_can_be_given() -> None:
    system = parse_toml(
        '[input]\naxis = ["T", "F"]\nsize = [5, 3]\nbatch = false\n'
        '[[layer]]\nkind = "multi_head_attention"\nheads = 2\nunits = "D"\ncausal = true\n'
        '[loss]\nkind = "huber"\nthreshold = 0.5\naverage = true\n'
    )
    assert text(system.tensors["x"].element) == "x[t,f]"
    assert {axis.name: axis.size for axis in system.axes} == {"T": 5, "F": 3, "H": 2, "D": None}
    assert "where(s <= t" in text(system.definitions["X1"].expression)
    assert text(system.definitions["E"].expression).startswith("1/(size(t)*size(f))*sum(t, f, where(abs(")


def test_names_and_layout_can_be_given() -> None:
    system = parse_toml(
        '[input]\nname = "images"\naxis = "P"\nbatch = "N"\n[output]\nname = "guess"\n'
        '[[layer]]\nkind = "dense"\nunits = "C"\nlayout = "in,out"\n'
        '[loss]\nkind = "half_squared_error"\ntarget = "labels"\nname = "L"\n',
        name="from_file",
    )
    assert system.name == "from_file"
    assert system.loss == "L"
    assert [text(system.tensors[name].element) for name in ("images", "labels", "W1", "guess")] == [
        "images[n,p]", "labels[n,c]", "W1[p,c]", "guess[n,c]"
    ]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "cause", "remedy"), [
    ('"dense"  # the output', '"dens"', 12, "no layer 'dens'", "'dense'"),
    ('kind = "dense"  # the output\n', "", 11, "the key 'kind' is missing", ""),
    ("units = 32", "units = true", 8, "'units' cannot be true", "from 1"),
    ("units = 32", "units = 0", 8, "'units' cannot be 0", "from 1"),
    ("units = 32", "units = -3", 8, "'units' cannot be -3", ""),
    ("units = 32", "units = 2.5", 8, "'units' cannot be 2.5", ""),
    ("units = 32", 'units = "lambda x: x"', 8, "cannot be a name", ""),
    ("units = 32", "units = [3]", 8, "'units' cannot be [3]", ""),
    ("units = 32", "unit = 32", 8, "no option 'unit'", "'units'"),
    ("units = 32\n", "", 6, "needs units", "units = 10"),
    ("units = 10", 'units = "x"', 13, "used twice", ""),
    ("units = 10", 'units = 10\nlayout = "xy"', 14, "'layout' cannot be", '"out,in"'),
    ('"sigmoid"', '"sigmiod"', 9, "no activation 'sigmiod'", "'sigmoid'"),
    ("size = 64", 'size = "64"', 4, "'size' cannot be \"64\"", "number of features"),
    ("size = 64", "size = [8, 0]", 4, "'size' cannot be [8, 0]", "one size an axis"),
    ("size = 64", "size = [8, 8]", 4, "has 2 sizes, and the first layer", "name the input's axes"),
    ("size = 64", 'size = 64\naxis = ["T", "I"]', 4, "has the axes T, I and 1 size", "for each axis"),
    ("size = 64", "batch = true", 4, "'batch' cannot be true", "false where there is none"),
    ("units = 32", "units = 32\nbias = 1", 9, "'bias' cannot be 1", "true or false"),
    ('"half_squared_error"', '"huber"\nthreshold = -1', 17, "'threshold' cannot be -1", "above 0"),
    ('"half_squared_error"', '"huber"\ndelta = 1', 17, "'huber' has no option 'delta'", "threshold"),
    ('"half_squared_error"', '"dense"', 16, "no loss 'dense'", ""),
    ("[input]", "[inputs]", 3, "unknown key 'inputs'", "'input'"),
    ("[input]\n", '[input]\nname = "sum"\n', 4, "cannot be a name", ""),
    ('"half_squared_error"', '"mse"', 16, "no loss 'mse'", "half_squared_error"),
    ("name = \"digits\"", "name = \"a b\"", 1, "'name' cannot be", "letters"),
    ("name = \"digits\"", "name = 3", 1, "'name' cannot be 3", ""),
    ("name = \"digits\"", "layers = 3", 1, "unknown key 'layers'", "'layer'"),
    ("units = 32", "units = ", 8, "not TOML", ""),
    ("[[layer]]", "[layer]", 11, "not TOML", ""),
    ("units = 32", "units = 32\nunits = 33", 9, "not TOML", ""),
])  # fmt: skip
def test_messages(old: str, new: str, line: int, cause: str, remedy: str) -> None:
    error = refusal(DIGITS.replace(old, new))
    assert error.place is not None
    assert (error.place.source, error.place.line) == ("net.toml", line)
    assert cause in error.cause
    assert remedy in error.remedy
    assert "pydantic" not in str(error) and "Input should" not in str(error)


@pytest.mark.parametrize(
    "text", ["", "# nothing", 'name = "a"', "layer = []", "layer = 3", "[layer]\nkind = 'dense'"]
)
def test_a_network_without_layers(text: str) -> None:
    assert "layer" in str(refusal(text))


def test_brackets_without_end() -> None:
    assert "TOML" in refusal("x = " + "[" * 50_000).cause


def test_a_number_of_five_thousand_digits() -> None:
    refusal(DIGITS.replace("units = 32", "units = " + "9" * 5000))
    refusal(DIGITS.replace("units = 32", "units = " + "9" * 4000))


def test_the_schema_tells_what_the_reader_knows() -> None:
    schema = toml_schema()
    json.dumps(schema)
    layer = schema["$defs"]["LayerTable"]
    assert layer["properties"]["kind"]["enum"] == sorted(LAYERS)
    assert layer["required"] == ["kind"]
    assert [each["properties"]["kind"]["const"] for each in layer["oneOf"]] == sorted(LAYERS)
    assert all(each["additionalProperties"] is False for each in layer["oneOf"])
    assert set(schema["properties"]) == {"sizes", "name", "input", "output", "layer", "loss", "audit"}
    assert schema["required"] == ["layer"]
    dense = next(each for each in layer["oneOf"] if each["properties"]["kind"]["const"] == "dense")
    assert dense["required"] == ["kind", "units"]
    assert dense["properties"]["layout"]["enum"] == ["out,in", "in,out"]
    for kind in layer["oneOf"]:
        assert all("description" in each for key, each in kind["properties"].items() if key != "kind")


def test_which_form_a_file_has_says_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.TOML").write_text(DIGITS.replace('name = "digits"\n', ""))
    assert load_system(tmp_path / "net.TOML").name == "net"
    (tmp_path / "plain").write_text("y = 1")
    assert load_system(tmp_path / "plain").name == "plain"
    (tmp_path / "code.py").write_text("y = 1")
    with pytest.raises(LanguageError, match=r"neither a \.model nor a \.toml"):
        load_system(tmp_path / "code.py")
    with pytest.raises(LanguageError, match="no file"):
        load_system(tmp_path / "missing.toml")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"y = 1")))
    assert load_system("-").name == "model"


@pytest.mark.parametrize(
    ("text", "is_toml"),
    [
        (DIGITS, True),
        (f"# a comment\r\n\n  {DIGITS}", True),
        ("name = 'net'\n[[layer]]\nkind = 'relu'", True),
        ("[[layer]]\nkind = 'relu'", True),
        ("# [a comment]\nname = 3", False),
        ("index b : B\ninput x[b]\ny[b] = x[b]", False),
    ],
)
def test_standard_input_is_toml_where_it_begins_so(
    text: str, is_toml: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    system = load_system("-")
    assert system.equations == (parse_toml(text) if is_toml else parse_system(text)).equations


def test_messages_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.model"
    path.write_text("y = zz\n")
    with pytest.raises(SymbackpropError) as caught:
        load_system(path)
    assert str(caught.value).startswith(f"{path}:1:5: unknown name 'zz'")


PIECES = st.sampled_from([
    "[[layer]]", "[input]", "[loss]", "[output]", "kind = 'dense'", "kind = 'relu'", "units = 3",
    "units = 'K'", "units = ''", "activation = 'tanh'", "layout = 'in,out'", "name = 'x'", "name = 'W1'",
    "size = 2", "axis = 'B'", "kind = 'half_squared_error'", "target = 'd'", "batch = 'I'",
    "layer = [{kind = 'relu'}]", "=", "bias = false", "size = [2, 3]",
    "axis = ['T', 'I']", "batch = false", "[[",
    "units = 1e9",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_any_tables_give_a_system_or_one_of_our_errors(pieces: list[str]) -> None:
    try:
        parse_toml("\n".join(pieces))
    except SymbackpropError as error:
        assert error.cause


NARROW = """\
[input]
axis = "I"

[sizes]
H = "ceil(I/2)"
T = 3
Q = "2*T + 1"

[[layer]]
kind = "dense"
units = "H"
activation = "tanh"

[[layer]]
kind = "dense"
units = "Q"

[loss]
kind = "half_squared_error"
"""


def test_sizes_are_stated_by_those_of_other_axes() -> None:
    layers = [Dense("H", "tanh"), Dense("Q")]
    sizes = {"H": "ceil(I/2)", "T": 3, "Q": "2*T + 1"}
    network = Sequential(layers, loss="half_squared_error", axes="I", sizes=sizes, name="model")
    system = parse_toml(NARROW)
    assert system.equations == network.system().equations
    assert {axis.name: axis.size for axis in system.axes} == {"B": None, "I": None, "H": None, "T": 3, "Q": 7}
    assert [relation.text for relation in system.relations] == ["H = floor((I + 1)/2)", "Q = 2*T + 1"]


def test_a_stated_number_is_the_size_of_an_axis_of_the_input_or_of_the_batch() -> None:
    system = parse_toml(NARROW.replace("T = 3", "T = 3\nI = 6\nB = 8"))
    assert {axis.name: axis.size for axis in system.axes} == {"B": 8, "I": 6, "H": 3, "T": 3, "Q": 7}


@pytest.mark.parametrize(
    ("before", "after", "line", "cause", "remedy"),
    [
        ('"2*T + 1"', '"2*Z + 1"', 7, "unknown axis 'Z'", "give Z a size in [sizes]"),
        ('"2*T + 1"', '"2*q"', 7, "unknown axis 'q'", ""),
        ('"2*T + 1"', '"2*Q"', 7, "the size of Q is stated in a circle", "leave one of them out"),
        ('"2*T + 1"', '"2*T +"', 7, "expected a value", ""),
        ('"2*T + 1"', '"T/2"', 7, "no axis has a size of 3/2: Q = T/2 with T = 3", "whole number"),
        ('"2*T + 1"', '"T\\nparam p"', 7, "'Q' cannot be", '"2*H + 1"'),
        ('"2*T + 1"', "0", 7, "'Q' cannot be 0", "a whole number from 1"),
        ('"2*T + 1"', "2.5", 7, "'Q' cannot be 2.5", ""),
        ("T = 3", "sum = 3", 6, "'sum' cannot be a name", "another name"),
        ("T = 3", "x = 3", 6, "the name 'x' is used twice", "another name"),
        ('axis = "I"\n', 'axis = "I"\nsize = 4\n', 8, "the size of the axis I is stated twice", "leave one"),
        ('units = "Q"', 'units = "4*H"', 16, "'units' cannot be \"4*H\"", "in [sizes]"),
        ('units = "Q"', 'units = "4H"', 16, "'4H' cannot be a name", "spell names"),
    ],
)
def test_what_can_be_no_size(before: str, after: str, line: int, cause: str, remedy: str) -> None:
    content = NARROW.replace(before, after)
    if "twice" in cause and "axis" in cause:
        content = content.replace("T = 3", "T = 3\nI = 4")
    with pytest.raises(LanguageError) as caught:
        parse_toml(content, "model", "model.toml")
    assert caught.value.place.line == line
    assert cause in caught.value.cause and remedy in caught.value.remedy


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "H;x", "x[i]", "2" * 300])
def test_sizes_in_python_are_numbers_or_sizes_of_others(size) -> None:
    with pytest.raises(LanguageError, match="the size of the axis H cannot be"):
        Sequential([Dense("H")], sizes={"H": size})
