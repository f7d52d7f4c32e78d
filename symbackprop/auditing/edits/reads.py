"""What a statement may read in the place of what it should read, as changes that would mend it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from itertools import combinations, product
from typing import TypeGuard

import numpy as np

from symbackprop.auditing.sites import Array, Proposal, Site
from symbackprop.auditing.syntax_parts import expression, text_of
from symbackprop.languages.phrases import worded

MOST_ITEMS = 60
NO_PLACES = (ast.Constant, ast.Tuple)  # keys of tables, and slices of several axes
PAIRS = (("argmax", "argmin"), ("maximum", "minimum"), ("max", "min"), ("tril", "triu"), ("sin", "cos"),
         ("floor", "ceil"), ("sqrt", "square"), ("exp", "log"), ("cumsum", "cumprod"), ("tile", "repeat"),
         ("any", "all"), ("logical_and", "logical_or"), ("hstack", "vstack"), ("sinh", "cosh"))  # fmt: skip
OPPOSITES = dict([*PAIRS, *((other, one) for one, other in PAIRS)])
PARTS = ((":-1", "1:"), (":-2", "2:"), ("::2", "1::2"), ("0::2", "1::2"))
OTHER_PARTS = dict([*((other, one) for one, other in PARTS), *PARTS])
OFFSETS = (-1, 1, -2, 2)  # of whole numbers by which places are off


def another_value(site: Site) -> Iterator[Proposal]:
    """Another variable of the same shape should be read: u for z, the one before an update."""
    for node, name in site.reads:
        own = site.values[name]
        for other, array in site.values.items():
            if (
                other not in (name, site.target)
                and array.shape == own.shape
                and not np.array_equal(array, own)
            ):
                sentence = worded("reads {node}, should read {other}", node=name, other=other)
                yield Proposal(node, expression(other), "wrong value", sentence)


def another_array(site: Site) -> Iterator[Proposal]:
    """A variable of another shape should be read, where what comes out has the wrong one, or nothing does."""
    for node, name in site.reads:
        own = site.values[name]
        for other, array in site.values.items():
            if other != site.target and array.ndim == own.ndim > 0 and array.shape != own.shape:
                sentence = worded("reads {node}, should read {other}", node=name, other=other)
                yield Proposal(node, expression(other), "wrong value", sentence, order=1)


def another_item(site: Site) -> Iterator[Proposal]:
    """Another item should be read: P[u] for Q[i], both of which the function has somewhere."""
    items = [
        each for each in ast.walk(site.own.outer) if is_item(each) and text_of(each.value) in site.values
    ]
    arrays = dict.fromkeys(text_of(each.value) for each in items)
    places = dict.fromkeys(text_of(each.slice) for each in items if not isinstance(each.slice, NO_PLACES))
    every = dict.fromkeys([text_of(each) for each in items if isinstance(each.ctx, ast.Load)])
    every |= dict.fromkeys(f"{array}[{place}]" for array, place in product(arrays, places))
    read = [each for each in ast.walk(site.value) if is_item(each) and isinstance(each.ctx, ast.Load)]
    for node, other in product(read, list(every)[:MOST_ITEMS]):
        if other != text_of(node):
            sentence = worded("reads {node}, should read {other}", node=text_of(node), other=other)
            yield Proposal(node, expression(other), "wrong value", sentence)


def exchanged_places(site: Site) -> Iterator[Proposal]:
    """An item of an array of several axes is read at places in the wrong order: w[j, i] for w[i, j]."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            items = node.slice.elts
            for one, other in combinations(range(len(items)), 2):
                order = list(items)
                order[one], order[other] = order[other], order[one]
                new = ast.Subscript(node.value, ast.Tuple(order, ast.Load()), ast.Load())
                is_placed = {text_of(items[one]), text_of(items[other])} <= {":", "None"}  # `placed_axis`
                if text_of(new) != text_of(node) and not is_placed:
                    sentence = worded("{node} should be {new}", node=text_of(node), new=text_of(new))
                    yield Proposal(node, new, "transpose", sentence)


def is_item(node: ast.AST) -> TypeGuard[ast.Subscript]:
    """Whether a node is an item of a variable."""
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name | ast.Subscript)


def exchanged(site: Site) -> Iterator[Proposal]:
    """Results in the wrong order."""
    items = site.value.elts if isinstance(site.value, ast.Tuple | ast.List) else []
    for one, other in combinations(range(len(items)), 2):
        new = copy.copy(site.value)
        order = list(items)
        order[one], order[other] = order[other], order[one]
        new = ast.Tuple(order, ast.Load())
        shown = {"one": text_of(items[one]), "other": text_of(items[other])}
        sentence = worded("{one} and {other} are exchanged", **shown)
        yield Proposal(site.value, new, "exchanged", sentence)


