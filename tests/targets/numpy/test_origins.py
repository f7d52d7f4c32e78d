"""Every line that a program becomes belongs to one statement, and that to one equation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from symbackprop.array.aliasing import with_fresh_results
from symbackprop.array.program import Line, Loop, Program, Statement, Store, formula_of, statements_in
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import CodeLine, Layout, PrintedModule
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.system import System
from symbackprop.targets.numpy.module import numpy_module
from tests.models.recurrences import NAMES, system_of
from tests.programs import schedule_of_system

EXAMPLES = {path.stem: path for path in (Path(__file__).parents[3] / "examples").glob("*.model")}
OTHERS = {
    "portions": "param a, b\ny = " + " + ".join(f"sin({n}*a)*b" for n in range(2, 42)),
    "window": "index r : R\nindex i : I\ninput g[i]\nparam v[r]\nu[i] = sum(r, v[r]*pad(g[i+r-1]))\n"
    "y = sum(i, u[i]^2)",
    "largest in a window": "index r : R\nindex i : I\ninput g[i]\nparam v[r]\n"
    "u[i] = g[i]*max(r, v[r]*pad(g[i+r-1]))\ny = sum(i, u[i]^2)",
    "long": "index i : I\ninput g[i]\nparam w[i]\n"
    "u[i] = "
    + "*".join(f"(1 + tanh(g[i] + {n}/7)^2*exp(-w[i]*g[i]))" for n in range(9))
    + "\ny = sum(i, u[i])",
    "matrices": "index t : T\nindex i, j : I\ninput c[t]\nparam M[t,i,j]\n"
    "z[t,i,j] = where(c[t] > 0, inv(M[t])[i,j], 0)\ny = sum(t, i, j, z[t,i,j])",
    "symmetric": "index i, j : I\nparam P[i,j], w\nfact P[i,j] == P[j,i]\ny = logdet(P)*w",
}


def read(name: str) -> System:
    if name in OTHERS:
        return parse_system(f"{OTHERS[name]}\nloss E = y^2\n", "model")
    return parse_system(EXAMPLES[name].read_text()) if name in EXAMPLES else system_of(name)


def assignments(module: PrintedModule) -> Iterator[tuple[int, ast.stmt]]:
    """The statements of a module's functions that compute something, and how often it is called."""
    times = {name: len(calls) for name, calls in module.blocks.items()}
    times |= dict.fromkeys(("_forward", "_loss", "value_and_grad"), 1)
    for function in ast.parse(module.text).body:
        if isinstance(function, ast.FunctionDef) and function.name in times:
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AugAssign) and not _reads_arguments(node, times):
                    yield times[function.name], node


def _reads_arguments(node: ast.stmt, functions: Iterable[str]) -> bool:
    """Whether an assignment is none of the program: it unpacks tensors, sizes, results, or gathers them."""
    code = ast.unparse(node)
    calls = any(f"{name}(" in code for name in (*functions, "_checked", "BlockGradients"))
    unpacks = calls or re.search(r"tensors\[|SIZES\[|\.shape|= block$|\b(block|kept)\.", code) is not None
    return unpacks or code.startswith(("dtype =", "grads ="))


Known = dict[str, tuple[Derivation, PrintedModule]]
RECURRENCES = [name for name in NAMES if name not in EXAMPLES][:6]
every_model = pytest.mark.parametrize("name", [*sorted(EXAMPLES), *RECURRENCES, *OTHERS])


@pytest.fixture(scope="module")
def derived() -> Known:
    return {}


def printed(name: str, derived: Known) -> tuple[Derivation, PrintedModule]:
    if name not in derived:
        derivation = derive(read(name))
        derived[name] = derivation, numpy_module(lower(derivation)).printed()
    return derived[name]


@every_model
def test_every_assignment_is_one_statement(name: str, derived: Known) -> None:
    _, module = printed(name, derived)
    for times, node in assignments(module):
        owners = [each for each in module.lines if each.first <= node.lineno <= each.last]
        assert len(owners) == len({id(each.line) for each in owners}) == times, ast.unparse(node)
        target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]  # type: ignore[attr-defined]
        variable = ast.unparse(target).partition("[")[0]
        for owner in owners:
            assert (owner.first, owner.last) == (node.lineno, node.end_lineno)
            assert isinstance(owner.line, Store if isinstance(node, ast.AugAssign) else Statement | Store)
            assert variable in variables_of(owner.line.name, module)


def formulas(line: Line, module: PrintedModule) -> Iterator[str]:
    """The formula of a line, and what it is in the names of each block."""
    yield formula_of(line)
    for calls in module.blocks.values():
        for call in calls:
            own = {name: variable for variable, name in call.items()}
            yield re.sub(r"\w+", lambda word, own=own: own.get(word[0], word[0]), formula_of(line))


def variables_of(name: str, module: PrintedModule) -> set[str]:
    """The variables that a tensor of the program may be in: its own, or a block's."""
    calls = (call for calls in module.blocks.values() for call in calls)
    return {module.names[name], *(variable for call in calls for variable in call if call[variable] == name)}


@every_model
def test_every_statement_that_a_result_needs_is_printed_once(name: str, derived: Known) -> None:
    _, module = printed(name, derived)
    program = module.program
    ends = (*program.outputs, str(program.loss), *program.gradients.values())
    found = [id(each.line) for each in module.lines if not isinstance(each.line, Loop)]
    assert sorted(found) == sorted(id(line) for line in statements_in(program.needed_for(ends)))


