"""Statements added to a system: its text and theirs read as one, errors counted in what the user typed."""

from __future__ import annotations

import re
from dataclasses import replace

from symbackprop.errors import SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.systems.system import System


def with_statements(system: System, statements: str) -> System:
    """The system with statements behind its text; what is said against them counts their own lines."""
    if not statements:
        return system
    try:
        return parse_system(f"{system.source}{statements}\n", system.name)
    except SymbackpropError as error:
        raise _counted_from(error, system) from None


def _counted_from(error: SymbackpropError, system: System) -> SymbackpropError:
    """The error with its places counted in the statements: the text in front of them, nobody typed."""
    lines = system.source.count("\n")

    def counted(found: re.Match[str]) -> str:
        line = int(found[1])
        own = f"at statements:{line - lines}:{found[2]}"
        return own if line > lines else "in the derived equations"

    written = re.compile(rf"\bat {re.escape(system.name)}:(\d+):(\d+)")
    at = error.place
    if at is not None:
        at = replace(at, source="statements", line=at.line - lines) if at.line > lines else None
    return type(error)(written.sub(counted, error.cause), place=at, remedy=written.sub(counted, error.remedy))
