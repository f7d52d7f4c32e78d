"""`symbackprop same`: whether two models are equal, and where not."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from symbackprop.auditing.equality.sameness import same
from symbackprop.cli.application import Task
from symbackprop.cli.audit import Format, Written, write_audit
from symbackprop.cli.console import Lang, PageFile, language_for
from symbackprop.pipeline import load


def command(
    first: Annotated[str, typer.Argument(metavar="A.model", help="A .model or .toml file.")],
    second: Annotated[str, typer.Argument(metavar="B.model", help="Another with the same tensors.")],
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    output: PageFile = "-",
    lang: Lang = None,
) -> Task:
    """Say whether two losses or layers are equal, and where not; exit 0 equal, 1 not equal, 3 unknown.

    For example:

      symbackprop same fused.model plain.model
      symbackprop same mean.model sum.model --format json
    """
    return partial(_same, first, second, Written(format, output, language_for(lang)))


def _same(first: str, second: str, written: Written) -> int:
    return write_audit(same(load(first).system, load(second).system), written)
