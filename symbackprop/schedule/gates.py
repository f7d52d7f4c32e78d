"""Functions that are their argument times a gate: silu(u) = u*sigmoid(u), gelu(u) = u*normcdf(u).

Their derivatives need the gate again, which is then computed once, and the function from it. The other way
round, 1 - sigmoid(u) is computed as sigmoid(-u), which keeps its digits, where nobody needs sigmoid(u), and
where it is a factor of a result: what stands beside it in a sum covers the digits that it loses. There a
divisor 1 - sigmoid(u) + c is sigmoid(-u) + c: of its own 1 and that of the factor, no rounding cancels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import complement, complement_above_floor
from symbackprop.functions.table import ALL_FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, rewritten, rewritten_once
from symbackprop.schedule.occurrences import occurrence

NO_NAMES = Meanings()  # behind a name, the function is computed already


def with_shared_gates(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with u*g(u) for each f(u) that is this, where some equation needs g(u) by itself."""
    calls = _calls([item.equation.expression for item in items])
    rule = _restricted(FUNCTION_BY_ITS_GATE, lambda node: _key(gate_of(node)) in calls)
    return tuple([rewritten(item, (rule,)) for item in items])


def with_complements(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, with 1 - g(u) by itself where no equation needs g(u), and where it is a factor."""
    items = [rewritten_once(item, (COMPLEMENT_IN_SUM,)) for item in items]
    expressions = [item.equation.expression for item in items]
    calls = _calls(expressions)
    differences = Counter(map(_key, map(_function_of_complement, _nodes(expressions))))
    factors = {_key(_function_of_complement(node)) for each in expressions for node in _factors_in(each)}

    def is_computed(form: Expression) -> bool:
        return all(_key(each) in calls for each in form.walk() if isinstance(each, Apply))

    def pays(node: Expression) -> bool:
        key = _key(_function_of_complement(node))
        if key is None:
            found = complement_above_floor(node, NO_NAMES)
            return found is not None and (_key(found[0]) in factors or is_computed(found[1]))
        return calls[key] <= differences[key] or key in factors

    rule = _restricted(COMPLEMENT, pays)
    return tuple([rewritten(item, (rule,)) for item in items])


def _factors_in(node: Expression) -> Iterator[Expression]:
    """The complements that the value is proportional to, where nothing else is."""
    match node:
        case Add(terms):
            if _function_of_complement(node) is not None:
                yield node
            elif all(map(_vanishes, terms)):
                for term in terms:
                    yield from _factors_in(term)
        case Multiply() | Reduction("sum"):
            for child in node.children:
                yield from _factors_in(child)
        case Where(_, chosen, otherwise):
            yield from _factors_in(chosen)
            yield from _factors_in(otherwise)
        case Power(base, Number(exponent)) if exponent > 0:
            yield from _factors_in(base)


def _vanishes(node: Expression) -> bool:
    """Whether a complement is a factor of it, or of each of its terms."""
    return next(_factors_in(node), None) is not None


def _with_complement_apart(node: Expression) -> Expression | None:
    """n + f - n*sigmoid(u) = f + n*(1 - sigmoid(u)), with 1 - sigmoid(u) or its like a factor of f."""
    if not isinstance(node, Add) or len(node.terms) < 3:
        return None
    numbers = [term for term in node.terms if isinstance(term, Number)]
    for term in node.terms if numbers else ():
        pair = Add((*numbers, term))
        rest = tuple(each for each in node.terms if each is not term and each not in numbers)
        if len(numbers) == 1 and _function_of_complement(pair) and all(map(_vanishes, rest)):
            return Add((*rest, pair))
    return None


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
    found = complement(node, NO_NAMES) or complement_above_floor(node, NO_NAMES)
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
    "1 - sigmoid(u) = sigmoid(-u); 1 - tanh(u)^2 = 4*sigmoid(2*u)*sigmoid(-2*u); either with c > 0 added",
    _by_itself,
    example="1 - sigmoid(x[i])",
    near_miss="1/2 - sigmoid(c)",
)
COMPLEMENT_IN_SUM = Rule(
    "complement in a sum",
    "n + f - n*g = f + n*(1 - g), where 1 - h is a factor of f, g and h sigmoids or squares of tanh",
    _with_complement_apart,
    example="c*(1 - sigmoid(x[i])) + 3 - 3*tanh(x[i])^2",
    near_miss="c*sigmoid(x[i]) + 3 - 3*tanh(x[i])^2",
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
