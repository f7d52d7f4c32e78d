"""Phrases: words with places for formulas and names, in English, which are translated at the face.

A phrase is a value. What builds a page marks its words with `phrase` and knows no language; what hands the
page out says in which one, and `in_language` puts them into it. So no state says which language is spoken, a
page can be had in two languages side by side, and an error that is caught and logged is still English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, TypeAlias

from symbackprop.languages.catalogues import catalogue
from symbackprop.languages.columns import is_wide
from symbackprop.languages.language import Language

# Words and what stands between them, in order: strings as they are, phrases, and whatever a page can show.
Words: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Phrase:
    """A template, "{tensor} is 0", and what stands in its places.

    A part is a string, a whole number, something that the page shows (a formula, say), another phrase, or
    several of these in a tuple.
    """

    template: str
    parts: tuple[tuple[str, Any], ...] = ()


class Message(str):
    """A string in English that can be said in other languages, too: of an error, or of a report.

    It is that string to all that knows of no languages: JSON, a log, a comparison. What is made from it with
    `+` or an f-string is English alone; what holds it as a part, as in `worded("line {line}: {said}", ...)`,
    is not.
    """

    phrase: Phrase

    def __new__(cls, template: str, parts: tuple[tuple[str, Any], ...] = ()) -> Message:
        """The string, and the phrase that it comes from."""
        made = Phrase(template, parts)
        self = super().__new__(cls, "".join(map(str, _flat(made, Language.ENGLISH))))
        self.phrase = made
        return self

    def __reduce__(self) -> tuple[type[Message], tuple[Any, ...]]:
        return Message, (self.phrase.template, self.phrase.parts)


def worded(template: str, /, **parts: Any) -> Message:
    """A string marked for translation: as `phrase` does, where a string is wanted."""
    return Message(template, tuple(parts.items()))


def with_parts(message: Message, changed: Callable[[Any], Any]) -> Message:
    """The message with each part changed, those of messages in it too."""

    def each(part: Any) -> Any:
        found = changed(part)
        return with_parts(found, changed) if isinstance(found, Message) else found

    return Message(
        message.phrase.template, tuple([(name, each(part)) for name, part in message.phrase.parts])
    )


def verbatim(text: str) -> Message:
    """What is the same in every language: a name, a formula, another program's words. A message stays one."""
    return text if isinstance(text, Message) else Message("{text}", (("text", text),))


def phrase(template: str, /, **parts: Any) -> Words:
    """Words marked for translation: the catalogue's messages are the templates of these calls.

    Without parts, the template is a message as it stands, braces included: the name of a rule, say.
    """
    return (Phrase(template, tuple(parts.items())),)


def marked(template: str) -> str:
    """The template itself, marked for translation: one in a table, say, that `phrase` is given later."""
    return template


def in_language(words: Words | str, language: Language) -> Words:
    """Words in a language: their phrases as strings, joined where they meet, and what stands between."""
    merged: list[Any] = []
    for part in _flat(words, language):
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] = _beside(merged[-1], part)
        elif part != "":
            merged.append(part)
    return tuple(merged)


def _beside(before: str, after: str) -> str:
    """Strings in a row; between letters of double width, as in Japanese, no space stands."""
    left, right = before.rstrip(" "), after.lstrip(" ")
    meets = left and right and is_wide(left[-1]) and is_wide(right[0])
    return left + right if meets else before + after


def text_in(words: Words | str, language: Language) -> str:
    """Words with nothing but words in them, in a language, as one string."""
    return "".join(map(str, in_language(words, language)))


def translated(message: str, language: Language) -> str:
    """A message in a language; itself where the catalogue has none."""
    return catalogue(language).gettext(message) if message else message


def _flat(words: Any, language: Language) -> Iterator[Any]:
    match words:
        case Phrase(template, ()):
            yield translated(template, language)
        case Phrase(template, parts):
            named = dict(parts)
            for literal, field, _, _ in Formatter().parse(translated(template, language)):
                yield literal
                if field is not None:
                    yield from _flat(named[field], language)
        case tuple():
            for part in words:
                yield from _flat(part, language)
        case Message():
            yield from _flat(words.phrase, language)
        case int():
            yield str(words)
        case _:
            yield words


def listed(items: Sequence[Any]) -> Words:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return tuple(items)
    *first, last = items
    before: Words = (first[0],)
    for item in first[1:]:
        before = phrase("{before}, {item}", before=before, item=item)
    return phrase("{before} and {last}", before=before, last=last)


def joined(template: str, parts: Iterable[str]) -> Message:
    """Parts in a row, by a template with {before} and {after}: "{before} or {after}"."""
    said, *others = map(verbatim, parts)
    for part in others:
        said = worded(template, before=said, after=part)
    return said


NO_MESSAGE = verbatim("")
