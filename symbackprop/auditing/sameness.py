"""Whether two models are equal: their losses, or outputs, and gradients, and where they first are not.

The models state the same tensors by the same names; axes and indices may be called otherwise. What both call
by one name is compared on the way, so that the first difference is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import Expectations
from symbackprop.auditing.hypotheses import Evidence, diagnosis
from symbackprop.auditing.report import AuditReport, Compared, Finding, Verdict
from symbackprop.errors import NotationError
from symbackprop.handwritten.agreement import agrees, error_of
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.related_sizes import following
from symbackprop.sampling.rounds import stress_rounds
from symbackprop.sampling.small_axes import model_sizes, with_axes, with_small_axes
from symbackprop.sampling.stress import stressed
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import DECLARED_ROLES, System, Tensor

Array: TypeAlias = NDArray[Any]

OF_GRADIENT = "gradient by "
DIGITS_LOST = 1e-6  # relative error on stressed data that is said


@dataclass(frozen=True)
class Pair:
    """Two models over the same declared tensors; `axes` maps the second's axes to the first's."""

    first: Expectations
    second: Expectations
    axes: Mapping[str, str]

    @classmethod
    def of(cls, first: System, second: System) -> Pair:
        """NotationError where they state other tensors, or the same over axes that do not fit."""
        axes = _axes(first, second)
        common = [each.name for each in _real(first) if second.tensors[each.name].values is None]
        obeyed = _over_axes_of(first, second, axes)
        pair = cls(Expectations.of(first, common, obeyed=obeyed), Expectations.of(second, common), axes)
        own, other = pair.first, pair.second
        own = own.reaching(own.branches, own.reached, own.sizes_of_conditions)
        renamed = [_renamed(each, axes) for each in other.sizes_of_conditions]
        sizes = [model_sizes(own.system, each) for each in renamed]
        return replace(pair, first=own.reaching(other.branches, pair.reached, sizes))

    @property
    def unreached(self) -> tuple[str, ...]:
        """The branches of either model that no draw reaches."""
        reached = [self.reached(draw) for draw in self.first.draws]
        return tuple(sorted({*self.first.unreached, *self.second.branches.wanted.difference(*reached)}))

    def reached(self, draw: Draw) -> frozenset[str]:
        """The branches of the second model that a draw of the first reaches."""
        return self.second.branches.reached(self.known(draw.values, draw), self._sizes(draw))

    def known(self, values: Mapping[str, Array], draw: Draw) -> dict[str, Array]:
        """Every tensor of the second model on the data of a draw of the first, and its adjoints."""
        given = {name: np.asarray(values[name]) for name in self.first.system.tensors if name in values}
        declared = {each.name: given[each.name] for each in _declared(self.second.system)}
        return evaluate_system(self.second.system, declared, self._sizes(draw))

    def adjoints(self, draw: Draw) -> Mapping[str, Array]:
        """The second model's adjoints on the data of a draw of the first."""
        return self.second.adjoints_at(self.known(draw.values, draw), self._sizes(draw))

    def _sizes(self, draw: Draw) -> Mapping[str, int]:
        sizes = {own: draw.sizes[other] for own, other in self.axes.items()}
        return following(self.second.system.axes, sizes) or sizes


def same(first: System, second: System) -> AuditReport:
    """Whether two models have equal losses and gradients for all data, as far as random data can tell.

    Raises NotationError where the models state other tensors, UncertainError where no data are found.
    """
    pair = Pair.of(with_small_axes(first), with_small_axes(second))
    subject = f"{first.name} and {second.name}"
    compared = tuple(_compared(pair))
    different = [each for each in compared if not each.is_right]
    if different:
        finding = _where(pair, different[0])
        return AuditReport(subject, Verdict.WRONG, (finding,), compared, answer="not equal")
    conventions = tuple(dict.fromkeys(_at_kinks(pair)))
    remarks = tuple(_digits(pair))
    if pair.unreached and pair.first.system.equations != pair.second.system.equations:
        branches = ", ".join(pair.unreached)
        finding = Finding(pair.first.loss, "unreached", f"equal on all data drawn, but none reach {branches}")
        return AuditReport(subject, Verdict.UNKNOWN, (finding,), compared, conventions, remarks)
    return AuditReport(subject, Verdict.RIGHT, (), compared, conventions, remarks, answer="equal")


def _declared(system: System) -> tuple[Tensor, ...]:
    return system.with_role(*DECLARED_ROLES)


def _real(system: System) -> list[Tensor]:
    return [each for each in _declared(system) if each.values is None]


def _axes(first: System, second: System) -> dict[str, str]:
    """The second's axes by their name to the first's, as the tensors that both state have it."""
    own, other = ({each.name: each for each in _declared(system)} for system in (first, second))
    if own.keys() != other.keys():
        odd = sorted(own.keys() ^ other.keys())
        raise NotationError(
            f"only one of {first.name} and {second.name} states {', '.join(odd)}",
            remedy="give both models the same inputs, targets and parameters, by the same names",
        )
    axes: dict[str, str] = {}
    for name, tensor in other.items():
        pairs = list(zip(tensor.indices, own[name].indices, strict=False))
        fits = len(tensor.indices) == len(own[name].indices)
        if not fits or any(axes.setdefault(a.axis.name, b.axis.name) != b.axis.name for a, b in pairs):
            raise NotationError(
                f"the axes of '{name}' in {first.name} and {second.name} do not fit",
                remedy="declare it with the same axes, in the same order",
            )
    return axes


