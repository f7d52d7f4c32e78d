"""Products of triangular arrays that stand within larger ones, by names of their own.

A statement such as grad_Wk = x.T @ (q.mT @ delta_S) has no rows and no columns that could be cut; the
product in it has, and is computed block by block once it is a statement. So has one that is stored into a
block of a packed axis, as delta_u[:, :D] = (delta_S @ k).reshape(B, T, D).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symbackprop.array.ir import Read
from symbackprop.array.layout import layout_of
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.value import Value
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.passes.row_members import reading_triangles
from symbackprop.passes.triangles import Triangles, triangles_in
from symbackprop.schedule.named_equations import Part


def with_products_apart(lines: Iterable[Line], taken: Iterable[str]) -> tuple[Line, ...]:
    """The lines, each ahead of it the products of triangles that can be cut where it cannot.

    `taken` are names of the program.
    """
    lines, names = tuple(lines), set(taken)
    triangles = triangles_in(lines)
    found: list[Line] = []
    for line in lines:
        if isinstance(line, Loop) or line.guarded:
            found.append(line)
            continue
        is_whole = isinstance(line, Statement) and reading_triangles(line, triangles) is not None
        products = () if is_whole else tuple(_products_in(line, line.value, triangles))
        line, parts = _apart(line, products, names)
        found += [*parts, line]
    return tuple(found)


def _products_in(line: Statement | Store, value: Value, triangles: Triangles) -> Iterator[MatrixProduct]:
    """The outermost products within a value that sum over a triangle's rows or columns and can be cut."""
    if isinstance(value, MatrixProduct) and value.layout == layout_of(value.indices):
        member = reading_triangles(Statement(line.name, value, origin=line.origin), triangles)
        if member is not None and member.has != "both":
            yield value
            return
    for operand in value.operands:
        yield from _products_in(line, operand, triangles)


def _apart(
    line: Statement | Store, products: tuple[MatrixProduct, ...], names: set[str]
) -> tuple[Statement | Store, list[Statement]]:
    """The line that reads products by names, and the statements of these."""
    parts: dict[Value, Statement] = {}
    for product in dict.fromkeys(products):
        name = numbered_name(f"{line.name}_part", names)
        names.add(name)
        origin = line.origin.of_part(Part.CUT)
        parts[product] = Statement(name, product, origin=origin, opens=line.opens and not parts)
    return _reading(line, parts) if parts else line, list(parts.values())


def _reading(line: Statement | Store, parts: dict[Value, Statement]) -> Statement | Store:
    """The line, each product in it by the name of its statement."""

    def read(value: Value) -> Value:
        part = parts.get(value)
        if part is not None:
            return Read(part.name, value.indices, value.kind)
        return value.with_operands(tuple(map(read, value.operands)))

    return replace(line, value=read(line.value), opens=False)
