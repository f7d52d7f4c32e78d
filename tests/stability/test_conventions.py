"""Where the language has a convention: norms and square roots at 0, x*log(x) at 0, 0^0, means of nothing."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from symbackprop.pipeline import loads
from symbackprop.verification.verified_module import NO_DATA

I = "index i : I\n"  # noqa: E741
B = "index b : B\nindex i : I\n"
X = I + "param x[i]\n"

# The model, the tensors that are not 0, and where a derivative of a norm is 0 by convention.
NORMS = {
    "norm": (X + "loss E = sqrt(sum(i, x[i]^2))\n", {}, ["x"]),
    "distances by names": (
        B
        + "param a[b,i], p[b,i]\ns[b] = sum(i, (a[b,i] - p[b,i])^2)\nn[b] = sqrt(s[b])\n"
        + "loss E = sum(b, max(n[b] - 1, 0)) + sum(b, s[b]) + sum(b, n[b]^3)\n",
        {},
        ["a", "p"],
    ),
    "hinge at both kinks": (
        B + "param a[b,i]\nn[b] = sqrt(sum(i, a[b,i]^2))\nloss E = sum(b, max(n[b], 0))\n",
        {},
        ["a"],
    ),
    "of a contraction": (
        X + "index j : J\ninput W[j,i]\nloss E = sqrt(sum(j, sum(i, W[j,i]*x[i])^2))\n",
        {"W": 1.0},
        ["x"],
    ),
    "of two tensors": (
        X + "index j : J\nparam y[j]\ninput c\nloss E = c*sqrt(sum(i, x[i]^2) + 3*sum(j, y[j]^2))\n",
        {"c": 2.0},
        ["x", "y"],
    ),
    "of weighted squares": (X + "param w[i]\nloss E = sqrt(sum(i, w[i]^2*x[i]^2))\n", {"w": 1.0}, ["x", "w"]),
    "of products": (X + "input c[i]\nloss E = sqrt(3*sum(i, (x[i] - c[i])*(x[i] - c[i])))\n", {}, ["x"]),
    "of a product by names": (
        B
        + "param a[b,i], p[b,i]\nv[b,i] = a[b,i] - p[b,i]\nq[b] = sum(i, v[b,i]*v[b,i])\n"
        + "loss E = sum(b, sqrt(q[b]))\n",
        {},
        ["a", "p"],
    ),
    "of a function's product": (
        B + "param a[b,i]\nfunc size_of(i, u) = sqrt(sum(i, u*u))\nloss E = mean(b, size_of(i, a[b,i]))\n",
        {},
        ["a"],
    ),
    "of magnitudes": (X + "loss E = 3*sqrt(sum(i, abs(x[i])^2))\n", {}, ["x"]),
    "of products of magnitudes": (X + "loss E = sqrt(sum(i, abs(x[i])*abs(x[i])))\n", {}, ["x"]),
    "of two scalars": ("param u, v\nr = sqrt(u*u + v*v)\nloss E = (r - 3)^2\n", {}, ["u", "v"]),
    "of one product": (X + "loss E = sum(i, sqrt(x[i]*x[i]))\n", {}, ["x"]),
    "of a scaled vector": (X + "param a\nloss E = norm(i, a*x[i])\n", {}, ["x", "a"]),
    "of a scaled vector, one of them 0": (
        X + "param a\nloss E = 3*norm(i, a*x[i])\n",
        {"x": 2.0},
        ["x", "a"],
    ),
    "of a divided vector": (
        X + "param c, s\nloss E = norm(i, (x[i] - c)/s)\n",
        {"x": 9.0, "c": 9.0, "s": 0.1},
        ["x", "c"],
    ),
    "of an outer product": (
        X + "index j : J\nparam y[j]\nloss E = sqrt(sum(i, j, x[i]^2*y[j]^2))\n",
        {"y": 3.0},
        ["x", "y"],
    ),
    "of a masked sum": (
        I + "index j : I\nparam x[i]\nloss E = sum(i, sqrt(sum(j, where(j <= i, x[j]^2, 0))))\n",
        {},
        ["x"],
    ),
    "of fourth powers": (X + "loss E = 2*sum(i, x[i]^4)^(1/4)\n", {}, ["x"]),
    "of fourth powers by names": (
        B + "param a[b,i]\ns[b] = sum(i, a[b,i]^4)\nn[b] = s[b]^(1/4)\nloss E = sum(b, n[b] + n[b]^2)\n",
        {},
        ["a"],
    ),
    "of powers of magnitudes": (
        B + "param a[b,i], c[i]\nloss E = sum(b, sum(i, abs(a[b,i] - c[i])^(3/2))^(2/3))\n",
        {},
        ["a", "c"],
    ),
    "a power above 1": (X + "loss E = sqrt(sum(i, x[i]^2))^(3/2)\n", {}, ["x"]),
    "root of a square": (X + "loss E = sum(i, sqrt(x[i]^2))\n", {}, ["x"]),
    "root of a named square": (X + "s[i] = x[i]^2\nloss E = sum(i, sqrt(s[i])*x[i]^2)\n", {}, ["x"]),
    "of what is below 0": (X + "param a\nloss E = sqrt(sum(i, min(a*x[i], 0)^2))\n", {"a": 0.7}, ["x", "a"]),
    "of what is above a level": (X + "param a\nloss E = norm(i, 3*max(x[i] - a, 0))\n", {"a": 2}, ["x", "a"]),
    "of what is below a level, by names": (
        B + "param a[b,i], p\nu[b,i] = min(p, a[b,i])\nm[b,i] = min(a[b,i] - p, 0)\n"
        "n[b] = norm(i, m[b,i])\nloss E = sum(b, n[b]) + sum(b, n[b]^3*sum(i, u[b,i]))\n",
        {"a": 2, "p": 1},
        ["a", "p"],
    ),
    "beside a constant, below": (
        X + "param a, c\nloss E = a/(0.3 + sqrt(2*sum(i, max(x[i] - c, 0)^2)))\n",
        {"x": 0.5, "a": 1, "c": 1.5},
        ["x", "c"],
    ),
    "beside a constant, by names": (
        B + "param a[b,i], c\nd[b] = sum(i, where(a[b,i] > 0, a[b,i]^4, 0))^(1/4) + 0.7\n"
        "loss E = sum(b, exp(c)*c/d[b]^2)\n",
        {"c": 1.5, "a": -1},
        ["a"],
    ),
    "in a logarithm": (
        X + "param a\nloss E = a*log(norm(i, x[i] + abs(x[i])) + 0.2)\n",
        {"x": -0.5, "a": 2},
        ["x"],
    ),
    "masked pairs, divided by more than their distance": (
        "index n, m : B\nindex i : I\nparam a[n,i], c\ninput w[n,m]\n"
        + "r[n,m] = w[n,m] - c^2*norm(i, a[n,i] - a[m,i])\n"
        + "loss E = sum(n, m, where(m < n, r[n,m]^3/w[n,m], 0))/sum(n, m, where(m < n, w[n,m], 0))\n",
        {"w": 0.75, "c": 1.5},
        ["a"],
    ),
    "behind a condition": (
        X + "n = sqrt(sum(i, x[i]^2))\nloss E = where(n < 2, 3*n, n^2)\n",
        {},
        ["x"],
    ),
}


def gradients(module: ModuleType, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = {name: values[name] for name in module.SHAPES if name not in parameters}
    with np.errstate(all="ignore"):
        return dict(module.grad(parameters, **others))


def constants(
    module: ModuleType, of: dict[str, float], sizes: dict[str, int], dtype: type = np.float64
) -> dict[str, np.ndarray]:
    return {
        name: np.full([sizes[axis] for axis in axes], of.get(name, 0.0), dtype)
        for name, axes in module.SHAPES.items()
    }


def unverified(text: str) -> ModuleType:
    return loads(text).derive().module(verify=False)


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_has_the_derivative_0_at_0(name: str) -> None:
    text, of, wrt = NORMS[name]
    module = unverified(text)
    for dtype in (np.float64, np.float32):
        for size in (3, 1, 0):
            values = constants(module, of, {"I": size, "J": 2, "B": 2}, dtype)
            found = gradients(module, values)
            for tensor in wrt:
                assert found[tensor].dtype == dtype
                np.testing.assert_array_equal(found[tensor], np.zeros_like(values[tensor]), err_msg=str(size))


# No convention: the derivative grows beyond bounds, or there is a direction in which it does.
NO_DERIVATIVE = {
    "logarithm of a norm": X + "loss E = log(sqrt(sum(i, x[i]^2)))\n",
    "root of a norm": X + "loss E = sum(i, x[i]^2)^(1/4)\n",
    "root": X + "loss E = sum(i, sqrt(x[i]))\n",
    "eighth root of fourth powers": X + "loss E = sum(i, x[i]^4)^(1/8)\n",
    "root of magnitudes": X + "loss E = sum(i, sqrt(abs(x[i])))\n",
    "root of cubes": X + "loss E = sum(i, x[i]^3)^(1/3)\n",
    "weights of either sign": X + "param w[i]\nloss E = sqrt(sum(i, w[i]*x[i]^2))\n",
    "unit vector": X + "n = sqrt(sum(i, x[i]^2))\ny[i] = x[i]/n\nloss E = sum(i, y[i])\n",
    "root of products": X + "param w[i]\nloss E = sqrt(sum(i, w[i]*x[i]))\n",
    "scaled unit vector": X + "param a\ny[i] = x[i]/norm(i, a*x[i])\nloss E = sum(i, y[i])\n",
    "root of a root and a square": X + "s = sum(i, x[i]^2)\nloss E = sqrt(s + 2*sqrt(s))\n",
    "unit vector at another place": B + "param x[b,i]\ninput c[i]\nn[b] = sqrt(sum(i, x[b,i]^2))\n"
    "loss E = sum(b, i, (x[b,i] - c[i])/n[b])\n",
}


@pytest.mark.parametrize("name", NO_DERIVATIVE)
def test_what_has_no_bound_is_not_finite(name: str) -> None:
    module = unverified(NO_DERIVATIVE[name])
    values = constants(module, {"c": 1.0}, {"I": 3, "B": 2})
    assert not np.any(np.isfinite(gradients(module, values)["x"]))


PAIRS = """index i, j : N
index d : D
param x[i,d]
input w[i,j]
r[i,j] = sqrt(sum(d, (x[i,d] - x[j,d])^2))
loss E = sum(i, j, w[i,j]*r[i,j])
"""


def test_distances_of_all_pairs_are_verified_though_those_of_a_point_to_itself_are_0() -> None:
    derivation = loads(PAIRS).derive()
    assert NO_DATA not in derivation.to_numpy()
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 4))
    x[2] = x[1]
    found = gradients(derivation.module(), {"x": x, "w": w})["x"]
    apart = x[:, None] - x
    distances = np.sqrt(np.sum(apart**2, axis=-1))
    units = np.divide(apart, distances[..., None], out=np.zeros_like(apart), where=distances[..., None] != 0)
    expected = np.sum((w + w.T)[..., None] * units, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# Distances without a name, in what a softmax is of.
SOFTMAXES = {
    "a multiple": "p[i,j] = softmax(j, -2*norm(c, x[i,c] - x[j,c]))",
    "written out, by two coordinates": (
        "p[i,j] = softmax(j, -sqrt((x[i,0] - x[j,0])^2 + (x[i,1] - x[j,1])^2)/3)"
    ),
    "a part": (
        "p[i,j] = exp(w[i,j] - norm(c, x[i,c] - x[j,c]))/sum(j, exp(w[i,j] - norm(c, x[i,c] - x[j,c])))"
    ),
}


@pytest.mark.parametrize("name", SOFTMAXES)
def test_a_distance_in_a_softmax_has_the_derivative_0_at_0(name: str) -> None:
    """By central differences: a distance of 0 is no smaller on either side."""
    text = "index i, j : N\nindex c : C = 2\ninput w[i,j]\nparam x[i,c]\n"
    module = loads(f"{text}{SOFTMAXES[name]}\nloss E = sum(i, j, w[j,i]*p[i,j]^2)\n").derive().module()
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(4, 2)), rng.normal(size=(4, 4))
    x[2] = x[1]
    others = {each: w for each in module.SHAPES if each == "w"}
    found = module.grad({"x": x}, **others)["x"]
    step = 1e-6 * np.eye(8).reshape(8, 4, 2)
    sides = [[module.loss({"x": x + sign * each}, **others) for each in step] for sign in (1, -1)]
    np.testing.assert_allclose(found.ravel(), np.subtract(*sides) / 2e-6, rtol=1e-5, atol=1e-6)


ROWS = """index n : N
index b : B
index d : D
input of[b] in N
input s[n,b], y[b,d]
param w[n,d], a[b,d]
"""

# What is 0 where a row is: of a table, of a picked one, scaled, or of a difference to others.
LOOKED_UP = {
    "row": "loss E = sum(b, 2*norm(d, w[of[b],d]))",
    "difference": "loss E = sum(b, (norm(d, w[of[b],d] - y[b,d]) - 1)^2)",
    "root": "loss E = mean(b, sqrt(sum(d, (y[b,d] + a[b,d] - w[of[b],d])^2)))",
    "fourth powers": "loss E = sum(b, sum(d, (y[b,d] - w[of[b],d])^4)^(1/4))",
    "scaled by a named one": "v[b,d] = w[of[b],d]*a[b,d]\nr[b] = norm(d, v[b,d])\nloss E = sum(b, 3*r[b])",
    "named place": "at[b] = argmin(n, s[n,b])\nloss E = sum(b, norm(d, w[at[b],d] - y[b,d]))",
    "place": "loss E = sum(b, norm(d, y[b,d] - w[argmin(n, s[n,b]),d]))",
    "nearest": "loss E = sum(b, norm(d, y[b,d] - w[argmin(n, sum(d, (w[n,d] - y[b,d])^2)),d]))",
}


@pytest.mark.parametrize("name", LOOKED_UP)
def test_a_norm_of_a_row_that_is_looked_up_has_the_derivative_0_at_0(name: str) -> None:
    """Rows 0 and 2 are met exactly, by samples 0 and 1; sample 2 has a norm that is not 0, of row 1."""
    module = unverified(ROWS + LOOKED_UP[name])
    of = np.array([0, 2, 1])
    w = np.array([[0.0, 0.0], [3.0, 5.0], [0.0, 0.0]])
    a = np.zeros((3, 2)) if "scaled" not in name else np.array([[1.0, 2.0], [0.5, 1.0], [2.0, 1.0]])
    values = {"of": of, "s": 1.0 - np.eye(3)[:, of], "y": np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0]])}
    found = gradients(module, {**values, "w": w, "a": a})
    assert all(np.all(np.isfinite(each)) for each in found.values())
    np.testing.assert_array_equal(found["w"][[0, 2]], np.zeros((2, 2)))
    assert name == "difference" or np.any(found["w"][1] != 0.0)


def test_a_row_at_another_place_than_the_norm_s_is_not_0_with_it() -> None:
    text = ROWS + "loss E = sum(b, norm(d, w[of[b],d])^(-1)*w[of[b],0]*w[argmax(n, s[n,b]),0])"
    module = unverified(text)
    values = {
        "of": np.array([0]),
        "s": np.array([[0.0], [1.0]]),
        "y": np.zeros((1, 2)),
        "a": np.zeros((1, 2)),
    }
    assert not np.all(
        np.isfinite(gradients(module, {**values, "w": np.array([[0.0, 0.0], [1.0, 2.0]])})["w"])
    )


DIRECTIONS = {
    "of pairs": "u[i,j,c] = (x[i,c] - x[j,c])/norm(c, x[i,c] - x[j,c])\n"
    "loss E = sum(i, c, sum(j, w[i,j]*u[i,j,c])^2)",
    "by names": "v[i,j,c] = x[j,c] - x[i,c]\nr[i,j] = sqrt(sum(c, v[i,j,c]^2))\n"
    "loss E = sum(i, c, tanh(sum(j, w[i,j]*exp(-r[i,j])*v[i,j,c]/r[i,j])))",
    "of edges": "v[e,c] = m[c]*x[head[e],c] - m[c]*x[tail[e],c]\nu[e,c] = v[e,c]/norm(c, v[e,c])\n"
    "loss E = sum(c, sum(e, u[e,c]*s[e])^3)",
    "of edges and lengths": "r[e] = norm(c, x[tail[e],c] - x[head[e],c])\n"
    "loss E = sum(e, (r[e] - s[e])^2) + sum(c, sum(e, s[e]*(x[tail[e],c] - x[head[e],c])/r[e])^2)",
}


@pytest.mark.parametrize("name", DIRECTIONS)
def test_the_direction_from_a_point_to_itself_has_the_derivative_0(name: str) -> None:
    """Row 3 is no edge's end, edge 1 goes from row 2 to itself; all pairs hold each row with itself."""
    axes = "index i, j : N\nindex c : C\nindex e : M\n"
    declared = axes + "input w[i,j], s[e], m[c]\ninput head[e], tail[e] in N\nparam x[i,c]\n"
    model = loads(declared + DIRECTIONS[name])
    module = model.derive().module()
    rng = np.random.default_rng(3)
    x, w, s, m = rng.normal(size=(4, 2)), rng.normal(size=(4, 4)), rng.normal(size=3), rng.normal(size=2)
    others = {"w": w, "s": s, "m": m, "head": np.array([0, 2, 1]), "tail": np.array([1, 2, 2])}
    given = {key: value for key, value in others.items() if key in module.SHAPES}
    found = module.grad({"x": x}, **given)["x"]
    moved = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = 1e-6
        moved[at] = (module.loss({"x": x + step}, **given) - module.loss({"x": x - step}, **given)) / 2e-6
    np.testing.assert_allclose(found, moved, rtol=1e-6, atol=1e-7)
    assert "edges" not in name or not found[3].any()


