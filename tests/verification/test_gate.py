"""What a check may not overlook: kinks, its own blindness, the precision of results, judges that disagree."""

import re
import time

import numpy as np
import pytest

from symbackprop.cli.main import run
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.sampling.draws_at_kinks import exact_sizes
from symbackprop.verification import comparing
from symbackprop.verification.check import check_against
from symbackprop.verification.checked_module import under_check
from symbackprop.verification.comparing import of_elements
from symbackprop.verification.control import negative_control, perturbations
from symbackprop.verification.examination import Clock
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.judges import LOSSES_OF_STEP, by_differences, by_equations, samples
from symbackprop.verification.referee import HighPrecision
from symbackprop.verification.report import AT_KINKS, COMPLEX_STEP, DIGITS, SINGLE_PRECISION
from tests.programs import numpy_source
from tests.sweeps import swept
from tests.verification.on_numpy import check_model

BENT = """
index b : B
index i, l : I
input x[b,i]
param w[i], a
u[b,i] = w[i]*x[b,i] + a
r[b] = max(i, u[b,i]) - min(i, 2*u[b,i])
loss E = sum(b, i, relu(u[b,i]) + 3*abs(u[b,i]) + where(u[b,i] > 1, u[b,i]^2, 3*u[b,i])) + sum(b, r[b]^2)
"""
# Each kink of `BENT` on its wrong side: what stands in the module, and what would.
WRONG_SIDES = {
    "relu'(0) = 1": ("(u > 0.0)", "(u >= 0.0)"),
    "abs'(0) = 1": ("np.sign(u)", "np.copysign(1.0, u)"),
    "a comparison": ("np.where(u_above_one", "np.where(u >= 1.0"),
}


def module_of(text):
    system = parse_system(text)
    derivation = derive(system)
    return Equations(system, derivation), numpy_source(lower(derivation))


def checked(equations, source):
    return check_against(under_check(load_module(source, "edited")), equations, "edited")


def test_the_convention_at_every_kink_is_compared_and_named():
    report = check_model(parse_system(BENT))
    assert report.ok, report.rows
    named = " ".join(each.name for each in report.rounds)
    for kink in (
        "relu(u[b,i]) at 0",
        "abs(u[b,i]) at 0",
        "max(i, u[b,i]) at a tie",
        "u[b,i] > 1 at equality",
    ):
        assert kink in named
    assert not any("shows" in remark for remark in report.remarks)
    assert any(row.method == AT_KINKS and row.ok for row in report.rows)


@pytest.mark.parametrize("side", WRONG_SIDES)
def test_the_wrong_side_of_a_kink_fails_at_the_kink_alone(side):
    equations, source = module_of(BENT)
    old, new = WRONG_SIDES[side]
    head, tail = source.split("def value_and_grad")
    assert old in tail, tail
    report = checked(equations, head + "def value_and_grad" + tail.replace(old, new))
    assert {row.method for row in report.rows if not row.ok} == {AT_KINKS}


def test_a_kink_that_no_data_reach_is_said():
    text = (
        "index i : I\nparam w[i]\nloss E = sum(i, relu(sigmoid(w[i]) - 0.3)^2 + relu(sigmoid(w[i]) - 0.3))\n"
    )
    report = check_model(parse_system(text))
    assert report.ok
    assert any(
        remark.startswith("no data were found on which the convention shows") for remark in report.remarks
    )


def test_sizes_at_kinks_are_powers_of_two():
    assert set(exact_sizes(parse_system(BENT)).values()) <= {2, 4}


def test_every_perturbation_is_refused_by_a_judge_that_sees():
    gradient = np.array([[1.0, 2.0], [3.0, 5.0]])
    found = {each.fault for each in perturbations(gradient, 1, 1e-3)}
    assert found == {"one element", "sign", "a lost factor", "transposed", "one place late"}
    comparison = of_elements("w", COMPLEX_STEP, gradient, 1.0)
    control = negative_control([(comparison, gradient)], np.random.default_rng(0))
    assert control.planted == 5 and not control.unnoticed


def test_a_check_that_passes_everything_says_that_it_is_blind(monkeypatch, tmp_path, capsys):
    path = tmp_path / "square.model"
    path.write_text("index i : I\nparam w[i]\nloss E = sum(i, w[i]^2)\n")
    assert run(["check", str(path)]) == 0
    assert "perturbed gradients" in capsys.readouterr().out
    monkeypatch.setattr(comparing.Comparison, "seen", lambda self, gradient: self.expected)
    monkeypatch.setattr(comparing.Comparison, "of_terms", lambda self: 0.0)
    monkeypatch.setattr("symbackprop.verification.control._is_in_sight", lambda *_: True)
    assert run(["check", str(path)]) == 3
    assert "BLIND" in capsys.readouterr().err


SMOOTH = (
    "index b : B\nindex i : I\ninput x[b,i]\nparam w[i]\nloss E = sum(b, exp(sin(sum(i, w[i]*x[b,i]))))\n"
)


