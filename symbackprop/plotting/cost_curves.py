"""What each way of differentiating costs, against the width of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.errors import SymbackpropError
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.explanation.ways import sizes_for
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.systems.system import System

WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True)
class CostCurves:
    """Operations of one gradient in each way, one for each of the widths: the size of every open axis."""

    widths: tuple[int, ...]
    operations: Mapping[str, tuple[int, ...]]


def cost_curves(system: System, ways: Mapping[str, Polynomial]) -> CostCurves | None:
    """Of each way's operations; None where the model leaves no size open, or nothing is computed."""
    sizes = _sizes(system)
    curves = {
        name: tuple([operations.at(each) for each in sizes.values()]) for name, operations in ways.items()
    }
    is_some = any(number > 0 for curve in curves.values() for number in curve)
    return CostCurves(tuple(sizes), curves) if len(sizes) > 1 and is_some else None


def _sizes(system: System) -> Mapping[int, Mapping[str, int]]:
    """The sizes of all axes where each open one has the same, as far as the relations allow that."""
    found: dict[int, Mapping[str, int]] = {}
    names = free_axes(system.axes)
    for width in WIDTHS if names else ():
        try:
            found[width] = sizes_for(system, dict.fromkeys(names, width))
        except SymbackpropError:
            continue
    return found
