"""Random expressions over tensors with pairwise different sizes, and data that keep them finite."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.systems.system import Equation, Role, System, Tensor

SIZES = {"A": 2, "B": 3, "C": 4, "D": 5}
AXES = {name: Axis(name, name.lower()) for name in SIZES}
a, b, c, d = INDICES = tuple(Index(name.lower(), axis) for name, axis in AXES.items())
a2 = Index("a2", AXES["A"])
EVERY_INDEX = (*INDICES, a2)
LAYOUTS = {
    "s": (),
    "va": (a,),
    "vb": (b,),
    "mab": (a, b),
    "mcb": (c, b),
    "mda": (d, a),
    "tabc": (a, b, c),
    "tdcb": (d, c, b),
    "sq": (a, a2),
}


def elements() -> st.SearchStrategy[Expression]:
    """A tensor at its own indices, or with two indices over one axis."""
    plain = [Element(name, layout) for name, layout in LAYOUTS.items()]
    odd = [Element("sq", (a2, a)), Element("sq", (a, a)), Element("va", (a2,)), Element("mab", (a2, b))]
    return st.sampled_from([*plain, *odd])


def numbers() -> st.SearchStrategy[Expression]:
    return st.sampled_from(
        [Number(2), Number(-1), Number(Fraction(1, 2)), Number(Fraction(-2, 3)), Number(3)]
    )


def conditions(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    on_values = st.builds(Comparison, st.sampled_from(["<", ">="]), inner, inner)
    on_indices = st.sampled_from(
        [
            Comparison("<=", a, a2),
            Comparison("==", a, a2),
            Comparison("<", b, c),
            Comparison("!=", d, Number(0)),
        ]
    )
    simple = on_values | on_indices
    return simple | st.builds(lambda left, right: Logic("and", (left, right)), simple, simple)


def _reduction(kind: str, indices: Iterable[Index], body: Expression) -> Expression:
    return Reduction(kind, tuple(dict.fromkeys(indices)), body)  # type: ignore[arg-type]


def _compound(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    bound = st.lists(st.sampled_from(EVERY_INDEX), min_size=1, max_size=2)
    return st.one_of(
        several.map(Add),
        several.map(Multiply),
        several.map(Multiply),
        st.builds(_reduction, st.just("sum"), bound, inner),
        st.builds(_reduction, st.just("sum"), bound, several.map(Multiply)),
        st.builds(_reduction, st.just("sum"), bound, several.map(Multiply)),
        st.builds(_reduction, st.sampled_from(["max", "min", "prod"]), bound, inner),
        st.builds(lambda e: Apply("tanh", (e,)), inner),
        st.builds(lambda e: Apply("sigmoid", (e,)), inner),
        st.builds(lambda e: Power(e, Number(2)), inner),
        st.builds(lambda e: Power(Add((Number(2), Apply("tanh", (e,)))), Number(-1)), inner),
        st.builds(lambda e: Power(Add((Number(2), Power(e, Number(2)))), Number(Fraction(1, 2))), inner),
        st.builds(Where, conditions(inner), inner, inner),
        st.builds(lambda condition: Where(condition, Number(1), Number(0)), conditions(inner)),
    )


def expressions() -> st.SearchStrategy[Expression]:
    """Expressions with any free indices of EVERY_INDEX."""
    leaves = st.one_of(
        elements(),
        elements(),
        numbers(),
        st.sampled_from([a, b]),
        st.sampled_from([Size(AXES["B"]), Delta(a, a2)]),
    )
    return st.recursive(leaves, _compound, max_leaves=8)


def data(seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Standard normal numbers for every tensor."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=[SIZES[index.axis.name] for index in layout])
        for name, layout in LAYOUTS.items()
    }


def system_of(*expressions: Expression, reverse: bool = False) -> System:
    """A model without a loss whose tensors out0, out1, ... are these expressions over their free indices."""
    equations = []
    for number, expression in enumerate(expressions):
        indices = [index for index in EVERY_INDEX if index in expression.free_indices]
        layout = tuple(reversed(indices)) if reverse else tuple(indices)
        equations.append(Equation(f"out{number}", layout, expression))
    declared = [Tensor(name, layout, Role.INPUT) for name, layout in LAYOUTS.items()]
    derived = [Tensor(item.tensor, item.indices, Role.DERIVED) for item in equations]
    tensors = {tensor.name: tensor for tensor in (*declared, *derived)}
    return System("random", tuple(AXES.values()), tensors, tuple(equations))
