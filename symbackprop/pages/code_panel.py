"""The module beside the mathematics: numbered lines, each of which knows the names that it computes."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from html import escape

from symbackprop.explanation.programs.computations import Computations
from symbackprop.pages.links import Links

_KINDS = {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "n"}


def code_panel(computations: Computations, links: Links) -> tuple[str, str, str]:
    """What stands before the lines that compute, these lines, and what stands after them."""
    module = computations.module
    coloured = list(_coloured(module.text))
    shown = [_line(number, text, links) for number, text in enumerate(coloured, start=1)]
    first, last = _computing(computations)
    return "".join(shown[: first - 1]), "".join(shown[first - 1 : last]), "".join(shown[last:])


def _computing(computations: Computations) -> tuple[int, int]:
    """From the first function that holds a line of the program to the end of the last."""
    texts = computations.module.text.splitlines()
    numbers = [each.first for each in computations.module.lines]
    first, last = min(numbers, default=1), max((each.last for each in computations.module.lines), default=1)
    while first > 1 and not texts[first - 1].startswith("def "):
        first -= 1
    while last < len(texts) and not texts[last].startswith(("def ", "class ", "#")):
        last += 1
    return first, last


def _line(number: int, text: str, links: Links) -> str:
    names = links.names_by_line.get(number, ())
    placed = [name for name in names if name in links.placed]
    data = f' data-t="{escape(" ".join(names))}"' if names else ""
    if placed:
        mark = f'<a class="number" href="#t-{escape(placed[0])}"{data}>{number}</a>'
    else:
        mark = f'<span class="number">{number}</span>'
    return f'<span class="line" id="L{number}"{data}>{mark}<code>{text or " "}</code></span>'


def _coloured(source: str) -> Iterator[str]:
    """Each line of Python with its comments, strings, numbers and keywords marked."""
    lines = source.splitlines()
    marks: dict[int, list[tuple[int, int, str]]] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = _KINDS.get(token.type, "k" if keyword.iskeyword(token.string) else "")
        if kind:
            for row in range(token.start[0], token.end[0] + 1):
                start = token.start[1] if row == token.start[0] else 0
                stop = token.end[1] if row == token.end[0] else len(lines[row - 1])
                marks.setdefault(row, []).append((start, stop, kind))
    for row, line in enumerate(lines, start=1):
        shown, place = "", 0
        for start, stop, kind in marks.get(row, []):
            shown += f'{escape(line[place:start])}<i class="{kind}">{escape(line[start:stop])}</i>'
            place = stop
        yield shown + escape(line[place:])
