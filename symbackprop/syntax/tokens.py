"""The tokens that the grammar is given: no line ends inside brackets, and no names that nothing may have.

Only `grammar` may import this module, which imports lark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lark import Token
from lark.lark import PostLex

from symbackprop.languages.phrases import Message, worded
from symbackprop.syntax.limits import LARGEST_NESTING
from symbackprop.syntax.words import misspelling

_OPENING: Final = ("_LPAR", "_LSQB")
_CLOSING: Final = ("RPAR", "RSQB")
_BODY: Final = ("_LPAR", "NAME", "_EQUAL")


class RefusedTokenError(Exception):
    """A token that no sentence of the language may contain."""

    def __init__(self, token: Token, cause: Message, remedy: Message) -> None:
        super().__init__(cause)
        self.token = token
        self.cause = cause
        self.remedy = remedy


class TokenFilter(PostLex):
    """Drops line ends inside brackets, and refuses names and nesting that nothing may have."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the parser is to see; RefusedTokenError at one that it must not."""
        depth = 0
        for token in _with_bodies(stream):
            if token.type in _OPENING:
                depth += 1
            elif token.type in _CLOSING:
                depth = max(0, depth - 1)
            if depth > LARGEST_NESTING:
                raise RefusedTokenError(
                    token,
                    worded(
                        "brackets are nested more than {largest} deep",
                        largest=LARGEST_NESTING,
                    ),
                    worded("name a part of the formula by an equation of its own"),
                )
            wrong = misspelling(token) if token.type == "NAME" else None
            if wrong:
                raise RefusedTokenError(token, *wrong)
            if token.type != "_NEWLINE" or depth == 0:
                yield token


def _with_bodies(stream: Iterator[Token]) -> Iterator[Token]:
    """The tokens, with `_BODY` for the '(' after `func f(u) =` in which a local name comes first."""
    is_header = False
    for token in stream:
        yield token
        if is_header and token.type == "_EQUAL":
            yield from _body_opened(stream)
            is_header = False
        is_header = is_header or token.type == "_FUNC"


def _body_opened(stream: Iterator[Token]) -> Iterator[Token]:
    """As many tokens of the stream as tell whether a body begins here."""
    tokens: list[Token] = []
    kinds: tuple[str, ...] = ()
    for token in stream:
        tokens.append(token)
        kinds = tuple(each.type for each in tokens if each.type != "_NEWLINE")
        if kinds == _BODY or kinds != _BODY[: len(kinds)]:
            break
    if kinds == _BODY and tokens[0].type == "_LPAR":
        tokens[0] = Token.new_borrow_pos("_BODY", tokens[0].value, tokens[0])
    yield from tokens
