"""What can go wrong, one class a stage; each error says where, why and what to do about it.

An error of the input is the user's to mend. An `InternalError` is a fault of this package, met on a legal
model; so is every exception that is no SymbackpropError (`is_internal`).
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.languages.language import Language
from symbackprop.languages.phrases import NO_MESSAGE, Message, phrase, text_in, verbatim


@dataclass(frozen=True)
class Place:
    """A position in a text: `line` and `column` count from 1; `text` is the whole line."""

    source: str
    line: int
    column: int
    text: str
    length: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The line with a caret under the place."""
        shown, start = self.text.replace("\t", " "), 0
        if len(shown) > 100:
            start = max(0, self.column - 50)
            shown = shown[start : start + 100]
        caret = " " * (self.column - 1 - start) + "^" * max(1, self.length)
        return f"  {shown}\n  {caret[: max(len(shown), self.column - start)]}"


class SymbackpropError(Exception):
    """Base of all errors: the cause, the place where it is known, and the remedy.

    Cause and remedy are messages, made by `worded`: the type checker finds what none can translate.
    """

    def __init__(self, cause: Message, *, place: Place | None = None, remedy: Message = NO_MESSAGE) -> None:
        super().__init__(cause)
        self.cause = cause
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        return self.said(Language.ENGLISH)

    def said(self, language: Language) -> str:
        """Cause, place and remedy in a language, as far as they are messages that it has."""
        cause = text_in(self.cause, language)
        parts = [f"{self.place}: {cause}" if self.place else cause]
        if self.place and self.place.text:
            parts.append(self.place.excerpt())
        if self.remedy:
            parts.append(text_in(phrase("remedy: {said}", said=self.remedy), language))
        return "\n".join(parts)


class LanguageError(SymbackpropError):
    """The text is not a model: a spelling the grammar does not know, or a file that cannot be read."""


class NotationError(SymbackpropError):
    """The equations do not fit together: an unknown name, a clash of axes, a cycle."""


class DerivationError(SymbackpropError):
    """A derivative that does not exist was asked for."""


class InternalError(SymbackpropError):
    """A fault of this package: a legal model that it cannot derive, lower or write down.

    What it says goes into a report, and stays English.
    """

    def __init__(self, cause: str, *, place: Place | None = None, remedy: str = "") -> None:
        super().__init__(verbatim(cause), place=place, remedy=verbatim(remedy))


class RewritingError(InternalError):
    """A rule did not come to rest within its budget."""


class ProgramError(InternalError):
    """An equation could not be lowered to array operations."""


class EmissionError(SymbackpropError):
    """A module or document could not be written."""


class PrintingError(EmissionError, InternalError):
    """A printer or a template met what it has no words for, or wrote what is not Python."""


class MismatchError(InternalError):
    """A module that was to be handed out computes something else than its equations."""


class ReplayError(MismatchError):
    """A step of a derivation is not what its rule or equation makes of what stood before."""


class UncertainError(SymbackpropError):
    """Nothing certain can be said: neither that a module is right, nor that it is wrong."""


class RecordError(SymbackpropError):
    """A record that extends the package, of a function, a rule or a layer, that does not fit."""


class VerificationError(SymbackpropError):
    """The data do not fit the model, or a gradient could not be checked."""


def is_internal(error: BaseException) -> bool:
    """Whether an exception is a fault of this package, and not of what it was given."""
    if isinstance(error, SymbackpropError):
        return isinstance(error, InternalError)
    return isinstance(error, Exception) and not isinstance(error, OSError)
