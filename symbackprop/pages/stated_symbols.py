r"""Symbols that a model states in LaTeX, `as "\mathbf{W}^{(1)}"`, in MathML.

What may stand in one is listed in `syntax.latex_symbols`: letters, scripts, accents, fonts and a few signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from html.entities import html5

from symbackprop.pages.math_names import symbol_markup
from symbackprop.typesetting.names import NameLatex, tensor_name

_TOKEN = re.compile(r"\\[A-Za-z]+|\\[,;! ]|\S")
_ACCENTS = {
    "hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "\u00af", "overline": "\u00af",
    "vec": "\u2192", "dot": "\u02d9", "ddot": "\u00a8", "check": "\u02c7", "breve": "\u02d8",
    "acute": "\u00b4", "grave": "`",
}  # fmt: skip
# Fonts as Unicode names their letters; bold is a matter of style, which every font has.
_ALPHABETS = {"mathcal": "SCRIPT", "mathbb": "DOUBLE-STRUCK", "mathfrak": "FRAKTUR"}
_STYLES = {
    "mathbf": "font-weight:bold", "boldsymbol": "font-weight:bold;font-style:italic", "mathrm": "",
    "operatorname": "", "mathsf": "font-family:sans-serif", "mathtt": "font-family:monospace",
    "mathit": "font-style:italic",
}  # fmt: skip
# Commands whose names HTML gives to other signs, or to none.
_SIGNS = {
    "partial": "\u2202", "star": "\u22c6", "circ": "\u2218", "infty": "\u221e", "varepsilon": "\u03b5",
    "epsilon": "\u03f5", "varphi": "\u03c6", "phi": "\u03d5",
}  # fmt: skip


@lru_cache(maxsize=1000)
def markup_of(symbol: NameLatex) -> tuple[str, str]:
    """A symbol that is set in LaTeX as a base, and what stands above it to the right, or ""."""
    word = re.fullmatch(r"\\mathrm\{.*\\.*\}", symbol.base)  # a_b: signs that LaTeX has to escape
    base = symbol_markup(symbol.base) if word else _row(symbol.base)
    return base, _row(symbol.superscript) if symbol.superscript else ""


def set_apart(symbols: Mapping[str, NameLatex]) -> dict[str, NameLatex]:
    """Those symbols that are not what their names read as by themselves."""
    return {name: symbol for name, symbol in symbols.items() if symbol != tensor_name(name)}


def _row(latex: str) -> str:
    parts = list(_scripted(iter(_TOKEN.findall(latex))))
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _scripted(tokens: Iterator[str]) -> Iterator[str]:
    """Each atom of a row, its scripts at it."""
    base, below, above = "", "", ""
    for token in tokens:
        if token == "_":
            below = _atom(next(tokens, ""), tokens)
        elif token == "^":
            above = _atom(next(tokens, ""), tokens)
        elif token == "'":
            above += "<mo>\u2032</mo>"
        else:
            if base:
                yield _with_scripts(base, below, above)
            base, below, above = _atom(token, tokens), "", ""
    yield _with_scripts(base, below, above)


def _with_scripts(base: str, below: str, above: str) -> str:
    if below and above:
        return f"<msubsup>{base}<mrow>{below}</mrow><mrow>{above}</mrow></msubsup>"
    if below:
        return f"<msub>{base}<mrow>{below}</mrow></msub>"
    return f"<msup>{base}<mrow>{above}</mrow></msup>" if above else base


def _atom(token: str, tokens: Iterator[str]) -> str:
    name = token.removeprefix("\\")
    if token == "{":
        return _row(_group(tokens))
    if token.startswith("\\") and name in (*_ACCENTS, "underline"):
        inside = _atom(next(tokens, ""), tokens)
        if name == "underline":
            return f'<munder accentunder="true">{inside}<mo>_</mo></munder>'
        return f'<mover accent="true">{inside}<mo>{_ACCENTS[name]}</mo></mover>'
    if token.startswith("\\") and name in (*_ALPHABETS, *_STYLES):
        return _in_font(name, next(tokens, ""), tokens)
    if token.startswith("\\"):
        return f"<mi>{_SIGNS.get(name) or html5.get(f'{name};', '')}</mi>" if name.isalpha() else ""
    if token.isdecimal():
        return f"<mn>{token}</mn>"
    return f"<mi>{token}</mi>" if token.isalpha() else f'<mo stretchy="false">{escape(token)}</mo>'


def _in_font(font: str, token: str, tokens: Iterator[str]) -> str:
    """Letters in a font, one word; what is no plain word is set as it is by itself."""
    inside = _group(tokens) if token == "{" else token
    if not inside.isalnum():
        style = f' style="{_STYLES[font]}"' if _STYLES.get(font) else ""
        return f"<mrow{style}>{_row(inside)}</mrow>"
    if font in _ALPHABETS:
        return f"<mi>{''.join(_letter(each, _ALPHABETS[font]) for each in inside)}</mi>"
    style = f' style="{_STYLES[font]}"' if _STYLES[font] else ""
    return f'<mi mathvariant="normal"{style}>{escape(inside)}</mi>'


def _letter(letter: str, alphabet: str) -> str:
    """A letter of a mathematical alphabet; Unicode has some of them elsewhere, under names of their own."""
    case = "CAPITAL" if letter.isupper() else "SMALL"
    other = "BLACK-LETTER" if alphabet == "FRAKTUR" else alphabet
    for name in (f"MATHEMATICAL {alphabet} {case} {letter.upper()}", f"{other} {case} {letter.upper()}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return letter


def _group(tokens: Iterator[str]) -> str:
    """What stands up to the brace that closes, as LaTeX."""
    depth, found = 1, []
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if not depth:
            break
        found.append(token)
    return "".join(f"{each} " if each[0] == "\\" and each[-1].isalpha() else each for each in found)
