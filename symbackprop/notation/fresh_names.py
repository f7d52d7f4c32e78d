"""Names that nothing else has, for tensors and indices."""

from __future__ import annotations

from collections.abc import Container


def numbered_name(stem: str, taken: Container[str]) -> str:
    """The stem, or the stem with the first number that makes it new: exp_u, exp_u_2."""
    name, number = stem, 2
    while name in taken:
        name = f"{stem}_{number}"
        number += 1
    return name


def name_of_part(prefix: str, tensor: str, taken: Container[str]) -> str:
    """A new name for a part of a tensor's formula: u_h of h, u_pi of pi_."""
    return numbered_name(f"{prefix}_{tensor.rstrip('_')}", taken)


def lengthened_name(stem: str, suffix: str, taken: Container[str]) -> str:
    """The stem with the suffix as often as it takes to be new: i, i', i''."""
    name = stem
    while name in taken:
        name += suffix
    return name
