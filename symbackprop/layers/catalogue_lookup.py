"""The layers of a network looked up in the catalogue, each with all of its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.languages.phrases import marked, worded
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES, closest
from symbackprop.layers.instance import Instance, instantiated
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import Layer, Network, NetworkError, OptionValue, Path
from symbackprop.layers.options import OPTION_TYPES


@dataclass(frozen=True)
class Part:
    """A layer's formula with its options chosen, and where it was asked for."""

    instance: Instance
    path: Path
    axis_names: Mapping[str, str]
    """Option to the name of an axis, where it was given one and not a number."""

    @property
    def kind(self) -> str:
        """The layer's name in the catalogue."""
        return self.instance.formula.kind


def layer_parts(network: Network) -> Iterator[Part]:
    """The layers and the activations that follow them; NetworkError where the catalogue has no such thing."""
    for number, layer in enumerate(network.layers):
        path: Path = ("layer", number)
        yield _part(layer, LAYERS, "layer", path)
        if layer.activation is not None:
            following: Path = (*path, "activation")
            formula = _known(layer.activation, ACTIVATIONS, "activation", following)
            yield Part(instantiated(formula, chosen_options(formula, {}, following)), following, {})


def loss_part(layer: Layer) -> Part:
    """The loss; NetworkError where the catalogue has none of that kind."""
    return _part(layer, LOSSES, "loss", ("loss",))


_NONE = {
    "layer": marked("there is no layer '{name}'"),
    "loss": marked("there is no loss '{name}'"),
    "activation": marked("there is no activation '{name}'"),
}


def _part(layer: Layer, catalogue: Mapping[str, LayerFormula], what: str, path: Path) -> Part:
    formula = _known(layer.kind, catalogue, what, (*path, "kind"))
    options = chosen_options(formula, layer.options, path)
    names = {
        option.name: str(options[option.name])
        for option in formula.options
        if option.type is OPTION_TYPES["axis"] and isinstance(options[option.name], str)
    }
    return Part(instantiated(formula, options), path, names)


def _known(name: str, catalogue: Mapping[str, LayerFormula], what: str, path: Path) -> LayerFormula:
    if isinstance(name, str) and name in catalogue:
        return catalogue[name]
    if what != "loss" and name in LOSSES:
        raise NetworkError(
            worded("'{name}' is a loss", name=name), path, remedy=worded("give it as the network's loss")
        )
    raise NetworkError(
        worded(_NONE[what], name=name),
        path,
        remedy=closest(str(name), catalogue),
    )


def chosen_options(
    formula: LayerFormula, given: Mapping[str, OptionValue], path: Path
) -> dict[str, OptionValue]:
    """All options of a layer with their values; NetworkError for one that is unknown, missing or wrong."""
    known = {option.name: option for option in formula.options}
    for name in given:
        if name not in known:
            raise NetworkError(
                worded("'{formula}' has no option '{name}'", formula=formula.kind, name=name),
                (*path, name),
                remedy=closest(name, known) if known else worded("leave it out"),
            )
    chosen: dict[str, OptionValue] = {}
    for option in formula.options:
        value = given.get(option.name, option.default)
        if isinstance(value, str) and option.name not in given:
            value = chosen.get(value, value)  # a default may be what another option is
        if value is None:
            raise NetworkError(
                worded("the layer '{formula}' needs {option}", formula=formula.kind, option=option.name),
                path,
                remedy=worded(
                    "give {option} = {example}: {description}",
                    option=option.name,
                    example=option.type.example,
                    description=worded(option.description),
                ),
            )
        chosen[option.name] = option.checked(value, (*path, option.name))
    return chosen
