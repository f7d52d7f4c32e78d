"""What follows from definitions: a softmax sums to 1, deviations from a mean sum to 0.

For each tensor and each of its indices the sum over that index is written out by the tensor's definition
and simplified. Where a number is left, or a size, that is a fact, and it may be used like the user's.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.algebra.context import Scope
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.rational import multiplied_out
from symbackprop.algebra.scalar_search import Account, cheapest_form
from symbackprop.algebra.sums import SPLIT, term_by_term
from symbackprop.notation.arithmetic import add, is_sum
from symbackprop.notation.expressions import Add, Element, Expression, Index, Number, Reduction, Size
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.rewriting.replacements import Definition, Renaming
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rules.stated_facts import fact_rules
from symbackprop.systems.system import Equation, Fact, System


def consequences(
    system: System, rules: tuple[Rule, ...], free: frozenset[str] = frozenset()
) -> tuple[Fact, ...]:
    """sum(i, t[..i..]) == number, for every tensor and index for which that follows from the definitions.

    Those of the tensors in `free` say nothing.
    """
    scope = Scope.of(system, free=free)
    found: list[Fact] = list(system.facts)
    for equation in system.equations:
        for index in equation.indices:
            if equation.tensor not in free and _is_promising(equation, index, system):
                total = _total(equation, index, scope, NormalForm(rules, fact_rules(tuple(found), rules)))
                if total is not None:
                    found.append(Fact(Reduction("sum", (index,), equation.element), total))
    return tuple(found[len(system.facts) :])


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


def _is_promising(equation: Equation, index: Index, system: System) -> bool:
    """Whether the definition, or that of a tensor it reads, or a fact of one, sums over the index' axis."""
    facts = [fact.left for fact in system.facts if fact.left.tensors & equation.expression.tensors]
    nearby = [equation, *(system.definitions[name] for name in equation.reads if name in system.definitions)]
    return any(
        isinstance(node, Reduction) and node.kind == "sum" and any(i.axis == index.axis for i in node.indices)
        for expression in (*facts, *(near.expression for near in nearby))
        for node in expression.walk()
    )


def _total(equation: Equation, index: Index, scope: Scope, normal_form: NormalForm) -> Expression | None:
    """The sum over one index, if it is a number or a size."""
    sums = [Reduction("sum", (index,), term) for term in multiplied_out(equation.expression)]
    total = tidy_bound_names(add(*(normal_form.of(each) for each in sums)))
    found = cheapest_form(total, scope.relations(total), Account())
    return found if isinstance(found, Number | Size) else None
