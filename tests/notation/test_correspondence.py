"""Names that stand for others, one to one."""

import pytest

from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.expressions import (
    Add,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Size,
)
from symbackprop.notation.substitution import rename_indices, rename_tensors

ROWS, COLUMNS = Axis("I", "i"), Axis("J", "j")
i, j, k = Index("i", ROWS), Index("j", COLUMNS), Index("k", ROWS)


def x(name: str, *positions: Expression) -> Element:
    return Element(name, positions)


def total(weights: str, values: str, row: Index, column: Index) -> Expression:
    return Reduction("sum", (column,), Multiply((x(weights, row, column), x(values, column))))


def test_one_layer_stands_for_another() -> None:
    names = Correspondence()
    assert names.agrees(total("W1", "z0", i, j), total("W2", "z1", j, i))
    assert dict(names) == {"W1": "W2", "z0": "z1"}
    assert names.of(Add((x("z0", j), Size(ROWS)))).is_identical(Add((x("z1", i), Size(COLUMNS))))


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (total("W", "z", i, j), total("W", "W", i, j)),  # two names for one
        (total("W", "W", i, j), total("W", "z", i, j)),  # one for two
        (Add((x("a"), x("b"))), Add((x("a"), x("b"), x("c")))),
        (Add((x("a"), x("b"), x("a"))), Add((x("a"), x("a"), x("b")))),  # order counts
        (Add((x("a"), Number(1))), Add((x("a"), Number(2)))),
        (Add((x("a"), Number(1))), Multiply((x("a"), Number(1)))),
        (total("W", "z", i, j), total("W", "z", i, k)),  # an axis for another and for itself
        (x("a", i), x("a", Index("i'", ROWS))),
        (x("a", Index("#0", ROWS)), x("a", Index("#1", ROWS))),  # canonical names stand for themselves
        (x("a", i), x("a", Index("i", Axis("I", "i", 3)))),  # a size that is known
        (x("a", i), x("a", Index("i", Axis("I", "i", None, Size(COLUMNS))))),  # one that is related
    ],
)
def test_near_misses(here: Expression, there: Expression) -> None:
    assert Correspondence().agrees(here, here)
    assert not Correspondence().agrees(here, there)


def test_primes_are_no_part_of_a_name() -> None:
    names = Correspondence()
    assert names.agrees(x("a", i), x("a", j))
    assert names.of(Index("i''", ROWS)) == Index("j''", COLUMNS)
    assert names.of(Index("#3", ROWS)) == Index("#3", COLUMNS)


def test_a_name_that_stands_for_none() -> None:
    names = Correspondence()
    assert names.agrees(x("a", i), x("b", i))
    for stranger in (x("c"), x("a", j), x("a", k)):
        with pytest.raises(KeyError):
            names.of(stranger)
    assert names.of_variable(Index("n", Axis("any", "n"))).name == "n"


def test_tensors_go_with_their_indices() -> None:
    names = Correspondence()
    assert names.agrees(x("a", i), x("b", j))
    assert rename_tensors(x("a", i), names) == x("b", j)
    assert rename_tensors(x("a", i), {"a": "b"}) == x("b", i)
    assert rename_indices((i,), names) == (j,)
    assert rename_indices((i,), {"a": "b"}) == (i,)


def test_a_long_sum_is_not_compared_with_itself_where_a_name_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the loss of a wide model, for each of its parameters."""
    whole = Add(tuple([x(f"w{number}", i) for number in range(1000)]))
    compared: list[object] = []
    agree = Correspondence._fields_agree

    def counted(self: Correspondence, here: object, there: object) -> bool:
        compared.append(here)
        return agree(self, here, there)

    monkeypatch.setattr(Correspondence, "_fields_agree", counted)
    assert not Correspondence().agrees((x("w998", i), whole), (x("w999", i), whole))
    assert len(compared) == 1
    assert Correspondence().agrees((x("w998", i), whole), (x("w998", i), whole))


def test_records_agree_up_to_the_first_that_do_not() -> None:
    names = Correspondence()
    assert not names.agrees((x("a"), x("b", i), x("c")), (x("d"), x("b", j, j), x("e")))
    assert "c" not in names
