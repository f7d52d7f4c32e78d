"""Differences from a mean whose own mean is 0 to the last digit, where a gradient rests on that.

The published backward pass of batch norm,

    dx = (g - mean(g) - xhat*mean(g*xhat))/s,    xhat = (x - mu)/s,

uses sum(xhat) = 0. In floating point that is as true as mu is: with data around 1e4 the computed mu is off by
1e4 roundings of 1, and so is the mean of x - mu. Taken away once more, it is gone: Chan, Golub and LeVeque,
"Algorithms for computing the sample variance", 1983, the corrected two-pass algorithm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from symbackprop.derivation.result import AdjointDerivation
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    divide,
    factors_of,
    is_sum,
    multiply,
    negate,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Size,
)
from symbackprop.notation.substitution import canonical_bound_names, fresh_index, substitute, tensors_read
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.replacements import at_positions
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.rules.stated_facts import Instances
from symbackprop.systems.system import Equation, System

CONDITIONS = ("f = g - mean(i, g)", "the gradient reads f and flows on into g")


def centring_rules(system: System, adjoints: Sequence[AdjointDerivation]) -> tuple[Rule, ...]:
    """Rules for each difference from a mean that the gradient reads and flows through, in both signs."""
    flows = {adjoint.tensor for adjoint in adjoints}
    gradient = [adjoint.equation.expression for adjoint in adjoints if adjoint.kept]
    read = _with_factors({name for each in gradient for name in tensors_read(each)}, system)
    rules: list[Rule] = []
    for equation in system.equations:
        for difference, over in centred_differences(equation.expression, system.definitions):
            if difference.tensors & flows and not _is_used_in(difference, rules):
                both = centring_rule(difference, over), centring_rule(difference, over, opposite=True)
                if equation.tensor in read or any(_is_used_in(each, both) for each in gradient):
                    rules += both
    return tuple(rules)


def centring_rule(difference: Expression, over: tuple[Index, ...], opposite: bool = False) -> Rule:
    """f = f - mean(i, f), for this f and these indices i, all of which are free in it; or that of -f."""
    bound = {index: fresh_index(index, difference.free_indices) for index in over}
    total = Reduction("sum", tuple(bound.values()), substitute(difference, bound))
    # Not one sum of three terms: the difference is computed once.
    centred: Expression = Add((difference, negate(divide(total, _count(over)))))
    if opposite:
        difference, centred = negate(difference), Multiply((MINUS_ONE, centred))
    return Rule(
        "centre again",
        stated_where("f = f - mean(i, f)", CONDITIONS),
        Instances(difference, centred),
        where=CONDITIONS,
        example="x[i] - sum(i2, x[i2])/size(i)",
        near_miss="x[i] - x[0]",
    )


def _with_factors(names: Iterable[str], system: System) -> set[str]:
    """The tensors, and those that they are multiples of: xhat for y = gamma*xhat."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            factors = factors_of(system.definitions[name].expression) if name in system.definitions else ()
            pending += [factor.tensor for factor in factors if isinstance(factor, Element)]
    return found


def _is_used_in(expression: Expression, rules: Iterable[Rule]) -> bool:
    nodes = [node for node in expression.walk() if isinstance(node, Add)]
    return any(rule.apply(node) is not None for rule in rules for node in nodes)


def centred_differences(
    expression: Expression, definitions: Mapping[str, Equation]
) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """The sums g - mean(i, g) and mean(i, g) - g in an expression, and the indices i.

    The mean stands there by its name or written out.
    """
    for node in expression.walk():
        if not isinstance(node, Add):
            continue
        for term in node.terms:
            number, factors = coefficient_and_rest(term)
            if abs(number) == 1:
                rest = add(*(other for other in node.terms if other is not term))
                rest = rest if number < 0 else negate(rest)
                over = _averaged(multiply(*factors), rest, definitions)
                if over:
                    yield node, over


def _averaged(mean: Expression, value: Expression, definitions: Mapping[str, Equation]) -> tuple[Index, ...]:
    """The indices over which the one expression is the mean of the other; none where it is no mean of it."""
    if isinstance(mean, Element) and mean.tensor in definitions:
        mean = at_positions(definitions[mean.tensor], mean)
    for total in factors_of(mean):
        if is_sum(total) and divide(total, _count(total.indices)) == mean:
            pattern, variables = canonical_bound_names(total.body), frozenset(total.indices)
            for found in match(pattern, canonical_bound_names(value), variables):
                over = dict.fromkeys(found[index] for index in total.indices)
                if len(over) == len(total.indices) and mean.free_indices.isdisjoint(over):
                    return tuple([index for index in over if isinstance(index, Index)])
    return ()


def _count(indices: Sequence[Index]) -> Expression:
    return multiply(ONE, *(Size(index.axis) for index in indices))
