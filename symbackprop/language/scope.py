"""The names of a model and what each stands for: a tensor, an index, an axis or a function, never two."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from symbackprop.errors import LanguageError, NotationError
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.limits import LARGEST_AXIS
from symbackprop.language.source import Source
from symbackprop.language.syntax import (
    AxisDeclaration,
    EquationStatement,
    Formula,
    FunctionDefinition,
    NumberLiteral,
    Reference,
    Span,
    Statement,
    TensorDeclaration,
    Word,
)
from symbackprop.language.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.notation.expressions import Axis, Index
from symbackprop.systems.system import Role, System, Tensor

DERIVED = "defined by an equation"


@dataclass
class Scope:
    """What a text's names stand for; `first_uses` keeps each name's kind and where it was first given.

    `is_printed` is set where derived formulas are read back: there diff(...) may stand anywhere.
    """

    source: Source
    axes: dict[str, Axis] = field(default_factory=dict)
    indices: dict[str, Index] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    functions: dict[str, ModelFunction] = field(default_factory=dict)
    first_uses: dict[str, tuple[str, Span | None]] = field(default_factory=dict)
    is_printed: bool = False

    def index(self, name: str) -> Index | None:
        """The index of that name; a primed one that nobody declared runs over the axis of the unprimed."""
        if name not in self.indices and name.rstrip("'") in self.indices:
            return Index(name, self.indices[name.rstrip("'")].axis)
        return self.indices.get(name)

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
        known = sorted(set(candidates))
        close = difflib.get_close_matches(word.text, known, n=1)
        by_case = [name for name in known if name.lower() == word.text.lower()]
        if close or by_case:
            remedy = f"did you mean '{(by_case or close)[0]}'?"
        elif what == "index":
            remedy = f"declare it with its axis: index {word.text} : {_suggested_axis(word.text)}"
        elif what == "axis":
            remedy = f"declare it with an index: index {word.text[0].lower()} : {word.text}"
        elif what == "function":
            remedy = f"define it: func {word.text}(u) = ..."
        else:
            remedy = f"declare it (input, target, param or const {word.text}) or define it by an equation"
        return self.error(f"unknown {what} '{word.text}'", word.span, remedy)


def with_article(kind: str) -> str:
    """`an index`, `a param`; what an equation defines needs no article."""
    return kind if kind == DERIVED else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _suggested_axis(index: str) -> str:
    return index[0].upper() if index[0].islower() else f"axis_{index}"


def declared(statements: tuple[Statement, ...], source: Source) -> Scope:
    """The scope of a model's declarations and left-hand sides; NotationError at the first that clashes."""
    scope = Scope(source)
    for statement in statements:
        _note_names(statement, scope)
    _declare_axes([statement for statement in statements if isinstance(statement, AxisDeclaration)], scope)
    for statement in statements:
        if isinstance(statement, TensorDeclaration):
            _declare_tensors(statement, scope)
        elif isinstance(statement, EquationStatement):
            _declare_tensor(statement.left, Role.DERIVED, scope)
    return scope


def scope_of(system: System, source: Source) -> Scope:
    """The scope in which formulas printed from a system are read."""
    scope = Scope(source, is_printed=True)
    scope.axes = {axis.name: axis for axis in system.axes}
    scope.indices = {index.name: index for indices in system.index_names.values() for index in indices}
    scope.tensors = dict(system.tensors)
    for kind, names in (("axis", scope.axes), ("index", scope.indices)):
        scope.first_uses.update({name: (kind, None) for name in names})
    for tensor in system.tensors.values():
        kind = DERIVED if tensor.role is Role.DERIVED else tensor.role.value
        scope.first_uses[tensor.name] = (kind, None)
    return scope


def _note_names(statement: Statement, scope: Scope) -> None:
    """Note each name that a statement gives away, and that it has not been given away before."""
    match statement:
        case AxisDeclaration(indices, axis, _):
            for word in indices:
                _note(word, "index", scope)
            if scope.first_uses.get(axis.text, ("",))[0] != "axis":
                _note(axis, "axis", scope)
        case TensorDeclaration(role, references, _):
            for reference in references:
                _note(reference.word, role.text, scope)
        case FunctionDefinition(word, _, _):
            _note(word, "function", scope)
        case EquationStatement(left, _):
            _note(left.word, DERIVED, scope)


