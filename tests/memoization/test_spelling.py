"""Names in one order: then texts written with them compare in one way."""

from itertools import permutations

import pytest

from symbackprop.memoization.spelling import order_of
from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.expressions import Add, Axis, Element, Expression, Index, Multiply, Number, Power
from symbackprop.systems.printing import text

AXIS = Axis("A", "i")


def names_for(*pairs: tuple[str, str]) -> Correspondence:
    names = Correspondence()
    assert all(names.agrees(Element(here), Element(there)) for here, there in pairs)
    return names


def itself(*names: str) -> Correspondence:
    return names_for(*((name, name) for name in names))


@pytest.mark.parametrize(
    ("here", "there", "is_alike"),
    [
        (("z1", "W1"), ("z2", "W2"), True),
        (("z9", "z8"), ("z10", "z9"), False),
        (("z11", "z10"), ("z12", "z11"), True),
        (("z1", "z10"), ("z2", "z20"), True),
        (("z1", "z10"), ("z2", "z30"), False),  # z2* comes before z20*, z2[ behind z20[; z30 behind both
        (("z", "z_1"), ("y", "y1"), False),  # "y1" < "y[" < "y_1"
        (("q", "f"), ("qq", "f"), True),
        (("exq", "f"), ("ex", "f"), False),  # behind exp, and before
    ],
)
def test_orders(here: tuple[str, ...], there: tuple[str, ...], is_alike: bool) -> None:
    names = names_for(*zip(here, there, strict=True))
    assert (order_of(names) == order_of(itself(*here))) == is_alike


def _texts(one: str, other: str) -> list[Expression]:
    a, b = Element(one, (Index("i", AXIS),)), Element(other)
    return [
        a,
        b,
        Add((a, b)),
        Add((b, a)),
        Multiply((a, b)),
        Multiply((b, a)),
        Power(a, Number(2)),
        Power(b, a),
    ]


def test_texts_come_in_the_order_of_their_names() -> None:
    names = ("z", "z1", "z10", "z2", "Z", "z_1", "zz", "iz")
    for here in permutations(names, 2):
        for there in permutations(names, 2):
            if order_of(names_for(*zip(here, there, strict=True))) == order_of(itself(*here)):
                ones, others = [list(map(text, _texts(*each))) for each in (here, there)]
                for k, first in enumerate(ones):
                    for n, second in enumerate(ones):
                        assert (first < second) == (others[k] < others[n]), (here, there)
