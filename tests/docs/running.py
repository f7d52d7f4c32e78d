"""Blocks of a page, run in their order in a copy of what a checkout holds.

| block | is run |
|---|---|
| `console` | its commands, after `$ `, print what stands below them; see `as_pattern` |
| `python` | in the page's one namespace; it prints the block `output` behind it, where there is one |
| `model`, `toml` | read, derived, computed on small data |
| `equations` | the same, behind the page's block with the title `declarations.model` |
| `sh` | sets a machine up, or takes minutes: only that its targets and modules exist is looked at |
| `text` | nothing to run: a drawing, a sketch |

A block with a title is a file of that name, which a later block reads.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.cli.main import run as run_symbackprop
from symbackprop.integers.solving import worked_out
from symbackprop.language.model import parse_system, with_statements
from symbackprop.layers.toml_file import parse_toml
from symbackprop.pipeline import Model
from symbackprop.systems.system import Equation, Role, System
from tests.docs.pages import ROOT, Block
from tests.models.classics import small_sample
from tests.processes import run_within

DECLARATIONS = "declarations.model"
LAUNCHER = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
_WITH_ERRORS = " 2>&1"
_AND_ITS_EXIT_CODE = ' || echo "exit code $?"'


@dataclass
class Session:
    """A page being read from the top: the folder of its commands, and the names of its Python blocks."""

    folder: Path
    declarations: str = ""
    namespace: dict[str, Any] = field(default_factory=dict)
    printed: str = ""

    def run(self, block: Block) -> None:
        """Run a block, or AssertionError; a language that nothing here runs is a KeyError."""
        if block.title:
            (self.folder / block.title).write_text(block.text, encoding="utf-8")
        if block.title == DECLARATIONS:
            self.declarations = block.text
        elif not block.title:
            RUNNERS[block.language](self, block)

    def console(self, block: Block) -> None:
        """Each command prints what stands below it, and succeeds."""
        for command, expected in _commands(block.text):
            done, code, errors = self._done(command)
            assert code == 0, f"{command}: exit code {code}: {errors}"
            assert re.fullmatch(as_pattern(expected), tidy(done)), f"{command} prints\n{tidy(done)}"

    def python(self, block: Block) -> None:
        """The block runs after those above it."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block.text, str(block), "exec"), self.namespace)
        self.printed = out.getvalue()

    def output(self, block: Block) -> None:
        """What the block in front has printed."""
        assert re.fullmatch(as_pattern(block.text), tidy(self.printed)), tidy(self.printed)

    def model(self, block: Block) -> None:
        """A whole model, as it would stand in a file."""
        compute(parse_system(block.text))

    def toml(self, block: Block) -> None:
        """A whole file."""
        compute(parse_toml(block.text))

    def equations(self, block: Block) -> None:
        """Statements behind the page's declarations."""
        assert self.declarations, "the page has no block declarations.model"
        compute(behind(self.declarations, block.text))

    def shell(self, block: Block) -> None:
        """Nothing is done: the targets of make and the modules are there."""
        for line in block.text.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
            elif "-m" in words:
                assert importlib.util.find_spec(words[words.index("-m") + 1]), line
            else:
                assert words[:1] in ([], ["pip"], ["git"], ["cd"]), f"nobody runs {line}"

    def text(self, block: Block) -> None:
        """Nobody runs it."""

    def _done(self, command: str) -> tuple[str, int, str]:
        """Standard output, exit code, standard error; symbackprop's own commands run in this process."""
        plain = command.removesuffix(_AND_ITS_EXIT_CODE)
        plain, _, file = plain.partition(" > ")
        together = plain.endswith(_WITH_ERRORS)
        plain = plain.removesuffix(_WITH_ERRORS)
        words = shlex.split(plain)
        if words[0] != "symbackprop" or {"|", "<", ";", "&&", "||"}.intersection(words):
            options = {"cwd": self.folder, "env": self._environment, "capture_output": True, "text": True}
            done = run_within(120, ["sh", "-c", command], **options)
            return done.stdout, done.returncode, done.stderr
        out = io.StringIO()
        errors = out if together else io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = run_symbackprop(words[1:])
        printed = out.getvalue()
        if file:
            (self.folder / file).write_text(printed, encoding="utf-8")
            printed = ""
        if code and command.endswith(_AND_ITS_EXIT_CODE):
            return f"{printed}exit code {code}\n", 0, errors.getvalue()
        return printed, code, errors.getvalue()

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        launchers = self.folder / "bin"
        launchers.mkdir(exist_ok=True)
        (launchers / "python").write_text(LAUNCHER)
        (launchers / "python").chmod(0o755)
        path = f"{launchers}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


