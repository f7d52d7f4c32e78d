"""Each axis empty in turn: the equations' value, or a ValueError that names the axis, never NumPy's own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.array.interpreter import interpret
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import ProgramError, VerificationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System
from tests.models import classics, recurrences
from tests.models.judges import assert_close
from tests.programs import lower_system, numpy_source

MODELS = {
    "extrema": """
index n : N
index k : K
index r : R
input x[n,k]
param w[k,r], b[r]
u[n] = max(k, x[n,k]*w[k,0])
v[r] = min(k, w[k,r]) + prod(n, x[n,0])*b[r]
loss E = sum(n, u[n]^2) + sum(r, v[r])
""",
    "extremum_of_what_stands_still": """
index a, a2 : A
index b : B
param x[b], z[a]
v[a] = max(a2, z[a])*min(b, x[b])
loss E = sum(b, max(a, x[b])) + sum(a, v[a])
""",
    "graph_attention": """
index e : E
index n : V
index d : D
input src[e] in V
input dst[e] in V
param h[n,d], a[d]
s[e] = sum(d, a[d]*(h[src[e],d] + h[dst[e],d]))
z[n,d] = sum(e, where(dst[e] == n, exp(s[e])*h[src[e],d], 0))
loss L = sum(n, d, z[n,d]^2)
""",
    "sinkhorn": """
index i : I
index j : J
param C[i,j]
K[i,j] = exp(-C[i,j])
u[i] = 1/(size(i)*sum(j, K[i,j]))
v[j] = 1/(size(j)*sum(i, K[i,j]*u[i]))
loss L = sum(i, j, u[i]*K[i,j]*v[j]*C[i,j])
""",
    "weight_norm": """
index n : N
index i : I
index o : O
input x[n,i]
param v[o,i], g[o]
w[o,i] = g[o]*v[o,i]/sqrt(sum(i, v[o,i]^2))
loss L = sum(n, o, sum(i, w[o,i]*x[n,i])^2)
""",
    "means": """
index n : N
index i : I
input x[n,i]
param a[i], s
m[n] = mean(i, a[i]*x[n,i])
v[n] = mean(i, (x[n,i] - m[n])^2)
loss L = mean(n, sum(i, (x[n,i] - m[n])/sqrt(v[n] + 1)*a[i])^2) + s*mean(i, a[i]^2)
""",
    "window": """
index t : T
index r : R
index c : C
input x[t,c]
param w[r,c], b[t]
y[t] = b[t] + sum(r, c, pad(x[t+r-1,c])*w[r,c])
z[t] = max(r, pad(y[t+r]))
loss L = sum(t, z[t]^2) + sum(t, where(t + 2 < size(t), 1, 0))*sum(r, w[r,0]^2)
""",
    "window_at_the_first_and_the_last_place": """
index n : N
index t, s : T
index r : R
param h[t,r], g[r,t], p[t]
v[n] = sum(s, pad(h[0,3*n-s+2])*p[s])
w[r] = sum(s, pad(g[r-s+1,size(t)-1])*p[s]^2)
input x[n]
loss L = sum(n, x[n]*v[n]) + sum(r, w[r]^2)
""",
    "gathered": """
index n : N
index t, s : T
index c : C
input i in C
param a[n,c], b[c], d[t]
u[t,s] = where(0 <= 2*t - s - 1 < size(n), a[2*t - s - 1,i], 0)*d[s]
loss L = sum(t, s, u[t,s]^2) + sum(t, where(t*t + 1 < size(c), b[t*t + 1], 1)*d[t])
""",
    "scattered": """
index s : S = 4
index n, r : N
param a[n,r], w[s]
h[s] = where(s <= 0, sum(r, pad(a[floor((4 - s)/3),r])), where(s > 0, h[s-1], 0)*w[s])
loss L = sum(s, h[s]^2)
""",
    "gathered_round": """
index n : N
index t : T
input x[n]
param a[t], b[n]
v[n] = sum(t, where(t > n, a[mod(2*n + 1, size(t))]*a[t], b[n]))
loss L = sum(n, x[n]*v[n]^2)
""",
    "gathered_at_the_first_place": """
index a : A = 2
index c : C
index t : T
param p[a,t], q[c,t]
v[a] = sum(c, pad(p[a+c,0])*where(2*a + 1 < size(t), q[c,2*a + 1], 1/2))
loss L = sum(a, tanh(v[a]))
""",
    "gathered_at_the_last_place_of_a_loop": """
