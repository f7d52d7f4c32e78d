"""Equations as a program computes them, each linked to the equation of model or gradient that it serves."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.derivation.named_parts import Portions
from symbackprop.derivation.result import AdjointDerivation
from symbackprop.functions.table import as_shown
from symbackprop.integers.recognition import is_integer
from symbackprop.integers.whole_definitions import Word
from symbackprop.notation.expressions import Comparison, Expression, Logic, Reduction
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.rule import Rule, Step, WholeRule
from symbackprop.rewriting.strategies import apply_exhaustively, apply_in_one_pass
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.ordering import in_reading_order
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation


class Part(enum.Enum):
    """What is computed, as a part of the equation that it is computed for."""

    EQUATION = "the equation itself"
    PORTION = "a portion of an equation that is too large for one formula"
    BLOCK = "a block of an equation over a packed axis"
    CHOSEN_MATRICES = "the matrices that a condition lets through"
    HOISTED = "a loop-invariant part of a recurrence's equation"
    SUBEXPRESSION = "a common subexpression, named where it is read first"
    POSITION = "a position that several places read, as an integer"
    OTHER_STEP = "what a step of a recurrence reads at another step"
    SCATTERED = "a sum that the steps of a recurrence add to, or what one of them adds"
    WINDOWS = "a reduction over the windows of a tensor, or the windows themselves"
    INVARIANT = "a loop-invariant value"
    SUMMAND = "what one of several equal layers adds to a gradient"
    CUT = "an operand of a statement that is too long for one line"
    COPY = "the result in memory of its own"
    CHECK = "a tensor, held against a fact that the gradient rests on"


@dataclass(frozen=True)
class Origin:
    """The equation of a model or of its gradient that something is computed for, and as which part of it.

    `source` is that equation as it was stated or derived; `adjoint` is its derivation, None for an equation
    that the model states. `stated` is the equation that is computed: `source` itself, what is left of it
    where the step in `portions` names portions of it, or a temporary's. `steps` lead from its right-hand
    side to the one by which it is computed. `shorthands` are the words by which a reader finds composite
    expressions named.
    """

    source: Equation
    stated: Equation
    part: Part = Part.EQUATION
    adjoint: AdjointDerivation | None = field(default=None, compare=False, repr=False)
    steps: tuple[Step, ...] = field(default=(), compare=False, repr=False)
    portions: tuple[Step, ...] = field(default=(), compare=False, repr=False)
    shorthands: frozenset[Word] = field(default=frozenset(), compare=False, repr=False)

    @property
    def start(self) -> Equation:
        """Where the first of the steps starts: at the source, if that reads portions."""
        return self.source if self.portions else self.stated

    @property
    def formula(self) -> str:
        """The equation that is computed, in the model language."""
        shown = rewrite_bottom_up(self.stated.expression, as_shown)
        return equation_text(replace(self.stated, expression=shown), self.shorthands)

    def of_part(self, part: Part, stated: Equation | None = None) -> Origin:
        """The origin of a part, which an equation of its own states or else the same."""
        if stated is None:
            return replace(self, part=part)
        return replace(self, part=part, stated=stated, steps=(), portions=())


@dataclass(frozen=True)
class NamedEquation:
    """An equation as it is computed, and where it comes from.

    A guarded one is read only by branches of a `where`; one with `integers` is a recurrence of
    whole numbers, or a part of one, and those are the tensors that hold integers.
    """

    equation: Equation
    origin: Origin
    guarded: bool = False
    integers: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        equation: Equation,
        adjoint: AdjointDerivation | None = None,
        shorthands: frozenset[Word] = frozenset(),
        integers: frozenset[str] = frozenset(),
    ) -> NamedEquation:
        """An equation of a model, or of its gradient, as it stands."""
        origin = Origin(equation, equation, adjoint=adjoint, shorthands=shorthands)
        return cls(equation, origin, integers=integers)

    @property
    def kind(self) -> Kind:
        """What the tensor's array holds."""
        is_whole = self.origin.part is Part.POSITION
        if self.integers:
            itself = self.equation.tensor in self.integers
            is_whole = is_whole or itself or is_integer(self.equation.expression, self.integers)
        return Kind.INTEGER if is_whole else kind_of(self.equation.expression)

    def computing(self, expression: Expression, steps: Sequence[Step] = ()) -> NamedEquation:
        """The same tensor, computed by another expression for the same values; the steps say why."""
        origin = replace(self.origin, steps=(*self.origin.steps, *steps)) if steps else self.origin
        return replace(self, equation=replace(self.equation, expression=expression), origin=origin)

    def reading_portions(self, rest: Equation, portions: tuple[Equation, ...]) -> NamedEquation:
        """What is left of the equation, which reads portions of it."""
        step = Step(Portions(portions), (), self.equation.expression, rest.expression)
        return replace(self, equation=rest, origin=replace(self.origin, stated=rest, portions=(step,)))

    def temporary(self, part: Part, equation: Equation, guarded: bool = False) -> NamedEquation:
        """A temporary that is computed for this equation."""
        return NamedEquation(equation, self.origin.of_part(part, equation), guarded, self.integers)


def rewritten(item: NamedEquation, rules: Sequence[Rule]) -> NamedEquation:
    """The equation with its right-hand side in normal form by the rules, and a step for each use of one."""
    steps = apply_exhaustively(rules, item.equation.expression)
    return item.computing(steps[-1].after, steps) if steps else item


def rewritten_once(item: NamedEquation, rules: Sequence[Rule]) -> NamedEquation:
    """The equation with each node of its right-hand side rewritten once at most."""
    steps = apply_in_one_pass(rules, item.equation.expression)
    return item.computing(steps[-1].after, steps) if steps else item


def rewritten_whole(item: NamedEquation, rule: WholeRule) -> NamedEquation:
    """The equation with its right-hand side rewritten by a rule of whole ones."""
    before = item.equation.expression
    after = rule.apply(before)
    return item if after is None else item.computing(after, (Step(rule.used_on(before), (), before, after),))


def items_in_reading_order(items: Iterable[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, each after those that it reads."""
    by_name = {item.equation.tensor: item for item in items}
    ordered = in_reading_order(tuple(item.equation for item in by_name.values()))
    return tuple(by_name[equation.tensor] for equation in ordered)


def kind_of(expression: Expression) -> Kind:
    """What the array of a named expression holds: a condition, places of maxima, or numbers."""
    match expression:
        case Comparison() | Logic():
            return Kind.BOOLEAN
        case Reduction("argmax", _, _):
            return Kind.INTEGER
    return Kind.REAL
