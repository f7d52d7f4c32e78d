"""Naming what a person would name before differentiating: the pre-activation, a softmax, a norm.

h[b,j] = tanh(sum(i, W[j,i]*x[b,i])) is read as two equations, the contraction and the function of it, so that
the function's derivative is taken once and not inside every gradient that follows from it; so is a
loop-carried argument, h[t] = tanh(w*x[t] + pad(h[t-1])). What is read only under a guard keeps it:
u_h[t,j] = where(t != 0, sum(k, U[j,k]*h[t-1,k]), 0).

A softmax inside a formula is named, so that the gradient is the one in terms of p; so are the root of a sum
that stands below what it sums over, and the quotient, xhat = (x - mean(i, x))/sqrt(var(i, x) + eps), also
where the sum or the root has a name of its own. So is
the root of a sum that rules would write otherwise, norm(i, a*x[i]), so that it stays one, the quotient in
(s/r)^12, the residual of (sum(k, w[i,k]*c[j,k]) + b[i] - x[i,j])^2, and the exponent with a sum in a
log-sum-exp, by several tensors.
No softmax is named inside a logarithm: log(p) is a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.derivation.parts.indices_alike import with_indices_alike
from symbackprop.derivation.quantities import (
    exponent_of_log_sum,
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
        inside = self._within(equation.expression, equation, ())
        arguments = self._with_arguments(inside, equation, (), equation.expression)
        if is_power_of_quotient(arguments, self.movable):
            return self._with_quotient(arguments, equation, ())
        return self._with_normalised(arguments, equation, (), is_whole=True)

    def named(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        """The expression, read under these conditions, with named arguments, innermost first."""
        inside = self._within(expression, equation, conditions)
        arguments = self._with_arguments(inside, equation, conditions, expression)
        return self._with_quantities(arguments, equation, conditions)

    def _within(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        is_logarithm = isinstance(expression, Apply) and expression.function == "log"
        name = self._without_quantity if is_logarithm else self.named
        children = tuple(
            [name(child, equation, inside) for child, inside in guarded_children(expression, conditions)]
        )
        return expression if children == expression.children else expression.with_children(children)

    def _without_quantity(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        inside = self._within(expression, equation, conditions)
        return self._with_arguments(inside, equation, conditions, expression)

    def _with_arguments(
        self,
        expression: Expression,
        equation: Equation,
        conditions: tuple[Expression, ...],
        typed: Expression,
    ) -> Expression:
        """A function with names for its arguments; `typed` is the function without the names inside it."""
        if not isinstance(expression, Apply):
            return expression
        exponent = exponent_of_log_sum(expression, self.movable)
        if exponent is not None:
            return self._with_exponent(expression, exponent, equation, conditions)
        arguments = [
            self._argument(each, equation, conditions)
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
        equation: Equation,
        conditions: tuple[Expression, ...],
    ) -> Expression:
        """A log-sum-exp of a name; where the exponential has factors beside it, of the sum's name."""
        (total,) = log_sum.arguments
        assert isinstance(total, Reduction)
        exponential = Apply("exp", (exponent,))
        named = Apply("exp", (self._argument(exponent, equation, conditions),))
        factors = [named if each == exponential else each for each in factors_of(total.body)]
        total = total.with_children((multiply(*factors),))
        return Apply("log", (total if len(factors) == 1 else self._argument(total, equation, conditions),))

    def _is_loop_carried(self, argument: Expression, function: str) -> bool:
        """Whether a recurrence goes on through the function; e^u and log(u) belong together, and stay so."""
        reads = not argument.tensors.isdisjoint(self.loop_carried)
        return reads and function not in ("exp", "log") and not isinstance(argument, Element)

    def _argument(
        self, argument: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        return self._name("u", argument, equation, conditions) or argument

    def _with_quantities(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        """A product with a name for a softmax in it, a power with one for its root."""
        factors = list(factors_of(expression))
        places = softmax_places(factors)
        if places is not None and base_and_exponent(factors[places[1]])[1] == MINUS_ONE:
            above, below, _ = places
            named = self._name("p", multiply(factors[above], factors[below]), equation, conditions)
            if named is not None:
                factors[above] = named
                return multiply(*factors[:below], *factors[below + 1 :])
        if is_squared_residual(expression, self.movable, self.loop_carried):
            return self._with_residual(expression, equation, conditions)
        if is_power_of_quotient(expression, self.movable):
            return self._with_quotient(expression, equation, conditions)
        if is_root(expression) and (
            is_rewritten(expression) or is_root_of_contractions(expression, self.movable)
        ):
            return self._with_root(expression, equation, conditions)
        return self._with_normalised(expression, equation, conditions)

    def _with_residual(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        """A power of a name; a term of the residual that may be undefined keeps the conditions on it."""
        base, exponent = base_and_exponent(expression)
        residual = terms_guarded(base, conditions)
        return power(self._name("r", residual, equation, conditions) or base, exponent)

    def _with_quotient(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        """A power of a name for a quotient, which keeps the conditions on it."""
        base, exponent = base_and_exponent(expression)
        name = self._name("q", guarded(base, conditions), equation, conditions)
        return expression if name is None else power(name, exponent)

    def _with_root(self, factor: Power, equation: Equation, conditions: tuple[Expression, ...]) -> Expression:
        """A power of a name for a root."""
        assert isinstance(factor.exponent, Number)
        exponent = factor.exponent.value
        prefix = "norm" if isinstance(factor.base, Reduction) else "s"
        root = power(factor.base, Number(Fraction(1, exponent.denominator)))
        name = self._name(prefix, root, equation, conditions)
        return factor if name is None else power(name, Number(Fraction(exponent.numerator)))

    def _with_normalised(
        self,
        expression: Expression,
        equation: Equation,
        conditions: tuple[Expression, ...],
        is_whole: bool = False,
    ) -> Expression:
        """A product with names for the root of a sum over factors of it, and for these divided by the root.

        The quotient has a name already where it is the whole right-hand side.
        """
        factors = factors_of(expression)
        places = normalised_places(factors, self.formulas)
        if places is None:
            return self._over_name(expression, equation, conditions, is_whole)
        above, below = places
        divisor = factors[below]
        assert is_root(divisor)
        root = self._with_root(divisor, equation, conditions)
        if root == divisor:
            return expression
        named = {below: root}
        numerator = multiply(*(factors[place] for place in above))
        is_named = is_whole and len(factors) == len(above) + 1
        if not is_named and is_no_larger(numerator):
            name, times = base_and_exponent(root)
            quotient = self._name("xhat", multiply(numerator, power(name, MINUS_ONE)), equation, conditions)
            if quotient is not None:
                named = {**dict.fromkeys(above, ONE), above[0]: quotient, below: power(name, add(times, ONE))}
        product = multiply(*(named.get(place, factor) for place, factor in enumerate(factors)))
        return self._with_normalised(product, equation, conditions, is_whole)  # another root may stand there

    def _over_name(
        self,
        expression: Expression,
        equation: Equation,
        conditions: tuple[Expression, ...],
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
        quotient = self._name("xhat", together, equation, conditions) if is_no_larger(numerator) else None
        if quotient is None:
            return expression
        others = (factor for place, factor in enumerate(factors) if place not in (*above, below))
        return self._over_name(multiply(*others, quotient), equation, conditions, is_whole)

    def _name(
        self, prefix: str, part: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Element | None:
        """The name of a part of an equation, given here if it has none; None where it must stay there."""
        guarded = by_itself(part, self.axes, conditions, self.loop_carried)
        if guarded is None:
            return None
        key = canonical_bound_names(guarded)
        if key not in self.names:
            indices = free_in_order(part, equation)
            name = name_of_part(prefix, equation.tensor, self.taken)
            self.taken.add(name)
            self.names[key] = Element(name, indices)
            self.new.append(Equation(name, indices, guarded))
        return self.names[key]

    def take_new(self) -> list[Equation]:
        """The equations that have come up since the last call."""
        new, self.new = self.new, []
        return new
