"""What follows from definitions: a softmax sums to 1, deviations from a mean sum to 0.

For each tensor and each of its indices the sum over that index is written out by the tensor's definition
and simplified. Where a number is left, or a size, that is a fact, and it may be used like the user's.
Definitions that fill pages, as those of third derivatives do, are passed over: no number is left of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from symbackprop.algebra.context import Scope
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.remembered import multiplied_out
from symbackprop.algebra.scalar_search import Account, Budget, cheapest_form
from symbackprop.algebra.sum_search import SPLIT, term_by_term
from symbackprop.notation.arithmetic import add, is_sum
from symbackprop.notation.expressions import Add, Element, Expression, Index, Number, Reduction, Size
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.rewriting.replacements import Definition, Renaming
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rules.stated_facts import fact_rules, rule_of_fact
from symbackprop.systems.system import Equation, Fact, System

# In one definition: totals that are numbers come of 16 nodes in a transformer, third derivatives have 6000.
MOST_NODES = 500


def consequences(
    system: System, rules: tuple[Rule, ...], free: frozenset[str], budget: Budget
) -> tuple[Fact, ...]:
    """sum(i, t[..i..]) == number, for every tensor and index for which that follows from the definitions.

    Several indices are summed over together where a definition nearby does so. Those of the tensors in `free`
    say nothing.
    """
    scope = Scope.of(system, free=free)
    known = [*fact_rules(system.facts, rules)]
    found: list[Fact] = []
    for equation in system.equations:
        if equation.tensor in free or _is_long(equation.expression):
            continue
        for indices in _promising(equation, system):
            normal_form = NormalForm(rules, tuple(known))
            total = _total(equation, indices, scope, normal_form, Account(budget))
            if total is not None:
                found.append(Fact(Reduction("sum", indices, equation.element), total))
                rule = rule_of_fact(found[-1], rules)
                known += [rule] if rule is not None else []
    return tuple(found)


def consequence_steps(system: System, fact: Fact, scope: Scope, normal_form: NormalForm) -> tuple[Step, ...]:
    """How the total of a tensor follows from its definition; no step where the fact is no such total."""
    element = fact.left.body if is_sum(fact.left) else fact.left
    equation = system.definitions.get(element.tensor) if isinstance(element, Element) else None
    if equation is None or equation.element != element or fact.left == element:
        return ()
    definition = Definition.of(equation)
    steps = [Step(definition, (), fact.left, definition.again(fact.left) or fact.left)]
    steps.extend(_split(steps[-1].after))
    steps.extend(normal_form.steps(steps[-1].after))
    normal = steps[-1].after
    total = tidy_bound_names(normal)
    steps.append(Step(Renaming(), (), normal, total))
    relations = scope.relations(total)
    found = cheapest_form(total, relations, Account())
    if found != total:
        steps.append(Step(Identity.of(total, found, relations), (), total, found))
    return tuple(steps)


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


def _promising(equation: Equation, system: System) -> Iterator[tuple[Index, ...]]:
    """Each index over whose axis a definition or fact nearby sums, then those that one sums over together."""
    summed = {frozenset(index.axis for index in each.indices) for each in _sums_near(equation, system)}
    together = [axes for axes in summed if len(axes) > 1]
    for index in equation.indices:
        if any(index.axis in axes for axes in summed):
            yield (index,)
    groups = [tuple([index for index in equation.indices if index.axis in axes]) for axes in together]
    for axes, indices in sorted(zip(together, groups, strict=True), key=lambda pair: str(pair[1])):
        if len(indices) == len(axes) and {index.axis for index in indices} == axes:
            yield indices


def _sums_near(equation: Equation, system: System) -> Iterator[Reduction]:
    """The sums in the definition, in that of a tensor it reads, and in a fact of one."""
    facts = [fact.left for fact in system.facts if fact.left.tensors & equation.expression.tensors]
    nearby = [equation, *(system.definitions[name] for name in equation.reads if name in system.definitions)]
    for expression in (*facts, *(near.expression for near in nearby)):
        for node in expression.walk():
            if isinstance(node, Reduction) and node.kind == "sum":
                yield node


def _total(
    equation: Equation,
    indices: tuple[Index, ...],
    scope: Scope,
    normal_form: NormalForm,
    account: Account,
) -> Expression | None:
    """The sum over these indices, if it is a number or a size."""
    sums = [Reduction("sum", indices, term) for term in multiplied_out(equation.expression)]
    total = tidy_bound_names(add(*(normal_form.of(each) for each in sums)))
    found = cheapest_form(total, scope.relations(total), account)
    return found if isinstance(found, Number | Size) else None
