"""Claimed formulas against the derivation, and two models against one another."""

import json
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.auditing.equality.claims import audit_claims
from symbackprop.auditing.equality.sameness import same
from symbackprop.auditing.report import Verdict
from symbackprop.cli.main import run
from symbackprop.errors import SymbackpropError

ROOT = Path(__file__).parent.parent.parent
SEED = ROOT / "examples" / "seed.model"

DENSE = """
index b : B
index i : I
index j : J
input x[b,i]
target d[b,j]
param W[j,i], c[j]
u[b,j] = sum(i, W[j,i]*x[b,i]) + c[j]
y[b,j] = sigmoid(u[b,j])
loss E = 1/(2*size(b))*sum(b, j, (y[b,j] - d[b,j])^2)
"""
NORM = """
index b : B
index c : C
input x[b,c]
const g[b,c], eps
mu[b] = mean(c, x[b,c])
s[b] = sqrt(mean(c, (x[b,c] - mu[b])^2) + eps)
xhat[b,c] = (x[b,c] - mu[b])/s[b]
loss E = sum(b, c, g[b,c]*xhat[b,c])
"""
SQUARE = """
index i, j : I
param U[i,j], v[i]
const w[i]
loss E = sum(i, j, w[i]*U[i,j]*v[j])
"""


@pytest.fixture(scope="module")
def systems():
    return {name: sb.loads(text).system for name, text in MODELS.items()}


MODELS = {"dense": DENSE, "norm": NORM, "square": SQUARE}
RIGHT = [
    ("dense", "dE/dW[j,i] = sum(b, (y[b,j] - d[b,j])*y[b,j]*(1 - y[b,j])*x[b,i])/size(b)"),
    ("dense", "dE/dW[j,i] = sum(b, delta_u[b,j]*x[b,i])"),
    ("dense", "dE / dc[j] = sum(b, dE/du[b,j])"),
    ("dense", "dE/dW[j,i] = (sum(b, x[b,i]*y[b,j]^2) - sum(b, x[b,i]*y[b,j]^3) "
     "- sum(b, x[b,i]*d[b,j]*y[b,j]) + sum(b, x[b,i]*d[b,j]*y[b,j]^2))/size(b)"),
    ("dense", "dE/du[b,j] = (y[b,j] - d[b,j])*sigmoid(u[b,j])*sigmoid(-u[b,j])/size(b)"),
    ("norm", "dE/dx[b,c] = (g[b,c] - mean(c, g[b,c]) - xhat[b,c]*mean(c, g[b,c]*xhat[b,c]))/s[b]"),
    ("square", "dE/dv[i] = sum(j, w[j]*U[j,i])"),
]  # fmt: skip
WRONG = [
    ("dense", "dE/dW[j,i] = -sum(b, delta_u[b,j]*x[b,i])", "sign", "has the wrong sign"),
    ("dense", "dE/dc[j] = size(b)*sum(b, dE/du[b,j])", "factor", "misses the factor 1/B"),
    ("dense", "dE/dc[j] = 2*sum(b, dE/du[b,j])", "factor", "misses the factor 1/2"),
    ("dense", "dE/dc[j] = sum(b, dE/du[b,j])/size(b)", "factor", "has the factor 1/B too much"),
    ("dense", "dE/dy[b,j] = y[b,j]/size(b)", "missing term", "-d[b,j]/size(b)"),
    ("dense", "dE/dy[b,j] = (y[b,j] + d[b,j])/size(b)", "sign", "the term -d[b,j]/size(b)"),
    ("norm", "dE/dx[b,c] = (g[b,c] - mean(c, g[b,c]))/s[b]", "missing term", "sum(c', g[b,c']*xhat[b,c'])"),
    ("norm", "dE/dx[b,c] = g[b,c]/s[b]", "missing term", "the terms -sum(c, g[b,c])"),
    ("norm", "dE/dx[b,c] = g[b,c]*s[b]", "other", "is wrong"),
    ("square", "dE/dU[i,j] = w[j]*v[i]", "transpose", "is transposed"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "claim"), RIGHT)
def test_a_right_claim_is_proved(systems, model, claim):
    report = audit_claims(systems[model], [claim])
    assert report.verdict is Verdict.RIGHT and not report.findings, report.text()
    assert report.compared[0].method == "equal by algebra, and on every draw"


@pytest.mark.parametrize(("model", "claim", "kind", "said"), WRONG)
def test_a_wrong_claim_is_explained(systems, model, claim, kind, said):
    report = audit_claims(systems[model], [claim])
    (finding,) = report.findings
    assert report.verdict is Verdict.WRONG and finding.kind == kind and said in finding.message, report.text()
    assert finding.expected.startswith("dE/d")
    # A difference tells something only where nothing shorter does.
    assert ("claimed - true = " in finding.message) <= (kind == "other")


