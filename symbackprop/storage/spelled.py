"""Expressions as lists that JSON holds, and back: every node by its class and its fields."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Comparison,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction

_NODES = (
    *(Add, Apply, Comparison, Constant, Delta, Element, Index, Logic, MatrixFunction, Multiply, Number),
    *(Power, Reduction, Size, Where),
)
_BY_NAME: Mapping[str, type[Any]] = {each.__name__: each for each in (Axis, *_NODES)}
_FIELDS: Mapping[type[Any], tuple[str, ...]] = {each: each.__match_args__ for each in _BY_NAME.values()}
_TUPLE, _FRACTION = "()", "/"


def spelled(value: object) -> Any:
    """A node, or a tuple of nodes, as lists. Raises KeyError for what is neither."""
    match value:
        case None | str() | int():
            return value
        case tuple():
            return [_TUPLE, *map(spelled, value)]
        case Fraction():
            return [_FRACTION, value.numerator, value.denominator]
    return [type(value).__name__, *[spelled(getattr(value, name)) for name in _FIELDS[type(value)]]]


def read(lists: object) -> Any:
    """What has been spelled so. Raises ValueError, TypeError or KeyError for what nothing is spelled as."""
    match lists:
        case None | str() | int():
            return lists
        case [str(kind), *parts] if kind == _TUPLE:
            return tuple(map(read, parts))
        case [str(kind), int(numerator), int(denominator)] if kind == _FRACTION and denominator:
            return Fraction(numerator, denominator)
        case [str(kind), *parts]:
            return _BY_NAME[kind](*map(read, parts))
    raise ValueError(f"{type(lists).__name__} spells no node")


def read_expression(lists: object) -> Expression:
    """The same, of an expression whose nodes all hang together. Raises ValueError where they do not."""
    try:
        found = read(lists)
        nodes = [found] if isinstance(found, Expression) else []
        for node in nodes:
            nodes.extend(node.children)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError("no expression is spelled so") from error
    if not nodes or not all(isinstance(node, Expression) and spelled(node) for node in nodes):
        raise ValueError("no expression is spelled so")
    return nodes[0]
