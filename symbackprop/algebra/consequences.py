"""What follows from definitions: a softmax sums to 1, deviations from a mean sum to 0.

For each tensor and each of its indices the sum over that index is written out by the tensor's definition
and simplified. Where a number is left, or a size, that is a fact, and it may be used like the user's.
So is the total of a difference without a name, x[i] - m in sum(i, (x[i] - m)^2), or under the weights of a
mean, w[i]*(x[i] - m) for m = sum(i, w[i]*x[i])/sum(i, w[i]).
Definitions that fill pages, as those of third derivatives do, are passed over: no number is left of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, permutations

from symbackprop.algebra.context import Scope
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.multiplied_differences import is_difference
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.remembered import multiplied_out
from symbackprop.algebra.scalar_search import Account, Budget, cheapest_form
from symbackprop.algebra.sum_search import SPLIT, term_by_term
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, is_sum, multiply, terms_of
from symbackprop.notation.expressions import Add, Element, Expression, Index, Number, Reduction, Size
from symbackprop.notation.substitution import substitute, tensors_read, tidy_bound_names
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.replacements import Definition, Renaming
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.stated_facts import fact_rules, rule_of_fact
from symbackprop.systems.system import Equation, Fact, System

# In one definition: totals that are numbers come of 16 nodes in a transformer, third derivatives have 6000.
MOST_NODES = 500


def consequences(
    system: System, rules: tuple[Rule, ...], free: frozenset[str], budget: Budget
) -> tuple[Fact, ...]:
    """sum(i, t[..i..]) == number, for every tensor and index for which that follows from the definitions.

    Several indices are summed over together where a definition nearby does so. Those of the tensors in `free`
    say nothing. Totals of what has no name are searched for within as much again as is left of `budget`.
    """
    scope = Scope.of(system, free=free)
    apart = replace(budget)
    known = [*fact_rules(system.facts, rules)]
    found: list[Fact] = []
    for equation in system.equations:
        if equation.tensor in free or _is_long(equation.expression):
            continue
        for body, indices in _candidates(equation, system):
            account = Account(budget if body == equation.element else apart)
            written = equation.expression if body == equation.element else body
            total = _total(written, indices, scope, NormalForm(rules, tuple(known)), account)
            fact = None if total is None else Fact(Reduction("sum", indices, body), total)
            if fact is not None and fact not in found:
                found.append(fact)
                rule = rule_of_fact(fact, rules)
                known += [rule] if rule is not None else []
    return tuple(found)


def _candidates(equation: Equation, system: System) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """What may have a total, the tensor itself or a difference of elements in its formula, and over what."""
    for indices in _promising(equation.indices, equation.expression, system):
        yield equation.element, indices
    for node in dict.fromkeys(equation.expression.walk()):
        if node != equation.expression and is_difference(node) and all(map(_is_of_elements, terms_of(node))):
            free = tuple(sorted(node.free_indices, key=lambda index: index.name))
            for indices in _promising(free, node, system):
                if any(term.free_indices.isdisjoint(indices) for term in terms_of(node)):
                    yield node, indices
            yield from _under_weights(node, system)


def _under_weights(difference: Expression, system: System) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """w[i]*(x[i] - m) over i, for each sum(i, w[i]*x[i]) in the definition of m."""
    elements = [each for term in terms_of(difference) for each in coefficient_and_rest(term)[1]]
    for mean, value in permutations(elements, 2):
        equation = system.definitions.get(mean.tensor) if isinstance(mean, Element) else None
        formula = None if equation is None else Definition.of(equation).again(mean)
        for total in filter(is_sum, formula.walk() if formula is not None else ()):
            yield from _weighted(total, value, difference)


def _weighted(
    total: Expression, value: Expression, difference: Expression
) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """The difference by what the sum multiplies the value by, at the value's own indices."""
    assert isinstance(total, Reduction)
    factors = factors_of(total.body)
    for place, factor in enumerate(factors):
        for found in match(factor, value, frozenset(total.indices)):
            indices = tuple([each for each in found.values() if isinstance(each, Index)])
            if len(factors) > 1 and len(indices) == len(total.indices):
                others = (*factors[:place], *factors[place + 1 :])
                yield multiply(*(substitute(each, found) for each in others), difference), indices