def test_the_right_formula_says_what_its_adjoints_are():
    seed = sb.load(SEED).system
    (finding,) = audit_claims(seed, ["dE/db1[j] = sum(b, z1[b,j])"]).findings
    right, _, names = finding.expected.partition(", where ")
    assert right == "dE/db1[j] = sum(b, delta1[b,j])"
    assert names.startswith("delta2[b,k] = y[b,k] - d[b,k], delta1[b,j] = sum(k, delta2[b,k]*W2[k,j])*")
    # What the claim names its author knows.
    (finding,) = audit_claims(seed, ["dE/db1[j] = sum(b, z1[b,j]*delta1[b,j])"]).findings
    assert finding.expected == right


def test_an_exchanged_result_is_named():
    model = sb.loads("index c : C\nparam a[c], b[c]\nconst x[c]\nloss E = sum(c, a[c]*x[c] + b[c]^2*x[c])")
    (finding,) = audit_claims(model.system, ["dE/da[c] = 2*b[c]*x[c]"]).findings
    assert finding.kind == "exchanged" and "is dE/db" in finding.message


def test_several_claims_each_have_a_line(systems):
    right, wrong = "dE/dc[j] = sum(b, dE/du[b,j])", "dE/dc[j] = -sum(b, dE/du[b,j])"
    report = audit_claims(systems["dense"], [right, wrong])
    assert [each.is_right for each in report.compared] == [True, False] and report.exit_code == 1


def test_another_choice_at_a_kink_is_a_convention():
    model = sb.loads("index i : I\nparam x[i]\nloss E = sum(i, relu(x[i])^1 + x[i]^2)")
    claim = "dE/dx[i] = where(x[i] >= 0, 1, 0) + 2*x[i]"
    report = audit_claims(model.system, [claim])
    assert report.verdict is Verdict.RIGHT and "differs where the model bends" in report.conventions[0]
    assert not audit_claims(model.system, [claim.replace(">=", ">")]).conventions


@pytest.mark.parametrize(
    "claim",
    ["dE/dW[j,i]", "W[j,i] = x[b,i]", "dE/dW[j,j] = 1", "dE/dW[j,i] = x[b,i]", "dE/dW[i,j] = 1",
     "dE/dq = 1", "dE/dW[j,i] = nonsense[b,j]", "dE/dW[j,i] = __import__", "y == d"],
)  # fmt: skip
def test_what_is_no_claim_is_refused(systems, claim):
    with pytest.raises(SymbackpropError):
        audit_claims(systems["dense"], [claim])


@pytest.mark.parametrize("written", ["dE/dW[i,j]", "dE/dW[j]", "dE/dW[j,q]", "dE/dW"])
def test_indices_that_do_not_fit_are_said_of_the_derivative(systems, written):
    with pytest.raises(SymbackpropError, match=r"^dE/dW has the indices \[j,i\]") as raised:
        audit_claims(systems["dense"], [f"{written} = sum(b, delta_u[b,j]*x[b,i])"])
    assert "grad_W" not in str(raised.value) and raised.value.remedy == "write dE/dW[j,i] = ..."


