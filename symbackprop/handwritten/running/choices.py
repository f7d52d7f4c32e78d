"""Where a stranger's code chooses by values: comparisons, conditions, clips; and which sides data reach."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

CHOSEN = "__chosen__"  # the function that the code calls with the place of a choice and its condition
BETWEEN = {"maximum": 2, "minimum": 2, "fmax": 2, "fmin": 2, "clip": 3}  # of NumPy, by their operands
OF_IDENTITY = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
OF_FORM = ("ndim", "dtype", "shape")  # attributes that say what an array is, and nothing of its numbers
LEAST = 1e-5  # a smaller bound guards a division or a logarithm


@dataclass(frozen=True)
class Choice:
    """A condition of the code, or a function that takes one of its operands; `place` says where it stands."""

    node: ast.expr
    place: str

    @property
    def is_of_rounding(self) -> bool:
        """Whether it tells numbers apart that are small beside all others: a guard before a division."""
        return any(0 < each <= LEAST for each in self._numbers)

    @property
    def is_guard(self) -> bool:
        """Whether it is about 0, or about numbers that are equal, which those of data hardly are."""
        operators = [each for each in ast.walk(self.node) if isinstance(each, ast.Eq | ast.NotEq)]
        return bool(operators) or any(each <= LEAST for each in self._numbers)

    @property
    def _numbers(self) -> list[float]:
        constants = [each.value for each in ast.walk(self.node) if isinstance(each, ast.Constant)]
        return [abs(each) for each in constants if isinstance(each, int | float)]


def choices_in(tree: ast.AST) -> Iterator[Choice]:
    """All choices of a file; no assertions, and no questions of what was given, or of which form it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and _is_choice(child, node):
                yield Choice(child, _place_of(child))


def _is_choice(node: ast.expr, parent: ast.AST) -> bool:
    if _asks_for_a_form(node):
        return False
    match node:
        case ast.Compare():
            return True
        case ast.Call(ast.Attribute(_, name)):
            is_test = isinstance(parent, ast.If | ast.IfExp | ast.While) and parent.test is node
            return is_test or name in BETWEEN
    return False


def _asks_for_a_form(node: ast.expr) -> bool:
    match node:
        case ast.Compare(left, operators, others):
            sides = [left, *others]
            return any(isinstance(each, OF_IDENTITY) for each in operators) or any(
                (isinstance(each, ast.Attribute) and each.attr in OF_FORM)
                or (isinstance(each, ast.Constant) and not isinstance(each.value, int | float))
                for each in sides
            )
    return False


def _place_of(node: ast.expr) -> str:
    return f"{node.lineno}:{node.col_offset}:{node.end_lineno}:{node.end_col_offset}"


def noting_choices(tree: ast.Module) -> ast.Module:
    """The file with every choice passed through `CHOSEN`; of a function that takes one, the function."""
    wanted = {id(each.node): each.place for each in choices_in(tree)}

    class Noting(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            place = wanted.get(id(node))
            self.generic_visit(node)
            if place is None or not isinstance(node, ast.expr):
                return node
            is_between = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in BETWEEN
            noted: ast.expr = node.func if isinstance(node, ast.Call) and is_between else node
            call = ast.Call(ast.Name(CHOSEN, ast.Load()), [ast.Constant(place), noted], [])
            ast.copy_location(call, noted)
            if isinstance(node, ast.Call) and is_between:
                node.func = call
                return ast.fix_missing_locations(node)
            return ast.fix_missing_locations(call)

    Noting().generic_visit(tree)
    return tree


class Sides:
    """Records the sides of choices that come up, `place|side`, and `place|` where numbers of data decide."""

    def __init__(self) -> None:
        self.reached: set[str] = set()

    def chosen(self, place: str, value: Any) -> Any:
        """Record a condition, and give it back; of a function, one that does the same and records."""
        if callable(value) and not isinstance(value, np.ndarray):
            return partial(self._between, place, value)
        if isinstance(value, bool | np.bool_ | np.ndarray):
            self.reached.update(f"{place}|{bool(each)}" for each in np.unique(np.asarray(value, dtype=bool)))
            if not isinstance(value, bool):
                self.reached.add(f"{place}|")
        return value

    def _between(self, place: str, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        owner = getattr(function, "__self__", None)
        given = [owner] if isinstance(owner, np.ndarray) else []
        bounds = [more[name] for name in ("a_min", "a_max", "min", "max") if name in more]
        first, *others = [*given, *arguments, *bounds][: BETWEEN.get(function.__name__, 0)] or [None]
        for number, other in enumerate(others):
            if isinstance(other, int | float | np.ndarray | np.generic) and first is not None:
                signs = np.unique(np.sign(np.subtract(first, other)))
                self.reached.update(f"{place}|{number}{int(sign):+d}" for sign in signs if abs(sign) == 1)
                self.reached.add(f"{place}|")
        return function(*arguments, **more)
