"""The rooms import one way only, and the package keeps its other structural promises."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "symbackprop"
ROOMS = (
    "version",
    "deferred_imports",
    "collecting",
    "languages",
    "errors",
    "notation",
    "storage",
    "functions",
    "integers",
    "cost",
    "systems",
    "semantics",
    "rewriting",
    "syntax",
    "language",
    "layers",
    "rules",
    "presentation",
    "algebra",
    "memoization",
    "derivation",
    "indexing",
    "exponentials",
    "stability",
    "schedule",
    "extrema",
    "array",
    "passes",
    "buffers",
    "recomputation",
    "lowering",
    "emission",
    "targets",
    "typesetting",
    "lesson",
    "numerics",
    "sampling",
    "verification",
    "accuracy",
    "faults",
    "explanation",
    "plotting",
    "pages",
    "pipeline",
    "reports",
    "handwritten",
    "auditing",
    "cli",
    "__main__",
)
FACADE = "symbackprop"  # the package's own __init__ stands above every room but the command line
LONGEST_MODULE = 300
LONGEST_FUNCTION = 45
LARGEST_ROOM = 20
FORBIDDEN_LIBRARIES = {"torch", "jax", "tensorflow", "autograd"}
EXECUTING_CALLS = {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify", "__import__"}
# Imports a module that the user named or that was just generated: Python by intention, never a model's text.
MAY_EXECUTE = {"emission/loading.py": {"exec", "compile"}, "handwritten/definitions.py": {"exec", "compile"}}

MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}


def module_id(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


every_module = pytest.mark.parametrize("path", MODULES, ids=module_id)


def room_of(dotted: str) -> str:
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else FACADE


def own_room(path: Path) -> str:
    if path == PACKAGE / "__init__.py":
        return FACADE
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rank(room: str) -> float:
    return ROOMS.index("cli") - 0.5 if room == FACADE else ROOMS.index(room)


def imported_modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that they can be read"
            if node.module == "symbackprop":
                rooms = {alias.name for alias in node.names} & set(ROOMS)
                yield from (f"symbackprop.{name}" for name in rooms)
                if len(rooms) < len(node.names):
                    yield "symbackprop"
            else:
                yield str(node.module)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@every_module
def test_rooms_import_one_way(path: Path) -> None:
    own = own_room(path)
    assert own == FACADE or own in ROOMS, f"{own} has no place in the order of rooms"
    for name in imported_modules(TREES[path]):
        if name.split(".")[0] == "symbackprop":
            assert rank(room_of(name)) <= rank(own), f"{own} imports {name}, which stands below it"


@every_module
def test_no_import_hides_in_a_function(path: Path) -> None:
    for function in functions(TREES[path]):
        hidden = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not hidden, f"function-local import on line {hidden[0]}"


@every_module
def test_no_other_engine_of_differentiation(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_modules(TREES[path])}
    assert not roots & FORBIDDEN_LIBRARIES


@every_module
def test_modules_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@every_module
def test_functions_stay_short(path: Path) -> None:
    for function in functions(TREES[path]):
        name, lines = getattr(function, "name", "lambda"), length_of(function)
        assert lines <= LONGEST_FUNCTION, f"{name} has {lines} lines"


def test_rooms_stay_small() -> None:
    rooms = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert max(rooms.values()) <= LARGEST_ROOM, rooms.most_common(1)


@every_module
def test_text_is_never_executed(path: Path) -> None:
    allowed = MAY_EXECUTE.get(module_id(path), set())
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            plain = node.func.id if isinstance(node.func, ast.Name) else None
            # re.compile and the like are methods of something; sympy.sympify is what we look for there.
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = ({plain} | ({attribute} - {"compile", "eval", "exec"})) & (EXECUTING_CALLS - allowed)
            assert not called, f"line {node.lineno} calls {called}"


@pytest.mark.parametrize("name", MAY_EXECUTE)
def test_one_place_of_a_module_executes(name: str) -> None:
    calls = [node for node in ast.walk(TREES[PACKAGE / name]) if isinstance(node, ast.Call)]
    assert sum(isinstance(call.func, ast.Name) and call.func.id == "exec" for call in calls) == 1


@every_module
def test_handlers_have_names(path: Path) -> None:
    for function in functions(TREES[path]):
        assert getattr(function, "name", "lambda") != "_", f"line {function.lineno}: a handler named _"


def test_the_check_sees_a_long_function() -> None:
    (function,) = functions(ast.parse("def f():\n" + "    x = 1\n" * LONGEST_FUNCTION))
    assert length_of(function) > LONGEST_FUNCTION


def test_the_check_sees_a_wrong_import() -> None:
    tree = ast.parse("from symbackprop.cli.main import main\nfrom symbackprop import errors")
    assert set(imported_modules(tree)) == {"symbackprop.cli.main", "symbackprop.errors"}
    assert rank("cli") > rank("notation")
