"""Documents as plain ASCII for a terminal, a pipe or a file.

An equation that is too long goes on below in front of an operator, and inside the parentheses that it broke.
Reasons stand behind a #, which is a comment in the model language.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator

from symbackprop.lesson.boxes import Piece, break_row, row_latex
from symbackprop.lesson.document import (
    Block,
    Chain,
    Column,
    Document,
    Equations,
    Heading,
    Paragraph,
    Reason,
    Sentence,
)
from symbackprop.lesson.means import shown_equation, shown_text
from symbackprop.notation.arithmetic import factors_of, terms_of
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Expression
from symbackprop.systems.printing import fact_text, text
from symbackprop.systems.system import Equation, Fact

DEFAULT_WIDTH = 100
NARROWEST = 40
_INDENT, _HANG, _REASON_COLUMN, _LONGEST_LEFT = 2, 4, 56, 26
_PER_DEPTH, _DEEPEST = 4, 3
_LOGICAL = re.compile(r",| and | or ")


def document_text(document: Document, width: int = DEFAULT_WIDTH) -> str:
    """The document, wrapped to `width` columns."""
    width = max(width, NARROWEST)
    blocks = [_heading(document.title, "="), *(_block_text(block, width) for block in document.blocks)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def equations_text(equations: Equations) -> str:
    """One equation a line, not wrapped: what another program reads."""
    return "".join(f"{formula_text(left)} = {formula_text(right)}\n" for left, right in equations.lines)


def formula_text(expression: Expression) -> str:
    """The expression in the model language; products of derivatives as (dE/dy)(dy/du2)."""
    products = [factors_of(term) for term in terms_of(expression)]
    if not all(isinstance(factor, Derivative) for product in products for factor in product):
        return shown_text(expression)
    return " + ".join(
        "".join(f"({text(factor)})" for factor in product) if len(product) > 1 else text(product[0])
        for product in products
    )


def _block_text(block: Block, width: int) -> str:
    match block:
        case Heading(level, sentence):
            return _heading(_sentence(sentence), "-~"[level - 1])
        case Paragraph(sentence):
            return _wrapped(_sentence(sentence), width)
        case Equations(lines):
            pairs = [(formula_text(left), formula_text(right)) for left, right in lines]
            return "\n".join(_broken(f"{left} = {right}", " " * _INDENT, width) for left, right in pairs)
        case Chain():
            return "\n".join(_chain(block, width))
        case Column():
            return "\n".join(_column(block))


def _heading(title: str, underline: str) -> str:
    return f"{title}\n{underline * len(title)}"


def _sentence(sentence: Sentence) -> str:
    return "".join(part if isinstance(part, str) else _formula(part) for part in sentence)


def _formula(part: Expression | Equation | Fact) -> str:
    if isinstance(part, Equation):
        return shown_equation(part)
    return fact_text(part) if isinstance(part, Fact) else formula_text(part)


def _wrapped(sentence: str, width: int, indent: str = "", hang: str = "") -> str:
    lines = textwrap.wrap(
        sentence,
        width,
        initial_indent=indent,
        subsequent_indent=hang or indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def _chain(chain: Chain, width: int) -> Iterator[str]:
    """The equals signs below one another, to the right of a left-hand side that is not too long."""
    left = formula_text(chain.left)
    if len(left) > _LONGEST_LEFT:
        yield " " * _INDENT + left
        left = " " * _HANG
    for place, link in enumerate(chain.links):
        margin = " " * _INDENT + (left if place == 0 else " " * len(left)) + " "
        shown = _broken(f"= {formula_text(link.expression)}", margin, width)
        yield from _with_reason(shown, len(margin) + 2, link.reason, width)


def _with_reason(shown: str, indent: int, reason: Reason | None, width: int) -> Iterator[str]:
    """The rule's name behind the equation where there is room, its statements below it."""
    if reason is None:
        yield shown
        return
    last = shown.splitlines()[-1]
    statements = [_sentence(statement) for statement in reason.statements]
    one_line = reason.rule + (f": {statements[0]}" if len(statements) == 1 else "")
    column = max(_REASON_COLUMN, len(last) + 2)
    if len(statements) < 2 and column + 2 + len(one_line) <= width:
        yield f"{shown}{' ' * (column - len(last))}# {one_line}"
        return
    yield shown
    margin = " " * min(indent, width // 3)
    if len(statements) == 1 and len(margin) + 2 + len(one_line) <= width:
        yield f"{margin}# {one_line}"
        return
    yield _wrapped(reason.rule + (":" if statements else ""), width, f"{margin}# ", f"{margin}#   ")
    for statement in statements:
        yield _wrapped(statement, width, f"{margin}#   ", f"{margin}#     ")


def _column(column: Column) -> Iterator[str]:
    entry = formula_text(column.entry)
    rows = ["0", ":", entry, ":", "0"]
    for row in rows:
        arrow = f"  <- row {text(column.row)}" if row is rows[2] else ""
        yield f"{' ' * (_INDENT + _HANG)}[ {row.center(len(entry))} ]{arrow}"


def _broken(equation: str, margin: str, width: int) -> str:
    """An equation over as many lines as it needs; what goes on stands to the right of the margin."""
    if len(margin) + len(equation) <= width:
        return margin + equation
    indent = " " * min(len(margin) + _HANG, width // 3)
    lines = break_row(_pieces(equation), width - len(margin), width - len(indent) - 2 * _DEEPEST)
    shown = [margin + row_latex(lines[0])]
    for line in lines[1:]:
        # What goes on within a product stands to the right of what goes on within its sum.
        deeper = min((line[0].penalty + _PER_DEPTH - 1) // _PER_DEPTH, _DEEPEST)
        shown.append(indent + "  " * deeper + row_latex(line).strip())
    return "\n".join(line.rstrip() for line in shown)


def _pieces(equation: str) -> list[Piece]:
    """The equation cut wherever a line may begin: before an operator, behind a comma, but never in [ ].

    The left-hand side stays whole.
    """
    first = equation.find(" = ") + 1
    cuts = [0]
    penalties = [0]
    depth = 0
    for place, character in enumerate(equation):
        depth += (character in "([") - (character in ")]")
        penalty = _penalty(equation, place)
        if penalty is not None and place > first:
            cuts.append(place)
            penalties.append(_PER_DEPTH * depth + penalty)
    return [
        Piece(equation[start:stop], stop - start, penalty)
        for (start, stop), penalty in zip(itertools.pairwise([*cuts, len(equation)]), penalties, strict=True)
    ]


def _penalty(equation: str, place: int) -> int | None:
    if re.match(r" [+-] ", equation[place:]):
        return 2 if _is_compared(equation, place) else 0
    if equation[place] in "*/" and _innermost_open(equation[:place]) != "[":
        return 1 if equation[place] == "*" else 2
    if re.match(r" (and|or) ", equation[place:]):
        return 1
    if equation[place] == " " and equation[place - 1] == ",":
        return 3
    return None


def _is_compared(equation: str, place: int) -> bool:
    """Whether what stands round a place, up to a comma, `and`, `or` or parenthesis, is a comparison."""
    after = _LOGICAL.split(_at_this_depth(equation[place:]))[0]
    before = _LOGICAL.split(_at_this_depth(equation[:place][::-1], ")]", "([")[::-1])[-1]
    return re.search(r"[<>]|[=!]=", before + after) is not None


def _at_this_depth(text_from_here: str, opening: str = "([", closing: str = ")]") -> str:
    """The text up to the end of the parentheses that it stands in, without what stands in deeper ones."""
    depth = 0
    shown = ""
    for character in text_from_here:
        depth -= character in closing
        if depth < 0:
            break
        shown += character if depth == 0 else ""
        depth += character in opening
    return shown


def _innermost_open(text_before: str) -> str:
    depth = 0
    for character in reversed(text_before):
        if character in ")]":
            depth += 1
        elif character in "([":
            if depth == 0:
                return character
            depth -= 1
    return ""
