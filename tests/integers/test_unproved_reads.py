"""Which reads are not sure to lie inside, and which conditions hold whatever the sizes."""

from symbackprop.integers.guards import always_holds, reads_inside, unproved_reads
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.systems.printing import text

SYSTEM = parse_system("index i : I\nindex j : J = 3\ninput x[i], y[i,j]\n")
AXES = {name: [index.axis for index in tensor.indices] for name, tensor in SYSTEM.tensors.items()}


def unproved(formula: str) -> list[str]:
    return [text(position) for _, position, _ in unproved_reads(parse_expression(formula, SYSTEM), AXES)]


def test_each_position_that_may_lie_outside_is_named_with_its_axis() -> None:
    expression = parse_expression("x[i-1] + y[i,j]*y[i+1,2]", SYSTEM)
    found = [(text(position), axis.name) for _, position, axis in unproved_reads(expression, AXES)]
    assert found == [("i - 1", "I"), ("i + 1", "I")]
    assert not reads_inside(expression, AXES)


def test_conditions_around_a_read_count() -> None:
    assert unproved("where(i >= 1, x[i-1], 0)") == []
    assert unproved("where(i >= 1, 0, x[i-1])") == ["i - 1"]
    assert unproved("where(i >= 2, x[i-3], 0)") == ["i - 3"]
    assert unproved("y[i,3]") == ["3"]


def test_or_looks_no_further_than_a_condition_that_holds() -> None:
    assert unproved("where(i < 1 or x[i-1] > 0, 1, 0)") == []
    assert unproved("where(i < 1 or x[i-1] > 0 or x[i-2] > 0, 1, 0)") == ["i - 2"]
    assert unproved("where(x[i-1] > 0 or i < 1, 1, 0)") == ["i - 1"]
    assert unproved("where(i >= 1 or x[i-1] > 0, 1, 0)") == ["i - 1"]


def test_a_condition_says_nothing_of_an_index_that_a_sum_binds_anew() -> None:
    assert unproved("where(i >= 1, sum(i, x[i-1]), 0)") == ["i - 1"]
    assert unproved("where(i >= 1, sum(j, y[i-1,j]), 0)") == []
    assert unproved("sum(i, where(i >= 1, x[i-1], 0))") == []


def test_a_tensor_whose_axes_are_not_known_is_passed_over() -> None:
    expression = parse_expression("x[i-1]", SYSTEM)
    assert list(unproved_reads(expression, {})) == []


def test_what_always_holds() -> None:
    assert always_holds(parse_expression("i < size(i)", SYSTEM))
    assert always_holds(parse_expression("j + 1 <= 3", SYSTEM))
    assert not always_holds(parse_expression("i >= 1", SYSTEM))
    assert always_holds(parse_expression("i >= 1", SYSTEM), (parse_expression("i >= 2", SYSTEM),))


def test_what_a_condition_chooses_is_one_of_its_branches() -> None:
    assert unproved("y[i,where(x[i] > 0, 2, 0)]") == []
    assert unproved("y[i,where(i >= 1, 1, 3)]") == ["where(i >= 1, 1, 3)"]
    assert unproved("x[where(i >= 1, i - 1, 0)]") == []
    assert unproved("x[where(i >= 1, i - 2, 0)]") == ["where(i >= 1, i - 2, 0)"]


def test_a_count_is_no_more_than_there_are_places() -> None:
    assert unproved("x[sum(i', where(x[i'] < x[i], 1, 0))]") == []
    assert unproved("x[sum(i', where(x[i'] == x[i] and i' < i or x[i'] > x[i], 1, 0))]") == []
    assert len(unproved("x[sum(i', where(x[i'] <= x[i], 1, 0))]")) == 1
    assert len(unproved("x[sum(i', where(x[i'] < x[i], 2, 0))]")) == 1
    assert len(unproved("x[sum(i', j, where(x[i'] < x[i], 1, 0))]")) == 1
    assert (
        unproved("where(sum(j, where(y[i,j] > 0, 1, 0)) <= 2, y[i,sum(j, where(y[i,j] > 0, 1, 0))], 0)") == []
    )


def test_a_number_is_rounded_within_whole_bounds() -> None:
    assert unproved("y[i,round(clip(x[i], 0, 2))]") == []
    assert unproved("y[i,floor(max(min(x[i] - 1, size(j) - 1), 0))]") == []
    assert unproved("y[i,ceil(clip(x[i], 0, 5/2))]") == ["ceil(min(max(x[i], 0), 5/2))"]
    assert len(unproved("y[i,round(max(x[i], 0))]")) == 1
