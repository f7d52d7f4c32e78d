import random
from itertools import chain, combinations

import pytest

from symbackprop.recomputation.min_cut import smallest_cut


def separates(cut, readers, sources, sinks):
    """Whether every way from a source to a sink goes through the cut, ends included."""
    reached = [node for node in sources if node not in cut]
    seen = set(reached)
    while reached:
        node = reached.pop()
        if node in sinks:
            return False
        for reader in readers.get(node, ()):
            if reader not in seen and reader not in cut:
                seen.add(reader)
                reached.append(reader)
    return True


def lightest(weights, readers, sources, sinks):
    nodes = list(weights)
    cuts = chain.from_iterable(combinations(nodes, count) for count in range(len(nodes) + 1))
    return min(sum(weights[node] for node in cut) for cut in cuts if separates(cut, readers, sources, sinks))


@pytest.mark.parametrize("seed", range(60))
def test_no_lighter_set_separates(seed):
    rng = random.Random(seed)
    nodes = [f"n{number}" for number in range(rng.randint(1, 7))]
    weights = {node: rng.randint(1, 5) for node in nodes}
    pairs = [(one, other) for place, one in enumerate(nodes) for other in nodes[place + 1 :]]
    readers: dict[str, list[str]] = {}
    for one, other in pairs:
        if rng.random() < 0.5:
            readers.setdefault(one, []).append(other)
    sources = [node for node in nodes if rng.random() < 0.5]
    sinks = [node for node in nodes if rng.random() < 0.5]
    cut = smallest_cut(weights, readers, sources, sinks)
    assert separates(cut, readers, sources, sinks)
    assert sum(weights[node] for node in cut) == lightest(weights, readers, sources, sinks)


def test_of_equal_sets_the_one_nearest_to_the_sinks():
    weights = {"a": 1, "b": 1, "c": 1}
    assert smallest_cut(weights, {"a": ["b"], "b": ["c"]}, ["a"], ["c"]) == {"c"}


def test_what_no_source_reaches_is_not_kept():
    assert smallest_cut({"a": 1, "b": 1}, {"a": ["b"]}, [], ["b"]) == frozenset()
    assert smallest_cut({}, {}, [], []) == frozenset()
