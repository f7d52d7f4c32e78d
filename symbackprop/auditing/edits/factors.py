"""Factors and terms that a statement has too much or lacks, as changes that would mend it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import product

from symbackprop.auditing.edits.steps import items_at_steps
from symbackprop.auditing.injections import Arsenal
from symbackprop.auditing.sites import Injected, Proposal, Site
from symbackprop.auditing.syntax_parts import expression, is_numpy, sums_in, text_of
from symbackprop.languages.phrases import marked, worded

_MISSES_FACTOR = marked("{what} misses the factor {factor}")
_MISSES_DIVISOR = marked("{what} misses the divisor {factor}")
_MISSES_BEFORE = marked("{what}, as it stands before this line, misses the divisor {factor}")
_DIVIDED, _MULTIPLIED = (
    marked("{left} should be divided by {right}"),
    marked("{left} should be multiplied by {right}"),
)
_NOT_SUBTRACTED = marked("{term} should not be subtracted")
SMALL_NUMBERS = ("2", "3", "4", "0.5")
# Powers of an array that may be a factor, as code, and what a sentence calls them.
POWERS = ("1 / {}", "{} ** 2", "1 / {} ** 2", "{} ** 0.5", "{} ** -0.5")
MOST_AT_HAND = 24
NO_ARRAYS = (ast.Constant, ast.Starred, ast.Tuple, ast.List)


def another_factor(site: Site) -> Iterator[Proposal]:
    """A factor or divisor that the code has by a name is missing."""
    if site.shape is None:
        return
    for name, array in site.values.items():
        if name.isidentifier() and array.ndim <= len(site.shape) and name != site.target:
            for operator, template in ((ast.Mult(), _MISSES_FACTOR), (ast.Div(), _MISSES_DIVISOR)):
                new = ast.BinOp(site.value, operator, ast.Name(name, ast.Load()))
                sentence = worded(template, what=site.said_value, factor=name)
                kind = "missing factor" if array.ndim else "factor"
                yield Proposal(site.value, new, kind, sentence, order=1)


def factor_of_a_term(site: Site) -> Iterator[Proposal]:
    """A number, or a size that the code has by a name, is missing in one term."""
    scalars = [name for name, array in site.values.items() if array.ndim == 0 and name.isidentifier()]
    for node in sums_in(site):
        for term, factor in product((node.left, node.right), (*scalars, *SMALL_NUMBERS)):
            order = 1 + isinstance(term, ast.Name)  # rather where that is made
            sentence = worded("the term {term} misses the factor {factor}", term=text_of(term), factor=factor)
            new = ast.BinOp(expression(factor), ast.Mult(), term)
            yield Proposal(term, new, "factor", sentence, order=order)
            if factor in scalars:
                sentence = worded(
                    "the term {term} should be divided by {factor}", term=text_of(term), factor=factor
                )
                yield Proposal(
                    term, ast.BinOp(term, ast.Div(), expression(factor)), "factor", sentence, order=order
                )


def factor_of_what_was(site: Site) -> Iterator[Proposal]:
    """A size that the code has by a name is missing in what was added up before a line adds to it."""
    match site.whole_statement:
        case ast.AugAssign(ast.Name(name) as target, ast.Add() | ast.Sub() as operator, value):
            before = ast.Name(name, ast.Load())
            for scalar in [
                each for each, array in site.values.items() if not array.ndim and each.isidentifier()
            ]:
                divided = ast.BinOp(before, ast.Div(), expression(scalar))
                new = ast.Assign([target], ast.BinOp(divided, operator, value), lineno=0)
                sentence = worded(_MISSES_BEFORE, what=name, factor=scalar)
                yield Proposal(site.statement, new, "factor", sentence, order=2)


def extra_factor(site: Site) -> Iterator[Proposal]:
    """A factor or divisor too much."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            sentence = worded(
                "{factor} should not stand in {node}", factor=text_of(node.right), node=text_of(node)
            )
            yield Proposal(node, node.left, "factor", sentence)
            if isinstance(node.op, ast.Mult):
                yield Proposal(
                    node,
                    node.right,
                    "factor",
                    worded(
                        "{factor} should not stand in {node}", factor=text_of(node.left), node=text_of(node)
                    ),
                )
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield Proposal(
                node, node.left, "power", worded("{left} should not be raised", left=text_of(node.left))
            )
            for exponent in ("2", "3", "0.5", "-1", "-0.5", "-1.5"):
                new = ast.BinOp(node.left, ast.Pow(), expression(exponent))
                yield Proposal(
                    node, new, "power", worded("{left} is raised to the wrong power", left=text_of(node.left))
                )


