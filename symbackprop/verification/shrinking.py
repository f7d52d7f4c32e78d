"""The shortest part of a model on which something fails: delta debugging (A. Zeller, R. Hildebrandt, IEEE
Trans. Softw. Eng. 28, 2002) over equations, then over the subexpressions of each equation.

Every candidate is printed and read again, so that what is found is a model that a user can report, and its
text fails as the system does.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from symbackprop.errors import SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import ONE, Add, Comparison, Expression, Index, Logic, Multiply, Number
from symbackprop.notation.substitution import is_about_indices, tensors_read
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import Equation, Role, System

BUDGET = 10.0  # seconds
Work: TypeAlias = Callable[[System], object]
Fails: TypeAlias = Callable[[System], bool]

_PACKAGE = Path(__file__).resolve().parents[1]
_NAMES_AND_NUMBERS = re.compile(r"'[^']*'|\[[^\]]*\]|\d+")


def shortest_failing(system: System, fails: Fails, budget: float = BUDGET) -> System:
    """The smallest system found in `budget` seconds that still fails; the given one where none is smaller.

    A tensor whose equation is left out becomes a parameter. `fails` sees a legal model each time, and may
    raise what it likes: that counts as another failure, hence as none.
    """
    return _Shrinking(fails, time.monotonic() + budget).shortest(system)


def fails_alike(work: Work, error: BaseException) -> Fails:
    """Whether the work on a system raises an error of the same kind: type, origin and wording.

    Names and numbers in a message make no difference.
    """
    wanted = _kind(error)

    def fails(system: System) -> bool:
        try:
            work(system)
        except Exception as other:
            return _kind(other) == wanted
        return False

    return fails


def _kind(error: BaseException) -> tuple[object, ...]:
    """What stays the same while a model gets smaller."""
    if isinstance(error, RecursionError | MemoryError):
        return (type(error),)
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    here = Path(__file__)
    own = [
        (str(path), name)
        for path, name in zip(frames, names, strict=True)
        if _PACKAGE in path.parents and path != here
    ]
    origin = own[-1] if own else ()
    first_line = (error.cause if isinstance(error, SymbackpropError) else str(error)).split("\n")[0]
    wording = max(_NAMES_AND_NUMBERS.sub("", first_line).split(": "), key=len)
    return (type(error), *origin, wording)


@dataclass
class _Shrinking:
    """Candidates in order, the boldest first; each that fails is where the search goes on."""

    fails: Fails
    deadline: float
    tried: set[str] = field(default_factory=set)

    def shortest(self, system: System) -> System:
        before = None
        while before is not system:
            before = system
            system = self._with_fewer_equations(system)
            system = self._with_smaller_equations(system)
        return system

    def _with_fewer_equations(self, system: System) -> System:
        """Chunks of equations left out, halves first, then single ones; then facts."""
        size = max(1, len(system.equations) // 2)
        while size:
            start = 0
            while start < len(system.equations):
                smaller = self._failing(_without(system, system.equations[start : start + size]))
                if smaller is None:
                    start += size
                else:
                    system = smaller
            size //= 2
        return self._with_fewer_facts(system)

    def _with_fewer_facts(self, system: System) -> System:
        for place in reversed(range(len(system.facts))):
            kept = system.facts[:place] + system.facts[place + 1 :]
            system = self._failing(replace(system, facts=kept)) or system
        for place in reversed(range(len(system.positive_definite))):
            definite = system.positive_definite[:place] + system.positive_definite[place + 1 :]
            system = self._failing(replace(system, positive_definite=definite)) or system
        return system

    def _with_smaller_equations(self, system: System) -> System:
        """Each equation in turn, the whole of it first, then what is inside."""
        names = [equation.tensor for equation in reversed(system.equations)]
        for name in names:
            moved = name in system.definitions
            while moved:
                moved = False
                for smaller in _smaller(system.definitions[name].expression):
                    found = self._failing(_with_expression(system, name, smaller))
                    if found is not None:
                        system, moved = found, name in found.definitions
                        break
        return system

    def _failing(self, candidate: System) -> System | None:
        """The candidate as its text is read, if it fails and there is time left."""
        if time.monotonic() > self.deadline:
            return None
        try:
            text = system_text(_needed(candidate))
            if text in self.tried:
                return None
            self.tried.add(text)
            system = parse_system(text, candidate.name)
            return system if self.fails(system) else None
        except Exception:  # no model, or another failure
            return None


def _without(system: System, left_out: Sequence[Equation]) -> System:
    names = {equation.tensor for equation in left_out} - {system.loss}
    tensors = {
        name: replace(tensor, role=Role.PARAMETER) if name in names else tensor
        for name, tensor in system.tensors.items()
    }
    equations = tuple(equation for equation in system.equations if equation.tensor not in names)
    return replace(system, tensors=tensors, equations=equations)


def _with_expression(system: System, name: str, expression: Expression) -> System:
    equations = tuple(
        replace(equation, expression=expression) if equation.tensor == name else equation
        for equation in system.equations
    )
    return replace(system, equations=equations)


def _needed(system: System) -> System:
    """Without the tensors that nothing speaks of, and the axes that are left without an index."""
    facts = (*system.read_by_facts, *(fact.tensor for fact in system.positive_definite))
    read = {name for equation in system.equations for name in tensors_read(equation.expression)}
    spoken = {*facts, *read, *system.definitions}
    tensors = {name: tensor for name, tensor in system.tensors.items() if name in spoken}
    return replace(system, tensors=tensors).with_used_axes()


def _smaller(expression: Expression) -> Iterator[Expression]:
    """Smaller expressions in its place, the smallest first: 1, a part, fewer terms, a smaller part."""
    if isinstance(expression, Number | Index) or is_about_indices(expression):
        return
    if not _is_condition(expression):
        yield ONE
    free = expression.free_indices
    for child in expression.children:
        if child.free_indices <= free and _is_condition(child) == _is_condition(expression):
            yield child
    if isinstance(expression, Add | Multiply | Logic) and len(expression.children) > 2:
        yield from _fewer(expression)
    if isinstance(expression, InnerDerivative):
        return  # of elements, which are no smaller
    for place, child in enumerate(expression.children):
        for smaller in _smaller(child):
            children = (*expression.children[:place], smaller, *expression.children[place + 1 :])
            yield normalised(expression.with_children(children))


def _fewer(expression: Expression) -> Iterator[Expression]:
    """Halves of the terms, then all but one."""
    children = expression.children
    middle = len(children) // 2
    for kept in (children[:middle], children[middle:]):
        yield kept[0] if len(kept) == 1 else expression.with_children(kept)
    if len(children) > 3:
        for place in range(len(children)):
            yield expression.with_children(children[:place] + children[place + 1 :])


def _is_condition(expression: Expression) -> bool:
    return isinstance(expression, Comparison | Logic)
