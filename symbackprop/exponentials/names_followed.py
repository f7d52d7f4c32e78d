"""Names followed through their equations, which are numbered, by iteration: a chain may be long."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from symbackprop.systems.system import Equation

Value = TypeVar("Value")


class _MissingName(Exception):
    """Nothing has been found of a name yet that another's equation reads."""

    def __init__(self, tensor: str) -> None:
        self.tensor = tensor


def resolved(
    tensor: str,
    memory: dict[str, Value],
    of_itself: Value,
    find: Callable[[str], Value],
    is_inside: bool,
) -> Value:
    """What `find` says of a name, kept in `memory`; `of_itself` where a recurrence reads itself.

    A chain of names is followed by iteration: a name that is missing inside of another comes first.
    """
    if tensor not in memory and is_inside:
        raise _MissingName(tensor)
    pending = [] if tensor in memory else [tensor]
    while pending:
        memory[pending[-1]] = of_itself
        try:
            memory[pending[-1]] = find(pending[-1])
            pending.pop()
        except _MissingName as missing:
            pending.append(missing.tensor)
    return memory[tensor]


def is_loop_carried(
    names: Iterable[str],
    number: int,
    definitions: Mapping[str, tuple[int, Equation]],
    awaited: Collection[str],
    complete: dict[str, int],
) -> bool:
    """Whether the equation of this number, which reads these names, is led by them to what comes no earlier.

    `awaited` are names whose equations may come later. `complete` remembers of a name the least number of an
    equation that all comes before which it leads to.
    """
    pending, seen = list(names), set(names)
    while pending:
        place, equation = definitions.get(name := pending.pop(), (-1, None))
        if place >= number or (equation is None and name in awaited):
            return True
        if equation is not None and complete.get(name, number + 1) > number:
            pending += [each for each in equation.reads if each not in seen]
            seen.update(equation.reads)
    complete.update((name, min(number, complete.get(name, number))) for name in seen)
    return False
