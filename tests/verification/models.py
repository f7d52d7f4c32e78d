"""Small systems for the checks, built from notation alone."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.notation.arithmetic import add, multiply, power, subtract
from symbackprop.notation.expressions import Apply, Axis, Element, Expression, Index, Number, Reduction
from symbackprop.systems.system import Equation, Role, System, Tensor


def index(name: str, size: int | None = None) -> Index:
    return Index(name, Axis(name.upper(), name, size))


def system(declared: dict[str, tuple[Role, tuple[Index, ...]]], equations: list[Equation]) -> System:
    """A model whose last equation is its loss."""
    tensors = {name: Tensor(name, indices, role) for name, (role, indices) in declared.items()}
    tensors |= {
        equation.tensor: Tensor(equation.tensor, equation.indices, Role.DERIVED) for equation in equations
    }
    axes = {i.axis.name: i.axis for tensor in tensors.values() for i in tensor.indices}
    axes = dict(sorted(axes.items()))
    return System("small", tuple(axes.values()), tensors, tuple(equations), (), equations[-1].tensor, "")


def half_squares(outputs: Element, targets: Element, indices: tuple[Index, ...]) -> Expression:
    square = power(subtract(outputs, targets), Number(2))
    return multiply(Number(Fraction(1, 2)), Reduction("sum", indices, square))


def two_layers(function: str, inputs: int | None = None) -> System:
    """The seed's net with another activation; the input axis may have a declared size."""
    b, i, j, k = index("b"), index("i", inputs), index("j"), index("k")
    first = Reduction("sum", (i,), multiply(Element("W1", (j, i)), Element("x", (b, i))))
    second = Reduction("sum", (j,), multiply(Element("W2", (k, j)), Element("z1", (b, j))))
    return system(
        {
            "x": (Role.INPUT, (b, i)),
            "d": (Role.TARGET, (b, k)),
            "W1": (Role.PARAMETER, (j, i)),
            "b1": (Role.PARAMETER, (j,)),
            "W2": (Role.PARAMETER, (k, j)),
            "b2": (Role.PARAMETER, (k,)),
        },
        [
            Equation("u1", (b, j), add(first, Element("b1", (j,)))),
            Equation("z1", (b, j), Apply(function, (Element("u1", (b, j)),))),
            Equation("u2", (b, k), add(second, Element("b2", (k,)))),
            Equation("y", (b, k), Element("u2", (b, k))),
            Equation("E", (), half_squares(Element("y", (b, k)), Element("d", (b, k)), (b, k))),
        ],
    )


def one_function(function: str, size: int | None = None) -> System:
    """E = sum(j, f(w[j])*a[j])."""
    j = index("j", size)
    body = multiply(Apply(function, (Element("w", (j,)),)), Element("a", (j,)))
    return system(
        {"a": (Role.INPUT, (j,)), "w": (Role.PARAMETER, (j,))},
        [Equation("E", (), Reduction("sum", (j,), body))],
    )
