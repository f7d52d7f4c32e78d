"""How long the search for closed forms takes: each classic, a transformer encoder, a deep net.

Run it from the checkout with `python -m benchmarks.closed_forms`. What an earlier model has left behind
is forgotten before each, so that every figure is that of a first derivation once everything is imported.
Exits 1 where a bound is missed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.derivation_time import dense_net
from symbackprop.algebra.scalar_search import forget_searches
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.system import System

CLASSICS = Path(__file__).parents[1] / "examples" / "classics"
CLASSIC_SECONDS = 1.5
ENCODER_SECONDS = 6.0
DENSE_SECONDS = 0.5


def _norm(name: str, source: str, gain: str, shift: str) -> list[str]:
    return [
        f"mu_{name}[n,t] = mean(c, {source}[n,t,c])",
        f"s_{name}[n,t] = sqrt(mean(c, ({source}[n,t,c] - mu_{name}[n,t])^2) + 1e-5)",
        f"hat_{name}[n,t,c] = ({source}[n,t,c] - mu_{name}[n,t])/s_{name}[n,t]",
        f"{name}[n,t,c] = {gain}[c]*hat_{name}[n,t,c] + {shift}[c]",
    ]


def _block(number: int, source: str) -> list[str]:
    """Layer norm, attention, residual, layer norm, two dense layers with gelu, residual."""
    n = str(number)
    heads = [
        f"{tensor}{n}[n,h,t,e] = sum(c, {weight}{n}[h,e,c]*a{n}[n,t,c])"
        for tensor, weight in (("Q", "Wq"), ("K", "Wk"), ("U", "Wv"))
    ]
    return [
        f"param Wq{n}[h,e,c], Wk{n}[h,e,c], Wv{n}[h,e,c], Wo{n}[c,h,e]",
        f"param W{n}[f,c], w{n}[f], V{n}[c,f], v{n}[c]",
        f"param g{n}a[c], b{n}a[c], g{n}q[c], b{n}q[c]",
        *_norm(f"a{n}", source, f"g{n}a", f"b{n}a"),
        *heads,
        f"S{n}[n,h,t,s] = sum(e, Q{n}[n,h,t,e]*K{n}[n,h,s,e])/sqrt(size(e))",
        f"P{n}[n,h,t,s] = exp(S{n}[n,h,t,s])/sum(s, exp(S{n}[n,h,t,s]))",
        f"O{n}[n,h,t,e] = sum(s, P{n}[n,h,t,s]*U{n}[n,h,s,e])",
        f"r{n}[n,t,c] = {source}[n,t,c] + sum(h, e, Wo{n}[c,h,e]*O{n}[n,h,t,e])",
        *_norm(f"q{n}", f"r{n}", f"g{n}q", f"b{n}q"),
        f"y{n}[n,t,f] = sum(c, W{n}[f,c]*q{n}[n,t,c]) + w{n}[f]",
        f"z{n}[n,t,f] = gelu(y{n}[n,t,f])",
        f"x{n}[n,t,c] = r{n}[n,t,c] + sum(f, V{n}[c,f]*z{n}[n,t,f]) + v{n}[c]",
    ]


def encoder(blocks: int) -> str:
    """The text of a transformer encoder with a half squared error behind it."""
    lines = ["index n : N", "index t, s : T", "index c : C", "index h : H", "index e : D", "index f : F"]
    lines += ["input x0[n,t,c]", "target d[n,t,c]"]
    for number in range(1, blocks + 1):
        lines += _block(number, f"x{number - 1}")
    return "\n".join([*lines, f"loss E = 1/2*sum(n, t, c, (x{blocks}[n,t,c] - d[n,t,c])^2)", ""])


def seconds(system: System, wrt: list[str] | None = None) -> float:
    """The processor time of one derivation with empty caches."""
    forget_searches()
    start = time.process_time()
    derive(system, wrt)
    return time.process_time() - start


def wanted(name: str) -> list[str]:
    """What the published form differentiates by."""
    lines = (CLASSICS / f"{name}.published").read_text().splitlines()
    return [
        line.split("[")[0].split(" ")[0].removeprefix("grad_") for line in lines if line.startswith("grad_")
    ]


def main() -> None:
    """Print the table; exit 1 where a bound is missed."""
    os.environ["SYMBACKPROP_CACHE"] = "off"  # what is measured is searching
    derive(parse_system(dense_net(2)))  # the first derivation of a process also imports SymPy
    rows = []
    for path in sorted(CLASSICS.glob("*.model")):
        system = parse_system(path.read_text(), path.stem)
        rows.append((path.stem, seconds(system, wanted(path.stem)), CLASSIC_SECONDS))
    rows.append(("12 encoder blocks", seconds(parse_system(encoder(12))), ENCODER_SECONDS))
    rows.append(("50 dense layers", seconds(parse_system(dense_net(50))), DENSE_SECONDS))
    for name, taken, bound in rows:
        print(f"{name:36s} {taken:6.2f} s  (at most {bound} s)")
    sys.exit(any(taken > bound for _, taken, bound in rows))


if __name__ == "__main__":
    main()
