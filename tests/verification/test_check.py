import ast
import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from symbackprop import loads
from symbackprop.derivation.driver import derive
from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.arithmetic import multiply, power
from symbackprop.notation.expressions import ONE, Element, Number, Reduction
from symbackprop.sampling import obeying_facts as facts
from symbackprop.sampling.rounds import SizesOfRound
from symbackprop.systems.system import Equation, Fact, Role
from symbackprop.verification import check, judges
from symbackprop.verification.check import check_module
from symbackprop.verification.comparing import of_elements
from symbackprop.verification.report import (
    CENTRAL_DIFFERENCES,
    COMPLEX_STEP,
    NAIVE_EVALUATOR,
    UNSIMPLIFIED,
    CheckReport,
    merged_rows,
)
from tests.auditing.oddities import HUBER
from tests.programs import numpy_source
from tests.verification.models import index, one_function, system, two_layers
from tests.verification.on_numpy import check_model

SMOOTH = ("sigmoid", "tanh", "exp", "sin", "softplus")
BENT = ("relu", "abs")
ONLY_SOMEWHERE = ("log", "asin", "acos")


def rows_by_method(report):
    return {(row.tensor, row.method): row for row in report.rows}


def centred_rows(report):
    """Without the rounds on shifted and scaled data: the sine of 1e8 has eight digits."""
    rounds = (each for each in report.rounds if not each.name.startswith("data all"))
    return {(row.tensor, row.method): row for row in merged_rows(row for each in rounds for row in each.rows)}


def first_round(report):
    return {(row.tensor, row.method): row for row in report.rounds[0].rows}


@pytest.mark.parametrize("function", [*SMOOTH, *BENT])
def test_a_derived_gradient_passes_every_method(function):
    report = check_model(two_layers(function))
    rows = centred_rows(report)
    assert report.ok, report.rows
    assert rows[("E", NAIVE_EVALUATOR)].worst < 1e-13
    for name, elements in (("W1", 12), ("b1", 4), ("W2", 20), ("b2", 5)):
        assert first_round(report)[(name, CENTRAL_DIFFERENCES)].compared == elements
        assert first_round(report)[(name, COMPLEX_STEP)].compared == elements
        assert rows[(name, CENTRAL_DIFFERENCES)].worst < 1e-8
        assert rows[(name, COMPLEX_STEP)].worst < 1e-12


@pytest.mark.parametrize("function", ONLY_SOMEWHERE)
def test_data_are_drawn_from_where_the_model_is_finite(function):
    assert check_model(one_function(function)).ok


@pytest.mark.parametrize("seed", range(5))
def test_every_seed_passes(seed):
    report = check_model(two_layers("relu"), seed)
    assert report.ok and report.seed == seed
    assert not any(row.skipped for row in report.rows)


def test_sizes_are_small_and_differ_even_where_the_model_declares_large_ones():
    report = check_model(two_layers("tanh", inputs=784))
    assert report.ok
    assert len(set(report.sizes.values())) == 4
    assert max(report.sizes.values()) == 5


def test_small_declared_sizes_are_kept():
    assert check_model(two_layers("tanh", inputs=7)).sizes["I"] == 7


def test_inputs_and_intermediates_can_be_asked_for():
    report = check_model(two_layers("tanh"), wrt=["x", "z1"])
    rows = rows_by_method(report)
    assert report.ok
    assert ("x", CENTRAL_DIFFERENCES) in rows and ("z1", COMPLEX_STEP) in rows
    assert ("z1", CENTRAL_DIFFERENCES) not in rows


def test_a_model_without_parameters_is_checked_by_its_inputs():
    j = index("j")
    loss = Equation("E", (), Reduction("sum", (j,), power(Element("x", (j,)), Number(3))))
    report = check_model(system({"x": (Role.INPUT, (j,))}, [loss]))
    assert report.ok and {row.tensor for row in report.rounds[0].rows} == {"E", "x"}


def test_data_obey_the_facts():
    j = index("j")
    fact = Fact(Reduction("sum", (j,), Element("a", (j,))), ONE)
    assert check_model(replace(one_function("tanh"), facts=(fact,))).ok


