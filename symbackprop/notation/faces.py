"""What a terminal and a notebook show of a value: its formula, or a line that sums it up.

A printer stands in a room above the values that it prints: it registers itself here for their type.
"""

from __future__ import annotations

from functools import singledispatch

LONGEST = 72  # characters of a formula within a repr


@singledispatch
def as_text(value: object) -> str:
    """The value's formula in the model language."""
    return object.__repr__(value)


@singledispatch
def as_latex(value: object) -> str | None:
    """Its formulas between dollar signs, as a notebook and Markdown read them; None where none is known."""
    return None


@singledispatch
def as_html(value: object) -> str | None:
    """Its formulas in MathML; None where none is known."""
    return None


class Displayed:
    """What a notebook shows as set formulas; it skips what is None."""

    def _repr_latex_(self) -> str | None:
        return as_latex(self)

    def _repr_markdown_(self) -> str | None:
        return as_latex(self)

    def _repr_html_(self) -> str | None:
        return as_html(self)


class Formula(Displayed):
    """A value that is a formula: str() is that formula, repr() its beginning."""

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {shortened(str(self))}>"


class Summary(Displayed):
    """A value of many formulas: str() and repr() are one line that counts them."""

    @property
    def summary(self) -> str:
        """The line, such as `seed: 5 equations, 4 parameters`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary}>"


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, its end left out where it is long."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def counted(number: int, noun: str) -> str:
    """`1 equation`, `5 equations`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
