"""What a parameter gets that is no array: a table of tensors, a tuple, or what a forward function leaves."""

from __future__ import annotations

import re
from collections.abc import Collection

from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.plans import Argument, Sequence, Table
from symbackprop.handwritten.syntax_of_code import Function, Handwritten
from symbackprop.systems.system import Role

CACHES = re.compile(
    r"caches?|ctx|context|saved(_tensors)?|res|residuals?|memory|tape|state|stored|intermediates?|"
    r"forward_?\w*|fwd\w*"
)
TABLES = re.compile(
    r"params?|parameters?|network|net|model|theta|weights|state|p|w(ei)?ghts|variables|cache|layers?"
)


def is_cache(name: str, naming: Naming) -> bool:
    """Whether a parameter is what a forward function leaves, and no tensor."""
    return (
        CACHES.fullmatch(name.lower()) is not None
        and not _is_tensor(name, naming)
        and name not in naming.given
    )


def table_of(name: str, function: Function, code: Handwritten, naming: Naming) -> Argument | None:
    """A dictionary of tensors, by the keys that the code looks up, or a tuple that it unpacks."""
    if _is_tensor(name, naming):
        return None
    keys, might_be_cache = code.keys_of(name), CACHES.fullmatch(name.lower()) is not None
    if keys or (TABLES.fullmatch(name.lower()) and not might_be_cache):
        matched = naming.matched(keys)
        if might_be_cache and (len(matched) < len(keys) or _is_left_behind(keys, function, code, naming)):
            return None
        own = {each.name: each.name for each in naming.system.with_role(Role.PARAMETER)}
        return Table(tuple((own | matched).items()))
    unpacked = code.unpacked(name, function)
    matched = naming.matched(unpacked)
    if unpacked and code.forward_of(function) is None and len(matched) == len(unpacked):
        return Sequence(tuple([matched[each] for each in unpacked]))
    return None


def _is_left_behind(keys: Collection[str], function: Function, code: Handwritten, naming: Naming) -> bool:
    """Whether a forward function leaves it, with more in it than tensors by their names."""
    forward = code.forward_of(function)
    named = [naming.tensor(key, naming.system.tensors) for key in keys]
    return forward is not None and forward.name != function.name and not all(named)


def _is_tensor(name: str, naming: Naming) -> bool:
    return naming.tensor(name, naming.system.tensors) is not None
