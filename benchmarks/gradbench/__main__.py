"""A tool of GradBench: answers its messages, a line of JSON each; `python -m benchmarks.gradbench`.

The protocol is that of CONTRIBUTING.md in gradbench/gradbench: a message's kind is `start`, `define`,
`evaluate` or `analysis`. A module is derived, generated and verified when it is defined.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from time import perf_counter_ns
from types import ModuleType
from typing import Any, TypeAlias

from benchmarks.gradbench.objectives import MODULES, Function, generated

Message: TypeAlias = dict[str, Any]


def timing(name: str, nanoseconds: int) -> Message:
    """An entry of `timings`."""
    return {"name": name, "nanoseconds": nanoseconds}


def define(module: str, known: dict[str, ModuleType]) -> Message:
    """Generate what the functions of a module need."""
    if module not in MODULES:
        return {"success": False, "error": f"no module {module!r}: expected one of {', '.join(MODULES)}"}
    start = perf_counter_ns()
    for function in MODULES[module].values():
        if function.model not in known:
            known[function.model] = generated(function.model)
    return {"success": True, "timings": [timing("generate", perf_counter_ns() - start)]}


def evaluate(message: Message, known: dict[str, ModuleType]) -> Message:
    """Run a function as often and as long as is asked."""
    function = MODULES.get(message["module"], {}).get(message["function"])
    if function is None or function.model not in known:
        what = f"{message['module']}: {message['function']}"
        return {"success": False, "error": f"{what}: no such function of a module that was defined"}
    try:
        return measured(function, known[function.model], message["input"])
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return {"success": False, "error": f"{type(error).__name__}: {error}"}


def measured(function: Function, module: ModuleType, given: Any) -> Message:
    """The result, and the time of each run; JSON to bound arrays, and arrays to JSON, are not timed."""
    least, seconds = given.get("min_runs", 1), given.get("min_seconds", 0)
    run = function.bound(module, function.prepare(given))
    times: list[int] = []
    result = None
    while len(times) < max(least, 1) or sum(times) < seconds * 1e9:
        start = perf_counter_ns()
        result = run()
        times.append(perf_counter_ns() - start)
    timings = [timing("evaluate", each) for each in times]
    return {"success": True, "output": function.answer(result), "timings": timings}


def answers(messages: Iterable[str]) -> Iterator[str]:
    """A line for each line."""
    known: dict[str, ModuleType] = {}
    for line in messages:
        message = json.loads(line)
        match message["kind"]:
            case "start":
                answer = {"tool": "symbackprop"}
            case "define":
                answer = define(message["module"], known)
            case "evaluate":
                answer = evaluate(message, known)
            case _:
                answer = {}
        yield json.dumps({"id": message["id"], **answer})


def main() -> int:
    """Answer until the eval closes its end."""
    for answer in answers(sys.stdin):
        print(answer, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
