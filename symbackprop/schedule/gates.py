"""Functions that are their argument times a gate: silu(u) = u*sigmoid(u), gelu(u) = u*normcdf(u).

Their derivatives need the gate again, which is then computed once, and the function from it. The other way
round, 1 - sigmoid(u) is computed as sigmoid(-u), which keeps its digits, where nobody needs sigmoid(u).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from symbackprop.functions.elementary import ALL_FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Apply, Expression, Multiply
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, rewritten
from symbackprop.schedule.occurrences import occurrence
from symbackprop.stability.sigmoids import complement


def with_shared_gates(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with u*g(u) for each f(u) that is this, where some equation needs g(u) by itself."""
    rule = gate_rule([item.equation.expression for item in items])
    return tuple([rewritten(item, (rule,)) for item in items])


def gate_rule(expressions: Sequence[Expression]) -> Rule:
    """f(u) = u*g(u) for the gates g(u) that the expressions need."""
    applied = {occurrence(node)[0] for node in _nodes(expressions) if isinstance(node, Apply)}
    return Rule(
        "function by its gate",
        "silu(u) = u*sigmoid(u); gelu(u) = u*normcdf(u), where the gate is computed anyway",
        lambda node: _opened(node, applied),
        where=("the gate is computed anyway",),
        example="silu(x[i]) + sigmoid(x[i])",
        near_miss="silu(c) + sigmoid(x[i])",
    )


def _opened(node: Expression, applied: Collection[Expression]) -> Expression | None:
    gate = gate_of(node)
    if gate is None or occurrence(gate)[0] not in applied:
        return None
    return multiply(*gate.arguments, gate)


def with_complements(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with 1 - g(u) computed by itself where no equation needs g(u)."""
    rule = complement_rule([item.equation.expression for item in items])
    return tuple([rewritten(item, (rule,)) for item in items])


def complement_rule(expressions: Sequence[Expression]) -> Rule:
    """1 - g(u) by itself, for the functions g(u) that the expressions need in no other way."""
    needed = Counter(occurrence(each)[0] for each in _nodes(expressions) if isinstance(each, Apply))
    differences = Counter(
        occurrence(found[0])[0] for found in map(complement, _nodes(expressions)) if found is not None
    )

    def apply(node: Expression) -> Expression | None:
        found = complement(node)
        if found is None or needed[occurrence(found[0])[0]] > differences[occurrence(found[0])[0]]:
            return None
        return found[1]

    return Rule(
        "complement",
        "1 - sigmoid(u) = sigmoid(-u); 1 - tanh(u)^2 = 4*sigmoid(2*u)*sigmoid(-2*u), "
        "where the function is not needed elsewhere",
        apply,
        where=("the function is not needed elsewhere",),
        example="1 - sigmoid(x[i])",
        near_miss="1 - sigmoid(c)",
    )


def _nodes(expressions: Sequence[Expression]) -> Iterator[Expression]:
    return (node for expression in expressions for node in expression.walk())


def gate_of(node: Expression) -> Apply | None:
    """g(u) of f(u) = u*g(u); None where the function is no such product, and for |u|, which costs nothing."""
    formula = definition_of(node) if isinstance(node, Apply) else None
    match formula:
        case Multiply((argument, Apply(name, (inner,)) as gate)) if inner == argument:
            return None if ALL_FUNCTIONS[name].is_step else gate
    return None
