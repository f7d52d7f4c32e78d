"""`symbackprop schema`: the JSON schema of the TOML form, for editors and other tools."""

from __future__ import annotations

import json
from functools import partial

from symbackprop.cli.application import Task
from symbackprop.cli.console import PageFile, write_page
from symbackprop.layers.tables import toml_schema


def command(output: PageFile = "-") -> Task:
    """Print the JSON schema of a network written as TOML.

    For example:

      symbackprop schema
      symbackprop schema -o network.schema.json
    """
    return partial(write_page, _schema, output)


def _schema() -> str:
    return json.dumps(toml_schema(), indent=2) + "\n"
