"""stop(f) is f to whoever computes: it has done its work once all is differentiated."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, rewritten
from symbackprop.systems.dependence import is_stop


def _passed(node: Expression) -> Expression | None:
    return node.arguments[0] if is_stop(node) else None


PASSING = Rule(
    "stopped gradient",
    "stop(f) = f, as a value",
    _passed,
    example="x[i]*stop(y[j])",
    near_miss="x[i]*y[j]",
)


def without_stops(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations with the arguments in the place of stop(...)."""
    return tuple([rewritten(item, (PASSING,)) for item in items])
