"""A gradient's code as a syntax tree in which faults are planted, one at a time.

What is planted changes the statements that lead to the gradients in `value_and_grad`, never the loss.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from symbackprop.emission.target import Target

FORWARD = ("_forward", "_loss")
GRADIENTS = "value_and_grad"
BEFORE = ("tensors", "grads")  # statements that assign these are none of the gradient's own

Edit: TypeAlias = Callable[[ast.expr, "GradientCode"], Iterable[ast.expr]]
Rewrite: TypeAlias = Callable[[list[ast.stmt], "GradientCode"], Iterable[list[ast.stmt]]]


@dataclass(frozen=True)
class Planted:
    """A module with one fault in it: where, what stood there and what stands there now."""

    fault: str
    line: int
    before: str
    after: str
    source: str


@dataclass(frozen=True)
class Activation:
    """z = f(u), element by element, as the forward pass computes it; `call` makes f of something else."""

    name: str
    value: str
    argument: str
    call: ast.Call


class GradientCode:
    """A generated module's tree, and what its forward pass says of the names that the gradient reads."""

    def __init__(self, source: str, target: Target) -> None:
        self.tree = ast.parse(source)
        self.target = target

    def _function(self, name: str) -> ast.FunctionDef | None:
        found = [each for each in self.tree.body if isinstance(each, ast.FunctionDef) and each.name == name]
        return found[0] if found else None

    @property
    def gradients(self) -> ast.FunctionDef:
        """The function that computes them."""
        function = self._function(GRADIENTS)
        assert function is not None, f"a generated module has {GRADIENTS}"
        return function

    @cached_property
    def forward_values(self) -> dict[str, ast.expr]:
        """Each name that the forward pass assigns, or of which it fills a slice, with what it assigns."""
        found: dict[str, ast.expr] = {}
        for function in map(self._function, FORWARD):
            for statement in ast.walk(function) if function is not None else ():
                if isinstance(statement, ast.Assign):
                    name = base_name(statement.targets[0])
                    if name is not None and not _is_allocation(statement.value):
                        found[name] = statement.value
        return found

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The elementwise functions of one array in the forward pass."""
        found = []
        calls = frozenset(self.target.calls.values())
        for value, expression in self.forward_values.items():
            if isinstance(expression, ast.Call) and expression.args and not expression.keywords:
                argument = base_name(expression.args[0])
                name = ast.unparse(expression.func)
                if argument is not None and name in calls:
                    found.append(Activation(name, value, argument, expression))
        return tuple(found)

    def is_given(self, name: str) -> bool:
        """Whether a name of the forward pass is one of the model's declared tensors."""
        value = self.forward_values.get(name)
        return value is None or base_name(value) == "tensors"

    @cached_property
    def steps(self) -> frozenset[str]:
        """The variables of loops over steps."""
        loops = (node for node in ast.walk(self.gradients) if isinstance(node, ast.For))
        return frozenset(loop.target.id for loop in loops if isinstance(loop.target, ast.Name))


def base_name(node: ast.expr) -> str | None:
    """`z` of `z` and of `z[:, t]`; None for anything else."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def names_in(node: ast.AST) -> frozenset[str]:
    """Every name that is read, but for NumPy's."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name)) - {"np"}


def _is_allocation(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.empty", "np.zeros")


def factors_of(node: ast.expr) -> list[ast.expr]:
    """The factors of a product as it is written, a quotient's dividend among them."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*factors_of(node.left), *factors_of(node.right)]
    return [node]


def product_of(factors: list[ast.expr]) -> ast.expr:
    """The product of factors, 1 of none."""
    if not factors:
        return ast.Constant(1.0)
    product = factors[0]
    for factor in factors[1:]:
        product = ast.BinOp(product, ast.Mult(), factor)
    return product


def expression(text: str, **parts: ast.expr) -> ast.expr:
    """An expression of Python with other ones in the place of names."""
    node = ast.parse(text, mode="eval").body
    return replaced(node, lambda each: parts.get(each.id) if isinstance(each, ast.Name) else None)


def replaced(node: ast.expr, change: Callable[[ast.expr], ast.expr | None]) -> ast.expr:
    """A copy in which what `change` gives something for is that, outermost first."""

    class Replacing(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> ast.AST:
            new = change(each) if isinstance(each, ast.expr) else None
            return copy.deepcopy(new) if new is not None else self.generic_visit(each)

    result = Replacing().visit(copy.deepcopy(node))
    assert isinstance(result, ast.expr)
    return result


def is_of_the_gradient(statement: ast.stmt) -> bool:
    """Whether a statement computes something on the way to a gradient."""
    if not isinstance(statement, ast.Assign):
        return False
    name = base_name(statement.targets[0])
    return name is not None and name not in BEFORE and not _is_preparation(statement.value)


def _is_preparation(value: ast.expr) -> bool:
    """Whether a value is the forward pass's, a tensor as it was given, a size, a dtype or an empty array."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in FORWARD or _is_allocation(value)
    named = base_name(value) if isinstance(value, ast.Subscript) else None
    of_array = [each.attr for each in ast.walk(value) if isinstance(each, ast.Attribute)]
    return named == "tensors" or bool({"shape", "dtype"} & set(of_array[:1]))


def by_edit(source: str, target: Target, fault: str, edit: Edit) -> Iterator[Planted]:
    """A module for each expression on the way to the gradients and each way in which it can be made wrong."""
    code = GradientCode(source, target)
    nodes = [
        node
        for statement in ast.walk(code.gradients)
        if isinstance(statement, ast.Assign) and is_of_the_gradient(statement)
        for node in ast.walk(statement.value)
        if isinstance(node, ast.expr)
    ]
    for node in nodes:
        for new in edit(node, code):
            yield _planted(code, fault, node, new)


def _planted(code: GradientCode, fault: str, node: ast.expr, new: ast.expr) -> Planted:
    class Planting(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> ast.AST:
            return new if each is node else self.generic_visit(each)

    # Copied with the node itself kept, for it is found by identity.
    tree = Planting().visit(copy.deepcopy(code.tree, {id(node): node}))
    after = ast.unparse(ast.fix_missing_locations(tree))
    return Planted(fault, node.lineno, ast.unparse(node), ast.unparse(new), after)


def by_rewrite(source: str, target: Target, fault: str, rewrite: Rewrite) -> Iterator[Planted]:
    """A module for each way in which a block of statements can be made wrong."""
    code = GradientCode(source, target)
    for block in (node for node in ast.walk(code.gradients) if isinstance(node, ast.FunctionDef | ast.For)):
        before = block.body
        for body in rewrite(list(before), code):
            block.body = body
            after = ast.unparse(ast.fix_missing_locations(code.tree))
            changed = next((new for new in body if not any(new is old for old in before)), body[-1])
            yield Planted(fault, block.lineno, "", ast.unparse(changed), after)
        block.body = before
