"""Naming what a person would name because it is read again: a contraction that stands twice, and its like.

(sum(i, G[j,i]*x[i])*sigmoid(sum(i, G[j,i]*x[i])))*sum(i, U[j,i]*x[i]) is read as g*sigmoid(g)*u, with g and u
by equations of their own. A name is given to a contraction, or a sum with one, that stands in an equation
twice, were it once with the other sign; to one under a sum beside a factor over all its indices, as a gate
is; to what a softmax is of, where several tensors move it or it is a sum, and to a distance there; to a
quotient with one tensor behind both sides, and to a long sum below it; to what its own mean is taken off; and
to the value of a function of more than a polynomial by which the derivative is written: tanh(softplus(u)).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.algebra.opened import rational_functions
from symbackprop.derivation.elementary_derivatives import PLACEHOLDERS, elementary_derivative
from symbackprop.derivation.parts.exponents import distances_in, is_exponential
from symbackprop.derivation.parts.indices_alike import with_indices_alike
from symbackprop.derivation.quantities import free_in_order, holds_contraction
from symbackprop.errors import DerivationError
from symbackprop.functions.table import ALL_FUNCTIONS, INTEGER_FUNCTIONS
from symbackprop.integers.guards import by_itself
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_root,
    is_sum,
    negate,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Axis,
    Element,
    Expression,
    Multiply,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import name_of_part
from symbackprop.notation.substitution import canonical_bound_names, elements_of
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, Role, System

LONGEST_DIVISOR = 2  # terms of what a quotient is divided by, without a name


def with_named_parts(system: System) -> System:
    """The system, with an equation of its own for every part that is read again."""
    behind = _parameters_behind(system)
    naming = _Naming(
        {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()},
        loop_carried_tensors(system.equations),
        {name for name, parameters in behind.items() if parameters},
        {*system.tensors, *(axis.name for axis in system.axes)},
        behind,
    )
    named = [(each, naming.of_equation(with_indices_alike(each))) for each in system.equations]
    equations = [part for each, parts in named for part in (parts if len(parts) > 1 else (each,))]
    return system.with_equations(equations) if len(equations) > len(system.equations) else system


def _parameters_behind(system: System) -> dict[str, frozenset[str]]:
    """The parameters that move each tensor."""
    behind = {name: frozenset([name]) for name, each in system.tensors.items() if each.role is Role.PARAMETER}
    for equation in system.equations:
        read = (behind.get(name, frozenset()) for name in equation.reads)
        behind[equation.tensor] = frozenset[str]().union(*read)
    return behind


@dataclass
class _Naming:
    axes: dict[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    movable: set[str]
    taken: set[str]
    behind: dict[str, frozenset[str]]
    divisors: set[str] = field(default_factory=set)

    def of_equation(self, equation: Equation) -> list[Equation]:
        """The equations of the names, each before those that read it, and the equation that reads them."""
        new: list[Equation] = []
        while (part := next(self._parts_of(equation), None)) is not None:
            prefix = "norm" if is_root(part) else part.function if isinstance(part, Apply) else "u"
            is_quotient = any(_is_under_sum(each) or self._is_under_name(each) for each in factors_of(part))
            prefix = "q" if is_quotient else prefix
            name = name_of_part(prefix, equation.tensor, self.taken)
            given = Equation(name, free_in_order(part, equation), part)
            self.taken.add(name)
            self.movable.add(name)
            self.behind[name] = self._behind(part)
            if any(_long_sum_below(each) == part for each in equation.expression.walk()):
                self.divisors.add(name)
            self.axes[name] = [index.axis for index in given.indices]
            new += self.of_equation(given)
            equation = replace(equation, expression=_reading(equation.expression, given))
        return [*new, equation]

    def _parts_of(self, equation: Equation) -> Iterator[Expression]:
        """Of a step of a recurrence what reads no other step: two that read one another may have no order."""
        loop_carried = self.loop_carried if equation.tensor in self.loop_carried else frozenset[str]()
        return (part for part in self._parts(equation.expression) if loop_carried.isdisjoint(part.tensors))

    def _parts(self, whole: Expression) -> Iterator[Expression]:
        """What is to be named in an expression, the outermost first."""
        counted = Counter(
            _key(each) for each in _read_by(whole) if self._is_layer(each) or is_exponential(each)
        )
        for node in _read_in(whole):
            if node is not whole and self._is_layer(node) and counted[_key(node)] > 1:
                yield _unsigned(node)
            if is_exponential(node) and counted[_key(node)] > 1:
                yield from filter(self._may_stand_alone, distances_in(node.arguments[0]))
                if self._is_scaled(node.arguments[0]):
                    yield node.arguments[0]
        for node in _read_in(whole):
            yield from filter(self._may_stand_alone, _centred(node))
        for node in _outside_logarithms(whole):
            if self._is_quotient(node):
                yield from (base for base in map(_long_sum_below, factors_of(node)) if base is not None)
                if node is not whole:
                    yield _unsigned(node)
            yield from filter(self._is_value, _beside(node, self.movable))
        for node in _read_in(whole):
            yield from filter(self._is_layer, _gated(node, self.movable))

    def _is_layer(self, node: Expression) -> bool:
        """Whether it is a contraction, or a sum with one, that moves and may be read anywhere."""
        is_one = isinstance(node, Add) or is_sum(node)
        return is_one and self._may_stand_alone(node) and holds_contraction(node)

    def _is_scaled(self, exponent: Expression) -> bool:
        """Whether several tensors move what is exponentiated, as a temperature the logits, or it is a sum."""
        is_moved = len(exponent.tensors & self.movable) > 1 or any(map(is_sum, factors_of(exponent)))
        return is_moved and self._may_stand_alone(exponent)

    def _is_value(self, node: Expression) -> bool:
        """Whether it is a function's value that its derivative is written by, of what is no polynomial."""
        if not isinstance(node, Apply) or not self._may_stand_alone(node):
            return False
        inside = (each for argument in node.arguments for each in argument.walk())
        return any(isinstance(each, Apply | Power) for each in inside) and _is_known_by_value(node.function)

    def _is_quotient(self, node: Expression) -> bool:
        """Whether it divides by a sum what the same tensor moves, so that its derivative reads it again."""
        if not isinstance(node, Multiply) or not self._may_stand_alone(node):
            return False
        if not node.tensors.isdisjoint(self.loop_carried):
            return False  # what a step adds to both sides may cancel
        below = [each for each in node.factors if _is_under_sum(each) or self._is_under_name(each)]
        above = [each for each in node.factors if each not in below]
        if len(below) != 1 or any(map(is_exponential, node.walk())):
            return False
        first, second = (self._behind(*side) for side in (above, below))
        return not first.isdisjoint(second)

    def _is_under_name(self, factor: Expression) -> bool:
        """Whether it is one over a long sum that has got a name here."""
        base, exponent = base_and_exponent(factor)
        return exponent == MINUS_ONE and isinstance(base, Element) and base.tensor in self.divisors

    def _behind(self, *parts: Expression) -> frozenset[str]:
        """The parameters that move the parts."""
        read = (self.behind.get(name, frozenset()) for each in parts for name in each.tensors)
        return frozenset[str]().union(*read)

    def _may_stand_alone(self, part: Expression) -> bool:
        is_moved = not part.tensors.isdisjoint(self.movable)
        return is_moved and by_itself(part, self.axes, (), self.loop_carried) == part


