"""Signs, sums and comparisons that are wrong in a statement, and what it overwrites or changes in place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, is_numpy, sums_in, text_of
from symbackprop.languages.phrases import marked, worded

_ITSELF_CHANGED = marked("{what} is {value} itself, which is changed in place and read again")
_NO_SUCH_CASE = marked("the model has no case of its own for {choice}")
_AS_ELSEWHERE = worded("leave that case out, or compute in it what the model says")
_NOT_OVERWRITTEN = marked("the model has no such case: what {target} was should stay")


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


def repeated_positions(site: Site) -> Iterator[Proposal]:
    """What goes to one position more than once is to be added up: A[ids] += v keeps the last alone."""
    is_less = isinstance(getattr(site.whole_statement, "op", None), ast.Sub)
    function = "np.subtract.at" if is_less else "np.add.at"
    match site.whole_statement:
        case ast.Assign([ast.Subscript(array, places)], value) | ast.AugAssign(
            ast.Subscript(array, places), ast.Add() | ast.Sub(), value
        ):
            call = ast.Call(expression(function), [array, places, value], [])
            sentence = worded("repeated positions in {places} overwrite one another", places=text_of(places))
            yield Proposal(site.statement, ast.Expr(call), "missing term", sentence, order=1)


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
    """The other side of a comparison, with the bound of the other side too: x < 1 - eps for x > 1 + eps."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for operator, bound in product((ast.Gt(), ast.Lt()), (node.comparators[0], None)):
                other = _other_bound(node.comparators[0]) if bound is None else bound
                is_same = type(node.ops[0]) is type(operator) and bound is not None
                if other is not None and not is_same:
                    new = ast.Compare(node.left, [operator], [other])
                    sentence = worded("{node} is the wrong side: {new}", node=text_of(node), new=text_of(new))
                    yield Proposal(node, new, "sign", sentence, order=1)


def choice_alone(site: Site) -> Iterator[Proposal]:
    """A choice of the code's own: one side of it holds on both. What mends by that mends before all else."""
    for node in ast.walk(site.value):
        for other in _sides_of(node):
            shown = {"choice": text_of(node), "new": text_of(other)}
            sentence = worded("{choice} tells apart what the model does not, and should be {new}", **shown)
            yield Proposal(node, other, "branch", sentence, order=-1)
    if isinstance(site.statement, ast.If) and site.value is site.statement.test:
        sentence = worded(_NO_SUCH_CASE, choice=text_of(site.value))
        for holds in (False, True):
            yield Proposal(
                site.value, ast.Constant(holds), "branch", sentence, remedy=_AS_ELSEWHERE, order=-1
            )
    match site.whole_statement:
        case ast.Assign([ast.Subscript(_, places) as target]) | ast.AugAssign(
            ast.Subscript(_, places) as target
        ) if any(isinstance(each, ast.Compare) for each in ast.walk(places)):
            sentence = worded(_NOT_OVERWRITTEN, target=text_of(target))
            yield Proposal(site.statement, ast.Pass(), "branch", sentence, order=-1)


def _sides_of(node: ast.AST) -> tuple[ast.expr, ...]:
    """What a choice takes on either side; of conditions and masks together, what is left without one."""
    match node:
        case ast.IfExp(_, left, right):
            return left, right
        case ast.Call(ast.Attribute(_, "where"), [_, left, right]):
            return left, right
        case ast.Call(ast.Attribute(_, "maximum" | "minimum" | "fmax" | "fmin"), [left, right, *_]):
            return left, right
        case ast.Call(ast.Attribute(module, "clip"), [value, *_]) if is_numpy(module):
            return (value,)
        case ast.Call(ast.Attribute(value, "clip"), _):
            return (value,)
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
            return left, right
        case ast.BinOp(left, ast.Mult(), right):
            masks = [isinstance(each, ast.Compare) for each in (left, right)]
            return (right,) if masks[0] else (left,) if masks[1] else ()
        case ast.BoolOp(values=[left, right]):
            return left, right
    return ()


def _other_bound(bound: ast.expr) -> ast.expr | None:
    """The bound at the other end of an interval: 1 - eps for 1 + eps, -c for c."""
    match bound:
        case ast.BinOp(left, ast.Add(), right):
            return ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(left, ast.Sub(), right):
            return ast.BinOp(left, ast.Add(), right)
        case ast.UnaryOp(ast.USub(), operand):
            return operand
        case ast.Name() | ast.Attribute():
            return ast.UnaryOp(ast.USub(), bound)
    return None


def connective(site: Site) -> Iterator[Proposal]:
    """And for or, of masks."""
    others: dict[type[ast.operator], ast.operator] = {ast.BitAnd: ast.BitOr(), ast.BitOr: ast.BitAnd()}
    for node in ast.walk(site.value):
        if isinstance(node, ast.BinOp) and type(node.op) in others:
            new = ast.BinOp(node.left, others[type(node.op)], node.right)
            sentence = worded("{node} should be {new}", node=text_of(node), new=text_of(new))
            yield Proposal(node, new, "sign", sentence, order=1)
