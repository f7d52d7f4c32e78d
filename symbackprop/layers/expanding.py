"""From a layered network to the model language: each layer's formula, with the network's names in it.

Names are the textbook's: x, then W1, b1, u1, z1, W2, ..., the output y, the target d, the loss E; batch
index b over B; index i over I for the input, then j over J, k over K and so on, one axis a layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from symbackprop.language.limits import LARGEST_AXIS
from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES, Formula, closest
from symbackprop.layers.naming import Names
from symbackprop.layers.network import Layer, Network, NetworkError, Path
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.notation.printing import text
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.notation.system import Role, System

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class _Part:
    """A formula of the network with the units of its new axis and where it was asked for."""

    formula: Formula
    units: int | str | None
    path: Path


def network_system(network: Network, source_name: str | None = None) -> System:
    """The network as a system of equations; NetworkError where its parts do not fit together."""
    return parse_system(network_text(network), network.name, source_name)


def network_text(network: Network) -> str:
    """The network in the model language; NetworkError where its parts do not fit together."""
    if not network.layers:
        raise NetworkError("the network has no layers", ("layer",), remedy="give at least one")
    parts = list(_parts(network.layers))
    expansion = _Expansion(network)
    for part in parts[:-1]:
        expansion.add_layer(part)
    expansion.add_output(parts[-1])
    if network.loss is not None:
        expansion.add_loss(_known(network.loss, LOSSES, "loss", ("loss", "kind")))
    return expansion.text()


def _parts(layers: tuple[Layer, ...]) -> Iterator[_Part]:
    for number, layer in enumerate(layers):
        path: Path = ("layer", number)
        formulas = _known(layer.kind, LAYERS, "layer", (*path, "kind"))
        yield _Part(_in_layout(formulas, layer, path), layer.units, path)
        if layer.activation is not None:
            yield _Part(
                _known(layer.activation, ACTIVATIONS, "activation", (*path, "activation")), None, path
            )


def _known(name: str, catalogue: Mapping[str, Entry], what: str, path: Path) -> Entry:
    if not isinstance(name, str) or name not in catalogue:
        raise NetworkError(f"there is no {what} '{name}'", path, remedy=closest(str(name), catalogue))
    return catalogue[name]


def _in_layout(formulas: tuple[Formula, ...], layer: Layer, path: Path) -> Formula:
    if layer.layout is None:
        return formulas[0]
    by_layout = {formula.layout: formula for formula in formulas}
    if layer.layout not in by_layout:
        known = " or ".join(f"'{layout}'" for layout in by_layout if layout)
        raise NetworkError(
            f"the layer '{layer.kind}' has no layout '{layer.layout}'",
            (*path, "layout"),
            remedy=f"write {known}" if known else "leave the layout out",
        )
    return by_layout[layer.layout]


@dataclass
class _Expansion:
    """A network on its way to a text: the lines so far, and the tensor that the next layer reads."""

    network: Network
    names: Names = field(default_factory=Names)
    axes: dict[str, Axis] = field(default_factory=dict)
    indices: dict[str, list[Index]] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    equations: list[str] = field(default_factory=list)
    number: int = 0
    current: Element = field(init=False)

    def __post_init__(self) -> None:
        self._claim_given_names()
        network = self.network
        _expect_size(network.input_size, ("input", "size"))
        batch = self._axis(network.batch_axis, None)
        features = self._axis(network.input_axis, network.input_size)
        positions = (self.indices[batch.name][0], self.indices[features.name][0])
        self.current = Element(network.input_name, positions)
        self.given.append(f"input {text(self.current)}")

    def add_layer(self, part: _Part) -> None:
        """Append a layer; what it defines gets its number."""
        self._add(part, {})

    def add_output(self, part: _Part) -> None:
        """Append the last layer: an element-wise one defines the output, another is followed by y = u."""
        system = part.formula.system
        if not system.with_role(Role.PARAMETER):
            self._add(part, {system.equations[-1].tensor: self.network.output_name})
            return
        self._add(part, {})
        output = Element(self.network.output_name, self.current.positions)
        self.equations.append(f"{text(output)} = {text(self.current)}")
        self.current = output

    def add_loss(self, formula: Formula) -> None:
        """Append a loss of the output and the target."""
        system = formula.system
        assert system.loss is not None
        names = {tensor.name: self.network.target_name for tensor in system.with_role(Role.TARGET)}
        self._add(_Part(formula, None, ("loss",)), {**names, system.loss: self.network.loss_name})

    def text(self) -> str:
        """All of it as a model file."""
        lines = [f"# {self.network.name}: expanded from its layers"]
        for axis in self.axes.values():
            names = ", ".join(index.name for index in self.indices[axis.name])
            size = "" if axis.size is None else f" = {axis.size}"
            lines.append(f"index {names} : {axis.name}{size}")
        return "\n".join([*lines, *self.given, *self.parameters, "", *self.equations]) + "\n"

    def _claim_given_names(self) -> None:
        """Keep every name that the user chose, before any is chosen here."""
        network, claim = self.network, self.names.claim
        claim(network.input_name, ("input", "name"))
        claim(network.output_name, ("output", "name"))
        if network.loss is not None:
            claim(network.target_name, ("loss", "target"))
            claim(network.loss_name, ("loss", "name"))
        claim(network.batch_axis, ("input", "batch"))
        claim(network.input_axis, ("input", "axis"))
        axes = {network.batch_axis, network.input_axis}
        for number, layer in enumerate(network.layers):
            if isinstance(layer.units, str) and layer.units not in axes:
                axes.add(claim(layer.units, ("layer", number, "units")))

    def _axis(self, name: str, size: int | None) -> Axis:
        """The axis of a given name, made with its first index where it is not there yet."""
        if name not in self.axes:
            self.axes[name] = Axis(name, self.names.index(name), size)
            self.indices[name] = [Index(self.axes[name].label, self.axes[name])]
        return self.axes[name]

    def _new_axis(self, part: _Part) -> Axis:
        """The axis that a layer adds: by its name, or with a number of units and a letter of its own."""
        if part.units is None:
            raise NetworkError(
                f"the layer '{part.formula.kind}' needs units",
                part.path,
                remedy="units = 10, or the name of an axis",
            )
        if isinstance(part.units, str):
            return self._axis(part.units, None)
        _expect_size(part.units, (*part.path, "units"))
        letter, name = self.names.index_and_axis()
        self.axes[name] = Axis(name, letter, part.units)
        self.indices[name] = [Index(letter, self.axes[name])]
        return self.axes[name]

    def _index_over(self, axis: Axis, avoid: Iterable[Index]) -> Index:
        """An index over an axis that differs from those to avoid: one that is there, or another."""
        for index in self.indices[axis.name]:
            if index not in avoid:
                return index
        self.indices[axis.name].append(Index(self.names.index(axis.name), axis))
        return self.indices[axis.name][-1]

    def _add(self, part: _Part, chosen: Mapping[str, str]) -> None:
        """Append the equations of a formula, with names already chosen for some tensors."""
        system = part.formula.system
        indices = self._indices_of(part)
        parameters = system.with_role(Role.PARAMETER)
        self.number += bool(parameters)
        names = {system.with_role(Role.INPUT)[0].name: self.current.tensor, **chosen}
        for tensor in system.tensors.values():
            if tensor.name not in names:
                names[tensor.name] = self.names.tensor(f"{tensor.name}{self.number}")

        def shown(expression: Expression) -> str:
            return text(_renamed(expression, names, indices))

        for tensor in system.with_role(Role.TARGET):
            self.given.append(f"target {shown(tensor.element)}")
        if parameters:
            self.parameters.append("param " + ", ".join(shown(tensor.element) for tensor in parameters))
        for equation in system.equations:
            mark = "loss " if equation.tensor == system.loss else ""
            self.equations.append(f"{mark}{shown(equation.element)} = {shown(equation.expression)}")
        last = _renamed(system.equations[-1].element, names, indices)
        assert isinstance(last, Element)
        self.current = last

    def _indices_of(self, part: _Part) -> dict[Index, Index]:
        """Each index of a formula to the one that stands for it in the network."""
        source = part.formula.system.with_role(Role.INPUT)[0].indices
        chosen: dict[Index, Index] = {}
        for own, outer in zip(source, self.current.positions, strict=True):
            assert isinstance(outer, Index)
            chosen[own] = outer
        axes = {own.axis: outer.axis for own, outer in chosen.items()}
        has_new_axis = False
        for own in itertools.chain(*part.formula.system.index_names.values()):
            if own.axis not in axes:
                axes[own.axis] = self._new_axis(part)
                has_new_axis = True
            if own not in chosen:
                chosen[own] = self._index_over(axes[own.axis], chosen.values())
        if part.units is not None and not has_new_axis:
            raise NetworkError(
                f"the layer '{part.formula.kind}' has as many units as what comes before it",
                (*part.path, "units"),
                remedy="leave the units out",
            )
        return chosen


def _expect_size(size: object, path: Path) -> None:
    if size is not None and (
        isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= LARGEST_AXIS
    ):
        raise NetworkError(
            f"a size is a whole number from 1 to {LARGEST_AXIS:,}", path, remedy="or name an axis instead"
        )


def _renamed(expression: Expression, names: Mapping[str, str], indices: Mapping[Index, Index]) -> Expression:
    """The expression with other names for its tensors and for its indices, bound ones too.

    No index is captured, since the new ones differ from one another as the old ones do.
    """
    axes = {old.axis: new.axis for old, new in indices.items()}

    def changed(node: Expression) -> Expression:
        match node:
            case Element(tensor, positions):
                return Element(names[tensor], positions)
            case MatrixFunction(kind, tensor, axis, batch, positions):
                return MatrixFunction(kind, names[tensor], axes[axis], batch, positions)
            case Index():
                return indices[node]
            case Size(axis):
                return Size(axes[axis])
            case Reduction(kind, bound, body):
                return Reduction(kind, tuple([indices[index] for index in bound]), body)
        return node

    return rewrite_bottom_up(expression, changed)
