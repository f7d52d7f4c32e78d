"""What a model declares: axes and their sizes, indices, tensors, functions, each by a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symbackprop.integers.relations import Relation
from symbackprop.language.names import packed_axis
from symbackprop.language.orders import declare_orders
from symbackprop.language.scope import DERIVED, Scope, at, refuse_reserved, with_article
from symbackprop.language.sizes import declared_sizes, expect_determined, given_axes, known_sizes, sized
from symbackprop.languages.phrases import Message, marked, worded
from symbackprop.notation.expressions import Axis, Index
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.syntax.nodes import (
    AxisDeclaration,
    EquationStatement,
    Factors,
    Formula,
    FunctionDefinition,
    Packed,
    Reference,
    Span,
    Statement,
    TensorDeclaration,
    Word,
)
from symbackprop.syntax.source import Source
from symbackprop.systems.system import Role, Tensor


def declared(statements: tuple[Statement, ...], source: Source) -> Scope:
    """The scope of a model's declarations and left-hand sides; NotationError at the first that clashes."""
    scope = Scope(source)
    _note_names(statements, scope)
    _declare_axes([statement for statement in statements if isinstance(statement, AxisDeclaration)], scope)
    for statement in statements:
        if isinstance(statement, TensorDeclaration):
            _declare_tensors(statement, scope)
        elif isinstance(statement, EquationStatement):
            _declare_tensor(statement.left, Role.DERIVED, scope, symbol=statement.symbol)
    for statement in statements:
        if isinstance(statement, TensorDeclaration):
            declare_orders(statement, scope)
    given = [axis.name for axis in given_axes(scope, statements)]
    expect_determined(scope.relations, {*known_sizes(scope), *given})
    return scope


def sizes_of_the_call(scope: Scope, statements: Iterable[Statement]) -> dict[str, Tensor]:
    """A tensor for each axis whose size a call gives."""
    found: dict[str, Tensor] = {}
    for axis in given_axes(scope, statements):
        name = numbered_name(axis.name, {*scope.tensors, *found})
        found[name] = Tensor(name, (Index(axis.label, axis),), Role.SIZE)
    return found


def _note_names(statements: Iterable[Statement], scope: Scope) -> None:
    """Note each name that statements give away, and that it has not been given away before.

    Axes have names of their own: they stand after a colon and in sizes, where no tensor or function does,
    but an index may, which then runs over the axis of its name.
    """
    axes: dict[str, tuple[str, Span | None]] = {}
    for statement in statements:
        match statement:
            case AxisDeclaration(indices, axis, _):
                for word in indices:
                    if word.text != axis.text:
                        _expect_new(word, "index", axes, scope)
                    _note(word, "index", scope)
                _expect_spelt(axis, "axis", scope)
                if axis.text not in axes and axis.text not in (word.text for word in indices):
                    indices_alone = {name: use for name, use in scope.first_uses.items() if use[0] == "index"}
                    _expect_new(axis, "axis", indices_alone, scope)
                axes.setdefault(axis.text, ("axis", axis.span))
            case TensorDeclaration(role, references, _):
                for reference in references:
                    _note(reference.word, role.text, scope)
            case FunctionDefinition(word, _, _):
                _note(word, "function", scope)
            case EquationStatement(left, _):
                _note(left.word, DERIVED, scope)
    scope.first_uses = {**axes, **scope.first_uses}


def _note(word: Word, kind: str, scope: Scope) -> None:
    _expect_spelt(word, kind, scope)
    _expect_new(word, kind, scope.first_uses, scope)
    scope.first_uses[word.text] = (kind, word.span)


def _expect_spelt(word: Word, kind: str, scope: Scope) -> None:
    refuse_reserved(word, scope)
    if word.text.endswith("'") and kind != "index":
        raise scope.error(
            worded("the name {word} has a prime, which only an index may have", word=word.text),
            word.span,
            worded("drop the prime"),
        )


def _expect_new(word: Word, kind: str, uses: Mapping[str, tuple[str, Span | None]], scope: Scope) -> None:
    """NotationError where a name is already in use."""
    if word.text in uses:
        before, span = uses[word.text]
        assert span is not None
        raise scope.error(
            worded(
                "the name '{word}' is used twice: it is {before} {where} and {kind} here",
                word=word.text,
                before=with_article(before),
                where=at(scope.source.place(span)),
                kind=with_article(kind),
            ),
            word.span,
            worded("give one of the two another name"),
        )


def _declare_axes(declarations: list[AxisDeclaration], scope: Scope) -> None:
    """The axes and indices, sizes read once all axes are known, for they may speak of one another."""
    labels: dict[str, str] = {}
    for declaration in declarations:
        labels.setdefault(declaration.axis.text, declaration.indices[0].text)
    _name_axes([Axis(name, label) for name, label in labels.items()], declarations, scope)
    _name_blocks(declarations, scope)
    sizes = declared_sizes(declarations, scope)
    relations = [size for size in sizes.values() if isinstance(size, Relation)]
    numbers = {name: size for name, size in sizes.items() if isinstance(size, int)}
    axes = [replace(axis, size=numbers.get(name)) for name, axis in scope.axes.items()]
    scope.relations = tuple(relations)
    _name_axes(sized(axes, relations), declarations, scope)