def test_a_model_that_is_finite_nowhere_is_told_so():
    j = index("j")
    root = power(multiply(Number(-1), power(Element("w", (j,)), Number(2))), Number("1/2"))
    model = system({"w": (Role.PARAMETER, (j,))}, [Equation("E", (), Reduction("sum", (j,), root))])
    with pytest.raises(VerificationError, match="no data were found"):
        check_model(model)


def test_a_place_that_nobody_reads_may_be_infinite():
    """1/abs(x[n] - x[m]) at n == m, which no data make finite."""
    model = parse_system(
        "index n, m : N\nindex g : G\ninput q[n,g]\nparam x[n]\nf[n,m,g] = q[m,g]/abs(x[n] - x[m])\n"
        "loss L = sum(n, m, where(n != m, tanh(sum(g, f[n,m,g])), 0))\n"
    )
    assert check_model(model).ok


def test_a_kink_in_the_way_is_counted_not_failed(monkeypatch):
    """At w = 0 exactly, a difference quotient of relu is 1/2 whatever the step; the convention says 0."""

    def draw(shapes, sizes, rng, accepts, adjust=None, integers=None, domains=None):
        values = {name: rng.normal(size=[sizes[axis] for axis in axes]) for name, axes in shapes.items()}
        values["w"][0] = 0.0
        return values

    model = one_function("relu", size=5)
    monkeypatch.setattr(facts, "finite_sample", draw)
    report = check_model(model)
    row = first_round(report)[("w", CENTRAL_DIFFERENCES)]
    assert row.ok and row.skipped == 1 and row.compared == 4
    # The complex step follows the convention that the equations state, at 0 too.
    assert first_round(report)[("w", COMPLEX_STEP)].compared == 5


# Modules edited by hand -----------------------------------------------------------------------------------


def source_of(function):
    return numpy_source(lower(derive(two_layers(function))))


@pytest.fixture(scope="module")
def sigmoid_source():
    return source_of("sigmoid")


@pytest.fixture
def checked(tmp_path):
    def check_text(text, seed=0):
        path = tmp_path / "edited.py"
        path.write_text(text, encoding="utf-8")
        return check_module(path, seed)

    return check_text


@pytest.mark.parametrize("function", ["sigmoid", "relu"])
def test_a_generated_module_passes(checked, function):
    report = checked(source_of(function))
    assert report.ok
    assert {row.tensor for row in report.rows if row.method == CENTRAL_DIFFERENCES} == {
        "W1",
        "b1",
        "W2",
        "b2",
    }
    assert all(math.isfinite(row.worst) for row in report.rows)


EDITS = {
    "a sign": ("delta1 = (delta2 @ W2)", "delta1 = -(delta2 @ W2)"),
    "a missing factor": (" * z1 * (1.0 - z1)", " * z1"),
    "a transposed product": ("delta2.T @ z1", "z1.T @ delta2"),
    "a sum over the wrong axis": ("np.sum(delta2, axis=0)", "np.sum(delta2, axis=1)"),
    "a mean for a sum": ("np.sum(delta1, axis=0)", "np.mean(delta1, axis=0)"),
    "another loss": ("E = 0.5 * ", "E = 0.51 * "),
    "another activation": ("z1 = sigmoid(u1)", "z1 = np.tanh(u1)"),
    "another sign in the forward pass": ("@ W1.T + b1", "@ W1.T - b1"),
    "the gradient of something else": ('"b1": grad_b1,', '"b1": 0 * grad_b1,'),
    "a relative error of a hundred-thousandth": ('"W2": grad_W2,', '"W2": grad_W2 * 1.00001,'),
    "not a number": ('"W2": grad_W2,', '"W2": grad_W2 * np.nan,'),
    "one element not a number": (
        "    grads = {",
        "    grad_b2[0] = np.inf\n    grads = {",
    ),
    "a gradient left out": ('"W1": grad_W1, ', ""),
    "a wrong shape": ('"b1": grad_b1,', '"b1": grad_b1[:, None],'),
    "whole numbers": ('"b2": grad_b2', '"b2": grad_b2.astype(int)'),
    "an input overwritten": ("    delta1 = ", "    W2 *= 1.0\n    delta1 = "),
    "a name that is not there": ("grad_W1 = delta1.T", "grad_W1 = delta3.T"),
    "a loss of its own": ("    return E, grads", "    return E + 1e-6, grads"),
    "another gradient alone": ("workspace)[1]", "workspace)[1] | {'b1': np.zeros_like(params['b1'])}"),
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda name: name.replace(" ", "_"))
def test_a_module_edited_to_be_wrong_fails(checked, sigmoid_source, edit):
    old, new = EDITS[edit]
    assert sigmoid_source.count(old) == 1, f"the generated module has changed: {old!r}"
    report = checked(sigmoid_source.replace(old, new))
    assert not report.ok
    failed = [row for row in report.rows if not row.ok]
    assert all(not row.worst <= 1e-9 for row in failed)


