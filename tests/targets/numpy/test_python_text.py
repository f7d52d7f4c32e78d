import ast
import builtins
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from symbackprop.emission.environment import render, template_folder
from symbackprop.emission.loading import load_module
from symbackprop.errors import EmissionError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.pipeline import loads
from symbackprop.targets.numpy.python_text import (
    LINE_LENGTH,
    assigned_dict,
    assigned_tuple,
    bracketed,
    identifier,
    identifiers,
    quoted,
    unpacked,
)
from tests.array.hand_written import seed
from tests.programs import lower_system, numpy_source
from tests.targets.numpy.test_statements import CASES, HEAD

ROOT = Path(__file__).parents[3]


def test_python_names():
    assert identifier("x", set()) == "x"
    assert identifier("lambda", set()) == "lambda_"
    assert identifier("range", {"range_"}) == "range__"
    assert identifier("ord", set()) == "ord" and identifier("next", {"next"}) == "next_"
    assert identifier("__import__", set()) == "import_"
    assert identifier("____", {"name_"}) == "name__"
    assert identifiers(["np", "np_", "x"], ["np"]) == {"np": "np_", "np_": "np__", "x": "x"}


def test_literals():
    assert quoted("it's") == '"it\'s"'
    assert assigned_tuple("A", ['"x"']) == ['A = ("x",)']
    assert assigned_tuple("A", []) == ["A = ()"]
    assert assigned_dict("A = ", {}) == ["A = {}"]
    assert assigned_dict("A = ", {"x": "1"}) == ["A = {", '    "x": 1,', "}"]


def test_wrapping():
    assert bracketed("f(", ["a", "b"], ")") == ["f(a, b)"]
    some = ["x" * 50, "y" * 50]
    assert bracketed("f(", some, ") -> int:") == ["f(", f"    {', '.join(some)}", ") -> int:"]
    many = ["x" * 50] * 3
    assert bracketed("f(", many, ")") == ["f(", *(f"    {item}," for item in many), ")"]
    assert unpacked(["a", "b"], ["x", "y"]) == ["    a, b = x, y"]
    assert unpacked(["a", "b"], ["x" * 60, "y" * 60]) == [f"    a = {'x' * 60}", f"    b = {'y' * 60}"]
    assert unpacked([], []) == []


def test_lines_that_unpack_hold_as_much_as_fits() -> None:
    names = [f"W{number * 37 % 1000}" for number in range(200)]
    lines = unpacked(names, [f'tensors["{name}"]' for name in names])
    assert [name for line in lines for name in line.split(" = ")[0].strip().split(", ")] == names
    for line, after in pairwise(lines):
        more = after.split(" = ")[0].strip().split(", ")[0]
        longer = len(line) + len(f', {more}, tensors["{more}"]')
        assert len(line) <= LINE_LENGTH < longer


DEEP = "index j : J\ninput x[j]\nparam w[j]\nz0[j] = x[j]\n" + "".join(
    f"z{n}[j] = tanh(z{n - 1}[j])*w[j] + z{n - 1}[j]*z{max(0, n - 3)}[j]\n" for n in range(1, 40)
)
LONG = (
    "index n : A_long_name_of_an_axis\ninput first_long_name[n], second_long_name[n], third_long_name[n]\n"
    "result_with_a_name[n] = exp(first_long_name[n]*second_long_name[n])*tanh(third_long_name[n])"
    "/sqrt(first_long_name[n]^2 + second_long_name[n]^2 + third_long_name[n]^2) + first_long_name[n]\n"
    "another_result[n] = max(exp(first_long_name[n]*3)*second_long_name[n], cos(second_long_name[n])/"
    "third_long_name[n])\n"
    "two_operands[n] = (first_long_name[n]*exp(second_long_name[n]) + third_long_name[n])*"
    "(second_long_name[n]*exp(third_long_name[n]) + first_long_name[n]*exp(first_long_name[n]))\n"
)


