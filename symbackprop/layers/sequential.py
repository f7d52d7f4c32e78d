"""Layered networks in Python: layers one after another, and a loss at the end.

>>> network = Sequential([Dense("J", "sigmoid"), Dense("K")], loss="half_squared_error")
>>> print(network.text().splitlines()[-1])
loss E = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)

`Dense`, `Conv2d`, `CrossEntropy` and so on are made from the catalogue: `layer_class` says how.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from symbackprop.errors import LanguageError
from symbackprop.languages.phrases import worded
from symbackprop.layers.axes import checked_sizes
from symbackprop.layers.catalogue import PYTHON_NAMES, closest, unknown_name
from symbackprop.layers.expanding import network_system, network_text
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import Layer, Network, OptionValue
from symbackprop.layers.options import Option, plain
from symbackprop.systems.system import System


def __getattr__(name: str) -> Any:
    """The class of a layer or loss of the catalogue."""
    if name not in PYTHON_NAMES:
        raise unknown_name(__name__, name, PYTHON_NAMES)
    return layer_class(name)


@cache
def layer_class(name: str) -> type[Layer]:
    """The class of the layer or loss with this Python name: its constructor takes the options by their names.

    All may be given by position: options without a default first, then the `activation` that follows the
    layer, then the others; where every option has a default, the activation comes last.
    """
    formula = PYTHON_NAMES[name]
    required = [_parameter(option) for option in formula.options if option.is_required]
    optional = [_parameter(option) for option in formula.options if not option.is_required]
    following = inspect.Parameter("activation", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    more = [] if formula.is_loss else [following]
    signature = inspect.Signature([*required, *more, *optional] if required else [*optional, *more])

    def __init__(self: Layer, *arguments: OptionValue, **options: OptionValue) -> None:
        given = _bound(name, signature, arguments, options)
        activation = given.pop("activation", None)
        Layer.__init__(self, formula.kind, given, None if activation is None else str(activation))

    members = {
        "__init__": __init__,
        "__repr__": Layer.written,
        "__signature__": signature,
        "__doc__": _documentation(formula),
        "__module__": __name__,
    }
    return type(name, (Layer,), members)


def _parameter(option: Option) -> inspect.Parameter:
    default = inspect.Parameter.empty if option.default is None else option.default
    return inspect.Parameter(option.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _bound(
    name: str,
    signature: inspect.Signature,
    arguments: tuple[OptionValue, ...],
    options: dict[str, OptionValue],
) -> dict[str, OptionValue]:
    """The arguments by name; LanguageError where the layer has no such option."""
    try:
        return signature.bind_partial(*arguments, **options).arguments
    except TypeError as error:
        unknown = [option for option in options if option not in signature.parameters]
        remedy = (
            closest(unknown[0], signature.parameters)
            if unknown
            else worded("write {call}", call=f"{name}{signature}")
        )
        raise LanguageError(worded("{name}: {error}", name=name, error=error), remedy=remedy) from None


def _documentation(formula: LayerFormula) -> str:
    options = "\n".join(f"{option.name}: {option.description}" for option in formula.options)
    parts = (formula.title, formula.description, formula.shapes, formula.source, options, formula.body)
    return "\n\n".join(part for part in parts if part)


class Activation(Layer):
    """A layer of the catalogue without options, by its name: `Activation("tanh")`."""

    def __init__(self, function: str) -> None:
        super().__init__(function)


class Sequential:
    """Layers one after another. `loss` is one of the catalogue, by its name or as a layer with options.

    `inputs` is the size of the input, or one size an axis; `axes` names the input's axes where the first
    layer shall not; `batch` names the batch axis, or is None for a network that sees one example; `sizes` are
    those of axes by their names, as numbers or by the sizes of others. Raises LanguageError, at once, where
    the layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: str | Layer | None = None,
        *,
        inputs: int | Sequence[int] | None = None,
        axes: str | Sequence[str] = (),
        batch: str | None = "B",
        name: str = "model",
        sizes: Mapping[str, int | str] | None = None,
    ) -> None:
        strangers = [layer for layer in layers if not isinstance(layer, Layer)]
        if strangers:
            raise LanguageError(
                worded("a {name} is not a layer", name=type(strangers[0]).__name__),
                remedy=worded("give Dense(...), Activation(...), ..."),
            )
        self.network = Network(
            tuple(layers),
            loss=Layer(loss) if isinstance(loss, str) else loss,
            name=name,
            input_axes=(axes,) if isinstance(axes, str) else tuple(axes),
            input_sizes=() if inputs is None else _sizes(inputs),
            batch_axis=batch,
            sizes=checked_sizes(sizes or {}),
        )
        self._text = network_text(self.network)

    def text(self) -> str:
        """The network in the model language."""
        return self._text

    def system(self) -> System:
        """The network as a system of equations."""
        return network_system(self.network)


def _sizes(inputs: int | Iterable[int]) -> tuple[int, ...]:
    """One size, or one an axis, as Python's own numbers."""
    given = plain(inputs)
    return tuple(map(plain, given)) if isinstance(given, Iterable) else (given,)
