"""The names of a model and what each stands for: a tensor, an index or a function, never two; or an axis."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from symbackprop.errors import NotationError
from symbackprop.integers.relations import Relation
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.familiar import function_remedy
from symbackprop.notation.expressions import Axis, Index
from symbackprop.syntax.nodes import Span, Word
from symbackprop.syntax.source import Source
from symbackprop.syntax.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.systems.system import Role, System, Tensor

DERIVED = "defined by an equation"


@dataclass
class Scope:
    """What a text's names stand for; `first_uses` keeps each name's kind and where it was first given.

    `blocks` are the names of the blocks of an axis, by its name, in their order.
    `is_printed` is set where derived formulas are read back: there diff(...) may stand anywhere.
    """

    source: Source
    axes: dict[str, Axis] = field(default_factory=dict)
    indices: dict[str, Index] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    blocks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    functions: dict[str, ModelFunction] = field(default_factory=dict)
    first_uses: dict[str, tuple[str, Span | None]] = field(default_factory=dict)
    is_printed: bool = False

    def index(self, name: str) -> Index | None:
        """The index of that name; a primed one that nobody declared runs over the axis of the unprimed."""
        if name not in self.indices and name.rstrip("'") in self.indices:
            return Index(name, self.indices[name.rstrip("'")].axis)
        return self.indices.get(name)

    def is_known(self, name: str) -> bool:
        """Whether a name stands for something: a tensor, an index, an axis, a function, a word."""
        return name in self.first_uses or name in RESERVED or self.index(name) is not None

    def kind(self, name: str) -> str:
        """What a name is that is known or a word of the language, with its article: "an index", "a param"."""
        if name in CONSTANTS:
            return "a constant"
        return with_article(self.first_uses[name][0]) if name in self.first_uses else "a function"

    def error(self, cause: str, span: Span, remedy: str = "") -> NotationError:
        """A NotationError at a place of this text."""
        return NotationError(cause, place=self.source.place(span), remedy=remedy)

    def unknown(self, what: str, word: Word, candidates: Iterable[str]) -> NotationError:
        """The error for a name that stands for nothing, with the known name that is most like it."""
        if what == "function":
            remedy = function_remedy(word.text, candidates)
            return self.error(f"unknown function '{word.text}'", word.span, remedy)
        known = sorted(set(candidates))
        close = difflib.get_close_matches(word.text, known, n=1)
        by_case = [name for name in known if name.lower() == word.text.lower()]
        if close or by_case:
            remedy = f"did you mean '{(by_case or close)[0]}'?"
        elif what == "index":
            remedy = f"declare it with its axis: index {word.text} : {_suggested_axis(word.text)}"
        elif what == "axis":
            remedy = f"declare it with an index: index {word.text[0].lower()} : {word.text}"
        else:
            remedy = f"declare it (input, target, param or const {word.text}) or define it by an equation"
        return self.error(f"unknown {what} '{word.text}'", word.span, remedy)


def with_article(kind: str) -> str:
    """`an index`, `a param`; what an equation defines needs no article."""
    return kind if kind == DERIVED else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _suggested_axis(index: str) -> str:
    return index[0].upper() if index[0].islower() else f"axis_{index}"


def scope_of(system: System, source: Source) -> Scope:
    """The scope in which formulas printed from a system are read."""
    scope = Scope(source, is_printed=True)
    scope.axes = {axis.name: axis for axis in system.axes}
    scope.indices = {index.name: index for indices in system.index_names.values() for index in indices}
    scope.blocks = dict(system.blocks)
    scope.tensors = dict(system.tensors)
    for kind, names in (("axis", scope.axes), ("index", scope.indices)):
        scope.first_uses.update({name: (kind, None) for name in names})
    for tensor in system.tensors.values():
        kind = DERIVED if tensor.role is Role.DERIVED else tensor.role.value
        scope.first_uses[tensor.name] = (kind, None)
    return scope


def refuse_reserved(word: Word, scope: Scope) -> None:
    """NotationError where a name is a word of the language."""
    if word.text in RESERVED:
        kind = "a function" if word.text in CALLABLE else "a constant" if word.text in CONSTANTS else "a word"
        raise scope.error(
            f"'{word.text}' is {kind} of the language and cannot be a name", word.span, "choose another name"
        )
