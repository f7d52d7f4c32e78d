"""What is printed means what the value says: Python's own parser reads the value's tree from the text."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from symbackprop.array.ir import (
    AxisSize,
    Cast,
    Copy,
    Elementwise,
    Expand,
    Fill,
    Literal,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.linear_algebra import Determinant, Diagonal, Solve
from symbackprop.array.lookups import Clip, Gather
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.slices import Conditional, Count, Flip, OfPythonInts, Pad, Pick, Select, Span, Whole
from symbackprop.array.value import Value
from symbackprop.array.views import inferred_group
from symbackprop.array.whole_numbers import count_of
from symbackprop.errors import ProgramError
from symbackprop.indexing.counting import Extent
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import Apply, Axis, Index, Number, Size
from symbackprop.schedule.kinds import Kind
from symbackprop.targets.numpy.python_expressions import (
    Piece,
    attribute,
    binary,
    call,
    number,
    power,
    slice_of,
    subscript,
    variable,
)
from symbackprop.targets.numpy.values import NumpyValues

T, S, D = Axis("T", "t"), Axis("S", "s"), Axis("D", "d", 4)
t, t2, s, d = Index("t", T), Index("t2", T), Index("s", S), Index("d", D)
SHORTER = Extent("T less", "t", None, length=add(Size(T), Number(-1)))
LONGER = Extent("T more", "t", None, length=add(Size(T), Number(1)))
TWICE = Extent("T twice", "t", None, length=multiply(Number(2), Size(T)))
HALF = Extent("T half", "t", None, length=Apply("floor", (multiply(Number(Fraction(1, 2)), Size(T)),)))
u, w, h, n = Index("u", SHORTER), Index("w", TWICE), Index("h", HALF), Index("n", LONGER)
PRINTER = NumpyValues(
    {name: name for name in ("v", "m", "q", "c", "ids", "mask", "scatter_add")},
    {"T": "T", "S": "S"},
    {"k": "k"},
)

# The leaves, one of each rank and kind.
LEAVES: tuple[Value, ...] = (
    Read("v", (t,)),
    Read("q", (t, t2)),
    Read("m", (t, s)),
    Read("c", ()),
    Read("ids", (t,), Kind.INTEGER),
    Read("mask", (t,), Kind.BOOLEAN),
    Literal(2),
    Literal(0.5),
    Literal(-3),
    Literal(-1.5),
    AxisSize(T),
    AxisSize(D),
    AxisSize(SHORTER),
    AxisSize(LONGER),
    AxisSize(HALF),
    AxisSize(TWICE, at_least_one=True),
    Count("k", T),
    Elementwise("<", (Literal(2), AxisSize(T))),
)


def operation(name: str) -> Callable[..., Value]:
    return lambda *operands: Elementwise(name, operands)


# Every node that holds operands, as a function of them, and how many it takes.
NODES: dict[str, tuple[int, Callable[..., Value]]] = {
    **{
        name: (2, operation(name))
        for name in ("add", "subtract", "multiply", "divide", "floor_divide", "mod")
    },
    **{name: (2, operation(name)) for name in ("power", "<", "==", "!=", "and", "or", "max")},
    **{name: (1, operation(name)) for name in ("negative", "not", "exp")},
    "and of three": (3, operation("and")),
    "where": (3, operation("where")),
    "conditional": (3, Conditional),
    "matrix product": (2, MatrixProduct),
    "tensordot": (2, lambda left, right: Tensordot(left, right, (0,), (0,))),
    "sum": (1, lambda operand: Reduce(operand, "sum", (0,), keep=True)),
    "transpose": (1, lambda operand: Transpose(operand, (1, 0))),
    "expand": (1, lambda operand: Expand(operand, (0,))),
    "merge": (1, lambda operand: Reshape(operand, ((*operand.indices[:-1], operand.indices[-1]),))),
    "diagonal": (1, lambda operand: Diagonal(operand, 0, 1, t)),
    "cast": (1, Cast),
    "copy": (1, Copy),
    "fill": (1, lambda operand: Fill(operand, ((t,), (u,)))),
    "fill of groups": (1, lambda operand: Fill(operand, ((n, w), (s, n), (w, n, d), (s, h), (u,)))),
    "pick": (2, lambda operand, place: Select(operand, (Pick(place), *_rest(operand)))),
    "span": (3, lambda operand, a, b: Select(operand, (Span(u, a, b, 2), *_rest(operand)))),
    "flip": (1, lambda operand: Flip(operand, 0)),
    "pad": (3, lambda operand, a, b: Pad(operand, (a,), (b,), ((w,),))),
    "gather": (2, lambda operand, places: Gather(operand, (places,))),
    "clip": (1, lambda operand: Clip(operand, LONGER)),
    "of Python ints": (2, lambda a, b: OfPythonInts("max", (a, b))),
    "solve": (2, Solve),
    "logdet": (1, lambda operand: Determinant(operand, logarithm=True)),
}
SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "floor_divide": "//",
    "mod": "%",
    "power": "**",
}


def _rest(operand: Value) -> tuple[Whole, ...]:
    return (Whole(),) * (len(operand.layout) - 1)


def is_sound(value: Value) -> bool:
    try:
        return bool(value.type)
    except (ProgramError, IndexError):
        return False


def applied(name: str, given: Value, slot: int) -> Value | None:
    """The node with `given` at one of its operands and the first leaves that fit at the others."""
    key = (name, slot, type(given), given.kind, given.layout)
    if key not in FITTING:
        FITTING[key] = next(
            (others for others in _leaves_beside(name) if _built(name, given, slot, others)), None
        )
    others = FITTING[key]
    return None if others is None else _built(name, given, slot, others)


# The leaves that fit beside a value of some kind and layout at an operand of a node; None where none do.
FITTING: dict[object, tuple[Value, ...] | None] = {}


def _leaves_beside(name: str) -> Iterator[tuple[Value, ...]]:
    return itertools.product(LEAVES, repeat=NODES[name][0] - 1)


def _built(name: str, given: Value, slot: int, others: tuple[Value, ...]) -> Value | None:
    try:
        value = NODES[name][1](*others[:slot], given, *others[slot:])
    except (ProgramError, IndexError):
        return None
    return value if is_sound(value) else None


def around(given: Value) -> Iterator[tuple[str, int, Value]]:
    """The value at every operand of every node that takes it."""
    for name, (arity, _) in NODES.items():
        for slot in range(arity):
            value = applied(name, given, slot)
            if value is not None:
                yield name, slot, value


@cache
def single() -> list[tuple[str, int, Value]]:
    """Every node around every leaf."""
    return [found for leaf in LEAVES for found in around(leaf)]


@cache
def pairs() -> list[tuple[str, Value]]:
    """Every node around every other that is a value of its kind and rank."""
    given = {(name, value.kind, len(value.layout)): (name, value) for name, _, value in single()}
    return [
        (f"{outer} {slot} {inner}", value)
        for inner, operand in given.values()
        for outer, slot, value in around(operand)
    ]


def tree(value: Value) -> Any:
    """The value as Python's syntax tree should show it."""
    match value:
        case Read(name, _, _) | Count(name, _):
            return name
        case Literal(literal):
            return ("negative", -literal) if literal < 0 else literal
        case AxisSize(axis, at_least_one):
            return ("call", "max", size(axis), 1) if at_least_one else size(axis)
        case Elementwise("power" | "add" | "subtract" | "multiply" | "divide" | "floor_divide" | "mod", _):
            return (SIGNS[value.operation], *map(tree, value.arguments))
        case Elementwise("and" | "or" as name, arguments):
            if value.kind is Kind.PYTHON_BOOLEAN:
                return (name, *map(tree, arguments))
            first, *rest = map(tree, arguments)
            for other in rest:
                first = ({"and": "&", "or": "|"}[name], first, other)
            return first
        case Elementwise("not", (operand,)):
            return ("not" if value.kind is Kind.PYTHON_BOOLEAN else "~", tree(operand))
        case Elementwise("where" | "exp" | "max" as name, arguments):
            function = {"where": "where", "exp": "exp", "max": "maximum"}[name]
            return ("call", (".", "np", function), *map(tree, arguments))
        case Elementwise(name, arguments):
            return (name, *map(tree, arguments))
        case MatrixProduct(left, right):
            return ("@", tree(left), tree(right))
        case Conditional(condition, chosen, otherwise):
            return ("if", tree(condition), tree(chosen), tree(otherwise))
        case OfPythonInts(function, arguments):
            return ("call", function, *map(tree, arguments))
        case Select(operand, items):
            return ("[]", tree(operand), *_without_whole_ends([item_tree(item, value) for item in items]))
        case Gather(operand, places, _):
            return ("[]", tree(operand), *map(tree, places))
        case Flip(operand, _):
            return ("[]", tree(operand), ("slice", None, None, ("negative", 1)))
        case Expand(operand, _):
            return ("[]", tree(operand), None, *[("slice", None, None, None)] * len(operand.layout))
        case Transpose(operand, _):
            return (".", tree(operand), "T")
        case Copy(operand):
            own = tree(operand)
            return ("call", (".", own, "copy")) if value.layout else ("[]", own, ("tuple",))
        case Determinant(operand, _):
            return (".", ("call", (".", (".", "np", "linalg"), "slogdet"), tree(operand)), "logabsdet")
        case Solve(matrix, right):
            return ("call", (".", (".", "np", "linalg"), "solve"), tree(matrix), tree(right))
    return call_tree(value)


