"""How each fault is planted: functions of an expression, or of a block of statements, in a gradient's code.

Each gives the wrong expressions that could stand in the place of a right one, or the wrong blocks.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from functools import partial

from symbackprop.faults.activations import VALUE, derivatives_by_call
from symbackprop.faults.planting import (
    Activation,
    GradientCode,
    base_name,
    expression,
    factors_of,
    is_of_the_gradient,
    names_in,
    product_of,
    replaced,
)

ONE_ELEMENT = 1.001  # what the wrong element of a gradient is multiplied by


def sign(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """a - b for a + b, and the reverse; -(A @ B)."""
    match node:
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(left, ast.Add(), right)
        case ast.BinOp(left, ast.Add(), right) if not names_in(node) <= code.steps:
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(_, ast.MatMult(), _):
            yield ast.UnaryOp(ast.USub(), node)
        case ast.UnaryOp(ast.USub(), operand):
            yield operand


def transposed(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """A for A.T, A.T for A, and an inverse's transpose."""
    match node:
        case ast.Attribute(value, "T"):
            yield value
        case ast.BinOp(left, ast.MatMult(), right):
            if not isinstance(left, ast.Attribute):
                yield ast.BinOp(expression("a.T", a=left), ast.MatMult(), right)
            if not isinstance(right, ast.Attribute):
                yield ast.BinOp(left, ast.MatMult(), expression("a.T", a=right))
        case ast.Call(ast.Attribute(ast.Attribute(_, "linalg"), "inv")):
            yield expression("np.swapaxes(a, -1, -2)", a=node)


