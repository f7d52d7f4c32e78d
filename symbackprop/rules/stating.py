"""Rules as records: equations in the model language, side conditions, a measure, an example, a near-miss."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from symbackprop.language.formulas import FormulaReader
from symbackprop.language.model import parse_system
from symbackprop.language.names import Surroundings
from symbackprop.language.parsing import read_formula
from symbackprop.language.scope import scope_of
from symbackprop.language.source import source_of
from symbackprop.language.syntax import Chain, Formula, Junction, Reference
from symbackprop.notation.expressions import Expression, Index
from symbackprop.rewriting.patterns import (
    BINDERS,
    CONDITIONS,
    NUMBERS,
    VALUES,
    Found,
    PatternMatcher,
    filled_in,
)
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import When
from symbackprop.systems.system import System

Equation = tuple[str, str]

VARIABLES = f"""
index i, j : {BINDERS.name}
index f, g, h : {VALUES.name}
index c, d : {CONDITIONS.name}
index n : {NUMBERS.name}
const variables[i,j,f,g,h,c,d,n]
loss E = 0
"""


def stated(
    name: str,
    formula: str,
    apply: Callable[[Expression], Expression | None],
    *,
    where: tuple[When, ...] = (),
    decreases: str,
    example: str,
    near_miss: str,
) -> Rule:
    """A rule whose left side is too rich for a pattern: a function beside its statement."""
    words = tuple(each.words for each in where)
    statement = ", ".join((formula, *words))
    return Rule(name, statement, apply, decreases, where=words, example=example, near_miss=near_miss)


def pattern_rule(
    name: str,
    *equations: Equation,
    where: tuple[When, ...] = (),
    decreases: str,
    example: str,
    near_miss: str,
) -> Rule:
    """A rule of one or more equations, tried in their order; their text is read at the first use."""
    formula = "; ".join(f"{left} = {right}" for left, right in equations)

    def apply(node: Expression) -> Expression | None:
        return rewritten(node, equations, where)

    return stated(
        name, formula, apply, where=where, decreases=decreases, example=example, near_miss=near_miss
    )


def rewritten(
    node: Expression, equations: tuple[Equation, ...], where: tuple[When, ...]
) -> Expression | None:
    """The right side of the first equation whose left side the node is."""
    for left, right in _read(equations):
        if type(left) is type(node):
            matcher = PatternMatcher(lambda variable, found: _admits(where, variable, found))
            for found in matcher.match(left, node, Found()):
                return filled_in(right, found)
    return None


def _admits(where: tuple[When, ...], variable: Index, found: Found) -> bool:
    return all(each.holds(found) for each in where if variable.name in each.variables)


@cache
def _read(equations: tuple[Equation, ...]) -> tuple[tuple[Expression, Expression], ...]:
    return tuple((read_pattern(left), read_pattern(right)) for left, right in equations)


def read_pattern(text: str) -> Expression:
    """A side of an equation; LanguageError or NotationError where it is not in the language."""
    source = source_of(text, "rule")
    formula = read_formula(source)
    reader = _PatternReader(scope_of(_variables(), source))
    is_condition = isinstance(formula, Chain | Junction)
    return (reader.condition if is_condition else reader.value)(formula, Surroundings(visible={}))


@cache
def _variables() -> System:
    return parse_system(VARIABLES, "rules")


class _PatternReader(FormulaReader):
    """Reads `c` as a condition where one is due."""

    def condition(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A condition, or a variable that stands for one."""
        if isinstance(formula, Reference):
            return self.value(formula, surroundings)
        return super().condition(formula, surroundings)
