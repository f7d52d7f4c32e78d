import sys
from pathlib import Path

import pytest

from symbackprop.cli.main import run
from symbackprop.language.model import parse_system
from symbackprop.verification.report import CENTRAL_DIFFERENCES, COMPLEX_STEP, NAIVE_EVALUATOR
from tests.processes import run_within
from tests.verification.on_numpy import check_model

ROOT = Path(__file__).parent.parent
GENERATED = ROOT / "generated"
NAMES = ("convnet", "digits", "exercise", "lstm", "seed", "transformer")

# Refuses every import outside the standard library and NumPy, then imports the module from its file.
IMPORT_WITH_NUMPY_ALONE = """
import importlib.abc, importlib.util, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root != "numpy" and root not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not NumPy")
        return None

sys.meta_path.insert(0, Refuse())
spec = importlib.util.spec_from_file_location("generated_module", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert callable(module.value_and_grad) and module.FORMULAS
assert not {name.partition(".")[0] for name in sys.modules} & {"symbackprop", "sympy", "jinja2"}
"""


def test_generating_again_gives_the_same_files_and_texts():
    models = [str(ROOT / "examples" / f"{name}.model") for name in NAMES]
    assert run(["generate", *models, "-o", str(GENERATED), "--check", "--exact"]) == 0
    assert not {path.suffix or path.name for path in GENERATED.iterdir()} - {".py", "__pycache__"}


@pytest.mark.parametrize("name", NAMES)
def test_every_committed_module_passes_its_check(name, capsys):
    assert run(["check", str(GENERATED / f"{name}.py")]) == 0
    assert "central differences" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["digits", "exercise", "seed", "seed_single"])
def test_every_example_model_passes_its_check(name, capsys):
    assert run(["check", str(ROOT / "examples" / f"{name}.model"), "--seed", "3"]) == 0
    assert "complex step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "smaller"),
    [
        ("convnet", {"O = 8": "O = 2", "M = 16": "M = 3", "F = 64": "F = 12", "K = 10": "K = 5"}),
        ("transformer", {}),
    ],
)
def test_large_example_models_pass_their_check_on_a_few_elements(name, smaller):
    text = (ROOT / "examples" / f"{name}.model").read_text(encoding="utf-8")
    for declared, small in smaller.items():
        assert declared in text
        text = text.replace(declared, small)
    report = check_model(parse_system(text), seed=3, budget=0.0)
    assert report.ok, report.rows
    assert {row.method for row in report.rows} >= {CENTRAL_DIFFERENCES, COMPLEX_STEP, NAIVE_EVALUATOR}


@pytest.mark.parametrize("name", NAMES)
def test_modules_import_with_numpy_alone(name):
    command = [sys.executable, "-I", "-c", IMPORT_WITH_NUMPY_ALONE, str(GENERATED / f"{name}.py")]
    done = run_within(60, command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_plain_ascii_with_unix_lines(name):
    data = (GENERATED / f"{name}.py").read_bytes()
    assert data.isascii() and data.endswith(b"\n") and b"\r" not in data and b"\t" not in data
