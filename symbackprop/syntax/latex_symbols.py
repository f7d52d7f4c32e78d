r"""What a model may give a tensor as its symbol: letters, scripts, accents, fonts, and nothing that TeX runs.

A model is data, also where somebody else wrote it: \input and \write have no place in it.
"""

from __future__ import annotations

import re

from symbackprop.syntax.limits import LONGEST_SYMBOL

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi "
    "rho varrho sigma varsigma tau upsilon phi varphi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_FONTS = "mathbf mathrm mathit mathsf mathtt mathcal mathbb mathfrak boldsymbol operatorname"
_ACCENTS = "hat widehat tilde widetilde bar overline underline vec dot ddot check breve acute grave"
_SIGNS = (
    "ell hbar nabla partial prime ast star dagger ddagger circ bullet top bot perp infty leftarrow rightarrow"
)
COMMANDS = frozenset(" ".join((_GREEK, _FONTS, _ACCENTS, _SIGNS)).split())

_TOKEN = re.compile(r"\\(?P<command>[A-Za-z]+)|\\[,;! ]|[A-Za-z0-9(){}^_'+*/,.:| <>=-]")


def fault_of_symbol(latex: str) -> str:
    r"""Why this cannot be a symbol, in words that follow it; "" where it can: `\mathbf{W}^{(1)}`."""
    if not latex.strip(" {}"):
        return "says nothing"
    if len(latex) > LONGEST_SYMBOL:
        return f"is longer than {LONGEST_SYMBOL} characters"
    place = depth = 0
    while place < len(latex):
        token = _TOKEN.match(latex, place)
        if token is None:
            return f"has a '{latex[place]}', which is no part of a symbol"
        if token["command"] and token["command"] not in COMMANDS:
            return rf"has the command \{token['command']}, which is no letter, accent or font"
        depth += (token[0] == "{") - (token[0] == "}")
        if depth < 0:
            break
        place = token.end()
    return "has braces that do not match" if depth else ""
