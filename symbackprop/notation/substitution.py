"""Capture-avoiding substitution of indices, replacement of subterms, and equality up to bound names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from operator import is_
from types import MappingProxyType

from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import Axis, Comparison, Delta, Element, Expression, Index, Reduction
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.notation.matrix_functions import MatrixFunction, tensor_read

MOST_BOUND_INDICES = 3  # whose names are tried in every order


def fresh_index(index: Index, avoid: Iterable[Index]) -> Index:
    """`index`, with as many primes as it takes to differ from every index in `avoid`."""
    return Index(lengthened_name(index.name, "'", {other.name for other in avoid}), index.axis)


def renamed_apart(clashing: Iterable[Index], avoid: Iterable[Index]) -> dict[Index, Index]:
    """For each index another one, that differs from all in `avoid` and from the others found."""
    taken, found = set(avoid), dict[Index, Index]()
    for index in clashing:
        found[index] = fresh_index(index, taken)
        taken.add(found[index])
    return found


def unprimed(index: Index) -> Index:
    """The index without its primes."""
    return replace(index, name=index.name.rstrip("'")) if index.name.endswith("'") else index


def substitute(expression: Expression, replacements: Mapping[Index, Expression]) -> Expression:
    """Put expressions in the place of free indices; a bound index that would capture one is renamed first."""
    free = expression.free_indices
    relevant = {old: new for old, new in replacements.items() if old in free and old != new} if free else None
    if not relevant:
        return expression
    if isinstance(expression, Index):
        return relevant[expression]
    if isinstance(expression, Reduction):
        return _substitute_below_binder(expression, relevant)
    return expression.with_children(tuple([substitute(child, relevant) for child in expression.children]))


def _substitute_below_binder(reduction: Reduction, replacements: Mapping[Index, Expression]) -> Reduction:
    arriving = frozenset[Index]().union(*(new.free_indices for new in replacements.values()))
    apart = renamed_apart(
        [index for index in reduction.indices if index in arriving],
        arriving | reduction.body.free_indices | set(reduction.indices),
    )
    indices = tuple([apart.get(index, index) for index in reduction.indices])
    return Reduction(reduction.kind, indices, substitute(reduction.body, {**replacements, **apart}))


def rename_bound(reduction: Reduction, avoid: Iterable[Index]) -> Reduction:
    """The same reduction with bound indices that differ from all in `avoid`."""
    taken = set(avoid)
    clashing = [index for index in reduction.indices if index in taken]
    if not clashing:
        return reduction
    apart = renamed_apart(clashing, taken | reduction.body.free_indices | set(reduction.indices))
    indices = tuple([apart.get(index, index) for index in reduction.indices])
    return Reduction(reduction.kind, indices, substitute(reduction.body, apart))


def tidy_bound_names(
    expression: Expression,
    outer: frozenset[Index] = frozenset(),
    preferred: Mapping[Axis, Sequence[Index]] = MappingProxyType({}),
) -> Expression:
    """Give bound indices short names that differ from every index around them, and from `outer`.

    An index keeps its name, without primes, if it can; otherwise it takes the first free one of its axis'
    `preferred` indices, and only then primes.
    """
    taken = outer | expression.free_indices
    if not isinstance(expression, Reduction):
        children = tuple([tidy_bound_names(child, taken, preferred) for child in expression.children])
        return expression if children == expression.children else expression.with_children(children)
    renamed: dict[Index, Expression] = {}
    indices: list[Index] = []
    for index in expression.indices:
        name = _first_free(index, (*taken, *indices), preferred.get(index.axis, ()))
        renamed[index] = name
        indices.append(name)
    body = substitute(expression.body, renamed)
    return Reduction(
        expression.kind, tuple(indices), tidy_bound_names(body, taken | frozenset(indices), preferred)
    )


def bound_names_apart(
    expression: Expression,
    outer: frozenset[Index] = frozenset(),
    preferred: Mapping[Axis, Sequence[Index]] = MappingProxyType({}),
) -> Expression:
    """Rename those bound indices alone that go by the name of an index around them, or in `outer`."""
    taken = outer | expression.free_indices
    if not isinstance(expression, Reduction):
        children = tuple([bound_names_apart(child, taken, preferred) for child in expression.children])
        return expression if children == expression.children else expression.with_children(children)
    names, apart = {index.name for index in taken}, dict[Index, Index]()
    for index in expression.indices:
        if index.name in names:
            avoid = (*taken, *expression.indices, *apart.values())
            apart[index] = _first_free(index, avoid, preferred.get(index.axis, ()))
    indices = [apart.get(index, index) for index in expression.indices]
    body = substitute(expression.body, apart)
    within = bound_names_apart(body, taken | frozenset(indices), preferred)
    return Reduction(expression.kind, tuple(indices), within)


def _first_free(index: Index, taken: Sequence[Index], preferred: Sequence[Index]) -> Index:
    names = {other.name for other in taken}
    for candidate in (unprimed(index), *preferred):
        if candidate.name not in names:
            return candidate
    return fresh_index(unprimed(index), taken)


def rewrite_bottom_up(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Apply `change` to every node, children first."""
    before = expression.children
    if not before:
        return change(expression)
    children = tuple([rewrite_bottom_up(child, change) for child in before])
    return change(expression if all(map(is_, children, before)) else expression.with_children(children))


