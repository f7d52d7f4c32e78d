"""A second target starts from the array program or from the schedule, and needs nothing of the first."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.derivation.driver import derive
from symbackprop.faults.table import FAULTS
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.schedule.driver import schedule_of
from symbackprop.semantics.systems import evaluate_system
from tests.targets import stack_machine

ROOT = Path(__file__).parents[2]
TARGET_FREE = ("schedule", "array", "lowering")
SIZES = {"B": 2, "I": 3, "J": 4, "K": 5}


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / "symbackprop" / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def literals(path: Path) -> set[str]:
    """The strings of a module that are no docstrings."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return {node.value for node in nodes if isinstance(node.value, str)}


@pytest.mark.parametrize("path", modules(*TARGET_FREE), ids=lambda path: path.name)
def test_nothing_before_the_targets_knows_one(path: Path) -> None:
    assert not any(name.startswith("symbackprop.targets") for name in imports(path))
    assert not any("np." in text or "numpy" in text.lower() for text in literals(path))
    # The interpreter is the meaning of the array language, and runs on NumPy's arrays.
    runs = path.parent.name == "array" and path.name in ("interpreter.py", "operations.py", "cofactors.py")
    assert runs or not any(name.split(".")[0] == "numpy" for name in imports(path))


@pytest.mark.parametrize("path", modules("verification", "faults"), ids=lambda path: path.name)
def test_who_judges_knows_no_target(path: Path) -> None:
    assert not any(name.startswith("symbackprop.targets") for name in imports(path))


def seed_data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    system = parse_system((ROOT / "examples" / "seed.model").read_text())
    declared = (tensor for tensor in system.tensors.values() if tensor.name not in system.definitions)
    return {
        each.name: rng.normal(size=[SIZES[index.axis.name] for index in each.indices]) for each in declared
    }


def test_a_target_that_starts_from_the_array_program() -> None:
    program = lower(derive(parse_system((ROOT / "examples" / "seed.model").read_text())))
    code = stack_machine.compiled(program)
    assert [line.comment for line in code if line.comment][:1] == ["u1[b,j] = sum(i, W1[j,i]*x[b,i]) + b1[j]"]
    data = seed_data()
    found, expected = stack_machine.run(code, data), interpret(program, data)
    for name in ("E", *program.gradients.values()):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-14)


def test_a_target_that_starts_from_the_schedule() -> None:
    derivation = derive(parse_system((ROOT / "examples" / "seed.model").read_text()))
    data = seed_data()
    found = stack_machine.loops(schedule_of(derivation).equations, data, SIZES)
    known = evaluate_system(derivation.system, data, SIZES)
    assert found["E"][()] == pytest.approx(known["E"], rel=1e-13)
    program = lower(derivation)
    expected = interpret(program, data)
    for name in program.gradients.values():
        np.testing.assert_allclose(
            [found[name][at] for at in np.ndindex(expected[name].shape)], expected[name].ravel(), rtol=1e-12
        )


@pytest.mark.parametrize("name", ["sign", "missing f'", "f' at z", "stale value"])
def test_a_fault_is_planted_for_it_too(name: str) -> None:
    program, data = lower(derive(parse_system((ROOT / "examples" / "seed.model").read_text()))), seed_data()
    (fault,) = [each for each in FAULTS if each.name == name]
    wrong = next(fault.planted(program)).program
    found, expected, right = (
        stack_machine.run(stack_machine.compiled(wrong), data),
        interpret(wrong, data),
        interpret(program, data),
    )
    names = program.gradients.values()
    assert all(np.allclose(found[name], expected[name], rtol=1e-14) for name in names)
    assert not all(np.allclose(right[name], expected[name], rtol=1e-3) for name in names)
    assert found["E"] == pytest.approx(right["E"], rel=1e-14)


def test_such_a_target_never_imports_the_first() -> None:
    code = "import sys, tests.targets.stack_machine; print(*(m for m in sys.modules if 'targets.numpy' in m))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
