"""The size of an axis: a number, its relation to the sizes of other axes, or what a call gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain

from symbackprop.errors import LanguageError, NotationError
from symbackprop.integers.linear import divided, floor_quotient, linear_form
from symbackprop.integers.recognition import is_integer
from symbackprop.integers.relations import Relation, size_value, with_formulas_of
from symbackprop.integers.solving import steps_of
from symbackprop.language import composing
from symbackprop.language.scope import Scope, at
from symbackprop.languages.phrases import joined, marked, worded
from symbackprop.notation.arithmetic import add, multiply, negate, power
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Axis,
    Element,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.syntax.limits import LARGEST_AXIS, LARGEST_NESTING
from symbackprop.syntax.nodes import (
    AxisDeclaration,
    Call,
    EquationStatement,
    Exponentiation,
    Factors,
    Formula,
    Negation,
    NumberLiteral,
    Packed,
    Reference,
    Span,
    Statement,
    Terms,
    Word,
    walk,
)
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role

_WHOLE = worded("the size of an axis is a whole number from 1 to {largest}", largest=f"{LARGEST_AXIS:,}")
_USAGE = worded(
    "state a size with whole numbers, the sizes of other axes, + - * / ^, floor(...) and ceil(...): S = T + 1"
)


def declared_sizes(declarations: Sequence[AxisDeclaration], scope: Scope) -> dict[str, int | Relation]:
    """What is declared of the sizes of axes, by name; NotationError where one is given two."""
    sizes: dict[str, tuple[int | Relation, Span]] = {}
    for declaration in declarations:
        if declaration.size is not None:
            axis, span = scope.axes[declaration.axis.text], declaration.size.span
            size = _declared_size(axis, declaration.size, scope)
            before, place = sizes.setdefault(axis.name, (size, span))
            if before != size:
                raise scope.error(
                    worded(
                        "axis {axis} has size {before} {where} and {here} here",
                        axis=axis.name,
                        before=_said(before),
                        where=at(scope.source.place(place)),
                        here=_said(size),
                    ),
                    span,
                    worded("give the size once"),
                )
    return {name: size for name, (size, _) in sizes.items()}


def _said(size: int | Relation) -> str:
    return str(size) if isinstance(size, int) else size.text.partition(" = ")[2]


def _declared_size(axis: Axis, formula: Formula, scope: Scope) -> int | Relation:
    """What is declared of an axis' size; `scope` knows all axes, without their sizes."""
    digits = formula.text if isinstance(formula, NumberLiteral) else "0"
    # A number of more digits than the bound has is not converted, since that could take long.
    if isinstance(formula, NumberLiteral) and (not digits.isdigit() or len(digits) > len(str(LARGEST_AXIS))):
        raise _no_size(formula, scope)
    try:
        length = size_arithmetic(formula, lambda leaf: _size(leaf, scope))
    except LanguageError as error:
        place = error.place or scope.source.place(formula.span)
        raise type(error)(error.cause, place=place, remedy=error.remedy) from None
    value = None if any(isinstance(node, Size) for node in length.walk()) else size_value(length, {})
    if value is not None:
        if value.denominator > 1 or not 0 < value <= LARGEST_AXIS:
            raise _no_size(formula, scope)
        return int(value)
    shown = _with_blocks(length, scope.blocks.get(axis.name, ()))
    return Relation(axis, length, f"{axis.name} = {shown}", scope.source.place(formula.span))


def _with_blocks(length: Expression, blocks: Sequence[str]) -> str:
    """The length as it is declared: (i f o g)*H where its blocks have names."""
    if not blocks:
        return size_text(length)
    above, below = divided(linear_form(length).scaled(Fraction(1, len(blocks))).expression())
    shared = f"({size_text(above)})" if isinstance(above, Add) else size_text(above)
    return f"({' '.join(blocks)})*{shared}{'' if below == ONE else f'/{size_text(below)}'}"


def _no_size(formula: Formula, scope: Scope) -> LanguageError:
    return LanguageError(
        _WHOLE,
        place=scope.source.place(formula.span),
        remedy=worded("leave the size out where the arrays decide it"),
    )


def size_text(length: Expression) -> str:
    """The length as it is declared, an axis by its name: `floor((N - K)/2) + 1`."""

    def named(node: Expression) -> Expression:
        return Element(node.axis.name) if isinstance(node, Size) else node

    return text(rewrite_bottom_up(length, named))


def size_arithmetic(formula: Formula, leaf: Callable[[Formula], Expression]) -> Expression:
    """Whole numbers, + - * / ^, floor and ceil, over what `leaf` makes of all else; as typed, or shorter."""
    length = _arithmetic(formula, leaf, 0)
    return min(length, linear_form(length).expression(), key=lambda each: len(size_text(each)))


def _arithmetic(formula: Formula, leaf: Callable[[Formula], Expression], depth: int) -> Expression:
    if depth > LARGEST_NESTING:
        raise LanguageError(
            worded("the size is nested more than {largest} deep", largest=LARGEST_NESTING),
            remedy=worded("shorten it"),
        )

    def part(inner: Formula) -> Expression:
        return _arithmetic(inner, leaf, depth + 1)

    match formula:
        case NumberLiteral(digits):
            return composing.number(digits)
        case Negation(operand):
            return composing.negated(part(operand))
        case Terms(terms):
            return composing.total([(sign, part(term)) for sign, term in terms])
        case Factors(factors):
            return composing.quotient([(operator, part(factor)) for operator, factor in factors])
        case Exponentiation(base, exponent):
            return _power(part(base), part(exponent))
        case Call(Word("floor"), (argument,), None):
            return _floor(part(argument))
        case Call(Word("ceil"), (argument,), None):
            return _ceil(part(argument))
    return leaf(formula)


