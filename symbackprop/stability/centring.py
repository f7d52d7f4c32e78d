"""Differences from a mean whose own mean is 0 to the last digit, where a gradient rests on that.

The published backward pass of batch norm,

    dx = (g - mean(g) - xhat*mean(g*xhat))/s,    xhat = (x - mu)/s,

uses sum(xhat) = 0. In floating point that is as true as mu is: with data around 1e4 the computed mu is off by
1e4 roundings of 1, and so is the mean of x - mu. Taken away once more, it is gone: Chan, Golub and LeVeque,
"Algorithms for computing the sample variance", 1983, the corrected two-pass algorithm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

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
from symbackprop.notation.substitution import (
    canonical_bound_names,
    fresh_index,
    rename_tensors,
    substitute,
    tensors_read,
)
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.rules.stated_facts import Instances
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.system import Equation, System

CENTRE_AGAIN = "centre again"
CONDITIONS = (
    "f = g - mean(i, g)",
    "the gradient reads f and flows on into g, or into another such that f is multiplied by, "
    "or that is f but for the names of tensors",
)


@dataclass(frozen=True)
class DifferenceFromMean(Premise):
    """g - mean(i, g) and the indices i; `mean` is the mean's equation where it has a name.

    `opposite` says that what is centred is the negative of the difference.
    """

    difference: Expression
    over: tuple[Index, ...]
    mean: Equation | None = None
    opposite: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The difference, and the mean's equation."""
        return (text(self.difference), *([] if self.mean is None else [equation_text(self.mean)]))

    @property
    def is_one(self) -> bool:
        """Whether the difference is one from a mean over these indices."""
        definitions = {} if self.mean is None else {self.mean.tensor: self.mean}
        found = centred_differences(self.difference, definitions)
        return any(each == self.difference and over == self.over for each, over in found)

    def holds(self, anchor: Anchor) -> bool:
        """Whether the mean is computed so before."""
        return self.mean is None or anchor.states((self.mean.element, self.mean.expression))

    def renamed(self, names: Mapping[str, str]) -> DifferenceFromMean:
        """The same in other names."""
        mean = None if self.mean is None else renamed_equation(self.mean, names)
        return replace(self, difference=rename_tensors(self.difference, names), mean=mean)


def centring_rules(system: System, adjoints: Sequence[AdjointDerivation]) -> tuple[Rule, ...]:
    """Rules for each difference from a mean that the gradient reads and flows through, in both signs."""
    flows = {adjoint.tensor for adjoint in adjoints}
    gradient = [adjoint.equation.expression for adjoint in adjoints if adjoint.kept]
    read = _with_factors({name for each in gradient for name in tensors_read(each)}, system)
    stated = [
        (equation.tensor, premise)
        for equation in system.equations
        for premise in _premises(equation.expression, system.definitions)
    ]
    flowing = {each.difference for _, each in stated if each.difference.tensors & flows}
    flowing |= _multiplied_by(flowing, stated, system)
    flowing |= _alike(flowing, stated)
    rules: list[Rule] = []
    for tensor, premise in stated:
        if premise.difference in flowing and not _is_used_in(premise.difference, rules):
            both = centring_rule(premise), centring_rule(replace(premise, opposite=True))
            if tensor in read or any(_is_used_in(each, both) for each in gradient):
                rules += both
    return tuple(rules)


def _multiplied_by(
    flowing: Collection[Expression], stated: Sequence[tuple[str, DifferenceFromMean]], system: System
) -> set[Expression]:
    """The differences that one in `flowing` is multiplied by, with a mean over the same axes.

    In sum(i, (x - mx)*(y - my)) the derivative by mx is the sum of y - my.
    """
    found: set[Expression] = set()
    if not flowing or all(premise.difference in flowing for _, premise in stated):
        return found
    factors = {name: factors_of(each.expression) for name, each in system.definitions.items()}
    for product in _products(system):
        names = _with_factors([each.tensor for each in product.factors if isinstance(each, Element)], system)
        inside = [
            premise
            for tensor, premise in stated
            if premise.difference in (factors[tensor] if tensor in names else product.factors)
        ]
        axes = {_axes(premise) for premise in inside if premise.difference in flowing}
        found |= {premise.difference for premise in inside if _axes(premise) in axes}
    return found


def _alike(
    flowing: Collection[Expression], stated: Sequence[tuple[str, DifferenceFromMean]]
) -> set[Expression]:
    """The differences that are one in `flowing` but for the names of tensors.

    So that the first norm of a stack, whose input is data, is computed as the others are.
    """
    shapes = {_shape(premise) for _, premise in stated if premise.difference in flowing}
    return {premise.difference for _, premise in stated if shapes and _shape(premise) in shapes}


