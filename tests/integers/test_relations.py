"""Relations of sizes: what follows from them, what contradicts them, and what the prover makes of them."""

import itertools
from collections.abc import Mapping

import pytest

from symbackprop.errors import NotationError
from symbackprop.integers.bounds import is_longer
from symbackprop.integers.guards import always_holds, reads_inside
from symbackprop.integers.relations import in_order, size_value
from symbackprop.integers.solving import steps_of, worked_out
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.semantics.integer_values import integer_value
from symbackprop.systems.system import System

DECLARATIONS = """
index t : T
index s : S = T + 1
index h : H
index o : D
index e : E = D/H
index k : K = 4*H
index r : R = D/2
index g : G
index c : C = D/G
index n : N
index a : A = floor((N - T)/2) + 1
const x[t], z[s], w[h], u[o], v[e], p[k], q[r], m[g], l[c], y[n], f[a]
"""


@pytest.fixture(scope="module")
def related() -> System:
    return parse_system(DECLARATIONS)


@pytest.mark.parametrize(
    "known, found",
    [
        ({"T": 4}, {"S": 5}),
        ({"S": 5}, {"T": 4}),
        ({"D": 12, "H": 3}, {"E": 4, "R": 6, "K": 12}),
        ({"E": 4, "H": 3}, {"D": 12, "R": 6, "K": 12}),
        ({"R": 6, "H": 3, "G": 6}, {"D": 12, "E": 4, "C": 2, "K": 12}),
        ({"K": 12}, {"H": 3}),
        ({"N": 9, "T": 2}, {"A": 4, "S": 3}),
        ({"A": 4, "T": 2}, {"S": 3}),
        ({"T": 0}, {"S": 1}),
    ],
)
def test_what_can_be_solved_for_is(related: System, known: dict[str, int], found: dict[str, int]) -> None:
    assert worked_out(related.relations, known) == {**known, **found}


@pytest.mark.parametrize(
    "known, message",
    [
        ({"T": 4, "S": 4}, "expected S = T + 1, got S=4, T=4"),
        ({"D": 10, "H": 3}, "expected E = D/H, got D=10, H=3"),
        ({"D": 12, "H": 3, "E": 5}, "expected E = D/H, got E=5, D=12, H=3"),
        ({"D": 0, "H": 0}, "expected E = D/H, got D=0, H=0"),
        ({"K": 10}, "expected K = 4*H, got K=10"),
        ({"S": 0}, "expected S = T + 1, got S=0"),
        ({"D": 9}, "expected R = D/2, got D=9"),
    ],
)
def test_sizes_that_do_not_obey_are_refused(related: System, known: dict[str, int], message: str) -> None:
    with pytest.raises(NotationError) as refusal:
        worked_out(related.relations, known)
    assert refusal.value.cause == message


TRIANGLES = """
index m, j : M
index l : L = M*(M + 1)/2
index q : Q = 3*M^2 - M
index u : U
index v : V = U^2 - 2*M
const x[l], y[q], z[v]
"""


@pytest.mark.parametrize(
    "known, found",
    [
        ({"L": 10}, {"M": 4, "Q": 44}),
        ({"L": 0}, {"M": 0, "Q": 0}),
        ({"Q": 10}, {"M": 2, "L": 3}),
        ({"M": 3, "V": 10}, {"L": 6, "Q": 24, "U": 4}),
        ({"L": 11}, None),
        ({"L": 6, "M": 4}, None),
        ({"Q": 9}, None),
        ({"M": 3, "V": 11}, None),
    ],
)
def test_a_size_in_a_square_is_the_root_where_that_is_whole(
    known: dict[str, int], found: dict[str, int] | None
) -> None:
    relations = parse_system(TRIANGLES).relations
    if found is not None:
        assert worked_out(relations, known) == {**known, **found}
        return
    with pytest.raises(NotationError, match=r"expected [LQV] = "):
        worked_out(relations, known)


@pytest.mark.parametrize("length", ["M^3", "5*M - M^2", "M^2 - T*M", "T*M^2", "floor(M/2)", "M^2 + 1"])
def test_a_size_with_two_roots_or_none_stays_open(length: str) -> None:
    axes = f"index m : M\nindex t : T\nindex l : L = {length}\nconst x[l], y[t]\n"
    with pytest.raises(NotationError, match="nothing determines the size of M"):
        parse_system(axes)


def test_nothing_is_said_of_what_stays_open(related: System) -> None:
    assert worked_out(related.relations, {"D": 12}) == {"D": 12, "R": 6}
    assert not steps_of(related.relations, ())


