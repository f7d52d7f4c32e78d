from symbackprop.notation.expressions import Axis, Index
from symbackprop.schedule.contraction import contraction_order
from symbackprop.schedule.typical_sizes import TYPICAL_SIZE, typical_count


def index(name, size=None):
    return Index(name, Axis(name.upper(), name, size))


a, b, c, d = (index(name) for name in "abcd")


def order(*factors, output):
    return contraction_order([frozenset(factor) for factor in factors], frozenset(output))


def test_a_matrix_chain_on_a_vector_starts_at_the_vector():
    assert order((a, b), (b, c), (c,), output=(a,)) == (0, (1, 2))


def test_a_tie_keeps_the_order_of_the_factors():
    assert order((a,), (a,), (a,), output=(a,)) == ((0, 1), 2)
    assert order((a, b), (b, c), (c, d), output=(a, d)) == ((0, 1), 2)


def test_declared_sizes_decide():
    small, large = index("small", 2), index("large", 1000)
    assert order((a, small), (small, large), (large, d), output=(a, d)) == (0, (1, 2))
    assert order((a, large), (large, small), (small, d), output=(a, d)) == ((0, 1), 2)


def test_beyond_the_exhaustive_limit_the_cheapest_next_pair_is_taken():
    names = [index(f"i{number}") for number in range(9)]
    chain = [(names[place], names[place + 1]) for place in range(8)]
    found = order(*chain, (names[8],), output=(names[0],))
    expected = 8
    for place in range(7, -1, -1):
        expected = (place, expected)
    assert found == expected


def test_typical_sizes():
    assert typical_count([a, index("e", 10)]) == 10 * TYPICAL_SIZE
    assert typical_count([index("empty", 0)]) == 1
