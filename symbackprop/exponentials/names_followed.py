"""Names followed through their equations, by iteration: a chain may be long. And which need not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from symbackprop.notation.arithmetic import terms_of
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges
from symbackprop.systems.system import Equation

Value = TypeVar("Value")


class _MissingName(Exception):
    """Nothing has been found of a name yet that another's equation reads; `memory` is where it is missing."""

    def __init__(self, tensor: str, memory: object, find: Callable[[], object]) -> None:
        self.tensor = tensor
        self.memory = memory
        self.find = find


def resolved(
    tensor: str,
    memory: dict[str, Value],
    of_itself: Value,
    find: Callable[[str], Value],
    is_inside: bool,
) -> Value:
    """What `find` says of a name, kept in `memory`; `of_itself` where a recurrence reads itself.

    A chain of names is followed by iteration: a name that is missing inside of another comes first, also
    where something else is asked of it.
    """
    if tensor not in memory and is_inside:
        raise _MissingName(tensor, memory, partial(resolved, tensor, memory, of_itself, find, False))
    pending = [] if tensor in memory else [tensor]
    while pending:
        memory[pending[-1]] = of_itself
        try:
            memory[pending[-1]] = find(pending[-1])
            pending.pop()
        except _MissingName as missing:
            if missing.memory is memory:
                pending.append(missing.tensor)
            else:
                missing.find()
    return memory[tensor]


def is_loop_carried(
    names: Iterable[str],
    number: int,
    definitions: Mapping[str, tuple[int, Equation]],
    awaited: Collection[str],
    complete: dict[str, int],
) -> bool:
    """Whether the equation of this number, which reads these names, is led by them to what comes no earlier.

    `awaited` are names whose equations may come later. `complete` remembers of a name the least number of an
    equation that all comes before which it leads to.
    """
    pending, seen = list(names), set(names)
    while pending:
        place, equation = definitions.get(name := pending.pop(), (-1, None))
        if place >= number or (equation is None and name in awaited):
            return True
        if equation is not None and complete.get(name, number + 1) > number:
            pending += [each for each in equation.reads if each not in seen]
            seen.update(equation.reads)
    complete.update((name, min(number, complete.get(name, number))) for name in seen)
    return False


def infinite_with(loss: str, typed: Sequence[Equation]) -> frozenset[str]:
    """The tensors that are infinite only where the loss is, by these equations in reading order."""
    carried = frozenset(each.tensor for each in typed if each.tensor in each.reads)
    reached = {loss}
    for equation in reversed(typed):
        if equation.tensor in reached:
            found = _grown_by(equation.expression, equation.tensor in carried)
            reached.update(each.tensor for each in found if each.tensor in carried or _is_whole(each))
    return frozenset(reached.intersection(each.tensor for each in typed))


def names_left_plain(
    stated: Sequence[tuple[Equation, Equation]], infinite_with_loss: frozenset[str]
) -> frozenset[str]:
    """The tensors that are infinite only where the loss is, and that the model reads as they stand.

    Adjoints need not see through them: where exp(f) in y[n] is infinite and the loss is sum(n, (y[n] -
    d[n])^2), no adjoint can be saved; everywhere else y is at hand, and finite. `stated` are the equations in
    reading order, each as typed and in its stable form, of which none may see through the name.
    """
    typed = [equation for equation, _ in stated]
    followed = {name for each, stable in stated for name in _seen_through(each.expression, stable.expression)}
    ranges = NOTHING_KNOWN
    for each in typed:
        followed.update(_under_roots(each.expression, ranges))
        ranges = ranges.with_equations([each])
    places = {each.tensor: place for place, each in enumerate(typed)}
    for place, equation in enumerate(typed):  # states that read one another
        followed.update(each for each in equation.reads if places.get(each, place) > place)
    for equation in reversed(typed):
        if equation.tensor in followed:
            followed.update(equation.reads)
    return infinite_with_loss - followed


def _is_whole(element: Element) -> bool:
    """Whether it is read at all its positions."""
    return all(isinstance(each, Index) for each in element.positions)


def _grown_by(node: Expression, recurs: bool) -> Iterator[Element]:
    """The elements that make the value infinite, or no number, where they are infinite."""
    match node:
        case Element():
            yield node
        case Add() | Multiply() | Reduction("sum", _, _):
            for each in node.children:
                yield from _grown_by(each, recurs)
        case Power(base, Number(value)) if value > 0:
            yield from _grown_by(base, recurs)
        case Where(condition, chosen, otherwise) if recurs and not condition.tensors:
            yield from _grown_by(chosen, recurs)
            yield from _grown_by(otherwise, recurs)
        case Apply("abs", (argument,)):
            yield from _grown_by(argument, recurs)


def _seen_through(typed: Expression, stable: Expression) -> Iterator[str]:
    """The names that the stable form of an expression does not read as often as the expression."""
    before, after = (Counter(_names(each)) for each in (typed, stable))
    if after.keys() - before.keys():
        yield from before
    yield from before - after


def _names(node: Expression) -> Iterator[str]:
    return (each.tensor for each in node.walk() if isinstance(each, Element))


def _under_roots(node: Expression, ranges: Ranges) -> Iterator[str]:
    """The names under roots and logarithms: as they vanish, the slope grows.

    A norm's is at most 1, and so is that of log(sum(i, exp(f))); that of log(f + 1) is 1 at f = 0.
    """
    for part in node.walk():
        match part:
            case Power(base, Number(value)) if value.denominator != 1 and not _is_sum_of_squares(base):
                yield from () if is_kept_from_0(base, ranges) else base.tensors
            case Power(base, exponent) if not isinstance(exponent, Number):
                yield from part.tensors
            case Apply("log" | "sqrt" as function, (argument,)):
                if function != "log" or not _is_sum_of_exponentials(argument):
                    yield from () if is_kept_from_0(argument, ranges) else part.tensors


def is_kept_from_0(node: Expression, ranges: Ranges) -> bool:
    """Whether it is what is never negative and a number above 0."""
    terms = terms_of(node)
    numbers = [each for each in terms if isinstance(each, Number)]
    return bool(numbers) and all(map(ranges.is_nonnegative, terms))


def _is_sum_of_squares(node: Expression) -> bool:
    match node:
        case Reduction("sum", _, body):
            return _is_sum_of_squares(body)
        case Add():
            return all(map(_is_sum_of_squares, terms_of(node)))
        case Power(_, Number(value)):
            return value == 2
    return False


def _is_sum_of_exponentials(node: Expression) -> bool:
    match node:
        case Reduction("sum", _, body):
            return _is_sum_of_exponentials(body)
        case Add():
            return all(map(_is_sum_of_exponentials, terms_of(node)))
        case Apply("exp", _):
            return True
    return False
