"""Where the numbers of an array go: lookups turned round, tiles and repeats, the other half of a matrix."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, is_numpy, text_of
from symbackprop.languages.phrases import marked, worded

_HALF = marked("the half with {matrix} transposed is missing")


def lookup_turned_round(site: Site) -> Iterator[Proposal]:
    """What was looked up at places goes back to these: g[places] should be added up at places."""
    for node in ast.walk(site.value):
        if not isinstance(node, ast.Subscript):
            continue
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        names = [each for each in places if not isinstance(each, ast.Slice)]
        array = site.values.get(text_of(names[0])) if len(names) == 1 else None
        if array is None or array.ndim != 1 or array.dtype.kind not in "iu":
            continue
        found = site.values.get(text_of(node.value))
        if places[0] is names[0]:
            new = expression("np.eye(len(places))[places].T @ value", value=node.value, places=names[0])
        elif places[-1] is names[0] and found is not None and found.ndim == len(places):
            new = expression("value @ np.eye(len(places))[places]", value=node.value, places=names[0])
        else:
            continue
        shown = {"value": text_of(node.value), "places": text_of(names[0])}
        sentence = worded("reads {value} at {places}, should add it up at {places}", **shown)
        yield Proposal(node, new, "wrong value", sentence, order=1)


def tile(site: Site) -> Iterator[Proposal]:
    """The whole again and again, where each place should be repeated, or the other way round."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        for new in _other_ways(call, site):
            sentence = worded("{node} should be {new}", node=text_of(call), new=text_of(new))
            yield Proposal(call, new, "order", sentence, order=1)


def _other_ways(call: ast.Call, site: Site) -> Iterator[ast.expr]:
    words = {each.arg: each.value for each in call.keywords}
    match call:
        case ast.Call(ast.Attribute(module, "tile"), [value, ast.Tuple(elts=counts)]) if is_numpy(module):
            times = [each for each in enumerate(counts) if text_of(each[1]) != "1"]
            if len(times) == 1:
                place, count = times[0]
                array = site.values.get(text_of(value))
                axis = place if array is not None and array.ndim == len(counts) else place - len(counts)
                yield expression(f"np.repeat(value, count, axis={axis})", value=value, count=count)
        case ast.Call(ast.Attribute(module, "repeat"), [value, count, *_]) if is_numpy(module):
            yield from _tiled(value, count, call.args[2] if len(call.args) > 2 else words.get("axis"), site)
        case ast.Call(ast.Attribute(value, "repeat"), [count, *_]):
            yield from _tiled(value, count, call.args[1] if len(call.args) > 1 else words.get("axis"), site)


def _tiled(value: ast.expr, count: ast.expr, axis: ast.expr | None, site: Site) -> Iterator[ast.expr]:
    """The whole array so many times along an axis; along all of it where none is given."""
    if axis is None:
        yield expression("np.tile(value, count)", value=value, count=count)
        return
    shown = text_of(axis)
    for behind in range(4):
        before = ast.Constant(1)
        counts = [count, *[before] * behind]
        if shown in (str(-1 - behind), *(str(place) for place in range(4))):
            yield ast.Call(expression("np.tile"), [value, ast.Tuple(counts, ast.Load())], [])


def outer_product(site: Site) -> Iterator[Proposal]:
    """The derivative of a softmax is diag(p) - p p', and not its diagonal alone."""
    for node in ast.walk(site.value):
        match node:
            case ast.Call(ast.Attribute(module, "diag" | "diagflat"), [vector]) if is_numpy(module):
                new = expression("diagonal - np.outer(vector, vector)", diagonal=node, vector=vector)
                shown = {"term": f"np.outer({text_of(vector)}, {text_of(vector)})", "what": text_of(node)}
                sentence = worded("the term -{term} beside {what} is missing", **shown)
                yield Proposal(node, new, "missing term", sentence, order=1)


def transposed_half(site: Site) -> Iterator[Proposal]:
    """A product with a matrix, where that with its transpose belongs to it, too: x'Ax has (A + A')x."""
    for node, name in site.reads:
        if _is_square(name, site):
            new = expression("(matrix + matrix.T)", matrix=node)
            yield Proposal(node, new, "missing term", worded(_HALF, matrix=name), order=2)
        for matrix, other in _products_with_the_transpose(name, site):
            new = expression("(value + other)", value=node, other=other)
            yield Proposal(node, new, "missing term", worded(_HALF, matrix=matrix), order=1)


def _products_with_the_transpose(name: str, site: Site) -> Iterator[tuple[str, ast.expr]]:
    """The square matrices in the product that a variable is assigned, and it with each of them transposed."""
    for statement in ast.walk(site.own.outer):
        match statement:
            case ast.Assign([ast.Name(target)], ast.BinOp(left, ast.MatMult(), right)) if target == name:
                for matrix, other in _transposes(left, site):
                    yield matrix, ast.BinOp(other, ast.MatMult(), right)
                for matrix, other in _transposes(right, site):
                    yield matrix, ast.BinOp(left, ast.MatMult(), other)


def _transposes(factor: ast.expr, site: Site) -> Iterator[tuple[str, ast.expr]]:
    """A square matrix that a factor is, and the factor transposed."""
    match factor:
        case ast.Attribute(value, "T") if _is_square(text_of(value), site):
            yield text_of(value), value
        case _ if _is_square(text_of(factor), site):
            yield text_of(factor), ast.Attribute(factor, "T", ast.Load())


def _is_square(name: str, site: Site) -> bool:
    array = site.values.get(name)
    return array is not None and array.ndim == 2 and array.shape[0] == array.shape[1] > 1
