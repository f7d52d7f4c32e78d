"""Strategies: where and in which order rules are applied. They record a Step for every use of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import is_

from symbackprop.errors import RewritingError
from symbackprop.integers.recognition import rounds_indices
from symbackprop.notation.expressions import Constant, Expression, Index, Number, Size
from symbackprop.rewriting.rule import Path, Rule, Step, node_at, replace_at

DEFAULT_BUDGET = 5000
ATOMS = (Index, Number, Size, Constant)  # what no rule rewrites


def _is_atom(node: Expression) -> bool:
    """Whether no rule looks into it; what a position rounds in float64 is computed as it is stated."""
    return isinstance(node, ATOMS) or rounds_indices(node)


@dataclass
class Memory:
    """Of a list of rules: the nodes that none applies to, and those that may apply to nodes of a type."""

    settled: set[Expression] = field(default_factory=set)
    by_root: dict[type[Expression], tuple[Rule, ...]] = field(default_factory=dict)


@dataclass
class _Innermost:
    """Children first; at each node the first rule of the list that applies, until none does."""

    rules: Sequence[Rule]
    budget: int
    memory: Memory
    changes: list[tuple[Rule, Path, Expression]] = field(default_factory=list)

    def normal_form(self, expression: Expression, place: Path = ()) -> Expression:
        if _is_atom(expression):
            return expression
        while expression not in self.memory.settled:
            expression = self._with_normal_children(expression, place)
            rewritten = self._first_rewriting(expression, place)
            if rewritten is None:
                self.memory.settled.add(expression)
            else:
                expression = rewritten
        return expression

    def _with_normal_children(self, expression: Expression, place: Path) -> Expression:
        children = expression.children
        normal = tuple([self.normal_form(child, (*place, number)) for number, child in enumerate(children)])
        return expression if all(map(is_, normal, children)) else expression.with_children(normal)

    def _rules_at(self, root: type[Expression]) -> tuple[Rule, ...]:
        by_root = self.memory.by_root
        if root not in by_root:
            by_root[root] = tuple([rule for rule in self.rules if rule.roots is None or root in rule.roots])
        return by_root[root]

    def _first_rewriting(self, expression: Expression, place: Path) -> Expression | None:
        for rule in self._rules_at(type(expression)):
            rewritten = rule.apply(expression)
            if rewritten is not None:
                if len(self.changes) >= self.budget:
                    raise RewritingError(
                        f"the rule '{rule.name}' did not come to rest within {self.budget} rewritings",
                        remedy="this is a defect of symbackprop; please report the model",
                    )
                self.changes.append((rule, place, rewritten))
                return rewritten
        return None


def apply_exhaustively(
    rules: Sequence[Rule],
    expression: Expression,
    budget: int = DEFAULT_BUDGET,
    memory: Memory | None = None,
) -> tuple[Step, ...]:
    """Apply rules, innermost node first and in the order of the list, until none applies any more.

    `memory` is what earlier runs of these rules have found; this one adds to it.
    Raises RewritingError, naming the rule, where they do not come to rest within `budget` rewritings.
    """
    strategy = _Innermost(rules, budget, Memory() if memory is None else memory)
    strategy.normal_form(expression)
    return _as_steps(expression, strategy.changes)


def apply_in_one_pass(rules: Sequence[Rule], expression: Expression) -> tuple[Step, ...]:
    """At each node, children first, the first rule that applies; what it makes is not looked at again."""
    changes: list[tuple[Rule, Path, Expression]] = []

    def passed(node: Expression, place: Path) -> Expression:
        if _is_atom(node):
            return node
        children = tuple([passed(child, (*place, number)) for number, child in enumerate(node.children)])
        if not all(map(is_, children, node.children)):
            node = node.with_children(children)
        for rule in rules:
            rewritten = rule.apply(node)
            if rewritten is not None:
                changes.append((rule, place, rewritten))
                return rewritten
        return node

    passed(expression, ())
    return _as_steps(expression, changes)


def apply_outside_in(rules: Sequence[Rule], expression: Expression) -> tuple[Step, ...]:
    """At each node the first rule that applies, once; then the same at the children of what it makes."""
    changes: list[tuple[Rule, Path, Expression]] = []

    def passed(node: Expression, place: Path) -> Expression:
        if _is_atom(node):
            return node
        for rule in rules:
            rewritten = rule.apply(node)
            if rewritten is not None:
                changes.append((rule, place, rewritten))
                node = rewritten
                break
        children = tuple([passed(child, (*place, number)) for number, child in enumerate(node.children)])
        return node if all(map(is_, children, node.children)) else node.with_children(children)

    passed(expression, ())
    return _as_steps(expression, changes)


@dataclass
class _Outermost:
    """Nodes of one type from the outside inwards: what a rule leaves of them is taken up next."""

    rules: Sequence[Rule]
    sign: type[Expression]
    changes: list[tuple[Rule, Path, Expression]] = field(default_factory=list)
    free: dict[int, Expression] = field(default_factory=dict)

    def resolved(self, expression: Expression, place: Path = ()) -> Expression:
        while isinstance(expression, self.sign):
            rule, rewritten = self._first_rewriting(expression)
            if rule is None:
                return expression
            self.changes.append((rule, place, rewritten))
            expression = rewritten
        if id(expression) in self.free:
            return expression
        children = expression.children
        resolved = tuple([self.resolved(child, (*place, number)) for number, child in enumerate(children)])
        if all(map(is_, resolved, children)):
            self.free[id(expression)] = expression  # held, so that no other node gets its id
            return expression
        return expression.with_children(resolved)

    def _first_rewriting(self, expression: Expression) -> tuple[Rule | None, Expression]:
        for rule in self.rules:
            rewritten = rule.apply(expression)
            if rewritten is not None:
                return rule, rewritten
        return None, expression


@dataclass(frozen=True)
class Resolution:
    """What has been rewritten, and where; its steps are written out when someone wants to see them."""

    start: Expression
    changes: Sequence[tuple[Rule, Path, Expression]]
    result: Expression

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """A step for every use of a rule."""
        return _as_steps(self.start, self.changes)

    def __getstate__(self) -> dict[str, object]:
        # Rules are functions, which cannot be pickled: their steps name them.
        return {"start": self.start, "changes": (), "result": self.result, "steps": self.steps}


def resolve(rules: Sequence[Rule], expression: Expression, sign: type[Expression]) -> Resolution:
    """Rewrite the nodes of one type, outermost first, by the first rule that applies, until none applies.

    Each rule has to leave nodes of that type over smaller parts alone.
    """
    strategy = _Outermost(rules, sign)
    result = strategy.resolved(expression)
    return Resolution(expression, strategy.changes, result)


def _as_steps(expression: Expression, changes: Sequence[tuple[Rule, Path, Expression]]) -> tuple[Step, ...]:
    steps = []
    for rule, place, node in changes:
        after = replace_at(expression, place, node)
        steps.append(Step(rule.used_on(node_at(expression, place)), place, expression, after))
        expression = after
    return tuple(steps)


def result_of(steps: Sequence[Step], start: Expression) -> Expression:
    """What a run of steps arrives at; `start` where there was none."""
    return steps[-1].after if steps else start