def _is_of_elements(term: Expression) -> bool:
    """Whether it is a number times elements: neither a sum nor a function stands in it."""
    return all(isinstance(factor, Element) for factor in coefficient_and_rest(term)[1])


def consequence_steps(system: System, fact: Fact, scope: Scope, normal_form: NormalForm) -> tuple[Step, ...]:
    """How a total follows from the definition of what is summed; no step where the fact is no such total."""
    if not is_sum(fact.left):
        return ()
    steps = list(_put_in(fact.left, system))
    steps.extend(_split(result_of(steps, fact.left)))
    steps.extend(normal_form.steps(result_of(steps, fact.left)))
    normal = result_of(steps, fact.left)
    total = tidy_bound_names(normal)
    steps.append(Step(Renaming(), (), normal, total))
    relations = scope.relations(total)
    found = cheapest_form(total, relations, Account())
    if found != total:
        steps.append(Step(Identity.of(total, found, relations), (), total, found))
    return tuple(steps)


def _put_in(total: Reduction, system: System) -> Iterator[Step]:
    """The definition of what is summed, where that is a tensor at its own indices."""
    element = total.body
    equation = system.definitions.get(element.tensor) if isinstance(element, Element) else None
    if equation is not None and equation.element == element:
        definition = Definition.of(equation)
        yield Step(definition, (), total, definition.again(total) or total)


def _is_long(expression: Expression) -> bool:
    return any(True for _ in islice(expression.walk(), MOST_NODES, None))


def _split(total: Expression) -> Iterator[Step]:
    """A sum of products of sums, multiplied out and written term by term."""
    if not is_sum(total):
        return
    terms = multiplied_out(total.body)
    if len(terms) == 1:
        return
    opened = total.with_children((Add(terms),))
    if opened != total:
        yield Step(Identity.of(total.body, opened.body, ()), (0,), total, opened)
    yield Step(SPLIT.used_on(opened), (), opened, term_by_term(opened) or opened)


def _promising(own: tuple[Index, ...], formula: Expression, system: System) -> Iterator[tuple[Index, ...]]:
    """Each index over whose axis a definition or fact nearby sums, then those that one sums over together."""
    summed = {frozenset(index.axis for index in each.indices) for each in _sums_near(formula, system)}
    together = [axes for axes in summed if len(axes) > 1]
    for index in own:
        if any(index.axis in axes for axes in summed):
            yield (index,)
    groups = [tuple([index for index in own if index.axis in axes]) for axes in together]
    for axes, indices in sorted(zip(together, groups, strict=True), key=lambda pair: str(pair[1])):
        if len(indices) == len(axes) and {index.axis for index in indices} == axes:
            yield indices


def _sums_near(formula: Expression, system: System) -> Iterator[Reduction]:
    """The sums in the formula, in that of a tensor it reads, and in a fact of one."""
    facts = [fact.left for fact in system.facts if fact.left.tensors & formula.tensors]
    reads = (
        system.definitions[name].expression for name in tensors_read(formula) if name in system.definitions
    )
    for expression in (*facts, formula, *reads):
        for node in expression.walk():
            if isinstance(node, Reduction) and node.kind == "sum":
                yield node


def _total(
    formula: Expression,
    indices: tuple[Index, ...],
    scope: Scope,
    normal_form: NormalForm,
    account: Account,
) -> Expression | None:
    """The sum over these indices, if it is a number or a size."""
    sums = [Reduction("sum", indices, term) for term in multiplied_out(formula)]
    total = tidy_bound_names(add(*(normal_form.of(each) for each in sums)))
    found = cheapest_form(total, scope.relations(total), account)
    return found if isinstance(found, Number | Size) else None
