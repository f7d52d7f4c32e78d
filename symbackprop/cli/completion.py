"""What the shell completes beyond files and options: names of tensors, of axes, of layers.

Completion runs the command afresh at every key, so that each asks for no more than it needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from symbackprop.errors import SymbackpropError

if TYPE_CHECKING:
    from symbackprop.systems.system import System

_LOADING = "symbackprop.layers.loading"
_CATALOGUE = "symbackprop.layers.catalogue"
_SIZES = "symbackprop.sampling.related_sizes"


def words_of(environment: Mapping[str, str]) -> list[str]:
    """The words behind the command's name that the shell wants completed; none where it wants nothing.

    bash gives them as COMP_WORDS, zsh, fish and PowerShell as _TYPER_COMPLETE_ARGS.
    """
    if "_SYMBACKPROP_COMPLETE" not in environment:
        return []
    line = environment.get("COMP_WORDS") or environment.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:]


def tensor_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """`W1,b` to `W1,b1` and `W1,b2`: the tensors of the model that stands on the line already."""
    system = _system(ctx)
    chosen, comma, last = incomplete.rpartition(",")
    taken = set(chosen.split(","))
    names = system.tensors if system else ()
    return [f"{chosen}{comma}{name}" for name in names if name.startswith(last) and name not in taken]


def sizes_of_axes(ctx: typer.Context, incomplete: str) -> list[str]:
    """`B` to `B=`: the axes of the model whose sizes are open."""
    system = _system(ctx)
    names = importlib.import_module(_SIZES).free_axes(system.axes) if system else ()
    return [f"{name}=" for name in names if name.startswith(incomplete)]


def layer_kinds(incomplete: str) -> list[tuple[str, str]]:
    """The kinds of layers and losses, with what each is."""
    catalogue = importlib.import_module(_CATALOGUE).CATALOGUE
    return [(kind, formula.title) for kind, formula in catalogue.items() if kind.startswith(incomplete)]


def _system(ctx: typer.Context) -> System | None:
    """The model on the line, where there is one that can be read; standard input is left alone."""
    # An option whose value is still missing leaves all arguments unparsed.
    words = [*ctx.args, *(word for word in ctx.params.values() if isinstance(word, str))]
    words += [each for word in ctx.params.values() if isinstance(word, list) for each in word]
    path = next((word for word in words if str(word).endswith((".model", ".toml"))), None)
    if path is None:
        return None
    try:
        system: System = importlib.import_module(_LOADING).load_system(path)
    except SymbackpropError:
        return None  # what is wrong with it is said when the command runs
    return system
