"""Names for adjoints: delta2 for the adjoint of u2, delta_y for that of y, grad_W2 for what was asked for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Sequence

from symbackprop.notation.fresh_names import lengthened_name


def gradient_name(tensor: str, taken: Collection[str]) -> str:
    """The name of a gradient that was asked for."""
    return _untaken(f"grad_{tensor}", taken)


def adjoint_name(tensor: str, taken: Collection[str]) -> str:
    """The name of an adjoint on the way."""
    return _untaken(f"delta_{tensor}", taken)


def derivative_name(tensor: str, by: Sequence[str], taken: Collection[str]) -> str:
    """The name of a derivative inside the model: du_dx, d2u_dx2, d2u_dt_dx."""
    runs = [(name, len(list(group))) for name, group in itertools.groupby(by)]
    below = "_".join(f"d{name}{times if times > 1 else ''}" for name, times in runs)
    return _untaken(f"d{len(by) if len(by) > 1 else ''}{tensor}_{below}", taken)


def layer_names(tensors: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """delta2 for u2, as textbooks number the deltas, where only one of the tensors ends in that number."""
    claimed: dict[str, list[str]] = {}
    for tensor in tensors:
        number = re.search(r"\d+$", tensor)
        if number:
            claimed.setdefault(f"delta{number.group()}", []).append(tensor)
    return {tensors[0]: name for name, tensors in claimed.items() if len(tensors) == 1 and name not in taken}


def _untaken(name: str, taken: Collection[str]) -> str:
    return lengthened_name(name, "_", taken)
