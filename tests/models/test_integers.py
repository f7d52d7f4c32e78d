"""Models of integers: as positions, lookups, conditions and values; each before every judge."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.pipeline import loads
from symbackprop.semantics.array_functions import power_values
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.number_systems import FLOATS
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import text
from tests.models.judges import judge
from tests.programs import numpy_source

LOOKUPS = """
index n : N
index k : K
index e : D
index v : V
input ids[n,k] in V
input first[k] in N
param C[v,e], w[n,e]
"""
POSITIONS = {
    "hashed": "mod(5*ids[n,k] + 2, size(v))",
    "halved": "floor(ids[n,k]/2)",
    "clipped": "min(max(ids[n,k] - 1, 0), 2)",
    "mirrored": "size(v) - 1 - ids[n,k]",
    "chosen by a lookup": "where(ids[n,k] > 1, ids[n,k] - 1, size(v) - 1)",
    "chosen by real numbers": "where(w[n,0] > 0, ids[n,k], 1)",
    "nested": "ids[first[k],k]",
    "nested and reckoned": "mod(ids[mod(first[k] + n, size(n)),k]*2 + first[k], size(v))",
    "the next one, where there is one": "where(k + 1 < size(k), ids[n,k+1], 0)",
    "a sum": "mod(sum(k, ids[n,k]), size(v))",
    "the largest": "max(k, ids[n,k])",
    "a count": "min(sum(k, where(ids[n,k] >= 1, 1, 0)), 1)",
    "a distance": "min(abs(ids[n,k] - n), size(v) - 1)",
    "a product": "mod(ids[n,k]^2*n, size(v))",
    "a delta": "delta(n, first[k])",
}


@pytest.mark.parametrize("name", POSITIONS)
@pytest.mark.parametrize("sizes", [(3, 2, 1, 4), (1, 1, 2, 3), (2, 2, 2, 3)])
def test_a_lookup_at_a_reckoned_place(name: str, sizes: tuple[int, ...]) -> None:
    model = f"{LOOKUPS}loss E = sum(n, k, e, tanh(C[{POSITIONS[name]},e])*w[n,e])\n"
    judge(model, sizes=dict(zip(("N", "K", "D", "V"), sizes, strict=True)), steps=sizes[0] == 3)


INDICES = """
index i, j : I = 3
index t, s : T
index v : V = 10
param x[v], a[t], b
"""
LOSSES = {
    "a square": "sum(i, x[i*i]^2)",
    "a power": "sum(i, x[i^3 - 7*i + 7]^2*x[2^i])",
    "a square in a condition": "sum(t, where(t*t > 2, a[t]^2, b))",
    "a triangle": "sum(i, j, where(j <= i, x[floor(i*(i + 1)/2) + j]^3, 0))",
    "a size squared": "sum(i, j, x[i + size(i)*j]*x[size(i)^2 - 1 - i])",
    "a square in a delta": "sum(i, v, delta(i^2, v)*x[v]^3 + x[v]^2*b*delta(2*i + i^2, v))",
    "a distance": "sum(t, s, x[min(abs(t - s), size(v) - 1)]*a[t]*a[s])",
    "a clipped offset": "sum(t, s, exp(x[max(min(t - s, 2), -2) + 2]*a[s]))",
    "ends of an axis": "x[max(size(i) - 5, 1)]*x[min(size(i), 7)]^2*x[abs(2 - size(i)) + 3]",
    "half of a size": "sum(t, where(t < size(t)/2, a[2*t], 0)^2)",
    "more than a half": "sum(t, where(t > 3/2, a[t]^2, a[t])) + sum(t, where(t >= 3/2, b*a[t], 0))",
    "parts of two sizes": "sum(t, i, where(t/size(t) + i/size(i) < 1, a[t]^2, x[2*i]*a[t]))",
    "a floor of parts of two sizes": "sum(t, i, x[floor(t/size(t) + i/size(i))]^2*a[t])",
    "a divisor that varies": "sum(t, i, x[floor((t + 5)/(i + 2))]^2*x[mod(t, i + 1)])",
    "remainders of what is negative": "sum(t, mod(t - 3, 4)*a[t]^2 + floor((t - 5)/3)*x[mod(-7*t, 3)])",
    "a negative divisor": "sum(t, x[-mod(t, -3)]^2*a[t] + mod(5 - t, -2)*a[t]^2)",
    "values": "size(i)^2/3*sum(i, (i^2*x[2*i]/3 - (i + 1)^2*b)^2 + 2^i*x[2*i]*b + floor(i/2)*x[3*i])",
    "a where of integers": "sum(t, where(mod(t, 3) == 1, t, 2*t)*a[t]^2)",
    "a reduction of indices": "sum(i, x[sum(j, i*j)]^2*x[max(j, i + j)]) + x[prod(i, i + 1)]^2",
    "an irrational bound": "sum(t, where(t > pi/3, a[t]*b, a[t]^2) + where(t > sqrt(2), a[t-1]^2, 0))",
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [2, 5])
def test_arithmetic_of_indices(name: str, size: int) -> None:
    judge(f"{INDICES}loss E = {LOSSES[name]}\n", sizes={"I": 3, "T": size, "V": 10}, steps=size == 5)


STATE = """
index t : T
index v : V
input ids[t] in V
param a[v], b
h[t] = where(t == 0, a[0], tanh(h[t-1]*b + {read}))
loss E = sum(t, h[t]^2)
"""


@pytest.mark.parametrize(
    "read",
    [
        "a[mod(ids[t] + ids[t-1], size(v))]",
        "a[where(t > 1, ids[t-2], 0)]",
        "a[max(t - size(v), 0)*0 + min(ids[t], 1)]",
        "where(mod(t, 2) == 0, h[t-2], a[ids[t]])",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_integers_in_a_recurrence(read: str, size: int) -> None:
    system = parse_system(STATE.format(read=read))
    derivation = derive(system)
    program = lower(derivation)
    rng = np.random.default_rng(size)
    values = {"ids": rng.integers(0, 2, size), "a": rng.normal(size=2), "b": np.array(0.7)}
    found = interpret(program, values)
    module = load_module(numpy_source(program), "recurrent")
    _, gradients = module.value_and_grad({"a": values["a"], "b": values["b"]}, values["ids"])
    sizes = {"T": size, "V": 2}
    for name in ("a", "b"):
        for place in np.ndindex(values[name].shape):
            moved = {**values, name: values[name].astype(complex)}
            moved[name][place] += 1e-30j
            expected = np.imag(evaluate(system, moved, sizes)["E"]) / 1e-30
            np.testing.assert_allclose(found[program.gradients[name]][place], expected, rtol=1e-10)
            np.testing.assert_allclose(gradients[name][place], expected, rtol=1e-10)


TABLE = "index n : N\nindex v : V\ninput ids[n] in V\nparam C[v]\n"


def module_of(model: str):
    return load_module(numpy_source(lower(derive(parse_system(model)))), "integers")


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_places_are_reckoned_in_full_width_whatever_the_dtype(dtype: type) -> None:
    model = f"{TABLE}loss E = sum(n, C[mod(17*ids[n], size(v))])\n"
    ids, table = np.array([199, 40], dtype), np.arange(200.0)
    loss, gradients = module_of(model).value_and_grad({"C": table}, ids)
    assert loss == 17 * 199 % 200 + 17 * 40 % 200
    assert np.flatnonzero(gradients["C"]).tolist() == sorted([17 * 199 % 200, 17 * 40 % 200])
    program = lower(derive(parse_system(model)))
    assert interpret(program, {"ids": ids, "C": table})["E"] == loss


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("position", "ids", "said"),
    [
        ("where(w[n] > 0, ids[n] - 1, 0)", [0, 2], r"ids\[n\] - 1 reads position -1, but V=3"),
        ("where(w[n] > 0, ids[n], ids[n] + 1)", [1, 2], r"ids\[n\] \+ 1 reads position 3, but V=3"),
        (
            "1 + where(w[n] > w[0], 0, where(w[n] < 0, 2, 1))",
            [1, 2],
            "1 \\+ 2 reads|3 reads position 3, but V=3",
        ),
    ],
)
def test_each_position_that_real_numbers_choose_is_looked_at(
    position: str, ids: list[int], said: str, fast: bool
) -> None:
    """None wraps round, and none is brought inside, whichever is read."""
    model = loads(f"{TABLE}param w[n]\nloss E = sum(n, tanh(C[{position}])*w[n])\n")
    module = model.derive().module(fast=fast)
    inside = {"C": np.arange(4.0), "w": np.array([1.0, -2.0])}
    outside = {"C": np.arange(3.0), "w": np.array([1.0, -2.0])}
    assert np.isfinite(module.value_and_grad(inside, ids=np.array([1, 2]))[0])
    with pytest.raises(ValueError, match=said):
        module.value_and_grad(outside, ids=np.array(ids))
    if fast:
        with pytest.raises(ValueError, match=said):
            module.value_and_grad(outside, ids=np.array(ids), workspace=module.workspace(N=2, V=3))


@pytest.mark.parametrize(
    "position",
    [
        "where(n > 0 and w[n] > 0, n - 1, 0)",
        "where(ids[n] > 0 and w[n] > 0, ids[n] - 1, 0)",
        "where(not (n == 0 or w[n] < 0), n - 1, n)",
        "where(n == 0 or w[n] < 0, n, n - 1)",
        "where(n == 0, 0, where(w[n] > 0, n - 1, n))",
        "where(w[n] > 0, where(n > 0, n - 1, n), size(n) - 1 - n)",
        "where(w[n] > 0 and n + 1 < size(n), n + 1, n) - where(w[n] < 0 and n > 0, 1, 0)",
        "where(n > 1 or (n > 0 and w[n] > 0), n - 1, 0)",
        "where(not ((n == 0 or w[n] < 0) and n < 2), n - 1, n)",
    ],
)
def test_what_integers_say_beside_real_numbers_keeps_a_position_inside(position: str) -> None:
    model = loads(
        f"index n : N\ninput ids[n] in N\nparam C[n], w[n]\nloss E = sum(n, tanh(C[{position}])*w[n])\n"
    )
    values = {"C": np.array([1.0, 2.0, 5.0, 3.0]), "w": np.array([1.0, -2.0, 3.0, 0.5])}
    ids = np.array([0, 3, 2, 1])
    loss, _ = model.derive().module().value_and_grad(values, ids)
    expected = evaluate_system(model.system, {**values, "ids": ids}, {"N": 4})["E"]
    np.testing.assert_allclose(loss, expected, rtol=1e-14)


def test_a_guard_of_which_integers_say_a_part_in_each_case() -> None:
    model = loads(
        "index n : N\nparam w[n]\ninput x[n]\n"
        "y[n] = where(n + 1 < size(n) and w[n] > 0 or n + 2 < size(n) and x[n] > 0, x[n + 1]*w[n], w[n])\n"
        "loss E = sum(n, where(n > 2 or n > 1 and w[n] > 0, y[n - 2]*w[n], 0))\n"
    )
    values = {"w": np.array([1.0, -2.0, 3.0, 0.5])}
    x = np.array([2.0, 3.0, -1.0, 4.0])
    loss, _ = model.derive().module().value_and_grad(values, x)
    np.testing.assert_allclose(loss, evaluate_system(model.system, {**values, "x": x}, {"N": 4})["E"])


BEFORE = "before[n] = where(n > 0 and w[n] > 0, n - 1, n)\n"


@pytest.mark.parametrize(
    "positions",
    [
        f"{BEFORE}q[n] = before[before[n]]\n",
        "next[n] = where(w[n] > 0 and n + 1 < size(n), n + 1, 0)\nq[n] = next[next[next[n]]]\n",
        f"{BEFORE}q[n] = where(before[n] > 0, before[n] - 1, size(n) - 1)\n",
        "func up(q) = where(q > 0, q - 1, q)\nq[n] = up(up(where(w[n] > 0, ids[n], 0)))\n",
        f"{BEFORE}q[n] = before[n] + where(n > 0 and w[n] > 0, 1, 0)\n",
        "q[n] = where(w[n] > 0, ids[n], size(n) - 1) - where(w[n] > 0, ids[n], size(n) - 1)\n",
    ],
)
@pytest.mark.parametrize("size", [1, 3])
def test_what_is_chosen_is_known_where_a_choice_reads_another(positions: str, size: int) -> None:
    model = loads(
        f"index n : N\ninput ids[n] in N\nparam C[n], w[n]\n{positions}loss E = sum(n, tanh(C[q[n]])*w[n])\n"
    )
    module = model.derive().module()
    ids = np.arange(size)[::-1].copy()
    for w in ([1.0, 2.0, 3.0, 0.5], [-1.0, 2.0, -3.0, -0.5], [-1.0, 1.0, 1.0, 1.0], [0.0, 0.0, -2.0, 2.0]):
        values = {"C": np.array([1.0, 2.0, 5.0, 3.0])[:size], "w": np.array(w)[:size]}
        loss, _ = module.value_and_grad(values, ids=ids)
        expected = evaluate_system(model.system, {**values, "ids": ids}, {"N": size})["E"]
        np.testing.assert_allclose(loss, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "position",
    [
        "where(n > 1 or w[n] > 0, n - 1, 0)",
        "before[before[n]] - 1",
        "before[n] - where(w[n] <= 0, 1, 0)",
        "where(before[n] < 2, before[n] - 1, 0)",
    ],
)
def test_a_choice_that_leaves_the_axis_behind_another_is_refused(position: str) -> None:
    with pytest.raises(NotationError, match=r"lies outside axis N for n = [012]"):
        loads(f"index n : N\nparam C[n], w[n]\n{BEFORE}loss E = sum(n, C[{position}]*w[n])\n")


def test_no_ids_give_no_gradient() -> None:
    model = f"{TABLE}loss E = sum(n, C[floor(ids[n]/2)]^2)\n"
    loss, gradients = module_of(model).value_and_grad({"C": np.ones(3)}, np.zeros(0, int))
    assert loss == 0 and gradients["C"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("ids", [[3, 1], [0, 0], [2, 3], [1, 0]])
@pytest.mark.parametrize("kept", ["a < 2", "a > 1", "a > 0 and a < 3"])
def test_a_scatter_into_a_part_of_an_axis(kept: str, ids: list[int]) -> None:
    model = f"""
