"""`symbackprop schema`: the JSON schema of the TOML form, for editors and other tools."""

from __future__ import annotations

import json

from symbackprop.cli.application import Task
from symbackprop.cli.console import print_result
from symbackprop.layers.tables import toml_schema


def command() -> Task:
    """Print the JSON schema of a network written as TOML.

    For example:

      symbackprop schema
      symbackprop schema > network.schema.json
    """
    return _print_schema


def _print_schema() -> int:
    print_result(json.dumps(toml_schema(), indent=2) + "\n")
    return 0
