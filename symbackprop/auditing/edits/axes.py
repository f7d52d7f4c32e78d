"""Axes that a statement sums, orders or counts wrongly: reductions, transposes, sizes, einsum's letters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import everywhere, expression, is_numpy, text_of
from symbackprop.languages.phrases import marked, worded

_ANOTHER_FUNCTION = marked("takes the {function} where the {other} belongs")
AXES: tuple[object, ...] = (0, 1, -1, 2, -2, None, (0, 1))
AXIS_WORDS, KEEPING = ("axis", "dim"), ("keepdims", "keepdim")  # NumPy's words, and torch's
REDUCTIONS = ("sum", "mean", "max", "min")
# Functions along an axis, by its place among the arguments.
ALONG = {"roll": 2, "cumsum": 1, "cumprod": 1, "flip": 1, "diff": 2, "concatenate": 1, "stack": 1, "sort": 1,
         "argmax": 1, "argmin": 1, "argsort": 1, "repeat": 2, "take": 2, "prod": 1, "var": 1, "std": 1,
         "norm": 2, "softmax": 1, "logsumexp": 1}  # fmt: skip


def axis(site: Site) -> Iterator[Proposal]:
    """A sum over another axis, a mean for a sum."""
    for call, function, place in _reductions(site):
        named = [each.value for each in call.keywords if each.arg in AXIS_WORDS]
        for node in named or call.args[place : place + 1]:
            for other in AXES:
                new = ast.parse(repr(other), mode="eval").body
                if text_of(new) != text_of(node):
                    said = {"function": function.attr, "axis": text_of(node), "other": str(other)}
                    sentence = worded("{function} over axis {axis}, should be over axis {other}", **said)
                    yield Proposal(node, new, "axis", sentence)
                    kept = _keeping(_with_node(call, node, new))
                    yield from [Proposal(call, kept, "axis", sentence, order=1)] if kept is not None else []
        swapped = {"sum": "mean", "mean": "sum"}.get(function.attr)
        if swapped is not None:
            new_function = ast.Attribute(function.value, swapped, ast.Load())
            sentence = worded(_ANOTHER_FUNCTION, function=function.attr, other=swapped)
            yield Proposal(function, new_function, "factor", sentence)


def _reductions(site: Site) -> Iterator[tuple[ast.Call, ast.Attribute, int]]:
    """The calls of sums, means and extrema, and the axis' place in them: np.sum(x, 0) and x.sum(0)."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        if isinstance(call.func, ast.Attribute) and call.func.attr in REDUCTIONS:
            yield call, call.func, int(is_numpy(call.func.value))


def axis_dropped(site: Site) -> Iterator[Proposal]:
    """The axis of a reduction is to stay, of size 1, so that what comes out stands beside its rows."""
    for call, _, place in _reductions(site):
        new = _keeping(call)
        if new is not None and (len(call.args) > place or len(new.keywords) > 1):
            said = {"call": text_of(call), "word": str(new.keywords[-1].arg)}
            sentence = worded("{call} drops its axis, {word}=True is missing", **said)
            yield Proposal(call, new, "axis", sentence)


def _keeping(call: ast.Call) -> ast.Call | None:
    """The reduction with its axis kept; None where it keeps it, or says nothing of that."""
    words = {each.arg for each in call.keywords}
    word = KEEPING["dim" in words]
    kept = ast.keyword(word, ast.Constant(True))
    return ast.Call(call.func, call.args, [*call.keywords, kept]) if words.isdisjoint(KEEPING) else None


def _with_node(call: ast.Call, old: ast.expr, new: ast.expr) -> ast.Call:
    """A call with another axis."""
    arguments = [new if each is old else each for each in call.args]
    keywords = [ast.keyword(each.arg, new) if each.value is old else each for each in call.keywords]
    return ast.Call(call.func, arguments, keywords)


