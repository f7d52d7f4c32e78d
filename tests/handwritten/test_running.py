"""A stranger's file: what of it runs, where, for how long, and what is seen of it."""

import gc
import os
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from symbackprop.errors import VerificationError
from symbackprop.handwritten.plans import Attempt, Call, Change, Data, Plan, Program, Result, SizeOf, Table
from symbackprop.handwritten.processes import Apart, Here
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.performing import time_limit
from tests.processes import run_within

SCRIPT = """
import math
SIZE = 3
broken = 1/0

def twice(x):
    return 2*x

trained = twice(4)
print("training")
for _ in range(3):
    SIZE += 1
"""
NET = """
import os

class Net:
    def __init__(self, size):
        self.params = {"w": [0.0]*size}
        self.held = self.params

    def forward(self, x):
        self.x = x
        return x*self.params["w"], "cache"

    def backward(self, dout, cache):
        assert cache == "cache"
        x = self.x
        x *= 2
        self.grads = {"w": dout*x}
        self.pid = os.getpid()
"""
PLAN = Plan(
    (
        Call("Net", (("size", SizeOf("x", 0)),)),
        Call("self.forward", (("x", Data("x")),)),
        Call("self.backward", (("dout", Data("dy")), ("cache", Result(1, -1)))),
    ),
    ((("params", "w"), "w"),),
)
DATA = {"x": np.array([1.0, 2.0]), "w": np.array([3.0, 4.0]), "dy": np.array([5.0, 6.0])}


def test_definitions_run_and_the_rest_of_a_script_does_not(capsys):
    names = defined(Program(SCRIPT, "script.py"), {"around": 1})
    assert names["SIZE"] == 3 and names["twice"](2) == 4 and names["around"] == 1
    assert not {"broken", "trained"} & names.keys() and capsys.readouterr().out == ""


@pytest.mark.parametrize("runner", [Here, Apart])
def test_an_object_is_made_filled_and_asked(runner):
    ((outcome,),) = runner(Program(NET, "net.py")).outcomes([Attempt(PLAN, (DATA,))], 1)
    assert not outcome.error and list(outcome.results["self.grads['w']"]) == [10.0, 24.0]
    assert outcome.changed == ("x",)  # in place
    assert (int(outcome.results["self.pid"]) == os.getpid()) == (runner is Here)
    seen = {(each.function, each.line, each.name): each.value for each in outcome.events}
    assert list(seen["Net.backward", 16, "x"]) == [2.0, 4.0]


def test_a_change_is_tried_and_taken_back():
    runner = Here(Program("def f(p, x):\n    return p['w']*x\n", "f.py"))
    plan = Plan((Call("f", (("p", Table((("w", "w"),))), ("x", Data("x")))),))
    change = Change("def f(p, x):\n    return p['w']*x*_size\n", {"_size": (np.asarray(2.0),)})
    expected = ({"return": 2 * DATA["w"] * DATA["x"]},)
    attempt = Attempt(plan, (DATA,))
    same = Change("def f(p, x):\n    return p['w']*x\n")
    raising = Change("def f(p, x):\n    raise ValueError\n")
    endless = Change("def f(p, x):\n    while True:\n        pass\n")
    found = runner.mended(attempt, [change, same, raising, endless], expected, {"return": 1})
    assert found == [{"return": 2}, {}, {}, {}]


def test_what_is_not_installed_fails_where_it_is_used():
    text = "import no_such_module.plots as plt\nfrom no_such_module import data\n"
    text += "def f():\n    return 1.0\ndef g():\n    return plt.pi\ndef h():\n    return data(3)\n"
    attempts = [Attempt(Plan((Call(name),)), ({},)) for name in "fgh"]
    outcomes = [outcome for (outcome,) in Here(Program(text, "f.py")).outcomes(attempts, 0)]
    assert outcomes[0].results == {"return": 1.0}
    assert [each.line for each in outcomes] == [0, 6, 8]
    assert all(each.error.startswith("ModuleNotFoundError") for each in outcomes[1:])


def test_limits_and_failures_are_said():
    attempt = Attempt(Plan((Call("f"),)), ({},))
    endless = Program("def f():\n    while True:\n        pass\n", "endless.py")
    with pytest.raises(VerificationError, match=r"endless\.py runs for more than 0\.2 s"):
        Apart(endless, seconds=0.2).outcomes([attempt], 0)
    with pytest.raises(VerificationError, match="cannot be run: ZeroDivisionError"):
        Apart(Program("class Net:\n    size = 1/0\n", "f.py")).outcomes([attempt], 0)
    ((outcome,),) = Here(Program("def f():\n    return undefined\n", "f.py")).outcomes([attempt], 0)
    assert outcome.line == 2 and outcome.error.startswith("NameError")


def test_the_process_imports_nothing_of_models():
    """An audit starts a handful of them, and each reads what it imports."""
    asked = "import sys, symbackprop.handwritten.running.worker; print(*sys.modules)"
    done = run_within(60, [sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    read = {each.split(".")[1] for each in done.stdout.split() if each.startswith("symbackprop.")}
    assert "handwritten" in read and read.isdisjoint({"notation", "integers", "functions", "systems"})


def spin() -> None:
    begun = time.process_time()
    while time.process_time() < begun + 2.0:
        pass


def test_a_limit_whose_error_is_swallowed_holds_all_the_same() -> None:
    with pytest.raises(TimeoutError), time_limit(0.02):
        with suppress(TimeoutError):
            spin()
        spin()


def test_within_a_limit_nothing_is_collected() -> None:
    assert gc.isenabled()
    with pytest.raises(TimeoutError), time_limit(0.02):
        assert not gc.isenabled()
        spin()
    assert gc.isenabled()