def _power(base: Expression, exponent: Expression) -> Expression:
    if not (isinstance(exponent, Number) and exponent.value.denominator == 1):
        raise LanguageError(
            worded("the exponent of a size is a whole number"), remedy=worded("write S = T^2")
        )
    return composing.raised(base, exponent)


def _floor(argument: Expression) -> Expression:
    whole = linear_form(argument).expression()
    return whole if is_integer(whole) else floor_quotient(*divided(argument))


def _ceil(argument: Expression) -> Expression:
    """ceil(H/3) = floor((H + 2)/3), and ceil(x/m) = -floor(-x/m) where m may be less than 1."""
    above, below = divided(argument)
    if not isinstance(below, Number | Size):
        return negate(_floor(negate(argument)))
    return _floor(multiply(add(above, below, MINUS_ONE), power(below, MINUS_ONE)))


def _size(formula: Formula, scope: Scope) -> Expression:
    """The size of an axis, by its name or as that of an index."""
    match formula:
        case Reference(word, None):
            return Size(_axis(word, scope))
        case Packed(words) if formula.names in scope.blocks.values():
            return Number(len(words))
        case Packed():
            raise scope.error(
                worded("the blocks of an axis are named in front of the size that they share"),
                formula.span,
                worded("write A = (i f o g)*H"),
            )
        case Call(Word("size"), (Reference(word, None),), None):
            index = scope.index(word.text)
            return Size(_axis(word, scope) if index is None else index.axis)
    raise scope.error(worded("this is no arithmetic of sizes"), formula.span, _USAGE)


def _axis(word: Word, scope: Scope) -> Axis:
    """The axis of that name, standing for its size."""
    if word.text in scope.axes:
        return scope.axes[word.text]
    index = scope.index(word.text)
    if index is not None:
        raise scope.error(
            worded("'{word}' is an index, and a size is that of an axis", word=word.text),
            word.span,
            worded("write {axis}, the axis that '{word}' runs over", axis=index.axis.name, word=word.text),
        )
    if word.text in scope.first_uses:
        raise scope.error(
            worded("'{word}' is {kind}, and has no size here", word=word.text, kind=scope.kind(word.text)),
            word.span,
            _USAGE,
        )
    raise scope.unknown("axis", word, scope.axes)


def sized(axes: Sequence[Axis], relations: Sequence[Relation]) -> tuple[Axis, ...]:
    """The axes with what relations make of their sizes; NotationError where a size comes out too large."""
    found = with_formulas_of(relations, axes)
    by_name = {axis.name: axis for axis in found}
    for relation in relations:
        if (by_name[relation.axis.name].size or 1) > LARGEST_AXIS:
            raise NotationError(_WHOLE, place=relation.place, remedy=worded("make the sizes smaller"))
    return found


def expect_determined(relations: Sequence[Relation], known: Iterable[str]) -> None:
    """NotationError for a size in a relation that no number, no declared tensor and no relation gives."""
    names = set(known)
    names.update(step.axis for step in steps_of(relations, names))
    for relation in relations:
        missing = [name for name in relation.axes if name not in names]
        if missing:
            template = marked(
                "nothing determines the size of {axes}: no declared tensor has this axis, and {relation} "
                "leaves it open"
            )
            if len(missing) > 1:
                template = marked(
                    "nothing determines the size of {axes}: no declared tensor has one of these axes, "
                    "and {relation} leaves them open"
                )
            raise NotationError(
                worded(
                    template, axes=joined(marked("{before} and {after}"), missing), relation=relation.text
                ),
                place=relation.place,
                remedy=worded("declare a size, {axis} = 10, or a tensor that has the axis", axis=missing[-1]),
            )


def given_axes(scope: Scope, statements: Iterable[Statement]) -> list[Axis]:
    """The axes that equations run over and whose sizes nothing else gives, as a number of iterations.

    They are those of derived tensors, and of sums: of the terms of a series. Of an axis of ITERATIONS + 1
    states it is the number that the call gives.
    """
    known = known_sizes(scope)
    derived = (tensor for tensor in scope.tensors.values() if tensor.role is Role.DERIVED)
    axes = dict.fromkeys(index.axis for tensor in derived for index in tensor.indices)
    axes |= dict.fromkeys(index.axis for index in _read_indices(scope, statements))
    found: list[Axis] = []
    for axis in dict.fromkeys(chain(axes, *map(_base_axes, axes))):
        following = {*known, *(step.axis for step in steps_of(scope.relations, known))}
        if axis.name not in following and axis.formula is None:
            found.append(axis)
            known.add(axis.name)
    return found


def _base_axes(axis: Axis) -> Iterator[Axis]:
    """The axes by whose sizes the size of another is stated."""
    formula = () if axis.formula is None else axis.formula.walk()
    yield from (node.axis for node in formula if isinstance(node, Size))


def _read_indices(scope: Scope, statements: Iterable[Statement]) -> Iterator[Index]:
    """The indices that right-hand sides name."""
    for statement in statements:
        if isinstance(statement, EquationStatement):
            for part in walk(statement.right):
                found = scope.index(part.word.text) if isinstance(part, Reference) else None
                yield from [found] if found is not None else []


def known_sizes(scope: Scope) -> set[str]:
    """The axes whose sizes are numbers, or are read from an array."""
    known = {axis.name for axis in scope.axes.values() if axis.size is not None}
    declared_tensors = (tensor for tensor in scope.tensors.values() if tensor.role is not Role.DERIVED)
    return known.union(index.axis.name for tensor in declared_tensors for index in tensor.indices)