SWAPPED: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
}


class Mutation(ast.NodeTransformer):
    """Changes the `number`-th place where something can be changed, and counts those places."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0

    def _is_next(self) -> bool:
        self.seen += 1
        return self.seen - 1 == self.number

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if type(node.op) in SWAPPED and self._is_next():
            return ast.BinOp(node.left, SWAPPED[type(node.op)], node.right)
        if isinstance(node.op, ast.Mult) and self._is_next():
            return node.left
        if isinstance(node.op, ast.Mult) and self._is_next():
            return node.right
        if isinstance(node.op, ast.MatMult) and self._is_next():
            return ast.BinOp(node.right, ast.MatMult(), node.left)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return node.value if node.attr == "T" and self._is_next() else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, float) and self._is_next():
            return ast.Constant(node.value + 0.25)
        return node


def mutants(source: str, function: str) -> Iterator[str]:
    """Every module that differs in one place of that function's statements."""
    number = 0
    while True:
        tree = copy.deepcopy(ast.parse(source))
        body = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
        mutation = Mutation(number)
        body.body = [mutation.visit(statement) for statement in body.body]
        if mutation.seen <= number:
            return
        yield ast.unparse(ast.fix_missing_locations(tree))
        number += 1


@pytest.mark.parametrize("function", ["sigmoid", "tanh"])
def test_every_mutant_of_the_gradient_fails(checked, function):
    count = 0
    for mutant in mutants(source_of(function), "value_and_grad"):
        assert not checked(mutant).ok, mutant
        count += 1
    assert count >= 10


