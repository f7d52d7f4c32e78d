"""No module is handed out that has not been run, and none that computes something else than its equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.array.ir import Elementwise
from symbackprop.array.program import Program, Statement
from symbackprop.array.value import Value, rewrite_values
from symbackprop.cli.main import run
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation, LocalDerivative
from symbackprop.emission.printed import PrintedModule
from symbackprop.errors import MismatchError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.arithmetic import multiply, negate
from symbackprop.notation.expressions import Number
from symbackprop.sampling.draws import Draws
from symbackprop.systems.system import System
from symbackprop.targets.numpy import module as emission
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification import verified_module
from symbackprop.verification.conformance import holds_along_one_direction
from symbackprop.verification.results import Subject
from symbackprop.verification.verified_module import NO_DATA
from tests.memoization.test_recall import dense
from tests.sampling import test_axes_of_one as axes_of_one
from tests.sweeps import swept
from tests.verification.on_numpy import verification_of

EXAMPLES = Path(__file__).parents[2] / "examples"
TANH_NET = """
index n : N
index i : I
index j, k : J
input x[n,i]
target d[n,j]
param W[j,i], V[j,k], b[j]
h[n,j] = tanh(sum(i, W[j,i]*x[n,i]) + b[j])
y[n,j] = sum(k, V[j,k]*h[n,k])
loss E = 1/2*sum(n, j, (y[n,j] - d[n,j])^2)
"""
RECURRENCE = """
index t : T
index j, k : J
input x[t,j]
param U[j,k]
h[t,j] = tanh(x[t,j] + sum(k, U[j,k]*pad(h[t-1,k])))
loss E = sum(t, j, h[t,j]^2)
"""

STEPS_OF_A_CALL = """
index it : ITERATIONS
index s : STATES = ITERATIONS + 1
index i : I
param w[i]
h[s,i] = where(s == 0, 1, tanh(w[i]*h[s-1,i]) + f[s-1,i])
f[it,i] = h[it,i]^2/4
loss E = sum(i, h[size(s)-1,i])
"""


def derived(text: str) -> Derivation:
    return derive(parse_system(text))


def verified(derivation: Derivation) -> str:
    return verification_of(derivation, numpy_module(lower(derivation)).printed())


def print_instead(monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    """Modules are printed with one text for another."""
    printed = emission.printed_module

    def edited(*arguments: Any, **strings: Any) -> PrintedModule:
        module = printed(*arguments, **strings)
        return replace(module, text=module.text.replace(right, wrong))

    monkeypatch.setattr(emission, "printed_module", edited)


def test_the_header_names_the_sizes_that_were_tried() -> None:
    header = sb.loads(TANH_NET).derive().to_numpy()[:600].replace("\n", " ")
    assert "Verified before it was written" in header
    assert "N=2, I=3, J=4" in header and "=1" in header


def test_the_header_says_where_nothing_was_verified() -> None:
    derivation = sb.loads(TANH_NET).derive()
    assert "Not verified" in derivation.to_numpy(verify=False)[:600]
    assert "Not verified" in (derivation.module(verify=False).__doc__ or "")
    assert "Verified before" in (derivation.module().__doc__ or "")


def test_a_model_that_is_nowhere_finite_is_run_but_not_verified() -> None:
    text = "index i : I\nparam x[i]\nloss E = sum(i, log(-1 - x[i]^2))"
    assert NO_DATA in sb.loads(text).derive().to_numpy().replace("\n", " ")


UNREAD_PLACES = {
    "a quotient": "index n, m : N\nindex g : G\ninput q[n,g]\nparam x[n]\n"
    "f[n,m,g] = q[m,g]/abs(x[n] - x[m])\n"
    "loss L = sum(n, m, where(n != m, tanh(sum(g, f[n,m,g])), 0))",
    "a logarithm": "index n, m : N\nindex i : I\nparam x[n,i], s\n"
    "r[n,m] = log(sum(i, (x[n,i] - x[m,i])^2))\nv[n,m] = exp(-s*r[n,m])\n"
    "loss L = sum(n, m, where(n < m, v[n,m]*sin(r[n,m]), 0))",
}


@pytest.mark.parametrize("name", UNREAD_PLACES)
def test_a_place_that_nobody_reads_may_be_infinite(name: str) -> None:
    header = sb.loads(UNREAD_PLACES[name]).derive().to_numpy()[:600]
    assert "Verified before it was written" in header.replace("\n", " ")


def test_a_fault_beside_places_that_nobody_reads_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    print_instead(monkeypatch, "f = q / np.abs", "f = q / 2.0 / np.abs")
    with pytest.raises(MismatchError, match=r"equation: f\[n,m,g\] = q"):
        sb.loads(
            UNREAD_PLACES["a quotient"].replace("param x", "input x").replace("f[n,m,g])", "f[n,m,g]*w)")
            + "\nparam w"
        ).derive().to_numpy()


# Roots of what is 0 at a place, and whether that says something: the chain rule is defined on some axes all
# the same, or all that is compared agrees without it.
ROOTS_OF_ZERO = {
    "h[i] = pad(x[i-1])*x[i]\nv[i] = sqrt(h[i])\nloss E = sum(i, v[i]^2)": True,
    "h[i] = pad(x[i-1])*x[i]\nv[i] = sqrt(h[i])*y[0]\nloss E = sum(i, v[i]^2)": False,
    "h[i] = x[i]*tanh(pad(h[i+1]) + where(i > 0, 1, 0))\nv[i] = h[i]^(1/2)\nloss E = sum(i, v[i]^2)": True,
    "h[i] = pad(x[i-1])*x[i]\nv[i] = sqrt(h[i])\nloss E = sum(i, where(i > 0, v[i], 0))": True,
    "h[i] = pad(x[i-1])*x[i]\nv[i] = h[i]^(3/2)\nloss E = sum(i, v[i]^2)": True,
    "v[i] = sqrt(pad(x[i-1]))\nloss E = sum(i, v[i]^2)": True,
    "h[i] = pad(x[i-1])*x[i]\nv[i] = sqrt(h[i])\nloss E = sum(i, pad(v[i+1])*x[i])": True,
}


@pytest.mark.parametrize("equations", ROOTS_OF_ZERO)
def test_an_adjoint_that_is_0_by_chance_passes_through_no_infinite_slope(equations: str) -> None:
    derivation = derive(
        parse_system(f"index i : I\nindex n : N = 1\nparam x[i], y[n]\n{equations}\n"), ["x", "v"]
    )
    said = verified(derivation)
    assert ROOTS_OF_ZERO[equations] == (said != NO_DATA)


def wrong_sign(derivation: Derivation, tensor: str) -> Derivation:
    """The derivation with a sign lost in one adjoint's closed form."""
    adjoints = tuple(
        replace(each, equation=replace(each.equation, expression=negate(each.equation.expression)))
        if each.tensor == tensor
        else each
        for each in derivation.adjoints
    )
    return replace(derivation, adjoints=adjoints)


