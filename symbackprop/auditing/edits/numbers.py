"""Numbers that are not the model's: small ones under a root, and the bounds of comparisons."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from symbackprop.auditing.injections import Arsenal
from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, text_of
from symbackprop.languages.phrases import worded


def another_number(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """A number is not the model's, or is not added under a root, logarithm or quotient."""
    for number, node in product(arsenal.numbers, ast.walk(site.value)):
        new = ast.Constant(float(number))
        operands = [node.left, node.right] if isinstance(node, ast.BinOp) else []
        for each in operands:
            if isinstance(each, ast.Constant) and isinstance(each.value, float):
                shown = ast.unparse(each)
                sentence = worded("{what} should be the model's {number}", what=shown, number=number)
                yield Proposal(each, new, "factor", sentence)
        for each in _guarded(node):
            code = ast.unparse(node)
            sentence = worded("the model's term {number} is missing in {code}", number=number, code=code)
            yield Proposal(each, ast.BinOp(each, ast.Add(), new), "missing term", sentence)


def another_bound(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """A value is compared with another number than the model's, as in a clip by nested `where`s."""
    for node in ast.walk(site.value):
        match node:
            case ast.Compare(comparators=[ast.Constant() | ast.UnaryOp(ast.USub(), ast.Constant()) as bound]):
                for number in arsenal.bounds:
                    if number != text_of(bound):
                        sentence = worded(
                            "{node} compares with {number} in the model", node=text_of(node), number=number
                        )
                        yield Proposal(bound, expression(number), "sign", sentence, order=1)


def _guarded(node: ast.AST) -> list[ast.expr]:
    """What a small number is added to: the argument of a root or logarithm, a divisor, what is raised."""
    match node:
        case ast.Call(ast.Attribute(attr="sqrt" | "log"), [argument]):
            return [argument]
        case ast.BinOp(_, ast.Div(), divisor):
            return [divisor]
        case ast.BinOp(base, ast.Pow(), _):
            return [base]
    return []
