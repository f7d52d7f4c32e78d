"""From a layered network to the model language: each layer's formula, with the network's names in it.

Names are the textbook's: x, then W1, b1, u1, z1, W2, ..., the output y, the target d, the loss E; batch
index b over B; index i over I for the input, then j over J, k over K and so on, one axis a layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.errors import LanguageError, NotationError
from symbackprop.language.model import parse_system
from symbackprop.language.scope import counted
from symbackprop.languages.phrases import marked, worded
from symbackprop.layers.axes import Axes, declare_sizes, expect_known, refusal_of
from symbackprop.layers.binding import Reading, bound
from symbackprop.layers.catalogue_lookup import Part, layer_parts, loss_part
from symbackprop.layers.naming import Names
from symbackprop.layers.network import Network, NetworkError, Path
from symbackprop.layers.renaming import renamed
from symbackprop.syntax.limits import LARGEST_AXIS
from symbackprop.syntax.nodes import AxisDeclaration, TensorDeclaration
from symbackprop.systems.system import System


def network_system(network: Network, source_name: str | None = None) -> System:
    """The network as a system of equations; NetworkError where its parts do not fit together."""
    try:
        return parse_system(network_text(network), network.name, source_name)
    except (LanguageError, NotationError) as error:
        refusal = refusal_of(error, network.sizes)
        if refusal is None:
            raise
        raise refusal from None


def network_text(network: Network) -> str:
    """The network in the model language; NetworkError where its parts do not fit together."""
    if not network.layers:
        raise NetworkError(
            worded("the network has no layers"), ("layer",), remedy=worded("give at least one")
        )
    parts = list(layer_parts(network))
    loss = None if network.loss is None else loss_part(network.loss)
    expansion = _Expansion(network, parts, loss)
    for part in parts[:-1]:
        expansion.add(part, {})
    expansion.add_output(parts[-1])
    if loss is not None:
        expansion.add_loss(loss)
    return expansion.text()


@dataclass
class _Expansion:
    """A network on its way to a text: the lines so far, and the tensor that the next layer reads."""

    network: Network
    parts: list[Part]
    loss: Part | None
    names: Names = field(default_factory=Names)
    axes: Axes = field(init=False)
    given: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    equations: list[str] = field(default_factory=list)
    number: int = 0
    input: str = field(init=False)
    current: Reading = field(init=False)

    def __post_init__(self) -> None:
        network = self.network
        self.axes = Axes(self.names, network.batch_axis)
        axes, sizes = _input_axes(network, self.parts[0])
        self._claim_given_names(axes)
        names = [*([] if network.batch_axis is None else [network.batch_axis]), *axes]
        for name, size in zip(names, [*[None] * (len(names) - len(axes)), *sizes], strict=True):
            self.axes.named(name, size)
        declare_sizes(network.sizes, self.axes)
        indices = tuple(self.axes.indices[name][0] for name in names)
        self.current = Reading(network.input_name, indices, tuple(names), is_input=True)
        self.input = f"input {self.current.text}"

    def add_output(self, part: Part) -> None:
        """Append the last layer: without parameters, or with a y of its own, it is the output; else y = u."""
        output = part.instance.output.word.text
        if output == "y" or not part.instance.of_role("param"):
            self.add(part, {output: self.network.output_name})
            return
        self.add(part, {})
        layer = self.current.text
        self.current = Reading(self.network.output_name, self.current.indices, self.current.axes)
        self.equations.append(f"{self.current.text} = {layer}")

    def add_loss(self, part: Part) -> None:
        """Append a loss of the output and the target."""
        targets = dict.fromkeys(part.instance.of_role("target"), self.network.target_name)
        assert part.instance.loss is not None
        self.add(part, {**targets, part.instance.loss: self.network.loss_name})

    def text(self) -> str:
        """All of it as a model file."""
        expect_known(self.network.sizes, self.axes)
        title = f"# {self.network.name}: expanded from its layers"
        declarations = [*self.axes.declarations(), self.input, *self.given, *self.parameters]
        return "\n".join([title, *declarations, "", *self.equations]) + "\n"

    def add(self, part: Part, chosen: Mapping[str, str]) -> None:
        """Append a layer's statements, with names already chosen for some of its tensors."""
        instance = part.instance
        binding = bound(part, self.current, self.axes)
        self.number += bool(instance.of_role("param"))
        names: dict[str, tuple[str, ...]] = {**binding.names}
        names[instance.input.references[0].word.text] = (self.current.tensor,)
        for name in instance.names:
            if name not in names:
                new = chosen[name] if name in chosen else self.names.tensor(f"{name}{self.number}")
                names[name] = (new,)
        if binding.values_axis is not None:
            self.input += f" in {binding.values_axis}"
        self._append(part, names)
        self.current = binding.output(names)

    def _append(self, part: Part, names: Mapping[str, tuple[str, ...]]) -> None:
        """Each statement to its place in the model; the first input is there already."""
        for statement, text in part.instance.written:
            match statement:
                case AxisDeclaration():
                    continue
                case TensorDeclaration(role, _, _):
                    lines = self.parameters if role.text == "param" else self.given
                case _:
                    lines = self.equations
            if statement is not part.instance.input:
                lines.append(renamed(text, names))

    def _claim_given_names(self, input_axes: tuple[str, ...]) -> None:
        """Keep every name that the user chose, before any is chosen here."""
        network, claim = self.network, self.names.claim
        claim(network.input_name, ("input", "name"))
        claim(network.output_name, ("output", "name"))
        if network.loss is not None:
            claim(network.target_name, ("loss", "target"))
            claim(network.loss_name, ("loss", "name"))
        if network.batch_axis is not None:
            claim(network.batch_axis, ("input", "batch"))
        for axis in input_axes:
            claim(axis, ("input", "axis"))
        axes = {network.batch_axis, *input_axes}
        for part in (*self.parts, *([] if self.loss is None else [self.loss])):
            for option, name in part.axis_names.items():
                if name not in axes:
                    axes.add(claim(name, (*part.path, option)))
        for name in network.sizes:
            if name not in axes:
                claim(name, ("sizes", name))


def _input_axes(network: Network, first: Part) -> tuple[tuple[str, ...], tuple[int | None, ...]]:
    """The names and sizes of the input's axes but the batch: as given, else as the first layer reads them."""
    for size in network.input_sizes:
        _expect_size(size, ("input", "size"))
    own = first.instance.input_axes or ("I",)
    sizes = network.input_sizes
    axes = network.input_axes or (own if len(sizes) in (0, len(own)) else ())
    if not axes:
        raise NetworkError(
            worded(
                "the input has {sizes} sizes, and the first layer, '{first}', reads {own} axes",
                sizes=len(sizes),
                first=first.kind,
                own=len(own),
            ),
            ("input", "size"),
            remedy=worded("name the input's axes too"),
        )
    if sizes and len(sizes) != len(axes):
        raise NetworkError(
            worded(
                "the input has the axes {axes} and {counted}",
                axes=", ".join(axes),
                counted=counted(len(sizes), marked("{number} size"), marked("{number} sizes")),
            ),
            ("input", "size"),
            remedy=worded("give a size for each axis"),
        )
    return axes, sizes or (None,) * len(axes)


def _expect_size(size: object, path: Path) -> None:
    if size is not None and (
        isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= LARGEST_AXIS
    ):
        raise NetworkError(
            worded("a size is a whole number from 1 to {largest}", largest=f"{LARGEST_AXIS:,}"),
            path,
            remedy=worded("or name an axis instead"),
        )