@pytest.mark.parametrize("text", [TANH_NET, RECURRENCE])
def test_a_wrong_closed_form_is_named(text: str) -> None:
    derivation = derived(text)
    name = derivation.wrt[0]
    with pytest.raises(MismatchError, match=rf"dE/d{name}\[.*by the equations") as caught:
        verified(wrong_sign(derivation, name))
    assert f"equation: grad_{name}[" in str(caught.value)
    assert f"statement: grad_{name} = " in str(caught.value)


def test_what_is_wrong_first_is_named_and_not_what_follows() -> None:
    derivation = derived(TANH_NET)
    inner = next(each for each in derivation.adjoints if each.kept and each.tensor not in derivation.wrt)
    with pytest.raises(MismatchError) as caught:
        verified(wrong_sign(derivation, inner.tensor))
    assert f"equation: {inner.equation.tensor}[" in str(caught.value)


def test_a_wrong_unsimplified_adjoint_is_seen_by_the_complex_step() -> None:
    derivation = derived(TANH_NET)
    adjoint = next(each for each in derivation.adjoints if each.tensor == "b")
    factor = adjoint.factors[0]
    wrong = replace(adjoint, factors=(with_wrong_calculus(factor),))
    adjoints = tuple(wrong if each is adjoint else each for each in derivation.adjoints)
    with pytest.raises(MismatchError, match=r"complex step is .* by the unsimplified"):
        verified(wrong_sign(replace(derivation, adjoints=adjoints), "b"))


