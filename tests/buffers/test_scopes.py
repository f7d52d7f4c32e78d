"""What a loop forgets is no other array's name."""

from symbackprop.array.ir import AxisSize, Elementwise, Read
from symbackprop.array.layout import layout_of
from symbackprop.array.program import Line, Loop, Statement, Store, statements_in
from symbackprop.array.slices import Allocate, Whole
from symbackprop.array.value import Value
from symbackprop.buffers.scopes import with_unique_names
from symbackprop.notation.expressions import Axis, Index
from tests.array.hand_written import BY_HAND

STEPS, A = Axis("T", "t"), Axis("A", "a")
LAYOUT = (Index("a", A),)


def read(name: str) -> Value:
    return Read(name, LAYOUT)


def computed(name: str, operand: str) -> Statement:
    return Statement(name, Elementwise("exp", (read(operand),)), origin=BY_HAND)


def stored(value: str) -> Store:
    return Store("y", (Whole(),), read(value), origin=BY_HAND)


def loop(*body: Line) -> Loop:
    return Loop("t", STEPS, AxisSize(STEPS), body)


def test_loops_that_define_one_name_get_two() -> None:
    allocated = Statement("y", Allocate(layout_of(LAYOUT)), origin=BY_HAND)
    lines = (
        allocated,
        loop(computed("v", "x"), stored("v"), loop(computed("w", "v"))),
        loop(computed("v", "y"), stored("v")),
        computed("v", "x"),
        computed("z", "v"),
    )
    taken = {"x", "y", "v", "w", "z"}
    found = list(statements_in(with_unique_names(lines, taken)))
    assert [line.name for line in found] == ["y", "v_2", "y", "w", "v_3", "y", "v", "z"]
    assert [list(line.reads) for line in found[1:]] == [
        ["x"],
        ["v_2", "y"],
        ["v_2"],
        ["y"],
        ["v_3", "y"],
        ["x"],
        ["v"],
    ]
    assert taken == {"x", "y", "v", "v_2", "v_3", "w", "z"}


def test_names_that_are_defined_once_stay() -> None:
    lines = (computed("v", "x"), loop(computed("w", "v"), computed("u", "w")))
    assert with_unique_names(lines, {"u", "v", "w", "x"}) == lines
