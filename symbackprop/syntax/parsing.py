"""The door to the grammar, which loads lark (50 ms) at the first model and not with the package."""

from __future__ import annotations

import importlib

from symbackprop.syntax.alternatives import Body
from symbackprop.syntax.nodes import Formula, Statement
from symbackprop.syntax.source import Source

_GRAMMAR = "symbackprop.syntax.grammar"
_LAYER_GRAMMAR = "symbackprop.syntax.layer_grammar"


def read_model(source: Source) -> tuple[Statement, ...]:
    """The statements of a model; LanguageError at the first that the grammar does not know."""
    statements: tuple[Statement, ...] = importlib.import_module(_GRAMMAR).read_model(source)
    return statements


def read_formula(source: Source) -> Formula:
    """One formula; LanguageError where the grammar does not know it."""
    formula: Formula = importlib.import_module(_GRAMMAR).read_formula(source)
    return formula


def read_body(source: Source, start: int = 0) -> Body:
    """The statements of a layer, from a place of its file on.

    Raises LanguageError where braces make no alternative, or where brackets do not pair.
    """
    body: Body = importlib.import_module(_LAYER_GRAMMAR).read_body(source, start)
    return body