def lost_factor(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """A product without a number or size in it, a quotient without the one that it divides by."""
    match node:
        case ast.BinOp(left, ast.Div(), right) if _is_number_or_size(right):
            yield left
        case ast.BinOp(left, ast.Mult(), right):
            if _is_number_or_size(left):
                yield right
            if _is_number_or_size(right):
                yield left


def _is_number_or_size(node: ast.expr) -> bool:
    """A constant or a size, as a mean divides by; generated code gives sizes their axes' names."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(name):
            return name.isupper() or name.split("_")[0].isupper()
        case ast.BinOp(left, ast.Pow(), ast.Constant()):
            return _is_number_or_size(left)
    return False


def _is_derivative_of(factor: ast.expr, activation: Activation) -> bool:
    """Whether a factor is made of nothing but the argument or the value of an activation."""
    names = names_in(factor)
    return bool(names) and names <= {activation.argument, activation.value}


def _with_derivative(
    node: ast.expr, code: GradientCode
) -> Iterator[tuple[Activation, list[ast.expr], list[ast.expr]]]:
    """The activations whose derivative stands in a product: the other factors, and its own."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return
    factors = factors_of(node)
    for activation in code.activations:
        own = [factor for factor in factors if _is_derivative_of(factor, activation)]
        others = [factor for factor in factors if not _is_derivative_of(factor, activation)]
        if own and others:
            yield activation, others, own


def missing_derivative(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """A product without the derivative of the activation."""
    for _, others, _ in _with_derivative(node, code):
        yield product_of(others)


def derivative_elsewhere(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """The derivative of the activation f with f(z) for z and f(u) for u."""
    for activation, others, own in _with_derivative(node, code):

        def moved(each: ast.expr, activation: Activation = activation) -> ast.expr | None:
            if base_name(each) not in (activation.argument, activation.value):
                return None
            call = copy.deepcopy(activation.call)
            call.args[0] = each
            return call

        yield product_of([*others, *(replaced(factor, moved) for factor in own)])


def another_derivative(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """The derivative of another activation, in terms of its value."""
    for activation, others, own in _with_derivative(node, code):
        read = next(
            (each for factor in own for each in ast.walk(factor) if _is_value(each, activation)), None
        )
        for name, derivative in derivatives_by_call(code.target).items():
            if name != activation.name and isinstance(read, ast.expr):
                yield product_of([*others, replaced(derivative, partial(_read_of, read=read))])


def _read_of(node: ast.expr, read: ast.expr) -> ast.expr | None:
    return read if isinstance(node, ast.Name) and node.id == VALUE else None


def _is_value(node: ast.AST, activation: Activation) -> bool:
    return isinstance(node, ast.Name | ast.Subscript) and base_name(node) in (
        activation.value,
        activation.argument,
    )


def wrong_sum(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """The mean, or the sum over another axis."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "np.sum"):
        return
    mean = copy.deepcopy(node)
    mean.func = expression("np.mean")
    yield mean
    for place, keyword in enumerate(node.keywords):
        if keyword.arg == "axis":
            for axis in (0, 1, 2):
                if ast.unparse(keyword.value) != str(axis):
                    other = copy.deepcopy(node)
                    other.keywords[place].value = ast.Constant(axis)
                    yield other


SIDES = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}


def other_side(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """u >= v for u > v, and the reverse; sign(0) = 1."""
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in SIDES and not _is_of_places(
            node, code
        ):
            yield ast.Compare(left, [SIDES[type(operator)]()], [right])
        case ast.Call(ast.Attribute(_, "sign"), [argument]):
            yield expression("np.copysign(1.0, a)", a=argument)


def _is_of_places(node: ast.AST, code: GradientCode) -> bool:
    """Whether a comparison is one of positions and sizes."""
    has_positions = any(isinstance(each, ast.Attribute) and each.attr == "arange" for each in ast.walk(node))
    return has_positions or all(name.isupper() or name in code.steps for name in names_in(node))


def tie_twice(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """1 wherever the maximum is taken on, for 1 where it is first."""
    match node:
        case ast.Compare(ast.Call(ast.Attribute(_, "argmax" | "argmin" as kind)) as found, [ast.Eq()], [_]):
            extreme = copy.deepcopy(found)
            extreme.func = expression(f"np.{kind.removeprefix('arg')}")
            yield expression("a == b", a=found.args[0], b=extreme)


def dropped_sum(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """One side of a sum or difference, without the side that reduces something."""
    match node:
        case ast.BinOp(left, ast.Sub() | ast.Add(), right):
            if _is_reduction(right):
                yield left
            if _is_reduction(left):
                yield right


def _is_reduction(node: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func) in ("np.sum", "np.mean", "np.einsum")
        for each in ast.walk(node)
    )


def other_step(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """Another step of what a recurrence carries."""
    if not isinstance(node, ast.Subscript):
        return
    for each in ast.walk(node.slice):
        if isinstance(each, ast.BinOp) and names_in(each) & code.steps:
            yield replaced(node, partial(_step_of, shifted=each, code=code))
            return
    if names_in(node.slice) & code.steps:
        yield replaced(
            node,
            lambda part: (
                expression("t - 1", t=part) if isinstance(part, ast.Name) and part.id in code.steps else None
            ),
        )


def _step_of(part: ast.expr, shifted: ast.BinOp, code: GradientCode) -> ast.expr | None:
    """t where t + 1 stood."""
    is_it = isinstance(part, ast.BinOp) and ast.dump(part) == ast.dump(shifted)
    return (
        next((each for each in (shifted.left, shifted.right) if names_in(each) & code.steps), None)
        if is_it
        else None
    )


def before_update(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """What a forward value was before its last term, a tensor of the model, came in."""
    if not isinstance(node, ast.Name):
        return
    match code.forward_values.get(node.id):
        case ast.BinOp(_, ast.Add(), ast.Name(term)) if code.is_given(term):
            yield expression(f"a - tensors['{term}']", a=node)
        case ast.BinOp(_, ast.Sub(), ast.Name(term)) if code.is_given(term):
            yield expression(f"a + tensors['{term}']", a=node)


def from_the_step_before(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
    """In a loop, what is read is what the last turn left: the statement stands behind its readers."""
    for place, statement in enumerate(body):
        if not (is_of_the_gradient(statement) and isinstance(statement, ast.Assign)):
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Subscript) and names_in(target) & code.steps:
            later = [*body[:place], *body[place + 1 :], statement]
            name = base_name(target)
            if any(name in names_in(each) for each in body[place + 1 :]):
                start = ast.Assign([target], ast.Constant(0.0))
                yield [*later[:place], start, *later[place:]]


def one_element(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
    """The first, then the last element of each gradient multiplied by `ONE_ELEMENT`."""
    for place, statement in enumerate(body):
        if isinstance(statement, ast.Assign) and base_name(statement.targets[0]) == "grads":
            assert isinstance(statement.value, ast.Dict)
            for gradient in statement.value.values:
                for element in (0, -1):
                    wrong = ast.parse(f"g = np.array(g)\ng.flat[{element}] *= {ONE_ELEMENT}").body
                    renamed = [_renamed(each, ast.unparse(gradient)) for each in wrong]
                    if isinstance(gradient, ast.Name):
                        yield [*body[:place], *renamed, *body[place:]]


def _renamed(statement: ast.stmt, name: str) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id == "g":
            node.id = name
    return statement


HIDDEN = "np.asarray(a, dtype=np.float32).astype(np.asarray(a).dtype)"


def another_precision(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
    """Each value in float32, in float32 and back, and in float64."""
    for place, statement in enumerate(body):
        if isinstance(statement, ast.Assign) and is_of_the_gradient(statement):
            for text in ("np.asarray(a, dtype=np.float32)", HIDDEN, "np.asarray(a, dtype=np.float64)"):
                wrong = ast.Assign(statement.targets, expression(text, a=statement.value))
                yield [*body[:place], wrong, *body[place + 1 :]]
