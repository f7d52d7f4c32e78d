"""What can be reached in a graph of names, and its strongly connected components."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


def strongly_connected(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components (R. Tarjan, SIAM J. Comput. 1, 1972), without recursion."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: dict[str, None] = {}
    found: list[tuple[str, ...]] = []
    for root in graph:
        pending: list[tuple[str, Iterator[str]]] = [] if root in number else [(root, iter(graph[root]))]
        while pending:
            name, successors = pending[-1]
            if name not in number:
                number[name] = lowest[name] = len(number)
                open_names[name] = None
            following = next(successors, None)
            if following is None:
                pending.pop()
                if pending:
                    lowest[pending[-1][0]] = min(lowest[pending[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    found.append(_taken_from(open_names, name))
            elif following not in number:
                pending.append((following, iter(graph[following])))
            elif following in open_names:
                lowest[name] = min(lowest[name], number[following])
    return found


def _taken_from(open_names: dict[str, None], root: str) -> tuple[str, ...]:
    members = list(open_names)[list(open_names).index(root) :]
    for member in members:
        del open_names[member]
    return tuple(members)


def closure(names: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """These names, their neighbours, the neighbours of those, and so on."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(neighbours(name))
    return frozenset(found)
