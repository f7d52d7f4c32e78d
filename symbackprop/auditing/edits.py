"""What may have gone wrong in a statement, as changes that would mend it: each a small function.

They are tried one by one on several draws. A change that makes results the expected ones says which line is
wrong, how, and what should stand there, in the names of whoever wrote it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import TypeAlias

from symbackprop.auditing.edits_of_factors import (
    another_factor,
    extra_factor,
    extra_term,
    factor_of_a_term,
    misplaced_power,
    missing_power,
    wrong_operation,
)
from symbackprop.auditing.edits_of_reads import (
    another_function,
    another_item,
    another_value,
    exchanged,
    reversal,
    step,
)
from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, is_numpy, sums_in, text_of
from symbackprop.languages.phrases import marked, worded

Edit: TypeAlias = Callable[[Site], Iterator[Proposal]]
_ITSELF_CHANGED = marked("{what} is {value} itself, which is changed in place and read again")
_ANOTHER_FUNCTION = marked("takes the {function} where the {other} belongs")
AXES: tuple[object, ...] = (0, 1, -1, 2, -2, None, (0, 1))
AXIS_WORDS = ("axis", "dim")
REDUCTIONS = ("sum", "mean", "max", "min")


def sign(site: Site) -> Iterator[Proposal]:
    """A sign: of a term, of the whole, of what is added up."""
    for node in sums_in(site):
        other: ast.operator = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        sentence = worded("the sign of {what} is wrong", what=text_of(node.right))
        yield Proposal(node, ast.BinOp(node.left, other, node.right), "sign", sentence)
    for each in ast.walk(site.value):
        if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.USub) and text_of(each) != "-1":
            sentence = worded("the sign of {what} is wrong", what=text_of(each))
            yield Proposal(each, each.operand, "sign", sentence)
    if site.shape is not None:
        negative = ast.UnaryOp(ast.USub(), site.value)
        sentence = worded("{what} has the wrong sign", what=site.said_value)
        yield Proposal(site.value, negative, "sign", sentence, order=1)
    if isinstance(site.whole_statement, ast.AugAssign):
        opposite = {ast.Add: ast.Sub, ast.Sub: ast.Add}.get(type(site.whole_statement.op))
        if opposite is not None:
            new = ast.AugAssign(site.whole_statement.target, opposite(), site.value)
            yield Proposal(
                site.statement,
                new,
                "sign",
                worded("the sign of what is added to {what} is wrong", what=site.said),
            )


def centred(site: Site) -> Iterator[Proposal]:
    """A mean is not subtracted, or subtracted along the wrong axis."""
    for node, name in site.reads:
        if site.values[name].ndim:
            for other in ("-1", "0", "None"):
                new = expression(f"value - value.mean(axis={other}, keepdims=True)", value=node)
                sentence = worded("the mean of {name} is not subtracted", name=name)
                yield Proposal(node, new, "missing term", sentence, order=2)


def axis(site: Site) -> Iterator[Proposal]:
    """A sum over another axis, a mean for a sum."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr not in REDUCTIONS:
            continue
        place = int(is_numpy(function.value))  # np.sum(x, 0) and x.sum(0)
        named = [each.value for each in call.keywords if each.arg in AXIS_WORDS]
        for node in named or call.args[place : place + 1]:
            for other in AXES:
                new = ast.parse(repr(other), mode="eval").body
                if text_of(new) != text_of(node):
                    sentence = worded(
                        "{function} over axis {axis}, should be over axis {other}",
                        function=function.attr,
                        axis=text_of(node),
                        other=other,
                    )
                    yield Proposal(node, new, "axis", sentence)
        swapped = {"sum": "mean", "mean": "sum"}.get(function.attr)
        if swapped is not None:
            new_function = ast.Attribute(function.value, swapped, ast.Load())
            sentence = worded(_ANOTHER_FUNCTION, function=function.attr, other=swapped)
            yield Proposal(function, new_function, "factor", sentence)


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


