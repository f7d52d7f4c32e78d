"""Names of the model language in MathML: `delta2` as a delta with (2) above, `xhat` as x with a hat.

The reading of a name is that of `typesetting.names`; here its parts become elements.
"""

from __future__ import annotations

import re
from html import escape
from html.entities import html5

from symbackprop.typesetting.names import difference_of, index_name, tensor_name

_ACCENTS = {"hat": "^", "bar": "\u00af", "tilde": "~"}
# Brackets that stretch stand apart from what they hold.
_BRACKETS = tuple(f'<mo stretchy="false">{bracket}</mo>' for bracket in "()")
_ALIKE = {"varepsilon": "epsilon", "varphi": "phi"}


def name_markup(name: str) -> tuple[str, str]:
    """A tensor's name as a base, and what stands above it to the right, or ""."""
    sides = difference_of(name)
    if sides:
        left, right = [
            f"<msup>{base}{above}</msup>" if above else base for base, above in map(name_markup, sides)
        ]
        inside = f'{left}<mo form="infix">\u2212</mo>{right}'
        return f"<mrow>{_BRACKETS[0]}{inside}{_BRACKETS[1]}</mrow>", ""
    read = tensor_name(name)
    return symbol_markup(read.base), _superscript(read.superscript)


def index_markup(name: str) -> str:
    """An index; primes stand behind it."""
    shown, _ = index_name(name)
    stem = shown.rstrip("'")
    primes = "'" * (len(shown) - len(stem))
    mark = f'<mo lspace="0" rspace="0">{primes}</mo>' if primes else ""
    numbered = re.fullmatch(r"([A-Za-z])_\{([0-9]+)\}", stem)
    base = symbol_markup(numbered[1] if numbered else stem)
    base = f"<msub>{base}<mn>{numbered[2]}</mn></msub>" if numbered else base
    return f"<mrow>{base}{mark}</mrow>" if mark else base


def symbol_markup(latex: str) -> str:
    r"""One symbol of LaTeX's: a letter, `\delta`, `\hat{x}`, `\mathrm{word}`."""
    accented = re.fullmatch(r"\\(hat|bar|tilde)\{(.*)\}", latex)
    if accented:
        return f'<mover accent="true">{symbol_markup(accented[2])}<mo>{_ACCENTS[accented[1]]}</mo></mover>'
    return _identifier(symbol_text(latex))


def symbol_text(latex: str) -> str:
    r"""The characters of one symbol: a Greek letter for its command, a word without its `\mathrm`."""
    word = re.fullmatch(r"\\mathrm\{(.*)\}", latex)
    if word:
        return re.sub(r"\\text\w+\{\}|\\(.)", lambda part: part[1] or "", word[1])
    command = re.fullmatch(r"\\([A-Za-z]+)", latex)
    if command is None:
        return latex
    name = _ALIKE.get(command[1], command[1])
    return html5.get(f"{name};", name)


def _identifier(text: str) -> str:
    """A number stands upright as digits do, a word of several letters upright by itself."""
    tag = "mn" if re.fullmatch(r"\(?-?[0-9.]+\)?", text) else "mi"
    return f"<{tag}>{escape(text.replace('-', chr(0x2212)) if tag == 'mn' else text)}</{tag}>"


def _superscript(latex: str) -> str:
    if not latex:
        return ""
    inside = symbol_text(latex[1:-1])
    tag = "mn" if inside.isdecimal() else "mi"
    return f"<mrow>{_BRACKETS[0]}<{tag}>{escape(inside)}</{tag}>{_BRACKETS[1]}</mrow>"
