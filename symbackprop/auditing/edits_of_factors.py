"""Factors and terms that a statement has too much or lacks, as changes that would mend it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, sums_in, text_of

SMALL_NUMBERS = ("2", "3", "4", "0.5")


def another_factor(site: Site) -> Iterator[Proposal]:
    """A factor or divisor that the code has by a name is missing."""
    if site.shape is None:
        return
    for name, array in site.values.items():
        if name.isidentifier() and array.ndim <= len(site.shape) and name != site.target:
            for operator, word in ((ast.Mult(), "factor"), (ast.Div(), "divisor")):
                new = ast.BinOp(site.value, operator, ast.Name(name, ast.Load()))
                sentence = f"{site.said_value} misses the {word} {name}"
                kind = "missing factor" if array.ndim else "factor"
                yield Proposal(site.value, new, kind, sentence, order=1)


def factor_of_a_term(site: Site) -> Iterator[Proposal]:
    """A number, or a size that the code has by a name, is missing in one term."""
    scalars = [name for name, array in site.values.items() if array.ndim == 0 and name.isidentifier()]
    for node in sums_in(site):
        for term, factor in product((node.left, node.right), (*scalars, *SMALL_NUMBERS)):
            sentence = f"the term {text_of(term)} misses the factor {factor}"
            new = ast.BinOp(expression(factor), ast.Mult(), term)
            yield Proposal(term, new, "factor", sentence, order=1)
            if factor in scalars:
                sentence = f"the term {text_of(term)} should be divided by {factor}"
                yield Proposal(
                    term, ast.BinOp(term, ast.Div(), expression(factor)), "factor", sentence, order=1
                )


def extra_factor(site: Site) -> Iterator[Proposal]:
    """A factor or divisor too much."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            sentence = f"{text_of(node.right)} should not stand in {text_of(node)}"
            yield Proposal(node, node.left, "factor", sentence)
            if isinstance(node.op, ast.Mult):
                yield Proposal(
                    node, node.right, "factor", f"{text_of(node.left)} should not stand in {text_of(node)}"
                )
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield Proposal(node, node.left, "power", f"{text_of(node.left)} should not be raised")
            for exponent in ("2", "3", "0.5", "-1", "-0.5", "-1.5"):
                new = ast.BinOp(node.left, ast.Pow(), expression(exponent))
                yield Proposal(node, new, "power", f"{text_of(node.left)} is raised to the wrong power")


def misplaced_power(site: Site) -> Iterator[Proposal]:
    """(a - b)**n for a - b**n, or the other way round."""
    for node in ast.walk(site.value):
        match node:
            case ast.BinOp(ast.BinOp(left, ast.Add() | ast.Sub() as operator, right), ast.Pow(), exponent):
                new = ast.BinOp(left, operator, ast.BinOp(right, ast.Pow(), exponent))
            case ast.BinOp(left, ast.Add() | ast.Sub() as operator, ast.BinOp(right, ast.Pow(), exponent)):
                new = ast.BinOp(ast.BinOp(left, operator, right), ast.Pow(), exponent)
            case _:
                continue
        yield Proposal(node, new, "power", f"{text_of(node)} should be {text_of(new)}")


def wrong_operation(site: Site) -> Iterator[Proposal]:
    """A product for a quotient, an added factor squared or inverted."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            other = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
            word = "divided by" if isinstance(node.op, ast.Mult) else "multiplied by"
            sentence = f"{text_of(node.left)} should be {word} {text_of(node.right)}"
            yield Proposal(node, ast.BinOp(node.left, other, node.right), "factor", sentence, order=1)


def extra_term(site: Site) -> Iterator[Proposal]:
    """A term too much."""
    for node in sums_in(site):
        yield Proposal(node, node.left, "doubled term", f"{text_of(node.right)} should not be added", order=1)
        right = node.right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.right)
        yield Proposal(node, right, "doubled term", f"{text_of(node.left)} should not be added", order=1)
