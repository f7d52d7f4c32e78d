"""`symbackprop catalogue`: every layer and loss with its formula, its options and its gradient."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.completion import layer_kinds
from symbackprop.cli.console import PageFile, write_page
from symbackprop.lesson.catalogue_page import catalogue_entry, catalogue_page


def command(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="One layer or loss, as conv2d; default: all.", autocompletion=layer_kinds
        ),
    ] = None,
    output: PageFile = "-",
) -> Task:
    """Print the catalogue of layers and losses, or one of them, with formulas and gradients, as Markdown.

    For example:

      symbackprop catalogue layer_norm
      symbackprop catalogue -o docs/catalogue.md
    """
    return partial(write_page, catalogue_page if kind is None else partial(catalogue_entry, kind), output)
