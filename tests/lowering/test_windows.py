"""Windows, shifts, reshapes and lookups: interpreter and module against the naive evaluator."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.emission.loading import load_module
from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_system
from tests.lowering.array_models import check, draw, run
from tests.programs import lower_system, numpy_source

NAMES = {
    "n": "N", "c": "C", "o": "O", "i": "I", "j": "J", "a": "A", "b": "B", "r": "R", "s": "S", "t": "T",
    "v": "V", "e": "E", "g": "G", "h": "H", "q": "Q",
}  # fmt: skip
# Stride that does not divide, padding, an axis of one; then a kernel shorter than the padding, and one place.
SIZES = dict(N=2, C=3, O=5, I=7, J=6, A=4, B=3, R=3, S=2, T=4, V=6, E=3, G=2, H=3, Q=6)
SMALL = dict(N=1, C=1, O=2, I=2, J=1, A=5, B=2, R=1, S=3, T=1, V=1, E=1, G=2, H=1, Q=2)
EMPTY = {**SIZES, "N": 0}

X2, W2, D2 = "input x[n,c,i,j]\n", "param w[o,c,r,s]\n", "input d[n,o,a,b]\n"
FORMS = {
    "convolution": X2 + W2 + D2 + "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*pad(x[n,c,2*a+r-1,b+s-1]))",
    "its bias": X2 + W2 + D2 + "param k[o]\n"
    "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*pad(x[n,c,2*a+r-1,b+s-1])) + k[o]",
    "its kernel": X2 + W2 + D2 + "y[o,c,r,s] = sum(n, a, b, d[n,o,a,b]*pad(x[n,c,2*a+r-1,2*b+s-1]))",
    "its input": X2 + W2 + D2 + "y[n,c,i,j] = sum(o, a, b, d[n,o,a,b]*"
    "where(0 <= i-2*a+1 and i-2*a+1 < size(r) and "
    "0 <= j-3*b+2 and j-3*b+2 < size(s), w[o,c,i-2*a+1,j-3*b+2], 0))",
    "its input without stride": "input x[n,c,i], d[n,o,a]\nparam w[o,c,r]\n"
    "y[n,c,i] = sum(o, r, w[o,c,r]*where(0 <= i-r+1 and i-r+1 < size(a), d[n,o,i-r+1], 0))",
    "dilated": "input x[n,c,i], d[n,o,a]\nparam w[o,c,r]\n"
    "y[n,o,a] = sum(c, r, w[o,c,r]*pad(x[n,c,a+2*r-3]))",
    "depthwise": "input x[n,c,i], d[n,o,a]\nparam w[c,r]\ny[n,c,a] = sum(r, w[c,r]*pad(x[n,c,2*a+r-2]))",
    "padding longer than all": "input x[n,c,i], d[n,o,a]\nparam w[o,c,r]\n"
    "y[n,o,a] = sum(c, r, w[o,c,r]*pad(x[n,c,a+r-9]))",
    "transposed": "input x[n,c,a], z[i]\nparam w[o,c,r]\n"
    "y[n,o,i] = sum(c, a, where(0 <= i-2*a and i-2*a < size(r), w[o,c,i-2*a]*x[n,c,a], 0))",
    "transposed back": "input d[n,o,i], z[a]\nparam w[o,c,r]\n"
    "y[n,c,a] = sum(o, i, d[n,o,i]*where(0 <= i-2*a and i-2*a < size(r), w[o,c,i-2*a], 0))",
    "channels last": "input x[n,i,j,c], d[n,a,b,o]\nparam w[r,s,c,o]\n"
    "y[n,a,b,o] = sum(r, s, c, w[r,s,c,o]*pad(x[n,a+r-1,2*b+s,c]))",
    "one image": "input x[c,i], d[o,a]\nparam w[o,c,r]\ny[o,a] = sum(c, r, w[o,c,r]*pad(x[c,a+r-1]))",
    "unpooled": "input d[n,g], x[n,q], z[r]\n"
    "y[n,q] = d[n,floor(q/3)]*where(argmax(r, pad(x[n,3*floor(q/3)+r])) == mod(q,3), x[n,q], 0)",
    "average": X2 + W2 + D2 + "y[n,c,a,b] = sum(r, s, pad(x[n,c,2*a+r,b+s]))/(size(r)*size(s))",
    "average back": X2 + W2 + "input d[n,c,a,b]\ny[n,c,i,j] = sum(a, b, d[n,c,a,b]*where(0 <= i-2*a and "
    "i-2*a < size(r) and 0 <= j-b and j-b < size(s), 1, 0))/size(r)",
    "maximum": X2 + W2 + D2 + "y[n,c,a,b] = max(r, s, pad(x[n,c,2*a+r,b+s]))",
    "minimum": X2 + W2 + D2 + "y[n,c,a,b] = min(r, s, pad(x[n,c,2*a+r,b+s]))",
    "squares": X2 + W2 + D2 + "y[n,c,a,b] = sqrt(1 + sum(r, s, pad(x[n,c,2*a+r,b+s])^2))",
    "groups": "input x[n,q,i], d[n,a], z[g,h]\nparam w[g,o,h,r]\n"
    "y[n,g,o,a] = sum(h, r, w[g,o,h,r]*pad(x[n,size(h)*g+h,a+r-1]))",
    "difference": "input x[n,i]\ny[n,i] = pad(x[n,i+1]) - x[n,i]",
    "flip": "input x[n,i]\ny[n,i] = x[n,size(i)-1-i]",
    "constant": "input u[i,c]\ny[c] = u[0,c]",
    "short sum": "input d[n,t,c], x[n,t,e]\ny[c,e] = sum(n, t, where(t >= 1, d[n,t,c]*x[n,t-1,e], 0))",
    "later": "input d[n,t,c], x[n,t,e]\ny[c,e] = sum(n, t, d[n,t,c]*pad(x[n,t+1,e]))",
    "two steps": "input d[t,c], x[t,e]\ny[c,e] = sum(t, where(t >= 2, d[t,c]*x[t-2,e], 0))",
    "masked": "input x[i], z[i]\ny[i] = where(i >= 1, x[i]*exp(x[i-1]), z[i])",
    "split": "input x[n,q], z[g,h]\ny[n,g,h] = x[n,size(h)*g+h]",
    "merged": "input x[n,g,h], z[q]\ny[n,q] = x[n,floor(q/size(h)),mod(q,size(h))]",
    "in two parts": "input x[n,g], z[g,h], k[q]\n"
    "y[n,q] = x[n,floor(q/size(h))]*z[floor(q/size(h)),mod(q,size(h))]",
    "merged, then zeros": "input x[n,g,s], z[q]\ny[n,q] = "
    "z[q]*where(floor(q/size(s)) < size(g), x[n,floor(q/size(s)),mod(q,size(s))], 0)",
    "beside another digit": "input x[g,h], z[q]\n"
    "y[q] = x[floor(q/size(h)),mod(q,size(h))]*where(mod(q,2) == 1, z[q], -floor(q/4))",
    "embedding": "input ids[n,t] in V\nparam C_[v,e]\ny[n,t,e] = C_[ids[n,t],e]",
    "columns": "input ids[n,t] in V\nparam C_[e,v]\ny[n,t,e] = C_[e,ids[n,t]]",
    "picked": "input ids[n] in V\ninput x[n,v]\ny[n] = x[n,ids[n]]",
    "permuted": "input ids[v] in V\ninput x[n,v]\ny[n,v] = x[n,ids[v]]",
    "bag": "input ids[n,t] in V\nparam C_[v,e]\ny[n,e] = sum(t, C_[ids[n,t],e])",
    "scattered": "input ids[n,t] in V\ninput d[n,t,e]\nparam C_[v,e]\n"
    "y[v,e] = sum(n, t, d[n,t,e]*delta(ids[n,t],v))",
    "scattered counts": "input ids[n,t] in V\nparam C_[v,e]\ny[v] = sum(n, t, delta(ids[n,t],v))",
    "scattered after a product": "input ids[n,t] in V\ninput d[n,t,e], m[e,c]\nparam C_[v,c]\n"
    "y[c,v] = 2*sum(n, t, e, d[n,t,e]*m[e,c]*C_[v,c]*delta(v,ids[n,t]))",
    "scattered by row": "input ids[n,t] in V\ninput d[n,t], x[n,v]\n"
    "y[n,v] = sum(t, d[n,t]*delta(ids[n,t],v))",
    "mask": "input ids[n] in V\ninput d[n], x[v]\ny[n,v] = d[n]*delta(ids[n],v)",
}  # fmt: skip


def text_of(form: str, sizes: dict[str, int], declared: bool) -> str:
    """The model; a batch has no declared size."""
    shown = {axis: f" = {size}" if declared and axis != "N" else "" for axis, size in sizes.items()}
    axes = [f"index {name} : {axis}{shown[axis]}" for name, axis in NAMES.items()]
    return "\n".join([*axes, form, ""])


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, declared: bool) -> None:
    for sizes, dtype in ((SIZES, np.float64), (SMALL, np.float64), (EMPTY, np.float32), (SIZES, np.float32)):
        check(text_of(FORMS[form], sizes, declared), sizes, dtype)


@pytest.mark.parametrize("form", FORMS)
def test_loops_go_over_offsets_alone(form: str) -> None:
    source = check(text_of(FORMS[form], SIZES, True), SIZES, np.float64)
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For)]
    assert {node.target.id for node in loops if isinstance(node.target, ast.Name)} <= {"r", "s", "q_rest"}
    assert all(len(line) <= 110 for line in source.splitlines())


def test_a_long_kernel_is_stepped_through_and_windows_stay_small() -> None:
    text = (
        "index n : N\nindex a : A\nindex r : R = 65\nindex i : I = A + R - 1\nindex o : O\nindex c : C\n"
        "input x[n,c,i]\nparam w[o,c,r]\ny[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+r])\n"
    )
    assert "windows" not in numpy_source(lower_system(parse_system(text)))
    assert "windows" in numpy_source(lower_system(parse_system(text.replace("65", "64"))))


def test_a_weight_gradient_of_many_channels_is_one_product() -> None:
    text = text_of(FORMS["its kernel"], {**SIZES, "O": 13}, True)
    assert "np.tensordot(x_windows, d, " in numpy_source(lower_system(parse_system(text)))


def code(form: str) -> str:
    """The statements of the forward pass, without comments, sizes and what is unpacked."""
    source = numpy_source(lower_system(parse_system(text_of(FORMS[form], SIZES, True))))
    lines = source[source.index("def _forward") : source.index("\n\n\ndef forward")].splitlines()[2:-1]
    left_out = ("# ", "dtype =")
    kept = [line for line in lines if not line.strip().startswith(left_out)]
    return "\n".join(
        line[4:] for line in kept if not any(read in line for read in ("tensors[", "SIZES[", ".shape"))
    )


CODE = {
    "convolution": [
        "x_padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 0)))",
        "x_windows = windows(x_padded[:, :, :, :4], (2, 3), (R, S))[:, :, ::2].transpose(0, 1, 4, 5, 2, 3)",
        "y = (w.reshape(O, C * R * S) @ x_windows.reshape(N, C * R * S, A * B)).reshape(N, O, A, B)",
    ],
    "its kernel": [
        "x_padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 0)))",
        "x_windows = windows(x_padded[:, :, :, :6], (2, 3), (R, S))[:, :, ::2, ::2]."
        "transpose(0, 1, 4, 5, 2, 3)",
        "y = np.sum(d.reshape(N, O, A * B) @ x_windows.reshape(N, C * R * S, A * B).mT, axis=0)."
        "reshape(O, C, R, S)",
    ],
    "its input": [
        "sum_o_d_times_w = (w.reshape(O, C * R * S).T @ d.reshape(N, O, A * B)).reshape(N, C, R, S, A, B)",
        "y_padded = np.zeros((N, C, 9, 8), dtype=dtype)",
        "for r in range(R):",
        "    for s in range(S):",
        "        y_padded[:, :, r : r + 8 : 2, s : s + 9 : 3] += sum_o_d_times_w[:, :, r, s]",
        "y = y_padded[:, :, 1:8, 2:]",
    ],
    "its input without stride": [
        "sum_o_w_times_d = (w.reshape(O, C * R).T @ d).reshape(N, C, R, A)",
        "y_padded = np.zeros((N, C, 8), dtype=dtype)",
        "for r in range(R):",
        "    y_padded[:, :, r : r + 4] += sum_o_w_times_d[:, :, r]",
        "y = y_padded[:, :, 1:]",
    ],
    "transposed back": [
        "y = np.zeros((N, C, A), dtype=dtype)",
        "d_padded = np.pad(d, ((0, 0), (0, 0), (0, 2)))",
        "for r in range(R):",
        "    y += w[:, :, r].T @ d_padded[:, :, r : r + 8 : 2]",
    ],
    "maximum": [
        "y = np.full((N, C, A, B), -np.inf, dtype=dtype)",
        "x_padded = np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 0)))",
        "for r in range(R):",
        "    for s in range(S):",
        "        y[...] = np.maximum(y, x_padded[:, :, r : r + 8 : 2, s : s + 3])",
    ],
    "difference": ["y = np.pad(x, ((0, 0), (0, 1)))[:, 1:] - x"],
    "flip": ["y = x[:, ::-1].copy()"],
    "short sum": ["y = d[:, 1:].reshape(-1, C).T @ x[:, :3].reshape(-1, E)"],
    "split": ["y = x.reshape(N, G, H).copy()"],
    "merged": ["y = x.reshape(N, Q).copy()"],
    "in two parts": ["y = (x[:, :, None] * z).reshape(N, Q)"],
    "embedding": ["y = C_[ids]"],
    "picked": ["y = x[np.arange(N), ids]"],
    "bag": ["y = np.sum(C_[ids], axis=1)"],
    "scattered": ["y = scatter_add(ids, d, V)"],
    "mask": ["y = d[:, None] * (ids[:, None] == np.arange(V))"],
}


@pytest.mark.parametrize("form", CODE)
def test_the_code_is_what_a_person_writes(form: str) -> None:
    assert code(form).splitlines() == CODE[form]


def test_modules_are_formatted(tmp_path: Path) -> None:
    for number, form in enumerate(FORMS):
        for declared in (True, False):
            source = numpy_source(lower_system(parse_system(text_of(FORMS[form], SIZES, declared))))
            (tmp_path / f"form_{number}_{declared}.py").write_text(source)
    command = ["ruff", "format", "--check", "--line-length", "110", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


EMBEDDING = text_of(FORMS["embedding"], SIZES, False)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integers_are_places(dtype: type) -> None:
    module = load_module(numpy_source(lower_system(parse_system(EMBEDDING))), "embedding")
    table = np.arange(12.0).reshape(6, 2)
    ids = np.array([[5, 0, 5]], dtype)
    np.testing.assert_array_equal(module.forward({"C_": table}, ids), table[[[5, 0, 5]]])
    assert module.forward({"C_": table}, [[5, 0]]).shape == (1, 2, 2)
    assert module.forward({"C_": table}, np.zeros((1, 0), dtype)).shape == (1, 0, 2)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([[0, 6]]), "ids: expected values from 0 to 5, as V=6, got 6"),
        (np.array([[0, -1]]), "ids: expected values from 0 to 5, as V=6, got -1"),
        (np.array([[0.0, 1.0]]), "ids: expected an integer dtype, got float64"),
        (np.array([[True, False]]), "ids: expected an integer dtype, got bool"),
        ([[0.0, 1.0]], "ids: expected an integer dtype, got float64"),
        (np.array([0, 1]), r"ids: expected shape \(N, T\), got \(2,\)"),
    ],
)
def test_places_that_do_not_fit_are_named(ids: object, message: str) -> None:
    program = lower_system(parse_system(EMBEDDING))
    module = load_module(numpy_source(program), "embedding")
    with pytest.raises(ValueError, match=message):
        module.forward({"C_": np.zeros((6, 2))}, ids)


def test_the_interpreter_refuses_places_outside() -> None:
    system = parse_system(EMBEDDING)
    arrays = draw(system, SIZES, np.float64)
    arrays["ids"][0, 0] = -1
    with pytest.raises(ProgramError, match="'ids' has a value that is no position of an axis of 6"):
        interpret(lower_system(system), arrays)


UNGUARDED = """
index i : I
index a : A
index r : R
param w[r]
input x[i], z[a]
y[a] = z[a] + sum(r, w[r]*x[2*a+r])
"""


def test_positions_that_only_the_sizes_decide_are_checked() -> None:
    program = lower_system(parse_system(UNGUARDED))
    module = load_module(numpy_source(program), "unguarded")
    w, z = np.ones(3), np.zeros(2)
    np.testing.assert_array_equal(module.forward({"w": w}, np.arange(5.0), z), [3.0, 9.0])
    with pytest.raises(ValueError, match=r"x\[2\*a \+ r\]: 2\*a \+ r reads position 4, but I=4"):
        module.forward({"w": w}, np.arange(4.0), z)
    with pytest.raises(ProgramError, match="leaves an axis of 4"):
        interpret(program, {"w": w, "x": np.arange(4.0), "z": z})


def test_a_condition_is_part_of_the_check() -> None:
    text = UNGUARDED.replace("w[r]*x[2*a+r]", "where(r < 2, w[r]*x[2*a+r], 0)")
    module = load_module(numpy_source(lower_system(parse_system(text))), "conditional")
    result = module.forward({"w": np.ones(3)}, np.arange(4.0), np.zeros(2))
    np.testing.assert_array_equal(result, [1.0, 5.0])
    with pytest.raises(ValueError, match="reads position 3, but I=3"):
        module.forward({"w": np.ones(3)}, np.arange(3.0), np.zeros(2))


def test_a_padded_tensor_is_padded_once_for_all_that_read_it() -> None:
    text = "index i : I\nindex a : A\nindex r : R\nparam w[r], k[r]\ninput x[i], z[a]\n" + (
        "y[a] = sum(r, w[r]*pad(x[a+r-1]))\nu[a] = z[a]*y[a] + sum(r, k[r]*pad(x[a+r-1]))\n"
    )
    sizes = {"I": 5, "A": 4, "R": 3}
    assert check(text, sizes, np.float64).count("np.pad(") == 1


IMAGE = """
index h : H
index w : W
index p : P = H*W
index u : U = 3*H*W
param f[h,w]
input z[p], k[u]
"""


@pytest.mark.parametrize(("h", "w"), [(2, 3), (3, 1), (1, 4), (0, 2), (2, 0)])
def test_the_relation_of_the_sizes_says_that_merged_axes_reach_every_place(h: int, w: int) -> None:
    pixel = "f[floor(p/size(w)),mod(p,size(w))]"
    form = f"y[p] = {pixel}*mod(p,2)*z[p] + where(mod(p,3) == 1, {pixel}, 0)\n"
    source = check(IMAGE + form, {"H": h, "W": w, "P": h * w, "U": 3 * h * w}, np.float64)
    assert "clip" not in source


@pytest.mark.parametrize(("h", "w"), [(2, 3), (3, 1), (1, 4)])
def test_an_index_that_counts_on_past_merged_axes_reads_zeros_there(h: int, w: int) -> None:
    form = "y[u] = k[u]*where(floor(u/size(w)) < size(h), f[floor(u/size(w)),mod(u,size(w))], 0)\n"
    check(IMAGE + form, {"H": h, "W": w, "P": h * w, "U": 3 * h * w}, np.float64)


def test_results_are_nobody_elses() -> None:
    for form in ("flip", "split", "merged", "permuted"):
        system = parse_system(text_of(FORMS[form], SIZES, False))
        arrays = draw(system, SIZES, np.float64)
        (result,) = run(load_module(numpy_source(lower_system(system)), "own"), arrays).values()
        assert not any(np.shares_memory(result, array) for array in arrays.values())
