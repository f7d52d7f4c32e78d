"""The names of a model and what each stands for: a tensor, an index or a function, never two; or an axis."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbackprop.errors import NotationError, Place
from symbackprop.integers.recognition import compares_integers
from symbackprop.integers.relations import Relation
from symbackprop.integers.whole_definitions import WholeDefinition, with_clips, with_definitions
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.familiar import did_you_mean, function_remedy
from symbackprop.languages.phrases import NO_MESSAGE, Message, marked, worded
from symbackprop.notation.expressions import Axis, Comparison, ComparisonOperator, Expression, Index
from symbackprop.syntax.nodes import Span, Word
from symbackprop.syntax.source import Source
from symbackprop.syntax.words import CALLABLE, CONSTANTS, RESERVED
from symbackprop.systems.system import Role, System, Tensor

DERIVED = "defined by an equation"

# What a name is, with its article: an error says it of another place of the model.
_KINDS: Mapping[str, Message] = {
    "axis": worded("an axis"),
    "index": worded("an index"),
    "function": worded("a function"),
    "input": worded("an input"),
    "target": worded("a target"),
    "param": worded("a param"),
    "const": worded("a const"),
    "block": worded("a block"),
    DERIVED: worded("defined by an equation"),
}
_UNKNOWN: Mapping[str, str] = {
    "axis": marked("unknown axis '{name}'"),
    "index": marked("unknown index '{name}'"),
    "function": marked("unknown function '{name}'"),
    "tensor": marked("unknown tensor '{name}'"),
    "name": marked("unknown name '{name}'"),
}


@dataclass
class Scope:
    """What a text's names stand for; `first_uses` keeps each name's kind and where it was first given.

    `blocks` are the names of the blocks of an axis, by its name, in their order.
    `whole_definitions` are the equations that define whole numbers, `clips` those of clipped real ones, which
    positions round, `read_in_positions` those of both that positions name, `names_of_positions` the tensors
    that positions name and those that define these, `self_reading` those whose own formulas read them,
    `unbounded` those of whole numbers that nothing keeps inside an axis.
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
    whole_definitions: dict[str, WholeDefinition] = field(default_factory=dict)
    clips: dict[str, WholeDefinition] = field(default_factory=dict)
    read_in_positions: set[WholeDefinition] = field(default_factory=set)
    names_of_positions: frozenset[str] = frozenset()
    self_reading: frozenset[str] = frozenset()
    unbounded: dict[str, Axis] = field(default_factory=dict)

    def comparison(self, operator: ComparisonOperator, left: Expression, right: Expression) -> Comparison:
        """Two sides compared: where they are whole numbers, with what the names of positions stand for.

        So where(id[n] < size(k), C[id[n]], 0) guards the position that it names.
        """
        written = Comparison(operator, left, right)
        if self.names_of_positions.isdisjoint(written.tensors):
            return written
        integers = {name for name, tensor in self.tensors.items() if tensor.values is not None}
        is_whole = compares_integers(with_definitions(written, self.whole_definitions), integers)
        return Comparison(operator, *map(self.with_definitions, (left, right))) if is_whole else written

    def with_definitions(self, position: Expression) -> Expression:
        """A position with what the names of whole numbers in it stand for."""
        found = with_definitions(position, self.whole_definitions)
        if found is not position:
            read = position.tensors & self.whole_definitions.keys()
            self.read_in_positions.update(self.whole_definitions[name] for name in read)
        return self.with_clips(found)

    def with_clips(self, position: Expression) -> Expression:
        """A position with what the clipped numbers that it rounds stand for: they keep it inside."""
        found = with_clips(position, self.clips)
        if found is not position:
            read = position.tensors & self.clips.keys()
            self.read_in_positions.update(self.clips[name] for name in read)
        return found

    is_printed: bool = False

    def index(self, name: str) -> Index | None:
        """The index of that name; a primed one that nobody declared runs over the axis of the unprimed."""
        if name not in self.indices and name.rstrip("'") in self.indices:
            return Index(name, self.indices[name.rstrip("'")].axis)
        return self.indices.get(name)

    def is_known(self, name: str) -> bool:
        """Whether a name stands for something: a tensor, an index, an axis, a function, a word."""
        return name in self.first_uses or name in RESERVED or self.index(name) is not None

    def kind(self, name: str) -> Message:
        """What a name is that is known or a word of the language, with its article: "an index", "a param"."""
        if name in CONSTANTS:
            return worded("a constant")
        return with_article(self.first_uses[name][0] if name in self.first_uses else "function")

    def error(self, cause: Message, span: Span, remedy: Message = NO_MESSAGE) -> NotationError:
        """A NotationError at a place of this text."""
        return NotationError(cause, place=self.source.place(span), remedy=remedy)

    def unknown(self, what: str, word: Word, candidates: Iterable[str]) -> NotationError:
        """The error for a name that stands for nothing, with the known name that is most like it."""
        if what == "function":
            remedy = function_remedy(word.text, candidates)
            return self.error(worded(_UNKNOWN[what], name=word.text), word.span, remedy)
        known = sorted(set(candidates))
        close = difflib.get_close_matches(word.text, known, n=1)
        by_case = [name for name in known if name.lower() == word.text.lower()]
        if close or by_case:
            remedy = did_you_mean((by_case or close)[0])
        elif what == "index":
            axis = _suggested_axis(word.text)
            remedy = worded("declare it with its axis: index {index} : {axis}", index=word.text, axis=axis)
        elif what == "axis":
            index = word.text[0].lower()
            remedy = worded("declare it with an index: index {index} : {axis}", index=index, axis=word.text)
        else:
            remedy = worded(
                "declare it (input, target, param or const {name}) or define it by an equation",
                name=word.text,
            )
        return self.error(worded(_UNKNOWN[what], name=word.text), word.span, remedy)


