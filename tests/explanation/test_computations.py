from fractions import Fraction

import pytest

from symbackprop.array.program import Loop, Store
from symbackprop.explanation.programs.computations import Pass
from symbackprop.explanation.programs.polynomials import Polynomial, total_of
from symbackprop.explanation.storage import kept_arrays
from symbackprop.notation.expressions import Axis, Index
from symbackprop.systems.printing import text
from tests.explanation.explained import computations_of, explained, seed


def shown(polynomial: Polynomial) -> str:
    return text(polynomial.expression)


def test_polynomials_are_added_multiplied_and_evaluated():
    axis, other = Axis("B", "b"), Axis("A", "a")
    one, two = Index("b", axis), Index("c", axis)
    square = Polynomial.elements([one, two, one])
    assert shown(square * 3 + Polynomial.of(1)) == "3*B^2 + 1"
    half = Polynomial.of(Fraction(1, 2))
    product = (Polynomial.size(axis) + Polynomial.of(2)) * (Polynomial.size(other) + half)
    assert product.at({"A": 4, "B": 3}) == round((3 + 2) * (4 + 0.5))
    assert shown(square + square * -1) == "0"
    assert total_of([]).at({}) == 0


def test_operations_are_counted_on_the_program():
    by_name = seed().computations.by_name
    # 2*I multiply-adds for each of B*J elements, and one addition.
    assert shown(by_name["u1"].operations) == "2*B*I*J + B*J"
    assert shown(by_name["delta1"].operations) == "2*B*J*K + 3*B*J"
    assert shown(by_name["y"].operations) == "0"
    assert shown(by_name["grad_b2"].operations) == "B*K"


def test_what_only_moves_numbers_counts_nothing_and_loops_count_their_steps():
    computations = computations_of(
        "index t : T\nindex j : J\nparam a[j], h0[j]\ninput x[t,j]\n"
        "h[t,j] = a[j]*where(t == 0, h0[j], h[t-1,j]) + x[t,j]\nloss E = sum(t, j, h[t,j])"
    )
    assert shown(computations.by_name["h"].operations) == "2*J*T"
    moved = computations_of("index i : I\nparam w[i]\nz[i] = pad(w[i-1])\nloss E = sum(i, z[i])")
    assert shown(moved.by_name["z"].operations) == "0"


def test_what_one_step_of_a_loop_computes_counts_once():
    computations = computations_of(
        "index t : T\nindex j, k : J\nindex i : I\nparam W[j,k], V[i,j]\ninput x[t,j]\n"
        "h[t,j] = tanh(sum(k, W[j,k]*pad(h[t-1,k])) + x[t,j])\n"
        "y[i] = sum(j, V[i,j]*h[size(t) - 1,j])\nloss E = sum(i, y[i]^3)"
    )
    # V is multiplied in the last step alone, W in each.
    assert shown(computations.by_name["delta_u_h"].operations) == "2*J^2*T + 2*I*J + 2*J*T"


def test_what_is_added_in_place_is_an_addition():
    computations = computations_of(
        "index i : I = 9\nindex r : R = 3\nparam w[r]\ninput x[i]\n"
        "y[i] = sum(r, w[r]*pad(x[i+r-1]))\nloss E = sum(i, y[i]^2)"
    )
    (loop,) = (line for line in computations.by_name["y"].lines if isinstance(line, Loop))
    assert any(isinstance(line, Store) and line.accumulate for line in loop.body)
    assert shown(computations.by_name["y"].operations) == "2*I*R"


def test_each_line_is_found_by_the_tensor_that_it_is_computed_for():
    module = seed().computations.module.text.splitlines()
    (span,) = seed().computations.spans_for("delta2")
    assert module[span.first - 1].strip() == span.code == "delta2 = y - d"
    recurrent = explained("recurrent").computations
    (inner,) = recurrent.spans_for("delta_u")  # a store in a loop: the array that it fills is no computation
    assert inner.code.startswith("delta_u[:, t] = ")
    serving = {span.code.partition(" = ")[0] for span in recurrent.spans_serving("delta_u")}
    assert "delta_u_difference" in serving and inner in recurrent.spans_serving("delta_u")
    assert not recurrent.spans_for("delta_u_difference")  # a part of an equation is not the equation


def test_lines_are_read_where_their_names_stand():
    computations = seed().computations
    readers = [each.line.name for each in computations.flow.readers["delta2", 0]]
    assert readers == ["E", "grad_W2", "grad_b2", "delta1"]
    assert computations.by_name["delta2"].on is Pass.LOSS
    assert computations.by_name["u1"].on is Pass.FORWARD
    assert computations.by_name["delta1"].on is Pass.BACKWARD
    behind = computations.flow.behind(("delta1", 0), kept=["z1", "delta2"])
    assert behind.terms == computations.by_name["delta1"].operations.terms


def test_what_nothing_needs_is_no_computation():
    computations = computations_of("index i : I\nparam w[i]\nz[i] = exp(w[i])\nloss E = sum(i, log(z[i]))")
    printed = {name for name in computations.by_name if f"{name} = " in computations.module.text}
    assert set(computations.by_name) == printed


def test_what_is_read_twice_is_reused():
    found = {each.name: each for each in seed().reused}
    assert list(found) == ["delta2", "delta1", "z1"]
    assert shown(found["delta2"].once) == "B*K"
    # Three more times from the inputs on: both layers and the difference.
    assert found["delta2"].saved.at({"B": 1, "I": 1, "J": 1, "K": 1}) == 3 * (2 + 1 + 1 + 2 + 1 + 1)


def test_a_line_in_a_loop_takes_what_it_takes_at_each_step():
    (h,) = (each for each in explained("recurrent").reused if each.name == "h")
    assert [span.code for span in h.spans] == ["h[:, t] = np.tanh(u)"]
    assert shown(h.once) == "J*N*T"
    assert shown(h.from_inputs) == "2*J^2*N*T + 2*J*N*T"


@pytest.mark.parametrize(
    ("name", "kept"),
    [("seed", {"z1": "B*J", "delta2": "B*K"}), ("classics/batch_norm_input_alone", {"xhat": "B*C"})],
)
def test_what_lives_until_the_backward_pass(name, kept):
    assert {each.name: shown(each.elements) for each in explained(name).kept} == kept


def test_a_view_takes_no_memory_of_its_own():
    computations = computations_of(
        "index b : B\nindex i : I\nparam W[i,b]\ninput x[b,i]\nz[b,i] = tanh(W[i,b])\ny[i,b] = z[b,i]\n"
        "loss E = sum(b, i, y[i,b]^2*x[b,i])"
    )
    names = [each.name for each in kept_arrays(computations)]
    assert "z" in names and "y" not in names


def test_widths_of_padding_have_a_value():
    computations = computations_of(
        "index t : T\nindex r : R\nparam x[t], a[r]\nz[t] = sum(r, a[r]*pad(x[t-3*r]))\n"
        "loss E = sum(t, z[t]^2)"
    )
    (padded,) = (each for each in kept_arrays(computations) if each.name == "x_padded")
    assert padded.elements.at({"T": 5, "R": 3}) == 5 + 3 * 2
    assert padded.elements.at({"T": 5, "R": 0}) == 5
