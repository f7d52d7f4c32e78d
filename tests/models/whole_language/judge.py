"""A random model before its judges: right, refused or failed, and why.

The loss is held against the naive evaluator, each gradient against its complex step in a random direction:
that is one more evaluation a tensor, and a wrong element shows in it. Where a model has neither a recurrence
nor an inner derivative, HIPS autograd judges every element as well. At a tie or a kink the naive evaluator
takes the documented side, and so must the module. Every step of the derivation replays.
"""

from __future__ import annotations

import re
import signal
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

import symbackprop as sb
from symbackprop.errors import ReplayError
from symbackprop.language.guarding import expect_reads_inside
from symbackprop.sampling.small_axes import with_axes
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System
from tests.models.whole_language.comparison import (
    Failure,
    Slow,
    autograd_agrees,
    differences,
    moved_a_little,
)
from tests.models.whole_language.data import Draw, draws_of, values_for, wrt_of

SECONDS = 20
NOTHING = r"(?!)"  # matches no text


@dataclass(frozen=True)
class Verdict:
    """`outcome` is right, refused or failed; `kind` groups what has the same cause, `detail` says more."""

    outcome: str
    kind: str = ""
    detail: str = ""


def judged(text: str) -> Verdict:
    """The verdict on a model that states its data in comments."""
    try:
        with _within(SECONDS):
            return _judged(text)
    except Slow as error:
        return Verdict("failed", f"timeout: {_place(error)}", "")


def _judged(text: str) -> Verdict:
    try:
        model = sb.loads(text)
    except (sb.LanguageError, sb.NotationError) as error:
        return Verdict("refused", _shape(error.cause), str(error))
    except Slow:
        raise
    except Exception as error:
        return Verdict("failed", f"load: {_kind(error)}", traceback.format_exc())
    try:
        derivation = model.derive(wrt_of(text))
        module = derivation.module(verify=False)
    except (sb.DerivationError, sb.NotationError, sb.EmissionError) as error:
        # A size that no array shows is the user's to declare; no other EmissionError is.
        is_users = error.remedy and not isinstance(error, sb.EmissionError)
        outcome = "refused" if is_users or error.remedy.startswith("declare it") else "failed"
        return Verdict(outcome, f"derive: {_kind(error)}", str(error))
    except Slow:
        raise
    except Exception as error:
        return Verdict("failed", f"derive: {_kind(error)}", traceback.format_exc())
    verdict, caught = _held(model.system, module, text), _refusal_of(derivation)
    if verdict.outcome == "failed":
        return replace(verdict, kind=f"{verdict.kind}, {'caught' if caught else 'MISSED'}")
    if caught:
        return Verdict("failed", f"verification: {_kind(caught)}", str(caught))
    return _replay_refused(derivation) or verdict


def _replay_refused(derivation: sb.ModelDerivation) -> Verdict | None:
    """A verdict where one of the steps does not replay."""
    try:
        derivation.replay()
    except ReplayError as error:
        return Verdict("failed", f"replay: {_shape(error.cause)}", str(error))
    return None


def _held(system: System, module: ModuleType, text: str) -> Verdict:
    """The module on the data that the text states."""
    notes = set()
    stated = {axis.name: axis.size for axis in system.axes if axis.size is not None}
    for draw in draws_of(text):
        try:
            notes.add(_hold(system, module, replace(draw, sizes={**draw.sizes, **stated})))
        except Failure as failure:
            return Verdict("failed", str(failure).split(":")[0], f"{failure}\n{draw}")
    return Verdict("right", ", ".join(sorted(notes)))


def _refusal_of(derivation: sb.ModelDerivation) -> Exception | None:
    """What the verification, which runs before a module is handed out, says against this one."""
    try:
        derivation.to_numpy()
    except Slow:
        raise
    except Exception as error:
        return error
    return None


def _hold(system: System, module: ModuleType, draw: Draw) -> str:
    """Hold the module against the judges on one draw; Failure where it differs. Returns what was compared."""
    try:
        values = values_for(system, draw)
    except sb.VerificationError as refusal:
        return _refused_too(system, module, draw, refusal)
    if values is None:
        return "no finite data"
    loss, gradients = _called(module, values, refused=_refused_words(system, draw.sizes))
    if gradients is None:
        return "refused these sizes"
    found = differences(system, values, draw, loss, gradients)
    if not found:
        return autograd_agrees(system, values, draw, gradients)
    moved = moved_a_little(system, values, draw)
    kind = "wrong"
    if moved is not None:
        again, moved_gradients = _called(module, moved)
        if not differences(system, moved, draw, again, moved_gradients or {}):
            kind = "wrong at a tie or kink"
    raise Failure(f"{kind}, {found[0]}")


