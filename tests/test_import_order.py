"""The rooms import one way only, and the package keeps its other structural promises."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
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
    "polynomials",
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
    "unfolding",
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
MAY_EXECUTE = {
    "emission/loading.py": {"exec", "compile"},
    "handwritten/running/definitions.py": {"exec", "compile"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


class Trees(dict[Path, ast.Module]):
    """What each module reads as, read when it is first looked at: collecting the tests needs none."""

    def __missing__(self, path: Path) -> ast.Module:
        self[path] = ast.parse(path.read_text(encoding="utf-8"))
        return self[path]


TREES = Trees()


def module_id(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def of_every_module(complaints: Callable[[Path], Iterator[str]]) -> None:
    """All complaints at once, each with its module."""
    found = [f"{module_id(path)}: {complaint}" for path in MODULES for complaint in complaints(path)]
    assert not found, "\n".join(found)


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


def backward_imports(path: Path) -> Iterator[str]:
    own = own_room(path)
    if own != FACADE and own not in ROOMS:
        yield f"{own} has no place in the order of rooms"
        return
    for name in imported_modules(TREES[path]):
        if name.split(".")[0] == "symbackprop" and rank(room_of(name)) > rank(own):
            yield f"{own} imports {name}, which stands below it"


def test_rooms_import_one_way() -> None:
    of_every_module(backward_imports)


def hidden_imports(path: Path) -> Iterator[str]:
    for function in functions(TREES[path]):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"function-local import on line {node.lineno}"


def test_no_import_hides_in_a_function() -> None:
    of_every_module(hidden_imports)


def other_engines(path: Path) -> Iterator[str]:
    yield from {name.split(".")[0] for name in imported_modules(TREES[path])} & FORBIDDEN_LIBRARIES


def test_no_other_engine_of_differentiation() -> None:
    of_every_module(other_engines)


def excess_lines(path: Path) -> Iterator[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > LONGEST_MODULE:
        yield f"{lines} lines"


def test_modules_stay_short() -> None:
    of_every_module(excess_lines)


def long_functions(path: Path) -> Iterator[str]:
    for function in functions(TREES[path]):
        if length_of(function) > LONGEST_FUNCTION:
            yield f"{getattr(function, 'name', 'lambda')} has {length_of(function)} lines"


def test_functions_stay_short() -> None:
    of_every_module(long_functions)


def test_rooms_stay_small() -> None:
    rooms = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert max(rooms.values()) <= LARGEST_ROOM, rooms.most_common(1)


def executed_texts(path: Path) -> Iterator[str]:
    allowed = MAY_EXECUTE.get(module_id(path), set())
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            plain = node.func.id if isinstance(node.func, ast.Name) else None
            # re.compile and the like are methods of something; sympy.sympify is what we look for there.
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = ({plain} | ({attribute} - {"compile", "eval", "exec"})) & (EXECUTING_CALLS - allowed)
            if called:
                yield f"line {node.lineno} calls {called}"


def test_text_is_never_executed() -> None:
    of_every_module(executed_texts)


@pytest.mark.parametrize("name", MAY_EXECUTE)
def test_one_place_of_a_module_executes(name: str) -> None:
    calls = [node for node in ast.walk(TREES[PACKAGE / name]) if isinstance(node, ast.Call)]
    assert sum(isinstance(call.func, ast.Name) and call.func.id == "exec" for call in calls) == 1


def nameless_handlers(path: Path) -> Iterator[str]:
    for function in functions(TREES[path]):
        if getattr(function, "name", "lambda") == "_":
            yield f"line {function.lineno}: a handler named _"


def test_handlers_have_names() -> None:
    of_every_module(nameless_handlers)


def test_the_checks_see_what_they_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def _():\n    import torch\n    eval('1')\n" + "    x = 1\n" * LONGEST_MODULE
    path = PACKAGE / "notation" / "wrong.py"
    monkeypatch.setitem(TREES, path, ast.parse(text))
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    for complaints in (
        hidden_imports, other_engines, excess_lines, long_functions, executed_texts, nameless_handlers,
    ):  # fmt: skip
        assert len(list(complaints(path))) == 1, complaints


def test_the_check_sees_a_wrong_import(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ast.parse("from symbackprop.cli.main import main\nfrom symbackprop import errors")
    assert set(imported_modules(tree)) == {"symbackprop.cli.main", "symbackprop.errors"}
    assert rank("cli") > rank("notation")
    path = PACKAGE / "notation" / "wrong.py"
    monkeypatch.setitem(TREES, path, tree)
    assert list(backward_imports(path)) == ["notation imports symbackprop.cli.main, which stands below it"]
