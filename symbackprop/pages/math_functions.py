"""Element-wise functions in MathML: by the names of their records, or in a form of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.pages.math_names import symbol_text

_E, _ONE = "<mi>e</mi>", "<mn>1</mn>"
_FORMS: Mapping[str, Callable[..., str]] = {
    "exp": lambda power: f"<msup>{_E}<mrow>{power}</mrow></msup>",
    "expm1": lambda power: (
        f"<mrow><mo>(</mo><msup>{_E}<mrow>{power}</mrow></msup><mo>\u2212</mo>{_ONE}<mo>)</mo></mrow>"
    ),
    "log1p": lambda inside: f"<mrow><mi>log</mi><mo>(</mo>{_ONE}<mo>+</mo>{inside}<mo>)</mo></mrow>",
    "abs": lambda inside: f"<mrow><mo>|</mo>{inside}<mo>|</mo></mrow>",
    "floor": lambda inside: f"<mrow><mo>\u230a</mo>{inside}<mo>\u230b</mo></mrow>",
    "mod": lambda left, right: f"<mrow><mo>(</mo>{left}<mo>mod</mo>{right}<mo>)</mo></mrow>",
}
_PART = re.compile(r"\\operatorname\{\{(\w+)\}\}|\\(\w+)|(')")


def application(function: str, arguments: Sequence[str]) -> str:
    """A function of arguments that are markup already."""
    if function in _FORMS:
        return _FORMS[function](*arguments)
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