def _refused_words(system: System, sizes: Mapping[str, int]) -> str:
    """What may be said against these sizes, as a pattern: of empty axes, and what is refused at definition.

    A position that conditions on real numbers alone keep inside is documented to be refused.
    """
    if 0 in sizes.values():
        return r"empty|no value|at least|reads position"
    declared = {axis: replace(axis, size=sizes[axis.name]) for axis in system.axes}
    try:
        expect_reads_inside(with_axes(system, declared))
    except sb.NotationError:
        return r"reads position"
    return NOTHING


def passed(module: ModuleType, values: Mapping[str, Array]) -> dict[str, Array | int]:
    """What a call is given beside the parameters: arrays, and the sizes that no array has."""
    sizes = getattr(module, "GIVEN_SIZES", ())
    others = {name: array for name, array in values.items() if name not in module.PARAMETERS}
    return {name: len(array) if name in sizes else array for name, array in others.items()}


def _called(
    module: ModuleType, values: Mapping[str, Array], refused: str = NOTHING
) -> tuple[float, dict[str, Array] | None]:
    """Loss and gradients; None where the module refuses the sizes in words that match `refused`."""
    given = {name: array.copy() for name, array in values.items()}
    parameters = {name: given[name] for name in module.PARAMETERS}
    others = passed(module, given)
    try:
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(parameters, **others)
            alone = module.loss(parameters, **others)
    except Slow:
        raise
    except Exception as error:
        if isinstance(error, ValueError) and re.search(refused, str(error)):
            return 0.0, None
        what = "an empty axis" if "empty" in refused else "a call"
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise Failure(
            f"{type(error).__name__} in {what}: {_shape(str(error))}: {error}\n{last.line}"
        ) from error
    if not np.array_equal(alone, loss, equal_nan=True) and abs(alone - loss) > 1e-9 * max(1.0, abs(loss)):
        raise Failure(f"loss() differs from value_and_grad(): {alone} and {loss}")
    if any(not np.array_equal(array, given[name]) for name, array in values.items()):
        raise Failure("modifies an input:")
    arrays = {**{f"given {name}": array for name, array in given.items()}, **gradients}
    names = list(arrays)
    for place, name in enumerate(names):
        for other in names[:place]:
            if name in gradients and np.shares_memory(arrays[name], arrays[other]):
                raise Failure(f"shares memory: {name} and {other}")
    return float(loss), gradients


def _refused_too(system: System, module: ModuleType, draw: Draw, refusal: Exception) -> str:
    """The equations read outside an axis, or take the maximum of nothing: the module raises ValueError."""
    rng = np.random.default_rng(draw.seed)
    values = {}
    for tensor in system.tensors.values():
        shape = [draw.sizes[index.axis.name] for index in tensor.indices]
        if tensor.role is not Role.DERIVED:
            values[tensor.name] = (
                rng.integers(0, max(1, draw.sizes[tensor.values.name]), shape)
                if tensor.values
                else rng.standard_normal(shape)
            )
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = passed(module, values)
    try:
        with np.errstate(all="ignore"):
            loss, _ = module.value_and_grad(parameters, **others)
    except ValueError:
        return "no value, ValueError"
    except Slow:
        raise
    except Exception as error:
        raise Failure(f"{type(error).__name__} where there is no value: {error} ({refusal})") from error
    raise Failure(f"a value where there is none: {loss} ({refusal})")


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise Slow

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _kind(error: Exception) -> str:
    return f"{type(error).__name__}: {_shape(getattr(error, 'cause', None) or str(error))} @ {_place(error)}"


def _shape(message: str) -> str:
    """A message without the names, numbers and formulas of its model."""
    line = message.split("\n")[0]
    line = re.sub(r"'[^']*'", "'_'", line)
    line = re.sub(r"\[[^\]]*\]+", "[_]", line)
    return re.sub(r"\b[a-z_]*[a-zA-Z]?\d+\w*\b|\b[A-Ea-ct]2?\b(?=[ ,;:)])", "_", line)[:140]


def _place(error: BaseException) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "symbackprop/" in frame.filename
    ]
    if not frames:
        return ""
    return f"{frames[-1].filename.split('symbackprop/')[-1]}:{frames[-1].name}"