def call_tree(value: Value) -> Any:
    match value:
        case Cast(operand) if not value.layout:
            return ("call", (".", "dtype", "type"), tree(operand))
        case Cast(operand):
            return ("call", (".", tree(operand), "astype"), "dtype")
        case Clip(operand, axis):
            return ("call", (".", "np", "clip"), tree(operand), 0, ("call", "max", ("-", size(axis), 1), 0))
        case Reduce(operand, name, _, _):
            axis = [("axis", 0)]
            return ("call", (".", "np", name), tree(operand), *axis, ("keepdims", True))
        case Reshape(operand, (group,)):
            whole = group_tree(group) if inferred_group(value) is None else ("negative", 1)
            return ("call", (".", tree(operand), "reshape"), whole)
        case Diagonal(operand, _, _, _):
            return ("call", (".", "np", "diagonal"), tree(operand), ("axis1", 0), ("axis2", 1))
        case Fill(operand, target):
            shape = ("tuple", *map(group_tree, target))
            dtype = {Kind.BOOLEAN: "bool", Kind.INTEGER: (".", "np", "intp")}.get(value.kind, "dtype")
            return ("call", (".", "np", "full"), shape, tree(operand), ("dtype", dtype))
        case Pad(operand, before, after, _):
            return ("call", (".", "np", "pad"), tree(operand), ("tuple", tree(before[0]), tree(after[0])))
        case Tensordot(left, right, _, _):
            axes = ("tuple", ("tuple", 0), ("tuple", 0))
            return ("call", (".", "np", "tensordot"), tree(left), tree(right), ("axes", axes))
    raise AssertionError(type(value).__name__)