def test_the_command(capsys):
    code = run(["audit", str(SEED), "--claim", "dE/db2[k] = sum(b, delta2[b,k])"])
    assert code == 0 and "seed: RIGHT" in capsys.readouterr().out
    code = run(["audit", str(SEED), "--claim", "dE/db2[k] = sum(b, d[b,k])", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 1 and (found["verdict"], found["tensor"]) == ("wrong", "b2")
    assert {"line", "kind", "message", "expected", "remedy", "compared"} <= found.keys()
    assert run(["audit", str(SEED), "--claim", "dE/db2[k] = sum(b, d[b,k])", "--format", "html"]) == 1
    page = capsys.readouterr().out
    assert "<title>seed: WRONG</title>" in page and "should be: " in page and "<aside" not in page
    assert run(["audit", str(SEED)]) == 2 and "nothing to audit" in capsys.readouterr().err
    assert run(["audit", str(SEED), "--claim", "dE/db2[k] = q"]) == 2
    assert "expression:1:1" in capsys.readouterr().err


def test_equal_models_under_other_axes(systems):
    other = DENSE.replace("index b : B", "index n : N").replace("[b,", "[n,").replace("(b", "(n")
    other = other.replace("(y[n,j] - d[n,j])^2", "d[n,j]^2 - 2*d[n,j]*y[n,j] + y[n,j]^2")
    report = same(systems["dense"], sb.loads(other, "other").system)
    assert report.exit_code == 0 and report.text().startswith("model and other: EQUAL")


@pytest.mark.parametrize(
    ("old", "new", "tensor", "said"),
    [
        ("sigmoid(u[b,j])", "tanh(u[b,j])", "y", "y differs"),
        ("1/(2*size(b))", "1/2", "E", "misses the factor 1/B"),
        ("+ c[j]", "- c[j]", "u", "u differs"),
    ],
)
def test_models_that_differ_say_where(systems, old, new, tensor, said):
    report = same(systems["dense"], sb.loads(DENSE.replace(old, new)).system)
    assert report.verdict is Verdict.WRONG and report.findings[0].tensor == tensor
    assert said in report.findings[0].message and report.text().startswith("model and model: NOT EQUAL")


def test_fused_against_plain_loses_digits(tmp_path, capsys):
    head = "index b : B\nindex k : K\nparam u[b,k]\ntarget d[b,k]\n"
    texts = {
        "fused": "loss E = sum(b, k, max(u[b,k], 0) - u[b,k]*d[b,k] + log1p(exp(-abs(u[b,k]))))",
        "plain": "p[b,k] = sigmoid(u[b,k])\n"
        "loss E = -sum(b, k, d[b,k]*log(p[b,k]) + (1 - d[b,k])*log(1 - p[b,k]))",
    }
    paths = [tmp_path / f"{name}.model" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(head + text)
    assert run(["same", *map(str, paths)]) == 0
    assert "digits are lost" in capsys.readouterr().out


def test_models_of_other_tensors_are_refused(systems):
    with pytest.raises(SymbackpropError, match="only one of"):
        same(systems["dense"], systems["square"])
    flipped = DENSE.replace("W[j,i]", "W[i,j]")
    with pytest.raises(SymbackpropError, match="do not fit"):
        same(systems["dense"], sb.loads(flipped).system)


def test_claims_are_held_against_data_behind_every_condition():
    model = sb.loads(
        "index m : M\nparam r[m]\nloss L = sum(m, where(r[m] < 40, r[m]^2, 80*r[m] - 1600))"
    ).system
    assert audit_claims(model, ["dL/dr[m] = 2*min(r[m], 40)"]).verdict is Verdict.RIGHT
    assert audit_claims(model, ["dL/dr[m] = 2*r[m]"]).verdict is Verdict.WRONG
    assert audit_claims(model, ["dL/dr[m] = 2*min(r[m], 40) + 1e-9"]).verdict is Verdict.WRONG


def test_a_claim_is_right_only_behind_every_condition():
    def verdict(loss, claim):
        model = sb.loads(f"index t : T\nparam z[t]\nloss E = sum(t, {loss})").system
        return audit_claims(model, [claim])

    far = "where(t < 20, z[t]^2, 3*z[t])"
    assert verdict(far, "dE/dz[t] = 2*z[t]").verdict is Verdict.WRONG
    assert verdict(far, "dE/dz[t] = where(t < 20, 2*z[t], 3)").verdict is Verdict.RIGHT
    never = "where(tanh(z[t]) < 2, z[t]^2, 7*z[t])"
    unknown = verdict(never, "dE/dz[t] = 2*z[t]")
    assert unknown.verdict is Verdict.UNKNOWN and unknown.exit_code == 3
    assert "no data drawn reach tanh(z[t]) >= 2 in E" in unknown.text()
    proved = verdict(never, "dE/dz[t] = where(tanh(z[t]) < 2, 2*z[t], 7)")
    assert proved.verdict is Verdict.RIGHT and "nothing was compared there" in proved.text()
    own = verdict("z[t]^2", "dE/dz[t] = where(t < 40, 2*z[t], 1)")
    assert own.verdict is Verdict.WRONG


HEAD = "index t : T\nindex n : N\nparam z[n,t]\ntarget q[n]\n"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("loss E = sum(n, t, max(z[n,t], -20))", "loss E = sum(n, t, max(z[n,t], -25))", Verdict.WRONG),
        ("loss E = sum(n, t, where(t < 8, z[n,t], 0))", "loss E = sum(n, t, z[n,t])", Verdict.WRONG),
        ("loss E = sum(n, t, z[n,t])", "loss E = sum(n, t, where(t < 8, z[n,t], 0))", Verdict.WRONG),
        ("loss E = sum(n, t, where(tanh(z[n,t]) < 2, z[n,t], 7))", "loss E = sum(n, t, z[n,t])", None),
        ("loss E = sum(n, t, max(z[n,t], 30))", "loss E = sum(n, t, 30 + relu(z[n,t] - 30))", Verdict.RIGHT),
    ],
)  # fmt: skip
def test_models_are_equal_only_on_both_sides_of_every_condition(first, second, verdict):
    report = same(*(sb.loads(HEAD + loss).system for loss in (first, second)))
    assert report.verdict is (verdict or Verdict.UNKNOWN)
    assert (verdict is None) == ("none reach tanh(z[n,t]) >= 2 in E" in report.text())


def test_data_obey_the_facts_of_both_models():
    fact = "fact sum(n, q[n]) == 1\n"
    texts = (HEAD + "loss E = sum(n, t, z[n,t])", HEAD + fact + "loss E = sum(n, q[n])*sum(n, t, z[n,t])")
    for pair in (texts, texts[::-1]):
        report = same(*(sb.loads(each).system for each in pair))
        assert (
            "the losses are equal, not the gradients: gradient with respect to q"
            in report.findings[0].message
        )


PLAIN = "loss E = sum(n, t, (z[n,t] - q[n])^2)"


@pytest.mark.parametrize(
    ("first", "second", "is_proved"),
    [
        (PLAIN, "r[n,t] = z[n,t] - q[n]\nloss E = sum(n, t, r[n,t]^2)", True),
        (PLAIN, "loss E = sum(n, t, z[n,t]^2 - 2*z[n,t]*q[n]) + size(t)*sum(n, q[n]^2)", True),
        ("loss E = sum(n, t, sin(z[n,t])^2)", "loss E = sum(n, t, 1 - cos(z[n,t])^2)", False),
        ("loss E = sum(n, t, where(tanh(z[n,t]) < 2, z[n,t], 7))",
         "y[n,t] = where(tanh(z[n,t]) < 2, z[n,t], 7)\nloss E = sum(n, t, y[n,t])", True),
        ("loss E = sum(n, t, log(sigmoid(z[n,t])))", "loss E = sum(n, t, z[n,t] - log1p(exp(z[n,t])))", None),
    ],
)  # fmt: skip
def test_equal_models_are_proved_by_algebra_where_it_can(first, second, is_proved):
    for pair in ((first, second), (second, first)):
        report = same(*(sb.loads(HEAD + loss).system for loss in pair))
        assert report.verdict is Verdict.RIGHT, report.text()
        assert is_proved is None or is_proved == ("equal by algebra" in report.remarks[0]), report.text()


def test_recurrences_of_one_equation_are_one():
    def model(name, loss):
        state = f"{name}[t] = where(t == 0, 0, tanh(a*{name}[t-1])) + x[t]\n"
        return sb.loads(f"index t : T\ninput x[t]\nparam a\n{state}loss E = {loss}\n").system

    first, second = model("h", "sum(t, 2*h[t])"), model("h", "2*sum(t, h[t])")
    assert "equal by algebra" in same(first, second).text()
    other = model("g", "2*sum(t, g[t])")
    assert "does not prove" in same(first, other).text() and same(first, other).verdict is Verdict.RIGHT


def test_sixty_digits_tell_a_difference_from_rounding():
    near = HEAD + "loss E = sum(n, t, {}*z[n,t]^2)"
    report = same(*(sb.loads(near.format(factor)).system for factor in ("0.5", "0.50000000000003")))
    assert report.verdict is Verdict.WRONG and "which sixty digits show" in report.text()
    lossy = [
        HEAD + f"loss E = sum(n, t, {each})" for each in ("log(1 - sigmoid(8*z[n,t]))", "-softplus(8*z[n,t])")
    ]
    report = same(*map(_system, lossy))
    assert report.verdict is Verdict.RIGHT and "digits are lost" in report.text()


def _system(text):
    return sb.loads(text).system


STANDARDISED = """
index t : T
input p[t]
const q[t]
m = mean(t, p[t])
s = sqrt(mean(t, (p[t] - m)^2))
loss E = sum(t, q[t]*(p[t] - m)/s)
"""
PAIR = """
index t : T
input p[t], q[t]
a[t] = p[t] - mean(t, p[t])
c[t] = q[t] - mean(t, q[t])
r = sum(t, a[t]*c[t])/sqrt(sum(t, a[t]^2)*sum(t, c[t]^2))
loss E = log(1 - r^2)
"""
OF_FEW = [
    (STANDARDISED, "dE/dp[t] = (q[t] - mean(t, q[t]) - (p[t] - m)*mean(t, q[t]*(p[t] - m))/s^2)/s"),
    (PAIR, "dE/dp[t] = -2*r/(1 - r^2)*(c[t]/sqrt(sum(t, a[t]^2)*sum(t, c[t]^2)) - r*a[t]/sum(t, a[t]^2))"),
]


@pytest.mark.parametrize(("model", "claim"), OF_FEW)
def test_formulas_that_two_samples_cannot_tell_are_judged_on_more(model, claim):
    """There the gradient is 0, or what rounding makes of 0/0."""
    system = sb.loads(model).system
    assert audit_claims(system, [claim]).verdict is Verdict.RIGHT
    for wrong in (claim.replace("- mean", "+ mean").replace("- r*", "+ r*"), claim + "*1.001"):
        assert audit_claims(system, [wrong]).verdict is Verdict.WRONG
