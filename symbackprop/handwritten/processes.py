"""Running hand-written code: in a process of its own with limits, or here, for functions made here."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.handwritten.plans import ARRAYS, JOB, PAGE, Attempt, Change, Event, Outcome, Program
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.performing import Expected, Names
from symbackprop.languages.phrases import Message, verbatim, worded

Array: TypeAlias = NDArray[Any]
Outcomes: TypeAlias = list[tuple[Outcome, ...]]

SECONDS = 60.0
PACKAGES = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path.append(sys.argv[2]); "
    "from symbackprop.handwritten.running.worker import main; main(sys.argv[1])"
)


class Runner(Protocol):
    """Runs attempts, and tries changes of the code."""

    @property
    def program(self) -> Program:
        """The code."""

    def with_program(self, program: Program) -> Runner:
        """The same for another text."""

    def outcomes(self, attempts: Sequence[Attempt], watched: int) -> Outcomes:
        """What comes of each attempt on each of its draws; values on the way for the first `watched`."""

    def mended(
        self,
        attempt: Attempt,
        changes: Sequence[Change],
        expected: Expected,
        least: Mapping[str, int],
    ) -> list[Mapping[str, int]]:
        """For each change, how near each result comes on every draw, by `agreement.grade_of`.

        Nothing where one falls below its `least`, or none comes nearer.
        """


@dataclass(frozen=True)
class Here:
    """In this process: for functions that the user has made here."""

    program: Program
    around: Mapping[str, Any] = field(default_factory=dict)

    def with_program(self, program: Program) -> Here:
        """As `Runner` says."""
        return replace(self, program=program)

    @property
    def _names(self) -> Names:
        return Names(defined(self.program, self.around), self.program.name)

    def outcomes(self, attempts: Sequence[Attempt], watched: int) -> Outcomes:
        """As `Runner` says."""
        names = self._names
        with _silence():
            return [names.outcomes(attempt, watched) for attempt in attempts]

    def mended(
        self,
        attempt: Attempt,
        changes: Sequence[Change],
        expected: Expected,
        least: Mapping[str, int],
    ) -> list[Mapping[str, int]]:
        """As `Runner` says."""
        names = self._names
        with _silence():
            return [names.mended(attempt, change, expected, least) for change in changes]


@contextmanager
def _silence() -> Iterator[None]:
    """No warnings of code that is called on data, or in a form, that it was not written for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Apart:
    """In a process of its own, which has limits and imports nothing into this one."""

    program: Program
    seconds: float = SECONDS

    def with_program(self, program: Program) -> Apart:
        """As `Runner` says."""
        return replace(self, program=program)

    def outcomes(self, attempts: Sequence[Attempt], watched: int) -> Outcomes:
        """As `Runner` says; VerificationError where the file cannot be run."""
        pages, arrays = self._done({"attempts": tuple(attempts), "watched": watched})
        return [tuple([_outcome(page, arrays) for page in each]) for each in pages]

    def mended(
        self,
        attempt: Attempt,
        changes: Sequence[Change],
        expected: Expected,
        least: Mapping[str, int],
    ) -> list[Mapping[str, int]]:
        """As `Runner` says."""
        job = {"attempt": attempt, "changes": tuple(changes), "expected": expected, "least": dict(least)}
        pages: list[Mapping[str, int]] = self._done(job)[0]
        return pages

    def _done(self, job: dict[str, Any]) -> tuple[Any, Mapping[str, Array]]:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / JOB).write_bytes(pickle.dumps({"program": self.program, **job}))
            command = [sys.executable, "-c", START, folder, str(PACKAGES)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            try:
                done = subprocess.run(
                    command,
                    cwd=self.program.folder or None,
                    env=environment,
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    timeout=self.seconds,
                )
            except subprocess.TimeoutExpired as error:
                raise VerificationError(
                    worded(
                        "{program} runs for more than {seconds} s",
                        program=self.program.name,
                        seconds=f"{self.seconds:g}",
                    ),
                    remedy=worded("audit the gradient's function alone, without loops that train"),
                ) from error
            if not (Path(folder) / PAGE).exists():
                raise VerificationError(
                    _why(self.program, done), remedy=worded("run the file by itself first")
                )
            with np.load(Path(folder) / ARRAYS, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            return json.loads((Path(folder) / PAGE).read_text(encoding="utf-8")), arrays


def _why(program: Program, done: subprocess.CompletedProcess[bytes]) -> Message:
    """The last line of what the process said."""
    lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
    if lines:
        said = verbatim(lines[-1][:300])
    else:
        said = worded("the process ended with code {code}", code=done.returncode)
    return worded("{program} cannot be run: {said}", program=program.name, said=said)


def _outcome(page: Mapping[str, Any], arrays: Mapping[str, Array]) -> Outcome:
    events = [
        Event(str(function), int(line), str(name), arrays[key])
        for function, line, name, key in page["events"]
    ]
    return Outcome(
        {str(path): arrays[key] for path, key in page["results"].items()},
        tuple(events),
        tuple(map(str, page["changed"])),
        str(page["error"]),
        int(page["line"]),
        frozenset(map(str, page["sides"])),
    )
