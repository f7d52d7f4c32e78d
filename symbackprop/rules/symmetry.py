"""Symmetric matrices: P[i,j] = P[j,i], and the same for the inverse.

A tensor is symmetric in its last two indices by a fact, or because its definition says the same when they
change places. Then each pair of positions is written in one order, so that what is equal looks equal. So is
the square of a difference, (x - y)^2 = (y - x)^2, and its cosine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from symbackprop.notation.expressions import (
    Axis,
    Element,
    Expression,
    Index,
    Reduction,
)
from symbackprop.notation.matrix_functions import MatrixFunction, readings
from symbackprop.notation.substitution import canonical_bound_names, substitute, unprimed
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Step, WholeRule
from symbackprop.rules.conditions import stated_where, when
from symbackprop.systems.mirror_images import has_image, products_in_order, turned_alike
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Equation, Fact, System

BY_DEFINITION = "by its definition"
SYMMETRY = "symmetry"
MAY_USE_SYMMETRY = frozenset(("regroup sum", "inverse times matrix", "cofactors times matrix"))
OUT_OF_ORDER = "pairs out of order"
SWAPPED = "P[i,j] = P[j,i] and inv(P)[i,j] = inv(P)[j,i]"


def stated_symmetries(system: System) -> dict[str, str]:
    """The symmetric tensors that facts name, each with the fact."""
    found = {known.tensor: f"fact {fact_text(known)}" for known in system.positive_definite}
    for fact in system.facts:
        tensor = _symmetric_tensor(fact)
        if tensor is not None:
            found.setdefault(tensor, f"fact {fact_text(fact)}")
    return found


def symmetries_used(system: System, stated: Mapping[str, str], steps: Iterable[Step]) -> dict[str, str]:
    """The tensors whose `stated` symmetry a derivation's steps rest on, each with the fact.

    What is symmetric by its definition is so because of what it is computed from.
    """
    used: set[str] = set()
    for step in steps:
        if step.rule.name == SYMMETRY:
            before, after = (frozenset(readings(side)) for side in (step.before, step.after))
            used |= {read.tensor for read in before ^ after} or step.before.tensors
        elif step.rule.name in MAY_USE_SYMMETRY:
            used |= step.before.tensors
    behind = system.precedents(name for name in used if name in system.tensors)
    return {tensor: fact for tensor, fact in stated.items() if tensor in behind}


def _symmetric_tensor(fact: Fact) -> str | None:
    """The tensor of a fact P[i,j] == P[j,i]."""
    match fact.left, fact.right:
        case Element(tensor, (*batch, Index() as row, Index() as column)), Element() as right:
            distinct = len({*batch, row, column}) == len(batch) + 2
            if distinct and right == Element(tensor, (*batch, column, row)):
                return tensor
    return None


def is_symmetric(equation: Equation, symmetric: Mapping[str, str]) -> bool:
    """Whether the definition stays the same when its last two indices change places."""
    if len(equation.indices) < 2 or equation.indices[-1].axis != equation.indices[-2].axis:
        return False
    row, column = equation.indices[-2:]
    swapped = substitute(equation.expression, {row: column, column: row})
    first, second = (_Orientation(symmetric).of(each) for each in (equation.expression, swapped))
    return canonical_bound_names(products_in_order(first)) == canonical_bound_names(products_in_order(second))


def orient(
    expression: Expression,
    symmetric: Mapping[str, str],
    index_names: Mapping[Axis, Sequence[Index]] = MappingProxyType({}),
) -> tuple[Step, ...]:
    """Write every pair of positions of a symmetric matrix in one order; one step, or none.

    Of two indices of the left-hand side, that comes first which `index_names` names first.
    """
    if not expression.tensors & symmetric.keys():
        return ()
    reasons = {name: why for name, why in symmetric.items() if name in expression.tensors}
    orientation = _Orientation(reasons, index_names)
    after = orientation.of(expression)
    if after == expression:
        return ()
    used = tuple([(*each, symmetric[each[1]]) for each in orientation.matrices])
    premise = Symmetries(used, tuple(index_names.items()))
    return (Step(oriented_by(premise).cited(premise, ()), (), expression, after),)


@dataclass(frozen=True)
class Symmetries(Premise):
    """The symmetries that are used, each with the matrix function, the tensor and the reason.

    `index_names` says which of two free indices comes first.
    """

    used: tuple[tuple[str, str, str], ...]
    index_names: tuple[tuple[Axis, Sequence[Index]], ...]

    @property
    def statement(self) -> str:
        """All of them."""
        return "; ".join(self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """P[i,j] = P[j,i], and why."""
        shown = [(f"{kind}({tensor})" if kind else tensor, why) for kind, tensor, why in self.used]
        return tuple([f"{matrix}[i,j] = {matrix}[j,i] ({why})" for matrix, why in shown])

    def holds(self, anchor: Anchor) -> bool:
        """Whether the tensors are symmetric, each for that reason."""
        return all(anchor.why_symmetric(tensor) == why for _, tensor, why in self.used)

    def renamed(self, names: Mapping[str, str]) -> Symmetries:
        """The same of the tensors' other names."""
        used = tuple([(kind, names.get(tensor, tensor), why) for kind, tensor, why in self.used])
        return replace(self, used=used)


