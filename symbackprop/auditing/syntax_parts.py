"""Parts of Python's syntax trees, read and put together."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from functools import reduce
from typing import Any

from symbackprop.auditing.sites import Site


def text_of(node: ast.AST) -> str:
    """A node as Python."""
    return ast.unparse(node)


def expression(text: str, **parts: ast.expr) -> ast.expr:
    """An expression with nodes in the place of names."""
    node = ast.parse(text, mode="eval").body
    return _with(node, parts)


def _with(node: ast.expr, parts: dict[str, ast.expr]) -> ast.expr:
    class Putting(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return parts.get(name.id, name)

    found: ast.expr = Putting().visit(node)
    return found


def everywhere(value: ast.expr, shown: str, new: ast.expr) -> ast.expr:
    """A copy of a value with another expression wherever one of this text is read."""

    class PuttingAll(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            is_it = isinstance(node, ast.expr) and text_of(node) == shown
            return new if is_it else self.generic_visit(node)

    found: ast.expr = PuttingAll().visit(copy.deepcopy(value))
    return found


def sums_in(site: Site) -> list[ast.BinOp]:
    """The sums and differences in what a statement computes."""
    return [
        node
        for node in ast.walk(site.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    ]


def is_numpy(node: ast.expr) -> bool:
    """Whether a node is the name of NumPy."""
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def names_in(formula: ast.expr) -> tuple[set[str], set[str]]:
    """The functions that a formula calls, and the tensors that it reads, by name; no indices."""
    called: set[str] = set()
    read: set[str] = set()
    match formula:
        case ast.Call(ast.Name(name)):
            called.add(name)
            inner: list[ast.expr] = formula.args
        case ast.Subscript(ast.Name(name)) | ast.Name(name):
            read.add(name)
            inner = []
        case _:
            inner = [each for each in ast.iter_child_nodes(formula) if isinstance(each, ast.expr)]
    for each in inner:
        more = names_in(each)
        called, read = called | more[0], read | more[1]
    return called, read


def elementwise(formula: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """A formula element by element as one of arrays: other names, no indices, and `&` for `and`."""

    class Naming(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            return self.visit(node.value)  # type: ignore[no-any-return]

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return expression(names.get(node.id, node.id))

        def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
            operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
            parts: list[ast.expr] = [self.visit(each) for each in node.values]
            return reduce(lambda left, right: ast.BinOp(left, operator, right), parts)

        def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
            operand = self.visit(node.operand)
            return ast.UnaryOp(ast.Invert() if isinstance(node.op, ast.Not) else node.op, operand)

    found: ast.expr = Naming().visit(formula)
    return found
