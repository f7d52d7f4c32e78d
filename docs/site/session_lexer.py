"""Commands and what they print, for Pygments."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, using
from pygments.lexers.shell import BashLexer
from pygments.token import Generic

__all__ = ["SessionLexer"]  # where Pygments looks for a module's lexers


class SessionLexer(RegexLexer):
    """A line behind `$ ` is typed; to Pygments' own lexer a printed `# grad_W[k,i] = ...` is typed too."""

    name = "symbackprop session"
    aliases: ClassVar[list[str]] = ["console"]
    tokens: ClassVar[dict[str, list[tuple[object, object]]]] = {
        "root": [
            (r"^(\$ )(.*\n)", bygroups(Generic.Prompt, using(BashLexer))),
            (r".*\n", Generic.Output),
        ]
    }