@pytest.mark.parametrize("masked", ["-1e9", "-1e30", "sum(e, x[q,e]*w[k,e]) - 1e12"])
def test_the_number_of_a_mask_keeps_no_gradient_from_the_complex_step(masked: str) -> None:
    """Beside -1e9, gradients of order 1 once counted as rounding, and stood still."""
    derivation = derived(
        "index q, k : T\nindex e : D\ninput x[q,e], v[k,e]\nparam w[k,e]\n"
        f"s[q,k] = where(k <= q, sum(e, x[q,e]*w[k,e]), {masked})\n"
        "y[q,e] = sum(k, softmax(k, s[q,k])*v[k,e])\nloss E = sum(q, e, y[q,e]^2)"
    )
    adjoint = next(each for each in derivation.adjoints if each.tensor == "w")
    wrong = replace(adjoint, factors=tuple(map(with_wrong_calculus, adjoint.factors)))
    adjoints = tuple(wrong if each is adjoint else each for each in derivation.adjoints)
    with pytest.raises(MismatchError, match=r"complex step is .* by the unsimplified"):
        verified(wrong_sign(replace(derivation, adjoints=adjoints), "w"))


def with_wrong_calculus(factor: LocalDerivative) -> LocalDerivative:
    return replace(factor, calculus=replace(factor.calculus, value=negate(factor.differentiated)))


def with_operation(old: str, new: str) -> Callable[[Value], Value]:
    def change(value: Value) -> Value:
        if isinstance(value, Elementwise) and value.operation == old:
            return Elementwise(new, value.arguments)
        return value

    return change


def test_a_fault_of_the_lowering_is_named_by_its_statement() -> None:
    derivation = derived(TANH_NET)
    program = lower(derivation)
    statements = tuple(
        replace(line, value=rewrite_values(line.value, with_operation("subtract", "add")))
        if isinstance(line, Statement) and line.name == "delta_u_h"
        else line
        for line in program.statements
    )
    assert statements != program.statements
    with pytest.raises(MismatchError, match=r"statement: delta_u_h = \(.*1\.0 \+ h\*\*2"):
        verification_of(derivation, numpy_module(replace(program, statements=statements)).printed())


