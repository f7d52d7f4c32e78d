"""GradBench's evals on this tool, on hand-written C++ and on JAX; writes a table.

`python -m benchmarks.gradbench.scoreboard CHECKOUT`, with a clone of gradbench/gradbench: its evals make the
inputs, and compare each output with that of the C++ (`tools/manual`; it needs g++, make and json.hpp, see
cpp/README.md there). Their packages and JAX are those of the Python given. This program stands between an
eval and a tool: it forwards messages, and keeps the timings.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.comparison.__main__ import THREADS, load, machine, names_among

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
TABLE = FOLDER.parent / "gradbench.md"
TOOLS = ("manual", "jax", "symbackprop")

# A first run of JAX compiles; it must not be the only one.
LEAST = ("--min-runs", "3", "--min-seconds", "0.2")

# What each eval is asked for: sizes that a call of every tool ends in seconds.
EVALS: Mapping[str, Sequence[str]] = {
    "gmm": ("-d", "2", "10", "32", "-k", "5", "25", *LEAST),
    "kmeans": ("-k", "10", "1000", "-n", "10000", "-d", "16", *LEAST),
    "llsq": ("-n", "256", "4096", *LEAST),
    "lse": ("-n", "2500", "160000", *LEAST),
    "lstm": ("-l", "2", "-c", "1024", *LEAST),
    "det": ("-l", "5", "7", *LEAST),
    "ba": ("--max", "1", *LEAST),
}


@dataclass(frozen=True)
class Score:
    """The least time of a function in nanoseconds, and whether the eval found its output right."""

    nanoseconds: int
    valid: bool


Scores = Mapping[tuple[str, str, str], Score]


@dataclass(frozen=True)
class Setting:
    """Where GradBench is, and the Python that has its packages."""

    checkout: Path
    python: str

    def tool(self, name: str) -> list[str]:
        """The command of a tool."""
        if name == "symbackprop":
            return [sys.executable, "-m", "benchmarks.gradbench"]
        if name == "manual":
            return [self.python, "-m", "gradbench.cpp", "manual"]
        return [self.python, str(FOLDER / f"waiting_{name}.py")]

    def peers(self) -> str:
        """The versions of the compiler and of JAX."""
        compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True).stdout
        asked = [self.python, "-c", "import jax; print('JAX', jax.__version__)"]
        jax = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        return f"{compiler.splitlines()[0]}, {jax or 'no JAX'}"

    def started(self, stack: ExitStack, command: Sequence[str]) -> subprocess.Popen[str]:
        """A process that speaks in lines, with one thread."""
        paths = [str(self.checkout / "python" / "gradbench"), str(ROOT)]
        environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": os.pathsep.join(paths)}
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.checkout,
            env=environment,
        )
        stack.callback(process.kill)
        return process


def session(setting: Setting, module: str, tool: str) -> Iterator[tuple[Any, Any]]:
    """The eval's messages with the tool's answers."""
    eval_command = [setting.python, "-m", f"gradbench.evals.{module}.run", *EVALS[module]]
    with ExitStack() as stack:
        asking = setting.started(stack, eval_command)
        answering = setting.started(stack, setting.tool(tool))
        assert asking.stdin and asking.stdout and answering.stdin and answering.stdout
        for line in asking.stdout:
            answering.stdin.write(line)
            answering.stdin.flush()
            answer = answering.stdout.readline()
            if not answer:
                return
            yield json.loads(line), json.loads(answer)
            asking.stdin.write(answer)
            asking.stdin.flush()


def scores(setting: Setting, module: str, tool: str) -> Scores:
    """Of each function and input; none where the tool has no such module."""
    times: dict[int, tuple[tuple[str, str, str], int]] = {}
    found: dict[tuple[str, str, str], Score] = {}
    for message, answer in session(setting, module, tool):
        if message["kind"] == "evaluate" and answer.get("success"):
            least = min(each["nanoseconds"] for each in answer["timings"] if each["name"] == "evaluate")
            times[message["id"]] = (module, message["function"], message["description"]), least
        elif message["kind"] == "analysis" and message["of"] in times:
            key, least = times[message["of"]]
            found[key] = Score(least, message["valid"])
    return found


def milliseconds(score: Score | None) -> str:
    """A cell: three digits, with a note where the output was found wrong."""
    if score is None:
        return "-"
    return f"{score.nanoseconds / 1e6:.3g}" + ("" if score.valid else " (wrong)")


def page(of: Mapping[str, Scores], said: str) -> str:
    """The table."""
    lines = [
        "# GradBench",
        "",
        "Made by `python -m benchmarks.gradbench.scoreboard CHECKOUT`. " + said,
        "One thread, the least time of a run in milliseconds. The evals compared each output with that of",
        "`manual`, which it equals unless `wrong` stands beside it. `-`: no such module, or it failed.",
        "C++ and JAX are GradBench's own tools, but that JAX's results are waited for.",
        "",
        "| eval | function | input | manual (C++) | JAX | symbackprop | over manual |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for key in of["manual"]:
        each = {tool: of[tool].get(key) for tool in TOOLS}
        ours, peer = each["symbackprop"], each["manual"]
        ratio = f"{ours.nanoseconds / peer.nanoseconds:.2f}" if ours and peer else "-"
        cells = [*key, *(milliseconds(each[tool]) for tool in TOOLS), ratio]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def names_of_evals(text: str) -> tuple[str, ...]:
    """Those in a comma-separated list."""
    return names_among(EVALS, "eval", text)


def folder(text: str) -> Path:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evals, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradbench.scoreboard", description=__doc__)
    parser.add_argument("checkout", type=folder, help="a clone of gradbench/gradbench")
    parser.add_argument(
        "-e",
        "--evals",
        type=names_of_evals,
        default=tuple(EVALS),
        help=f"comma-separated names of {', '.join(EVALS)}",
    )
    parser.add_argument(
        "-p", "--python", default=sys.executable, help="has JAX, SciPy, pydantic, dataclasses-json"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="the table; without, a selection is printed",
    )
    given = parser.parse_args(arguments)
    output = given.output or (TABLE if set(given.evals) == set(EVALS) else None)
    setting = Setting(given.checkout.resolve(), given.python)
    of: dict[str, dict[tuple[str, str, str], Score]] = {tool: {} for tool in TOOLS}
    said = f"{date.today():%d %B %Y}. {machine()}; the peers' compiler and JAX: {setting.peers()}."
    before = load()
    for module in given.evals:
        for tool in TOOLS:
            of[tool].update(scores(setting, module, tool))
            print(f"{module}: {tool}, {len(of[tool])} rows", file=sys.stderr)
        busy = f" Load before and after: {before:.1f}, {load():.1f}."
        if output is not None:
            output.write_text(page(of, said + busy))  # a run that is cut short keeps what it has
    if output is None:
        print(page(of, said + busy))
    return 0 if all(score.valid for score in of["symbackprop"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