def _renamed(sizes: Mapping[str, int], axes: Mapping[str, str]) -> dict[str, int]:
    return {axes[name]: size for name, size in sizes.items() if name in axes}


def _over_axes_of(first: System, second: System, axes: Mapping[str, str]) -> System | None:
    """The second model over the first's axes, for data to obey its facts too; None where it states none."""
    if not (second.facts or second.positive_definite):
        return None
    named = {axis.name: axis for axis in first.axes}
    return with_axes(second, {axis: named[axes[axis.name]] for axis in second.axes if axis.name in axes})


def _compared(pair: Pair) -> Iterator[Compared]:
    """The losses first, then each gradient."""
    draws = pair.first.draws
    known = [pair.known(draw.values, draw) for draw in draws]
    losses = [draw.known[pair.first.loss] for draw in draws]
    others = [each[pair.second.loss] for each in known]
    yield _held("loss", others, losses, draws)
    adjoints = [pair.adjoints(draw) for draw in draws]
    for name in pair.first.derivation.wrt:
        expected = [draw.adjoints[name] for draw in draws]
        yield _held(f"{OF_GRADIENT}{name}", [each[name] for each in adjoints], expected, draws)


def _held(name: str, found: list[Array], expected: list[Array], draws: tuple[Draw, ...]) -> Compared:
    triples = list(zip(found, expected, draws, strict=True))
    error = max(error_of(one, other, draw.largest) for one, other, draw in triples)
    is_right = all(agrees(one, other, draw.largest) for one, other, draw in triples)
    sizes = "; ".join(",".join(f"{axis}={size}" for axis, size in draw.sizes.items()) for draw in draws)
    return Compared(name, f"on random data of sizes {sizes}", is_right, error)


def _where(pair: Pair, first: Compared) -> Finding:
    """The first tensor that both compute by one name and not alike, and by which factor or term."""
    draws = pair.first.draws
    known = [pair.known(draw.values, draw) for draw in draws]
    for equation in pair.first.system.equations:
        name = equation.tensor
        if name in pair.second.system.definitions:
            found = [np.asarray(each[name]) for each in known]
            expected = [np.asarray(draw.known[name]) for draw in draws]
            if not _held(name, found, expected, draws).is_right:
                other = pair.second.system.definitions[name]
                lines = f"{equation_text(equation)} and {equation_text(other)}"
                return Finding(name, *_said(name, found, expected, draws), lines)
    found = [np.asarray(each[pair.second.loss]) for each in known]
    expected = [np.asarray(draw.known[pair.first.loss]) for draw in draws]
    if not _held("loss", found, expected, draws).is_right:
        return Finding(first.tensor, *_said("the loss", found, expected, draws))
    tensor = first.tensor.removeprefix(OF_GRADIENT)
    found = [np.asarray(pair.adjoints(draw)[tensor]) for draw in draws]
    expected = [np.asarray(draw.adjoints[tensor]) for draw in draws]
    kind, message, remedy = _said(first.tensor, found, expected, draws)
    return Finding(first.tensor, kind, f"the losses are equal, not the gradients: {message}", remedy)


def _said(
    name: str, found: list[Array], expected: list[Array], draws: tuple[Draw, ...]
) -> tuple[str, str, str]:
    """Kind, message and remedy."""
    sizes = tuple([draw.sizes for draw in draws])
    why = diagnosis(Evidence(name, tuple(found), tuple(expected), sizes))
    if why is None:
        return "other", f"{name} differs, and no factor and no order of axes explains it", ""
    return why.kind, f"{why.about(name)} in the second model", why.remedy


def _at_kinks(pair: Pair) -> Iterator[str]:
    for draw in pair.first.at_kinks:
        adjoints = pair.adjoints(draw)
        for name in pair.first.derivation.wrt:
            if not agrees(adjoints[name], draw.adjoints[name], draw.largest):
                yield f"the gradient by {name} differs where the model bends or ties"


def _digits(pair: Pair) -> Iterator[str]:
    """Where one of the two, as typed, loses what the other keeps."""
    draw = pair.first.draws[0]
    system = pair.first.system
    for each in stress_rounds(draw.sizes):
        values = stressed(system, dict(draw.values), draw.sizes, each.stress)
        if values is None:
            continue
        own = evaluate_system(system, values, draw.sizes)[pair.first.loss]
        other = pair.known(values, draw)[pair.second.loss]
        finite = [bool(np.isfinite(each)) for each in (own, other)]
        if any(finite) and error_of(other, np.asarray(own), 0.0) > DIGITS_LOST:
            yield f"as typed, the losses are {own:.6g} and {other:.6g} on {each.name}: digits are lost"
