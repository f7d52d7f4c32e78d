"""Equations as something that is known: by which atoms an expression is recognised as one of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from symbackprop.algebra.digits import functions_behind
from symbackprop.algebra.opened import (
    Key,
    key_of,
    opened,
    rational_functions,
    scalar_atoms,
    without_number,
)
from symbackprop.algebra.rational import Relation
from symbackprop.algebra.scalar_algebra import units_of_exponents
from symbackprop.cost.expressions import terms_multiplied_out
from symbackprop.functions.table import definition_of
from symbackprop.integers.bounds import Knowledge, conjuncts
from symbackprop.integers.guards import branches
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_root,
    is_sum,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Apply,
    Element,
    Expression,
    Index,
    Number,
    Power,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.rewriting.matching import Bindings, match
from symbackprop.rules.summation import factor_out
from symbackprop.systems.system import Equation


def cases_of(formula: Expression) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """What a definition says: its branches, each with its conditions; a norm also with factors in front.

    sqrt(sum(i, (x[i]/s)^2)) is sqrt(sum(i, x[i]^2)/s^2). where(c, f, 0)/s is f/s where c holds.
    """
    yield from branches(formula)
    factors = factors_of(formula)
    for place, factor in enumerate(factors) if len(factors) > 1 else ():
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            chosen = multiply(*factors[:place], factor.chosen, *factors[place + 1 :])
            yield chosen, conjuncts(factor.condition)
    if is_root(formula) and is_sum(formula.base):
        factored = factor_out(formula.base.with_children((opened(formula.base.body),)))
        if factored is not None:
            yield Power(factored, formula.exponent), ()


@dataclass(frozen=True)
class Known:
    """An equation, or one case of it, and what it is made of.

    `apart` is the formula without the logarithms in its exponents, where it has such.
    """

    equation: Equation
    formula: Expression
    conditions: tuple[Expression, ...] = ()
    apart: Expression | None = None

    def holds(self, bindings: Bindings, around: Sequence[Expression]) -> bool:
        """Whether the conditions around a place say that this case is the one that counts there."""
        if not self.conditions:
            return True
        known = Knowledge.of((), [each for each in around if not each.tensors])
        return bool(around) and all(
            condition in around or (not condition.tensors and known.proves(condition))
            for condition in (substitute(each, bindings) for each in self.conditions)
        )

    @cached_property
    def terms(self) -> int:
        """How many terms the formula has, multiplied out."""
        return terms_multiplied_out(self.formula)

    @cached_property
    def patterns(self) -> tuple[Expression, ...]:
        """The atoms by which an expression is recognised as one that the equation speaks of.

        Beside the definition's own, those of e^u/s where it has e^(u - log(s)), and e^u for every term u
        that stands beside a logarithm.
        """
        terms = terms_of(self.formula)
        atoms = scalar_atoms(opened(self.formula))
        if self.apart is not None:
            atoms = tuple(dict.fromkeys((*atoms, *scalar_atoms(opened(self.apart)))))
        if not any(_logarithm(term) for term in terms):
            return atoms
        exponentials = [Apply("exp", (term,)) for term in terms if not _logarithm(term)]
        return (*atoms, *(canonical_bound_names(each) for each in exponentials))

    @cached_property
    def is_of_scalars(self) -> bool:
        """Whether it is a formula of several tensors without indices alone: E = a/b."""
        return len(self.patterns) > 1 and all(map(_is_scalar, self.patterns))

    @cached_property
    def kernels(self) -> tuple[tuple[Key, Expression], ...]:
        """The patterns that may determine where the definition is spoken of, each by its key."""
        variables = frozenset(self.equation.indices)
        return tuple(
            [
                (key_of(pattern, variables), pattern)
                for pattern in self.patterns
                if not pattern.free_indices < variables and (self.is_of_scalars or not _is_scalar(pattern))
            ]
        )

    def instances(
        self, atoms: Mapping[Key, Sequence[Expression]], around: Sequence[Expression] = ()
    ) -> Iterator[Bindings]:
        """The indices at which it speaks of one of the atoms, by their keys, read under `around`."""
        variables = frozenset(self.equation.indices)
        for key, pattern in self.kernels:
            for atom in atoms.get(key, ()):
                for bindings in _match_kernel(pattern, atom, variables, around):
                    if len(bindings) == len(variables):
                        yield bindings


def _is_scalar(pattern: Expression) -> bool:
    return isinstance(pattern, Element) and not pattern.positions


def _match_kernel(
    pattern: Expression, atom: Expression, variables: frozenset[Index], around: Sequence[Expression]
) -> Iterator[Bindings]:
    """exp(u) and exp(-u) are powers of one atom."""
    if isinstance(pattern, Apply) and isinstance(atom, Apply) and pattern.function == atom.function == "exp":
        pattern, atom = without_number(pattern.arguments[0]), without_number(atom.arguments[0])
    yield from match(pattern, atom, variables, around=around)


def exponential_of(relation: Relation) -> Relation | None:
    """e^t = e^u/s where t = u - log(s): a name that is a sum with a logarithm knows its exponential too."""
    terms = terms_of(relation.formula)
    if not any(_logarithm(term) for term in terms):
        return None
    factors = [_logarithm(term) or Apply("exp", (term,)) for term in terms]
    return Relation(Apply("exp", (relation.known,)), multiply(*factors))


Definition: TypeAlias = Callable[[Element], Expression | None]
CROWDED = 16  # terms from which on a sum stands for others only where most of them are there
DEEPEST_NAME = 3  # r = exp(f), f = q - l, l = m + log(s): names of names cost more than they find


def logarithms_in(formula: Expression, definition: Definition) -> dict[Element, Expression]:
    """The names in exponents that stand for sums with a logarithm, with what defines them."""
    found: dict[Element, Expression] = {}
    for node in formula.walk():
        if isinstance(node, Apply) and node.function == "exp":
            found |= _written_out(node.arguments[0], definition)[1]
    return found


def without_logarithms(formula: Expression, definition: Definition) -> Expression | None:
    """e^u/s for e^(u - log(s)), and for e^(u - l) where l = log(s) by definition; None without such."""

    def apart(node: Expression) -> Expression:
        if not isinstance(node, Apply) or node.function != "exp":
            return node
        terms, _ = _written_out(node.arguments[0], definition)
        others = [term for term in terms if _logarithm(term) is None]
        if len(others) == len(terms):
            return node
        exponential = (Apply("exp", (add(*others),)),) if others else ()
        return multiply(*exponential, *filter(None, map(_logarithm, terms)))

    found = rewrite_bottom_up(formula, apart)
    return None if found == formula else found


def _written_out(
    exponent: Expression, definition: Definition, depth: int = 0
) -> tuple[list[Expression], dict[Element, Expression]]:
    """The terms of an exponent, where names with a logarithm are written out, and these names."""
    terms: list[Expression] = []
    names: dict[Element, Expression] = {}
    for term in terms_of(exponent):
        number, rest = coefficient_and_rest(term)
        name = rest[0] if len(rest) == 1 else None
        named = definition(name) if isinstance(name, Element) and depth < DEEPEST_NAME else None
        inner, further = ([], {}) if named is None else _written_out(named, definition, depth + 1)
        if isinstance(name, Element) and named is not None and any(map(_logarithm, inner)):
            terms += [multiply(Number(number), each) for each in inner]
            names |= {name: named, **further}
        else:
            terms.append(term)
    return terms, names


def with_quotients(relations: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """Beside r = e^(u - l) also r = e^u/s, where another relation says that l = log(s)."""
    definitions = {each.known: each.formula for each in relations if isinstance(each.known, Element)}
    found = [(known, without_logarithms(formula, definitions.get)) for known, formula in definitions.items()]
    return (*relations, *(Relation(known, apart) for known, apart in found if apart is not None))


def _logarithm(term: Expression) -> Expression | None:
    """s^n of n*log(s)."""
    number, rest = coefficient_and_rest(term)
    if (
        len(rest) == 1
        and isinstance(rest[0], Apply)
        and rest[0].function == "log"
        and number.denominator == 1
    ):
        return power(rest[0].arguments[0], Number(number))
    return None


def function_relations(expression: Expression, atoms: tuple[Expression, ...]) -> Iterator[Relation]:
    """sigmoid(w) = 1/(1 + e^-w) and its like, for each e^w in sight, w with the expression's bound names.

    Beside 1/(1 + e^-w) also sigmoid(-w), the derivative of softplus(-w), unless that of sigmoid(w) is there.
    What is in sight as e^(2*u) alone is e^w for w = 2*u, and tanh(u) is known then too.
    """
    arguments: dict[Expression, None] = {}
    units = units_of_exponents((opened(expression),))
    for node in opened(expression).walk():
        if isinstance(node, Apply) and node.function == "exp" and canonical_bound_names(node) in atoms:
            arguments[without_number(node.arguments[0])] = None
        elif isinstance(node, Power) and is_reciprocal(node):
            arguments.update(dict.fromkeys(_mirrored(node.base, expression)))
    for argument in (_in_units(each, units) for each in arguments):
        for name in rational_functions():
            known = Apply(name, (argument,))
            formula = definition_of(known)
            assert formula is not None
            yield Relation(known, formula)
        if coefficient_and_rest(argument)[0] % 2 == 0:
            yield _tanh_of_half(argument)


def _tanh_of_half(argument: Expression) -> Relation:
    """tanh(u) = (e^(2*u) - 1)/(e^(2*u) + 1)."""
    half, exponential = multiply(Number(Fraction(1, 2)), argument), Apply("exp", (argument,))
    quotient = multiply(add(exponential, MINUS_ONE), power(add(exponential, ONE), MINUS_ONE))
    return Relation(Apply("tanh", (half,)), quotient)


def _in_units(argument: Expression, units: Mapping[Expression, Fraction]) -> Expression:
    """2*u for u, and -2*u for -u, where e^u is in sight as a power of e^(2*u)."""
    unit = units.get(canonical_bound_names(without_number(argument)), Fraction(1))
    return multiply(Number(unit), argument)


def _mirrored(below: Expression, expression: Expression) -> Iterator[Expression]:
    """-w of 1 + e^-w."""
    for term in terms_of(below):
        match term:
            case Apply("exp", (exponent,)) if coefficient_and_rest(exponent)[0] < 0:
                if functions_behind(expression).isdisjoint(rational_functions()):
                    yield negate(without_number(exponent))
