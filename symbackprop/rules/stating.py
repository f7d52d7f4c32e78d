"""Rules as records: equations in the model language, side conditions, a measure, an example, a near-miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

from symbackprop.language.formulas import FormulaReader
from symbackprop.language.model import parse_system
from symbackprop.language.names import Surroundings
from symbackprop.language.scope import scope_of
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.rewriting.justification import Bindings, Premise
from symbackprop.rewriting.patterns import (
    BINDERS,
    CONDITIONS,
    NUMBERS,
    VALUES,
    Found,
    PatternMatcher,
    filled_in,
    may_match,
    variables_of,
)
from symbackprop.rewriting.rule import PatternFunction, Rule
from symbackprop.rules.conditions import When, stated_where
from symbackprop.syntax.nodes import Chain, Formula, Junction, Reference
from symbackprop.syntax.parsing import read_formula
from symbackprop.syntax.source import source_of
from symbackprop.systems.system import System

Equation = tuple[str, str]
Node = TypeVar("Node", bound=Expression)

DIFFERENTIATED = "differentiated parts"

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
    premise: Callable[[Expression], Premise] | None = None,
    roots: tuple[type[Expression], ...] | None = None,
) -> Rule:
    """A rule whose left side is too rich for a pattern: a function beside its statement.

    `roots` are the types of the nodes that the function may apply to; None for any.
    """
    words = tuple(each.words for each in where)
    statement = stated_where(formula, words)
    law = formula if where and all(each.is_of_use for each in where) else ""
    return Rule(name, statement, apply, decreases, words, example, near_miss, premise, roots, law)


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

    apply = Rewriting(equations, where)
    return stated(
        name, formula, apply, where=where, decreases=decreases, example=example, near_miss=near_miss
    )


class CalculusRule(Rule):
    """A rule for a derivative, that leaves derivatives of smaller parts, or none."""


def calculus_rule(
    name: str,
    statement: str,
    of_node: type[Node],
    apply: Callable[[Node, Element], Expression | None],
    *where: When,
    example: str,
    near_miss: str,
) -> CalculusRule:
    """A rule for the derivative of one kind of node by `t`, printed in short, without its side conditions."""

    def differentiate(node: Expression) -> Expression | None:
        if isinstance(node, PartialDerivative) and isinstance(node.expression, of_node):
            return apply(node.expression, node.denominator)
        return None

    words = tuple(each.words for each in where)
    return CalculusRule(name, statement, differentiate, DIFFERENTIATED, words, example, near_miss)


@dataclass(frozen=True)
class Rewriting(PatternFunction):
    """The function of a rule that is stated by equations; they are read when it is first used."""

    equations: tuple[Equation, ...]
    where: tuple[When, ...]

    def __call__(self, node: Expression) -> Expression | None:
        """The right side of the first equation whose left side the node is."""
        for right, found in self._matches(node):
            return filled_in(right, found)
        return None

    def bindings(self, node: Expression) -> Bindings:
        """What the variables of that equation stand for."""
        for _, found in self._matches(node):
            return tuple(found.values.items())
        return ()

    def bound(self, node: Expression, bindings: Bindings) -> Expression | None:
        """The right side of the equation whose left side the node is by these bindings."""
        given = dict(bindings)
        for left, right in self.patterns.get(type(node), ()):
            if variables_of(left) == given.keys() and may_match(left, node):
                for found in PatternMatcher(self.admits).match(left, node, Found(given)):
                    if all(self.admits(variable, found) for variable in given):
                        return filled_in(right, found)
        return None

    def _matches(self, node: Expression) -> Iterator[tuple[Expression, Found]]:
        for left, right in self.patterns.get(type(node), ()):
            if may_match(left, node):
                for found in PatternMatcher(self.admits).match(left, node, Found()):
                    yield right, found

    @property
    def roots(self) -> tuple[type[Expression], ...]:
        """The types of the left sides."""
        return tuple(self.patterns)

    @cached_property
    def patterns(self) -> dict[type[Expression], tuple[tuple[Expression, Expression], ...]]:
        """The equations by the type of the node that they rewrite."""
        read = [(read_pattern(left), read_pattern(right)) for left, right in self.equations]
        return {root: tuple(each for each in read if type(each[0]) is root) for root in map(_root, read)}

    def admits(self, variable: Index, found: Found) -> bool:
        """Whether the side conditions that speak of the variable hold."""
        return all(each.holds(found) for each in self.where if variable.name in each.variables)


def _root(equation: tuple[Expression, Expression]) -> type[Expression]:
    return type(equation[0])


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
        """A condition, or a variable for one."""
        if isinstance(formula, Reference):
            return self.value(formula, surroundings)
        return super().condition(formula, surroundings)
