"""Which parameters of a model's function are indices: those that its body runs over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from symbackprop.functions.table import FUNCTIONS
from symbackprop.language.expansion import ModelFunction
from symbackprop.language.names import bare_word
from symbackprop.language.shorthands import DEFINITIONS
from symbackprop.syntax.nodes import Call, Formula, FunctionBody, Reference, walk
from symbackprop.syntax.words import REDUCTIONS


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
