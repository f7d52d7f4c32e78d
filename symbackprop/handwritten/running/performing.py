"""Plans carried out: the calls, their arguments and results, and which changes of the code mend which."""

from __future__ import annotations

import copy
import gc
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.agreement import RIGHT, grade_of, shaped
from symbackprop.handwritten.nested_parameters import Place, gradients_beside, parameter_places
from symbackprop.handwritten.plans import (
    Argument,
    Attempt,
    Change,
    Data,
    Outcome,
    Plan,
    Result,
    SavedContext,
    Sequence,
    SizeOf,
    Sizes,
    Table,
)
from symbackprop.handwritten.running.choices import CHOSEN, Sides
from symbackprop.handwritten.running.definitions import changed
from symbackprop.handwritten.running.stand_ins import Context, tensor
from symbackprop.handwritten.running.watching import LOCAL, Watch, arrays_in, last_locals, unwatched

Array: TypeAlias = NDArray[Any]
SECONDS_A_CHANGE = 0.5  # of the processor
# For each draw: a result's path with what it should be.
Expected: TypeAlias = tuple[Mapping[str, Array], ...]


@dataclass(frozen=True)
class Names:
    """The names of a stranger's file, and what it is called in tracebacks."""

    names: dict[str, Any]
    filename: str

    def outcomes(self, attempt: Attempt, watched: int) -> tuple[Outcome, ...]:
        """What comes of an attempt on each draw, with the values on the way for the first few."""
        found: list[Outcome] = []
        for place, data in enumerate(attempt.data):
            self.names.update({name: np.array(each[place]) for name, each in attempt.injected.items()})
            found.append(self._outcome(attempt.plan, data, place < watched))
            if found[-1].error and place == 0:
                break
        return tuple(found)

    def mended(
        self, attempt: Attempt, change: Change, expected: Expected, least: Mapping[str, int]
    ) -> dict[str, int]:
        """How near each result comes on every draw where the change is made, by `grade_of`.

        Nothing where one falls below what it was, its `least`, or none comes nearer, and where it does not
        end, as a loop may whose counter was changed.
        """
        grades: dict[str, int] = {}
        try:
            with (
                time_limit(SECONDS_A_CHANGE),
                changed(self.names, change.text, self.filename),
                np.errstate(all="ignore"),
            ):
                for place, (data, wanted) in enumerate(zip(attempt.data, expected, strict=False)):
                    self.names.update({name: np.array(each[place]) for name, each in change.injected.items()})
                    results = self._results(attempt.plan, _own(data))
                    for path, array in wanted.items():
                        found = shaped(results.get(path), array.shape)
                        grades[path] = min(grades.get(path, RIGHT), grade_of(found, array))
                        if grades[path] < least[path]:
                            return {}
                    if all(grades[path] == least[path] for path in wanted):
                        return {}
        except (Exception, SystemExit):
            return {}
        return grades

    def _outcome(self, plan: Plan, data: Mapping[str, Array], is_watched: bool) -> Outcome:
        given = _own(data)
        watch, sides = Watch(self.filename, self.names), Sides()
        self.names[CHOSEN] = sides.chosen
        try:
            with np.errstate(all="ignore"), watch.watching() if is_watched else nullcontext():
                results = self._results(plan, given)
        except (Exception, SystemExit) as error:
            lines = [
                each for each in traceback.extract_tb(error.__traceback__) if each.filename == self.filename
            ]
            line = lines[-1].lineno if lines else 0
            return Outcome(
                error=f"{type(error).__name__}: {error}", line=line or 0, events=tuple(watch.events)
            )
        finally:
            self.names[CHOSEN] = unwatched
        moved = tuple([name for name, array in data.items() if not np.array_equal(given[name], array)])
        return Outcome(results, tuple(watch.events), moved, sides=frozenset(sides.reached))

    def _results(self, plan: Plan, data: Mapping[str, Array]) -> dict[str, Array]:
        """What the last call returns, and the attributes of the object."""
        data = {name: as_tensor(array) for name, array in data.items()} if plan.takes_tensors else data
        context = Context()
        made: Any = None
        values: list[Any] = []
        places: Mapping[str, Place] = {}
        self.names.update({name: _plain(np.array(data[key])) for name, key in plan.variables})
        for number, call in enumerate(plan.calls, 1):
            arguments = {
                name: context if isinstance(each, SavedContext) else _value(each, data, values)
                for name, each in call.arguments
            }
            callee = self._callee(call.callee, made)
            if plan.keeps_locals and number == len(plan.calls):
                with last_locals(self.filename) as found:
                    values.append(callee(**arguments))
                kept = dict(arrays_in(found, LOCAL))
                continue
            values.append(callee(**arguments))
            if isinstance(callee, type):
                made = values[-1]
                for path, key in plan.attributes:
                    _set(made, path, data[key])
                places = parameter_places(made, plan.parameters)
                for tensor, place in places.items():
                    place.fill(data[tensor])
        results = dict(arrays_in(values[-1], "return"))
        if made is not None:
            results.update(arrays_in(made, "self", 4))
            results.update(gradients_beside(results, places))
        if plan.keeps_locals:
            results.update(kept)
        return {path: np.array(array) for path, array in results.items()}

    def _callee(self, name: str, made: Any) -> Any:
        """A function or class of the file, or a method of the object that was made."""
        if name.startswith("self."):
            return getattr(made, name.removeprefix("self."))
        outer, dot, method = name.partition(".")
        return getattr(self.names[outer], method) if dot else self.names[outer]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so many seconds of the processor; nothing outside the main thread.

    It is raised again, should that be swallowed. Objects are not collected meanwhile: those of this process
    are not the code's, and may take as long.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before, collects = signal.signal(signal.SIGVTALRM, _too_long), gc.isenabled()
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
        if collects:
            gc.enable()


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def as_tensor(array: Array) -> Any:
    """As torch's own tensor where the code has imported it, else as what stands in for it."""
    torch = sys.modules.get("torch")
    return torch.from_numpy(array) if torch is not None else tensor(array)


def _own(data: Mapping[str, Array]) -> dict[str, Array]:
    """Copies, so that what is changed in place is seen."""
    return {name: np.array(array) for name, array in data.items()}


def _value(argument: Argument, data: Mapping[str, Array], values: list[Any]) -> Any:
    match argument:
        case Data(key):
            return _plain(data[key])
        case Table(keys):
            return {theirs: _plain(data[key]) for theirs, key in keys}
        case Sequence(keys):
            return tuple([_plain(data[key]) for key in keys])
        case Result(call, None):
            return values[call]
        case Result(call, place):
            assert place is not None
            return values[call][place]
        case SizeOf():
            return _size(argument, data)
        case Sizes(sizes):
            return [_size(each, data) for each in sizes]


def _size(size: SizeOf, data: Mapping[str, Array]) -> int:
    return int(data[size.key].shape[size.axis])


def _plain(array: Array) -> Any:
    """A number where there are no axes, as a person would pass it."""
    return array.item() if len(array.shape) == 0 else array


def _set(made: Any, path: tuple[str, ...], array: Array) -> None:
    """Fill the attribute in place, for layers may hold it too; set it anew where it has another shape."""
    *outer, last = path
    holder = made
    for name in outer:
        holder = getattr(holder, name)
    own = holder.get(last) if isinstance(holder, dict) else getattr(holder, last, None)
    if isinstance(own, np.ndarray) and own.shape == array.shape and own.dtype == array.dtype:
        own[...] = array
    elif isinstance(holder, dict):
        holder[last] = copy.copy(array)
    else:
        setattr(holder, last, _plain(copy.copy(array)))