index a : A
index t : T
input ids[t] in A
param p[a], w[t], q
y[a] = where({kept}, q*p[a], 0)
loss E = sum(t, w[t]*tanh(y[ids[t]]))
"""
    p, w, q = np.array([0.3, -1.0, 2.0, 0.5]), np.array([2.0, -3.0]), 0.7
    _, gradients = module_of(model).value_and_grad({"p": p, "w": w, "q": np.float64(q)}, np.array(ids))
    inside = {"a < 2": [1, 1, 0, 0], "a > 1": [0, 0, 1, 1], "a > 0 and a < 3": [0, 1, 1, 0]}[kept]
    expected = np.zeros(4)
    for place, weight in zip(ids, w, strict=True):
        expected[place] += inside[place] * weight * q / np.cosh(q * p[place]) ** 2
    np.testing.assert_allclose(gradients["p"], expected, rtol=1e-12)
    np.testing.assert_allclose(gradients["q"], np.sum(expected * p) / q, rtol=1e-12)


def test_a_place_that_leaves_its_axis_is_no_place() -> None:
    model = """
index a : A = 4
index t : T
input ids[t] in A
param w[t]
y[a] = sum(t, w[t]*delta(2*ids[t] - 2, a))
loss E = sum(a, (a + 1)*y[a])
"""
    loss, gradients = module_of(model).value_and_grad(
        {"w": np.array([1.0, 10.0, 100.0])}, np.array([0, 1, 2])
    )
    assert loss == 10 * 1 + 100 * 3
    assert gradients["w"].tolist() == [0, 1, 3]


def test_ratios_are_compared_exactly() -> None:
    """1/10 + 1/5 is more than 3/10 in floating point, and equal to it."""
    model = "index t : T = 4\nparam w[t]\nloss E = sum(t, where(t/10 + 1/5 == 3/10, 5*w[t], w[t]))\n"
    for dtype in (np.float32, np.float64):
        _, gradients = module_of(model).value_and_grad({"w": np.ones(4, dtype)})
        assert gradients["w"].tolist() == [1, 5, 1, 1]
    system = parse_system(model)
    assert evaluate(system, {"w": np.ones(4)}, {"T": 4})["E"] == 8


def test_large_integers_are_compared_exactly_in_float32() -> None:
    model = "index t : T\nparam w[t]\nloss E = sum(t, where(t*16777216 + 1 == 16777217, w[t], 0))\n"
    _, gradients = module_of(model).value_and_grad({"w": np.ones(3, np.float32)})
    assert gradients["w"].tolist() == [0, 1, 0]


def test_a_position_moves_in_jumps_alone() -> None:
    """A parameter that a position compares has no part in the gradient there."""
    model = (
        "index v : V = 3\nparam x[v], q\nloss E = q*x[where(q > 0, 2, 0)]^2 + x[where(x[0] > 0, 1, 2)]*q\n"
    )
    judge(model, sizes={"V": 3})


LARGE_POWERS = """
index i : I
input ids[i] in I
param x[i]
loss E = (sum(i, x[mod(ids[i]^70 + 3*i^40, 3)]*x[i]) + sum(i, where(i^70 > 3^75, x[i]^3, 0))
    + sum(i, where(i < 2, x[i^90]^3, 0)) + x[floor(size(i)^70/7^71)])
