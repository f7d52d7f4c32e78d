"""What a module computes on one draw of data, each result with what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.program import Line, Program
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.errors import MismatchError
from symbackprop.numerics.differences import EPSILON
from symbackprop.numerics.tolerance import OF_ALL, ROUNDINGS, all_finite
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.finite_data import Values
from symbackprop.schedule.kinds import Kind
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation, System
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck
from symbackprop.verification.locating import line_raising
from symbackprop.verification.rounding import (
    RoundingOfTerms,
    cancelling_evaluations,
    evaluations_at_kinks,
    rounded_evaluations,
)
from symbackprop.verification.unsimplified import chain_rule_of, undefined_adjoints, unsimplified_adjoints

Array: TypeAlias = NDArray[Any]

REPORT = "this is a bug in symbackprop, and nothing was written; please report it with the model"


@dataclass(frozen=True)
class Subject:
    """A derivation, the module made of it, and that module imported; `model` is what it is held against."""

    derivation: Derivation
    model: System
    module: PrintedModule
    checked: ModuleUnderCheck

    def adjoints(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
        """The derivatives of the loss before any simplification; `values` may hold computed tensors, too."""
        known = evaluate_system(self.derivation.system, values, sizes)
        return unsimplified_adjoints(self.derivation, known, sizes, chain_rule=self.chain_rule)

    @cached_property
    def smooth_model(self) -> System:
        """The model, with functions that it writes out in pieces as what they are: smooth where these meet.

        max(u, 0) + log(1 + exp(-abs(u))) is softplus(u), whose derivative at 0 no choice at a kink decides.
        """
        restated = {each.stated.tensor: each.equation for each in self.derivation.expansion.restated}
        known = self.model.tensors.keys()
        found = [restated.get(each.tensor, each) for each in self.model.equations]
        equations = [
            new if new.expression.tensors <= known else old
            for new, old in zip(found, self.model.equations, strict=True)
        ]
        return replace(self.model, equations=tuple(equations))

    @cached_property
    def chain_rule(self) -> Mapping[str, Equation]:
        """Each tensor's adjoint as the chain rule was written first."""
        return chain_rule_of(self.derivation)

    def undefined_adjoints(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
        """The same, not finite where the chain rule is undefined, though an adjoint be 0 there by chance."""
        known = evaluate_system(self.derivation.system, values, sizes)
        return undefined_adjoints(self.derivation, known, sizes, self.chain_rule)

    def rounded(self, draw: Draw) -> Iterator[Draw]:
        """The draw as it would be were data and all operations off by a few hundred roundings.

        Where that is less than 0 under a root, what cancels is 0 to the last digit once more.
        """
        is_finite = True
        for known, adjoints in rounded_evaluations(
            self.derivation, draw.values, draw.sizes, chain_rule=self.chain_rule
        ):
            is_finite &= all_finite((known[str(self.model.loss)], *adjoints.values()))
            yield Draw(draw.sizes, draw.values, known, adjoints)
        if not is_finite:
            yield from self.cancelling(draw)

    def in_a_wider_range(self, draw: Draw) -> Draw:
        """The draw in NumPy's longest numbers: where those have more range, 1/a^2 of a = 1e200 is not 0."""
        longest = {n: a if a.dtype.kind in "iu" else a.astype(np.longdouble) for n, a in draw.values.items()}
        known = evaluate_system(self.derivation.system, longest, draw.sizes)
        adjoints = unsimplified_adjoints(self.derivation, known, draw.sizes, chain_rule=self.chain_rule)
        return replace(draw, values=longest, known=known, adjoints=adjoints)

    def rounded_at_kinks(self, draw: Draw) -> Iterator[Draw]:
        """The draw as it would be were all that is not exact off by a few hundred roundings."""
        times = ROUNDINGS / EPSILON

        def moved(old: Mapping[str, Array], new: Mapping[str, Array]) -> dict[str, Array]:
            with np.errstate(invalid="ignore", over="ignore"):
                return {name: each + times * (new.get(name, each) - each) for name, each in old.items()}

        for known, adjoints in evaluations_at_kinks(
            self.derivation, draw.values, draw.sizes, chain_rule=self.chain_rule
        ):
            yield replace(draw, known=moved(draw.known, known), adjoints=moved(draw.adjoints, adjoints))

    def cancelling(self, draw: Draw) -> Iterator[Draw]:
        """The draw as it would be were 0, and less than 0, left of sums that cancel."""
        for known, adjoints in cancelling_evaluations(
            self.derivation, draw.values, draw.sizes, self.chain_rule
        ):
            yield Draw(draw.sizes, draw.values, known, adjoints)

    def rounded_closed_forms(self, draw: Draw) -> Iterator[Draw]:
        """The draw with the gradients as if all operations of their closed forms were off by as much.

        None is off by more than the tolerance for the largest number in sight, whatever the form loses.
        """
        most = OF_ALL * draw.largest
        for changes in RoundingOfTerms(self.derivation, draw.values, draw.sizes).closed_forms:
            moved = {name: draw.adjoints[name] + np.clip(by, -most, most) for name, by in changes.items()}
            yield replace(draw, adjoints={**draw.adjoints, **moved})


@dataclass(frozen=True)
class Compared:
    """A result, what it should be by a judge, and how that is read off a draw; `tensor` is what it is of."""

    name: str
    found: Any
    expected: Array
    meaning: Callable[[Draw], Array]
    tensor: str
    judge: str = "equations"


def results(subject: Subject, draw: Draw, is_once: bool = False) -> Iterator[Compared]:
    """Loss, gradients and outputs of the module; MismatchError where it raises, or is no pure function.

    Run `is_once`, it is not asked whether it gives the same again, and float32 for float32.
    """
    loss, checked = str(subject.model.loss), subject.checked
    try:
        found_loss, gradients = checked.value_and_grad(draw.values)
        again_loss, again = (found_loss, gradients) if is_once else checked.value_and_grad(draw.values)
        outputs = checked.forward(draw.values)
        bound = tuple(checked.in_workspace(draw.values)) if checked.has_workspaces else ()
    except CheckedCodeError as error:
        said = [error.cause, on_data(draw.sizes), *raised(subject, error)]
        raise MismatchError("\n".join(said), remedy=REPORT) from error
    if set(gradients) != set(subject.derivation.wrt):
        raise MismatchError("the module gives other gradients than were asked for", remedy=REPORT)
    found = {loss: found_loss, **gradients}
    fault = _impurity(draw, found, {loss: again_loss, **again}, gradients)
    fault = fault or ("" if is_once else _widened(subject, draw))
    if fault:
        raise MismatchError(fault, remedy=REPORT)
    yield _known(loss, found_loss, draw)
    for name, gradient in gradients.items():
        meaning = _adjoint_of(name)
        yield Compared(f"the module's d{loss}/d{name}", gradient, meaning(draw), meaning, name)
    yield from _in_workspace(subject, draw, bound)
    for name, output in outputs.items():
        if name in draw.known:
            yield _known_where_finite(name, as_numbers(output, name, subject.module.program), draw)


def _in_workspace(
    subject: Subject, draw: Draw, calls: Sequence[tuple[Any, Mapping[str, Any]]]
) -> Iterator[Compared]:
    """Loss and gradients of the last call in a workspace; MismatchError where the calls differ."""
    loss = str(subject.model.loss)
    for found in calls[-1:]:
        results = {loss: found[0], **found[1]}
        for other in calls[:-1]:
            for name, again in {loss: other[0], **other[1]}.items():
                if not np.array_equal(results[name], again, equal_nan=True):
                    raise MismatchError(f"the module gives another {name} in a workspace", remedy=REPORT)
        yield replace(_known(loss, found[0], draw), name=f"{loss} in a workspace")
        for name, gradient in found[1].items():
            meaning = _adjoint_of(name)
            yield Compared(
                f"the module's d{loss}/d{name} in a workspace", gradient, meaning(draw), meaning, name
            )


def as_numbers(output: Any, name: str, program: Program) -> Any:
    """An output as real numbers, where the program says that it is whole: places of maxima."""
    line = program.by_name.get(name)
    is_whole = line is not None and line.value.kind is Kind.INTEGER
    return output.astype(float) if is_whole and np.asarray(output).dtype.kind == "i" else output


def _known(name: str, found: Any, draw: Draw) -> Compared:
    return Compared(
        name, found, np.asarray(draw.known[name]), lambda each: np.asarray(each.known[name]), name
    )


def _known_where_finite(name: str, found: Any, draw: Draw) -> Compared:
    """The same, 0 where the equations give no finite number: nobody reads that."""
    compared = _known(name, found, draw)
    is_told = np.isfinite(compared.expected)
    if is_told.all() or np.shape(found) != is_told.shape:
        return compared

    def meaning(other: Draw) -> Array:
        return np.where(is_told, compared.meaning(other), 0.0)

    return replace(compared, found=np.where(is_told, found, 0.0), expected=meaning(draw), meaning=meaning)


def _adjoint_of(name: str) -> Callable[[Draw], Array]:
    return lambda draw: np.asarray(draw.adjoints[name])


def _impurity(
    draw: Draw, found: Mapping[str, Any], again: Mapping[str, Any], gradients: Mapping[str, Any]
) -> str:
    """What a pure function would not do; "" where nothing of the kind is seen."""
    for name in found:
        if not np.array_equal(found[name], again[name], equal_nan=True):
            return f"the module gives another {name} the second time"
    held = {**draw.values, **{f"gradient of {name}": array for name, array in gradients.items()}}
    together: dict[int, list[str]] = {}
    for name, array in held.items():
        together.setdefault(_owner(array), []).append(name)
    for one, other in (pair for names in together.values() for pair in combinations(names, 2)):
        if other not in draw.values and np.may_share_memory(held[one], held[other]):
            return f"{other} shares memory with {one}"
    return ""


def _owner(array: Any) -> int:
    """What owns the memory that an array is a view of: of thousands of arrays few have one together."""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return id(array)


def _widened(subject: Subject, draw: Draw) -> str:
    """Which result is no float32 where all data are; "" where all are."""
    narrow = {
        name: array if array.dtype.kind in "iu" else array.astype(np.float32)
        for name, array in draw.values.items()
    }
    if all(array.dtype.kind in "iu" for array in narrow.values()):
        return ""
    checked = subject.checked
    calls = [
        checked.value_and_grad(narrow),
        *(checked.in_workspace(narrow) if checked.has_workspaces else ()),
    ]
    for loss, gradients in calls:
        for name, found in {str(subject.model.loss): loss, **gradients}.items():
            if np.asarray(found).dtype != np.float32:
                return f"{name} is of {np.asarray(found).dtype} where the data are float32"
    return ""


def computes(subject: Subject, sizes: Mapping[str, int], values: Values) -> bool:
    """Whether the module computes something; False where it refuses, MismatchError where it fails."""
    try:
        subject.checked.value_and_grad(values)
    except CheckedCodeError as error:
        if isinstance(error.__cause__, ValueError | np.linalg.LinAlgError):
            return False
        said = [error.cause, on_data(sizes), *raised(subject, error)]
        raise MismatchError("\n".join(said), remedy=REPORT) from error
    return True


def raised(subject: Subject, error: CheckedCodeError) -> list[str]:
    """The equation, and the statement of it, that raised an error; nothing where none did."""
    line = line_raising(error.__cause__ or error, subject.checked, subject.module)
    return [] if line is None else shown(subject.module, line.origins[0].source, (line,))


def shown(module: PrintedModule, equation: Equation, lines: Sequence[Line]) -> list[str]:
    """An equation, and the statement that computes it."""
    code = module.code_of(lines[0]) if lines else ""
    return [f"equation: {equation_text(equation)}", *([f"statement: {code}"] if code else [])]


def sizes_text(sizes: Mapping[str, int]) -> str:
    """N=2, I=3; "" where there are no axes."""
    return ", ".join(f"{axis}={size}" for axis, size in sizes.items())


def on_data(sizes: Mapping[str, int]) -> str:
    """Of which sizes the data were."""
    return f"on data of {sizes_text(sizes) or 'no axes'}"
