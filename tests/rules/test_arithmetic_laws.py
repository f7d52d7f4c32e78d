"""What arithmetic says of itself beside a step: the laws by which a node is put together, and no others."""

import pytest

from symbackprop.notation.expressions import ONE, ZERO, Add, Element, Multiply, Number, Power
from symbackprop.rules.bookkeeping import arithmetic_laws

F, G = Element("f"), Element("g")


@pytest.mark.parametrize(
    ("node", "laws"),
    [
        (Add((ZERO, F)), ("0 + f = f",)),
        (Add((F, Multiply((Number(-2), F)))), ("f + f = 2*f",)),
        (Add((F, G)), ()),
        (Multiply((ZERO, F, F)), ("0*f = 0",)),
        (Multiply((ONE, F)), ("1*f = f",)),
        (Multiply((F, Power(F, Number(-1)))), ("f^g*f^h = f^(g + h)",)),
        (
            Multiply((F, Power(Multiply((F, G)), Number(-1)))),
            ("(f^g*h)^n = f^(g*n)*h^n, where n is an integer", "f^g*f^h = f^(g + h)"),
        ),
        (Power(Power(F, G), Number(2)), ("(f^g*h)^n = f^(g*n)*h^n, where n is an integer",)),
        (Multiply((Number(2), Number(3), F)), ()),  # numbers alone
    ],
)
def test_arithmetic_names_the_laws_that_it_uses(node, laws):
    assert arithmetic_laws(node) == laws
