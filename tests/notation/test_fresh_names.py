from symbackprop.notation.expressions import Axis, Index
from symbackprop.notation.fresh_names import lengthened_name, numbered_name
from symbackprop.notation.substitution import fresh_index


def test_a_free_name_stays() -> None:
    assert numbered_name("exp_u", {"exp_v"}) == "exp_u"
    assert lengthened_name("i", "'", ()) == "i"


def test_a_taken_name_gets_the_first_free_number_or_length() -> None:
    assert numbered_name("exp_u", {"exp_u", "exp_u_2", "exp_u_4"}) == "exp_u_3"
    assert lengthened_name("grad_W", "_", {"grad_W", "grad_W_"}) == "grad_W__"


def test_an_index_differs_by_name_whatever_its_axis() -> None:
    rows, columns = Axis("I", "i"), Axis("J", "i")
    assert fresh_index(Index("i", rows), [Index("i", columns)]) == Index("i'", rows)
    assert fresh_index(Index("i'", rows), [Index("i", rows)]) == Index("i'", rows)