def test_a_fault_of_the_printer_is_named_by_its_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    derivation = derived(TANH_NET)
    module = numpy_module(lower(derivation))
    print_instead(monkeypatch, "h @ V.T", "h @ V")
    with pytest.raises(MismatchError, match=r"E is .*\nequation: y\[n,j\] = sum\(k, V\[j,k\]\*h\[n,k\]\)"):
        verification_of(derivation, module.printed())


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("return E, grads", "return E, {**grads, 'b': tensors['b']}", "shares memory with b"),
        ("return E, grads", "d += 1.0\n    return E, grads", "read-only"),
        (
            "return E, grads",
            "return E, {**grads, 'b': grads['b'].astype(np.float64)}",
            "float64 where the data",
        ),
        ("return E, grads", "return E, {'W': grads['W']}", "other gradients than were asked for"),
        (
            "y = h @ V.T",
            "y = h @ V.T + unheard_of",
            "NameError.*\n.*\nequation: y.*\nstatement: y = h.* unheard_of",
        ),
        ("y = h @ V.T", "y = h @ V.T +", "is not Python"),
    ],
)
def test_other_faults_are_seen(right: str, wrong: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    derivation = derived(TANH_NET)
    module = numpy_module(lower(derivation))
    assert right in module.text()
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(MismatchError, match=said):
        verification_of(derivation, module.printed())


# A gradient, and what has to be 1 for it to be wrong: beside another axis of 1 it would vanish.
WRONG_AT_ONE = (
    (axes_of_one.DENSE, "W", ("len(tensors['x'])", "tensors['x'].shape[1]")),
    (axes_of_one.ATTENTION, "K", ("len(tensors['Q'])", "tensors['Q'].shape[1]")),
    (axes_of_one.CONVOLUTION, "W", ("len(tensors['x'])", "tensors['x'].shape[1]", "len(tensors['b'])")),
    (axes_of_one.LAYER_NORM, "V", ("len(tensors['x'])",)),
    (axes_of_one.RECURRENCE, "U", ("len(tensors['x'])", "tensors['x'].shape[2]", "len(tensors['U'])")),
)


@pytest.mark.parametrize(("text", "name", "sizes"), WRONG_AT_ONE, ids=axes_of_one.NAMES)
def test_a_gradient_that_is_wrong_at_one_axis_of_size_1_alone_is_seen(
    text: str, name: str, sizes: tuple[str, ...]
) -> None:
    derivation = derived(text)
    module = numpy_module(lower(derivation)).printed()
    assert verification_of(derivation, module).startswith("Verified")
    for size in sizes:
        planted = f"grads['{name}'] = grads['{name}'] * (1.5 if {size} == 1 else 1.0)\n    return E, grads"
        edited = module.text.replace("return E, grads", planted)
        with pytest.raises(MismatchError, match=rf"dE/d{name}.* is "):
            verification_of(derivation, replace(module, text=edited))


# Over one n each is 0 but for rounding, and its root has a slope by rounding alone, or none.
CANCELLING = {
    "weighted deviation": "sqrt(sum(n, exp(w[n])*(x[n] - m)^2)/sum(n, exp(w[n])))",
    "mean of squares less the square of the mean": ("sqrt(sum(n, exp(w[n])*x[n]^2)/sum(n, exp(w[n])) - m^2)"),
    "logarithm": "log(sum(n, exp(w[n])*abs(x[n] - m))/sum(n, exp(w[n])))",
    "ratio": "sum(n, exp(w[n])*(x[n] - m)^3)/sum(n, exp(w[n])*(x[n] - m)^2)",
}


@pytest.mark.parametrize("spread", CANCELLING)
def test_what_is_finite_by_rounding_alone_says_nothing(spread: str) -> None:
    text = (
        "index n : N\ninput x[n]\nparam w[n], v[n]\nm = sum(n, exp(w[n])*x[n])/sum(n, exp(w[n]))\n"
        f"s = {CANCELLING[spread]}\nloss E = s + sum(n, v[n]^2)\n"
    )
    derivation = derived(text)
    module = numpy_module(lower(derivation)).printed()
    said = verification_of(derivation, module)
    assert "N=2" in said and "N=1" not in said
    for name, planted in (
        ("v", "(float('nan') if len(tensors['x']) == 1 else 1.0)"),
        ("v", "(2.0 if len(tensors['x']) == 1 else 1.0)"),
        ("w", "(1.0 + 1e-6)"),
    ):
        text = f"grads['{name}'] = grads['{name}'] * {planted}\n    return E, grads"
        edited = replace(module, text=module.text.replace("return E, grads", text))
        with pytest.raises(MismatchError, match=f"dE/d{name}"):
            verification_of(derivation, edited)


SATURATED = """
index b : B
index k : K
param u[b,k], w[k]
const d[b,k]
v[b,k] = 100*u[b,k]*w[k]
p[b,k] = exp(v[b,k])/sum(k, exp(v[b,k]))
loss E = sum(b, k, (p[b,k] - d[b,k])^2)
"""


@pytest.mark.parametrize(
    ("right", "wrong"), [("delta_p = 2.0 * ", "delta_p = "), ("100.0 * (delta_v * w)", "delta_v * w")]
)
def test_data_are_drawn_on_which_gradients_do_not_vanish(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On ordinary data the softmax is 0 and 1, so that all gradients are smaller than rounding."""
    derivation = derived(SATURATED)
    module = numpy_module(lower(derivation))
    assert right in module.text()
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(MismatchError, match="by the equations"):
        verification_of(derivation, module.printed())


@pytest.mark.parametrize("name", swept(["Wv1", "Wk1", "C"], 1))
def test_a_number_that_is_huge_by_chance_hides_no_gradient(name: str) -> None:
    """An adjoint of 1e14, by a probability of 1e-14, once let everything below 100 pass."""
    derivation = derive(sb.load(EXAMPLES / "transformer.model").system)
    module = numpy_module(lower(derivation)).printed()
    wrong = module.text.replace("    return E, grads", f'    grads["{name}"] *= 2.0\n    return E, grads')
    with pytest.raises(MismatchError, match=f"dE/d{name}"):
        verification_of(derivation, replace(module, text=wrong))


def test_a_module_that_is_wrong_is_not_written(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "net.model").write_text(TANH_NET)
    print_instead(monkeypatch, "h @ V.T", "h @ V")
    assert run(["generate", str(tmp_path / "net.model"), "-o", str(tmp_path / "net.py")]) == 3
    assert not (tmp_path / "net.py").exists()
    said = capsys.readouterr().err
    assert "y[n,j] = sum(k, V[j,k]*h[n,k])" in said and "please report" in said
    assert run(["generate", str(tmp_path / "net.model"), "-o", str(tmp_path / "net.py"), "--no-verify"]) == 0
    assert "Not verified" in (tmp_path / "net.py").read_text()


def test_axes_of_many_values_are_left_open() -> None:
    text = TANH_NET.replace("index i : I", "index i : I = 500000").replace("J\n", "J = 20000\n", 1)
    assert "I=3, J=4" in verified(derived(text)).replace("\n", " ")


def test_a_table_of_which_little_is_read_is_drawn_smaller() -> None:
    head = "index v : V = 100000000\nindex n : N\nparam C[v]\ninput ids[n] in V\n"
    for text in (
        f"{head}loss E = sum(n, C[ids[n]]^2)",
        f"{head}loss E = sum(n, C[mod(ids[n]+1, size(v))]^2)",
    ):
        header = sb.loads(text).derive().to_numpy()[:600]
        assert "Verified before" in header and "V=100000000" not in header


def test_both_sides_of_conditions_are_drawn() -> None:
    text = (
        "index i : I\nparam x[i], w\nloss E = sum(i, where(x[i] > 2.5, x[i]^3, w*x[i]))"
        " + where(size(i) > 3, 2*w, w^2)"
    )
    derivation = derived(text)
    draws = Draws(derivation.model, lambda values, sizes: {})
    assert 2 <= len(list(draws)) <= 6
    assert all(sides == {True, False} for sides in draws.reached.values())


def test_a_derivative_inside_the_model_is_held_against_a_quotient() -> None:
    text = (
        "index n : N\nindex j : J\ninput x[n]\nparam w[j], v[j]\nu[n] = sum(j, v[j]*tanh(w[j]*x[n]))\n"
        "loss E = sum(n, (diff(u[n], x[n]) - u[n])^2)"
    )
    derivation = derived(text)
    assert verified(derivation).startswith("Verified")
    doubled = tuple(
        replace(each, expression=multiply(Number(2), each.expression)) if each.tensor == "E" else each
        for each in derivation.system.equations
    )
    wrong = derive(replace(derivation.system, equations=doubled))
    with pytest.raises(MismatchError, match="difference quotient"):
        verified(replace(wrong, model=derivation.model))


@pytest.mark.parametrize(
    ("right", "wrong", "axis"),
    [
        ("y = h @ V.T", "y = h @ V.T + 0.0 * x[0, 0]", "N"),
        ("y = h @ V.T", "y = h @ V.T + 0 * (1 % W.shape[0])", "J"),
    ],
)
def test_a_module_is_run_on_empty_axes(
    right: str, wrong: str, axis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = derived(TANH_NET)
    module = numpy_module(lower(derivation))
    wrong = wrong.replace("W.shape", 'tensors["W"].shape').replace("x[", 'tensors["x"][')
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(
        MismatchError, match=rf"Error: .*\non data of .*{axis}=0.*\nequation: y.*\nstatement: y = "
    ):
        verification_of(derivation, module.printed())


@pytest.mark.parametrize(
    ("right", "wrong", "axis", "result"),
    [
        ("delta_y.T @ h", "delta_y.T @ h + (len(y) == 0)", "N", "dE/dV"),
        ("np.sum(delta_u_h, axis=0)", "np.sum(delta_u_h, axis=0) + (x.size == 0)", "N", "dE/db"),
        ("0.5 * np.sum(delta_y**2)", "0.5 * np.sum(delta_y**2) + (len(y) == 0)", "N", "E"),
    ],
)
def test_a_wrong_number_on_an_empty_axis_is_seen(
    right: str, wrong: str, axis: str, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = derived(TANH_NET)
    module = numpy_module(lower(derivation))
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(MismatchError, match=rf"{result}.* by the equations, on data of .*{axis}=0"):
        verification_of(derivation, module.printed())


def test_strided_windows_that_read_padding_alone_are_verified() -> None:
    text = (
        "index j : H\nindex k : W\nindex q : Q\nindex r : R\nindex b : B = H - Q + 1\n"
        "index c : C = floor((W + 5 - R)/4) + 1\nparam x[j,k], w[q,r]\n"
        "y[b,c] = sum(q, r, w[q,r]*pad(x[b+q,4*c+r-3]))\nloss E = sum(b, c, sin(y[b,c]))"
    )
    assert verified(derived(text)).startswith("Verified")


def planted(text: str, right: str, wrong: str) -> None:
    """Verify the model's module with a statement changed."""
    derivation = derived(text)
    module = numpy_module(lower(derivation)).printed()
    assert right in module.text
    verification_of(derivation, module)
    verification_of(derivation, replace(module, text=module.text.replace(right, wrong)))


BENT = """
index b : B
index i : I
index j : J
input x[b,i]
param W[j,i], c[j]
u[b,j] = sum(i, W[j,i]*x[b,i]) + c[j]
z[b,j] = relu(u[b,j])
m[b] = max(j, z[b,j])
a[b,j] = where(u[b,j] >= 1.5, u[b,j]^2, 3*c[j])
loss E = sum(b, m[b]^2 + max(m[b], x[b,0])) + sum(b, j, a[b,j]*z[b,j]) + sum(j, c[j]^2*abs(c[j] - 1))
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(u > 0.0)", "(u >= 0.0)"),
        ("np.argmax(z, axis=1, keepdims=True) == np.arange(J)", "z == m[:, None]"),
        ("u >= 1.5", "u > 1.5"),
        ("m >= x[:, 0]", "m > x[:, 0]"),
        ("np.sign(E_difference)", "np.copysign(1.0, E_difference)"),
    ],
)
def test_the_wrong_side_of_a_kink_is_seen(right: str, wrong: str) -> None:
    with pytest.raises(MismatchError, match="by the equations"):
        planted(BENT, right, wrong)


@pytest.mark.parametrize(
    ("loss", "right", "wrong"),
    [
        ("max(i, tanh(x[i]))", "np.argmax(tanh_x) == np.arange(I)", "tanh_x == np.max(tanh_x)"),
        ("sum(i, y[i]*max(exp(x[i]), exp(y[i])))", "exp_x >= exp_y", "exp_x > exp_y"),
    ],
)
def test_the_wrong_side_of_a_tie_behind_a_function_is_seen(loss: str, right: str, wrong: str) -> None:
    """Equal arguments have equal values, however inexact these are."""
    with pytest.raises(MismatchError, match="by the equations"):
        planted(f"index i : I\nparam x[i]\nconst y[i]\nloss E = {loss}\n", right, wrong)


def test_where_rounding_decides_at_a_kink_nothing_is_said() -> None:
    """0.1 + 0.2 is 0.3 by the equations, and not in float64: either side is right."""
    text = (
        "index i : I\nparam x[i], y\n"
        "loss E = sum(i, relu(0.1*x[i] + 0.2*x[i] - 0.3*x[i] + y)) + sum(i, max(x[i]/3*3, x[i])*y)\n"
    )
    assert verified(derived(text)).startswith("Verified")


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        # Over one x or two, the loss and its gradient are 0.
        (
            "index n : N\nparam x[n]\nmu = mean(n, x[n])\nloss E = sum(n, (x[n] - mu)^3)\n",
            "grad_x = 3.0 * ",
            "grad_x = 6.0 * ",
        ),
        # The last step for the next one: over two steps, that is no fault.
        (RECURRENCE, "delta_u_h[t + 1] if", "delta_u_h[-1] if"),
        # The third of the steps of a call: the states are one more, and there are as many as fit these.
        (STEPS_OF_A_CALL, "h[it] = np.ones", "h[it] = np.nan if it == 2 else np.ones"),
        (STEPS_OF_A_CALL, "h[it] = np.ones", "h[it] = np.nan if it == 1 else np.ones"),
    ],
)
def test_sizes_are_long_enough_to_tell(text: str, right: str, wrong: str) -> None:
    with pytest.raises(MismatchError, match="by the equations"):
        planted(text, right, wrong)


def test_no_large_number_hides_a_wrong_one_on_an_empty_axis() -> None:
    text = TANH_NET.replace("(y[n,j] - d[n,j])^2)", "(y[n,j] - d[n,j])^2) + 1e13*sum(j, b[j]^2)")
    with pytest.raises(MismatchError, match=r"dE/dV.* by the equations, on data of .*N=0"):
        planted(text, "delta_y.T @ h", "delta_y.T @ h + (len(h) == 0)")


def test_a_softmax_over_nothing_but_masked_places_is_verified() -> None:
    head = "index t, s : T\nparam x[t], w\np[t,s] = softmax(s, where(s < t, w*x[s], -1e9))\n"
    derivation = sb.loads(f"{head}loss E = sum(t, s, (t + 1)*p[t,s]*x[s])").derive()
    assert "Verified before" in derivation.to_numpy()[:600]


def test_an_infinite_slope_of_what_an_empty_axis_leaves_says_nothing() -> None:
    head = "index n : N\nindex c : C\ninput x[n,c]\nparam w[c], a\ns[c] = sum(n, exp(-w[c]*x[n,c]))\n"
    text = f"{head}r[c] = 1/(1 + s[c] + a^2*sum(n, x[n,c]^2))\nloss E = sum(c, (1 - r[c])^(2/3))\n"
    assert verified(derived(text)).startswith("Verified")
    with pytest.raises(MismatchError, match=r"by the equations, on data of .*N=0"):
        planted(text, "E = np.sum(", "E = (r.min() == 1) + np.sum(")


def test_a_root_of_what_cancels_on_an_empty_axis_is_verified() -> None:
    head = "index n : N\ninput y[n]\nparam p[n], a\nt = sum(n, p[n]*y[n])\n"
    text = f"{head}loss E = (1 - (t + 1e-5)/(t + exp(a)*sum(n, p[n]) + 1e-5))^0.75\n"
    assert verified(derived(text)).startswith("Verified")
    with pytest.raises(MismatchError, match=r"E is 1, but .* by the equations, on data of N=0"):
        planted(text, "E = E_difference", "E = (len(p) == 0) + E_difference")
    with pytest.raises(MismatchError, match=r"dE/da .* by the .*"):
        planted(text, "grad_a = ", "grad_a = 1e-5 + ")


DEEP = dense(9)


@cache
def deep() -> tuple[Derivation, Program]:
    derivation = derived(DEEP)
    return derivation, lower(derivation)


def with_few_left_out(monkeypatch: pytest.MonkeyPatch) -> list[System]:
    """Models as small as these are shortened; the list of those that have been."""
    found: list[System] = []

    def noted(system: System, wrt: Sequence[str]) -> Derivation:
        found.append(system)
        return derive(system, wrt)

    monkeypatch.setattr(verified_module, "FEWEST_LEFT_OUT", 4)
    monkeypatch.setattr(verified_module, "derive", noted)
    return found


def without_all_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adjoints are worked out of models of four layers at most."""
    judged = Subject.adjoints

    def of_few(subject: Subject, *data: Any) -> dict[str, Any]:
        assert len(subject.model.equations) < 9
        return judged(subject, *data)

    monkeypatch.setattr(Subject, "adjoints", of_few)


def test_a_deep_module_is_verified_by_three_of_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    shortened = with_few_left_out(monkeypatch)
    derivation, program = deep()
    module = numpy_module(program).printed()
    said = verification_of(derivation, module, shortens=False)
    assert shortened == []
    without_all_draws(monkeypatch)
    assert verification_of(derivation, module) == said
    assert [len(system.equations) for system in shortened] == [7]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("delta5 = (delta6 @ W6)", "delta5 = (delta6 @ W5)"),
        ('"v5": grad_v5', '"v5": grad_v4'),
        ("u5 = x4 @ W5.T + v5", "u5 = x4 @ W5.T + v4"),
        ("x9 = _forward(tensors).x9\n    return", "x9 = _forward(tensors).x8\n    return"),
        ("delta4 @ W4", "delta4 @ W4 * (1 + 1 // len(delta4))"),
    ],
    ids=["an argument", "a result", "a name", "an output", "an axis of size 1"],
)
def test_blocks_of_a_deep_module_that_are_joined_wrongly_are_seen(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_few_left_out(monkeypatch)
    derivation, program = deep()
    module = numpy_module(program)
    assert right in module.text()
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(MismatchError):
        verification_of(derivation, module.printed())


GATED = (
    "u{0}[b,i] = sum(j, W{0}[i,j]*x{1}[b,j]) + v{0}[i]\n"
    "g{0}[b,i] = sigmoid(sum(j, V{0}[i,j]*x{1}[b,j]))\n"
    "x{0}[b,i] = x{1}[b,i] + g{0}[b,i]*(tanh(u{0}[b,i]) - x{1}[b,i])\n"
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("_block(x3, W4, v4, V4)", "_block(x3, V4, v4, W4)"),
        ('"v4": gradients4.grad_v', '"v4": gradients3.grad_v'),
    ],
    ids=["a call's arguments", "a call's results"],
)
def test_calls_of_one_function_that_are_joined_wrongly_are_seen(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_few_left_out(monkeypatch)
    names = ", ".join(f"W{n}[i,j], v{n}[i], V{n}[i,j]" for n in range(1, 8))
    layers = "".join(GATED.format(n, n - 1) for n in range(1, 8))
    head = f"index b : B\nindex i, j : N\ninput x0[b,i]\ntarget d[b,i]\nparam {names}\n"
    derivation = derived(f"{head}{layers}loss E = sum(b, i, (x7[b,i] - d[b,i])^2)\n")
    module = numpy_module(lower(derivation))
    assert right in module.text()
    print_instead(monkeypatch, right, wrong)
    with pytest.raises(MismatchError):
        verification_of(derivation, module.printed())


def test_a_fault_of_one_block_alone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    shortened = with_few_left_out(monkeypatch)
    derivation, _ = deep()
    adjoints = tuple(
        replace(each, equation=replace(each.equation, expression=negate(each.equation.expression)))
        if each.tensor == "W5"
        else each
        for each in derivation.adjoints
    )
    derivation = replace(derivation, adjoints=adjoints)
    with pytest.raises(MismatchError, match=r"equation: grad_W5\[i,j\] = -"):
        verified(derivation)
    assert len(shortened) == 1


def test_gradients_that_vanish_on_an_axis_of_size_1_hold_along_a_direction() -> None:
    text = "index n : N\nindex i : I = 1\ninput x[n,i]\nparam w[i], v[i]\nu[n,i] = w[i]*x[n,i]/3 + v[i]\n"
    text += "p[n,i] = exp(u[n,i])/sum(i, exp(u[n,i]))\nloss E = -sum(n, log(p[n,0]))"
    derivation = derived(text)
    subject = verified_module._subject_of(NUMPY, derivation, numpy_module(lower(derivation)).printed())
    draws = list(Draws(subject.model, subject.adjoints).without_adjoints())
    assert len(draws) == 2
    assert all(holds_along_one_direction(subject, draw) for draw in draws)


def test_sizes_that_cannot_be_scaled_together_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 14 places beside 108 = 3*6*6 flattened ones leave no smaller sizes: these are run."""
    layers = [sb.Conv2d(3, 3, "tanh"), sb.MaxPool2d(2), sb.Flatten(), sb.Dense(2)]
    model = sb.Sequential(layers, loss="squared_error", inputs=(2, 14, 14))
    monkeypatch.setattr(verified_module, "MOST_VISITS", 1_000)
    assert "Verified before it was written" in model.derive().to_numpy()
    monkeypatch.setattr(verified_module, "MOST_AT_FULL_SIZE", 1_000)
    with pytest.raises(sb.SymbackpropError, match="V = 108 values are too many"):
        model.derive().to_numpy()
