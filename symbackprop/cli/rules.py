"""`symbackprop rules`: every rule with its side conditions, its measure, an example and a near-miss."""

from __future__ import annotations

from functools import partial

from symbackprop.cli.application import Task
from symbackprop.cli.console import PageFile, write_page
from symbackprop.lesson.rulebook.rules_page import rules_page


def command(output: PageFile = "-") -> Task:
    """Print the rules of the algebra, with side conditions, examples and near-misses, as Markdown.

    For example:

      symbackprop rules | less
      symbackprop rules -o docs/rules.md
    """
    return partial(write_page, rules_page, output)