def along_another_axis(site: Site) -> Iterator[Proposal]:
    """What goes along an axis, as a roll, a running sum, goes along another, or the other way round."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if function not in ALONG:
            continue
        words = [each.value for each in call.keywords if each.arg in AXIS_WORDS]
        given = words or call.args[ALONG[function] : ALONG[function] + 1]
        for node, other in product(given, ("0", "1", "-1", "2")):
            if other != text_of(node):
                said = {"function": function, "axis": text_of(node), "other": other}
                sentence = worded("{function} along axis {axis}, should be along axis {other}", **said)
                yield Proposal(node, expression(other), "axis", sentence)
        if function == "roll" and len(call.args) > 1:
            new = _negative(call.args[1])
            sentence = worded("{call} goes the wrong way", call=text_of(call))
            yield Proposal(call.args[1], new, "step", sentence)


def _negative(number: ast.expr) -> ast.expr:
    match number:
        case ast.UnaryOp(ast.USub(), operand):
            return operand
    return ast.UnaryOp(ast.USub(), number)


def placed_axis(site: Site) -> Iterator[Proposal]:
    """A new axis of size 1 stands elsewhere, wherever a vector is read: it goes along another axis."""
    texts = {
        text_of(node): node for node in ast.walk(site.value) if isinstance(node, ast.Name | ast.Subscript)
    }
    for shown, node in texts.items():
        for other in _placings(shown, node, site):
            new = everywhere(site.value, shown, expression(other))
            sentence = worded("{node} should be {new}", node=shown, new=other)
            yield Proposal(site.value, new, "axis", sentence, order=1)


def _placings(shown: str, node: ast.expr, site: Site) -> Iterator[str]:
    """The same vector along other axes."""
    array = site.values.get(shown)
    if isinstance(node, ast.Name) and array is not None and array.ndim == 1:
        yield f"{shown}[:, None]"
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        places = tuple([text_of(each) for each in items])
        if set(places) == {":", "None"}:
            orders = dict.fromkeys(permutations(places))
            yield from [f"{text_of(node.value)}[{', '.join(each)}]" for each in orders if each != places]


def axis_forgotten(site: Site) -> Iterator[Proposal]:
    """A sum over everything, where it should leave an axis."""
    for call, function, place in _reductions(site):
        if len(call.args) > place or any(each.arg in AXIS_WORDS for each in call.keywords):
            continue
        for other, keeps in product((0, 1, -1), (False, True)):
            keywords = [*call.keywords, ast.keyword("axis", ast.Constant(other))]
            keywords += [ast.keyword("keepdims", ast.Constant(True))] if keeps else []
            sentence = worded(
                "{call} runs over every axis, should be over axis {other}", call=text_of(call), other=other
            )
            yield Proposal(call, ast.Call(function, call.args, keywords), "axis", sentence, order=int(keeps))


def size_of_axis(site: Site) -> Iterator[Proposal]:
    """The size of another axis."""
    for node in ast.walk(site.value):
        match node:
            case ast.Subscript(ast.Attribute(array, "shape"), ast.Constant(place)):
                given = place
            case ast.Call(ast.Name("len"), [array]):
                given = 0
            case _:
                continue
        for other in {0, 1, 2, -1} - {given}:
            new = expression(f"array.shape[{other}]", array=array)
            yield Proposal(
                node,
                new,
                "axis",
                worded("{node} should be {new}", node=text_of(node), new=text_of(new)),
                order=1,
            )


def size_worked_out(site: Site) -> Iterator[Proposal]:
    """A size that the function works out elsewhere should be read: sqrt(D // H) for sqrt(D)."""
    sizes = {name for name, array in site.values.items() if array.dtype.kind in "iu" and not array.ndim}
    every = [node for node in ast.walk(site.own.outer) if isinstance(node, ast.BinOp)]
    worked_out = {text_of(node): _operands(node) for node in every if _operands(node) <= sizes}
    for (shown, read), (node, name) in product(worked_out.items(), site.reads):
        if name in read:
            sentence = worded("{node} should be {new}", node=name, new=shown)
            yield Proposal(node, expression(shown), "factor", sentence)


def _operands(node: ast.expr) -> set[str]:
    """The texts of what an expression works on, but for numbers."""
    match node:
        case ast.BinOp(left, _, right):
            return _operands(left) | _operands(right)
        case ast.Constant():
            return set()
    return {text_of(node)}


def transpose(site: Site) -> Iterator[Proposal]:
    """A factor of a matrix product is transposed and should not be, or the other way round."""
    for node in ast.walk(site.value):
        factors: Sequence[ast.expr] = ()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            factors = (node.left, node.right)
            new = ast.BinOp(node.right, node.op, node.left)
            yield Proposal(
                node,
                new,
                "transpose",
                worded("the factors of {node} stand in the wrong order", node=text_of(node)),
                order=2,
            )
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_product(node.func):
            factors = (*node.args, *([] if is_numpy(node.func.value) else [node.func.value]))
        for factor in factors:
            plain = _transposed(factor)
            if plain is not None:
                yield Proposal(
                    factor,
                    plain,
                    "transpose",
                    worded("{factor} should not be transposed", factor=text_of(factor)),
                )
            else:
                new_factor = ast.Attribute(factor, "T", ast.Load())
                yield Proposal(
                    factor,
                    new_factor,
                    "transpose",
                    worded("{factor} should be transposed", factor=text_of(factor)),
                )


def _transposed(node: ast.expr) -> ast.expr | None:
    """x of x.T and of torch's x.t()."""
    match node:
        case ast.Attribute(value, "T") | ast.Call(ast.Attribute(value, "t"), []):
            return value
    return None


def _is_product(function: ast.Attribute) -> bool:
    return function.attr in ("dot", "matmul", "outer", "mm")


def einsum_axes(site: Site) -> Iterator[Proposal]:
    """Two axes of a factor, or of what comes out, are exchanged in the text of an einsum."""
    for _, subscripts, whole in einsums_in(site):
        for part in re.finditer(r"[A-Za-z]{2,}", whole):
            for one, other in combinations(range(part.start(), part.end()), 2):
                letters = list(whole)
                letters[one], letters[other] = letters[other], letters[one]
                new = "".join(letters)
                sentence = worded(
                    "{letters} in '{whole}' should be {new}",
                    letters=part[0],
                    whole=whole,
                    new=new[part.start() : part.end()],
                )
                yield Proposal(subscripts, ast.Constant(new), "transpose", sentence, order=1)


def einsum_sums(site: Site) -> Iterator[Proposal]:
    """An einsum sums over another axis; where None makes an axis for what comes out, that moves with it."""
    for call, subscripts, whole in einsums_in(site):
        factors, arrow, result = whole.partition("->")
        summed = sorted(set(re.findall("[A-Za-z]", factors)) - set(result))
        for letter, other in product(result if arrow else "", summed):
            text = f"{factors}->{result.replace(letter, other)}"
            sentence = worded(
                "{letters} sums over {other}, should sum over {letter}",
                letters=whole,
                other=other,
                letter=letter,
            )
            yield Proposal(subscripts, ast.Constant(text), "axis", sentence, order=1)
            for node in ast.walk(site.value):
                if isinstance(node, ast.Subscript) and node.value is call:
                    new_call = ast.Call(call.func, [ast.Constant(text), *call.args[1:]], call.keywords)
                    for index in ("value[:, None]", "value[None, :]", "value"):
                        yield Proposal(node, expression(index, value=new_call), "axis", sentence, order=1)


def einsums_in(site: Site) -> Iterator[tuple[ast.Call, ast.Constant, str]]:
    """The calls of einsum, with the texts that say their axes."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        subscripts = call.args[0] if name == "einsum" and call.args else None
        if isinstance(subscripts, ast.Constant) and isinstance(subscripts.value, str):
            yield call, subscripts, subscripts.value
