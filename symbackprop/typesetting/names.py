r"""How a name of the model language is written in LaTeX: `W2` as W^{(2)}, `xhat` as \hat{x}, `mu` as \mu.

Different names stay different: only a name whose reading is unambiguous gets the short form; any other is
set upright as it is typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_GREEK_LOWER = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega"
)
_GREEK_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = frozenset((_GREEK_LOWER + " " + _GREEK_UPPER).split())
_LATEX_OF_GREEK = {"epsilon": r"\varepsilon", "phi": r"\varphi"}
_NAME = re.compile(
    r"(?P<stem>[A-Za-z]+?)(?P<accent>hat|bar|tilde)?"
    r"(?:(?P<number>[0-9]+)|_(?P<word>[A-Za-z]+[0-9]*(?:_[A-Za-z]+[0-9]*)*))?"
)

_LETTER_WIDTH, _SCRIPT_WIDTH = 0.6, 0.42


@dataclass(frozen=True)
class NameLatex:
    """A written name: `base` takes the subscripts, `superscript` (a layer's number or name) stands above."""

    base: str
    superscript: str
    width: float


def tensor_name(name: str) -> NameLatex:
    r"""`delta2` is \delta with superscript (2), `W_out` W with (out), `delta_u_g` \delta with (u,g).

    A longer word is set upright; `x_minus_mu` is x - \mu in parentheses.
    """
    sides = difference_of(name)
    if sides:
        left, right = map(tensor_name, sides)
        shown = [each.base + f"^{{{each.superscript}}}" * bool(each.superscript) for each in (left, right)]
        return NameLatex(f"({shown[0]} - {shown[1]})", "", left.width + right.width + 3 * _LETTER_WIDTH)
    match = _NAME.fullmatch(name)
    if match is None or not _is_symbol(match["stem"]):
        return _word_with_number(name)
    base = symbol(match["stem"])
    if match["accent"]:
        base = rf"\{match['accent']}{{{base}}}"
    superscript, width = _superscript(match["number"], match["word"])
    return NameLatex(base, superscript, _LETTER_WIDTH + width)


def difference_of(name: str) -> tuple[str, str] | None:
    """What a name says is the difference of two tensors with symbols: x and mu of `x_minus_mu`."""
    left, found, right = name.partition("_minus_")
    matches = [_NAME.fullmatch(side) for side in (left, right)]
    is_one = found and all(match and _is_symbol(match["stem"]) for match in matches)
    return (left, right) if is_one and "_minus_" not in right else None


def index_name(name: str) -> tuple[str, float]:
    """An index and its width in text size."""
    stem = name.rstrip("'")
    primes = name[len(stem) :]
    width = _LETTER_WIDTH * (1 + 0.5 * len(primes))
    if _is_symbol(stem):
        return symbol(stem) + primes, width
    if re.fullmatch(r"[A-Za-z][0-9]+", stem):
        return f"{stem[0]}_{{{stem[1:]}}}{primes}", width + 0.35 * len(stem[1:])
    return upright(stem) + primes, width + 0.55 * (len(stem) - 1)


def is_single_letter(name: str) -> bool:
    """Whether indices of that name can stand side by side without commas: kj."""
    return _is_symbol(name.rstrip("'"))


def upright(word: str) -> str:
    r"""A word in upright letters, its underscores escaped."""
    return rf"\mathrm{{{escaped(word)}}}"


def escaped(words: str) -> str:
    """Text with LaTeX's special characters made harmless."""
    return "".join(_SPECIAL.get(character, character) for character in words)


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def _is_symbol(stem: str) -> bool:
    return stem in GREEK or (len(stem) == 1 and stem.isalpha())


def symbol(stem: str) -> str:
    """A letter as it is, a Greek one as LaTeX's command."""
    return _LATEX_OF_GREEK.get(stem, f"\\{stem}") if stem in GREEK else stem


def _word_with_number(name: str) -> NameLatex:
    """A word; trailing digits stay with it, so that `W_2` does not look like `W2`."""
    return NameLatex(upright(name), "", 0.55 * len(name))


def _superscript(number: str | None, word: str | None) -> tuple[str, float]:
    label = number or (f"\\mathrm{{{word.replace('_', ',')}}}" if word else "")
    return (f"({label})", _SCRIPT_WIDTH * (len(number or word or "") + 1)) if label else ("", 0.0)
