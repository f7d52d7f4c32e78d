"""The sizes of layers, and of axes, that the parameters of constructors and functions are likely to mean."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.plans import Argument, SizeOf, Sizes
from symbackprop.handwritten.syntax_of_code import Function
from symbackprop.systems.system import DECLARED_ROLES, Role

LISTS = re.compile(r"sizes|layers|layer_?(sizes|dims)|dims|topology|architecture|structure|shape")

# What takes sizes: x.reshape(n, G, w // G), np.zeros((n, G)), range(G).
_SHAPING = re.compile(
    r"reshape|view|zeros|ones|empty|full|eye|arange|range|split|chunk|tile|repeat|expand|unflatten"
)
# Of these NumPy takes the array before them: np.reshape(x, (n, G)).
_OF_AN_ARRAY = re.compile(r"reshape|split|tile|repeat")


def counts(name: str, function: Function) -> bool:
    """Whether a parameter is used as a number of values: in a shape, beside // or %, compared with one."""
    return any(name in _numbers_in(operand) for each in ast.walk(function.node) for operand in _counted(each))


def _numbers_in(node: ast.AST) -> Iterator[str]:
    """The names that an operand uses as they are, not for their shape: n of (n, x.shape[1], len(y))."""
    match node:
        case ast.Name(name):
            yield name
        case ast.Call(ast.Name("len")) | ast.Attribute():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _numbers_in(child)


def _counted(node: ast.AST) -> Sequence[ast.AST]:
    match node:
        case ast.Call(ast.Name(called) | ast.Attribute(_, called), arguments, keywords) if _SHAPING.fullmatch(
            called
        ):
            takes_array = _is_of_numpy(node.func) and _OF_AN_ARRAY.fullmatch(called)
            return [*arguments[1 if takes_array else 0 :], *(each.value for each in keywords)]
        case ast.BinOp(left, ast.FloorDiv() | ast.Mod(), right):
            return [left, right]
        case ast.Compare(left, _, others) if any(_is_shape(each) for each in (left, *others)):
            return [left, *others]
        case _:
            return []


def _is_of_numpy(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) in ("np", "numpy")


def _is_shape(node: ast.AST) -> bool:
    """x.shape[1], or len(x)."""
    match node:
        case ast.Subscript(ast.Attribute(_, "shape")) | ast.Call(ast.Name("len")):
            return True
        case _:
            return False


def size_called(name: str, naming: Naming) -> SizeOf | None:
    """The size of the model's axis of this name, N of `index n : N`, as the first tensor has it."""
    system = naming.system
    tensors = sorted(system.tensors.values(), key=lambda each: each.role not in DECLARED_ROLES)
    places = (
        (each.name, place)
        for each in tensors
        for place, index in enumerate(each.indices)
        if index.axis.name == name
    )
    return next((SizeOf(tensor, place) for tensor, place in places), None)


def size_abbreviated(name: str, naming: Naming) -> SizeOf | None:
    """The size of the one axis that is called as a name begins: G of groups, n_groups, num_groups."""
    word = re.sub(r"^(n|num|number_of)_", "", name.lower())
    axes = [each.name for each in naming.system.axes if word.startswith(each.name.lower())]
    return size_called(axes[0], naming) if len(axes) == 1 else None


def size_meant(name: str, naming: Naming) -> Argument:
    """The size of the input, of a hidden layer or of the output, or the list of all."""
    if LISTS.fullmatch(name.lower()):
        return _all_sizes(naming)
    system = naming.system
    data = system.with_role(Role.INPUT)
    first = data[0] if data else next(iter(system.tensors.values()))
    last = system.tensors[naming.output]
    word = name.lower()
    if "out" in word or "class" in word:
        return SizeOf(last.name, -1)
    if "hid" in word:
        ends = {first.indices[-1].axis, last.indices[-1].axis}
        for tensor in system.with_role(Role.PARAMETER):
            for place, index in enumerate(tensor.indices):
                if index.axis not in ends:
                    return SizeOf(tensor.name, place)
    return SizeOf(first.name, -1)


def _all_sizes(naming: Naming) -> Sizes:
    """The sizes of a chain of layers, from the input by one matrix after another."""
    system = naming.system
    data = system.with_role(Role.INPUT)
    first = data[0] if data else next(iter(system.tensors.values()))
    axis, found = first.indices[-1].axis, [SizeOf(first.name, -1)]
    for tensor in system.with_role(Role.PARAMETER):
        axes = [index.axis for index in tensor.indices]
        if len(axes) == 2 and axis in axes:
            place = 1 - axes.index(axis)
            axis = axes[place]
            found.append(SizeOf(tensor.name, place))
    return Sizes(tuple(found))