# The branches of a conditional that are too long for one line.
BRANCHES = (
    "index t : T\nindex i : I\ninput first_state[i], second_state[i], long_name[t,i]\n"
    "state[t,i] = where(t == 0, sigmoid(first_state[i])*long_name[t,i]*second_state[i] + "
    "tanh(second_state[i])*first_state[i] + long_name[t,i], "
    "sigmoid(long_name[t-1,i] + second_state[i])*state[t-1,i] + "
    "tanh(long_name[t,i])*sigmoid(long_name[t-1,i])*first_state[i])\n"
)


def ruff(*arguments):
    return subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True)


def test_names_that_modules_call_are_taken():
    templates = "".join(path.read_text() for path in sorted((ROOT / "templates" / "numpy").rglob("*.j2")))
    called = set(re.findall(r"(?<![\w.])([A-Za-z]\w*)\(", templates))
    modules = [ast.parse(path.read_text()) for path in sorted((ROOT / "generated").glob("*.py"))]
    nodes = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.Name)]
    read = {node.id for node in nodes}
    free = {name for name in dir(builtins) if identifier(name, set()) == name}
    # This is called where arguments are checked alone: no tensor is a variable there.
    assert (called | read) & free == {"next"}
    assert {"ord", "input", "filter"} <= free


def test_inputs_are_passed_by_the_names_of_the_model():
    module = (
        loads("index n : N\ninput ord[n], filter[n]\nparam w[n]\nloss E = sum(n, w[n]*ord[n] + filter[n]^2)")
        .derive()
        .module(fast=True)
    )
    params, ones = {"w": np.ones(2)}, np.ones(2)
    assert module.loss(params, ord=ones, filter=ones) == module.loss(params, ones, ones) == 4.0
    assert module.value_and_grad(params, ord=ones, filter=ones)[0] == 4.0


def test_modules_are_formatted_and_linted_as_they_stand(tmp_path):
    sources = [numpy_source(lower(seed()))]
    sources += [numpy_source(lower_system(parse_system(text))) for text in (DEEP, LONG, BRANCHES)]
    for equation in CASES:
        sources.append(numpy_source(lower_system(parse_system(HEAD + equation + "\n"))))
    functions = "".join(
        f"y{f}[i] = {f}(x[i])\n" for f in ("gelu", "silu", "erf", "normcdf", "lgamma", "digamma", "trigamma")
    )
    sources.append(numpy_source(lower_system(parse_system("index i : I\ninput x[i]\n" + functions))))
    for number, source in enumerate(sources):
        (tmp_path / f"m{number}.py").write_text(source)
    formatted = ruff("format", "--isolated", f"--line-length={LINE_LENGTH}", "--diff", str(tmp_path))
    assert formatted.returncode == 0, formatted.stdout
    select = "--select=E,F,I,UP,B,SIM,RUF"
    # An axis may be called I: its name is the user's.
    linted = ruff(
        "check", "--isolated", f"--line-length={LINE_LENGTH}", select, "--ignore=E741", str(tmp_path)
    )
    assert linted.returncode == 0, linted.stdout


def test_modules_are_typed(tmp_path):
    path = tmp_path / "typed.py"
    path.write_text(numpy_source(lower(seed())))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout


def test_a_missing_template_and_a_missing_name_are_errors():
    with pytest.raises(EmissionError, match="there is no template"):
        render("numpy/nothing.j2")
    with pytest.raises(EmissionError, match="does not work"):
        render("numpy/module.py.j2")
    assert (template_folder() / "numpy" / "module.py.j2").is_file()


def test_loading_runs_the_text_and_shows_it_in_tracebacks():
    module = load_module("def f():\n    raise KeyError('here')\n", "tiny")
    assert module.__name__ == "tiny"
    with pytest.raises(KeyError) as caught:
        module.f()
    assert "raise KeyError('here')" in str(caught.traceback[-1].statement)
    with pytest.raises(EmissionError, match="is not Python"):
        load_module("def f(:\n", "broken")
