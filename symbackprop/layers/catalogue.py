"""The catalogue: every layer and loss as its formula in the model language, and as nothing else.

To add a layer, write its formula here. A formula is a whole model with names of its own:

- `index n : N` is the batch; the other indices of its one `input` are those of what comes before;
- an axis that the input does not have is a new one, whose size a network gives as `units`;
- a `param` gets the layer's number (W becomes W1, W2, ...), and so does what an equation defines;
- the last equation is the layer's output. A loss has one `target` and is marked as `loss`.

Shapes are the declared ones: `W[j,i]` is an array of shape (J, I).
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symbackprop.language.model import parse_system
from symbackprop.notation.functions import FUNCTIONS
from symbackprop.notation.system import System

OUT_IN = "out,in"
IN_OUT = "in,out"


@dataclass(frozen=True)
class Formula:
    """A layer or loss as a text in the model language; `layout` tells apart the layouts of its weights."""

    kind: str
    text: str
    layout: str = ""

    @property
    def system(self) -> System:
        """The formula as equations, read once."""
        return _system(self)


@functools.cache
def _system(formula: Formula) -> System:
    return parse_system(formula.text, formula.kind)


# Fully connected: u = W x + b, a row of W for each unit. x: (N, I), u: (N, J).
# Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986, equation 1.
DENSE = Formula(
    "dense",
    """
index n : N
index i : I
index j : J
input x[n,i]
param W[j,i], b[j]
u[n,j] = sum(i, W[j,i]*x[n,i]) + b[j]
""",
    layout=OUT_IN,
)

# The same with a column of W for each unit, as in u = x W + b.
DENSE_BY_COLUMNS = Formula(
    "dense",
    """
index n : N
index i : I
index j : J
input x[n,i]
param W[i,j], b[j]
u[n,j] = sum(i, x[n,i]*W[i,j]) + b[j]
""",
    layout=IN_OUT,
)

# Half the squared distance between output and target, summed over the batch. y and d: (N, I).
# Rumelhart, Hinton and Williams 1986, equation 3.
HALF_SQUARED_ERROR = Formula(
    "half_squared_error",
    """
index n : N
index i : I
input y[n,i]
target d[n,i]
loss E = 1/2*sum(n, i, (y[n,i] - d[n,i])^2)
""",
)


def _elementwise(function: str) -> Formula:
    """A function of the language, applied to every value. u and z: (N, I)."""
    return Formula(function, f"index n : N\nindex i : I\ninput u[n,i]\nz[n,i] = {function}(u[n,i])\n")


# trigamma is there for derivatives and is not a word that models are written with.
ELEMENTWISE = tuple(
    _elementwise(name) for name, known in FUNCTIONS.items() if known.arity == 1 and name != "trigamma"
)

LAYERS: Mapping[str, tuple[Formula, ...]] = {
    "dense": (DENSE, DENSE_BY_COLUMNS),
    **{formula.kind: (formula,) for formula in ELEMENTWISE},
}
"""A kind of layer to its formulas, one a layout, the default first."""

ACTIVATIONS: Mapping[str, Formula] = {formula.kind: formula for formula in ELEMENTWISE}
"""The layers that can follow another as its `activation`."""

LOSSES: Mapping[str, Formula] = {HALF_SQUARED_ERROR.kind: HALF_SQUARED_ERROR}
"""A kind of loss to its formula."""


def closest(name: str, known: Iterable[str]) -> str:
    """Advice where a name is not among the known ones: the one most like it, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"
