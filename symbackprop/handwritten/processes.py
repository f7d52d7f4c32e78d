"""Running hand-written code: in a process of its own with limits, or here, for functions made here."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.handwritten.plans import ARRAYS, JOB, PAGE, Attempt, Change, Program
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.jobs import Answer, Attempts, Grades, Job, Mending, Outcomes
from symbackprop.handwritten.running.performing import Expected, Names
from symbackprop.languages.phrases import Message, verbatim, worded

SECONDS = 60.0
PACKAGES = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path.append(sys.argv[2]); "
    "from symbackprop.handwritten.running.worker import main; main(sys.argv[1])"
)


class Runner(ABC):
    """Runs attempts, and tries changes of the code."""

    program: Program

    @abstractmethod
    def with_program(self, program: Program) -> Runner:
        """The same for another text."""

    @abstractmethod
    def done(self, job: Job[Answer]) -> Answer:
        """What the code answers."""

    def outcomes(self, attempts: Sequence[Attempt], watched: int) -> Outcomes:
        """What comes of each attempt on each of its draws; values on the way for the first `watched`.

        VerificationError where the file cannot be run.
        """
        return self.done(Attempts(tuple(attempts), watched))

    def mended(
        self, attempt: Attempt, changes: Sequence[Change], expected: Expected, least: Mapping[str, int]
    ) -> Grades:
        """For each change, how near each result comes on every draw, as `Mending` says."""
        return self.done(Mending(attempt, tuple(changes), expected, dict(least)))


@dataclass(frozen=True)
class Here(Runner):
    """In this process: for functions that the user has made here."""

    program: Program
    around: Mapping[str, Any] = field(default_factory=dict)

    def with_program(self, program: Program) -> Here:
        """The same for another text."""
        return replace(self, program=program)

    def done(self, job: Job[Answer]) -> Answer:
        """What the code answers."""
        names = Names(defined(self.program, self.around), self.program.name)
        with _silence():
            return job.done(names)


@contextmanager
def _silence() -> Iterator[None]:
    """No warnings of code that is called on data, or in a form, that it was not written for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Apart(Runner):
    """In a process of its own, which has limits and imports nothing into this one."""

    program: Program
    seconds: float = SECONDS

    def with_program(self, program: Program) -> Apart:
        """The same for another text."""
        return replace(self, program=program)

    def done(self, job: Job[Answer]) -> Answer:
        """What the code answers; VerificationError where the file cannot be run, or does not end."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / JOB).write_bytes(pickle.dumps((self.program, job)))
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
            return job.read(json.loads((Path(folder) / PAGE).read_text(encoding="utf-8")), arrays)


def _why(program: Program, done: subprocess.CompletedProcess[bytes]) -> Message:
    """The last line of what the process said."""
    lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
    if lines:
        said = verbatim(lines[-1][:300])
    else:
        said = worded("the process ended with code {code}", code=done.returncode)
    return worded("{program} cannot be run: {said}", program=program.name, said=said)
