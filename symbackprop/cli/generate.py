"""`symbackprop generate`: modules, written or compared with the files that are there."""

from __future__ import annotations

import difflib
import enum
import importlib
import keyword
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import Sizes, WithRespectTo, names_in, print_result, say, sizes_in
from symbackprop.emission.files import write_atomically
from symbackprop.emission.kept import KeptModule, keep, kept, question_of
from symbackprop.emission.seal import is_as_written, is_sealed
from symbackprop.errors import EmissionError
from symbackprop.languages.phrases import marked, worded

if TYPE_CHECKING:
    from symbackprop.pipeline import Model

DIFFERENCE_FOUND = 1
STANDARD_OUTPUT = "-"
# A module that is kept needs none of these.
_FAULTS, _PIPELINE, _VARIANTS = (
    "symbackprop.cli.faults",
    "symbackprop.pipeline",
    "symbackprop.reports.variants",
)
Fast: TypeAlias = Annotated[
    bool, typer.Option("--fast", help="Add workspaces to compute in, and bind() for fixed arrays.")
]
# Makes the texts of all modules, by name.
Sources: TypeAlias = Callable[[], dict[str, str]]


class Target(enum.Enum):
    """What the module is written for."""

    NUMPY = "numpy"


def command(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="A .model or .toml file; - is standard input.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR_OR_FILE",
            help="Where to write; default: standard output (with --check: NAME.py in this folder).",
        ),
    ] = None,
    target: Annotated[
        Target, typer.Option("--target", help="What the module is written for.")
    ] = Target.NUMPY,
    wrt: WithRespectTo = None,
    size: Sizes = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a file differs or is missing.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="With --check: any other .py file in the folder is a difference.")
    ] = False,
    memory: Annotated[bool, typer.Option("--memory", help="Keep little, and recompute the rest.")] = False,
    fast: Fast = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Hold each to its equations.")] = True,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files that were not generated, or were edited since, too."),
    ] = False,
) -> Task:
    """Write a module that computes a model's loss and gradient, and needs NumPy alone.

    For example:

      symbackprop generate examples/seed.model -o seed.py
      symbackprop generate examples/*.model -o generated --check --exact
    """
    options = {"wrt": names_in(wrt), "verify": verify, "less_memory": memory, "workspaces": fast}
    sources = partial(_sources, models, size, options)
    if not (check or diff):
        return partial(_write, sources, output, force)
    return partial(_compare, sources, output, check=check, diff=diff, exact=exact)


def _write(sources: Sources, output: str | None, force: bool) -> int:
    if output in (None, STANDARD_OUTPUT):
        texts = sources()
        if len(texts) > 1:
            raise EmissionError(
                worded("several modules do not fit on standard output"),
                remedy=worded("name a folder: -o DIR"),
            )
        print_result(next(iter(texts.values())))
        return 0
    modules = _modules(sources, output)
    changed = {path: text for path, text in modules.items() if not path.is_file() or _text_of(path) != text}
    if not force:
        for path in changed:
            _expect_replaceable(path)
    for path, text in modules.items():
        if path in changed:
            write_atomically(path, text)
        said = marked("wrote {path}") if path in changed else marked("{path} is up to date")
        say(worded(said, path=path))
    return 0


def _expect_replaceable(path: Path) -> None:
    """EmissionError where a file holds somebody's work: nothing is written then."""
    there = (_text_of(path) or "") if path.is_file() else ""
    if there.strip() and not is_as_written(there):
        cause = worded("{path} is no module that was generated", path=path)
        if is_sealed(there):
            cause = worded("{path} was edited since it was generated", path=path)
        raise EmissionError(
            cause,
            remedy=worded("write to another file or folder, or replace it: --force"),
        )


def _compare(
    sources: Sources,
    output: str | None,
    check: bool,
    diff: bool,
    exact: bool,
) -> int:
    """Say where the files differ from what would be written; with `diff`, print how."""
    if output == STANDARD_OUTPUT:
        raise EmissionError(
            worded("there is no file to compare with"), remedy=worded("name it: -o DIR_OR_FILE")
        )
    modules = _modules(sources, output or ".")
    strangers = _strangers(modules) if exact else []
    differing = [path for path, text in modules.items() if _text_of(path) != text]
    for path in differing:
        said = marked("{path} is missing: what would be generated")
        if path.is_file():
            said = marked("{path} differs from what would be generated")
        say(worded(said, path=path))
        if diff:
            print_result(_unified_diff(path, modules[path]))
    for path in strangers:
        say(worded("{path} comes from none of the models", path=path))
    if not (differing or strangers):
        say(worded("all files are as they would be generated"))
    return DIFFERENCE_FOUND if check and (differing or strangers) else 0


