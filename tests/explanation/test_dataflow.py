"""What reads what in the bodies of loops, and what recomputing an array takes from what is kept."""

import pytest

from symbackprop.explanation.programs.dataflow import Dataflow
from symbackprop.explanation.storage import kept_arrays
from symbackprop.systems.printing import text
from tests.explanation.explained import computations_of

# A leaky integrator whose gate and output are functions of its state: all of them are kept.
LEAKY = """
index t : T
index i, k : I
input x[t,i]
param a[i], W[i,k], c[i]
r[t,i] = sigmoid(sum(k, W[i,k]*pad(s[t-1,k])) + a[i])
s[t,i] = r[t,i]*pad(s[t-1,i]) + x[t,i]
z[t,i] = sin(s[t,i])
loss E = sum(t, i, c[i]*z[t,i]^2)
"""


@pytest.fixture(scope="module")
def leaky():
    return computations_of(LEAKY)


def test_recomputing_starts_from_what_is_kept(leaky):
    kept = {each.name: each for each in kept_arrays(leaky)}
    shown = {name: text(each.recomputing.expression) for name, each in kept.items()}
    assert shown["z"] == "I*T" and kept["z"].steps == ""
    # Its gate is kept, but its own earlier step is not where it is given up itself.
    assert shown["s"] == "2*I*T" and kept["s"].steps == "t"
    assert shown["r"] == "2*I^2*T + 2*I*T" and kept["r"].steps == ""


def test_without_anything_kept_all_that_stands_before_runs(leaky):
    assert text(leaky.flow.behind(("z", 0)).expression) == "2*I^2*T + 5*I*T"


def test_readers_inside_the_loop_that_computes_an_array_are_readers(leaky):
    readers = {name: [run.line.name for run in runs] for (name, _), runs in leaky.flow.readers.items()}
    assert {"s", "r"} <= readers.keys()
    assert "s" in readers["r"] and "z" in readers["s"] and "s_before" in readers["s"]


def test_the_same_name_in_two_loops_is_two_names(leaky):
    loops = {loop for name, loop in leaky.flow.writers if name == "s_before"}
    assert len(loops) == 2
    assert all(len(leaky.flow.writers["s_before", loop]) == 1 for loop in loops)


def test_a_recurrence_that_reads_the_array_it_stores_into_goes_step_by_step():
    computations = computations_of(
        "index i : I\nindex s : S = I + 1\nparam w[i]\n"
        "z[s] = where(s == 0, 1, z[s-1]*w[s-1] + 1)\nloss E = sum(s, z[s]^3)"
    )
    flow = computations.flow
    assert flow.steps_again(("z", 0), kept=["z"]) is not None
    assert Dataflow(()).steps_again(("z", 0)) is None
