"""Windows, shifts, reshapes and lookups: interpreter and module against the naive evaluator."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.emission.numpy_module import numpy_source
from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_system
from symbackprop.program.interpreter import interpret
from symbackprop.program.lowering import lower_system
from tests.program.array_models import check, draw, run

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
    "its input": X2 + W2 + D2 + "y[n,c,i,j] = sum(o, a, b, d[n,o,a,b]*where(0 <= i-2*a+1 and i-2*a+1 < size(r)"
    " and 0 <= j-3*b+2 and j-3*b+2 < size(s), w[o,c,i-2*a+1,j-3*b+2], 0))",
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
    "in two parts": "input x[n,g], z[g,h], k[q]\ny[n,q] = x[n,floor(q/size(h))]*z[floor(q/size(h)),mod(q,size(h))]",
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
    "scattered by row": "input ids[n,t] in V\ninput d[n,t], x[n,v]\ny[n,v] = sum(t, d[n,t]*delta(ids[n,t],v))",
    "mask": "input ids[n] in V\ninput d[n], x[v]\ny[n,v] = d[n]*delta(ids[n],v)",
}  # fmt: skip


def text_of(form: str, sizes: dict[str, int], declared: bool) -> str:
    axes = [f"index {name} : {axis}{f' = {sizes[axis]}' if declared else ''}" for name, axis in NAMES.items()]
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
    assert {node.target.id for node in loops if isinstance(node.target, ast.Name)} <= {"r", "s"}
    assert all(len(line) <= 110 for line in source.splitlines())


def statements(form: str) -> list[str]:
    source = numpy_source(lower_system(parse_system(text_of(form, SIZES, True))))
    body = source[source.index("def _forward") : source.index("    return")]
    return [line.strip() for line in body.splitlines()[2:] if "=" in line or " for " in line]


def code(form: str) -> str:
    """The statements of the forward pass, without comments, sizes and what is unpacked."""
    source = numpy_source(lower_system(parse_system(text_of(FORMS[form], SIZES, True))))
    lines = source[source.index("def _forward") : source.index("\n\n\ndef forward")].splitlines()[2:-1]
    left_out = ("# ", "dtype =")
    kept = [line for line in lines if not line.strip().startswith(left_out)]
    return "\n".join(line[4:] for line in kept if "tensors[" not in line and ".shape" not in line)


def test_a_convolution_is_a_few_matrix_products() -> None:
    assert code("convolution") == (
        "y = np.zeros((N, 5, 4, 3), dtype=dtype)\n"
        "x_padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 0)))\n"
        "for r in range(3):\n"
        "    for s in range(2):\n"
        "        x_padded_window = x_padded[:, :, r : r + 8 : 2, s : s + 3]\n"
        "        y += (w[:, :, r, s] @ x_padded_window.reshape(N, 3, 12)).reshape(N, 5, 4, 3)"
    ).replace("N", "2")
