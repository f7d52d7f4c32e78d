"""`symbackprop catalogue`: every layer and loss with its formula, its options and its gradient."""

from __future__ import annotations

from functools import partial

from symbackprop.cli.application import Task
from symbackprop.cli.console import PageFile, write_page
from symbackprop.lesson.catalogue_page import catalogue_page


def command(output: PageFile = "-") -> Task:
    """Print the catalogue of layers and losses, with formulas and gradients, as Markdown.

    For example:

      symbackprop catalogue | less
      symbackprop catalogue -o docs/catalogue.md
    """
    return partial(write_page, catalogue_page, output)