def oriented_by(premise: Symmetries) -> WholeRule:
    """The rule of these symmetries: all of them are used, and none besides."""

    def oriented(node: Expression) -> Expression | None:
        symmetric = {tensor: why for _, tensor, why in premise.used}
        orientation = _Orientation(symmetric, dict(premise.index_names))
        after = orientation.of(node)
        used = tuple([(kind, tensor) for kind, tensor, _ in premise.used])
        return after if orientation.matrices == used else None

    return WholeRule(SYMMETRY, premise.statement, oriented, OUT_OF_ORDER)


def symmetry_rule(
    symmetric: Mapping[str, str], index_names: Mapping[Axis, Sequence[Index]] = MappingProxyType({})
) -> WholeRule:
    """The rule, where these tensors are symmetric, each for a reason."""

    def apply(node: Expression) -> Expression | None:
        after = _Orientation(symmetric, index_names).of(node)
        return None if after == node else after

    where = (when("symmetric", "P").words,)
    return WholeRule(
        SYMMETRY,
        stated_where(SWAPPED, where),
        apply,
        OUT_OF_ORDER,
        where,
        example="T[j2,j]*y[j]",
        near_miss="T[j,j2]*y[j]",
    )


def squares_out_of_order(expression: Expression, _context: MeasureContext) -> int:
    """How many even powers and functions of differences stand the other way round beside a mirror image."""
    turned = turned_alike(expression) or expression
    squares = [[node for node in each.walk() if has_image(node)] for each in (expression, turned)]
    return sum(one != other for one, other in zip(*squares, strict=True))


MIRRORED_SQUARES = WholeRule(
    "mirrored squares",
    "(x - y)^n = (y - x)^n, where n is even and (y - x)^n stands in the expression, too, "
    "likewise cos, cosh and abs, and f(x - y) = -f(y - x) for an odd function f",
    turned_alike,
    "squares out of order",
    example="1/(x[i] - c)^2 + 1/(c - x[i])^2",
    near_miss="1/(x[i] - c)^2 + 1/(c - x[i2])^2",
)


def turn_squares(expression: Expression) -> tuple[Step, ...]:
    """Write even powers and functions of mirror images alike; one step, or none."""
    after = turned_alike(expression)
    return () if after is None else (Step(MIRRORED_SQUARES.used_on(expression), (), expression, after),)


def pairs_out_of_order(expression: Expression, context: MeasureContext) -> int:
    """How many pairs of positions of symmetric matrices are not in their one order."""
    orientation = _Orientation(context.symmetric, context.index_names)
    orientation.of(expression)
    return len(orientation.turned)


def mirror_images(node: Expression, symmetric: Collection[str]) -> tuple[Expression, ...]:
    """The node, and if it reads a symmetric matrix, the same with row and column in each other's place."""
    if isinstance(node, Element | MatrixFunction) and node.tensor in symmetric and len(node.positions) > 1:
        *batch, row, column = node.positions
        return node, replace(node, positions=(*batch, column, row))
    return (node,)


@dataclass
class _Orientation:
    """Free indices come before bound ones, as declared; bound ones in the order in which they are bound."""

    symmetric: Mapping[str, str]
    index_names: Mapping[Axis, Sequence[Index]] = field(default_factory=dict)
    turned: list[Element | MatrixFunction] = field(default_factory=list)

    @property
    def matrices(self) -> tuple[tuple[str, str], ...]:
        """Of what has been turned each matrix function, "" where there is none, and tensor."""
        kinds = [(each.kind if isinstance(each, MatrixFunction) else "", each.tensor) for each in self.turned]
        return tuple(dict.fromkeys(kinds))

    def of(self, expression: Expression, bound: Mapping[Index, int] | None = None) -> Expression:
        bound = bound or {}
        if isinstance(expression, Reduction):
            inner = dict(bound)
            for index in expression.indices:
                inner.pop(index, None)
                inner[index] = max(inner.values(), default=0) + 1
            return expression.with_children((self.of(expression.body, inner),))
        children = tuple([self.of(child, bound) for child in expression.children])
        if children != expression.children:
            expression = expression.with_children(children)
        if not isinstance(expression, Element | MatrixFunction) or expression.tensor not in self.symmetric:
            return expression
        return self._ordered(expression, bound)

    def _ordered(
        self, node: Element | MatrixFunction, bound: Mapping[Index, int]
    ) -> Element | MatrixFunction:
        match node.positions:
            case (*batch, Index() as row, Index() as column):
                if self._rank(column, bound) < self._rank(row, bound):
                    self.turned.append(node)
                    return replace(node, positions=(*batch, column, row))
        return node

    def _rank(self, index: Index, bound: Mapping[Index, int]) -> tuple[int, int, str]:
        declared = self.index_names.get(index.axis, ())
        place = declared.index(unprimed(index)) if unprimed(index) in declared else len(declared)
        return bound.get(index, 0), place, index.name
