"""Layered networks in Python: layers one after another, and a loss at the end.

>>> network = Sequential([Dense("J", activation="sigmoid"), Dense("K")], loss="half_squared_error")
>>> print(network.text().splitlines()[-1])
loss E = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.errors import LanguageError
from symbackprop.layers.expanding import network_system, network_text
from symbackprop.layers.network import Layer, Network
from symbackprop.notation.system import System


class Dense(Layer):
    """A fully connected layer, u = W x + b, with an element-wise function after it where one is named.

    `units` is a number, or the name of an axis whose size the arrays decide; `layout` is "out,in" for
    W[j,i], which is the default, or "in,out" for W[i,j].
    """

    def __init__(self, units: int | str, activation: str | None = None, layout: str | None = None) -> None:
        super().__init__("dense", units, layout, activation)


class Activation(Layer):
    """An element-wise function of the language as a layer of its own: `Activation("tanh")`."""

    def __init__(self, function: str) -> None:
        super().__init__(function)


class Sequential:
    """Layers one after another. `loss` names one of the catalogue; `inputs` is the size of the input.

    Raises LanguageError, at once, where the layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: str | None = None,
        *,
        inputs: int | None = None,
        name: str = "model",
    ) -> None:
        strangers = [layer for layer in layers if not isinstance(layer, Layer)]
        if strangers:
            raise LanguageError(
                f"a {type(strangers[0]).__name__} is not a layer",
                remedy="give Dense(...), Activation(...), ...",
            )
        self.network = Network(tuple(layers), loss=loss, name=name, input_size=inputs)
        self._text = network_text(self.network)

    def text(self) -> str:
        """The network in the model language."""
        return self._text

    def system(self) -> System:
        """The network as a system of equations."""
        return network_system(self.network)
