"""Naming what a person would name before differentiating: the pre-activation, a softmax, a norm.

h[b,j] = tanh(sum(i, W[j,i]*x[b,i])) is read as two equations, the contraction and the function of it, so that
the function's derivative is taken once and not inside every gradient that follows from it; so is a
loop-carried argument, h[t] = tanh(w*x[t] + pad(h[t-1])). What is read only under a guard keeps it:
u_h[t,j] = where(t != 0, sum(k, U[j,k]*h[t-1,k]), 0).

A softmax inside a formula is named, so that the gradient is the one in terms of p, but not in a logarithm:
log(p) is a difference. What else is, `quantities` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from symbackprop.derivation.parts.exponents import exponent_of_density, exponent_of_log_sum, read_beside
from symbackprop.derivation.parts.indices_alike import with_indices_alike
from symbackprop.derivation.parts.sums_by_name import sums_by_name
from symbackprop.derivation.quantities import (
    free_in_order,
    guarded,
    holds_contraction,
    is_compared,
    is_no_larger,
    is_power_of_quotient,
    is_preferred_overlap,
    is_rewritten,
    is_root_of_contractions,
    is_squared_residual,
    looks_up,
    normalised_places,
    places_over_name,
    terms_guarded,
)
from symbackprop.integers.guards import by_itself, guarded_children
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_root,
    multiply,
    power,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Apply,
    Axis,
    Element,
    Expression,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.fresh_names import name_of_part
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.shorthands import softmax_places
from symbackprop.systems.system import Equation, Role, System


def with_named_arguments(system: System) -> System:
    """The system, with an equation of its own for every contraction inside an element-wise function."""
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    movable = frozenset(
        name for name, each in system.tensors.items() if each.role in (Role.PARAMETER, Role.DERIVED)
    )
    formulas = {name: equation.expression for name, equation in system.definitions.items()}
    naming = _Naming(axes, loop_carried_tensors(system.equations), movable, taken, formulas)
    equations: list[Equation] = []
    for equation in system.equations:
        alike = with_indices_alike(equation)
        named = naming.of_equation(alike)
        expression = equation.expression if named == alike.expression else named
        equations += [*naming.take_new(), replace(equation, expression=expression)]
    if len(equations) == len(system.equations):
        return system
    return system.with_equations(equations)


class _At(NamedTuple):
    """The equation that a part stands in, the conditions on it there, and the tensors it is multiplied by."""

    equation: Equation
    conditions: tuple[Expression, ...] = ()
    by: frozenset[str] = frozenset()


@dataclass
class _Naming:
    axes: Mapping[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    movable: frozenset[str]
    taken: set[str]
    formulas: Mapping[str, Expression]
    names: dict[Expression, Element] = field(default_factory=dict)
    new: list[Equation] = field(default_factory=list)

    def of_equation(self, equation: Equation) -> Expression:
        """The right-hand side with named arguments; what it is itself has a name."""
        at = _At(equation)
        arguments = self._with_arguments(self._within(equation.expression, at), at, equation.expression)
        arguments = sums_by_name(arguments, self.new)
        if is_power_of_quotient(arguments, self.movable):
            return self._with_quotient(arguments, at)
        return self._with_normalised(arguments, at, is_whole=True)

    def named(self, expression: Expression, at: _At) -> Expression:
        """The expression, read under these conditions, with named arguments, innermost first."""
        arguments = self._with_arguments(self._within(expression, at), at, expression)
        return self._with_quantities(arguments, at)

    def _within(self, expression: Expression, at: _At) -> Expression:
        is_logarithm = isinstance(expression, Apply) and expression.function == "log"
        name = self._without_quantity if is_logarithm else self.named
        children = tuple(
            [
                name(child, at._replace(conditions=inside, by=at.by | read_beside(expression, child)))
                for child, inside in guarded_children(expression, at.conditions)
            ]
        )
        return expression if children == expression.children else expression.with_children(children)

    def _without_quantity(self, expression: Expression, at: _At) -> Expression:
        inside = self._within(expression, at)
        return self._with_arguments(inside, at, expression)

    def _with_arguments(self, expression: Expression, at: _At, typed: Expression) -> Expression:
        """A function with names for its arguments; `typed` is the function without the names inside it."""
        if not isinstance(expression, Apply):
            exponent = exponent_of_density(expression, self.movable)
            found = exponent and self._with_exponent_named(expression, exponent, at)
            return found or expression
        exponent = exponent_of_log_sum(expression, self.movable, at.by)
        if exponent is not None:
            return self._with_exponent(expression, exponent, at)
        arguments = [
            self._argument(each, at)
            if holds_contraction(each)
            or self._is_loop_carried(each, expression.function)
            or is_compared(each, expression.function, before)
            or is_preferred_overlap(expression, each, before)
            else each
            for each, before in zip(expression.arguments, typed.children, strict=True)
        ]
        return Apply(expression.function, tuple(arguments))

    def _with_exponent(
        self,
        log_sum: Apply,
        exponent: Expression,
        at: _At,
    ) -> Expression:
        """A log-sum-exp of a name; where the exponential has factors beside it, of the sum's name."""
        (total,) = log_sum.arguments
        assert isinstance(total, Reduction)
        body = self._with_exponent_named(total.body, exponent, at)
        total = total.with_children((body,))
        is_alone = isinstance(body, Apply)
        return Apply("log", (total if is_alone else self._argument(total, at),))

    def _with_exponent_named(
        self,
        product: Expression,
        exponent: Expression,
        at: _At,
    ) -> Expression:
        """A product with a name for the exponent of a factor."""
        named = self._argument(exponent, at)
        exponential, by_name = (Apply("exp", (each,)) for each in (exponent, named))
        return multiply(*(by_name if each == exponential else each for each in factors_of(product)))

    def _is_loop_carried(self, argument: Expression, function: str) -> bool:
        """Whether a recurrence goes on through the function; e^u and log(u) belong together, and stay so."""
        reads = not argument.tensors.isdisjoint(self.loop_carried)
        return reads and function not in ("exp", "log") and not isinstance(argument, Element)

    def _argument(self, argument: Expression, at: _At) -> Expression:
        return self._name("u", argument, at) or argument

    def _with_quantities(self, expression: Expression, at: _At) -> Expression:
        """A product with a name for a softmax in it, a power with one for its root."""
        factors = list(factors_of(expression))
        places = softmax_places(factors)
        if places is not None and base_and_exponent(factors[places[1]])[1] == MINUS_ONE:
            above, below, _ = places
            share = multiply(factors[above], factors[below])
            named = None if looks_up(share, self.loop_carried) else self._name("p", share, at)
            if named is not None:
                factors[above] = named
                return multiply(*factors[:below], *factors[below + 1 :])
        if is_squared_residual(expression, self.movable, self.loop_carried):
            return self._with_residual(expression, at)
        if is_power_of_quotient(expression, self.movable):
            return self._with_quotient(expression, at)
        if is_root(expression) and (
            is_rewritten(expression) or is_root_of_contractions(expression, self.movable)
        ):
            return self._with_root(expression, at)
        return self._with_normalised(expression, at)

    def _with_residual(self, expression: Expression, at: _At) -> Expression:
        """A power of a name; a term of the residual that may be undefined keeps the conditions on it."""
        base, exponent = base_and_exponent(expression)
        residual = terms_guarded(base, at.conditions)
        return power(self._name("r", residual, at) or base, exponent)

    def _with_quotient(self, expression: Expression, at: _At) -> Expression:
        """A power of a name for a quotient, which keeps the conditions on it."""
        base, exponent = base_and_exponent(expression)
        name = self._name("q", guarded(base, at.conditions), at)
        return expression if name is None else power(name, exponent)

    def _with_root(self, factor: Power, at: _At) -> Expression:
        """A power of a name for a root."""
        assert isinstance(factor.exponent, Number)
        exponent = factor.exponent.value
        prefix = "norm" if isinstance(factor.base, Reduction) else "s"
        root = power(factor.base, Number(Fraction(1, exponent.denominator)))
        name = self._name(prefix, root, at)
        return factor if name is None else power(name, Number(Fraction(exponent.numerator)))

    def _with_normalised(
        self,
        expression: Expression,
        at: _At,
        is_whole: bool = False,
    ) -> Expression:
        """A product with names for the root of a sum over factors of it, and for these divided by the root.

        The quotient has a name already where it is the whole right-hand side.
        """
        factors = factors_of(expression)
        places = normalised_places(factors, self.formulas)
        if places is None:
            return self._over_name(expression, at, is_whole)
        above, below = places
        divisor = factors[below]
        assert is_root(divisor)
        root = self._with_root(divisor, at)
        if root == divisor:
            return expression
        named = {below: root}
        numerator = multiply(*(factors[place] for place in above))
        is_named = is_whole and len(factors) == len(above) + 1
        if not is_named and is_no_larger(numerator):
            name, times = base_and_exponent(root)
            quotient = self._name("xhat", multiply(numerator, power(name, MINUS_ONE)), at)
            if quotient is not None:
                named = {**dict.fromkeys(above, ONE), above[0]: quotient, below: power(name, add(times, ONE))}
        product = multiply(*(named.get(place, factor) for place, factor in enumerate(factors)))
        return self._with_normalised(product, at, is_whole)  # another root may stand there

    def _over_name(
        self,
        expression: Expression,
        at: _At,
        is_whole: bool,
    ) -> Expression:
        """A product with names for its factors divided by a root that has a name: (x[i] - m)/s."""
        factors = factors_of(expression)
        places = places_over_name(factors, self.formulas)
        if places is None:
            return expression
        above, below = places
        if is_whole and len(factors) == len(above) + 1:
            return expression
        numerator = multiply(*(factors[place] for place in above))
        together = multiply(numerator, factors[below])
        quotient = self._name("xhat", together, at) if is_no_larger(numerator) else None
        if quotient is None:
            return expression
        others = (factor for place, factor in enumerate(factors) if place not in (*above, below))
        return self._over_name(multiply(*others, quotient), at, is_whole)

    def _name(self, prefix: str, part: Expression, at: _At) -> Element | None:
        """The name of a part of an equation, given here if it has none; None where it must stay there."""
        guarded = by_itself(part, self.axes, at.conditions, self.loop_carried)
        if guarded is None:
            return None
        key = canonical_bound_names(guarded)
        if key not in self.names:
            indices = free_in_order(part, at.equation)
            name = name_of_part(prefix, at.equation.tensor, self.taken)
            self.taken.add(name)
            self.names[key] = Element(name, indices)
            self.new.append(Equation(name, indices, guarded))
        return self.names[key]

    def take_new(self) -> list[Equation]:
        """The equations that have come up since the last call."""
        new, self.new = self.new, []
        return new