def with_article(kind: str) -> Message:
    """`an index`, `a param`; what an equation defines needs no article."""
    return _KINDS[kind]


def at(place: Place) -> Message:
    """Where something else stands that a message speaks of."""
    return worded("at {place}", place=place)


def counted(number: int, one: str, many: str) -> Message:
    """`1 position`, `2 positions`: of the two templates the one that is said of the number."""
    return worded(one if number == 1 else many, number=number)


def here(number: int) -> Message:
    """`here is 1`, `here are 3`, `here are none`."""
    if not number:
        return worded("here are none")
    return counted(number, marked("here is {number}"), marked("here are {number}"))


def as_given(tensor: Tensor) -> str:
    """A tensor as it was declared: `W1[j,i]`."""
    names = ",".join(index.name for index in tensor.indices)
    return f"{tensor.name}[{names}]" if names else tensor.name


def integer_tensors(expression: Expression, scope: Scope) -> frozenset[str]:
    """The integer tensors that an expression reads."""
    read = (name for name in expression.tensors if name in scope.tensors)
    return frozenset(name for name in read if scope.tensors[name].values is not None)


def may_be_no_integer(value: Expression, span: Span, scope: Scope, what: Message) -> NotationError:
    """The error for a position that is not sure to be a whole number."""
    for name in sorted(value.tensors & scope.unbounded.keys()):
        return _unbounded(name, scope.unbounded[name], span, scope)
    loop_carried = sorted(value.tensors & scope.self_reading)
    if loop_carried:
        return scope.error(
            worded(
                "{what} is a whole number, and '{tensor}' reads itself: it is not known to be one",
                what=what,
                tensor=loop_carried[0],
            ),
            span,
            worded(
                "let the recurrence carry what is read there instead of the position, or work {tensor} out "
                "before and give it: input {given} in ...",
                tensor=loop_carried[0],
                given=as_given(scope.tensors[loop_carried[0]]),
            ),
        )
    return scope.error(
        worded("{what} is a whole number, and this may not be one", what=what),
        span,
        worded("write it with indices, sizes, integer tensors, whole numbers, floor(...) and mod(a, m)"),
    )


def _unbounded(name: str, axis: Axis, span: Span, scope: Scope) -> NotationError:
    return scope.error(
        worded(
            "'{tensor}' counts on from step to step, and nothing is known to keep it inside axis {axis}",
            tensor=name,
            axis=axis.name,
        ),
        span,
        worded(
            "bound each step: clip(..., 0, size({index}) - 1), or mod(..., size({index}))", index=axis.label
        ),
    )


def _suggested_axis(index: str) -> str:
    return index[0].upper() if index[0].islower() else f"axis_{index}"


def scope_of(system: System, source: Source) -> Scope:
    """The scope in which formulas printed from a system are read."""
    scope = Scope(source, is_printed=True)
    scope.axes = {axis.name: axis for axis in system.axes}
    scope.indices = {index.name: index for indices in system.index_names.values() for index in indices}
    scope.blocks = dict(system.blocks)
    scope.tensors = dict(system.tensors)
    named = [word for word in system.shorthands if isinstance(word, WholeDefinition)]
    scope.whole_definitions = {definition.tensor: definition for definition in named}
    scope.names_of_positions = frozenset(scope.whole_definitions)
    for kind, names in (("axis", scope.axes), ("index", scope.indices)):
        scope.first_uses.update({name: (kind, None) for name in names})
    for tensor in system.tensors.values():
        kind = DERIVED if tensor.role is Role.DERIVED else tensor.role.value
        scope.first_uses[tensor.name] = (kind, None)
    return scope


def refuse_reserved(word: Word, scope: Scope) -> None:
    """NotationError where a name is a word of the language."""
    if word.text in RESERVED:
        template = marked("'{word}' is a word of the language and cannot be a name")
        if word.text in CALLABLE:
            template = marked("'{word}' is a function of the language and cannot be a name")
        elif word.text in CONSTANTS:
            template = marked("'{word}' is a constant of the language and cannot be a name")
        raise scope.error(
            worded(template, word=word.text),
            word.span,
            worded("choose another name"),
        )