def rewrite_values(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Apply `change` to every node that is a value, children first; positions stay as they are."""
    return change(with_values(expression, lambda child: rewrite_values(child, change)))


def with_values(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The node over what `change` makes of its children, where these are values; the node itself else."""
    if isinstance(expression, Element | Delta | MatrixFunction) or is_about_indices(expression):
        return expression
    before = expression.children
    children = tuple([change(child) for child in before])
    return expression if all(map(is_, children, before)) else expression.with_children(children)


def is_about_indices(condition: Expression) -> bool:
    """Whether a comparison speaks of indices alone, and not of tensors."""
    return isinstance(condition, Comparison) and not condition.tensors


def rename_tensors(expression: Expression, names: Mapping[str, str]) -> Expression:
    """Give tensors other names; indices and axes, too, where a Correspondence says which."""
    if isinstance(names, Correspondence):
        return names.of(expression)
    return _with_tensors_renamed(expression, names)


def _with_tensors_renamed(expression: Expression, names: Mapping[str, str]) -> Expression:
    if names.keys().isdisjoint(expression.tensors):
        return expression
    children = tuple([_with_tensors_renamed(child, names) for child in expression.children])
    if isinstance(expression, Element):
        return Element(names.get(expression.tensor, expression.tensor), children, expression.values)
    if isinstance(expression, MatrixFunction):
        expression = replace(expression, tensor=names.get(expression.tensor, expression.tensor))
    return expression.with_children(children)


def rename_indices(indices: tuple[Index, ...], names: Mapping[str, str]) -> tuple[Index, ...]:
    """The indices of a tensor that is given another name: others where a Correspondence says which."""
    return names.of(indices) if isinstance(names, Correspondence) else indices


def holds_derivative(expression: Expression) -> bool:
    """Whether a diff(...) stands in the expression."""
    return any(isinstance(node, InnerDerivative) for node in expression.walk())


def indices_in(expression: Expression) -> Iterator[Index]:
    """Every index that is written, those that a reduction binds included: i and j of sum(i, x[j])."""
    for node in expression.walk():
        if isinstance(node, Index):
            yield node
        elif isinstance(node, Reduction):
            yield from node.indices


def elements_of(expression: Expression) -> list[Element]:
    """Every tensor element that is read, in reading order, with repetitions."""
    return [node for node in expression.walk() if isinstance(node, Element)]


def tensors_read(expression: Expression) -> tuple[str, ...]:
    """The tensors that are read, each once, in reading order."""
    return tuple(dict.fromkeys(name for name in map(tensor_read, expression.walk()) if name is not None))


_CANONICAL = "#"  # what no index of a model begins with


def is_canonical_name(index: Index) -> bool:
    """Whether an index has the name that `canonical_bound_names` gives to a bound one."""
    return index.name.startswith(_CANONICAL)


def canonical_bound_names(expression: Expression, depth: int = 0) -> Expression:
    """Rename bound indices by depth and place, so that expressions equal up to those names become equal."""
    if not expression.binds:
        return expression
    if depth == 0:
        # Kept with the node, as its hash is: the same nodes are compared again and again.
        memory = expression.__dict__
        if "_canonical" not in memory:
            memory["_canonical"] = _canonical(expression, 0)
        canonical: Expression = memory["_canonical"]
        return canonical
    return _canonical(expression, depth)


def _canonical(expression: Expression, depth: int) -> Expression:
    if not isinstance(expression, Reduction):
        children = tuple([canonical_bound_names(child, depth) for child in expression.children])
        return expression if children == expression.children else expression.with_children(children)
    names: dict[Index, Expression] = {
        index: Index(f"{_CANONICAL}{depth + place}", index.axis)
        for place, index in enumerate(expression.indices)
    }
    body = canonical_bound_names(substitute(expression.body, names), depth + len(names))
    return Reduction(expression.kind, tuple(names.values()), body)  # type: ignore[arg-type]


def equal_up_to_bound_names(one: Expression, other: Expression) -> bool:
    """Whether the two are the same but for bound indices' names, which take long to find in long ones."""
    is_as_long = one.node_count == other.node_count
    return is_as_long and canonical_bound_names(one) == canonical_bound_names(other)


def bound_names_by_height(expression: Expression) -> Expression:
    """Rename bound indices by how many binders stand below theirs, so that a sum has one name everywhere.

    Unlike canonical names these do not depend on what is around a sum.
    """
    return _by_height(expression)[0]


def _by_height(expression: Expression) -> tuple[Expression, int]:
    if not expression.binds:
        return expression, 0
    children, heights = zip(*map(_by_height, expression.children), strict=True)
    expression, height = expression.with_children(children), max(heights)
    if not isinstance(expression, Reduction):
        return expression, height
    names = {
        index: Index(f"{_CANONICAL}{height}.{place}", index.axis)
        for place, index in enumerate(expression.indices)
    }
    body = substitute(expression.body, names)
    return Reduction(expression.kind, tuple(names.values()), body), height + 1


def in_the_names_of(indices: tuple[Index, ...], total: Reduction) -> Iterator[Expression]:
    """The body of a sum with its bound indices called like these, in every way that fits their axes."""
    if len(indices) != len(total.indices) or len(indices) > MOST_BOUND_INDICES:
        return
    for order in permutations(indices):
        if all(new.axis == old.axis for new, old in zip(order, total.indices, strict=True)):
            yield substitute(total.body, dict(zip(total.indices, order, strict=True)))
