"""What charts show, as numbers: orders of differences, descents by hand, patterns by hand."""

import numpy as np
import pytest

from symbackprop import NotationError, VerificationError, load, loads
from symbackprop.pipeline import Model
from symbackprop.plotting.descents import Descent, descents
from symbackprop.plotting.jacobians import JacobianPattern, jacobian_pattern, reached_tensors, weighted
from symbackprop.plotting.step_errors import step_errors
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check
from symbackprop.verification.judged_equations import Equations
from tests.explanation.explained import EXAMPLES


def judged(model: Model, wrt: list[str] | None = None) -> tuple[ModuleUnderCheck, Equations]:
    derived = model.derive(wrt)
    return under_check(derived.module(verify=False)), Equations(model.system, derived.derivation)


def pattern(text: str, of: str, wrt: list[str] | None = None) -> JacobianPattern:
    model = loads(text)
    system, weights = weighted(model.system, of)
    checked, equations = judged(Model(system), wrt or list(reached_tensors(model.system, of)))
    return jacobian_pattern(checked, equations, of, weights)


# ---- the error of numerical differentiation


def test_errors_fall_by_their_order_and_rounding_turns_them():
    errors = step_errors(*judged(load(EXAMPLES / "seed.model")))
    curves = zip(errors.forward, errors.central, errors.complex_step, strict=True)
    at = dict(zip(errors.steps, curves, strict=True))
    wide, narrow = (np.array(at[step]) for step in (1e-1, 1e-3))
    orders = np.log10(wide / narrow) / 2
    assert orders == pytest.approx([1, 2, 2], abs=0.1)
    best = int(np.argmin(errors.central))
    assert 1e-6 < errors.steps[best] < 1e-3 and errors.central[best] < 1e-9
    assert at[1e-10][1] > 1e4 * errors.central[best]
    assert all(
        error < 1e-14 for step, error in zip(errors.steps, errors.complex_step, strict=True) if step < 1e-8
    )


def test_what_is_stopped_stands_still():
    checked, equations = judged(loads("index i : I\nparam x[i]\nloss E = sum(i, stop(x[i])*sin(x[i]))"))
    errors = step_errors(checked, equations)
    assert min(errors.forward) < 1e-6 and min(errors.central) < 1e-9 and errors.complex_step[-1] < 1e-14


def test_an_intermediate_alone_is_moved_by_nothing():
    checked, equations = judged(loads("param a\ny = a^2\nloss E = y^3"), ["y"])
    for work in (step_errors, descents):
        with pytest.raises(VerificationError, match=r"moved|free to move"):
            work(checked, equations)


# ---- descents


def test_a_descent_is_what_one_works_out_by_hand():
    checked, equations = judged(loads("param a\nloss E = 1/2*a^2"))
    slow, exact, never = descents(checked, equations, (0.25, 1.0, 2.0), steps=4)
    start = slow.losses[0]
    assert slow.losses == pytest.approx([start * 0.75 ** (2 * step) for step in range(4)])
    assert exact.losses == pytest.approx([start, 0, 0, 0]) and never.losses == pytest.approx([start] * 4)
    assert not (slow.diverged or never.diverged)


def test_a_descent_that_diverges_ends_where_the_loss_is_finite_no_more():
    checked, equations = judged(loads("param a\nloss E = a^4"))
    (wild,) = descents(checked, equations, (1e4,), steps=100)
    assert wild.diverged and len(wild.losses) < 100 and np.isfinite(wild.losses).all()


def test_a_descent_ends_where_the_module_refuses_what_it_is_given():
    checked, equations = judged(
        loads(
            "index i, j : I\nparam A[i,j]\nfact positive_definite(A)\nloss E = sum(i, A[i,i]) + 0*logdet(A)"
        )
    )
    (left,) = descents(checked, equations, (10.0,))
    assert isinstance(left, Descent) and left.diverged and len(left.losses) == 1


FIT = "index n : N\ninput x[n]\ntarget d[n]\nparam w\nloss E = 1/2*sum(n, (w*x[n] - d[n])^2)\n"


def test_a_descent_on_given_data_is_what_one_works_out_by_hand():
    checked, equations = judged(loads(FIT))
    (found,) = descents(checked, equations, (0.1,), 3, data={"x": [1, 2], "d": [2.0, 4.0], "w": 1})
    errors = [1.0, 0.5, 0.25]  # of w, which falls by 0.1*(1 + 4) of itself
    assert found.losses == pytest.approx([5 / 2 * error**2 for error in errors])


def test_what_the_data_leave_out_is_random_and_fits():
    checked, equations = judged(loads(FIT))
    given = {"x": np.ones(7)}
    first, again, other = (descents(checked, equations, (0.01,), 3, seed, given) for seed in (0, 0, 1))
    assert first == again != other and first != descents(checked, equations, (0.01,), 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"E": 1.0}, "declares no tensor 'E'"),
        ({"q": 1.0}, "declares no tensor 'q'"),
        ({"x": np.ones(2), "d": np.ones(3)}, "axis N of 'd' has 3 values, elsewhere 2"),
        ({"x": np.ones((2, 2))}, "'x' has 2 axes, the model gives it 1"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, message):
    checked, equations = judged(loads(FIT))
    with pytest.raises(VerificationError, match=message):
        descents(checked, equations, data=data)


# ---- Jacobians


def test_a_shift_is_a_diagonal_beside_the_diagonal():
    found = pattern("index t : T\nparam x[t]\ny[t] = x[t]^2 + pad(x[t-1])\nloss E = sum(t, y[t])", "y")
    size = found.rows.size
    assert found.is_nonzero.tolist() == (np.eye(size) + np.eye(size, k=-1) > 0).tolist()


def test_columns_stand_side_by_side_with_their_shapes():
    found = pattern(
        "index b : B\nindex i : I\ninput x[b,i]\nparam w[i]\n"
        "y[b] = sum(i, w[i]*x[b,i])\nloss E = sum(b, y[b])",
        "y",
    )
    x, w = found.columns
    assert (x.tensor, x.axes, w.tensor, w.size) == ("x", ("b", "i"), "w", x.shape[1])
    rows = found.rows.size
    assert found.is_nonzero[:, : x.size].tolist() == (np.kron(np.eye(rows), np.ones(w.size)) > 0).tolist()
    assert found.is_nonzero[:, x.size :].all()


def test_a_unit_that_is_dead_on_one_draw_counts():
    found = pattern("index i : I\nparam x[i]\ny[i] = relu(x[i])\nloss E = sum(i, y[i])", "y")
    assert found.is_nonzero.tolist() == np.eye(found.rows.size, dtype=bool).tolist()


def test_the_loss_and_an_intermediate():
    text = "index i : I\nparam x[i], v\nz[i] = x[i]^2\nloss E = v*z[0]"
    assert pattern(text, "E", ["z"]).is_nonzero.sum() == 1
    assert pattern(text, "z").columns[0].tensor == "x"  # and nothing of v


def test_what_no_picture_can_show():
    with pytest.raises(VerificationError, match="3,000 rows"):
        pattern("index i : I = 3000\nparam x[i]\nloss E = sum(i, x[i])\ny[i] = x[i]^2", "y")
    with pytest.raises(NotationError, match="no tensor named 'nix'"):
        pattern("param a\nloss E = a^2", "nix")


def test_names_that_the_weights_would_take():
    found = pattern("index i : I\nparam v[i], weighted\ny[i] = weighted*v[i]\nloss E = sum(i, y[i])", "y")
    assert [part.tensor for part in found.columns] == ["v", "weighted"]