def test_every_mutant_of_the_loss_is_refused_or_consistent(checked, sigmoid_source):
    """What changes the loss alone fails; y + d for y - d changes loss and gradient: another model."""
    verdicts = [checked(mutant).ok for mutant in mutants(sigmoid_source, "_loss")]
    assert verdicts.count(True) == 1 and len(verdicts) >= 4


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("def:\n", VerificationError, "not Python"),
        ("import a_module_that_is_not_there\n", VerificationError, "ModuleNotFoundError"),
        ("x = 1\n", VerificationError, "has no loss, value_and_grad"),
        ("1 / 0\n", VerificationError, "ZeroDivisionError"),
    ],
)
def test_what_is_not_a_generated_module_is_refused(checked, text, error, message):
    with pytest.raises(error, match=message):
        checked(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(VerificationError, match="cannot be read: No such file"):
        check_module(tmp_path / "none.py")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'")
    with pytest.raises(VerificationError, match="not UTF-8"):
        check_module(tmp_path / "latin.py")


def test_a_module_is_checked_as_its_file_is():
    derivation = loads("index i : I\nparam w[i]\ninput x[i]\nloss E = sum(i, tanh(w[i]*x[i]))").derive()
    assert check_module(derivation.module(), budget=0.3).ok
    with pytest.raises(VerificationError, match="None is no module, nor the path of one"):
        check_module(None)


def test_a_loss_that_raises_is_reported(checked, sigmoid_source):
    with pytest.raises(VerificationError, match=r"loss\(\) raised NameError"):
        checked(sigmoid_source.replace("z1 = sigmoid(u1)", "z1 = sigmund(u1)"))


def test_a_loss_that_is_never_finite_is_reported(checked, sigmoid_source):
    with pytest.raises(VerificationError, match="no data were found"):
        checked(sigmoid_source.replace("E = 0.5 * ", "E = np.nan * "))


def test_gradients_of_intermediates_are_said_to_be_left_out(checked):
    mixed = checked(numpy_source(lower(derive(two_layers("tanh"), ["z1", "W2"]))))
    assert mixed.ok
    assert [row.note for row in mixed.rows if row.tensor == "z1"] == ["an intermediate: check the model"]
    with pytest.raises(VerificationError, match="intermediates alone"):
        checked(numpy_source(lower(derive(two_layers("tanh"), ["z1"]))))


def test_axes_of_a_fixed_size_keep_it(checked):
    source = numpy_source(lower(derive(two_layers("tanh", inputs=9))))
    report = checked(source)
    assert report.ok and report.sizes["I"] == 9


def test_no_report_without_rows_is_ok():
    assert not CheckReport("nothing", 0, ()).ok
    assert np.isnan(float("nan"))


def test_what_the_budget_does_not_allow_is_sampled_and_said():
    report = check_model(two_layers("tanh"), budget=0.0)
    rows = rows_by_method(report)
    assert report.ok, report.rows
    for method in (CENTRAL_DIFFERENCES, COMPLEX_STEP):
        assert rows[("W2", method)].note == "1 of 20 elements"
        assert rows[("all", method)].compared == judges.DIRECTIONS
        assert rows[("all", method)].note == "20 directions, all tensors at once"
    assert rows[("W2", UNSIMPLIFIED)].compared == 20
    assert [each.name for each in report.rounds] == ["different sizes"]
    assert "not tried within 0 s: axes of size 1" in report.remarks


def test_a_sample_fails_on_what_is_not_finite_beside_it():
    expected, chosen = np.zeros(4), np.array([True, False, False, True])
    comparison = of_elements("w", COMPLEX_STEP, expected, 1.0, chosen)
    assert comparison.row(np.zeros(4)).ok
    assert not comparison.row(np.array([0.0, np.nan, 0.0, 0.0])).ok
    assert not comparison.row(np.array([0.0, 0.0, 0.0, 1.0])).ok


LOOKUPS = """
index n : N
index e : E
index v : V
index k : K
input ids[n] in V
target d[n] in K
param C[v,e], W[k,e]
u[n,k] = sum(e, W[k,e]*C[ids[n],e])
p[n,k] = exp(u[n,k])/sum(k, exp(u[n,k]))
loss L = -sum(n, log(p[n,d[n]]))
"""


def test_integer_tensors_are_drawn_as_whole_numbers_for_a_model_and_for_its_module(tmp_path):
    model = parse_system(LOOKUPS)
    path = tmp_path / "lookups.py"
    path.write_text(numpy_source(lower(derive(model, ("C", "W")))), encoding="ascii")
    for report in (check_model(model), check_module(path)):
        assert report.ok, report.rows
        compared = first_round(report)[("C", CENTRAL_DIFFERENCES)].compared
        assert compared == report.sizes["V"] * report.sizes["E"]


WITH_A_FACT = """
index b : B
index k, l : K
index i : I
input x[b,i]
target d[b,k]
param W[k,i]
u[b,k] = sum(i, W[k,i]*x[b,i])
p[b,k] = exp(u[b,k])/sum(l, exp(u[b,l]))
loss E = -sum(b, k, d[b,k]*log(p[b,k]))
fact sum(k, d[b,k]) == 1
"""
# The fact speaks of what is computed from the tensors that are given.
WITH_A_FACT_OF_WHAT_IS_DERIVED = WITH_A_FACT.replace("d[b,k]*log", "t[b,k]*log").replace(
    "fact sum(k, d[b,k]) == 1", "t[b,k] = d[b,k]^2\nfact sum(k, t[b,k]) == 1"
)


@pytest.mark.parametrize("text", [WITH_A_FACT, WITH_A_FACT_OF_WHAT_IS_DERIVED])
def test_a_module_is_checked_where_the_facts_of_its_model_hold(tmp_path, text):
    path = tmp_path / "with_fact.py"
    source = numpy_source(lower(derive(parse_system(text))))
    path.write_text(source, encoding="ascii")
    assert all(check_module(path, seed).ok for seed in range(4))
    path.write_text(source.replace('"fact sum', '"# sum'))
    assert not check_module(path).ok


@pytest.mark.parametrize(("by_clip", "is_right"), [("np.clip(r, -c, c)", True), ("np.clip(r, -c, 1)", False)])
def test_an_edit_is_held_to_the_model_where_bounds_are_in_order(tmp_path, by_clip, is_right):
    path, model = tmp_path / "huber.py", parse_system(HUBER)
    source = numpy_source(lower(derive(model)))
    edited = source.replace("np.where(abs_r_up_to_c, r, c * np.sign(r))", by_clip)
    assert edited != source
    path.write_text(edited)
    report = check_module(path, model=model, budget=1.0)
    assert report.ok is is_right, report.rows
    assert any("on data with 0 <= c" in each for each in report.remarks)


def test_facts_that_cannot_be_read_are_an_error(tmp_path):
    path = tmp_path / "edited.py"
    source = numpy_source(lower(derive(parse_system(WITH_A_FACT))))
    path.write_text(source.replace('"fact sum(k, d[b,k]) == 1"', '"fact sum(k, d[b,k]) =="'))
    with pytest.raises(VerificationError, match="FACTS cannot be read"):
        check_module(path)


CAUSES = {
    "param A[i,j]\nP[i,j] = 5*delta(i,j) + A[i,j]\nfact positive_definite(P)\nloss E = logdet(P)\n": (
        "on which fact positive_definite\\(P\\) holds"
    ),
    "param a[i], b[i]\nS[i,j] = a[i]*b[j]\nloss E = det(S) + sum(i, a[i]^2)\n": (
        "on which the matrices of 'S' are invertible"
    ),
    "param a[i]\nfact sum(i, a[i]^2) == -1\nloss E = sum(i, a[i])\n": (
        "obey the fact sum\\(i, a\\[i\\]\\^2\\) == -1"
    ),
    "param a[i]\nloss E = log(-sum(i, a[i]^2))\n": "on which the loss and its gradient are finite",
}


@pytest.mark.parametrize("model", CAUSES)
def test_what_is_in_the_way_whatever_the_data_is_named(model: str) -> None:
    with pytest.raises(VerificationError, match=f"no data were found (that )?{CAUSES[model]}"):
        check_model(parse_system(f"index i, j : I\n{model}"))


def test_a_module_alone_is_checked_on_scaled_data(tmp_path):
    path = tmp_path / "bounded.py"
    model = "index n : N\nparam r[n]\nloss E = sum(n, where(abs(r[n]) < 4, r[n]^2, 8*abs(r[n]) - 16))"
    source = numpy_source(lower(derive(parse_system(model))))
    path.write_text(source)
    assert check_module(path).ok
    path.write_text(source.replace("8.0 * np.sign", "7.0 * np.sign"))
    assert path.read_text() != source and not check_module(path).ok


def test_a_recurrence_takes_as_many_steps_as_tell_something_of_each_gradient():
    over_the_past = "sum(s, where(s < t, exp(w*h[s]){}, 0))"
    mean = f"{over_the_past.format('*h[s]')}/{over_the_past.format('')}"
    head = "index t, s : T\nparam x[t], w\n"
    report = check_model(
        loads(f"{head}h[t] = x[t] + where(t == 0, 0, {mean})\nloss E = sum(t, h[t])\n").system
    )
    assert report.ok
    assert {each.name: each.sizes for each in report.rounds}["more steps"] == {"T": 4}
    assert not any("tells little" in remark for remark in report.remarks)
    without = check_model(loads(f"{head}loss E = w*sum(t, x[t]^2)\n").system)
    assert "more steps" not in [each.name for each in without.rounds]


def test_what_is_left_out_is_told_by_its_sizes_where_others_of_its_name_were_compared():
    clock = SimpleNamespace(left=1.0, budget=2.0)

    class Slow:
        def __init__(self) -> None:
            self.clock, self.equations = clock, None

        def on(self, name: str, *_: object) -> object:
            clock.left = 0.0 if name == "axes of size 1" else 1.0
            return SimpleNamespace(
                round=SimpleNamespace(name=name, rows=()), vanishing=frozenset(), values={}
            )

    sizes = [("different sizes", {"N": 2}), ("axes of size 1", {"N": 1, "M": 2}),
             ("axes of size 1", {"N": 2, "M": 1}), ("more places", {"N": 5})]  # fmt: skip
    rounds = [SizesOfRound(*each) for each in sizes]
    found, remarks = check._rounds(Slow(), rounds, lambda *_: {}, np.random.default_rng(0))
    assert len(found) == 2
    assert remarks == ["not tried within 2 s: axes of size 1: N=2, M=1", "not tried within 2 s: more places"]
