"""Functions that are formulas, written out, and the atoms that a formula is a rational function of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS, FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    coefficient_and_rest,
    is_root,
    multiply,
    normalised,
    power,
)
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Constant,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up


def opened(expression: Expression) -> Expression:
    """Functions written out, and so are powers of products: exp(-s/(2*l^2)) as typed is exp(-1/2*s/l^2).

    And of exponentials: exp(s/exp(a)) as typed is exp(s*exp(-a)).
    """
    # Kept with the node: one definition is a relation of every expression that it shares an atom with.
    memory = expression.__dict__
    if "_opened" not in memory:
        memory["_opened"] = rewrite_bottom_up(written_out(expression), _finished)
    kept: Expression = memory["_opened"]
    return kept


def _finished(node: Expression) -> Expression:
    match node:
        case Power(Apply("exp", (argument,)), Number() as exponent):
            return Apply("exp", (multiply(exponent, argument),))
    return normalised(node) if _is_unfinished(node) else node


def written_out(expression: Expression) -> Expression:
    """Element-wise functions that are made of e^u and log(u) alone (sigmoid, ...) written out."""

    def open_one(node: Expression) -> Expression:
        if isinstance(node, Apply) and is_exponential(node.function):
            formula = definition_of(node)
            if formula is not None:
                return rewrite_bottom_up(formula, open_one)
        return node

    return rewrite_bottom_up(expression, open_one)


def _is_unfinished(node: Expression) -> bool:
    """Whether it is a power of a product or number, a product that one has been written out in, or u*u."""
    match node:
        case Power(Multiply() | Number(), Number(exponent)):
            return exponent.denominator == 1
        case Multiply(factors):
            # Of numbers only one may stand there.
            bases = {Number if isinstance(each, Number) else base_and_exponent(each)[0] for each in factors}
            return len(bases) < len(factors) or any([isinstance(factor, Multiply) for factor in factors])
    return False


@cache
def is_exponential(function: str) -> bool:
    """Whether it is exp, log, or a formula in which no other elementary function stands."""
    definition = ALL_FUNCTIONS[function].definition
    if definition is None or ALL_FUNCTIONS[function].arity > 1:
        return function in ("exp", "log")
    parts = tuple(definition(Element("?")).walk())
    applied = {part.function for part in parts if isinstance(part, Apply)}
    return all(map(is_exponential, applied)) and not any(isinstance(part, Where) for part in parts)


def scalar_atoms(expression: Expression) -> tuple[Expression, ...]:
    """What a scalar expression is a rational function of: elements, sums, functions, `where`s."""
    memory = expression.__dict__
    if "_scalar_atoms" not in memory:
        memory["_scalar_atoms"] = _scalar_atoms(expression)
    atoms: tuple[Expression, ...] = memory["_scalar_atoms"]
    return atoms


def _scalar_atoms(expression: Expression) -> tuple[Expression, ...]:
    if isinstance(expression, Add | Multiply):
        return tuple(dict.fromkeys(atom for child in expression.children for atom in scalar_atoms(child)))
    if isinstance(expression, Power) and isinstance(expression.exponent, Number):
        if expression.exponent.value.denominator == 1:
            return scalar_atoms(expression.base)
        # A root's radicand is an atom beside the root, or its factors: sqrt(v + e) knows v + e.
        root, base = canonical_bound_names(expression), canonical_bound_names(expression.base)
        return tuple(dict.fromkeys((root, base, *(scalar_atoms(base) if isinstance(base, Multiply) else ()))))
    return () if isinstance(expression, Number) else (canonical_bound_names(expression),)


def without_number(expression: Expression) -> Expression:
    """u of n*u."""
    return multiply(*coefficient_and_rest(expression)[1])


# What patterns and atoms are filed under: only what has a key in common can match.
Key: TypeAlias = Expression | frozenset[str]


def atoms_by_keys(atoms: Sequence[Expression]) -> dict[Key, list[Expression]]:
    """The atoms by what a pattern that matches them may be filed under."""
    found: dict[Key, list[Expression]] = {}
    for atom in atoms:
        for key in {_bare(atom), _without_positions(_bare(atom)), atom.tensors}:
            if key is not None:
                found.setdefault(key, []).append(atom)
    return found


def key_of(pattern: Expression, variables: frozenset[Index]) -> Key:
    """What all that matches a pattern has in common with it: the whole, its form, or its tensors."""
    bare = _bare(pattern)
    if variables.isdisjoint(bare.free_indices):
        return bare
    form = _without_positions(bare)
    return pattern.tensors if form is None else form


def _bare(atom: Expression) -> Expression:
    """exp(u) for exp(-u): both are powers of one atom."""
    if isinstance(atom, Apply) and atom.function == "exp":
        return Apply("exp", (without_number(atom.arguments[0]),))
    return atom


def _without_positions(node: Expression) -> Expression | None:
    """Elements as scalars; None where an index stands elsewhere than in a position of theirs."""
    memory = node.__dict__
    if "_without_positions" not in memory:
        memory["_without_positions"] = _form(node)
    form: Expression | None = memory["_without_positions"]
    return form


def _form(node: Expression) -> Expression | None:
    if isinstance(node, Element):
        return Element(node.tensor)
    if isinstance(node, Number | Constant | Size):
        return node
    if not isinstance(node, Add | Multiply | Power | Apply | Reduction):
        return None
    children = [_without_positions(child) for child in node.children]
    known = tuple([child for child in children if child is not None])
    return node.with_children(known) if len(known) == len(children) else None


@cache
def rational_functions() -> tuple[str, ...]:
    """The functions of the table that are quotients in e^u alone: their name spares the division."""
    argument = Element("?")
    kernel = Apply("exp", (argument,))
    names = []
    for function in FUNCTIONS.values():
        if function.arity == 1 and function.definition is not None:
            formula = opened(function.definition(argument))
            atoms = {
                Apply("exp", (without_number(atom.arguments[0]),)) if isinstance(atom, Apply) else atom
                for atom in scalar_atoms(formula)
            }
            if atoms == {kernel} and any(isinstance(node, Power) for node in formula.walk()):
                names.append(function.name)
    return tuple(names)


def atoms_as_typed(expression: Expression) -> dict[Expression, Expression]:
    """Each function that is an atom in other words, as it was typed: tanh(softplus(u))."""
    functions = [(node, opened(node)) for node in expression.walk() if isinstance(node, Apply)]
    atoms = [(each, atom) for each, atom in functions if isinstance(atom, Apply) and atom != each]
    return {canonical_bound_names(atom): each for each, atom in atoms}


def spelled_as_typed(found: Expression, typed: Mapping[Expression, Expression]) -> Expression:
    """What was found, where atoms and their arguments stand as they were typed."""

    def spell(node: Expression) -> Expression:
        return typed.get(canonical_bound_names(opened(node)), node) if isinstance(node, Apply) else node

    return rewrite_bottom_up(found, spell) if typed else found


def solvable(
    equalities: Iterable[tuple[Expression, Expression]], expression: Expression
) -> list[tuple[Expression, Expression]]:
    """Equalities, name = formula, opened and with the bound names of an expression for which they are solved.

    A root of a product hides the factors: r^2 = f*g is said for r = sqrt(f*g), unless that root stands in
    the expression.
    """
    spelled = {canonical_bound_names(node): node for node in expression.walk() if isinstance(node, Reduction)}
    roots = {node.base for node in expression.walk() if is_root(node)}
    return [
        _without_root(name, _spelled_alike(opened(formula), spelled), roots) for name, formula in equalities
    ]


def _spelled_alike(expression: Expression, spelled: Mapping[Expression, Expression]) -> Expression:
    """The expression with the bound names of those reductions that it has in common with `spelled`."""

    def spell(node: Expression) -> Expression:
        return spelled.get(canonical_bound_names(node), node) if isinstance(node, Reduction) else node

    return rewrite_bottom_up(expression, spell)


def _without_root(
    name: Expression, formula: Expression, roots: Collection[Expression]
) -> tuple[Expression, Expression]:
    match formula:
        case Power(Multiply() as product, Number(exponent)) if (
            exponent.numerator == 1 and product not in roots
        ):
            return power(name, Number(Fraction(exponent.denominator))), product
    return name, formula
