"""A program's lines in other names, and their shapes: what is left of them without names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.ir import Literal, Read
from symbackprop.array.linear_algebra import Symmetric
from symbackprop.array.program import Line, Loop, Store, formula_of
from symbackprop.array.slices import Item, Pick, Span
from symbackprop.array.value import Value, outline_of, rewrite_values
from symbackprop.notation.expressions import Element, Expression
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.schedule.named_equations import Origin

Names = Mapping[str, str]


def renamed_line(line: Line, names: Names, origin_of: Callable[[Origin], Origin] | None = None) -> Line:
    """The line with other names for some tensors, its formula too, unless `origin_of` gives it another."""
    of = origin_of or (lambda origin: replace(origin, stated=renamed_equation(origin.stated, names)))
    if isinstance(line, Loop):
        return replace(
            line,
            start=_renamed_value(line.start, names),
            stop=_renamed_value(line.stop, names),
            body=tuple(renamed_line(inner, names, of) for inner in line.body),
            origin=None if line.origin is None else of(line.origin),
        )
    name, value, origin = names.get(line.name, line.name), _renamed_value(line.value, names), of(line.origin)
    if isinstance(line, Store):
        items = tuple(_renamed_item(item, names) for item in line.items)
        return replace(line, name=name, items=items, value=value, origin=origin)
    return replace(line, name=name, value=value, origin=origin)


def _renamed_value(value: Value, names: Names) -> Value:
    def change(node: Value) -> Value:
        return replace(node, name=names.get(node.name, node.name)) if isinstance(node, Read) else node

    return rewrite_values(value, change)


def _renamed_item(item: Item, names: Names) -> Item:
    match item:
        case Pick(place):
            return Pick(_renamed_value(place, names))
        case Span(_, start, stop, _):
            ends = (None if end is None else _renamed_value(end, names) for end in (start, stop))
            return replace(item, start=next(ends), stop=next(ends))
    return item


def names_in(line: Line) -> tuple[str, ...]:
    """Every tensor that a line mentions, those of its formula first, as often as it does."""
    if isinstance(line, Loop):
        own = _read_in((line.start, line.stop))
        inside = (name for inner in line.body for name in names_in(inner))
        return (*_formula_names(line), *own, *inside)
    return (*_formula_names(line), line.name, *_read_in(line.values))


def _read_in(values: Iterable[Value]) -> Iterator[str]:
    return (node.name for value in values for node in value.walk() if isinstance(node, Read))


def _formula_names(line: Line) -> tuple[str, ...]:
    if not line.opens or line.origin is None:
        return ()
    nodes = line.origin.stated.expression.walk()
    return (
        line.origin.stated.tensor,
        *(node.tensor for node in nodes if isinstance(node, Element | MatrixFunction)),
    )


def shape_of(line: Line, written: Formulas | None = None) -> Hashable:
    """What lines have in common that are equal but for the names of tensors; `written` spares their texts."""
    return _shape(renamed_line(line, dict.fromkeys(names_in(line), "")), written or Formulas())


def line_outline(line: Line) -> Hashable:
    """What lines have in common that are the same to the letter but for the names of tensors.

    Such lines have one shape, which takes longer to find.
    """
    origin = line.origin
    stated: tuple[object, ...] = () if origin is None else (origin.part, origin.shorthands)
    if line.opens and origin is not None:
        stated = (*stated, outline_of((origin.stated.indices, origin.stated.expression)))
    common = (type(line), line.opens, stated)
    if isinstance(line, Loop):
        head = (line.counter, line.axis, outline_of((line.start, line.stop)), line.step, line.reverse)
        return (*common, head, tuple([line_outline(inner) for inner in line.body]))
    stored = (outline_of(line.items), line.accumulate) if isinstance(line, Store) else ()
    return (*common, line.guarded, stored, outline_of(line.value))


def unlike_lines(lines: Iterable[Line]) -> Iterable[Line]:
    """The first of all lines that are the same but for the names of tensors."""
    found: dict[Hashable, Line] = {}
    for line in lines:
        found.setdefault(line_outline(line), line)
    return found.values()


@dataclass(frozen=True)
class Formulas:
    """The formulas of lines, each written once for all that are the same."""

    known: dict[Hashable, list[tuple[Expression, str]]] = field(default_factory=dict)

    def of(self, line: Line) -> str:
        """What a reader finds above the line."""
        if line.origin is None or not line.opens or isinstance(line.values[0], Symmetric):
            return formula_of(line)
        stated, words = line.origin.stated, line.origin.shorthands
        alike = self.known.setdefault((stated, words), [])
        for expression, formula in alike:
            if expression.is_identical(stated.expression):
                return formula
        alike.append((stated.expression, formula_of(line)))
        return alike[-1][1]


def _shape(line: Line, written: Formulas) -> Hashable:
    part = None if line.origin is None else line.origin.part
    common = (type(line), line.opens, part, written.of(line))
    if isinstance(line, Loop):
        head = (line.counter, line.axis, line.start, line.stop, line.step, line.reverse)
        return (*common, head, tuple([_shape(inner, written) for inner in line.body]))
    stored = (line.items, line.accumulate) if isinstance(line, Store) else ()
    # As numbers 2 and 2.0 are equal; as code they are not.
    literals = (node.value for value in line.values for node in value.walk() if isinstance(node, Literal))
    return (*common, line.guarded, stored, line.value, tuple(map(repr, literals)))
