"""What is there only where a layer's options say so: `{text when condition else other}`, and calls.

    body        := (text | alternative | call)*
    alternative := "{" body "when" condition ["else" body] "}"
    call        := "{" word "when" condition "}" "(" body ")"
    condition   := ["not"] option | option "==" value | option ">" value

Each body has its brackets in pairs. Where the condition of a call does not hold, its argument stands alone:
`{pad when padding > 0}(x[i])` is pad(x[i]) or x[i].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.errors import LanguageError
from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import value_text
from symbackprop.syntax.nodes import Span
from symbackprop.syntax.source import Source

_PLAIN = re.compile(r"(?:(?!\s+(?:when|else)\s)[^{}])+")
_WHEN = re.compile(r"\s+when\s+(?P<condition>[^{}]*?)(?=\s+else\s|\})")
_ELSE = re.compile(r"\s+else\s+")
_CONDITION = re.compile(r"(?P<negation>not\s+)?(?P<option>\w+)(?:\s*(?P<operator>==|>)\s*(?P<value>.+))?")
_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Condition:
    """`padding > 0`, `layout == out,in`, `causal`, `not causal`; an option alone is compared with nothing."""

    option: str
    operator: str
    value: str
    is_negated: bool

    def holds(self, values: Mapping[str, OptionValue]) -> bool:
        """Whether it does for these options."""
        value = values[self.option]
        match self.operator:
            case "==":
                return value_text(value) == self.value
            case ">":
                return float(value) > float(self.value)
        return bool(value) is not self.is_negated


@dataclass(frozen=True)
class Alternative:
    """`{chosen when condition else otherwise}`, with the spaces before it, which go where nothing is left."""

    indent: str
    chosen: Body
    condition: Condition
    otherwise: Body


@dataclass(frozen=True)
class OptionalCall:
    """`{word when condition}(argument)`, with the spaces before it, which go where the word does."""

    indent: str
    word: str
    condition: Condition
    argument: Body


Piece: TypeAlias = str | Alternative | OptionalCall
Body: TypeAlias = tuple[Piece, ...]


_PAIRS = "what is chosen by an option has its brackets in pairs; {word when condition}(...) is a call or not"
_FORM = "write {text when condition else text}"


def read_body(source: Source, start: int = 0) -> Body:
    """The statements of a layer, from a place of its file on.

    Raises LanguageError where braces make no alternative, or where the brackets of a body do not pair.
    """
    reader = _BodyReader(source)
    body, end = reader.body(start)
    if end < len(source.text):
        raise reader.error(end, "this ends nothing that has begun", _FORM)
    return body


def text_of(body: Body, values: Mapping[str, OptionValue]) -> str:
    """The text that the options choose."""
    return "".join([_text_of(piece, values) for piece in body])


def _text_of(piece: Piece, values: Mapping[str, OptionValue]) -> str:
    match piece:
        case Alternative(indent, chosen, condition, otherwise):
            text = text_of(chosen if condition.holds(values) else otherwise, values)
            return indent + text if text else ""
        case OptionalCall(indent, word, condition, argument):
            inner = text_of(argument, values)
            return f"{indent}{word}({inner})" if condition.holds(values) else inner
    return piece


@dataclass(frozen=True)
class _BodyReader:
    """Reads from a place of the text on; each method says where what it has read ends."""

    source: Source

    @property
    def text(self) -> str:
        """The whole text."""
        return self.source.text

    def body(self, at: int, until: str = "") -> tuple[Body, int]:
        """The pieces up to a word of the alternative around them, its brace, or the end of the text.

        With `until`, the bracket that closes a call's argument, they end there.
        """
        pieces: list[Piece] = []
        open_brackets: list[int] = []
        while at < len(self.text):
            if self.text[at] == "{":
                piece, at = self._alternative(at, pieces)
                pieces.append(piece)
                continue
            plain = _PLAIN.match(self.text, at)
            end = at if plain is None else self._paired(at, plain.end(), open_brackets)
            pieces += [self.text[at:end]] if end > at else []
            if plain is None or end < plain.end():
                at = end
                break
            at = end
        if open_brackets:
            bracket = open_brackets[-1]
            raise self.error(bracket, f"this '{self.text[bracket]}' is not closed", _PAIRS)
        if self.text[at : at + 1] in (")", "]") and self.text[at] != until:
            raise self.error(at, f"this '{self.text[at]}' closes nothing", _PAIRS)
        return tuple(pieces), at

    def _paired(self, start: int, end: int, open_brackets: list[int]) -> int:
        """Where the first bracket stands that closes none of those open, else `end`."""
        for at in range(start, end):
            character = self.text[at]
            if character in _CLOSING:
                open_brackets.append(at)
            elif character in ")]":
                if not open_brackets:
                    return at
                if _CLOSING[self.text[open_brackets[-1]]] != character:
                    raise self.error(
                        open_brackets[-1], f"this '{self.text[open_brackets[-1]]}' is not closed", _PAIRS
                    )
                open_brackets.pop()
        return end

    def _alternative(self, at: int, before: list[Piece]) -> tuple[Alternative | OptionalCall, int]:
        """The alternative whose brace stands there; it takes the spaces before it from what was read."""
        chosen, end = self.body(at + 1)
        when = _WHEN.match(self.text, end)
        condition = _CONDITION.fullmatch(when["condition"]) if when else None
        if when is None or condition is None:
            raise self.error(at, "this brace opens no alternative", _FORM)
        stated = Condition(
            condition["option"],
            condition["operator"] or "",
            condition["value"] or "",
            bool(condition["negation"]),
        )
        following = _ELSE.match(self.text, when.end())
        otherwise, end = self.body(following.end()) if following else ((), when.end())
        if self.text[end : end + 1] != "}":
            raise self.error(at, "this brace is never closed", "add the '}' that belongs to it")
        end += 1
        if not following and self.text[end : end + 1] == "(" and isinstance(chosen[0], str):
            argument, closing = self.body(end + 1, until=")")
            if self.text[closing : closing + 1] != ")":
                raise self.error(end, "this '(' is not closed", _PAIRS)
            return OptionalCall(_indent_taken_from(before), chosen[0], stated, argument), closing + 1
        return Alternative(_indent_taken_from(before), chosen, stated, otherwise), end

    def error(self, at: int, cause: str, remedy: str) -> LanguageError:
        """An error at a place of the text."""
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        return LanguageError(
            cause, place=self.source.place(Span(line, column, line, column + 1)), remedy=remedy
        )


def _indent_taken_from(before: list[Piece]) -> str:
    if not before or not isinstance(before[-1], str):
        return ""
    kept = before[-1].rstrip(" ")
    indent = before[-1][len(kept) :]
    before[-1] = kept
    return indent
