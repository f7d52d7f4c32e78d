"""Matrix forms, computed by NumPy's products of matrices and held against the equations they stand for."""

import numpy as np
import pytest

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.lesson.matrix_form import (
    ELEMENTWISE,
    PRODUCT,
    SUM,
    Applied,
    Diagonal,
    Joined,
    Named,
    Ones,
    Scalar,
    has_product,
    matrix_form,
)
from symbackprop.pipeline import load, loads
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import NaiveEvaluator
from tests.models.classics import FOLDER, small_sample
from tests.models.examples import EXAMPLES

AXES = "index b : B\nindex i, j : N\nindex k : K\n"
GIVEN = AXES.replace("k : K", "k, k2 : K").replace("b : B", "b, b2 : B") + (
    "input W[i,j], V[k,j], M[b,k], r[i], s[b], q[k], c\n"
)


def computed(matrix, arrays, sizes):
    """A column as an array of one axis more."""

    def each(part):
        return computed(part, arrays, sizes)

    match matrix:
        case Named(tensor, transposed):
            array = arrays[tensor] if arrays[tensor].ndim == 2 else arrays[tensor][:, None]
            return array.T if transposed else array
        case Ones(axis, transposed):
            return np.ones((1, sizes[axis.name]) if transposed else (sizes[axis.name], 1))
        case Scalar(value):
            return NaiveEvaluator(arrays, sizes).expression(value, {})
        case Applied(function, argument):
            return np.vectorize(ALL_FUNCTIONS[function].evaluate)(each(argument))
        case Diagonal(column, inverted):
            (elements,) = each(column).T
            return np.diag(1 / elements if inverted else elements)
        case Joined(kind, parts):
            total = each(parts[0])
            for part in map(each, parts[1:]):
                is_scalar = not (np.ndim(total) and np.ndim(part))
                if kind == PRODUCT:
                    total = total * part if is_scalar else total @ part
                elif kind == ELEMENTWISE:
                    assert np.shape(total) == np.shape(part)
                    total = total * part
                else:
                    assert kind == SUM and (is_scalar or total.shape == part.shape)
                    total = total + part
            return total


def forms_of(model, sizes=None, wrt=None):
    """Each equation of model and gradient that has a form, with its value and that of the form."""
    system = model.derive(wrt).as_system().system if "loss" in model.text() else model.system
    arrays, sizes = small_sample(system, sizes)
    values = {**arrays, **evaluate(system, arrays, sizes)}
    for equation in system.equations:
        matrix = matrix_form(equation.expression, equation.indices)
        if matrix is not None:
            found = computed(matrix, values, sizes)
            expected = np.asarray(values[equation.tensor], dtype=float)
            yield equation.tensor, matrix, np.reshape(found, expected.shape), expected


@pytest.mark.parametrize(
    ("path", "wrt"),
    [
        (EXAMPLES / "seed.model", None),
        (FOLDER / "tied_autoencoder.model", None),
        (FOLDER / "ridge.model", None),
        (FOLDER / "batch_norm.model", ["x", "gamma", "beta"]),
        (FOLDER / "layer_norm.model", ["x"]),
        (FOLDER / "attention.model", ["Q", "K", "V"]),
    ],
)
def test_a_form_is_worth_what_its_equation_is(path, wrt):
    found = list(forms_of(load(path), wrt=wrt))
    for name, _, value, expected in found:
        np.testing.assert_allclose(value, expected, rtol=1e-12, err_msg=name)
    assert sum(has_product(matrix) for _, matrix, _, _ in found) >= 2


@pytest.mark.parametrize("count", [1, 0])
def test_axes_of_one_and_of_none(count):
    model = loads(GIVEN + "y[b,j] = sum(k, M[b,k]*V[k,j]) + r[j]\nz[b] = c*sum(k, M[b,k])\n")
    for name, _, value, expected in forms_of(model, {"B": 3, "N": 2, "K": count}):
        np.testing.assert_allclose(value, expected, err_msg=name)


