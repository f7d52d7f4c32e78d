"""Random index arithmetic: programs and modules against the naive evaluator."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.lowering.array_models import check

AXES = {"n": 2, "i": 5, "j": 3, "a": 4, "r": 2, "s": 1, "k": 6}
TENSORS = {"X": "nik", "Y": "ij", "W": "ra", "V": "k", "Z": "asr", "Q": "kk"}
CASES = 25


def position(rng: random.Random, scope: list[str]) -> str:
    """A random integer expression over some indices in scope."""
    terms = []
    for name in rng.sample(scope, min(len(scope), rng.choice((0, 1, 1, 2, 2, 3)))):
        factor = rng.choice((-2, -1, 1, 1, 1, 2, 3))
        terms.append(f"{factor}*{name}")
    if not terms or rng.random() < 0.6:
        terms.append(str(rng.randint(-2, 3)))
    return "+".join(terms).replace("+-", "-").replace("1*", "") if terms else "0"


def read(rng: random.Random, scope: list[str]) -> str:
    """A random tensor, padded, at plain indices where they are in scope and it so happens."""
    tensor = rng.choice(sorted(TENSORS))
    positions = [
        axis if axis in scope and rng.random() < 0.6 else position(rng, scope) for axis in TENSORS[tensor]
    ]
    # An index alone stands only at its own axis.
    positions = [
        f"{own}+1" if own in AXES and own != axis else own
        for own, axis in zip(positions, TENSORS[tensor], strict=True)
    ]
    element = f"{tensor}[{','.join(positions)}]"
    plain = positions == list(dict.fromkeys(TENSORS[tensor]))
    return element if plain else f"pad({element})"


def condition(rng: random.Random, scope: list[str]) -> str:
    operator = rng.choice(("<", "<=", ">=", ">", "==", "!="))
    size = rng.choice((*scope,))
    return f"{position(rng, scope)} {operator} {rng.choice(('0', '1', f'size({size})', f'{size}'))}"


def body(rng: random.Random, scope: list[str], depth: int) -> str:
    kind = rng.random()
    if depth == 0 or kind < 0.25:
        return read(rng, scope)
    if kind < 0.5:
        return f"{body(rng, scope, depth - 1)}*{body(rng, scope, depth - 1)}"
    if kind < 0.6:
        return f"({body(rng, scope, depth - 1)} + {body(rng, scope, depth - 1)})"
    if kind < 0.75:
        return f"where({condition(rng, scope)}, {body(rng, scope, depth - 1)}, 0)"
    over = [name for name in rng.sample(sorted(AXES), 2) if name not in scope]
    if not over:
        return read(rng, scope)
    reduction = rng.choice(("sum", "sum", "sum", "max"))
    return f"{reduction}({', '.join(over)}, {body(rng, [*scope, *over], depth - 1)})"


def model(seed: int, declared: bool) -> str:
    rng = random.Random(seed)
    left = rng.sample(sorted(AXES), rng.choice((1, 2, 2, 3)))
    sizes = [
        f"index {name} : {name.upper()}_{f' = {size}' if declared else ''}" for name, size in AXES.items()
    ]
    sizes.append("index k2 : K_")
    inputs = [f"input {name}[{','.join(axes)}]".replace("k,k", "k,k2") for name, axes in TENSORS.items()]
    over = [name for name in rng.sample(sorted(AXES), 3) if name not in left]
    inner = body(rng, [*left, *over], 3)
    right = f"sum({', '.join(over)}, {inner})" if over and rng.random() < 0.7 else body(rng, left, 3)
    return "\n".join([*sizes, *inputs, f"y[{','.join(left)}] = {right}", ""])


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("seed", range(CASES))
def test_random_index_arithmetic(seed: int, declared: bool) -> None:
    check(model(seed, declared), {f"{name.upper()}_": size for name, size in AXES.items()}, np.float64)
