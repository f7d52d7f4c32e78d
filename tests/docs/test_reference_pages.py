"""The pages of reference leave nothing out: keys of TOML, names of the package, commands."""

from __future__ import annotations

import inspect
import re

import pytest
import typer

import symbackprop as sb
from symbackprop.cli.application import COMMANDS, application
from symbackprop.layers.catalogue import PYTHON_NAMES
from symbackprop.layers.tables import InputTable, LayerTable, LossTable, NetworkTable, OutputTable
from tests.docs.pages import ROOT

TOML = (ROOT / "docs" / "toml.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
PAGE_OF_COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
TABLES = {"[input]": InputTable, "[[layer]]": LayerTable, "[loss]": LossTable, "[output]": OutputTable}
DIRECTIVES = re.findall(r"^::: symbackprop\.(\w+)$", PYTHON, re.MULTILINE)


@pytest.mark.parametrize("table", TABLES)
def test_every_key_of_a_table_of_toml_is_listed(table: str) -> None:
    section = TOML.partition(f"### `{table}`\n")[2].partition("\n##")[0]
    fields = TABLES[table].model_fields
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(fields)
    for name, field in fields.items():
        default = re.search(rf"^\| `{name}` \| ([^|]*) \|", section, re.MULTILINE)[1]
        assert (default == "has to be given") == field.is_required()
        if isinstance(field.default, str):
            assert default == f'`"{field.default}"`'


def test_every_table_of_toml_has_a_section() -> None:
    sections = set(re.findall(r"^### `\[+(\w+)\]+`$", TOML, re.MULTILINE))
    assert sections | {"name"} == set(NetworkTable.model_fields)


def test_every_public_name_has_its_reference() -> None:
    layers = PYTHON_NAMES.keys()  # made from their files, and listed in the catalogue
    assert set(DIRECTIVES) == set(sb.__all__) - layers - {"__version__"}
    assert len(DIRECTIVES) == len(set(DIRECTIVES))


@pytest.mark.parametrize("name", DIRECTIVES)
def test_what_is_referred_to_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(sb, name))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_listed(command: str) -> None:
    section = PAGE_OF_COMMANDS.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    assert section
    help_of = typer.main.get_command(application([command])).commands[command]
    options = {name for each in help_of.params for name in (*each.opts, *each.secondary_opts)}
    listed = re.findall(r"^\| (`-[^|]*) \|", section, re.MULTILINE)
    named = set(re.findall(r"`(--?[a-z-]+)", " ".join(listed)))
    assert named == {name for name in options if name.startswith("-")}


def test_every_command_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `symbackprop (\w+)", readme, re.MULTILINE)) == set(COMMANDS)