def size(axis: Axis) -> Any:
    if axis.size is not None:
        return axis.size
    return tree(count_of(axis)) if isinstance(axis, Extent) else axis.name


def group_tree(group: tuple[Index, ...]) -> Any:
    first, *rest = (size(index.axis) for index in group)
    for other in rest:
        first = ("*", first, other)
    return first


def item_tree(item: Any, select: Select) -> Any:
    match item:
        case Pick(place):
            return tree(place)
        case Span(_, start, stop, step):
            return ("slice", tree(start), tree(stop), step)
    return ("slice", None, None, None)


def _without_whole_ends(items: list[Any]) -> list[Any]:
    while items[-1] == ("slice", None, None, None):
        items.pop()
    return items


OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.Invert: "~",
    ast.USub: "negative",
    ast.Lt: "<",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def parsed(text: str) -> Any:
    """The tree that Python's parser reads."""
    return read(ast.parse(text, mode="eval").body)


def read(node: ast.expr | ast.slice | None) -> Any:
    match node:
        case None:
            return None
        case ast.Name(name):
            return name
        case ast.Constant(constant):
            return constant
        case ast.BinOp(left, operator, right):
            return (OPERATORS[type(operator)], read(left), read(right))
        case ast.UnaryOp(operator, operand):
            return (OPERATORS[type(operator)], read(operand))
        case ast.BoolOp(operator, values):
            return (OPERATORS[type(operator)], *map(read, values))
        case ast.Compare(left, [operator], [right]):
            return (OPERATORS[type(operator)], read(left), read(right))
        case ast.IfExp(test, body, orelse):
            return ("if", read(test), read(body), read(orelse))
        case ast.Attribute(operand, name):
            return (".", read(operand), name)
        case ast.Call(function, arguments, keywords):
            named = [(keyword.arg, read(keyword.value)) for keyword in keywords]
            return ("call", read(function), *map(read, arguments), *named)
        case ast.Subscript(operand, ast.Tuple(items)) if items:
            return ("[]", read(operand), *map(read, items))
        case ast.Subscript(operand, item):
            return ("[]", read(operand), read(item))
        case ast.Slice(start, stop, step):
            return ("slice", read(start), read(stop), read(step))
        case ast.Tuple(items):
            return ("tuple", *map(read, items))
    raise AssertionError(ast.dump(node))