@pytest.mark.parametrize(
    ("leak", "method"),
    [
        ("np.asarray({}, dtype=np.float32)", COMPLEX_STEP),
        ("np.asarray({}, dtype=np.float32).astype(x.dtype)", DIGITS),
        ("np.asarray({}, dtype=np.float64)", SINGLE_PRECISION),
    ],
)
def test_another_precision_is_noticed(leak, method, tmp_path, capsys):
    equations, source = module_of(SMOOTH)
    name = "grad_w = "
    line = next(line for line in source.splitlines() if line.strip().startswith(name))
    edited = source.replace(line, line.split("=", 1)[0] + "= " + leak.format(line.split("=", 1)[1].strip()))
    report = checked(equations, edited)
    assert method in {row.method for row in report.rows if not row.ok}
    path = tmp_path / "edited.py"
    path.write_text(edited)
    assert run(["check", str(path)]) == 1  # its own loss is enough to see it
    assert "WRONG" in capsys.readouterr().out


def test_sixty_digits_decide_where_a_judge_is_at_fault():
    system = parse_system("index i : I\nparam w[i]\nloss E = sum(i, exp(w[i]))\n")
    values = {"w": np.array([0.25, -1.5, 2.0])}
    referee = HighPrecision(system, values, {"I": 3})
    right = np.exp(values["w"])
    assert referee("w", np.array([0.0, 1.0, 0.0])) == pytest.approx(right[1], rel=1e-16)
    misled = comparing.replace(of_elements("w", COMPLEX_STEP, right + 1e-9, 1.0), referee=referee)
    assert misled.row(right).ok and "high precision" in misled.row(right).note
    assert not misled.row(right + 1e-8).ok
    assert not comparing.replace(misled, referee=None).row(right).ok


@pytest.mark.parametrize(("budget", "code"), [("500ms", 0), ("2s", 0), ("0.1m", 0), ("soon", 2), ("-1s", 2)])
def test_a_budget_is_a_time(budget, code, tmp_path, capsys):
    path = tmp_path / "square.model"
    path.write_text("index i : I\nparam w[i]\nloss E = sum(i, w[i]^2)\n")
    assert run(["check", str(path), f"--budget={budget}"]) == code


def test_a_budget_is_not_spent_by_waiting():
    clock = Clock(1.0)
    time.sleep(0.2)
    assert clock.left > 0.9


def test_a_module_is_held_against_its_model(tmp_path, capsys):
    model, module = tmp_path / "bent.model", tmp_path / "bent.py"
    model.write_text(BENT)
    source = module_of(BENT)[1]
    module.write_text(source)
    assert run(["check", str(module), "--model", str(model)]) == 0
    assert AT_KINKS in capsys.readouterr().out
    module.write_text(source.replace("np.sign(u)", "np.copysign(1.0, u)"))
    assert run(["check", str(module), "--model", str(model)]) == 1
    model.write_text(SMOOTH)
    assert run(["check", str(module), "--model", str(model)]) == 2
    assert "other tensors than the model" in capsys.readouterr().err


SATURATED = """
index b : B
index k, l : K
param u[b,k]
const d[b,k]
p[b,k] = exp(scale*u[b,k])/sum(l, exp(scale*u[b,l]))
loss E = -sum(b, k, d[b,k]*log(p[b,k]))
fact sum(k, d[b,k]) == 1
"""


@pytest.mark.parametrize("scale", ["1", "1000"])
def test_a_loss_that_vanishes_is_no_difference(scale, tmp_path):
    """With one class, or one that takes all, loss and gradient are 0 up to rounding."""
    equations, source = module_of(SATURATED.replace("scale", scale))
    assert checked(equations, source).ok
    path = tmp_path / "saturated.py"
    path.write_text(source)
    assert run(["check", str(path)]) == 0


def test_where_time_is_short_many_tensors_share_the_search_for_a_step():
    names = [f"p{number}" for number in range(40)]
    model = parse_system(f"param {', '.join(names)}\nloss E = " + " + ".join(f"{name}^2" for name in names))
    many = under_check(load_module(numpy_source(lower(derive(model))), "many"))
    calls, loss = [], many.module.loss

    def counted(params):
        calls.append(params)
        return loss(params)

    many.module.loss = counted
    values = {name: np.array(0.1 * (number + 1)) for number, name in enumerate(names)}
    found = by_differences(many, values, names, 0.0, np.random.default_rng(0))
    assert len(calls) < len(names) * LOSSES_OF_STEP
    # Of all tensors together, and of each.
    assert {each.tensor for each in found} == {*names, "all"}
    for each in found[: len(names)]:
        assert each.row(2 * values[each.tensor]).ok
        assert not each.row(2.001 * values[each.tensor]).ok


DEEP = (
    "index b : B\nindex i : I\nindex j : J\ninput x[b,i]\nparam W[j,i], v[j], c\n"
    "h[b,j] = tanh(sum(i, W[j,i]*x[b,i]))\nloss E = sum(b, (sum(j, v[j]*h[b,j]) + c)^2)\n"
)