@pytest.mark.parametrize(
    ("equation", "is_there"),
    [
        ("y[i,j] = sum(k, V[k,i]*V[k,j])", True),
        ("y[i,b] = sum(k, j, W[j,i]*V[k,j]*M[b,k])", True),
        ("y[k] = sum(j, V[k,j]*r[j])", True),
        ("y[b,j] = sum(k, M[b,k]*V[k,j]) + r[j]", True),
        ("y[b,j] = tanh(c*sum(k, M[b,k]*V[k,j]))", False),
        ("y[j] = 2*c*sum(i, W[i,j]*(r[i] - 1)) + r[j]", True),
        ("y[i,j] = W[i,j]*W[j,i]^2", True),
        ("y[b,k] = M[b,k]*(M[b,k] - 2*sum(j, V[k,j])*c)", True),
        ("y[b,k] = M[b,k]*(M[b,k] - sum(k2, M[b,k2]^2))", True),
        ("y[b,k] = M[b,k] + c*s[b]", True),
        ("y[b,k] = M[b,k] - c*sum(b2, M[b2,k]*exp(M[b2,k])) + q[k]^2", True),
        # Near misses: the diagonal, an index bound again, a weight in the middle, a sum over nothing, a row.
        ("y[i] = sum(k, V[k,i]*W[i,i])", False),
        ("y[i,k] = sum(j, W[i,j]*r[j]*V[k,j])", False),
        ("y[b,j] = sum(k, i, M[b,k]*V[k,j])", False),
        # What has one index alone scales rows or columns, or is a row or column by itself.
        ("y[b,k] = c*s[b]*M[b,k]/(exp(q[k]) + 2)", True),
        ("y[b,k] = exp(M[b,k])/sum(k2, exp(M[b,k2]))", True),
        ("y[b,k] = exp(M[b,k])/sum(b2, exp(M[b2,k]))", True),
        ("y[b,k] = (M[b,k] - q[k]/c)/s[b]", True),
        ("y[i,j] = r[i]*W[j,i] - 2*r[j]*W[i,j]", True),
        ("y[i] = sum(k, V[k,i])/exp(r[i])", True),
        ("y[i,j] = sum(i, W[i,j]*r[i])", True),
        ("y[b,k] = s[b]/q[k] + M[b,k]", False),
        ("y[i,j] = W[i,j]/r[i]^2", False),
        ("y[i,j] = W[i,j]/W[i,i]", False),
        ("y = sum(i, r[i]^2)", False),
        ("y[i,j] = delta(i,j)", False),
        ("y[b,k,j] = M[b,k]*V[k,j]", False),
    ],
)
def test_what_has_a_form_and_what_has_none(equation, is_there):
    model = loads(GIVEN + equation + "\n")
    found = list(forms_of(model))
    assert bool(found) == is_there
    for _, _, value, expected in found:
        np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_the_paper_shows_them_beside_the_index_form():
    shown = load(EXAMPLES / "seed.model").derive().latex()
    assert r"\frac{\partial E}{\partial W^{(2)}} &= \bigl(\delta^{(2)}\bigr)^{\top}\,z^{(1)}" in shown
    product = r"\bigl(\delta^{(2)}\,W^{(2)}\bigr) \odot z^{(1)} \odot \bigl(1 - z^{(1)}\bigr)"
    assert product in shown and shown.index(r"$\odot$ is the product element") < shown.index(product)
    rows = loads(f"{GIVEN}param p[k]\ny[b] = sum(k, M[b,k]^2*p[k])\nloss E = sum(b, y[b]^2)\n")
    assert r"&= 2\,(M \odot M)^{\top}\,y" in rows.derive().latex()
    softmax = r"P &= \operatorname{diag}(\exp(S)\,\mathbf{1})^{-1}\,\exp(S)"
    attention = load(FOLDER / "attention.model").derive(["Q"]).latex()
    assert softmax in attention and "on its diagonal" in attention
    assert "As matrices" not in loads("param w\nloss E = w^2\n").derive().latex()
