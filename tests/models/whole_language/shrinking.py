"""Makes a failing model smaller: python -m tests.models.whole_language.shrinking SEED_OR_FILE..."""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.models.whole_language.formulas import ATOM, LEVELS, Node, formula, leaf
from tests.models.whole_language.generator import model_text
from tests.models.whole_language.judge import judged

SECONDS = 240.0
EQUATION = re.compile(r"^((?:loss )?\w+(?:\[[^\]]*\])?) = (.*)$")
REDUCTIONS = ("sum(", "mean(", "max(", "min(", "prod(")


def shrunk(text: str, fails: Callable[[str], bool], seconds: float = SECONDS) -> str:
    """The smallest model found by single changes, each of which keeps the failure."""
    until = time.monotonic() + seconds
    rejected: set[str] = set()
    progress = True
    while progress and time.monotonic() < until:
        progress = False
        for candidate in _candidates(text):
            if time.monotonic() > until:
                break
            if candidate in rejected or _weight(candidate) >= _weight(text):
                continue
            if fails(candidate):
                text, progress = candidate, True
                break
            rejected.add(candidate)
    return text


def _weight(text: str) -> tuple[int, int]:
    """Formulas count most, then the sizes and everything else."""
    lines = text.splitlines()
    code = "".join(line for line in lines if not line.startswith("#"))
    sizes = sum(map(int, re.findall(r"[A-Z]=(\d+)", text)))
    simple = sum(code.count(word) for word in ("where", "pad", "size", "mean", "prod", "max", "min", "tanh"))
    return len(code) + 3 * code.count("\n") + 4 * simple, len(text) + 10 * sizes


def _candidates(text: str) -> Iterator[str]:
    lines = text.splitlines()
    yield from _fewer_lines(lines)
    for place, line in enumerate(lines):
        for changed in _simpler(line):
            yield _joined([*lines[:place], changed, *lines[place + 1 :]])
    yield from _fewer_positions(text)
    yield from _smaller_data(lines)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _fewer_lines(lines: list[str]) -> Iterator[str]:
    """Without a line; with a parameter in place of an equation."""
    for place, line in enumerate(lines):
        rest = [*lines[:place], *lines[place + 1 :]]
        yield _joined(rest)
        found = EQUATION.match(line)
        if found and not line.startswith(("loss", "func", "fact", "index")):
            name = found.group(1).split("[")[0]
            for equation in rest:
                if EQUATION.match(equation) and equation.startswith("loss"):
                    indices = re.search(r"\[(.*)\]", found.group(1))
                    total = (
                        f"sum({indices.group(1).replace(',', ', ')}, {found.group(1)})" if indices else name
                    )
                    kept = [each for each in lines if each != equation]
                    yield _joined([*kept, f"loss E = {total}"])
            yield _joined([*lines[:place], f"param {found.group(1)}", *lines[place + 1 :]])
        if line.startswith("index ") and " = " in line:
            yield _joined([*lines[:place], line.split(" = ")[0], *lines[place + 1 :]])
        if line.startswith("# wrt ") and "," in line:
            for name in line[6:].split(","):
                yield _joined([*lines[:place], f"# wrt {name}", *lines[place + 1 :]])


def _simpler(line: str) -> Iterator[str]:
    """An equation with one sub-expression made simpler, the large ones first."""
    found = EQUATION.match(line)
    if not found or line.startswith(("index", "func", "fact")):
        return
    tree = formula(found.group(2))
    for path, node in tree.walk():
        for other in _replacements(node):
            yield f"{found.group(1)} = {tree.put(path, other)}"


def _replacements(node: Node) -> Iterator[Node]:
    word = node.words[0]
    if len(str(node)) > 1:
        yield from (leaf(number) for number in ("1", "2", "0"))
    yield from node.children
    if node.level < len(LEVELS) and len(node.children) > 2:
        for place in range(1, len(node.children)):
            words = (*node.words[:place], *node.words[place + 1 :])
            children = (*node.children[:place], *node.children[place + 1 :])
            yield Node(node.level, words, children)
    if word in REDUCTIONS:
        if len(node.children) > 2:
            for place in range(len(node.children) - 1):
                children = (*node.children[:place], *node.children[place + 1 :])
                yield Node(ATOM, (word, *(", ",) * (len(children) - 1), ")"), children)
        if word != "sum(":
            yield Node(ATOM, ("sum(", *node.words[1:]), node.children)


def _fewer_positions(text: str) -> Iterator[str]:
    """A tensor without one of its axes, wherever it stands."""
    lines = text.splitlines()
    names = re.findall(r"^(?:param|input|target|const) (\w+)\[|^(\w+)\[", text, re.MULTILINE)
    for name in (one or other for one, other in names):
        for place in range(2):
            changed = [_without_position(line, name, place) for line in lines]
            if changed != lines:
                yield _joined(changed)


def _without_position(line: str, name: str, place: int) -> str:
    if line.startswith(("#", "index", "func")) or f"{name}[" not in line:
        return line
    head, mark, body = line.partition(" = ")
    head = re.sub(
        rf"\b{name}\[([^\]]*)\]", lambda found: _shorter(name, found.group(1).split(","), place), head
    )
    if not mark:
        return head
    tree = formula(body)
    for path, node in reversed(list(tree.walk())):
        if node.words[0] == f"{name}[":
            children = [str(child) for child in node.children]
            tree = tree.put(path, leaf(_shorter(name, children, place)))
    return f"{head} = {tree}"


def _shorter(name: str, positions: list[str], place: int) -> str:
    kept = [each for each in (*positions[:place], *positions[place + 1 :])]
    return f"{name}[{','.join(kept)}]" if kept else name


def _smaller_data(lines: list[str]) -> Iterator[str]:
    for place, line in enumerate(lines):
        if line.startswith("# data"):
            for axis, size in re.findall(r"([A-Z])=(\d+)", line):
                if int(size) > 1:
                    smaller = line.replace(f"{axis}={size}", f"{axis}={int(size) - 1}")
                    yield _joined([*lines[:place], smaller, *lines[place + 1 :]])
            known = [axis for axis, _ in re.findall(r"([A-Z])=(\d+)", line)]
            text = _joined(lines)
            for axis in known:
                if f" : {axis}" not in text:
                    yield _joined([*lines[:place], re.sub(rf" {axis}=\d+", "", line), *lines[place + 1 :]])
            yield _joined([*lines[:place], line.replace("kind=ties", "kind=normal"), *lines[place + 1 :]])


def shrunk_failure(text: str, seconds: float = SECONDS) -> str:
    """A failing model made small, such that the outcome and its kind stay."""
    kind = judged(text).kind

    def fails(candidate: str) -> bool:
        verdict = judged(candidate)
        return verdict.outcome == "failed" and verdict.kind == kind

    return shrunk(text, fails, seconds)


def main() -> None:
    warnings.simplefilter("error")  # as in the tests
    for argument in sys.argv[1:]:
        text = model_text(int(argument)) if argument.isdigit() else Path(argument).read_text()
        small = shrunk_failure(text)
        verdict = judged(small)
        print(f"--- {argument}\n{small}{verdict.outcome}: {verdict.kind}\n{verdict.detail}\n", flush=True)


if __name__ == "__main__":
    main()