def _is_known_by_value(function: str) -> bool:
    """Whether a function's derivative reads its argument through it alone, 1 - tanh(u)^2; e^u is its own."""
    if function in rational_functions():
        return True
    if ALL_FUNCTIONS[function].definition is not None or function in INTEGER_FUNCTIONS:
        return False
    try:
        value, slope = Apply(function, PLACEHOLDERS[:1]), elementary_derivative(function)
    except DerivationError:
        return False  # the language has no word for it
    applied = [each for each in slope.walk() if isinstance(each, Apply)]
    return slope != value and set(applied) == {value} and len(elements_of(slope)) == len(applied)


def _read_in(node: Expression) -> Iterator[Expression]:
    """What stands in an expression, the outermost first, but for positions."""
    if not has_positions(node):
        yield node
        for child in node.children:
            yield from _read_in(child)


def _read_by(whole: Expression) -> Iterator[Expression]:
    """The same, as often as different expressions read it: f once in exp(f)/sum(i, exp(f))."""
    for node in dict.fromkeys(_read_in(whole)):
        yield from (child for child in node.children if not has_positions(child))


def _outside_logarithms(node: Expression) -> Iterator[Expression]:
    """The same, but for what a logarithm or an exponential is of: what cancels there is seen there."""
    if not has_positions(node):
        yield node
        if not (isinstance(node, Apply) and node.function in ("exp", "log")):
            for child in node.children:
                yield from _outside_logarithms(child)


