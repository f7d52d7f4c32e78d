"""The local variables of a stranger's functions, line by line: each new value, and the line that made it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.plans import Event
from symbackprop.handwritten.running.computed_values import NOTE, RETURNED

Array: TypeAlias = NDArray[Any]

MOST_EVENTS = 8_000
LARGEST = 20_000  # numbers of an array that is kept
DEEPEST = 3
LOCAL = "local"
NO_HOLDERS = (type, FunctionType, MethodType, ModuleType)  # objects of which no attribute is looked at


def arrays_in(value: Any, path: str, depth: int = DEEPEST) -> Iterator[tuple[str, Array]]:
    """The numeric arrays in a value: itself, in tuples, lists, dictionaries and attributes of objects."""
    if not isinstance(value, np.ndarray) and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()  # torch's
    if isinstance(value, np.ndarray | np.generic | int | float) and not isinstance(value, bool):
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            yield path, array
    elif depth and isinstance(value, Mapping):
        for key, each in list(value.items())[:100]:
            yield from arrays_in(each, f"{path}[{key!r}]", depth - 1)
    elif isinstance(value, list) and path != RETURNED and (whole := _whole(value)) is not None:
        yield path, whole  # a list that is returned holds gradients
    elif depth and hasattr(value, "_asdict"):  # a named tuple
        yield from arrays_in(value._asdict(), path, depth)
    elif depth and isinstance(value, tuple | list):
        for place, each in enumerate(value[:100]):
            yield from arrays_in(each, f"{path}[{place}]", depth - 1)
    elif depth and hasattr(value, "__dict__") and not isinstance(value, NO_HOLDERS):
        for name, each in list(vars(value).items()):
            yield from arrays_in(each, f"{path}.{name}", depth - 1)


def _whole(value: list[Any]) -> Array | None:
    """The array that a list of numbers, or of such lists of one length, stands for."""
    first: Any = value
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, np.number | int | float) or isinstance(first, bool):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # of different lengths
        return None
    return array if array.dtype.kind in "fiu" else None


@contextmanager
def last_locals(filename: str) -> Iterator[dict[str, Any]]:
    """The variables of the function of a file that returns last, once it has."""
    kept: dict[str, Any] = {}

    def on_return(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code.co_filename == filename:
            kept.clear()
            kept.update(frame.f_locals)
            kept.pop("self", None)

    before = sys.getprofile()
    sys.setprofile(on_return)
    try:
        yield kept
    finally:
        sys.setprofile(before)


def unwatched(place: str, value: Any) -> Any:
    """The value: what stands for `NOTE` where nothing is watched."""
    return value


class Watch:
    """Records what changes in the frames of one file, whose variables are `names`, and what it computes.

    A computed value is an event by the name of its place, `computed_values.place_of`; the variables of the
    file itself are events of the function "".
    """

    def __init__(self, filename: str, names: MutableMapping[str, Any]) -> None:
        self.names = names
        self.filename = filename
        self.events: list[Event] = []
        self._before: dict[FrameType, dict[str, bytes]] = {}
        self._lines: dict[FrameType, int] = {}

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != self.filename or frame.f_code.co_name == "<module>":
            return None
        self._before[frame] = {}
        self._note(frame, 0)  # what comes in
        self._lines[frame] = 0
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        line = self._lines.get(frame, 0)
        if line:
            self._note(frame, line)
        self._lines[frame] = frame.f_lineno
        if event == "return":
            if line and argument is not None and len(self.events) < MOST_EVENTS:
                found = arrays_in(argument, RETURNED)
                self.events += [Event(frame.f_code.co_qualname, line, *each) for each in found]
            self._before.pop(frame, None)
            self._lines.pop(frame, None)
        return self._on_line

    def _note(self, frame: FrameType, line: int) -> None:
        if len(self.events) < MOST_EVENTS:
            name = frame.f_code.co_qualname
            self.events += [Event(name, line, path, array.copy()) for path, array in self._changes(frame)]

    def _changes(self, frame: FrameType) -> Iterator[tuple[str, Array]]:
        before = self._before[frame]
        for variable, value in list(frame.f_locals.items()):
            for path, array in arrays_in(value, variable):
                if array.size > LARGEST:
                    continue
                state = repr(array.shape).encode() + array.tobytes()
                if before.get(path) != state:
                    before[path] = state
                    yield path, array

    def computed(self, place: str, value: Any) -> Any:
        """Record a value by its place, and give it back."""
        if len(self.events) < MOST_EVENTS:
            function, line = sys._getframe(1).f_code.co_qualname, int(place[1:].partition(":")[0])
            found = [array for _, array in arrays_in(value, place, depth=0) if array.size <= LARGEST]
            self.events += [Event(function, line, place, array.copy()) for array in found]
        return value

    def _note_variables(self) -> None:
        """The arrays of the file itself; each once."""
        known = {each.name for each in self.events if not each.function}
        for name, value in list(self.names.items()):
            if isinstance(value, np.ndarray | float) and name not in known:
                found = arrays_in(value, name, depth=0)
                self.events += [
                    Event("", 0, path, each.copy()) for path, each in found if each.size <= LARGEST
                ]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is called meanwhile."""
        tracer = sys.gettrace()
        self._note_variables()
        self.names[NOTE] = self.computed
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(tracer)
            self.names[NOTE] = unwatched
            self._note_variables()
