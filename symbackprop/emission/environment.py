"""The one Jinja environment: where the templates are, and that a missing name is an error."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound

from symbackprop.errors import EmissionError, PrintingError
from symbackprop.languages.phrases import worded

_PACKAGE = Path(__file__).resolve().parent.parent


def template_folder() -> Path:
    """The templates inside the package (a wheel) or beside it (a checkout, an editable install).

    Raises EmissionError where neither folder exists.
    """
    candidates = (_PACKAGE / "templates", _PACKAGE.parent / "templates")
    for folder in candidates:
        if folder.is_dir():
            return folder
    looked = " or ".join(str(folder) for folder in candidates)
    raise EmissionError(
        worded("the templates are neither in {looked}", looked=looked),
        remedy=worded("install symbackprop again: pip install --force-reinstall"),
    )


@cache
def environment() -> Environment:
    """Plain text (nothing is escaped), strict about names, lines kept as they stand in the template."""
    return Environment(
        loader=FileSystemLoader(template_folder()),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **strings: object) -> str:
    """The template, named by its path below `templates/`, filled in; PrintingError where that fails."""
    return "".join(render_in_pieces(template, **strings))


def render_in_pieces(template: str, **strings: object) -> Iterator[str]:
    """The same piece by piece: what the template calls runs when all that stands before has been given."""
    try:
        yield from environment().get_template(template).generate(**strings)
    except TemplateNotFound as error:
        raise PrintingError(f"there is no template {error.name} in {template_folder()}") from error
    except TemplateError as error:
        raise PrintingError(f"the template {template} does not work: {error}") from error
