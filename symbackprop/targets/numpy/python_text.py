"""Pieces of Python source, laid out as `ruff format` lays them out."""

from __future__ import annotations

import keyword
import textwrap
from collections.abc import Container, Iterable, Mapping, Sequence

LINE_LENGTH = 110
INDENT = "    "
# The builtins that modules call; any other name of Python's is free for a tensor, which is passed by it.
_CALLED = (
    "ValueError", "abs", "all", "any", "bool", "dict", "float", "getattr", "hasattr", "int", "isinstance",
    "len", "list", "map", "max", "min", "object", "range", "reversed", "set", "slice", "sorted",
    "str", "sum", "tuple", "type", "zip",
)  # fmt: skip
_RESERVED = frozenset((*keyword.kwlist, *keyword.softkwlist, *_CALLED))


def identifier(name: str, taken: Container[str]) -> str:
    """The name, with as many underscores behind as it takes to be free in Python and not `taken`.

    Names like `__name__`, to which Python gives meanings of its own, lose their underscores first.
    """
    if name.startswith("__") and name.endswith("__"):
        name = f"{name.strip('_') or 'name'}_"
    while name in _RESERVED or name in taken:
        name += "_"
    return name


def identifiers(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A Python name for each name, all different."""
    used = set(taken)
    found: dict[str, str] = {}
    for name in names:
        found[name] = identifier(name, used)
        used.add(found[name])
    return found


def ascii_only(text: str) -> str:
    """The text with whatever is not ASCII spelt as an escape."""
    return text.encode("ascii", "backslashreplace").decode()


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    shown = repr(text)
    if shown.startswith("'") and '"' not in shown:
        shown = f'"{shown[1:-1]}"'
    return shown


def quoted_item(head: str, text: str, indent: str) -> list[str]:
    """`head "text",` or, where that is too long, the text in pieces within parentheses."""
    one_line = f"{indent}{head}{quoted(text)},"
    if fits(one_line):
        return [one_line]
    room = LINE_LENGTH - len(indent) - len(INDENT) - len('""')
    pieces = textwrap.wrap(text, room, drop_whitespace=False, break_on_hyphens=False)
    return [f"{indent}{head}(", *(f"{indent}{INDENT}{quoted(piece)}" for piece in pieces), f"{indent}),"]


def docstring(text: str, indent: str) -> list[str]:
    """The text as a docstring, over several lines where it is too long for one."""
    one_line = f'{indent}"""{text}"""'
    if fits(one_line):
        return [one_line]
    first, *rest = textwrap.wrap(text, LINE_LENGTH - len(indent) - len('"""'), break_on_hyphens=False)
    return [f'{indent}"""{first}', *(f"{indent}{line}" for line in rest), f'{indent}"""']


def tuple_text(items: Sequence[str]) -> str:
    """`(a, b)`, `(a,)`, `()`."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def fits(line: str) -> bool:
    """Whether a line is short enough."""
    return len(line) <= LINE_LENGTH


def bracketed(head: str, items: Sequence[str], tail: str, indent: str = "") -> list[str]:
    """head + items + tail on one line or, where that is too long, the items on lines of their own.

    `head` ends with the opening bracket and `tail` begins with the closing one.
    """
    one_line = indent + head + ", ".join(items) + tail
    if fits(one_line):
        return [one_line]
    inside = f"{indent}{INDENT}{', '.join(items)}"
    if fits(inside):
        return [indent + head, inside, indent + tail]
    return [indent + head, *(f"{indent}{INDENT}{item}," for item in items), indent + tail]


def assigned_tuple(name: str, items: Sequence[str]) -> list[str]:
    """`NAME = (a, b)`, wrapped where it is too long."""
    one_line = f"{name} = {tuple_text(items)}"
    if fits(one_line):
        return [one_line]
    return [f"{name} = (", *(f"{INDENT}{item}," for item in items), ")"]


def assigned_dict(name: str, items: Mapping[str, str], indent: str = "") -> list[str]:
    """`name = {...}` with one item a line; the keys are quoted here, the values are Python already."""
    if not items:
        return [f"{indent}{name}{{}}"]
    return [
        f"{indent}{name}{{",
        *(f"{indent}{INDENT}{quoted(key)}: {value}," for key, value in items.items()),
        f"{indent}}}",
    ]


def unpacked(targets: Sequence[str], sources: Sequence[str]) -> list[str]:
    """`a, b = x, y`, on as many lines as it takes; nothing for nothing."""
    pairs = list(zip(targets, sources, strict=True))
    lines: list[str] = []
    while pairs:
        longer = range(2, len(pairs) + 1)
        count = next((count - 1 for count in longer if not fits(_unpacking(pairs[:count]))), len(pairs))
        lines.append(_unpacking(pairs[:count]))
        pairs = pairs[count:]
    return lines


def _unpacking(pairs: Sequence[tuple[str, str]]) -> str:
    targets, sources = zip(*pairs, strict=True)
    return f"{INDENT}{', '.join(targets)} = {', '.join(sources)}"