def axis_forgotten(site: Site) -> Iterator[Proposal]:
    """A sum over everything, where it should leave an axis."""
    for call in [node for node in ast.walk(site.value) if isinstance(node, ast.Call)]:
        function = call.func
        is_reduction = isinstance(function, ast.Attribute) and function.attr in REDUCTIONS
        of_numpy = isinstance(function, ast.Attribute) and is_numpy(function.value)
        if (
            not is_reduction
            or len(call.args) > of_numpy
            or any(each.arg in AXIS_WORDS for each in call.keywords)
        ):
            continue
        for other, keeps in product((0, 1, -1), (False, True)):
            keywords = [*call.keywords, ast.keyword("axis", ast.Constant(other))]
            keywords += [ast.keyword("keepdims", ast.Constant(True))] if keeps else []
            sentence = worded(
                "{call} runs over every axis, should be over axis {other}", call=text_of(call), other=other
            )
            yield Proposal(call, ast.Call(function, call.args, keywords), "axis", sentence, order=int(keeps))


def repeated_positions(site: Site) -> Iterator[Proposal]:
    """What goes to one position more than once is to be added up: A[ids] += v keeps the last alone."""
    match site.whole_statement:
        case ast.Assign([ast.Subscript(array, places)], value) | ast.AugAssign(
            ast.Subscript(array, places), ast.Add(), value
        ):
            call = ast.Call(expression("np.add.at"), [array, places, value], [])
            sentence = worded("repeated positions in {places} overwrite one another", places=text_of(places))
            yield Proposal(site.statement, ast.Expr(call), "missing term", sentence, order=1)


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


def accumulation(site: Site) -> Iterator[Proposal]:
    """What should be added up is overwritten, or the other way round."""
    match site.whole_statement:
        case ast.Assign([ast.Name() | ast.Attribute() | ast.Subscript() as target], value):
            sentence = worded("{what} is overwritten and should be added up", what=site.said)
            yield Proposal(site.statement, ast.AugAssign(target, ast.Add(), value), "missing term", sentence)
        case ast.AugAssign(target, ast.Add(), value):
            sentence = worded("{what} is added up and should be overwritten", what=site.said)
            yield Proposal(site.statement, ast.Assign([target], value, lineno=0), "doubled term", sentence)


def in_place(site: Site) -> Iterator[Proposal]:
    """An array is changed in place, and read again as what it was."""
    match site.whole_statement:
        case ast.AugAssign(ast.Name(name) as target, operator, value):
            sentence = worded("{name} is changed here and read again as what it was", name=name)
            yield Proposal(site.statement, ast.Pass(), "in place", sentence)
            new = ast.Assign([target], ast.BinOp(ast.Name(name, ast.Load()), operator, value), lineno=0)
            sentence = worded("{name} is changed in place, and what it was is read again", name=name)
            yield Proposal(site.statement, new, "in place", sentence)
    for node in (site.value, *ast.walk(site.value)):
        is_array = isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and node is site.value
        if is_array and site.target:
            new_value = ast.Call(ast.Attribute(site.value, "copy", ast.Load()), [], [])
            sentence = worded(_ITSELF_CHANGED, what=site.said, value=text_of(site.value))
            yield Proposal(site.value, new_value, "in place", sentence)
            return


def comparison(site: Site) -> Iterator[Proposal]:
    """The other side of a comparison."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for operator in (ast.Gt(), ast.Lt()):
                if type(node.ops[0]) is not type(operator):
                    new = ast.Compare(node.left, [operator], node.comparators)
                    sentence = worded("{node} is the wrong side: {new}", node=text_of(node), new=text_of(new))
                    yield Proposal(node, new, "sign", sentence, order=1)


OF_SIZES: tuple[Edit, ...] = (another_value, another_item, size_of_axis)
OF_DISPLAYS: tuple[Edit, ...] = (exchanged, in_place)
EDITS: tuple[Edit, ...] = (
    sign, step, transpose, axis, axis_forgotten, size_of_axis, another_value, another_factor, exchanged,
    accumulation, einsum_axes, einsum_sums, another_item, another_function, factor_of_a_term, centred,
    reversal, repeated_positions, in_place, extra_factor, missing_power, misplaced_power,
    wrong_operation, extra_term, comparison,
)  # fmt: skip
