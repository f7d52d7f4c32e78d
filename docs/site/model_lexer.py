"""The model language for Pygments."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from symbackprop.syntax.words import CALLABLE, CONNECTIVES, CONSTANTS, STATEMENTS

__all__ = ["ModelLexer"]  # where Pygments looks for a module's lexers


class ModelLexer(RegexLexer):
    """Statements and connectives are keywords, functions and forms built-in names."""

    name = "symbackprop model"
    aliases: ClassVar[list[str]] = ["model", "equations"]
    tokens: ClassVar[dict[str, list[tuple[object, object]]]] = {
        "root": [
            (r"#[^\n]*", Comment.Single),
            (words(sorted(STATEMENTS | CONNECTIVES), prefix=r"\b", suffix=r"\b"), Keyword),
            (words(sorted(CALLABLE), prefix=r"\b", suffix=r"(?=\()"), Name.Builtin),
            (words(sorted(CONSTANTS), prefix=r"\b", suffix=r"\b"), Name.Constant),
            (r"\bas(?= *\")", Keyword),
            (r'"[^"\n]*"', String),
            (r"[A-Za-z]\w*'*", Name),
            (r"\d+(\.\d*)?([eE][+-]?\d+)?", Number),
            (r"[-=<>!+*/^]+", Operator),
            (r"[\[\](),:]", Punctuation),
            (r"\s+", Text),
        ]
    }
