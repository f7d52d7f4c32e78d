"""The order of equations, and the recurrences among them."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems import step_places
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import computations

DECLARED = "index t, s : T\nindex j : J\ninput x[t,j], w[t,s]\n"


def stages(text: str) -> list[tuple[tuple[str, ...], int]]:
    """The tensors of each stage, and the direction of its recurrence, 0 where it is none."""
    found = stages_of(parse_system(DECLARED + text).equations)
    return [
        (
            tuple(each.tensor for each in stage.equations),
            stage.recurrence.direction if stage.recurrence else 0,
        )
        for stage in found
    ]


def test_plain_equations_come_one_by_one() -> None:
    assert stages("z[t] = 2*y[t]\ny[t] = sum(j, x[t,j])") == [(("y",), 0), (("z",), 0)]


def test_forwards_backwards_and_several_steps() -> None:
    assert stages("h[t] = where(t == 0, 0, h[t-1]) + x[t,0]") == [(("h",), 1)]
    assert stages("h[t] = where(t < 2, 0, h[t-2]) + where(t == 0, 1, h[t-1])") == [(("h",), 1)]
    assert stages("h[t] = where(t == size(t) - 1, 0, h[t+1]) + x[t,0]") == [(("h",), -1)]


def test_equations_that_read_one_another_stand_in_the_order_of_a_step() -> None:
    text = "h[t] = 2*u[t]\nu[t] = x[t,0] + where(t == 0, 0, h[t-1])\ny[t] = h[t]"
    assert stages(text) == [(("u", "h"), 1), (("y",), 0)]


def test_all_earlier_steps_may_be_read_where_that_is_proved() -> None:
    assert stages("h[t] = x[t,0] + sum(s, where(s < t, w[t,s]*h[s], 0))") == [(("h",), 1)]
    with pytest.raises(NotationError, match="circle"):
        stages("h[t] = x[t,0] + sum(s, where(s <= t, w[t,s]*h[s], 0))")


def test_tensors_over_axes_of_different_lengths_recur_through_each_other() -> None:
    longer = "index u : U = T + 1\n"
    text = "p[t] = x[t,0]*z[t]\nz[u] = where(u == 0, 0, p[u-1])"
    assert stages(longer + text) == [(("z", "p"), 1)]
    backwards = "z[u] = where(u < size(t), p[u], 0)\np[t] = x[t,0] + z[t+1]"
    assert stages(longer + backwards) == [(("p", "z"), -1)]
    with pytest.raises(NotationError, match="circle"):
        stages(longer + "p[t] = x[t,0]*z[t]\nz[u] = where(u < size(t), p[u], 0)")


def test_axes_of_declared_sizes_are_compared_too() -> None:
    text = "index u : U = 4\nindex v : V = 6\ninput a[v], b[u]\n"
    text += "q[v] = where(v == 0, a[v], where(v - 1 < size(u), p[v-1], a[v]))\np[u] = b[u]*q[0 + u]"
    system = parse_system(text)
    (stage,) = stages_of(system.equations)
    assert stage.recurrence is not None
    assert stage.recurrence.axis.name == "V"


def test_parents_given_as_data_lie_before_the_step_where_a_guard_says_so() -> None:
    parents = "input par[t], q[t] in T\n"
    assert stages(parents + "h[t] = x[t,0] + where(par[t] < t, h[par[t]], 0)") == [(("h",), 1)]
    assert stages(parents + "h[t] = x[t,0] + where(t < par[t], h[par[t]], 0)") == [(("h",), -1)]
    for guard in ("par[t] <= t", "q[t] < t", "par[t] < t + 1"):
        with pytest.raises(NotationError, match="circle"):
            stages(parents + f"h[t] = x[t,0] + where({guard}, h[par[t]], 0)")


def test_the_step_may_be_the_second_of_two_indices_of_one_axis() -> None:
    (stage,) = stages_of(parse_system(DECLARED + "A[t,s] = where(s == 0, w[t,s], A[t,s-1])").equations)
    assert stage.recurrence is not None
    assert stage.recurrence.places == {"A": 1}
    # Each member has its own place.
    text = "A[t,s] = where(s == 0, w[t,s], B[s-1,t])\nB[s,t] = 2*A[t,s]"
    (stage,) = stages_of(parse_system(DECLARED + text).equations)
    assert stage.recurrence is not None
    assert stage.recurrence.places == {"A": 1, "B": 0}


@pytest.mark.parametrize(
    "text",
    [
        "h[t] = where(t == 0, 0, h[t-1]) + where(t == size(t) - 1, 0, h[t+1])",
        "h[t] = u[t]\nu[t] = h[t] + where(t == 0, 0, h[t-1])",
        "h[t] = h[t]",
    ],
)
def test_what_cannot_be_computed_is_refused(text: str) -> None:
    with pytest.raises(NotationError, match="in a circle"):
        stages(text)


def test_the_search_for_the_step_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every choice of places fits all reads but the last, whatever was chosen before."""
    chain = [f"h{n}[t,s] = where(t > 0 and s > 0, h{n + 1}[0,0], 0)" for n in range(6)]
    text = "\n".join([*chain, "h6[t,s] = pad(h0[t+1,s+1])"])
    with pytest.raises(NotationError, match="in a circle"):
        stages(text)
    monkeypatch.setattr(step_places, "MOST_TRIES", 50)
    with pytest.raises(NotationError, match="the step of the recurrence over h0, h1"):
        stages(text)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_a_recurrence_has_the_value_that_a_loop_gives(steps: int) -> None:
    system = parse_system(DECLARED + "h[t] = x[t,0] + sum(s, where(s < t, w[t,s]*h[s], 0))")
    rng = np.random.default_rng(steps)
    values = {"x": rng.normal(size=(steps, 3)), "w": rng.normal(size=(steps, steps))}
    expected = np.zeros(steps)
    for t in range(steps):
        expected[t] = values["x"][t, 0] + values["w"][t, :t] @ expected[:t]
    np.testing.assert_allclose(evaluate(system, values)["h"], expected, rtol=1e-12)