def disagreements(values: list[tuple[str, Value]]) -> list[str]:
    texts = [(label, PRINTER.text(value), tree(value)) for label, value in values]
    return [f"{label}: {text}" for label, text, expected in texts if parsed(text) != expected]


def test_every_node_is_built_in_every_place() -> None:
    assert {name for name, _, _ in single()} == set(NODES)
    outer = {label.rsplit(" ", 2)[0] for label, _ in pairs()}
    assert len(outer) > len(NODES) and len(pairs()) > 1000


def test_every_pair_of_nodes_parses_to_the_values_tree() -> None:
    assert disagreements([(name, value) for name, _, value in single()]) == []
    assert disagreements(pairs()) == []


def test_a_piece_knows_its_brackets() -> None:
    """A chain of two that begins or ends with one is cut, for a formatter would break it inside."""
    for label, value in [*((name, value) for name, _, value in single()), *pairs()]:
        piece = PRINTER.piece(value)
        assert piece.opened == piece.text.startswith("("), label
        assert piece.closed == piece.text.endswith((")", "]")), label


def test_a_sample_of_triples_parses_to_the_values_tree() -> None:
    inner = random.Random(0).sample(pairs(), 150)
    triples = [(f"{name} in {label}", value) for label, given in inner for name, _, value in around(given)]
    assert len(triples) > 1000
    assert disagreements(triples) == []


A, B, C = variable("a"), variable("b"), variable("c")
LESS = binary("-", A, number(1))


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        (binary("-", A, binary("-", B, C)), "a - (b - c)"),
        (binary("-", binary("-", A, B), C), "a - b - c"),
        (binary("*", A, binary("//", B, C)), "a * (b // c)"),
        (binary("*", binary("@", A, B), C), "(a @ b) * c"),
        (binary("@", binary("@", A, B), C), "a @ b @ c"),
        (binary("-", A, number(-1.0)), "a - -1.0"),
        (power(number(-2.0), A), "(-2.0) ** a"),
        (power(A, number(-2)), "a**-2"),
        (attribute(number(2), "real"), "(2).real"),
        (attribute(number(2.5), "real"), "2.5.real"),
        (
            subscript(binary("+", A, B), ["0", slice_of(None, binary("-", A, number(1)))]),
            "(a + b)[0, : a - 1]",
        ),
        (subscript(A, []), "a"),
        (call("f", binary("+", A, B), axis=number(-1)), "f(a + b, axis=-1)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_printed_as_a_person_writes_it(piece: Piece, shown: str) -> None:
    assert piece.text == shown
