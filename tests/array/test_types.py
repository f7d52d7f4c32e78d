import pytest

from symbackprop.array.checking import checked
from symbackprop.array.ir import (
    AxisSize,
    Cast,
    Elementwise,
    Expand,
    Fill,
    Identity,
    Literal,
    Positions,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.linear_algebra import Diagonal
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Program, Statement
from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Axis, Index
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import Role, Tensor
from tests.array.hand_written import BY_HAND

A, B = Axis("A", "a"), Axis("B", "b")
a, a2, b = Index("a", A), Index("a2", A), Index("b", B)
matrix, vector, scalar = Read("m", (a, b)), Read("v", (b,)), Read("s", ())


def test_broadcasting_lines_axes_up_from_the_right():
    assert Elementwise("add", (matrix, vector)).layout == ((a,), (b,))
    column = Expand(Read("w", (a,)), (1,))
    assert Elementwise("multiply", (column, vector)).layout == ((a,), (b,))
    assert Elementwise("exp", (scalar,)).layout == ()


def test_a_matrix_product_contracts_the_inner_axes():
    assert MatrixProduct(matrix, vector).layout == ((a,),)
    assert MatrixProduct(Transpose(matrix, (1, 0)), Read("w", (a,))).layout == ((b,),)
    merged = Reshape(Read("t", (a, a2, b)), ((a, a2), (b,)))
    assert MatrixProduct(merged, vector).layout == ((a, a2),)


def test_views_and_reductions():
    assert Reduce(matrix, "sum", (0,)).layout == ((b,),)
    assert Reduce(matrix, "max", (1,), keep=True).layout == ((a,), ())
    assert Reduce(matrix, "argmax", (1,)).kind is Kind.INTEGER
    assert Diagonal(Read("q", (a, a2)), 0, 1, a).layout == ((a,),)
    assert Fill(Expand(Read("w", (a,)), (1,)), ((a,), (b,))).layout == ((a,), (b,))


def test_kinds():
    mask = Elementwise(">", (vector, Literal(0.0)))
    assert mask.kind is Kind.BOOLEAN
    assert Elementwise("multiply", (vector, mask)).kind is Kind.REAL
    assert Elementwise("multiply", (Literal(2.0), AxisSize(A))).kind is Kind.PYTHON
    assert Elementwise("where", (mask, Literal(1.0), Literal(2.0))).kind is Kind.DOUBLE
    assert Elementwise("where", (mask, vector, Literal(2.0))).kind is Kind.REAL
    assert Cast(Positions(a)).kind is Kind.REAL


@pytest.mark.parametrize(
    "wrong",
    [
        Read("q", (a, a)),
        Identity(a, b),
        Elementwise("add", (matrix, Read("w", (a,)))),
        Elementwise("add", (vector, Positions(b))),
        Elementwise("add", (Elementwise(">", (vector, vector)), Literal(1.0))),
        Elementwise("and", (vector, vector)),
        Elementwise("<", (vector, Positions(b))),
        Elementwise("where", (vector, vector, vector)),
        MatrixProduct(matrix, matrix),
        MatrixProduct(matrix, scalar),
        MatrixProduct(matrix, Elementwise(">", (vector, vector))),
        Reduce(matrix, "sum", (2,)),
        Reduce(matrix, "sum", (0, 0)),
        Reduce(matrix, "argmax", (0, 1)),
        Reduce(Elementwise(">", (vector, vector)), "sum", (0,)),
        Transpose(matrix, (0, 0)),
        Expand(matrix, (5,)),
        Reshape(matrix, ((b,), (a,))),
        Diagonal(matrix, 0, 1, a),
        Cast(matrix),
        Fill(matrix, ((b,), (a,))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ProgramError, match=type(wrong).__name__):
        _ = wrong.type


def program(*statements):
    tensors = (Tensor("m", (a, b), Role.INPUT), Tensor("v", (b,), Role.INPUT))
    return Program("p", "", tensors, {}, statements, (statements[-1].name,), None, {}, {})


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (Statement("y", Read("z", (a,)), origin=BY_HAND), "reads 'z', which is not computed before it"),
        (Statement("y", Read("v", (a,)), origin=BY_HAND), "reads 'v' with other axes than it has"),
        (Statement("v", matrix, origin=BY_HAND), "'v' is computed twice"),
        (Statement("y", Expand(vector, (0,)), origin=BY_HAND), "an axis that is not one index"),
    ],
)
def test_names_are_read_as_they_were_written(statement, message):
    with pytest.raises(ProgramError, match=message):
        checked(program(statement))


def test_a_program_that_fits_is_returned():
    fitting = program(Statement("y", MatrixProduct(matrix, vector), origin=BY_HAND))
    assert checked(fitting) is fitting