@every_model
def test_every_origin_is_an_equation_of_model_or_gradient(name: str, derived: Known) -> None:
    derivation, module = printed(name, derived)
    of_model = {equation.tensor: equation for equation in derivation.system.equations}
    adjoints = {each.equation.tensor: each for each in derivation.adjoints if each.kept}
    computed = set()
    for line in statements_in(module.program.statements):
        source = line.origin.source
        computed.add(source.tensor)
        if line.origin.adjoint is None:
            assert source is of_model[source.tensor]
        else:
            assert line.origin.adjoint is adjoints[source.tensor]
            assert source is line.origin.adjoint.equation
        if line.origin.part is Part.EQUATION:
            assert line.origin.stated.tensor == source.tensor
    assert computed == of_model.keys() | adjoints.keys()


@every_model
def test_the_formula_stands_above_the_first_line_of_each_equation(name: str, derived: Known) -> None:
    _, module = printed(name, derived)
    text = module.text.splitlines()
    for each in module.lines:
        if each.line.opens:
            above = [line.strip().removeprefix("# ") for line in text[: each.first - 1]]
            guards = sum(line.startswith("with np.errstate") for line in above[-1:])
            assert any(above[-1 - guards].strip() in formula for formula in formulas(each.line, module))
    lines = list(opening(module.program.statements))
    stated = {line.origin for line in lines if line.origin is not None}
    computed = {line.origin.stated for line in statements_in(module.program.statements)}
    assert {origin.stated for origin in stated} == computed


def opening(lines: tuple[Line, ...]) -> Iterator[Line]:
    for line in lines:
        if line.opens:
            yield line
        if isinstance(line, Loop):
            yield from opening(line.body)


def parts_of(program: Program) -> set[Part]:
    return {line.origin.part for line in statements_in(program.statements)}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("window", Part.INVARIANT),
        ("largest in a window", Part.WINDOWS),
        ("long", Part.CUT),
        ("matrices", Part.CHOSEN_MATRICES),
        ("symmetric", Part.CHECK),
        ("lstm", Part.HOISTED),
        ("lstm", Part.OTHER_STEP),
        ("transformer", Part.SUBEXPRESSION),
    ],
)
def test_parts_say_what_they_are(name: str, part: Part, derived: Known) -> None:
    _, module = printed(name, derived)
    assert part in parts_of(module.program)


def test_the_head_of_a_recurrence_has_the_origins_of_its_equations() -> None:
    text = "index t : T\ninput x[t]\nparam a\nh[t] = tanh(a*pad(h[t-1]) + g[t])\ng[t] = x[t]*pad(h[t-1])\n"
    program = lower(derive(parse_system(f"{text}loss E = sum(t, h[t]^2)\n")))
    module = numpy_module(program).printed()
    loops = [each for each in module.lines if isinstance(each.line, Loop)]
    assert [{origin.source.tensor for origin in each.line.origins} for each in loops] == [
        {"g", "u_h", "h"},
        {"delta_u_h"},
    ]
    for each in loops:
        assert module.text.splitlines()[each.first - 1].lstrip().startswith("for t in")
        assert all(origin.stated for origin in each.line.origins)


def test_a_gradient_that_is_another_is_its_copy() -> None:
    text = "index i : I\nparam a[i], b[i]\nu[i] = a[i] + b[i]\nloss E = sum(i, u[i]^2)\n"
    program = lower(derive(parse_system(text)))
    twice = with_fresh_results(replace(program, gradients={"a": "grad_a", "b": "grad_a"}))
    (copy,) = (line for line in statements_in(twice.statements) if line.origin.part is Part.COPY)
    assert formula_of(copy) == "grad_b_2[i] = grad_a[i]" and copy.origin.source.tensor == "grad_a"


def test_the_portions_of_an_equation_are_its_parts() -> None:
    system = read("portions")
    items = schedule_of_system(system).equations
    portions = [item for item in items if item.origin.part is Part.PORTION]
    assert portions and all(item.origin.source is system.definitions["y"] for item in portions)


def test_lines_know_where_the_template_puts_them() -> None:
    layout = Layout()
    line = lower(derive(parse_system("param a\nloss E = a^2\n"))).statements[0]
    layout.add("head\n")
    code = [CodeLine("first"), CodeLine("    a = (", line), CodeLine("    )", line), CodeLine("")]
    layout.add(layout.code(code))
    layout.add("\n")
    layout.add(layout.code([CodeLine("a = 1", line)]))
    assert "".join(layout.pieces) == "head\nfirst\n    a = (\n    )\n\na = 1"
    assert [(each.line is line, each.first, each.last) for each in layout.lines] == [
        (True, 3, 4),
        (True, 6, 6),
    ]


@pytest.mark.parametrize("name", ["lstm", "transformer", "window", "long"])
def test_a_line_stands_where_it_is_said_to(name: str, derived: Known) -> None:
    _, module = printed(name, derived)
    texts = module.text.splitlines()
    for each in module.lines:
        code = texts[each.first - 1 : each.last]
        assert not any(text.lstrip().startswith(("#", "def ", "return ")) for text in code), code
        targets = ["for "] if isinstance(each.line, Loop) else variables_of(each.line.name, module)
        assert code[0].lstrip().startswith(tuple(targets)), code
