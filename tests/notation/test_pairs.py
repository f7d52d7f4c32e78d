"""What two factors or terms make, and which sums may have a number for a term."""

import pytest

from symbackprop.notation.expressions import ONE, Add, Constant, Element, Multiply, Number
from symbackprop.notation.pairs import may_hold_number

A, B = Element("a", ()), Element("b", ())


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (Add((ONE, A)), True),
        (Add((A, Number(-1))), True),
        (Add((A, Multiply((Number(2), Constant("pi"))))), True),
        (Add((Add((A, ONE)), B)), True),  # a sum in a sum is not looked into
        (Add((A, B)), False),
        (Add((A, Multiply((Number(2), B)))), False),
    ],
)
def test_a_sum_that_may_have_a_number(total: Add, expected: bool) -> None:
    assert may_hold_number(total) is expected