def _shape(premise: DifferenceFromMean) -> tuple[object, ...]:
    """What the differences have in common that differ in the names of tensors alone."""
    elements = (node for node in premise.difference.walk() if isinstance(node, Element))
    names = {name: str(place) for place, name in enumerate(dict.fromkeys(node.tensor for node in elements))}
    named = premise.renamed(names)
    mean = None if named.mean is None else canonical_bound_names(named.mean.expression)
    return canonical_bound_names(named.difference), mean, premise.over


def _products(system: System) -> Iterator[Multiply]:
    for equation in system.equations:
        yield from (node for node in equation.expression.walk() if isinstance(node, Multiply))


def _axes(premise: DifferenceFromMean) -> frozenset[str]:
    return frozenset(index.axis.name for index in premise.over)


class CentringRules:
    """Rules of differences, each found by what it reads: a deep net has two for every norm."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_tensor: dict[str, list[tuple[int, Rule]]] = {}
        for number, rule in enumerate(rules):
            self._by_tensor.setdefault(min(_read_by(rule)), []).append((number, rule))

    def of(self, expression: Expression) -> tuple[Rule, ...]:
        """Those that may apply to a part of the expression, in order."""
        found = [each for name in expression.tensors for each in self._by_tensor.get(name, ())]
        return tuple([rule for _, rule in sorted(found, key=itemgetter(0)) if _may_apply(rule, expression)])


def _read_by(rule: Rule) -> frozenset[str]:
    """The tensors of the difference."""
    assert isinstance(rule.apply, Instances)
    return rule.apply.larger.tensors


def _may_apply(rule: Rule, expression: Expression) -> bool:
    return _read_by(rule) <= expression.tensors


def centring_rule_by(premise: DifferenceFromMean) -> Rule | None:
    """The rule, if it is a difference from a mean."""
    return centring_rule(premise) if premise.is_one else None


def centring_rule(premise: DifferenceFromMean) -> Rule:
    """f = f - mean(i, f), for this f and these indices i, all of which are free in it; or that of -f."""
    difference, over = premise.difference, premise.over
    bound = {index: fresh_index(index, difference.free_indices) for index in over}
    total = Reduction("sum", tuple(bound.values()), substitute(difference, bound))
    # Not one sum of three terms: the difference is computed once.
    centred: Expression = Add((difference, negate(divide(total, _count(over)))))
    if premise.opposite:
        difference, centred = negate(difference), Multiply((MINUS_ONE, centred))
    return Rule(
        CENTRE_AGAIN,
        stated_where("f = f - mean(i, f)", CONDITIONS),
        Instances(difference, centred),
        where=CONDITIONS,
        example="x[i] - sum(i2, x[i2])/size(i)",
        near_miss="x[i] - x[0]",
        premise=lambda _: premise,
    )


def _premises(expression: Expression, definitions: Mapping[str, Equation]) -> Iterator[DifferenceFromMean]:
    """The differences from a mean in an expression, each with the equation of the mean's name."""
    for difference, over in centred_differences(expression, definitions):
        names = sorted(difference.tensors & definitions.keys())
        named = (DifferenceFromMean(difference, over, definitions[name]) for name in names)
        yield next(each for each in (DifferenceFromMean(difference, over), *named) if each.is_one)


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
    likely = [rule for rule in rules if _may_apply(rule, expression)]
    nodes = [node for node in expression.walk() if isinstance(node, Add)] if likely else ()
    return any(rule.apply(node) is not None for rule in likely for node in nodes)


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
            if abs(number) != 1:
                continue
            mean = _written_out(multiply(*factors), definitions)
            total = _averaged_sum(mean)
            if total is not None:
                rest = add(*(other for other in node.terms if other is not term))
                over = _averaged_over(total, rest if number < 0 else negate(rest), mean.free_indices)
                if over:
                    yield node, over


def _written_out(mean: Expression, definitions: Mapping[str, Equation]) -> Expression:
    """The definition where the expression is a name."""
    if isinstance(mean, Element) and mean.tensor in definitions:
        return definitions[mean.tensor].at(mean.positions)
    return mean


def _averaged_sum(mean: Expression) -> Reduction | None:
    """The sum of which the expression is the mean: sum(i, g) of sum(i, g)/size(i)."""
    for total in factors_of(mean):
        if is_sum(total) and divide(total, _count(total.indices)) == mean:
            return total
    return None


def _averaged_over(total: Reduction, value: Expression, free: frozenset[Index]) -> tuple[Index, ...]:
    """The indices of the value, none of them free in the mean, over which it is summed; none otherwise."""
    pattern, variables = canonical_bound_names(total.body), frozenset(total.indices)
    for found in match(pattern, canonical_bound_names(value), variables):
        # What does not depend on an index does not say where it stands.
        over = dict.fromkeys(found[index] for index in total.indices if index in found)
        if len(over) == len(total.indices) and free.isdisjoint(over):
            return tuple([index for index in over if isinstance(index, Index)])
    return ()


def _count(indices: Sequence[Index]) -> Expression:
    return multiply(ONE, *(Size(index.axis) for index in indices))
