"""Functions that are their argument times a gate: silu(u) = u*sigmoid(u), gelu(u) = u*normcdf(u).

Their derivatives need the gate again, which is then computed once, and the function from it. The other way
round, 1 - sigmoid(u) is computed as sigmoid(-u), which keeps its digits, where nobody needs sigmoid(u).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from symbackprop.functions.table import ALL_FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Apply, Expression, Multiply
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, rewritten
from symbackprop.schedule.occurrences import occurrence
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.sigmoids import complement

NO_NAMES = Meanings()  # behind a name, the function is computed already


def with_shared_gates(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with u*g(u) for each f(u) that is this, where some equation needs g(u) by itself."""
    calls = _calls([item.equation.expression for item in items])
    rule = _restricted(FUNCTION_BY_ITS_GATE, lambda node: _key(gate_of(node)) in calls)
    return tuple([rewritten(item, (rule,)) for item in items])


def with_complements(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with 1 - g(u) computed by itself where no equation needs g(u)."""
    expressions = [item.equation.expression for item in items]
    calls = _calls(expressions)
    differences = Counter(map(_key, map(_function_of_complement, _nodes(expressions))))

    def pays(node: Expression) -> bool:
        key = _key(_function_of_complement(node))
        return calls[key] <= differences[key]

    rule = _restricted(COMPLEMENT, pays)
    return tuple([rewritten(item, (rule,)) for item in items])


def _restricted(rule: Rule, pays: Callable[[Expression], bool]) -> Rule:
    """The rule, for those nodes alone for which it pays."""
    return replace(rule, apply=lambda node: rule.apply(node) if pays(node) else None)


def _calls(expressions: Sequence[Expression]) -> Counter[Expression | None]:
    """How often each function is applied to an argument, up to the names of indices."""
    return Counter(_key(node) for node in _nodes(expressions) if isinstance(node, Apply))


def _key(function: Expression | None) -> Expression | None:
    return None if function is None else occurrence(function)[0]


def _function_of_complement(node: Expression) -> Apply | None:
    found = complement(node, NO_NAMES)
    return None if found is None else found[0]


def _by_its_gate(node: Expression) -> Expression | None:
    gate = gate_of(node)
    return None if gate is None else multiply(*gate.arguments, gate)


def _by_itself(node: Expression) -> Expression | None:
    found = complement(node, NO_NAMES)
    return None if found is None else found[1]


FUNCTION_BY_ITS_GATE = Rule(
    "function by its gate",
    "silu(u) = u*sigmoid(u); gelu(u) = u*normcdf(u)",
    _by_its_gate,
    example="silu(x[i]) + sigmoid(x[i])",
    near_miss="relu(c) + sigmoid(x[i])",
)
COMPLEMENT = Rule(
    "complement",
    "1 - sigmoid(u) = sigmoid(-u); 1 - tanh(u)^2 = 4*sigmoid(2*u)*sigmoid(-2*u)",
    _by_itself,
    example="1 - sigmoid(x[i])",
    near_miss="2 - sigmoid(c)",
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
