from itertools import combinations

from symbackprop.cost.assumptions import FORM, PROGRAM, TYPICAL_SIZE
from symbackprop.cost.contraction import contraction_order, contraction_plan, pair_cost
from symbackprop.cost.weights import MATRIX_PRODUCT_WEIGHT
from symbackprop.notation.expressions import Axis, Index


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


def test_of_orders_that_cost_the_same_the_one_without_merged_matrices_is_taken():
    """sum(b, t, s, x[b,t,i]*D[b,h,t,s]*k[b,h,s,e]): x and D first leave a sum over b and s for every h."""
    h, t, s, i, e = (index(name) for name in "htsie")
    assert order((b, t, i), (b, h, t, s), (b, h, s, e), output=(h, i, e)) == (0, (1, 2))
    assert order((b, h, t, s), (b, t, i), (b, h, s, e), output=(h, i, e)) == ((0, 2), 1)
    # Near miss: without several matrices nothing is merged, and the order of the factors decides.
    assert order((b, t, i), (b, t, s), (b, s, e), output=(i, e)) == ((0, 1), 2)


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


def test_many_factors_alike_are_taken_in_their_order():
    found = order(*[(a,)] * 8, output=(a,))
    expected = 0
    for place in range(1, 8):
        expected = (expected, place)
    assert found == expected


def test_a_pair_costs_what_its_array_operation_does():
    size = TYPICAL_SIZE
    matrix, vector = frozenset({a, b}), frozenset({b})
    assert pair_cost(matrix, matrix, matrix) == size**2  # element-wise
    assert pair_cost(matrix, vector, frozenset({a})) == size**2 * MATRIX_PRODUCT_WEIGHT + size  # W @ x
    assert pair_cost(vector, vector, frozenset()) == size * MATRIX_PRODUCT_WEIGHT + 1  # x @ y
    assert pair_cost(matrix, matrix, frozenset({a})) == 2 * size**2  # a product, then a sum over its rows
    assert pair_cost(matrix, matrix, frozenset()) == 2 * size**2
    fused = pair_cost(matrix, matrix, frozenset({a}), FORM)
    assert fused == size**2 * MATRIX_PRODUCT_WEIGHT + size


def test_a_search_is_no_costlier_than_any_order_of_pairs():
    # An independent judge: every order, by brute force over which pair comes next.
    factors = [frozenset(each) for each in ((a, b), (b, c), (a, c), (c, d), (d,))]
    output = frozenset({a})

    def cheapest(arrays):
        if len(arrays) == 1:
            return 0
        found = []
        for left, right in combinations(range(len(arrays)), 2):
            rest = [each for place, each in enumerate(arrays) if place not in (left, right)]
            kept = (arrays[left] | arrays[right]) & output.union(*rest)
            found.append(pair_cost(arrays[left], arrays[right], kept) + cheapest([*rest, kept]))
        return min(found)

    assert contraction_plan(tuple(factors), output, PROGRAM).cost == cheapest(factors)


def test_sizes_of_axes():
    small, large, empty = index("e", 10), index("v", 50_000), index("empty", 0)
    assert PROGRAM.count([a, small]) == 10 * TYPICAL_SIZE
    assert PROGRAM.count([empty]) == 1
    assert PROGRAM.count([a, a]) == PROGRAM.count([a]) == TYPICAL_SIZE
    assert FORM.count([small]) == FORM.count([empty]) == FORM.count([a])
    assert FORM.count([large]) == 50_000
