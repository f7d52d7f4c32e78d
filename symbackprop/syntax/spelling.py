"""What a person is told where the grammar stops: what was expected, what came, and what to do."""

from __future__ import annotations

import re

from lark import Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from symbackprop.errors import LanguageError
from symbackprop.languages.phrases import Message, joined, marked, verbatim, worded
from symbackprop.syntax.nodes import Span
from symbackprop.syntax.source import Source
from symbackprop.syntax.words import CONNECTIVES, STATEMENTS

_ASCII_FORMS = {
    "\u2212": "-", "\u2013": "-", "\u00b7": "*", "\u22c5": "*", "\u00d7": "*", "\u00f7": "/", "\u2264": "<=",
    "\u2265": ">=", "\u2260": "!=", "\uff08": "(", "\uff09": ")", "\uff0c": ",", "\uff1d": "=",
    "\u00b2": "^2", "\u00b3": "^3", "\u221a": "sqrt(...)",
    "\u3000": worded("a space"), "\u00a0": worded("a space"),
    "\u2211": "sum(i, ...)", "\u2032": "'", "{": "(", "}": ")", "&": "and", "|": "or",
}  # fmt: skip

_DESCRIPTIONS = {
    "_LPAR": "'('", "RPAR": "')'", "_LSQB": "'['", "RSQB": "']'", "_COMMA": "','", "_COLON": "':'",
    "_EQUAL": "'='", "COMPARATOR": worded("a comparison"), "_NEWLINE": worded("the end of the line"),
}  # fmt: skip

_NESTED_PACKING = re.compile(r"(?<![\w'])\([\w' ]*\( *[\w']+(?: +[\w']+)+ *\)[\w' ]*\)")
_OPERATORS = frozenset(("PLUS", "MINUS", "STAR", "SLASH", "_CARET"))
ROLES = ("input", "target", "param", "const")
_KEYWORDS = STATEMENTS | CONNECTIVES
_CLOSERS = {"(": ")", "[": "]"}


def explained(error: UnexpectedInput, source: Source) -> LanguageError:
    """The error that lark found, in words; lark's own names for tokens never show."""
    if isinstance(error, UnexpectedCharacters):
        return _stray_character(error, source)
    assert isinstance(error, UnexpectedToken)
    token = error.token
    opening = _bracket_left_open(token, source)
    if opening is not None:
        bracket = source.lines[opening.line - 1][opening.column - 1]
        return LanguageError(
            worded("this '{bracket}' is never closed", bracket=bracket),
            place=source.place(opening),
            remedy=_closing_remedy(token, opening, source),
        )
    accepted = frozenset(error.accepts or error.expected)
    return LanguageError(
        worded(
            "expected {expectation}, found {found}", expectation=_expectation(accepted), found=_found(token)
        ),
        place=source.place(_token_span(token, source)),
        remedy=_remedy(token, accepted, source),
    )


def _closing_remedy(token: Token, opening: Span, source: Source) -> Message:
    """Add the bracket; but `m[i] = ...` in the body of a function may be meant for a local name."""
    before = source.lines[(token.line or 1) - 1][: (token.column or 1) - 1].rstrip()
    header = source.lines[opening.line - 1][: opening.column - 1].split()
    if token.type == "_EQUAL" and before.endswith("]") and header[:1] == ["func"]:
        return worded("add the ')' that belongs to it; a function's local name has no indices: m = ...")
    closer = _CLOSERS[source.lines[opening.line - 1][opening.column - 1]]
    return worded("add the '{closer}' that belongs to it", closer=closer)


def _stray_character(error: UnexpectedCharacters, source: Source) -> LanguageError:
    span = Span(error.line, error.column, error.line, error.column + 1)
    character = source.text[error.pos_in_stream or 0]
    is_shown = character.isprintable() and character != "'"
    shown = verbatim(f"'{character}'" if is_shown else f"U+{ord(character):04X}")
    remedy = worded("a formula is made of names, numbers, operators, commas and brackets")
    if character in _ASCII_FORMS:
        remedy = worded("write {what}", what=_ASCII_FORMS[character])
    elif character in "'\"":
        shown = worded("a quotation mark")
        remedy = worded(
            'a model is data and runs no code; a string gives a tensor its symbol: param W[j,i] as "W"'
        )
    return LanguageError(
        worded("{shown} has no meaning here", shown=shown), place=source.place(span), remedy=remedy
    )


def _expectation(accepted: frozenset[str]) -> Message:
    """What could have stood there, the likeliest first."""
    if "NUMBER" in accepted:
        return worded("a value (a name, a number or a formula in brackets)")
    if "_INDEX" in accepted:
        return worded("a statement")
    if "NAME" in accepted and not accepted & _OPERATORS:
        return worded("a name")
    terminals = [terminal for terminal in _DESCRIPTIONS if terminal in accepted]
    is_operator = bool(accepted & _OPERATORS)
    if is_operator:
        # Brackets of positions and comparisons are as possible as operators but seldom what is missing.
        terminals = [each for each in terminals if each not in ("_LSQB", "_LPAR", "COMPARATOR")]
    parts = [worded("an operator")] * is_operator + [verbatim(_DESCRIPTIONS[each]) for each in terminals]
    *before, last = parts
    listed = [joined(marked("{before}, {after}"), before)] if before else []
    return joined(marked("{before} or {after}"), [*listed, last])


