"""Names for adjoints: delta2 for the adjoint of u2, delta_y for that of y, grad_W2 for what was asked for.

A system that already holds such names, as a derivation's own system does, is differentiated by another loss.
Then the loss stands in the names, as a subscript says what a partial derivative is of: H_u2 and H_delta1 for
dH/du2 and dH/ddelta1, grad_H_W2 for dH/dW2. Losses have names of their own, so that no round repeats another.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence

from symbackprop.notation.fresh_names import lengthened_name, numbered_name

# u2 and u_2 belong to layer 2, the second name for a part of E, u_E_2, does not.
_LAYER = re.compile(r"(?:[^_]+_|.*?[^_\d])(\d+)")
_NAMED_LIKE_AN_ADJOINT = re.compile(r"(delta|grad)([0-9]+|_\w+)")


def adjoint_names(
    tensors: Collection[str], wanted: Collection[str], loss: str, taken: Collection[str]
) -> dict[str, str]:
    """Each tensor's name to that of its adjoint; `wanted` are those whose gradient was asked for."""
    is_named_by_loss = any(_NAMED_LIKE_AN_ADJOINT.fullmatch(name) for name in taken) or (
        "delta" in tensors and "delta" not in wanted
    )
    gradient, adjoint = (f"grad_{loss}_", f"{loss}_") if is_named_by_loss else ("grad_", "delta_")
    names: dict[str, str] = {}
    used = set(taken)
    for tensor in tensors:
        # pi_ is so called because pi means something already; delta_pi does not, unless there is a pi.
        plain = tensor.rstrip("_")
        if tensor in wanted:
            names[tensor] = lengthened_name(f"{gradient}{tensor}", "_", used)
        else:
            others = {f"{adjoint}{plain}"} if plain != tensor and plain in taken else set()
            names[tensor] = numbered_name(f"{adjoint}{plain}", used | others if others else used)
        used.add(names[tensor])
    return names


def derivative_name(tensor: str, by: Sequence[str], taken: Collection[str]) -> str:
    """The name of a derivative inside the model: du_dx, d2u_dx2, d2u_dt_dx."""
    runs = [(name, len(list(group))) for name, group in itertools.groupby(by)]
    below = "_".join(f"d{name}{times if times > 1 else ''}" for name, times in runs)
    return lengthened_name(f"d{len(by) if len(by) > 1 else ''}{tensor}_{below}", "_", taken)


def layer_name(tensor: str) -> str | None:
    """delta2, of a tensor that ends in that number."""
    number = _LAYER.fullmatch(tensor)
    return f"delta{number.group(1)}" if number else None


def layer_names(adjoints: Mapping[str, str], taken: Collection[str]) -> dict[str, str]:
    """delta2 for delta_u2, as textbooks number the deltas, where just one of the tensors ends in that number.

    `adjoints` maps tensors to the names of their adjoints; found is the shorter name for such a name.
    """
    claimed: dict[str, list[str]] = {}
    for tensor, adjoint in adjoints.items():
        short = layer_name(tensor)
        if short and adjoint == f"delta_{tensor}":
            claimed.setdefault(short, []).append(adjoint)
    return {names[0]: short for short, names in claimed.items() if len(names) == 1 and short not in taken}