def nest(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    """Each recurrence of the only stage, the outermost first: its axis, its direction and its members."""
    (stage,) = stages_of(parse_system("index i : N\nindex j : M\ninput x[i,j]\n" + text).equations)
    return [(each.axis.name, each.direction, tuple(sorted(each.places))) for each in stage.nested]


def test_a_circle_within_a_step_may_be_a_recurrence_over_another_index() -> None:
    both = "D[i,j] = x[i,j] + pad(D[i-1,j]) + pad(D[i,j-1])"
    assert nest(both + " + pad(D[i-1,j-1]) + pad(D[i-1,j+1])") == [("N", 1, ("D",)), ("M", 1, ("D",))]
    assert nest(both.replace("j-1", "j+1")) == [("N", 1, ("D",)), ("M", -1, ("D",))]
    # D[i+1,j-1] lies before in j alone, which is the outer loop then.
    assert nest(both + " + pad(D[i+1,j-1])") == [("M", 1, ("D",)), ("N", 1, ("D",))]
    for circle in (" + pad(D[i+1,j+1])", " + pad(D[i-1,j+1]) + pad(D[i+1,j-1])", " + D[i,j]"):
        with pytest.raises(NotationError, match="circle: D needs D"):
            nest(both + circle)


def test_a_loop_within_a_loop_has_those_members_alone_that_need_it() -> None:
    text = "u[i,j] = where(i == 0, x[i,j], h[i-1,j])\nc[i,j] = u[i,j]*pad(c[i,j-1])\nh[i,j] = c[i,j] + u[i,j]"
    assert nest(text) == [("N", 1, ("c", "h", "u")), ("M", 1, ("c",))]


def test_a_nest_is_as_deep_as_it_needs_to_be() -> None:
    text = "index k : M\nS[i,j,k] = pad(S[i-1,j,k]) + pad(S[i,j-1,k]) + pad(S[i,j,k+1])*pad(S[i-1,j+1,k])"
    assert nest(text) == [("N", 1, ("S",)), ("M", 1, ("S",)), ("M", -1, ("S",))]


def test_one_loop_is_enough_where_one_index_orders_all_reads() -> None:
    assert nest("D[i,j] = x[i,j] + pad(D[i,j-1]) + pad(D[i-1,j-1])") == [("M", 1, ("D",))]


def test_steps_of_a_nest_come_row_by_row() -> None:
    text = "D[i,j] = 1 + pad(D[i-1,j]) + pad(D[i,j+1])"
    system = parse_system("index i : N\nindex j : M\n" + text)
    (stage,) = stages_of(system.equations)
    assert stage.recurrence is not None
    taken = [tuple(at.values()) for _, at in computations(stage.recurrence, {"N": 2, "M": 3})]
    assert taken == [(0, 2), (0, 1), (0, 0), (1, 2), (1, 1), (1, 0)]
    np.testing.assert_array_equal(evaluate(system, {}, {"N": 2, "M": 3})["D"], [[3, 2, 1], [9, 5, 2]])


@pytest.mark.parametrize(
    ("position", "is_earlier"),
    [
        ("where(z[t] < 0, min(t + 1, size(t) - 1), t - 1)", False),
        ("where(z[t] >= 0, t - 1, size(t) - 1)", False),
        ("max(t - 1 - floor(z[t]), 0)", False),
        ("where(z[t] < 0, max(t - 2, 0), t - 1)", True),
        ("max(t - 1 - k[t], 0)", True),
        ("where(z[t] > 0, min(k[t], t - 1), 0)", True),
    ],
)
def test_a_step_that_real_numbers_choose_is_an_earlier_one_whatever_they_are(
    position: str, is_earlier: bool
) -> None:
    """A looked-up step is 0 or more; a number that is compared, or rounded, may be less."""
    text = (
        "index t : T\ninput z[t], u[t]\ninput k[t] in T\nparam a\n"
        f"h[t] = where(t == 0, 0, a*h[{position}]) + u[t]\n"
    )
    if is_earlier:
        assert parse_system(text).equations
    else:
        with pytest.raises(NotationError, match="in a circle: h needs h") as caught:
            parse_system(text)
        assert f"where({position} < t, h[{position}], 0)" in str(caught.value)


def test_a_side_that_data_choose_is_turned_round() -> None:
    text = "index b : B\nindex t : T\ninput x[b,t], d[b]\nparam a\n"
    with pytest.raises(NotationError, match="in a circle: h needs h") as caught:
        parse_system(text + "h[b,t] = a*where(d[b] > 0, pad(h[b,t-1]), pad(h[b,t+1])) + x[b,t]\n")
    assert "read h[b,t - 1] alone" in caught.value.remedy
    system = parse_system(
        text
        + "z[b,t] = where(d[b] > 0, x[b,t], x[b,size(t) - 1 - t])\ng[b,t] = a*pad(g[b,t-1]) + z[b,t]\n"
        + "h[b,t] = where(d[b] > 0, g[b,t], g[b,size(t) - 1 - t])\n"
    )
    tensors = {"x": np.array([[1.0, 2, 4], [1, 2, 4]]), "d": np.array([1.0, -1]), "a": np.array(3.0)}
    found = evaluate(system, tensors)["h"]
    np.testing.assert_array_equal(found, [[1, 5, 19], [43, 14, 4]])