def test_a_distance_that_is_divided_by_without_a_direction_stays_infinite() -> None:
    text = "index i, j : N\nindex c : C\nparam x[i,c], q[i]\n"
    text += "loss E = sum(i, j, q[i]*q[j]/norm(c, x[i,c] - x[j,c]))\n"
    found = gradients(unverified(text), {"x": np.array([[1.0, 2.0], [3.0, 5.0]]), "q": np.ones(2)})
    assert not np.any(np.isfinite(found["x"]))
    assert not np.any(np.isfinite(found["q"]))


@pytest.mark.parametrize(
    "apart", ["x[i,c] - y[i,c]", "x[i,c] - 2*x[j,c]", "x[i,c] - x[j,c] + 1", "x[i,c] - abs(x[j,c])"]
)
def test_a_distance_that_is_0_by_chance_is_divided_by(apart: str) -> None:
    text = "index i, j : N\nindex c : C\nparam x[i,c], y[i,c]\n"
    text += f"loss E = sum(c, sum(i, j, ({apart})/norm(c, {apart}))^2)\n"
    equations = loads(text).derive(["x"]).schedule.equations
    assert not any("i != j" in str(each.equation) or "x[i,c] !=" in str(each.equation) for each in equations)


def test_the_derivative_of_a_root_of_a_square_is_the_sign() -> None:
    derivation = loads(NORMS["root of a square"][0]).derive()
    assert str(derivation.gradients["x"]) == "dE/dx[i] = sign(x[i])"
    found = gradients(derivation.module(verify=False), {"x": np.array([-3.0, 1e-200, 0.0])})
    np.testing.assert_array_equal(found["x"], [-1.0, 1.0, 0.0])


