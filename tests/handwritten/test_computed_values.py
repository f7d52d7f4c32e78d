"""Which values a stranger's statements compute, and what is seen of them."""

import ast

import numpy as np

from symbackprop.handwritten.plans import Attempt, Call, Data, Plan, Program
from symbackprop.handwritten.processes import Here
from symbackprop.handwritten.running.computed_values import computed_in, place_of

CODE = """
relu = {"f": lambda v: v*2, "df": lambda v: v + 1}

def backward(x, h):
    g, grads = {}, []
    g["W"], (a, b) = x + h, (x - h, x*h)
    g["U"] = c = (d := x + 1) * h
    grads.append(x.T)
    grads.insert(0, h.T)
    np.add.at(a, 0, b[0])
    for e, f in zip(x, h):
        g["s"] = [e*r for r in f]
    def inner(q):
        return relu["df"](q)
    np.multiply(a, b, out=c)
    return inner(a), {"b": b*3, "n": -c}, "text"
"""


def values():
    return list(computed_in(ast.parse(CODE)))


def test_each_value_has_its_own_target():
    found = {(each.target, ast.unparse(each.value)) for each in values() if not each.items}
    assert found >= {
        ("g['W']", "x + h"), ("a", "x - h"), ("b", "x * h"), ("c", "(d := (x + 1)) * h"), ("d", "x + 1"),
        ("grads", "x.T"), ("grads", "h.T"), ("a", "b[0]"), ("", "e * r"), ("return", "relu['df'](q)"),
        ("c", "np.multiply(a, b, out=c)"), ("return[0]", "inner(a)"), ("return[1]['b']", "b * 3"),
        ("return[1]['n']", "-c"), ("return", "v + 1"),
    }  # fmt: skip
    assert {each.target for each in values() if each.items} >= {"(g['W'], (a, b))", "return"}


def test_functions_and_loops_around():
    by_text = {ast.unparse(each.value): each for each in values()}
    assert by_text["e * r"].loops == ("e", "f", "r")
    assert by_text["e * r"].function == "backward.<locals>.<listcomp>"
    assert by_text["relu['df'](q)"].function == "backward.<locals>.inner"
    assert by_text["v + 1"].function == "<lambda>"


def test_what_was_computed_is_seen_and_results_stay():
    plan = Plan((Call("backward", (("x", Data("x")), ("h", Data("h")))),))
    x, h = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    program = Program("import numpy as np\n" + CODE, "code.py")
    ((outcome,),) = Here(program).outcomes([Attempt(plan, ({"x": x, "h": h},))], 1)
    assert not outcome.error, outcome.error
    seen: dict[str, list[np.ndarray]] = {}
    for event in outcome.events:
        seen.setdefault(event.name, []).append(event.value)
    tree = ast.parse(program.text)
    places = {ast.unparse(each.value): place_of(each.value) for each in computed_in(tree)}
    assert np.array_equal(seen[places["x + h"]][0], x + h)
    assert [each.shape for each in seen[places["e * r"]]] == [(3,)] * 6
    assert np.array_equal(outcome.results["return[1]['b']"], 3 * x)
    ((plain,),) = Here(program).outcomes([Attempt(plan, ({"x": x, "h": h},))], 0)
    assert all(np.array_equal(plain.results[path], array) for path, array in outcome.results.items())
