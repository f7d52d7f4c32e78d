"""Parts of Python's syntax trees, read and put together."""

from __future__ import annotations

import ast

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
