"""`symbackprop catalogue`: every layer and loss with its formula, its options and its gradient."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import print_result, say
from symbackprop.emission.files import write_atomically
from symbackprop.lesson.catalogue_page import catalogue_page


def command(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
) -> Task:
    """Print the catalogue of layers and losses, with formulas and gradients, as Markdown.

    For example:

      symbackprop catalogue | less
      symbackprop catalogue -o docs/catalogue.md
    """
    return partial(_write_catalogue, output)


def _write_catalogue(output: str) -> int:
    page = catalogue_page()
    if output == "-":
        print_result(page)
    else:
        write_atomically(Path(output), page)
        say(f"wrote {output}")
    return 0
