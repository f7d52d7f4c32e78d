"""Rules of inverses and cofactors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply, power
from symbackprop.notation.expressions import (
    ONE,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.premises import Matrices
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.system import Equation

Definitions = Mapping[str, Equation]


def matrix_rules(
    symmetric: Collection[str], definitions: Definitions = MappingProxyType({})
) -> tuple[Rule, ...]:
    """The rules, where these tensors are symmetric in their last two indices and others are so defined."""
    return (
        stated(
            "inverse times matrix",
            "sum(j, inv(X)[i,j]*X[j,k]*f) = delta(i,k)*f, and with X[i,j]*inv(X)[j,k]",
            lambda node: cancel(node, symmetric, "inv"),
            where=(when("independent", "f", "j"),),
            decreases="inverses",
            example="sum(j, inv(T)[j2,j]*T[j,j3])",
            near_miss="sum(j, inv(T)[j2,j]*T[j3,j])",
            premise=lambda node: Matrices.of(symmetric, {}, node.tensors),
            roots=(Reduction,),
        ),
        stated(
            "cofactors times matrix",
            "sum(j, cofactor(X)[i,j]*X[k,j]*f) = det(X)*delta(i,k)*f, and with cofactor(X)[j,i]*X[j,k]",
            lambda node: cancel(node, symmetric, "cofactor"),
            where=(when("independent", "f", "j"),),
            decreases="inverses",
            example="sum(j, cofactor(T)[j2,j]*T[j3,j])",
            near_miss="sum(j, cofactor(T)[j2,j]*T[j,j3])",
            premise=lambda node: Matrices.of(symmetric, {}, node.tensors),
            roots=(Reduction,),
        ),
        stated(
            "cofactor by determinant",
            "cofactor(X)[i,j]*det(X)^n = inv(X)[j,i]*det(X)^(n + 1)",
            lambda node: over_determinant(node, definitions),
            where=(when("negative number", "n"),),
            decreases="inverses",
            example="cofactor(T)[j,j2]/det(T)",
            near_miss="cofactor(T)[j,j2]*det(T)",
            premise=lambda node: Matrices.of((), _named_determinants(definitions, node), node.tensors),
            roots=(Multiply,),
        ),
    )


def cancel(node: Expression, symmetric: Collection[str] = (), kind: str = "inv") -> Expression | None:
    """sum(j, inv(X)[i,j]*X[j,k]) = delta(i,k), and sum(j, X[i,j]*inv(X)[j,k]) = delta(i,k).

    The transposed cofactors are det(X) times the inverse (Laplace's expansion).
    """
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, inverse in enumerate(factors):
        for other, matrix in enumerate(factors):
            if not (isinstance(inverse, MatrixFunction) and inverse.kind == kind):
                continue
            if not (isinstance(matrix, Element) and matrix.positions[:-2] == inverse.batch):
                continue
            rest = multiply(*(each for number, each in enumerate(factors) if number not in (place, other)))
            for summed, left, right in _meetings(inverse, matrix, inverse.tensor in symmetric):
                elsewhere = rest.free_indices | left.free_indices | right.free_indices
                elsewhere |= frozenset(inverse.batch_indices)
                if summed in node.indices and summed not in elsewhere:
                    bound = tuple(index for index in node.indices if index != summed)
                    size = ONE if kind == "inv" else inverse.determinant
                    body = multiply(Delta(left, right), size, rest)
                    return Reduction("sum", bound, body) if bound else body
    return None


def _meetings(
    inverse: MatrixFunction, matrix: Element, symmetric: bool
) -> Iterator[tuple[Index, Expression, Expression]]:
    """The index in which an inverse and its matrix meet, and their other positions."""
    if matrix.tensor != inverse.tensor:
        return
    row, column = inverse.positions if inverse.kind == "inv" else reversed(inverse.positions)
    first, second = matrix.positions[-2:]
    pairs = [(column, first, row, second), (row, second, first, column)]
    if symmetric:
        pairs += [(column, second, row, first), (row, first, second, column)]
    for here, there, left, right in pairs:
        if here == there and isinstance(here, Index):
            yield here, left, right


def over_determinant(node: Expression, definitions: Definitions = MappingProxyType({})) -> Expression | None:
    """cofactor(X)[i,j]*det(X)^n = inv(X)[j,i]*det(X)^(n+1) for n < 0, where det(X) may have a name."""
    if not isinstance(node, Multiply):
        return None
    for place, cofactor in enumerate(node.factors):
        if not (isinstance(cofactor, MatrixFunction) and cofactor.kind == "cofactor"):
            continue
        for other, factor in enumerate(node.factors):
            match factor:
                case Power(base, Number(exponent)) if exponent < 0:
                    if _meaning(base, definitions) != cofactor.determinant:
                        continue
                    row, column = cofactor.positions
                    changed = {place: cofactor.at(column, row), other: power(base, Number(exponent + 1))}
                    return multiply(*(changed.get(at, each) for at, each in enumerate(node.factors)))
    return None


def _named_determinants(definitions: Definitions, node: Expression) -> Definitions:
    named = (definitions[name] for name in node.tensors if name in definitions)
    return {each.tensor: each for each in named if isinstance(each.expression, MatrixFunction)}


def _meaning(node: Expression, definitions: Definitions) -> Expression:
    """What an element is by the equation of its tensor; anything else is itself."""
    if not (isinstance(node, Element) and node.tensor in definitions):
        return node
    equation = definitions[node.tensor]
    return substitute(equation.expression, dict(zip(equation.indices, node.positions, strict=True)))
