"""Expressions for hypothesis: every kind of node, over three axes of pairwise different sizes."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Comparison,
    Constant,
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
from symbackprop.notation.matrix_functions import MatrixFunction

AXES = {"I": Axis("I", "i"), "J": Axis("J", "j"), "Rows": Axis("Rows", "row")}
SIZES = {"I": 2, "J": 3, "Rows": 4}
FIRST, PRIMED, J, ROW = (
    Index("i", AXES["I"]),
    Index("i'", AXES["I"]),
    Index("j", AXES["J"]),
    Index("row", AXES["Rows"]),
)
INDICES = (FIRST, PRIMED, J, ROW)
LAYOUTS = {
    "W2": (J, FIRST),
    "z1": (FIRST, J),
    "y": (FIRST,),
    "xhat": (J,),
    "mu": (ROW,),
    "loss_rate": (ROW, FIRST),
    "V_out": (J,),
    "alpha": (),
    "b2": (),
    "sigma": (),
}
MATRICES = {"Q": (FIRST, PRIMED), "R3": (ROW, FIRST, PRIMED)}
_RANDOM = np.random.default_rng(7)
ARRAYS = {
    name: _RANDOM.uniform(0.3, 1.7, tuple(SIZES[index.axis.name] for index in layout))
    for name, layout in {**LAYOUTS, **MATRICES}.items()
}
POINT = {FIRST: 1, PRIMED: 0, J: 2, ROW: 3}


def same_axis(index: Index) -> st.SearchStrategy[Index]:
    return st.sampled_from([other for other in INDICES if other.axis == index.axis])


@st.composite
def elements(draw: st.DrawFn) -> Expression:
    name = draw(st.sampled_from(sorted(LAYOUTS)))
    return Element(name, tuple(draw(same_axis(index)) for index in LAYOUTS[name]))


@st.composite
def matrix_functions(draw: st.DrawFn) -> Expression:
    name = draw(st.sampled_from(sorted(MATRICES)))
    *batch, row, column = (draw(same_axis(index)) for index in MATRICES[name])
    kind = draw(st.sampled_from(["inv", "cofactor", "det", "logdet"]))
    positions = (row, column) if kind in ("inv", "cofactor") else ()
    return MatrixFunction(kind, name, AXES["I"], tuple(batch), positions)


@st.composite
def deltas(draw: st.DrawFn) -> Expression:
    index = draw(st.sampled_from(INDICES))
    return Delta(index, draw(same_axis(index)))


numbers = st.sampled_from([0, 1, 2, -1, -3, Fraction(1, 2), Fraction(-2, 3), Fraction(44715, 10**6)]).map(
    Number
)
exponents = st.sampled_from([2, -1, -2, 3, Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2)]).map(Number)
leaves = st.one_of(
    elements(),
    elements(),
    elements(),
    matrix_functions(),
    numbers,
    deltas(),
    st.sampled_from(INDICES),
    st.sampled_from([Size(axis) for axis in AXES.values()]),
    st.just(Constant("pi")),
)


def conditions(values: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    comparisons = st.builds(Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), values, values)
    pairs = st.tuples(comparisons, comparisons)
    nested = st.one_of(
        comparisons,
        st.builds(Logic, st.sampled_from(["and", "or"]), pairs),
        st.builds(lambda one: Logic("not", (one,)), comparisons),
    )
    return st.one_of(comparisons, st.builds(Logic, st.sampled_from(["and", "or"]), st.tuples(nested, nested)))


def grown(values: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(values, min_size=2, max_size=4).map(tuple)
    one_argument = st.sampled_from(sorted(name for name, one in FUNCTIONS.items() if one.arity == 1))
    bound = st.lists(st.sampled_from(INDICES), min_size=1, max_size=2, unique=True).map(tuple)
    return st.one_of(
        st.builds(Add, several),
        st.builds(Multiply, several),
        st.builds(Power, values, exponents),
        st.builds(Power, elements(), values),
        st.builds(Apply, one_argument, st.tuples(values)),
        st.builds(Apply, st.sampled_from(["max", "min"]), st.tuples(values, values)),
        st.builds(Reduction, st.sampled_from(["sum", "sum", "prod", "max", "min"]), bound, values),
        st.builds(Where, conditions(values), values, values),
        st.builds(lambda condition: Where(condition, Number(1), Number(0)), conditions(values)),
    )


expressions = st.recursive(leaves, grown, max_leaves=12)
