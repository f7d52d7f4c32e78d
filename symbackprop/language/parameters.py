"""Which parameters of a model's function are indices, and which whole numbers; which functions come first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from symbackprop.functions.table import FUNCTIONS
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.names import bare_word
from symbackprop.language.shorthands import DEFINITIONS
from symbackprop.syntax.nodes import Call, Formula, FunctionBody, FunctionDefinition, Reference, walk
from symbackprop.syntax.words import REDUCTIONS

_BINDING = {*REDUCTIONS, *DEFINITIONS}


def index_parameters(
    body: FunctionBody, parameters: Collection[str], functions: Mapping[str, ModelFunction]
) -> frozenset[str]:
    """The parameters that a body runs over, or whose size it asks for: a call gives indices for them."""
    found: set[str] = set()
    for part in _parts(body):
        if isinstance(part, Call):
            found |= {word.text for word in map(bare_word, _run_over(part, functions)) if word is not None}
    return frozenset(found & {*parameters})


def optional_indices(
    body: FunctionBody, parameters: Collection[str], functions: Mapping[str, ModelFunction]
) -> Mapping[str, frozenset[str]]:
    """The first arguments of max(u, v) and min(u, v), each with the parameters that v reads.

    A call may give an index for such a u, over which v is reduced, or a value, which is compared with v.
    max(u, 2), where nothing can depend on an index that is given, is the greater of two values.
    """
    read_by = _read_by_local_names(body)
    found: dict[str, frozenset[str]] = {}
    for part in _parts(body):
        for argument, others in _first_and_others(part, functions) if isinstance(part, Call) else ():
            word = bare_word(argument)
            if word is None or word.text not in parameters:
                continue
            read = frozenset[str]().union(*[_read(other, read_by) for other in others])
            beside = read.intersection(parameters) - {word.text}
            if beside:
                found[word.text] = found.get(word.text, frozenset()) | beside
    return found


def whole_parameters(
    body: FunctionBody, parameters: Collection[str], functions: Mapping[str, ModelFunction]
) -> frozenset[str]:
    """The parameters that stand in a remainder, as in mod(k + 1, 3), or in such a function's: whole numbers.

    Whether they are is seen at a call, for which the body is composed.
    """
    read_by, found = _read_by_local_names(body), frozenset[str]()
    for part in _parts(body):
        for argument in _of_remainders(part, functions) if isinstance(part, Call) else ():
            found |= _read(argument, read_by)
    return found & {*parameters}


def _of_remainders(call: Call, functions: Mapping[str, ModelFunction]) -> tuple[Formula, ...]:
    """The arguments of a call that are whole numbers."""
    if call.word.text == "mod":
        return call.arguments
    own = functions.get(call.word.text)
    given = {} if own is None else _given(call, own)
    return () if own is None else tuple([given[each] for each in sorted(own.whole) if each in given])


def run_over(body: FunctionBody) -> frozenset[str]:
    """The names that a body binds as indices."""
    reductions = (part for part in _parts(body) if isinstance(part, Call) and part.word.text in _BINDING)
    words = (word for part in reductions for word in map(bare_word, part.arguments[:-1]))
    return frozenset(word.text for word in words if word is not None)


def in_calling_order(definitions: Sequence[FunctionDefinition]) -> list[FunctionDefinition]:
    """Each behind those that it calls, wherever they stand; in a circle as they stand."""
    by_name = {each.word.text: each for each in definitions}
    ordered: dict[str, FunctionDefinition] = {}
    visiting: set[str] = set()
    pending = list(reversed(by_name))
    while pending:
        name = pending.pop()
        called = {part.word.text for part in _parts(by_name[name].body) if isinstance(part, Call)}
        before = [each for each in by_name if each in called and each not in visiting]
        if name in visiting or not before:
            ordered.setdefault(name, by_name[name])
        else:
            pending += [name, *reversed(before)]
        visiting.add(name)
    return list(ordered.values())


def _parts(body: FunctionBody) -> Iterator[Formula]:
    return chain.from_iterable(map(walk, body.formulas))


def _read_by_local_names(body: FunctionBody) -> Mapping[str, frozenset[str]]:
    """The names that each local name stands for formulas of, those of other local names included."""
    found: dict[str, frozenset[str]] = {}
    for each in body.local:
        found[each.word.text] = _read(each.formula, found)
    return found


def _read(formula: Formula, read_by: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The names in a formula, and in what the local names in it stand for."""
    names = [each.word.text for each in walk(formula) if isinstance(each, Reference)]
    return frozenset(names).union(*[read_by[name] for name in names if name in read_by])


def _run_over(call: Call, functions: Mapping[str, ModelFunction]) -> tuple[Formula, ...]:
    """The arguments of a call that are indices, whatever stands there."""
    name, arguments = call.word.text, call.arguments
    if name in functions:
        given = _given(call, functions[name])
        return tuple([given[each] for each in functions[name].indices if each in given])
    if name == "size":
        return arguments
    if name in REDUCTIONS & FUNCTIONS.keys():
        is_reduction = len(arguments) > 2 and None not in map(bare_word, arguments[:-1])
    else:
        is_reduction = name in REDUCTIONS | DEFINITIONS.keys()
    return arguments[:-1] if is_reduction else ()


def _first_and_others(
    call: Call, functions: Mapping[str, ModelFunction]
) -> Iterator[tuple[Formula, tuple[Formula, ...]]]:
    """The arguments of a call that are indices or values, each with those that it is compared with."""
    name, arguments = call.word.text, call.arguments
    if name in functions:
        given = _given(call, functions[name])
        for each, others in functions[name].optional_indices.items():
            if each in given:
                yield given[each], tuple([given[other] for other in others if other in given])
    elif name in REDUCTIONS & FUNCTIONS.keys() and len(arguments) == 2:
        yield arguments[0], arguments[1:]


def _given(call: Call, function: ModelFunction) -> dict[str, Formula]:
    """The arguments by the function's parameters; their number is checked where the call is read."""
    return dict(zip(function.parameters, call.arguments, strict=False))