RUNNERS: Mapping[str, Callable[[Session, Block], None]] = {
    "console": Session.console,
    "python": Session.python,
    "output": Session.output,
    "model": Session.model,
    "toml": Session.toml,
    "equations": Session.equations,
    "sh": Session.shell,
    "text": Session.text,
}


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def as_pattern(output: str) -> str:
    """The expected output as a regular expression.

    A line of `...` stands for any lines, `...` in a line for any characters; trailing blanks and blank lines
    at the end do not count.
    """
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    within = [re.escape(line).replace(re.escape("..."), ".*") for line in lines]
    return "\n".join(
        r"(?:.*\n)*?.*" if line == "..." else pattern for line, pattern in zip(lines, within, strict=True)
    )


def tidy(output: str) -> str:
    """Without trailing blanks and blank lines at the end."""
    return "\n".join(line.rstrip() for line in output.rstrip().splitlines())


def behind(declarations: str, statements: str) -> System:
    """A model whose loss, where the statements mark none, is the sum of what no other equation reads."""
    system = parse_system(f"{declarations}{statements}")
    if system.loss is not None:
        return system
    read = {name for equation in system.equations for name in equation.reads if name != equation.tensor}
    return with_statements(
        system,
        "\nloss L_ = " + " + ".join(_summed(each) for each in system.equations if each.tensor not in read),
    )


def _summed(equation: Equation) -> str:
    names = [index.name for index in equation.indices]
    return f"sum({', '.join(names)}, {equation.element})" if names else str(equation.element)


def compute(system: System) -> None:
    """Derive a model's gradient, and compute it on small data: every number is finite."""
    if system.loss is None:
        return
    wanted = [tensor.name for tensor in system.with_role(Role.PARAMETER)] or [
        tensor.name for tensor in system.with_role(Role.INPUT) if tensor.values is None
    ]
    reached = system.precedents([system.loss])
    module = Model(system).derive([name for name in wanted if name in reached]).module(verify=False)
    values, sizes = _at_declared_sizes(system) or small_sample(system)
    parameters = {tensor.name: values[tensor.name] for tensor in system.with_role(Role.PARAMETER)}
    given = {name: value for name, value in values.items() if name not in parameters}
    given |= {each.name: sizes[each.indices[0].axis.name] for each in system.with_role(Role.SIZE)}
    loss, gradients = module.value_and_grad(parameters, **given)
    assert np.isfinite(loss) and all(np.all(np.isfinite(value)) for value in gradients.values())


def _at_declared_sizes(system: System) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Any data where a layered network says how large its arrays are; None where all sizes are open."""
    if not any(axis.size for axis in system.axes):
        return None
    rng = np.random.default_rng(4)
    base = (axis for axis in system.axes if axis.formula is None)
    own = {axis.name: axis.size or place for place, axis in enumerate(base, start=2)}
    sizes = worked_out(system.relations, own)
    values: dict[str, Any] = {}
    for tensor in system.with_role(Role.PARAMETER, Role.INPUT, Role.TARGET, Role.CONSTANT):
        shape = [sizes[index.axis.name] for index in tensor.indices]
        drawn = (
            rng.normal(size=shape)
            if tensor.values is None
            else rng.integers(sizes[tensor.values.name], size=shape)
        )
        values[tensor.name] = drawn
    return values, sizes