def test_a_condition_that_excludes_0_is_enough() -> None:
    text = X + "n = sqrt(sum(i, x[i]^2))\nloss E = where(n > 0, 2*n, 0)\n"
    assert "!= 0" not in loads(text).derive().to_numpy(verify=False)


def test_x_log_x_and_0_to_the_0() -> None:
    text = X + "input y[i]\nloss E = sum(i, y[i]*log(y[i])*x[i] + 3*x[i]^0 + y[i]^y[i]*x[i])\n"
    module = unverified(text)
    loss, found = module.value_and_grad({"x": np.zeros(2)}, y=np.array([0.0, 1.0]))
    assert loss == 6.0
    np.testing.assert_array_equal(found["x"], [1.0, 1.0])


def test_a_mean_of_nothing_names_the_tensor_and_the_axis() -> None:
    module = unverified(X + "loss E = sum(i, x[i]^2)/size(i) + mean(i, x[i])\n")
    with pytest.raises(ValueError, match="axis I is empty"):
        module.value_and_grad({"x": np.zeros(0)})


HIDDEN = I + "param x[i], y[i]\nr[i] = relu(x[i])\nloss E = sum(i, {})\n"


@pytest.mark.parametrize(
    ("root", "by_x", "by_y"),
    [
        ("sqrt(r[i]*y[i]^2)", [0, 0, 0.75, 0], [0, 0, 2, 0]),
        ("sqrt(3*relu(x[i])*y[i]^2)/sqrt(3)", [0, 0, 0.75, 0], [0, 0, 2, 0]),
        ("y[i]*(r[i]*y[i]^2*abs(y[i]))^(1/2)", [0, 0, 3**2.5 / 4, 0], [0, 0, 2 * 2.5 * 3**1.5, 0]),
    ],
)
def test_a_root_of_what_a_relu_masks_is_0_where_that_is(
    root: str, by_x: list[float], by_y: list[float]
) -> None:
    """Where x <= 0 the model is 0 whatever y is; where y is 0, and x is not, it is a magnitude of y."""
    model = loads(HIDDEN.format(root))
    params = {"x": np.array([-4.0, 0.0, 4.0, 4.0]), "y": np.array([3.0, 3.0, 3.0, 0.0])}
    grads = model.derive().module().grad(params)
    np.testing.assert_allclose(grads["x"], by_x, rtol=1e-14)
    np.testing.assert_allclose(grads["y"], by_y, rtol=1e-14)
    assert model.check().ok


@pytest.mark.parametrize("root", ["sqrt(r[i])*x[i]^0*y[i]/r[i]", "y[i]/sqrt(r[i]*y[i]^2)", "sqrt(r[i]*y[i])"])
def test_a_root_that_may_be_negative_or_has_no_bound_is_left_alone(root: str) -> None:
    equations = loads(HIDDEN.format(root)).derive(["y"]).schedule.equations
    assert not any("!= 0" in str(each.equation.expression) for each in equations)


@pytest.mark.parametrize("weight", ["p[i]^2", "relu(p[i])^2", "p[i]^4"])
def test_an_entropy_has_the_derivative_0_where_a_probability_is_0(weight: str) -> None:
    """By the name of the probability, also where its square is too small for a number."""
    text = f"{I}param p[i]\nq[i] = {weight}/sum(i, {weight})\nloss E = -sum(i, q[i]*log(q[i]))\n"
    loss, found = unverified(text).value_and_grad({"p": np.array([0.0, 1.0, 1.0, 1e-200])})
    assert abs(loss - np.log(2)) < 1e-15
    np.testing.assert_allclose(found["p"], np.zeros(4), atol=1e-15)