def _sources(models: Sequence[str], size: Sequence[str] | None, options: Mapping[str, Any]) -> dict[str, str]:
    """Name of each module to its text; everything is generated before anything is written."""
    sources: dict[str, str] = {}
    for path in models:
        model, text = _kept_or_made(path, sizes_in(size), options)
        name = _module_name(model)
        # Some file systems take w.py and W.py for one.
        if name.casefold() in map(str.casefold, sources):
            raise EmissionError(
                worded("two models would be written as {name}.py", name=name),
                remedy=worded("rename one of their files"),
            )
        sources[name] = text
    return sources


def _kept_or_made(path: str, sizes: Mapping[str, int], options: Mapping[str, Any]) -> KeptModule:
    """The module of a model; one that an earlier run had nothing to say about, as that run wrote it."""
    question = question_of(path, {**options, "sizes": sizes})
    found = kept(question) if question else None
    if found is not None:
        return found
    model: Model = importlib.import_module(_PIPELINE).load(path, sizes)
    on_model = importlib.import_module(_FAULTS).on_model
    text, said = on_model(model, partial(_generated, **options))
    if said and not said.startswith("Verified"):
        say(worded("{path}: {said}", path=_module_name(model.name), said=worded(said)))
    elif question and not model.remarks() and question == question_of(path, {**options, "sizes": sizes}):
        keep(question, KeptModule(model.name, text))
    return KeptModule(model.name, text)


def _generated(
    model: Model, wrt: Sequence[str] | None, verify: bool, less_memory: bool, workspaces: bool
) -> tuple[str, str]:
    """The module's text, and what is said of its verification, "" where there was none."""
    derivation = model.derive(wrt)
    if not (less_memory or workspaces):
        return derivation.to_numpy(verify), derivation.verification if verify else ""
    text, said = importlib.import_module(_VARIANTS).to_numpy_as(derivation, less_memory, workspaces, verify)
    return text, said if verify else ""


def _modules(sources: Sources, output: str) -> dict[Path, str]:
    """Path of each module to its text."""
    texts, place = sources(), Path(output)
    if place.is_dir():
        return {place / f"{name}.py": text for name, text in texts.items()}
    if place.exists() and not place.is_file():
        raise EmissionError(
            worded("{output} is neither a folder nor a plain file", output=output),
            remedy=worded("name a folder or a .py file; -o - is standard output"),
        )
    if place.suffix != ".py":
        raise EmissionError(
            worded("{output} is neither a folder nor the name of a .py file", output=output),
            remedy=worded(
                "make the folder (mkdir -p {output}) or name a file: -o {name}",
                output=shlex.quote(output),
                name=shlex.quote(output.rstrip("/") + ".py"),
            ),
        )
    if len(texts) > 1:
        raise EmissionError(
            worded("several modules do not fit into {output}", output=output),
            remedy=worded("name a folder: -o DIR"),
        )
    return {place: next(iter(texts.values()))}


def _module_name(model: str) -> str:
    """The model's name as Python can import it, and that hides no module which the written one imports."""
    name = re.sub(r"\W", "_", model, flags=re.ASCII)
    is_taken = keyword.iskeyword(name) or name == "numpy" or name in sys.stdlib_module_names
    return name if name.isidentifier() and not is_taken else f"model_{name}"


def _strangers(modules: Mapping[Path, str]) -> list[Path]:
    folders = {path.parent for path in modules}
    return sorted(path for folder in folders for path in folder.glob("*.py") if path not in modules)


def _text_of(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _unified_diff(path: Path, text: str) -> str:
    before = (_text_of(path) or "").splitlines(keepends=True)
    lines = difflib.unified_diff(before, text.splitlines(keepends=True), str(path), f"{path} (generated)")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
