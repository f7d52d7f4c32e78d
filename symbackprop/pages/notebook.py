"""What a notebook shows of expressions, equations, steps, models, gradients: LaTeX, Markdown, MathML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from symbackprop.derivation.result import Derivation
from symbackprop.lesson.document import Document, Equations
from symbackprop.lesson.lesson import result_by_blocks
from symbackprop.lesson.markdown import markdown_fragment
from symbackprop.notation.expressions import Expression
from symbackprop.notation.faces import Formula, Summary, as_html, as_latex
from symbackprop.pages.math_parts import SUM
from symbackprop.pages.mathml import MathPrinter
from symbackprop.pages.stated_symbols import set_apart
from symbackprop.rewriting.rule import Step
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation, System
from symbackprop.typesetting.formulas import Typesetter
from symbackprop.typesetting.names import NameLatex
from symbackprop.typesetting.symbols import stated_symbols, symbols_in, symbols_of

Sides: TypeAlias = tuple[Expression, ...]

_CELLS = ("right", "center", "left")


@singledispatch
def sides_of(value: object) -> Sides:
    """The sides of the equation that a value is, or the one expression; none of a value of another kind."""
    return ()


@singledispatch
def symbols_for(value: object) -> Mapping[str, NameLatex]:
    """The symbols of the tensors in a formula, where it knows the model that it is of."""
    return {}


class Shown(NamedTuple):
    """Equations, and the symbols of their tensors that are not read off their names."""

    equations: Equations
    symbols: Mapping[str, NameLatex] = MappingProxyType({})


@singledispatch
def equations_of(value: object) -> Shown:
    """The equations that a value consists of; none of a value of another kind."""
    return Shown(Equations(()))


@sides_of.register
def _sides_of_expression(value: Expression) -> Sides:
    return (value,)


@sides_of.register
def _sides_of_equation(value: Equation) -> Sides:
    return value.element, value.expression


@sides_of.register
def _sides_of_step(value: Step) -> Sides:
    return value.before, value.after


@equations_of.register
def _equations_of_system(value: System) -> Shown:
    words = value.shorthands
    lines = tuple([(each.element, spelled(each.expression, words)) for each in value.equations])
    return Shown(Equations(lines), symbols_of(tuple(value.tensors), stated_symbols(value)))


@equations_of.register
def _equations_of_derivation(value: Derivation) -> Shown:
    return Shown(result_by_blocks(value), symbols_in(value))


@as_latex.register
def _formula_latex(value: Formula) -> str | None:
    sides, typesetter = sides_of(value), Typesetter(symbols_for(value))
    return f"$\\displaystyle {' = '.join(map(typesetter.latex, sides))}$" if sides else None


@as_latex.register
def _equations_latex(value: Summary) -> str | None:
    equations, symbols = equations_of(value)
    document = Document("", (equations,))
    return markdown_fragment(document, Typesetter(symbols)) if equations.lines else None


@as_html.register
def _formula_html(value: Formula) -> str | None:
    printer = MathPrinter(symbols=set_apart(symbols_for(value)))
    sides = [printer.math(side).at(SUM) for side in sides_of(value)]
    return f'<math displaystyle="true"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>' if sides else None


@as_html.register
def _equations_html(value: Summary) -> str | None:
    equations, symbols = equations_of(value)
    printer = MathPrinter(symbols=set_apart(symbols))
    rows = [
        _row((printer.math(left).markup, "<mo>=</mo>", printer.math(right).markup))
        for left, right in equations.lines
    ]
    shown = f'<math display="block"><mtable displaystyle="true">{"".join(rows)}</mtable></math>'
    return shown if rows else None


def _row(cells: Sequence[str]) -> str:
    """A row of an alignment at the equals signs."""
    shown = [
        f'<mtd style="text-align: {side}">{cell}</mtd>' for side, cell in zip(_CELLS, cells, strict=True)
    ]
    return f"<mtr>{''.join(shown)}</mtr>"
