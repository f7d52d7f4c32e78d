"""`symbackprop gallery`: a page for each model, with its network, its gradient and its code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import say
from symbackprop.emission.files import write_atomically
from symbackprop.languages.phrases import worded
from symbackprop.reports.gallery import exhibit, gallery


def command(
    models: Annotated[list[str], typer.Argument(metavar="MODEL", help="A .model or .toml file.")],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="DIR", help="The folder to write to; it is made.")
    ],
) -> Task:
    """Write a gallery of models in Markdown: of each the network, the gradient and the verified code.

    For example:

      symbackprop gallery examples/seed.model -o gallery
      symbackprop gallery examples/classics/*.model -o docs/gallery
    """
    return partial(_write, models, output)


def _write(models: Sequence[str], output: str) -> int:
    pages = gallery([exhibit(Path(path)) for path in models])
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_atomically(folder / name, text)
    say(worded("wrote {number} pages to {folder}", number=len(pages), folder=output))
    return 0