def another_function(site: Site) -> Iterator[Proposal]:
    """The opposite function: the smallest for the largest."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.Attribute) and node.attr in OPPOSITES:
            new = ast.Attribute(node.value, OPPOSITES[node.attr], ast.Load())
            sentence = worded("{node} should be {new}", node=node.attr, new=OPPOSITES[node.attr])
            yield Proposal(node, new, "another function", sentence, order=1)


def complement(site: Site) -> Iterator[Proposal]:
    """The complement of a probability or a weight should be read: log(1 - p) for log(p), p for 1 - p."""
    within = [node for node, name in site.reads if _is_a_share(site.values[name])]
    nodes = [(node, expression("1 - value", value=node)) for node in within]
    for node in ast.walk(site.value):
        match node:
            case ast.BinOp(ast.Constant(1), ast.Sub(), right) if text_of(right) in site.values:
                nodes.append((node, right))
    for node, new in nodes:
        sentence = worded("reads {node} where {new} should stand", node=text_of(node), new=text_of(new))
        yield Proposal(node, new, "wrong value", sentence, order=1)


def _is_a_share(array: Array) -> bool:
    return array.dtype.kind == "f" and bool(np.all((array >= 0) & (array <= 1)))


def other_part(site: Site) -> Iterator[Proposal]:
    """The other part of an axis is read or written: all but the first for all but the last, odd for even."""
    for part in _slices(site):
        other = OTHER_PARTS.get(text_of(part))
        if other is not None:
            yield _for_slice(part, other)


def another_part(site: Site) -> Iterator[Proposal]:
    """Another slice should be read or written that the function has: 2*k:2*k + T for k:k + T."""
    every = dict.fromkeys(text_of(each) for each in ast.walk(site.own.outer) if isinstance(each, ast.Slice))
    for part, other in product(_slices(site), list(every)[:MOST_ITEMS]):
        if part.lower is not None and part.upper is not None and other not in (":", text_of(part)):
            yield _for_slice(part, other)


def _slices(site: Site) -> list[ast.Slice]:
    """The slices that a statement reads, and those that it writes."""
    holders = [site.value]
    if site.whole_statement is not None:
        targets = getattr(site.statement, "targets", None) or [getattr(site.statement, "target", None)]
        holders += [each for each in targets if isinstance(each, ast.expr)]
    return [node for each in holders for node in ast.walk(each) if isinstance(node, ast.Slice)]


def _for_slice(part: ast.Slice, other: str) -> Proposal:
    new = expression(f"a[{other}]")
    assert isinstance(new, ast.Subscript)
    sentence = worded("{node} should be {new}", node=text_of(part), new=other)
    return Proposal(part, new.slice, "step", sentence, order=1)


def another_count(site: Site) -> Iterator[Proposal]:
    """A whole number is off by one or two: of a window, a slice, a diagonal, how often something repeats."""
    for node, number, name in _counts(site):
        for other in [number + offset for offset in OFFSETS if number + offset >= 0]:
            sentence = worded("{node} should be {new}", node=f"{name}{number}", new=f"{name}{other}")
            yield Proposal(node, ast.Constant(other), "step", sentence, order=1)


def _counts(site: Site) -> Iterator[tuple[ast.Constant, int, str]]:
    """The whole numbers that say how many, or where, with the name before it: `ddof=`.

    They are all of what is whole itself, else those of places.
    """
    parts: dict[ast.AST, str] = {site.value: ""} if site.is_size else {}
    for node in () if site.is_size else ast.walk(site.value):
        match node:
            case ast.Subscript(array, places) if text_of(array).rpartition(".")[2] != "shape":
                parts[places] = ""
            case ast.keyword("k" | "ddof" as word, number):
                parts[number] = f"{word}="
    for node, name in {node: name for part, name in parts.items() for node in ast.walk(part)}.items():
        if isinstance(node, ast.Constant) and type(node.value) is int:
            yield node, node.value, name


def reversal(site: Site) -> Iterator[Proposal]:
    """An array is turned round, or is not."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.Subscript) and "::-1" in text_of(node.slice):
            new = ast.Subscript(node.value, _forwards(node.slice), ast.Load())
            yield Proposal(
                node, new, "order", worded("{value} should not be turned round", value=text_of(node.value))
            )
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        for argument in call.args:
            if isinstance(argument, ast.Name) and argument.id in site.values:
                new = ast.Subscript(argument, ast.Slice(None, None, expression("-1")), ast.Load())
                yield Proposal(
                    argument, new, "order", worded("{value} should be turned round", value=argument.id)
                )


def _forwards(places: ast.expr) -> ast.expr:
    """The same slices without ::-1."""
    every = places.elts if isinstance(places, ast.Tuple) else [places]
    plain = [ast.Slice() if text_of(each) == "::-1" else each for each in every]
    return ast.Tuple(plain, ast.Load()) if isinstance(places, ast.Tuple) else plain[0]
