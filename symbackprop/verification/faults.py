"""The faults of hand-written gradients, as a table: each says what it is and where it can be planted.

They are planted in the syntax tree of generated modules, so that a check can be shown to notice them, and an
audit to name them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from symbackprop.verification.planting import (
    Activation,
    Edit,
    GradientCode,
    Planted,
    Rewrite,
    base_name,
    by_edit,
    by_rewrite,
    expression,
    factors_of,
    is_of_the_gradient,
    names_in,
    product_of,
    replaced,
)

ONE_ELEMENT = 1.001  # what the wrong element of a gradient is multiplied by


@dataclass(frozen=True)
class Fault:
    """A way to get a gradient wrong. `statement` says it as one would to whoever wrote it."""

    name: str
    statement: str
    edit: Edit | None = None
    rewrite: Rewrite | None = None

    def planted(self, source: str) -> Iterator[Planted]:
        """The module with this fault, once for each place where it can be; some change no value."""
        if self.edit is not None:
            yield from by_edit(source, self.name, self.edit)
        if self.rewrite is not None:
            yield from by_rewrite(source, self.name, self.rewrite)


def _sign(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(left, ast.Add(), right)
        case ast.BinOp(left, ast.Add(), right) if not names_in(node) <= code.steps:
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(_, ast.MatMult(), _):
            yield ast.UnaryOp(ast.USub(), node)
        case ast.UnaryOp(ast.USub(), operand):
            yield operand


def _transposed(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _lost_factor(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _missing_derivative(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    for _, others, _ in _with_derivative(node, code):
        yield product_of(others)


def _derivative_elsewhere(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    for activation, others, own in _with_derivative(node, code):

        def moved(each: ast.expr, activation: Activation = activation) -> ast.expr | None:
            if base_name(each) not in (activation.argument, activation.value):
                return None
            call = copy.deepcopy(activation.call)
            call.args[0] = each
            return call

        yield product_of([*others, *(replaced(factor, moved) for factor in own)])


OTHER_DERIVATIVES = {
    "sigmoid": "z * (1.0 - z)",
    "tanh": "1.0 - z**2",
    "maximum": "(z > 0.0)",
    "exp": "z",
}


def _another_derivative(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    for activation, others, own in _with_derivative(node, code):
        read = next(
            (each for factor in own for each in ast.walk(factor) if _is_value(each, activation)), None
        )
        for name, derivative in OTHER_DERIVATIVES.items():
            if name != activation.name and isinstance(read, ast.expr):
                yield product_of([*others, expression(derivative, z=read)])


def _is_value(node: ast.AST, activation: Activation) -> bool:
    return isinstance(node, ast.Name | ast.Subscript) and base_name(node) in (
        activation.value,
        activation.argument,
    )


def _wrong_sum(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _other_side(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _tie_twice(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ast.Call(ast.Attribute(_, "argmax" | "argmin" as kind)) as found, [ast.Eq()], [_]):
            extreme = copy.deepcopy(found)
            extreme.func = expression(f"np.{kind.removeprefix('arg')}")
            yield expression("a == b", a=found.args[0], b=extreme)


def _dropped_sum(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _other_step(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
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


def _before_update(node: ast.expr, code: GradientCode) -> Iterator[ast.expr]:
    """What a forward value was before its last term, a tensor of the model, came in."""
    if not isinstance(node, ast.Name):
        return
    match code.forward_values.get(node.id):
        case ast.BinOp(_, ast.Add(), ast.Name(term)) if code.is_given(term):
            yield expression(f"a - tensors['{term}']", a=node)
        case ast.BinOp(_, ast.Sub(), ast.Name(term)) if code.is_given(term):
            yield expression(f"a + tensors['{term}']", a=node)


def _from_the_step_before(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
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


def _one_element(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
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


def _another_precision(body: list[ast.stmt], code: GradientCode) -> Iterator[list[ast.stmt]]:
    for place, statement in enumerate(body):
        if isinstance(statement, ast.Assign) and is_of_the_gradient(statement):
            for text in ("np.asarray(a, dtype=np.float32)", HIDDEN, "np.asarray(a, dtype=np.float64)"):
                wrong = ast.Assign(statement.targets, expression(text, a=statement.value))
                yield [*body[:place], wrong, *body[place + 1 :]]


FAULTS = (
    Fault("sign", "a term has the wrong sign", edit=_sign),
    Fault("transpose", "a matrix is transposed, or is not", edit=_transposed),
    Fault("lost factor", "a constant factor is lost: the 1/2 of a square, the 1/B of a mean",
          edit=_lost_factor),
    Fault("missing f'", "the activation's derivative is missing", edit=_missing_derivative),
    Fault("f' at z", "the activation's derivative is taken at its value, not at its argument",
          edit=_derivative_elsewhere),
    Fault("another f'", "another activation's derivative stands there", edit=_another_derivative),
    Fault("sum", "a sum runs over the wrong axis, or is a mean", edit=_wrong_sum),
    Fault("one element", "one element is wrong", rewrite=_one_element),
    Fault("kink", "at a kink the derivative is that of the other side", edit=_other_side),
    Fault("tie", "at a tie every maximum gets the gradient", edit=_tie_twice),
    Fault("dropped sum", "a sum is left out, as if it were 0 or 1", edit=_dropped_sum),
    Fault("stale step", "a value of a recurrence is read at the step before or behind", edit=_other_step),
    Fault("stale value", "a value is read as it was before it was updated", edit=_before_update,
          rewrite=_from_the_step_before),
    Fault("precision", "float32 leaks into float64 results, or float64 into float32 ones",
          rewrite=_another_precision),
)  # fmt: skip