def _name_axes(axes: Iterable[Axis], declarations: list[AxisDeclaration], scope: Scope) -> None:
    scope.axes = {axis.name: axis for axis in axes}
    for declaration in declarations:
        for word in declaration.indices:
            scope.indices[word.text] = Index(word.text, scope.axes[declaration.axis.text])


def _name_blocks(declarations: list[AxisDeclaration], scope: Scope) -> None:
    """The names of blocks, A = (i f o g)*H; they stand only in positions of the axis, u[n,(i h)]."""
    for declaration in declarations:
        size = declaration.size
        first = size.factors[0][1] if isinstance(size, Factors) else size
        if not isinstance(first, Packed):
            continue
        for place, word in enumerate(first.words):
            _expect_spelt(word, "block", scope)
            if scope.index(word.text) is not None or word.text in first.names[:place]:
                template = marked("'{word}' is a block already, and cannot name a block of axis {axis}")
                if scope.index(word.text) is not None:
                    template = marked("'{word}' is an index, and cannot name a block of axis {axis}")
                raise scope.error(
                    worded(template, word=word.text, axis=declaration.axis.text),
                    word.span,
                    worded("give each block a name of its own"),
                )
        scope.blocks[declaration.axis.text] = first.names


def _declare_tensors(declaration: TensorDeclaration, scope: Scope) -> None:
    values = _values_axis(declaration, scope)
    symbols = declaration.symbols or (None,) * len(declaration.references)
    for reference, symbol in zip(declaration.references, symbols, strict=True):
        _declare_tensor(reference, Role(declaration.role.text), scope, values, symbol)


def _values_axis(declaration: TensorDeclaration, scope: Scope) -> Axis | None:
    """The axis that the values of integer tensors index."""
    word = declaration.values_axis
    if word is not None and word.text not in scope.axes:
        index = scope.index(word.text)
        if index is not None:
            raise scope.error(
                worded("'{word}' is an index, not an axis", word=word.text),
                word.span,
                worded("its axis is {axis}", axis=index.axis.name),
            )
        raise scope.unknown("axis", word, scope.axes)
    holds_integers = word is not None or declaration.ordering is not None
    if holds_integers and declaration.role.text == Role.PARAMETER.value:
        raise scope.error(
            worded("a parameter holds real numbers, for integers have no derivative"),
            declaration.role.span,
            worded("declare it as input, target or const"),
        )
    return None if word is None else scope.axes[word.text]


def _declare_tensor(
    reference: Reference,
    role: Role,
    scope: Scope,
    values: Axis | None = None,
    symbol: Word | None = None,
) -> None:
    name = reference.word.text
    indices = tuple(_index_of(position, name, role, scope) for position in reference.positions or ())
    for place, index in enumerate(indices):
        if index in indices[:place]:
            raise scope.error(
                worded(
                    "'{name}' has the index '{index}' twice; here each position needs an index of its own",
                    name=name,
                    index=index.name,
                ),
                (reference.positions or ())[place].span,
                worded(
                    "declare a second index over its axis: index {index}2 : {axis}",
                    index=index.name,
                    axis=index.axis.name,
                ),
            )
    if symbol is not None:
        _expect_new_symbol(symbol, scope)
    latex = symbol.text if symbol else ""
    stated = scope.source.place(reference.word.span)
    scope.tensors[name] = Tensor(name, indices, role, stated, values, symbol=latex)


def _expect_new_symbol(symbol: Word, scope: Scope) -> None:
    for tensor in scope.tensors.values():
        if tensor.symbol == symbol.text:
            raise scope.error(
                worded("'{tensor}' has this symbol already", tensor=tensor.name),
                symbol.span,
                worded("give each tensor one of its own"),
            )


def _index_of(position: Formula, tensor: str, role: Role, scope: Scope) -> Index:
    """The index of a position; for (h e) on the left of an equation the one over the axis of H*E places."""
    if isinstance(position, Packed) and role is Role.DERIVED:
        axis = packed_axis(position, scope)
        return Index(axis.label, axis)
    return _plain_index(position, tensor, scope)


def _plain_index(position: Formula, tensor: str, scope: Scope) -> Index:
    """The index that a position of a declaration or left-hand side is."""
    if not isinstance(position, Reference) or position.positions is not None:
        raise scope.error(
            worded("a position of '{tensor}' on this side is a plain index", tensor=tensor),
            position.span,
            worded("declare and define tensors as in y[b,k]"),
        )
    index = scope.index(position.word.text)
    if index is not None:
        return index
    name = position.word.text
    if name in scope.first_uses:
        raise scope.error(
            worded("'{name}' is {kind}, not an index", name=name, kind=scope.kind(name)),
            position.span,
            _index_of_axis(name, scope),
        )
    raise scope.unknown("index", position.word, scope.indices)


def _index_of_axis(name: str, scope: Scope) -> Message:
    axis = scope.axes.get(name)
    if axis is None:
        return worded("write an index")
    return worded("the index over this axis is '{index}'", index=axis.label)
