"""Tables of words and numbers in Markdown, HTML and LaTeX, as a notebook shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from symbackprop.lesson import markdown
from symbackprop.notation.faces import Summary
from symbackprop.typesetting import names


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings; a heading that ends in ">" sets its column to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The headings as they are shown."""
        return tuple([heading.removesuffix(">") for heading in self.headings])

    @property
    def to_the_right(self) -> tuple[bool, ...]:
        """Which columns are set to the right."""
        return tuple([heading.endswith(">") for heading in self.headings])


class Tabular(Summary):
    """A value that a notebook shows as a table below the line that sums it up."""

    @property
    def table(self) -> Table:
        """The table."""
        raise NotImplementedError

    def _repr_markdown_(self) -> str:
        return f"{markdown.escaped(self.summary)}\n\n{table_markdown(self.table)}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary)}</p>{table_html(self.table)}"

    def _repr_latex_(self) -> str:
        return f"$${table_latex(self.table)}$$"


def table_markdown(table: Table) -> str:
    """The table as pipes and dashes."""
    rules = ["---:" if right else "---" for right in table.to_the_right]
    rows = [[markdown.escaped(cell) for cell in row] for row in (table.names, *table.rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (rows[0], rules, *rows[1:]))


def table_html(table: Table) -> str:
    """The table as an element."""
    sides = ["right" if right else "left" for right in table.to_the_right]

    def row(cells: Sequence[str], tag: str) -> str:
        shown = [
            f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        ]
        return f"<tr>{''.join(shown)}</tr>"

    body = "".join(row(cells, "td") for cells in table.rows)
    return f"<table><thead>{row(table.names, 'th')}</thead><tbody>{body}</tbody></table>"


def table_latex(table: Table) -> str:
    """The table as an array of words, which MathJax and KaTeX set, too."""
    columns = "".join("r" if right else "l" for right in table.to_the_right)
    rows = [
        " & ".join(rf"\text{{{names.escaped(cell)}}}" for cell in row) for row in (table.names, *table.rows)
    ]
    head, *body = rows
    lines = " \\\\\n".join(body)
    return f"\\begin{{array}}{{{columns}}}\n{head} \\\\\n\\hline\n{lines}\n\\end{{array}}"