index n : N
index t, s : T
param x[n,s], w[t]
h[t] = where(t == 0, w[0], h[t-1]/2) + sum(s, where(3*s + t < size(n), x[3*s + t,0]*w[s], 0))
loss L = sum(t, h[t]^2)
""",
    "gathered_where_zeros_were_put_around_the_places": """
index a, c : A
index b, d : B
input at[b,d] in B
param p[a,b], m[a,c]
v[a] = sum(b, pad(m[a + b - 1,a + b - 1])*p[a,at[b,b]])
loss L = sum(a, v[a]^2)
""",
    "logsumexp": """
index n : N
index k : K
param u[n,k]
loss L = sum(n, log(sum(k, exp(u[n,k]))))
""",
}
SHAPES = ("attention", "layer_norm", "least_squares", "embedding", "batch_norm", "gradient_penalty")
TEXTS = {**MODELS, **recurrences.TEXTS}
NAMES = [*TEXTS, *(f"classic {name}" for name in SHAPES)]


def system_of(name: str) -> System:
    if name in TEXTS:
        return parse_system(TEXTS[name], name)
    return classics.load_classic(name.removeprefix("classic ")).system


def _declared(system: System) -> list[str]:
    tensors = system.with_role(Role.INPUT, Role.TARGET, Role.PARAMETER, Role.CONSTANT)
    return [tensor.name for tensor in tensors if tensor.values is None]


def drawn(system: System, sizes: dict[str, int]) -> Iterator[tuple[str, Array]]:
    rng = np.random.default_rng(5)
    for tensor in system.tensors.values():
        if tensor.role is not Role.DERIVED:
            shape = [sizes[index.axis.name] for index in tensor.indices]
            if tensor.values is None:
                yield tensor.name, rng.uniform(0.2, 0.9, shape)
            else:
                yield tensor.name, rng.integers(0, max(sizes[tensor.values.name], 1), shape)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_axis_gives_the_equations_value_or_is_refused_by_name(name: str) -> None:
    system = system_of(name)
    derivation = derive(system, _declared(system))
    whole = derivation.as_system()
    program = lower(derivation)
    module = load_module(numpy_source(program), "empty")
    for axis in (axis.name for axis in system.axes if axis.size is None):
        sizes = {**model_sizes(system), axis: 0}
        arrays = dict(drawn(system, sizes))
        params = {own: arrays[own] for own in module.PARAMETERS}
        others = {own: array for own, array in arrays.items() if own not in params}
        try:
            with np.errstate(all="ignore"):
                loss, grads = module.value_and_grad(params, **others)
        except ValueError as error:
            named = (f"axis {axis} is empty", f"{axis}=0")
            assert any(part in str(error) for part in named), f"{axis}: {error}"
            with pytest.raises(ProgramError):
                interpret(program, arrays)
            continue
        known, found = evaluate(whole, arrays, sizes), interpret(program, arrays)
        results = {system.loss: (system.loss, loss)}
        results |= {equation.tensor: (own, grads[own]) for own, equation in derivation.gradients.items()}
        for tensor, (own, result) in results.items():
            # The mean over an empty batch is 0, where the equation's is 0/0.
            expected = known[tensor].astype(float)
            expected = np.where(np.isnan(expected), result, expected)
            assert np.all(np.isfinite(result)), f"{own} of {name} with {axis} = 0"
            assert_close(result, expected, f"{own} of {name} with {axis} = 0")
            assert_close(found[tensor], expected, f"{own} of {name} with {axis} = 0, interpreted")


@pytest.mark.parametrize(
    ("name", "axis", "message"),
    [
        ("extrema", "K", r"max over k in u\[n\]: axis K is empty"),
        ("means", "I", "divides by 0: axis I is empty"),
    ],
)
def test_the_message_says_what_needs_the_axis(name: str, axis: str, message: str) -> None:
    system = system_of(name)
    module = load_module(numpy_source(lower(derive(system, _declared(system)))), "empty")
    arrays = dict(drawn(system, {**model_sizes(system), axis: 0}))
    params = {own: arrays[own] for own in module.PARAMETERS}
    with pytest.raises(ValueError, match=message):
        module.loss(params, **{own: array for own, array in arrays.items() if own not in params})


def test_an_extremum_that_the_evaluator_cannot_take_is_named() -> None:
    system = system_of("logsumexp")
    text = "index n : N\nindex k : K\nparam u[n,k]\nloss L = sum(n, max(k, u[n,k]^2))\n"
    with pytest.raises(VerificationError, match=r"max over k of u\[n,k\]\^2: axis K is empty"):
        evaluate(parse_system(text), {"u": np.zeros((2, 0))})
    assert evaluate(system, {"u": np.zeros((0, 2))})["L"] == 0


def test_axes_that_must_have_places_come_in_an_order_that_no_hash_decides() -> None:
    names = "abcdef"
    declared = "".join(f"index {name} : {name.upper()}\n" for name in names)
    sizes = "*".join(f"size({name})" for name in reversed(names))
    program = lower_system(parse_system(f"{declared}param w\ny = w + 1/({sizes})\nloss total = y\n"))
    assert list(program.not_empty) == [name.upper() for name in names]


@pytest.mark.parametrize("position", ["mod(0, size(c))", "floor(size(c)/2)", "mod(7, size(c))"])
def test_what_is_guarded_by_a_size_is_0_where_the_axis_is_empty(position: str) -> None:
    """The gradient of p compares the position with each c: where there is none, nothing is divided."""
    system = parse_system(
        "index c : C\nindex i : I\nparam p[c], q[i]\n"
        f"loss L = sum(i, q[i]^2*where(size(c) > 2, p[{position}], 0))\n"
    )
    module = load_module(numpy_source(lower(derive(system))), "guarded")
    loss, grads = module.value_and_grad({"p": np.ones(0), "q": np.ones(2)})
    assert loss == 0 and grads["p"].shape == (0,) and not grads["q"].any()
    p = np.arange(1.0, 4.0)
    values = {"p": p, "q": np.ones(2)}
    loss, grads = module.value_and_grad(values)
    assert loss == evaluate(system, values)["L"] and grads["p"].sum() == 2


@pytest.mark.parametrize(("places", "read"), [(3, "h[t + 1]"), (1, "h[t]")])
def test_zeros_beside_an_array_are_no_reason_where_a_relation_counts_them(places: int, read: str) -> None:
    """w is padded from T to S places in the gradient of h: by S - T, which is a number of zeros for any T."""
    text = f"index s : S = T + {places}\nindex t : T\nparam h[s], w[t]\n"
    system = parse_system(f"{text}loss E = sum(t, w[t]*{read}^2) + sum(s, h[s]^3)\n")
    program = lower(derive(system))
    assert "Pad" in repr(program.statements) and not program.not_empty
    values = {"h": np.full(places, 2.0), "w": np.ones(0)}
    loss, grads = load_module(numpy_source(program), "related").value_and_grad(values)
    assert loss == evaluate(system, values)["E"] == 8 * places
    assert grads["h"].tolist() == [12.0] * places and grads["w"].shape == (0,)


def test_fewer_zeros_than_none_are_refused_by_name() -> None:
    """Near miss: x has R - 1 zeros in front."""
    text = "index t : T\nindex r : R\nparam x[t], k[r]\nloss E = sum(t, sum(r, k[r]*pad(x[t - r]))^2)\n"
    program = lower(derive(parse_system(text)))
    assert "Pad" in repr(program.statements) and "R" in program.not_empty


def test_a_quotient_by_a_size_without_a_guard_is_refused_all_the_same() -> None:
    """Near miss: the loss itself is 0/0 there."""
    text = "index c : C\nparam p[c]\nloss L = sum(c, p[c])/size(c)\n"
    module = load_module(numpy_source(lower(derive(parse_system(text)))), "mean")
    with pytest.raises(ValueError, match="divides by 0: axis C is empty"):
        module.loss({"p": np.ones(0)})


@pytest.mark.parametrize(("condition", "refused"), [("s != 0", False), ("s >= 0", True)])
def test_a_quotient_that_is_not_chosen_for_an_empty_axis_is_no_reason(condition: str, refused: bool) -> None:
    text = f"index i : I\nparam a, x[i]\ns = sum(i, x[i]^2)\nloss E = a*where({condition}, 1/s, 0) + 3\n"
    module = load_module(numpy_source(lower(derive(parse_system(text)))), "guarded")
    values = {"a": np.array(2.0), "x": np.ones(0)}
    if refused:
        with pytest.raises(ValueError, match="divides by 0: axis I is empty"):
            module.loss(values)
    else:
        loss, grads = module.value_and_grad(values)
        assert loss == 3 and grads["a"] == 0 and grads["x"].shape == (0,)


@pytest.mark.parametrize(
    ("length", "empty", "refused"),
    [("2*A*E", "A", False), ("2*A*E", "E", False), ("A*E + 2", "A", True), ("A + E", "A", True)],
)
def test_what_is_read_by_a_counted_axis_may_be_empty_with_it(length: str, empty: str, refused: bool) -> None:
    """Where A or E is empty, so is G = 2*A*E, and no place of x or w is read."""
    text = f"index a : A\nindex e : E\nindex g : G = {length}\ninput x[a], u[g]\nparam w[a,e]\n"
    read = "x[floor(g/size(e))]*w[floor(g/size(e)),mod(g,size(e))]"
    text += f"y[g] = where(floor(g/size(e)) < size(a), {read}, 0)\n"
    text += "loss L = sum(g, u[g]*y[g]) + sum(a, e, w[a,e])\n"
    module = load_module(numpy_source(lower(derive(parse_system(text)))), "counted")
    sizes = {"A": 2, "E": 3, empty: 0}
    places = {"2*A*E": 0, "A*E + 2": 2, "A + E": sizes["A"] + sizes["E"]}[length]
    weights = {"w": np.ones((sizes["A"], sizes["E"]))}
    if refused:
        with pytest.raises(ValueError, match="axis A is empty"):
            module.grad(weights, np.ones(sizes["A"]), np.ones(places))
    else:
        loss, grads = module.value_and_grad(weights, np.ones(sizes["A"]), np.ones(places))
        assert loss == 0 and grads["w"].shape == weights["w"].shape


STEPPED = "index a : A\nindex b : B\nindex c : C\nindex t : T\ninput k[a,c], x[b]\nparam p\n"
STEPPED_EXTREMA = {
    "v[b] = max(a, pad(x[b + a - 1])*k[a,0])\nloss E = p*sum(b, v[b])": "A",
    "v[b] = 1 - p*min(a, c, pad(x[b + a - 1])*k[a,c])\nloss E = sum(b, v[b])": "AC",
    "v[b] = max(a, sum(c, pad(x[b + a - 1])*k[a,c]))\nloss E = p*sum(b, v[b])": "A",
    "v[b,c] = argmax(a, pad(x[b + a - 1])*k[a,c])\nloss E = p*sum(b, c, v[b,c])": "A",
    "loss E = p*max(a, b, pad(x[b + a - 1])*k[a,0])": "AB",
    "loss E = p*sum(c, prod(a, max(b, pad(x[b + a - 1])*k[a,c])))": "B",
    "h[t,b] = where(t == 0, x[b], p*max(a, pad(h[t-1,b + a - 1])*k[a,0]))\nloss E = sum(t, b, h[t,b])": "A",
}


@pytest.mark.parametrize(("text", "needing"), STEPPED_EXTREMA.items())
def test_an_extremum_that_a_loop_takes_needs_a_step(text: str, needing: str) -> None:
    """It starts as infinity; the index of the result, over which another loop may run, needs no place."""
    program = lower(derive(parse_system(f"{STEPPED}{text}\n")))
    assert {axis for axis, why in program.not_empty.items() if " over " in why} == set(needing)


def test_the_module_names_the_loop_that_takes_no_step() -> None:
    system = parse_system(f"{STEPPED}v[b] = max(a, pad(x[b + a - 1])*k[a,0])\nloss E = p*sum(b, v[b])\n")
    module = load_module(numpy_source(lower(derive(system))), "stepped")
    with pytest.raises(ValueError, match="max over a in v: axis A is empty"):
        module.loss({"p": np.ones(())}, k=np.ones((0, 1)), x=np.ones(2))
    assert module.loss({"p": np.ones(())}, k=np.ones((2, 1)), x=np.ones(0)) == 0


@pytest.mark.parametrize("condition", ["size(a) > 0", "size(a) >= size(b)"])
def test_an_extremum_that_a_loop_takes_where_the_sizes_choose_it(condition: str) -> None:
    """Near miss: what is not chosen for an empty axis may be infinite."""
    text = f"v[b] = where({condition}, max(a, pad(x[b + a - 1])*k[a,0]), p)\nloss E = p*sum(b, v[b])\n"
    system = parse_system(STEPPED + text)
    module = load_module(numpy_source(lower(derive(system))), "chosen")
    for size in (0, 3):
        values = {"p": np.array(2.0), "k": np.ones((size, 1)), "x": np.array([1.0, 3.0])}
        loss, grads = module.value_and_grad({"p": values["p"]}, k=values["k"], x=values["x"])
        assert loss == evaluate(system, values)["E"] == (8 if size == 0 else 12)
        assert grads["p"] == (8 if size == 0 else 6)


CHOSEN_BY_ANOTHER_SIZE = """
index a : A
index b : B
index c, c2 : C
param x[c,c2], p[b]
const q[a]
loss E = sum(b, p[b]^2) + where({condition}, sum(a, q[a]*{chosen}), 0)
"""


@pytest.mark.parametrize(
    ("condition", "chosen", "value"),
    [
        ("size(b) > 0", "max(c, pad(x[floor(a/2),c]))", None),
        ("size(b) > 0", "pad(x[floor(a/2),0])", None),
        ("not size(b) > 0", "max(c, pad(x[floor(a/2),c]))", 3.0),
        ("size(b) > 1 and size(c) > 0", "max(c, pad(x[floor(a/2),c]))", 3.0),
    ],
)
def test_what_another_size_chooses_is_refused_where_it_is_chosen(
    condition: str, chosen: str, value: float | None
) -> None:
    text = CHOSEN_BY_ANOTHER_SIZE.format(condition=condition, chosen=chosen)
    module = load_module(numpy_source(lower(derive(parse_system(text, "chosen"), ["p"]))), "chosen")
    data, q = {"x": np.zeros((0, 0)), "p": np.ones(3)}, np.ones(2)
    if value is None:
        with pytest.raises(ValueError, match="reads position 0, but C=0"):
            module.loss(data, q)
    else:
        assert module.loss(data, q) == value


STABILISED = "index n : N\nindex k : K\nparam a[n], x[n,k], b, c\n"


@pytest.mark.parametrize(
    "loss",
    [
        "c*sum(n, exp(a[n])/(exp(a[n]) + exp(b)))",
        "sum(k, log(exp(b) + sum(n, exp(x[n,k]))))*c",
    ],
)
def test_a_maximum_that_stabilises_sums_over_nothing_leaves_them_0(loss: str) -> None:
    system = parse_system(f"{STABILISED}loss E = {loss}\n")
    derivation = derive(system)
    program = lower(derivation)
    module = load_module(numpy_source(program), "stabilised")
    for dtype in (np.float64, np.float32):
        values = {"a": np.ones(0, dtype), "x": np.ones((0, 2), dtype)}
        values |= {"b": np.asarray(0.5, dtype), "c": np.asarray(-1.5, dtype)}
        known = evaluate(derivation.as_system(), values, {"N": 0, "K": 2})
        found, gradient = interpret(program, values), module.value_and_grad(values)
        rtol = 1e-12 if dtype is np.float64 else 1e-5
        np.testing.assert_allclose([gradient[0], found["E"]], float(known["E"]), rtol=rtol)
        for name, equation in derivation.gradients.items():
            expected = known[equation.tensor].astype(float)
            np.testing.assert_allclose(gradient[1][name], expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    "loss",
    [
        "c + b*sum(n, exp(a[n])*a[n])/sum(n, exp(a[n]))",
        "c + b*log(sum(n, exp(a[n])))",
        "c + b*sum(n, exp(a[n] - max(n, a[n])))",
    ],
)
def test_a_maximum_over_nothing_is_refused_beside_a_pole_and_where_the_model_takes_it(loss: str) -> None:
    """Near misses: 0/0, log(0), and a maximum that the model itself takes."""
    module = load_module(numpy_source(lower(derive(parse_system(f"{STABILISED}loss E = {loss}\n")))), "poles")
    values = {"a": np.ones(0), "x": np.ones((0, 2)), "b": np.array(2.0), "c": np.array(1.0)}
    with pytest.raises(ValueError, match=r"axis N is empty"):
        module.loss(values)


@pytest.mark.parametrize("fast", [False, True])
def test_of_an_empty_batch_a_mean_is_0_and_of_another_empty_axis_refused(fast: bool) -> None:
    declared = "index n : N\nindex k : K\ninput x[n,k]\nparam w[k]\n"
    derived = sb.loads(f"{declared}loss E = mean(n, mean(k, w[k]*x[n,k])^2)\n").derive()
    module = derived.module(fast=fast)
    loss, gradients = module.value_and_grad({"w": np.ones(3)}, x=np.ones((0, 3)))
    assert loss == 0.0
    assert np.array_equal(gradients["w"], np.zeros(3))
    with pytest.raises(ValueError, match="axis K is empty"):
        module.value_and_grad({"w": np.ones(0)}, x=np.ones((2, 0)))