POSITIONS = [
    ("z[t]", True), ("z[t + 1]", True), ("z[t + 2]", False), ("x[s]", False), ("x[t - 1]", False),
    ("p[h]", True), ("p[3*size(h) + h]", True), ("p[4*size(h) + h]", False), ("p[h + size(h)]", True),
    ("u[size(e)*h + e]", True), ("u[size(h)*e + h]", True), ("u[size(h)*h + e]", False),
    ("w[floor(o/size(e))]", True), ("v[floor(o/size(h))]", True), ("w[floor(o/size(h))]", False),
    ("v[mod(o, size(e))]", True), ("w[mod(o, size(e))]", False), ("w[floor(k/4)]", True),
    ("w[mod(k, size(h))]", True), ("u[2*r + 1]", True), ("u[2*r + 2]", False), ("q[floor(o/2)]", True),
    ("u[size(c)*g + c]", True), ("m[floor(o/size(c))]", True), ("y[2*a + t]", True), ("y[2*a + s]", False),
    ("x[mod(s, size(t))]", True), ("u[size(o) - 1 - o]", True), ("z[size(t) - t]", True),
    ("z[size(t) - s]", True), ("x[size(t) - s]", False),
]  # fmt: skip
TRIED = [
    {"T": t, "H": h, "E": e, "G": g, "N": n, "D": h * e, "S": t + 1, "K": 4 * h, "R": h * e // 2}
    for t, h, e, g, n in itertools.product((1, 2, 3), (1, 2, 4), (1, 2, 3), (1, 2), (3, 6))
    if h * e % 2 == 0 and h * e % g == 0
]


@pytest.mark.parametrize("read, inside", POSITIONS)
def test_positions_are_proved_inside_by_relations(related: System, read: str, inside: bool) -> None:
    """What is proved holds at every place, for all the sizes that are tried; the rest fails somewhere."""
    element = parse_expression(read, related)
    assert isinstance(element, Element)
    axis = related.tensors[element.tensor].indices[0].axis
    assert reads_inside(element, {element.tensor: [axis]}) is inside
    everywhere = all(0 <= place < sizes[axis.name] for place, sizes in _places(element.positions[0]))
    assert everywhere is inside


COLUMNS, ROWS = "floor(i*(2*size(i) - i - 1)/2) + j - i - 1", "floor(j*(j - 1)/2) + i"


@pytest.mark.parametrize(
    "position, inside",
    [
        (COLUMNS, True),
        (f"{COLUMNS} + 1", False),
        (f"{COLUMNS} - 1", False),
        (ROWS, True),
        (f"{ROWS} + 1", False),
    ],
)
def test_a_packed_triangle_is_read_inside(position: str, inside: bool) -> None:
    system = parse_system("index i, j : D\nindex l : L = D*(D - 1)/2\nconst x[l], y[i,j]\n")
    read = parse_expression(f"where(i < j, x[{position}], 0)", system)
    assert reads_inside(read, {"x": [system.tensors["x"].indices[0].axis]}) is inside


def _places(position: Expression) -> list[tuple[int, dict[str, int]]]:
    from_indices = sorted(position.free_indices, key=lambda index: index.name)
    found = []
    for tried in TRIED:
        sizes = {**tried, "C": tried["D"] // tried["G"], "A": (tried["N"] - tried["T"]) // 2 + 1}
        for place in itertools.product(*(range(sizes[index.axis.name]) for index in from_indices)):
            at = dict(zip(from_indices, place, strict=True))
            found.append((int(integer_value(position, at, sizes, _nothing_read)), sizes))
    return found


def _nothing_read(node: Expression, at: Mapping[Index, int]) -> int:
    raise AssertionError(node)


def condition_of(text: str, system: System) -> Expression:
    return parse_expression(f"where({text}, 1, 0)", system).children[0]


@pytest.mark.parametrize(
    "condition, holds",
    [
        ("size(s) == size(t) + 1", True),
        ("size(o) == size(h)*size(e)", True),
        ("size(k) >= size(h)", True),
        ("size(k) > size(h)", False),  # both may be empty
        ("floor(k/size(h)) < 4", True),
        ("floor(k/size(h)) < 3", False),
        ("2*size(r) == size(o)", True),
        ("size(c)*size(g) == size(h)*size(e)", True),
        # A quotient by a size is any rational: its floor may be less.
        ("floor(o/size(e)) >= o/size(e)", False),
        ("size(e)*floor(o/size(e)) <= o", True),
        ("size(t) > size(h)", False),
    ],
)
def test_conditions_follow_from_relations(related: System, condition: str, holds: bool) -> None:
    assert always_holds(condition_of(condition, related)) is holds


def test_a_guard_on_a_quotient_bounds_what_is_divided(related: System) -> None:
    claim = condition_of("o < 2*size(e)", related)
    assert not always_holds(claim)
    assert always_holds(claim, (condition_of("floor(o/size(e)) < 2", related),))


def test_an_axis_is_longer_than_another_by_a_relation_alone(related: System) -> None:
    axes = {axis.name: axis for axis in related.axes}
    assert is_longer(axes["S"], axes["T"]) is True
    assert is_longer(axes["H"], axes["K"]) is False
    assert is_longer(axes["T"], axes["N"]) is None
    assert is_longer(axes["R"], axes["K"]) is None


def test_numbers_keep_their_relation() -> None:
    system = parse_system("index t : T = 5\nindex s : S = T + 1\nindex n : N = 6\nconst x[t], z[s], y[n]")
    axes = {axis.name: axis for axis in system.axes}
    assert axes["S"].size == 6
    assert is_longer(axes["S"], axes["T"]) is True
    assert is_longer(axes["N"], axes["T"]) is None


def test_relations_are_read_in_any_order() -> None:
    system = parse_system("index c : C = B + 1\nindex b : B = 2*A\nindex a : A\nconst x[a]")
    assert [relation.axis.name for relation in in_order(system.relations)] == ["B", "C"]
    assert worked_out(system.relations, {"A": 3}) == {"A": 3, "B": 6, "C": 7}
    formula = next(axis.formula for axis in system.axes if axis.name == "C")
    assert formula is not None and size_value(formula, {"A": 3}) == 7
