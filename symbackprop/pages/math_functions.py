"""Element-wise functions in MathML: by the names of their records, or in the form that these state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.pages.math_names import symbol_text

_PART = re.compile(r"\\operatorname\{\{(\w+)\}\}|\\(\w+)|(')")


def application(function: str, arguments: Sequence[str]) -> str:
    """A function of arguments that are markup already."""
    form = ALL_FUNCTIONS[function].mathml
    if form:
        return form.format(*arguments)
    inside = "<mo>,</mo>".join(arguments)
    return f"<mrow>{_name(function)}<mo>\u2061</mo><mrow><mo>(</mo>{inside}<mo>)</mo></mrow></mrow>"


def _name(function: str) -> str:
    r"""`\log\Gamma` as log and a capital gamma, `\operatorname{{relu}}` as relu."""
    head = ALL_FUNCTIONS[function].latex.partition(r"\left(")[0]
    shown = [
        f"<mi>{escape(word or symbol_text(f'{chr(92)}{command}'))}</mi>" if not prime else "<mo>\u2032</mo>"
        for word, command, prime in _PART.findall(head)
    ]
    return "".join(shown) if shown else f"<mi>{escape(function)}</mi>"