def _found(token: Token) -> Message:
    if token.type == "$END":
        return worded("the end of the text")
    if token.type == "_NEWLINE":
        return worded("the end of the line")
    if token.value in _KEYWORDS:
        return worded("'{token}', a word of the language", token=token.value)
    return verbatim(f"'{token.value}'")


def _remedy(token: Token, accepted: frozenset[str], source: Source) -> Message:
    """Advice on the slips that are common enough to be known."""
    line, column = source.lines[(token.line or 1) - 1], token.column or 1
    before = line[: column - 1].strip()
    if before == "loss" and token.type == "_EQUAL":
        return worded("name the loss: loss E = ...")
    if token.value in _KEYWORDS and "NAME" in accepted:
        return worded("choose another name than '{token}'", token=token.value)
    if token.type == "COMPARATOR" and "_EQUAL" in accepted:
        return worded("an equation has a single '=': y[b,k] = ...; what is known is a fact: fact ... == ...")
    if before.split(" ")[0] == "index" and "_COLON" in accepted:
        return worded("an index is declared with its axis: index i : I")
    role, *declared = before.split(" ")
    if role == "const" and token.type == "_EQUAL":
        equation = line.partition(role)[2].partition(",")[0].strip()
        return worded("a number with a name is an equation of its own: {equation}", equation=equation)
    if role in ROLES and "in" in declared and token.type in ("_NEWLINE", "$END"):
        rest = before.rpartition(" in ")[2].partition(",")[2].strip()
        return worded(
            "'in' is said of all that stands before it: give the rest a line of its own, {role} {rest}",
            role=role,
            rest=rest,
        )
    packed = _in_one_bracket(line, column)
    if packed is not None:
        return worded("brackets inside packed indices say nothing more: write {packed}", packed=packed)
    if token.type in ("NAME", "NUMBER", "_LPAR") and accepted & _OPERATORS:
        return worded("write a product with '*'")
    if token.type == "RPAR" and {"_NEWLINE", "NUMBER"} <= accepted:
        return worded("the last line of a function's body is its value, without '='")
    if token.type in ("RPAR", "RSQB"):
        return worded("take the '{token}' away, or open its bracket before", token=token.value)
    if "_EQUAL" in accepted:
        return worded("an equation reads: y[b,k] = ...")
    if "_INDEX" in accepted:
        return worded(
            "a line begins with index, input, target, param, const, func, fact or loss, or reads y[b,k] = ..."
        )
    if token.type in ("_NEWLINE", "$END"):
        return worded("complete the line; it goes on in the next one only inside brackets")
    return worded("complete what stands before, or take this away")


def _in_one_bracket(line: str, column: int) -> str | None:
    """(q h e), where the line has (q (h e)) or ((q h) e) at that column."""
    for nested in _NESTED_PACKING.finditer(line):
        if nested.start() < column <= nested.end():
            return f"({' '.join(nested.group().replace('(', ' ').replace(')', ' ').split())})"
    return None


def _token_span(token: Token, source: Source) -> Span:
    """Where the token stands; the end of the text is the end of its last line that says something."""
    if token.type == "$END":
        text = source.text.rstrip()
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
        return Span(line, column, line, column + 1)
    line, column = token.line or 1, token.column or 1
    return Span(line, column, line, column + max(1, len(token.value)))


def _bracket_left_open(token: Token, source: Source) -> Span | None:
    """The innermost open bracket, where what follows cannot be meant to stand inside it.

    That is the end of the text, a '=', a ':', or a word that begins a line.
    """
    end = len(source.text) if token.type == "$END" else token.start_pos or 0
    opening = _innermost_opening(source.text[:end])
    if opening is None:
        return None
    line, column = source.text.count("\n", 0, opening) + 1, opening - source.text.rfind("\n", 0, opening)
    begins_line = not source.text[source.text.rfind("\n", 0, end) + 1 : end].strip()
    later = (token.line or 1) > line
    cannot_be_inside = token.type in ("$END", "_EQUAL", "_COLON") or token.value in STATEMENTS
    if cannot_be_inside or (later and begins_line and token.type == "NAME"):
        return Span(line, column, line, column + 1)
    return None


def _innermost_opening(text: str) -> int | None:
    """Where the last bracket of the text stands that is still open; brackets in comments do not count."""
    opened: list[int] = []
    in_comment = False
    for place, character in enumerate(text):
        if character == "#" or (in_comment and character != "\n"):
            in_comment = True
        else:
            in_comment = False
            if character in "([":
                opened.append(place)
            elif character in ")]" and opened:
                opened.pop()
    return opened[-1] if opened else None
