"""Whose name is whose, in which layout, and how a stranger's function is to be called."""

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import SymbackpropError
from symbackprop.handwritten.layouts import layouts
from symbackprop.handwritten.mapping import mapping_of
from symbackprop.handwritten.naming import Naming, adjoint_of
from symbackprop.handwritten.planning import Planner
from symbackprop.handwritten.plans import Call, Data, Program, Result, Sequence, Table
from symbackprop.handwritten.syntax_of_code import Handwritten

MODEL = sb.loads(
    """
index b : B
index i : I
index k : K
input x[b,i]
target d[b,k]
param W1[k,i], b1[k]
u1[b,k] = sum(i, W1[k,i]*x[b,i]) + b1[k]
p[b,k] = softmax(k, u1[b,k])
loss E = -sum(b, k, d[b,k]*log(p[b,k]))
fact sum(k, d[b,k]) == 1
"""
).system
NAMING = Naming(MODEL)


def planned(text, name=""):
    (first, *_) = Planner(Handwritten(Program(text, "code.py")), NAMING).candidates(name)
    return first


@pytest.mark.parametrize(
    ("name", "tensor"),
    [("dW1", "W1"), ("grad_W1", "W1"), ("W1_grad", "W1"), ("db_1", "b1"), ("dLdW1", "W1"), ("w1", "W1"),
     ("dL_db1", "b1"), ("gradW1", "W1"), ("self.dW1", "W1"), ("nothing", None), ("d", None)],
)  # fmt: skip
def test_the_names_of_gradients(name, tensor):
    assert NAMING.gradient_of(name, ["W1", "b1"]) == tensor


def test_the_names_of_data():
    assert NAMING.matched(["X", "y", "w1", "bias1", "dout"]) == {
        "X": "x", "y": "d", "w1": "W1", "bias1": "b1", "dout": adjoint_of("p")
    }  # fmt: skip
    assert NAMING.matched(["du1", "p", "q7_long"]) == {"du1": adjoint_of("u1"), "p": "p"}
    assert Naming(MODEL, {"q": "W1"}).matched(["q", "x"]) == {"q": "W1", "x": "x"}


def test_a_pair_of_functions_and_its_cache():
    text = "def fc_forward(x, w1, b1):\n    return x, (x, w1)\n"
    text += "def fc_backward(du1, cache):\n    return 1\n"
    assert planned(text).plan.calls == (
        Call("fc_forward", (("x", Data("x")), ("w1", Data("W1")), ("b1", Data("b1")))),
        Call("fc_backward", (("du1", Data(adjoint_of("u1"))), ("cache", Result(0, -1)))),
    )


def test_a_table_of_parameters_and_a_tuple():
    (call,) = planned("def grads(params, x, t):\n    return params['w1'], params['b_1']\n").plan.calls
    table = dict(call.arguments)["params"]
    assert isinstance(table, Table) and {("w1", "W1"), ("b_1", "b1")} <= set(table.keys)
    (call,) = planned("def backward(dp, cache):\n    x, w1 = cache\n    return x\n").plan.calls
    assert dict(call.arguments)["cache"] == Sequence(("x", "W1"))


def test_the_best_candidate_is_found_by_itself():
    text = "def sigmoid_grad(z):\n    return z\ndef gradients(x, d, W1, b1):\n    return 1\n"
    text += "def helper(x):\n    return x\n"
    assert planned(text).name == "gradients"
    with pytest.raises(SymbackpropError, match="does not define 'absent'"):
        planned(text, "absent")


def test_layouts_go_both_ways():
    tried = list(layouts(MODEL))
    assert [each.name for each in tried] == [
        "", "W1 transposed", "batch last", "batch last, W1 transposed", "d as labels",
        "W1 transposed, d as labels", "batch last, d as labels", "batch last, W1 transposed, d as labels",
    ]  # fmt: skip
    array = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(tried[2].array("x", array), array.T)
    assert np.array_equal(tried[1].array("x", array), array)
    assert tried[2].array("b1", np.ones(3)).shape == (3, 1)
    assert list(tried[4].array("d", np.eye(3)[[2, 0]])) == [2, 0]
    assert np.array_equal(tried[4].array(adjoint_of("d"), array), array)


def test_names_that_the_user_gives(tmp_path):
    table = tmp_path / "names.toml"
    table.write_text('[audit]\ndw = "W1"\neps = 1e-5\n')
    assert mapping_of(["a=b, c=d", str(table)], "m.model") == {"a": "b", "c": "d", "dw": "W1", "eps": "1e-05"}
    for wrong in ("[audit\n", "[audit]\na = [1]\n"):
        table.write_text(wrong)
        with pytest.raises(SymbackpropError):
            mapping_of([], str(table))