def _note(word: Word, kind: str, scope: Scope) -> None:
    refuse_reserved(word, scope)
    if word.text.endswith("'") and kind != "index":
        raise scope.error(
            f"the name {word.text} has a prime, which only an index may have", word.span, "drop the prime"
        )
    if word.text in scope.first_uses:
        _, span = scope.first_uses[word.text]
        assert span is not None
        raise scope.error(
            f"the name '{word.text}' is used twice: it is {scope.kind(word.text)} at "
            f"{scope.source.place(span)} and {with_article(kind)} here",
            word.span,
            "give one of the two another name",
        )
    scope.first_uses[word.text] = (kind, word.span)


def refuse_reserved(word: Word, scope: Scope) -> None:
    """NotationError where a name is a word of the language."""
    if word.text in RESERVED:
        kind = "a function" if word.text in CALLABLE else "a constant" if word.text in CONSTANTS else "a word"
        raise scope.error(
            f"'{word.text}' is {kind} of the language and cannot be a name", word.span, "choose another name"
        )


def _declare_axes(declarations: list[AxisDeclaration], scope: Scope) -> None:
    sizes: dict[str, tuple[int, Span]] = {}
    labels: dict[str, str] = {}
    for declaration in declarations:
        name = declaration.axis.text
        labels.setdefault(name, declaration.indices[0].text)
        if declaration.size is not None:
            size, span = _size(declaration.size, scope), declaration.size.span
            before, place = sizes.setdefault(name, (size, span))
            if before != size:
                raise scope.error(
                    f"axis {name} has size {before} at {scope.source.place(place)} and {size} here",
                    span,
                    "give the size once",
                )
    for name, label in labels.items():
        scope.axes[name] = Axis(name, label, sizes[name][0] if name in sizes else None)
    for declaration in declarations:
        for word in declaration.indices:
            scope.indices[word.text] = Index(word.text, scope.axes[declaration.axis.text])


def _size(formula: Formula, scope: Scope) -> int:
    text = formula.text if isinstance(formula, NumberLiteral) else ""
    # A number of more digits than the bound has is not converted, since that could take long.
    if not text.isdigit() or len(text) > len(str(LARGEST_AXIS)) or not 0 < int(text) <= LARGEST_AXIS:
        raise LanguageError(
            f"the size of an axis is a whole number from 1 to {LARGEST_AXIS:,}",
            place=scope.source.place(formula.span),
            remedy="leave the size out where the arrays decide it",
        )
    return int(text)


def _declare_tensors(declaration: TensorDeclaration, scope: Scope) -> None:
    values = _values_axis(declaration, scope)
    for reference in declaration.references:
        _declare_tensor(reference, Role(declaration.role.text), scope, values)


def _values_axis(declaration: TensorDeclaration, scope: Scope) -> Axis | None:
    """The axis that the values of integer tensors index."""
    word = declaration.values_axis
    if word is None:
        return None
    if word.text not in scope.axes:
        index = scope.index(word.text)
        if index is not None:
            raise scope.error(
                f"'{word.text}' is an index, not an axis", word.span, f"its axis is {index.axis.name}"
            )
        raise scope.unknown("axis", word, scope.axes)
    if declaration.role.text == Role.PARAMETER.value:
        raise scope.error(
            "a parameter holds real numbers, for integers have no derivative",
            declaration.role.span,
            "declare it as input, target or const",
        )
    return scope.axes[word.text]


def _declare_tensor(reference: Reference, role: Role, scope: Scope, values: Axis | None = None) -> None:
    name = reference.word.text
    indices = tuple(_plain_index(position, name, scope) for position in reference.positions or ())
    for place, index in enumerate(indices):
        if index in indices[:place]:
            raise scope.error(
                f"'{name}' has the index '{index.name}' twice; here each position needs an index of its own",
                (reference.positions or ())[place].span,
                f"declare a second index over its axis: index {index.name}2 : {index.axis.name}",
            )
    scope.tensors[name] = Tensor(name, indices, role, scope.source.place(reference.word.span), values)


def _plain_index(position: Formula, tensor: str, scope: Scope) -> Index:
    """The index that a position of a declaration or left-hand side is."""
    if not isinstance(position, Reference) or position.positions is not None:
        raise scope.error(
            f"a position of '{tensor}' on this side is a plain index",
            position.span,
            "declare and define tensors as in y[b,k]",
        )
    index = scope.index(position.word.text)
    if index is not None:
        return index
    name = position.word.text
    if name in scope.first_uses:
        raise scope.error(
            f"'{name}' is {scope.kind(name)}, not an index", position.span, _index_of_axis(name, scope)
        )
    raise scope.unknown("index", position.word, scope.indices)


def _index_of_axis(name: str, scope: Scope) -> str:
    axis = scope.axes.get(name)
    return f"the index over this axis is '{axis.label}'" if axis else "write an index"