def _gated(node: Expression, movable: Collection[str]) -> Iterator[Expression]:
    """The factors under a sum that another one is multiplied with place by place, which is no element."""
    if not is_sum(node):
        return
    body = node.body.chosen if isinstance(node.body, Where) else node.body
    factors = factors_of(body)
    for place, factor in enumerate(factors):
        others = (*factors[:place], *factors[place + 1 :])
        if factor.free_indices and any(
            not (isinstance(each, Element) or is_reciprocal(each))
            and factor.free_indices <= each.free_indices
            and not each.tensors.isdisjoint(movable)
            for each in others
        ):
            yield factor


def _centred(node: Expression) -> Iterator[Expression]:
    """A function's value, or a sum with one or a power, that its own sum or mean is taken off.

    f[n] - mean(n, f[n]), multiplied out, is a difference of large numbers; x[n] - c less its mean stays one.
    """
    terms = node.terms if isinstance(node, Add) else ()
    for term in terms:
        number, rest = coefficient_and_rest(term)
        bodies = [each.body for each in rest if isinstance(each, Reduction) and each.kind == "sum"]
        if number < 0 and len(bodies) == 1 and _is_curved(bodies[0]) and bodies[0] in terms:
            yield bodies[0]


def _is_curved(body: Expression) -> bool:
    terms = body.terms if isinstance(body, Add) else (body,) if isinstance(body, Apply) else ()
    factors = (each for term in terms for each in factors_of(term))
    return any(isinstance(each, Apply | Power) and each.tensors for each in factors)


def _is_under_sum(factor: Expression) -> bool:
    """Whether it is one over a sum."""
    base, exponent = base_and_exponent(factor)
    return exponent == MINUS_ONE and isinstance(base, Add) and bool(base.tensors)


def _beside(node: Expression, movable: Collection[str]) -> Iterator[Expression]:
    """Functions in a product, or in a sum there, beside another factor that moves."""
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        others = (*factors[:place], *factors[place + 1 :])
        if any(not each.tensors.isdisjoint(movable) for each in others):
            for term in terms_of(factor):
                yield from (each for each in factors_of(term) if isinstance(each, Apply))


def _long_sum_below(factor: Expression) -> Expression | None:
    """What is divided by, where it has more than two terms."""
    base, _ = base_and_exponent(factor)
    return base if _is_under_sum(factor) and len(base.children) > LONGEST_DIVISOR else None


def _first(node: Expression) -> Expression:
    return node.terms[0] if isinstance(node, Add) else node


def _unsigned(node: Expression) -> Expression:
    """The expression, or where its first term has a minus, its opposite."""
    return node if coefficient_and_rest(_first(node))[0] > 0 else negate(node)


def _key(node: Expression) -> frozenset[Expression]:
    """The same for what differs in the sign, and in the names of bound indices."""
    return frozenset(map(canonical_bound_names, (node, negate(node))))


def _reading(node: Expression, given: Equation) -> Expression:
    """The expression with the name for each occurrence of what it stands for."""
    if has_positions(node):
        return node
    if given.expression.tensors <= node.tensors and isinstance(node, type(given.expression)):
        if canonical_bound_names(node) == canonical_bound_names(given.expression):
            return given.element
        if canonical_bound_names(negate(node)) == canonical_bound_names(given.expression):
            return negate(given.element)
    children = tuple([_reading(child, given) for child in node.children])
    return node if children == node.children else node.with_children(children)
