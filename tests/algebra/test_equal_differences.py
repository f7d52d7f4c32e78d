"""Differences that say the same are one atom of a search, whichever of them a set has first."""

from itertools import permutations

from symbackprop.algebra.rational import RationalSearch
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import text

MODEL = """
param u, c
typed = 1 - 1/(1 + exp(-u))
named = 1 - sigmoid(u)
loss E = c*(1 - sigmoid(u))*(1 - 1/(1 + exp(-u)))
"""


def test_the_cheapest_of_them_is_written() -> None:
    typed, named, product = (each.expression for each in parse_system(MODEL).equations)
    for closed in permutations((typed, named)):
        search = RationalSearch(product, (), closed)  # type: ignore[arg-type]
        assert text(search.cheapest()) == "c*(1 - sigmoid(u))^2"
