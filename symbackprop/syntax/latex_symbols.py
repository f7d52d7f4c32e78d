r"""What a model may give a tensor as its symbol: letters, scripts, accents, fonts, and nothing that TeX runs.

A model is data, also where somebody else wrote it: \input and \write have no place in it.
"""

from __future__ import annotations

import re

from symbackprop.languages.phrases import Message, worded
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


def fault_of_symbol(latex: str) -> Message | None:
    r"""Why this cannot be a symbol; None where it can: `\mathbf{W}^{(1)}`."""
    if not latex.strip(" {}"):
        return worded("the symbol says nothing")
    if len(latex) > LONGEST_SYMBOL:
        return worded("the symbol is longer than {longest} characters", longest=LONGEST_SYMBOL)
    place = depth = 0
    while place < len(latex):
        token = _TOKEN.match(latex, place)
        if token is None:
            return worded("the symbol has a '{sign}', which is no part of a symbol", sign=latex[place])
        if token["command"] and token["command"] not in COMMANDS:
            return worded(
                "the symbol has the command {command}, which is no letter, accent or font", command=token[0]
            )
        depth += (token[0] == "{") - (token[0] == "}")
        if depth < 0:
            break
        place = token.end()
    return worded("the symbol has braces that do not match") if depth else None
