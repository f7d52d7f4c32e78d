"""The tokens of rules' statements, and which of them are words of a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.notation.expressions import Expression

_TOKEN = re.compile(
    r"(?P<derivative>d(?:[A-Za-z]\w*(?:\[[^\]]*\])?| \w+\(\w+\)(?:\[[^\]]*\])?)/d[A-Za-z]\w*(?:\[[^\]]*\])?)"
    r"|(?P<quoted>`[^`]*`|[A-Za-z]+'s\b|[A-Za-z]{2,}(?:-[A-Za-z]{2,})+)|(?P<name>[A-Za-z_]\w*'*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<relation><=|>=|==|!=|<|>|=)|(?P<sign>\S)",
    re.ASCII,  # a Japanese letter is no letter of a name
)
WORD = re.compile(r"[A-Za-z]{2,}")
_CONJUNCTIONS = ("and", "or", "for", "if", "where", "with", "unless", "is")
_SIGNS = ("+", "-", "*", "/", "^", "'")


@dataclass(frozen=True)
class Token:
    """A token, or an expression as it is; `spaced` where white space stands before it."""

    kind: str
    text: str
    spaced: bool
    expression: Expression | None = None


END = Token("end", "", True)


def tokens_of(part: str, spaced: bool = True) -> list[Token]:
    """The tokens of a text; `spaced` says whether white space stands before it."""
    return [
        Token(
            str(match.lastgroup),
            match.group(),
            part[match.start() - 1].isspace() if match.start() else spaced,
        )
        for match in _TOKEN.finditer(part)
    ]


def token_at(tokens: Sequence[Token], place: int) -> Token:
    """The token at that place, or one that stands for the end."""
    return tokens[place] if 0 <= place < len(tokens) else END


def is_word(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word of the sentence stands there, and not the name of something in a formula."""
    token, after, before = (token_at(tokens, place + step) for step in (0, 1, -1))
    if token.kind != "name":
        return token.kind == "quoted" or token.text in (",", ";", ":", ".")
    if token.text in ("a", "A"):
        return after.kind in ("name", "quoted", "derivative") and after.spaced
    if not WORD.fullmatch(token.text):
        return False
    if token.text == "not":
        return token_at(tokens, place + 2).kind != "relation"
    if token.text in _CONJUNCTIONS and after.spaced:
        return True
    opens = after.text in ("(", "[") and not after.spaced
    in_formula = opens or after.kind == "relation" or after.text in _SIGNS
    return not (in_formula or before.text in _SIGNS or before.kind == "relation")