"""


def test_powers_of_integers_are_exact() -> None:
    derivation = derive(parse_system(LARGE_POWERS))
    program = lower(derivation)
    ids, x = np.array([6, 5, 4, 3, 2, 1, 0]), np.arange(1.0, 8.0)
    looked_up = sum(x[(int(ids[i]) ** 70 + 3 * i**40) % 3] * x[i] for i in range(7))
    loss = looked_up + sum(x[i] ** 3 for i in range(7) if i**70 > 3**75) + x[0] ** 3 + x[1] ** 3 + x[0]
    run = interpret(program, {"ids": ids, "x": x})
    module = load_module(numpy_source(program), "powers")
    found, grads = module.value_and_grad({"x": x}, ids=ids)
    assert evaluate(derivation.system, {"ids": ids, "x": x}, {"I": 7})["E"] == found == run["E"] == loss
    np.testing.assert_array_equal(grads["x"], run[program.gradients["x"]])


@pytest.mark.parametrize(("size", "is_exact"), [(" = 7", False), (" = 20", True), ("", True)])
def test_integers_of_any_length_are_taken_where_64_bits_may_not_do(size: str, is_exact: bool) -> None:
    model = f"index i : I{size}\nparam x[i]\nloss E = sum(i, x[mod(i^20, 3)]*x[i])\n"
    assert ("astype(object)" in numpy_source(lower(derive(parse_system(model))))) is is_exact


def test_a_position_too_large_for_64_bits_is_outside_its_axis() -> None:
    system = parse_system("index i : I\nparam x[i]\nloss E = sum(i, x[i^90])\n")
    module = load_module(numpy_source(lower(derive(system))), "outside")
    with pytest.raises(ValueError, match="i\\^90"):
        module.value_and_grad({"x": np.arange(4.0)})


def test_powers_with_too_many_digits_are_refused() -> None:
    system = parse_system("index i : I\nparam x[i]\nloss E = sum(i, where(i^1000000 > 3, x[i], 0))\n")
    with pytest.raises(NotationError, match="too many digits"):
        evaluate(system, {"x": np.arange(4.0)}, {"I": 4})
    with pytest.raises(NotationError, match="too many digits"):
        evaluate_system(system, {"x": np.arange(4.0)}, {"I": 4})


HIGH_POWERS = {
    "x^5000 + (1 - x)^2000": "5000*x^4999 - 2000*(1 - x)^1999",
    "(1 + x/100)^365": "73/20*(1 + 0.01*x)^364",
    "(10*x + 10)^1500": "15000*(10*x + 10)^1499",
    "log(1 - (1 - x)^100000)": "100000*(1 - x)^99999/(1 - (1 - x)^100000)",
}


@pytest.mark.parametrize("loss", HIGH_POWERS)
def test_high_powers_have_the_form_of_low_ones(loss: str) -> None:
    (gradient,) = derive(parse_system(f"param x\nloss E = {loss}\n")).gradients.values()
    assert text(gradient.expression) == HIGH_POWERS[loss]


def test_a_complex_step_through_a_high_power_keeps_its_digits() -> None:
    base, step = -1.01 + 1e-200j, 1e-200
    for moved in (power_values(np.asarray(base), np.asarray(1500.0)), FLOATS.power(base, 1500.0)):
        np.testing.assert_allclose(np.imag(moved) / step, -1500 * 1.01**1499, rtol=1e-11)
    np.testing.assert_allclose(FLOATS.power(base, -1500.0), 1.01**-1500, rtol=1e-11)
