"""Choices by a digit of an index, whichever it is, are cases of a reshaped array: no masks, no lookups."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.lowering.programs import lower
from tests.models.judges import judge
from tests.programs import numpy_source
from tests.sweeps import swept

HEAD = "index n : N\nindex b : B\nindex m : M\nindex k : K = B*{parts}*M\ninput dy[n,k], o[n,b,m]\n"
HIGH, MIDDLE, LOW = "floor(k/({parts}*size(m)))", "mod(floor(k/size(m)), {parts})", "mod(k, size(m))"
LEFT, RIGHT = f"x[n,2*size(m)*{HIGH} + {LOW}]", f"x[n,2*size(m)*{HIGH} + size(m) + {LOW}]"
SIZES = " + sum(n, b, m, o[n,b,m])\n"  # a tensor has every axis
LOSS = "loss E = sum(n, k, dy[n,k]*y[n,k]^2)" + SIZES


def level(parts: int, declared: str, value: str) -> str:
    """A model of y[n,k] with k = (b, p, m), p one of so many parts."""
    return (HEAD + declared + f"y[n,k] = {value}\n" + LOSS).format(parts=parts)


HAAR = level(2, "param x[n,k], c\n", f"c*where({MIDDLE} == 0, {LEFT} + {RIGHT}, {LEFT} - {RIGHT})")
SIGNED = level(2, "param x[n,b,m], w[k]\n", f"w[k]*x[n,{HIGH},{LOW}] + (1 - 2*{MIDDLE})*x[n,{HIGH},{LOW}]^2")
NEIGHBOUR = level(2, "param x[n,k]\n", f"x[n,k] + x[n,2*size(m)*{HIGH} + size(m)*(1 - {MIDDLE}) + {LOW}]^2")
SORTED = level(
    2,
    "param x[n,k]\nlo[n,b,m] = min(x[n,2*size(m)*b + m], x[n,2*size(m)*b + size(m) + m])\n"
    "hi[n,b,m] = max(x[n,2*size(m)*b + m], x[n,2*size(m)*b + size(m) + m])\n",
    f"where({MIDDLE} == 0, lo[n,{HIGH},{LOW}], hi[n,{HIGH},{LOW}])",
)
THIRDS = level(
    3,
    "param x[n,b,m], g[b,m], h[m]\n",
    f"where({MIDDLE} == 0, x[n,{HIGH},{LOW}], where({MIDDLE} == 1, g[{HIGH},{LOW}]^2, "
    f"h[{LOW}]*x[n,{HIGH},{LOW}]))",
)
STATES = (
    "index n : N\nindex b : B\nindex m : M\nindex k : K = B*2*M\ninput dy[k], h0[k], o[n,b,m]\nparam w[m]\n"
    "h[n,k] = where(n == 0, h0[k], where(mod(floor(k/size(m)), 2) == 0, h[n-1,k]*w[mod(k, size(m))], "
    "tanh(h[n-1,k])))\nloss E = sum(n, k, dy[k]*h[n,k]^2)" + SIZES
)
HALVES = (
    "index n : N\nindex b : B\nindex m : M\nindex k : K = 2*M\ninput dy[n,k], o[n,b,m]\nparam x[n,k], w[m]\n"
    "y[n,k] = where(k < size(m), x[n,k + size(m)]*w[mod(k, size(m))], -x[n,k - size(m)])\n" + LOSS
)
PAIRS_OF_ROWS = (
    "index n : N\nindex b : B\nindex m : M\nindex k : K = N*2*B*M\ninput dy[k], o[n,b,m]\n"
    "param x[n,b,m], z[n,b,m]\n"
    "y[k] = where(mod(floor(k/size(m)), 2) == 0, x[{0}], z[{0}]^2)\nloss E = sum(k, dy[k]*y[k]^2)" + SIZES
).format(
    "floor(k/(2*size(b)*size(m))),mod(floor(k/(2*size(m))), size(b)),mod(k, size(m))",
)
TURNED_DIGITS = (
    "index n : N\nindex b : B\nindex m : M\nindex k : K = N*B*M\ninput dy[k], o[n,b,m]\nparam x[k]\n"
    "y[k] = x[mod(k, size(m))*size(b)*size(n) + mod(floor(k/size(m)), size(b))*size(n) "
    "+ floor(k/(size(b)*size(m)))]\nloss E = sum(k, dy[k]*y[k]^2)" + SIZES
)
MODELS = {
    "haar": (HAAR, 2),
    "signed": (SIGNED, 2),
    "neighbour": (NEIGHBOUR, 2),
    "sorted": (SORTED, 2),
    "thirds": (THIRDS, 3),
}


def computed(model: str) -> str:
    """What a module computes, without its checks."""
    return numpy_source(lower(sb.loads(model, name="m").derive().derivation)).partition("def _checked")[0]


@pytest.mark.parametrize("sizes", swept([(2, 3, 4), (1, 1, 1), (3, 1, 2), (2, 2, 1)], 2))
@pytest.mark.parametrize("name", MODELS)
def test_a_digit_between_others(name: str, sizes: tuple[int, int, int]) -> None:
    model, parts = MODELS[name]
    count, high, low = sizes
    known = {"N": count, "B": high, "M": low, "K": high * parts * low}
    judge(model, sizes=known, steps=sizes == (2, 3, 4))


@pytest.mark.parametrize("name", MODELS)
def test_a_digit_takes_no_masks(name: str) -> None:
    lines = computed(MODELS[name][0])
    masks = ("np.where", "np.clip", "scatter_add", "np.arange(K)", "np.arange(B)", "np.arange(M)")
    assert not any(word in lines for word in masks)
    assert name == "signed" or "np.arange" not in lines  # 1 - 2*p is a number for each p


@pytest.mark.parametrize("model", [HALVES, PAIRS_OF_ROWS, TURNED_DIGITS])
def test_first_digits_pairs_of_rows_and_digits_turned_round(model: str) -> None:
    for count, high, low in ((2, 3, 4), (1, 1, 1), (3, 1, 2)):
        places = {HALVES: 2 * low, PAIRS_OF_ROWS: 2 * count * high * low}.get(model, count * high * low)
        judge(model, sizes={"N": count, "B": high, "M": low, "K": places}, steps=count == 2)
    lines = computed(model)
    assert not any(word in lines for word in ("np.arange", "np.where", "np.clip", "scatter_add"))


def test_a_digit_in_a_recurrence() -> None:
    assert sb.loads(STATES, name="states").check(budget=1.0).ok
    assert not any(word in computed(STATES) for word in ("np.arange", "np.where", "np.clip", "scatter_add"))


BLOCKS = (
    "index n : N\nindex m : M\nindex k : K = 4*M\ninput dy[n,k]\nparam x[n,k], w[m]\n"
    "y[n,k] = x[n,k]*w[floor(floor(k/2)/2)] - where(mod(floor(k/2), 2) == 0, w[floor(k/4)]^2, 0)\n"
    "loss E = sum(n, k, dy[n,k]*y[n,k]^2)\n"
)
WINDOWS = (
    "index n : N\nindex r : R = 2\nindex m : M\nindex k : K = 2*M\nindex s : S = M + R\ninput dy[n,k]\n"
    "param x[n,s], w[r]\n"
    "y[n,k] = where(mod(k, 2) == 0, sum(r, w[r]*x[n,floor(k/2) + r]), x[n,floor(k/2)]^2)\n"
    "loss E = sum(n, k, dy[n,k]*y[n,k]^2)\n"
)


@pytest.mark.parametrize(("model", "ratio", "more"), [(BLOCKS, 4, 4), (WINDOWS, 2, 2)])
@pytest.mark.parametrize("places", [1, 3])
def test_what_is_in_blocks_or_windows_at_each_remainder(
    model: str, ratio: int, more: int, places: int
) -> None:
    judge(model, sizes={"N": 2, "M": places, "K": ratio * places, "R": 2, "S": places + more}, steps=False)
    assert "for m in" not in computed(model)


def test_an_odd_number_of_places_is_refused() -> None:
    module = load_module(numpy_source(lower(sb.loads(SIGNED, name="m").derive().derivation)), "signed")
    params = {"x": np.zeros((2, 3, 4)), "w": np.zeros(23)}
    with pytest.raises(ValueError, match=r"K = B\*2\*M"):
        module.loss(params, np.zeros((2, 23)), np.zeros((2, 3, 4)))


def test_a_digit_of_many_places_stays_a_mask() -> None:
    many = f"y[n,k] = where({MIDDLE} == 0, x[n,k], 2*x[n,k]^2)\n"
    model = (HEAD + "param x[n,k]\n" + many + LOSS).format(parts=5)
    judge(model, sizes={"N": 1, "B": 2, "M": 3, "K": 30}, steps=False)
    assert "np.where" in computed(model)


def test_digits_of_two_indices_that_decide_together() -> None:
    both = "y[n,k] = where(mod(floor(k/size(m)) + n, 2) == 0, x[n,k], 2*x[n,k]^2)\n"
    model = (HEAD + "param x[n,k]\n" + both + LOSS).format(parts=2)
    judge(model, sizes={"N": 3, "B": 2, "M": 3, "K": 12}, steps=False)
