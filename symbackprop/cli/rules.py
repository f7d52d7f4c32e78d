"""`symbackprop rules`: every rule with its side conditions, its measure, an example and a near-miss."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import print_result, say
from symbackprop.emission.files import write_atomically
from symbackprop.lesson.rules_page import rules_page


def command(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
    ] = "-",
) -> Task:
    """Print the rules of the algebra, with side conditions, examples and near-misses, as Markdown.

    For example:

      symbackprop rules | less
      symbackprop rules -o docs/rules.md
    """
    return partial(_write_rules, output)


def _write_rules(output: str) -> int:
    page = rules_page()
    if output == "-":
        print_result(page)
    else:
        write_atomically(Path(output), page)
        say(f"wrote {output}")
    return 0
