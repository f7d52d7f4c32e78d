"""The program that keeps nothing: whatever a line reads is computed anew for it, from the inputs on.

It is what comes of writing each gradient as its whole product of factors. No name is read by two lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.slices import item_values
from symbackprop.array.value import Value, rewrite_values
from symbackprop.explanation.programs.computations import Computation, Computations
from symbackprop.explanation.programs.polynomials import Polynomial, total_of
from symbackprop.languages.phrases import Words, phrase
from symbackprop.notation.fresh_names import numbered_name

MOST_LINES = 300


def times_run(computations: Computations) -> Mapping[Computation, int]:
    """How often each computation would run: as often as all together that read it, or ask for it."""
    wanted = _results(computations.module.program)
    times: dict[Computation, int] = {}
    for computation in reversed(computations.items):
        readers = (each for each in computations.items if not set(computation.written).isdisjoint(each.reads))
        asked = sum(name in wanted for name in computation.written)
        times[computation] = sum(times[each] for each in readers) + asked
    return times


def operations_without_reuse(computations: Computations) -> Polynomial:
    """What the loss and the gradients take where nothing is kept."""
    times = times_run(computations)
    return total_of(each.operations * times[each] for each in computations.items)


def _results(program: Program) -> tuple[str, ...]:
    return (*((program.loss,) if program.loss else ()), *program.gradients.values())


def refusal(computations: Computations) -> Words:
    """Why that program is not made: it is too long, or places in it are computed; () where it is made."""
    times = times_run(computations)
    count = sum(times[each] * len(each.lines) for each in computations.items)
    if count > MOST_LINES:
        return phrase("its program has {count} lines", count=f"{count:,}")
    return phrase("places in it are computed") if _places_are_computed(computations) else ()


def without_reuse(computations: Computations) -> Program:
    """That program, of a module for which there is no `refusal`."""
    program = computations.module.program
    copying = _Copying(computations, {*(tensor.name for tensor in program.tensors), *computations.by_name})
    results = {name: copying.computed(name) for name in _results(program)}
    # The outputs are those on the way to the loss: nothing runs for them alone.
    outputs = [copying.first.get(name) or copying.computed(name) for name in program.outputs]
    return replace(
        program,
        statements=tuple(copying.lines),
        outputs=tuple(outputs),
        loss=results[program.loss] if program.loss else None,
        gradients={asked: results[name] for asked, name in program.gradients.items()},
    )


def _places_are_computed(computations: Computations) -> bool:
    """Whether an item of a store, or an end of a loop, reads what a line computes."""
    return any(
        isinstance(node, Read) and node.name in computations.by_name
        for value in _whole_numbers(line for each in computations.items for line in each.lines)
        for node in value.walk()
    )


def _whole_numbers(lines: Iterable[Line]) -> Iterator[Value]:
    for line in lines:
        if isinstance(line, Loop):
            yield from (line.start, line.stop)
            yield from _whole_numbers(line.body)
        elif isinstance(line, Store):
            yield from (value for item in line.items for value in item_values(item))


@dataclass
class _Copying:
    """Copies computations under fresh names, each after copies of all that it reads.

    `first` maps each name to the first of its fresh ones.
    """

    computations: Computations
    taken: set[str]
    lines: list[Line] = field(default_factory=list)
    first: dict[str, str] = field(default_factory=dict)

    def computed(self, name: str) -> str:
        """The fresh name that holds what a name does, after the lines that compute it."""
        found = self.computations.by_name.get(name)
        return name if found is None else self._copied(found)[name]

    def _copied(self, computation: Computation) -> Mapping[str, str]:
        behind = {self.computations.by_name[read] for read in computation.reads if self._is_computed(read)}
        names: dict[str, str] = {}
        for each in self.computations.items:
            if each in behind:
                names |= self._copied(each)
        own = {name: self._fresh(name) for name in computation.written}
        self.lines += _renamed(computation.lines, {**names, **own})
        self.first = {**own, **self.first}
        return own

    def _is_computed(self, name: str) -> bool:
        return name in self.computations.by_name

    def _fresh(self, name: str) -> str:
        fresh = numbered_name(name, self.taken)
        self.taken.add(fresh)
        return fresh


def _renamed(lines: Sequence[Line], names: Mapping[str, str]) -> list[Line]:
    def change(node: Value) -> Value:
        return replace(node, name=names.get(node.name, node.name)) if isinstance(node, Read) else node

    renamed: list[Line] = []
    for line in lines:
        if isinstance(line, Loop):
            renamed.append(replace(line, body=tuple(_renamed(line.body, names))))
        elif isinstance(line, Statement):
            value = rewrite_values(line.value, change)
            renamed.append(replace(line, name=names.get(line.name, line.name), value=value))
        else:
            value = rewrite_values(line.value, change)
            renamed.append(replace(line, name=names.get(line.name, line.name), value=value))
    return renamed