def missing_power(site: Site) -> Iterator[Proposal]:
    """An operand is not squared."""
    products = [each for each in ast.walk(site.value) if isinstance(each, ast.BinOp)]
    for node in [each for each in products if not isinstance(each.op, ast.Pow)]:
        for each in (node.left, node.right):
            if isinstance(each, ast.Name | ast.Attribute | ast.Subscript):
                new = ast.BinOp(each, ast.Pow(), expression("2"))
                kind, sentence = "power", worded("{each} should be squared", each=text_of(each))
                if isinstance(node.op, ast.Mult):
                    kind, sentence = (
                        "missing factor",
                        worded("{what} misses the factor {factor}", what=text_of(node), factor=text_of(each)),
                    )
                yield Proposal(each, new, kind, sentence, order=1)


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
        yield Proposal(
            node, new, "power", worded("{node} should be {new}", node=text_of(node), new=text_of(new))
        )


def wrong_operation(site: Site) -> Iterator[Proposal]:
    """A product for a quotient, an added factor squared or inverted."""
    for node in ast.walk(site.value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            other = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
            template = _DIVIDED if isinstance(node.op, ast.Mult) else _MULTIPLIED
            sentence = worded(
                template,
                left=text_of(node.left),
                right=text_of(node.right),
            )
            yield Proposal(node, ast.BinOp(node.left, other, node.right), "factor", sentence, order=1)


def divisor_at_hand(site: Site) -> Iterator[Proposal]:
    """A quotient is one by the sum of an array that the code has at hand: by w.sum(), not by len(x)."""
    for node in ast.walk(site.value):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            continue
        for name in arrays_at_hand(site):
            total = expression("array.sum()", array=expression(name))
            sentence = worded(_DIVIDED, left=text_of(node.left), right=text_of(total))
            yield Proposal(node.right, total, "factor", sentence, order=1)


def extra_term(site: Site) -> Iterator[Proposal]:
    """A term too much."""
    for node in sums_in(site):
        is_added = isinstance(node.op, ast.Add)
        template = "{term} should not be added" if is_added else _NOT_SUBTRACTED
        sentence = worded(template, term=text_of(node.right))
        yield Proposal(node, node.left, "doubled term", sentence, order=1)
        right = node.right if is_added else ast.UnaryOp(ast.USub(), node.right)
        yield Proposal(
            node,
            right,
            "doubled term",
            worded("{term} should not be added", term=text_of(node.left)),
            order=1,
        )


def factor_at_hand(site: Site) -> Iterator[Proposal]:
    """An array that the code has at hand is missing in a term or a factor of a product."""
    yield from _with_arrays_at_hand(site, ("{}",))


def power_at_hand(site: Site) -> Iterator[Proposal]:
    """A power of an array that the code has at hand is missing in a term or a factor of a product."""
    yield from _with_arrays_at_hand(site, POWERS)


def _with_arrays_at_hand(site: Site, powers: Sequence[str]) -> Iterator[Proposal]:
    for power, text in product(powers, arrays_at_hand(site)):
        for node in operands(site):
            for shown in (text, f"{text}[:, None]")[: 1 + (site.values[text].ndim == 1)]:
                factor = expression(power.format(shown))
                new = expression("left * factor", left=node, factor=factor)
                kind, sentence, order = _lacking(site, node, text_of(new), text_of(factor))
                yield Proposal(node, new, kind, sentence, order=order)


def term_at_hand(site: Site) -> Iterator[Proposal]:
    """An array or a number that the code has by a name is missing as a term: in a sum, under a condition."""
    sides = [site.value, *(each.left for each in ast.walk(site.value) if isinstance(each, ast.Compare))]
    arguments = [each.args for each in ast.walk(site.value) if isinstance(each, ast.Call)]
    sides += [each for own in arguments for each in own if isinstance(each, ast.BinOp)]
    numbers = [name for name, array in site.values.items() if not array.ndim and array.dtype.kind == "f"]
    at_hand = (*arrays_at_hand(site), *items_at_steps(site), *numbers)
    for name, node, sign in product(at_hand, sides, ("+", "-")):
        new = expression(f"left {sign} right", left=node, right=expression(name))
        where = site.said_value if node is site.value else text_of(node)
        yield Proposal(
            node,
            new,
            "missing term",
            worded("the term {term} is missing in {code}", term=name, code=where),
            order=1,
        )


def _lacking(site: Site, node: ast.expr, new: str, factor: str) -> tuple[str, str, int]:
    """The kind, the sentence and the order where a part of a value should have a factor more."""
    terms = {id(each) for total in sums_in(site) for each in (total.left, total.right)}
    if node is site.value:
        return (
            "missing factor",
            worded("{what} misses the factor {factor}", what=site.said_value, factor=factor),
            1,
        )
    if id(node) in terms:
        return (
            "missing factor",
            worded("the term {term} misses the factor {factor}", term=text_of(node), factor=factor),
            1,
        )
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return "wrong value", worded("reads {node} where {new} should stand", node=text_of(node), new=new), 1
    return "missing factor", worded("{what} misses the factor {factor}", what=text_of(node), factor=factor), 2


def arrays_at_hand(site: Site) -> list[str]:
    """The arrays around a statement, by their shortest names; what it makes itself is none."""
    named: dict[bytes, str] = {}
    for name, array in site.values.items():
        own = repr(array.shape).encode() + array.tobytes()
        if array.ndim and array.size > 1 and array.dtype.kind == "f" and name != site.target:
            named[own] = min(named.get(own, name), name, key=len)
    return list(named.values())[:MOST_AT_HAND]


def operands(site: Site) -> list[ast.expr]:
    """What a factor may stand beside: the value, terms, what is summed, factors of matrix products."""
    found: list[ast.expr] = [site.value]
    for node in ast.walk(site.value):
        match node:
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.MatMult(), right):
                found += [left, right]
            case ast.Call(function, arguments):
                if isinstance(function, ast.Attribute) and not is_numpy(function.value):
                    found.append(function.value)
                found += [each for each in arguments if not isinstance(each, NO_ARRAYS)]
            case ast.Attribute(value, "T"):
                found.append(value)
    return found


def missing_tensor(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """A tensor of the forward pass that the code does not keep is missing as a factor."""
    for tensor in arsenal.not_at_hand(site):
        for reading, node in product(_beside(tensor, site), operands(site)):
            whole = site.said_value if node is site.value else text_of(node)
            new = ast.BinOp(node, ast.Mult(), reading)
            sentence = worded("{what} misses the factor {factor}", what=whole, factor=tensor.text)
            remedy = worded("multiply {what} by {factor}", what=whole, factor=tensor.text)
            yield Proposal(node, new, "missing factor", sentence, (tensor,), remedy, 2)


def _beside(injected: Injected, site: Site) -> Iterator[ast.expr]:
    """The array as a factor of what a statement computes: over its first axes, or its last."""
    shape, own = site.shape, injected.arrays[0].shape
    if shape is None or len(own) > len(shape):
        return
    if own == shape[len(shape) - len(own) :]:
        yield ast.Name(injected.name, ast.Load())
    elif own == shape[: len(own)]:
        yield expression(
            f"{injected.name}[{', '.join([':'] * len(own) + ['None'] * (len(shape) - len(own)))}]"
        )
