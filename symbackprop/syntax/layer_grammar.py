"""From the statements of a layer to text and alternatives: the grammar of `layer.lark`.

It has the tokens of the model language and four of its own: `{`, `}`, `when` and `else`. Like `grammar`, it
loads lark, and is imported by `parsing` alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken

from symbackprop.errors import LanguageError
from symbackprop.languages.phrases import Message, worded
from symbackprop.syntax.alternatives import Alternative, Body, Condition, OptionalCall, Part
from symbackprop.syntax.nodes import Span
from symbackprop.syntax.source import Source
from symbackprop.syntax.spelling import explained

Node: TypeAlias = Tree[Token]

_OPENING = {"_LPAR": "RPAR", "_LSQB": "RSQB", "LBRACE": "RBRACE"}
_BRACKETS = ("RPAR", "RSQB")
_PAIRS = worded(
    "what is chosen by an option has its brackets in pairs; {word when condition}(...) is a call or not"
)
_FORM = worded("write {text when condition else text}")


def read_body(source: Source, start: int) -> Body:
    """The statements of a layer, from a place of its file on.

    Raises LanguageError where braces make no alternative, or where brackets do not pair.
    """
    try:
        tree = _lark().parse(source.text)
    except UnexpectedToken as error:
        raise _refusal(error.token, source) from None
    except UnexpectedCharacters as error:
        raise explained(error, source) from None
    return _Reading(source).body(tree, start, len(source.text))


@functools.cache
def _lark() -> Lark:
    return Lark.open_from_package(
        __package__, "layer.lark", parser="lalr", lexer="basic", start="body", keep_all_tokens=True
    )


@dataclass(frozen=True)
class _Reading:
    source: Source

    def body(self, tree: Node, start: int, end: int) -> Body:
        """The text from start to end, with what is chosen in it apart."""
        parts: list[Part] = []
        for node in _choices(tree):
            first, last = _extent(node)
            before = self.source.text[start:first]
            kept = before.rstrip(" ")
            parts += [kept, self._choice(node, before[len(kept) :])]
            start = last
        return tuple([part for part in (*parts, self.source.text[start:end]) if part])

    def _choice(self, node: Node, indent: str) -> Part:
        chosen, *others = _trees(node, "chosen")
        tokens = {each.type: each for each in node.children if isinstance(each, Token)}
        condition = self._condition(_trees(node, "condition")[0])
        if node.data == "alternative":
            first = self.body(chosen, _end(tokens["LBRACE"]), self._end_before(tokens["WHEN"]))
            second = [
                self.body(other, self._start_behind(tokens["ELSE"]), _start(tokens["RBRACE"]))
                for other in others
            ]
            return Alternative(indent, first, condition, second[0] if second else ())
        word, *more = chosen.children
        if more or not isinstance(word, Token) or word.type != "NAME":
            raise _error(_first(node), worded("this brace opens no alternative"), _PAIRS, self.source)
        (argument,) = _trees(node, "body")
        inner = self.body(argument, _end(tokens["_LPAR"]), _start(tokens["RPAR"]))
        return OptionalCall(indent, str(word), condition, inner)

    def _end_before(self, token: Token) -> int:
        return len(self.source.text[: _start(token)].rstrip())

    def _start_behind(self, token: Token) -> int:
        rest = self.source.text[_end(token) :]
        return _end(token) + len(rest) - len(rest.lstrip())

    def _condition(self, tree: Node) -> Condition:
        tokens = {each.type: str(each) for each in tree.children if isinstance(each, Token)}
        values = [self.source.text[slice(*_extent(value))] for value in _trees(tree, "value")]
        return Condition(tokens["NAME"], tokens.get("COMPARATOR", ""), "".join(values), "NOT" in tokens)


def _choices(tree: Node) -> Iterator[Node]:
    """The alternatives and calls of a body, those within brackets too, but none that stand in others."""
    for node in tree.children:
        if isinstance(node, Tree):
            if node.data in ("alternative", "optional_call"):
                yield node
            else:
                yield from _choices(node)


def _trees(node: Node, name: str) -> list[Node]:
    return [each for each in node.children if isinstance(each, Tree) and each.data == name]


def _first(node: Node) -> Token:
    return next(node.scan_values(lambda _: True))


def _start(token: Token) -> int:
    assert token.start_pos is not None
    return token.start_pos


def _end(token: Token) -> int:
    assert token.end_pos is not None
    return token.end_pos


def _extent(node: Node) -> tuple[int, int]:
    """Where its first token begins, and where its last one ends."""
    tokens = list(node.scan_values(lambda _: True))
    return _start(tokens[0]), _end(tokens[-1])


def _refusal(stop: Token, source: Source) -> LanguageError:
    """What is wrong where the grammar stopped: mostly a bracket before."""
    is_end = stop.type == "$END"
    opened: list[Token] = []
    for token in _lark().lex(source.text):
        if not is_end and _start(token) >= _start(stop):
            break
        if token.type in _OPENING:
            opened.append(token)
        elif opened and token.type == _OPENING[opened[-1].type]:
            opened.pop()
    innermost = opened[-1] if opened else None
    if innermost is not None and innermost.type != "LBRACE":
        return _error(
            innermost, worded("this '{innermost}' is not closed", innermost=innermost), _PAIRS, source
        )
    if stop.type in _BRACKETS:
        return _error(stop, worded("this '{stop}' closes nothing", stop=stop), _PAIRS, source)
    if innermost is None:
        return _error(stop, worded("this ends nothing that has begun"), _FORM, source)
    if is_end:
        remedy = worded("add the '{closer}' that belongs to it", closer="}")
        return _error(innermost, worded("this brace is never closed"), remedy, source)
    return _error(innermost, worded("this brace opens no alternative"), _FORM, source)


def _error(token: Token, cause: Message, remedy: Message, source: Source) -> LanguageError:
    line, column = token.line or 1, token.column or 1
    return LanguageError(cause, place=source.place(Span(line, column, line, column + 1)), remedy=remedy)