def test_a_complex_step_works_out_what_moves_with_its_tensor_alone(monkeypatch):
    system = parse_system(DEEP)
    equations = Equations(system, derive(system))
    sizes = {"B": 2, "I": 3, "J": 4}
    values = equations.sample(sizes, np.random.default_rng(0))
    known = equations.known(values, sizes)
    given: dict[str, set[bool]] = {}

    def loss(point):
        (moved,) = [name for name in "Wvc" if np.iscomplexobj(point[name])]
        given.setdefault(moved, set()).add("h" in point)
        return equations.loss(sizes, point)

    referee = HighPrecision(equations.system, values, sizes)
    rng = np.random.default_rng(0)
    found = by_equations(loss, known, values, ("W", "v", "c"), np.inf, rng, COMPLEX_STEP, referee)
    assert given == {"W": {False}, "v": {True}, "c": {True}}
    adjoints = equations.unsimplified(known, sizes)
    for comparison in found:
        assert comparison.usable.all() and not comparison.note
        np.testing.assert_allclose(comparison.expected, adjoints[comparison.tensor], rtol=1e-12)


def test_costs_decide_how_many_elements_of_each_tensor_are_moved():
    arrays = {"dear": np.zeros(1000), "cheap": np.zeros(1000)}
    costs = {"dear": 1e-2, "cheap": 1e-5}
    rng = np.random.default_rng(0)
    chosen, is_together = samples(arrays, 1.0, costs, rng)
    assert not is_together
    moved = {name: int(each.chosen.sum()) for name, each in chosen.items()}
    assert moved["dear"] >= 5 and len(chosen["dear"].directions) == 20
    spent = sum(costs[name] * (count + 20) for name, count in moved.items())
    assert spent <= 1.0
    every, _ = samples(arrays, np.inf, costs, rng)
    assert all(each.chosen.all() and not len(each.directions) for each in every.values())
    beyond, _ = samples({"w": np.zeros(200_001)}, np.inf, {"w": 1e-9}, rng)
    assert 50_000 <= beyond["w"].chosen.sum() <= 100_000 and len(beyond["w"].directions) == 20


def test_every_element_is_moved_on_demand_whatever_the_budget(tmp_path, capsys):
    path = tmp_path / "deep.model"
    path.write_text(DEEP)
    assert run(["check", str(path), "--budget", "1ms"]) == 0
    assert " elements" in capsys.readouterr().out
    assert run(["check", str(path), "--budget", "1ms", "--every"]) == 0
    captured = capsys.readouterr()
    assert " elements" not in captured.out
    assert "not tried" not in captured.err


def test_saturated_draws_are_passed_over():
    # With standard normal weights of 64 terms some probabilities underflow in a derivative.
    text = (
        "index n : N\nindex k : K = 8\nindex f : F = 10\ninput h[n,f]\ntarget d[n] in K\nparam W[k,f]\n"
        "u[n,k] = 40*sum(f, W[k,f]*h[n,f])\np[n,k] = exp(u[n,k])/sum(k, exp(u[n,k]))\n"
        "loss E = -sum(n, log(p[n,d[n]]))\n"
    )
    system = parse_system(text)
    equations = Equations(system, derive(system))
    for seed in range(5):
        values = equations.sample({"N": 3, "K": 8, "F": 10}, np.random.default_rng(seed))
        known = equations.known(values, {"N": 3, "K": 8, "F": 10})
        assert np.min(known["p"]) >= 1e-100
    assert all(row.ok for row in check_model(system, budget=2.0).rows)


def test_what_is_always_that_small_is_checked_all_the_same():
    system = parse_system("index i : I\nparam w[i]\nz[i] = w[i]/10^120\nloss E = 10^120*sum(i, z[i]*w[i])\n")
    assert check_model(system, budget=2.0).ok


STANDARDISED = """index b : B
param h[b]
input v[b]
{centre}g[b] = ({left})/sqrt(mean(b, ({left})^2))
loss L = sum(b, v[b]*g[b]^3)
"""


@pytest.mark.parametrize(
    ("centre", "left"),
    [("m = mean(b, h[b])\n", "h[b] - m"), ("", "h[b] - mean(b, h[b])"), ("m = max(b, h[b])\n", "h[b] - m")],
)
@pytest.mark.parametrize("fault", swept(["*0", "*2", "/3"], 1))
def test_a_gradient_that_is_0_on_short_axes_is_told_wrong_on_longer_ones(centre, left, fault):
    """Two values have the scores 1 and -1, whatever they are."""
    equations, source = module_of(STANDARDISED.format(centre=centre, left=left))
    edited, count = re.subn(r"(?m)^(    grad_h = )(.*)$", rf"\1(\2){fault}", source)
    assert count == 1
    right = checked(equations, source)
    assert right.ok and 3 in [each.sizes["B"] for each in right.rounds]
    assert not checked(equations, edited).ok
