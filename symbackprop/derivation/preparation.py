"""Naming what a person would name before differentiating: the pre-activation.

h[b,j] = tanh(sum(i, W[j,i]*x[b,i])) is read as two equations, the contraction and the function of it, so that
the function's derivative is taken once and not inside every gradient that follows from it; so is what a
recurrence carries on, h[t] = tanh(w*x[t] + pad(h[t-1])). What is read only under a guard keeps it:
u_h[t,j] = where(t != 0, sum(k, U[j,k]*h[t-1,k]), 0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.integers.guards import by_itself, guarded_children
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.expressions import ZERO, Apply, Axis, Element, Expression, Index, Where
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, Role, System, Tensor


def with_named_arguments(system: System) -> System:
    """The system, with an equation of its own for every contraction inside an element-wise function."""
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    naming = _Naming(axes, loop_carried_tensors(system.equations), taken)
    equations: list[Equation] = []
    for equation in system.equations:
        expression = naming.named(equation.expression, equation, ())
        equations += [*naming.take_new(), replace(equation, expression=expression)]
    if len(equations) == len(system.equations):
        return system
    added = {
        equation.tensor: Tensor(equation.tensor, equation.indices, Role.DERIVED)
        for equation in equations
        if equation.tensor not in system.tensors
    }
    return replace(system, tensors={**system.tensors, **added}, equations=tuple(equations))


def holds_contraction(expression: Expression) -> bool:
    """Whether a sum of a product stands in the expression, or of products that a condition chooses."""
    return any(is_sum(node) and _is_product(node.body) for node in expression.walk())


def _is_product(body: Expression) -> bool:
    if isinstance(body, Where) and body.otherwise == ZERO:
        return _is_product(body.chosen)
    return len(factors_of(body)) > 1


@dataclass
class _Naming:
    axes: Mapping[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    taken: set[str]
    names: dict[Expression, Element] = field(default_factory=dict)
    new: list[Equation] = field(default_factory=list)

    def named(
        self, expression: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        """The expression, read under these conditions, with named arguments, innermost first."""
        children = tuple(
            [
                self.named(child, equation, inside)
                for child, inside in guarded_children(expression, conditions)
            ]
        )
        if children != expression.children:
            expression = expression.with_children(children)
        if isinstance(expression, Apply):
            arguments = [
                self._argument(each, equation, conditions)
                if holds_contraction(each) or self._is_loop_carried(each, expression.function)
                else each
                for each in expression.arguments
            ]
            expression = Apply(expression.function, tuple(arguments))
        return expression

    def _is_loop_carried(self, argument: Expression, function: str) -> bool:
        """Whether a recurrence goes on through the function; e^u and log(u) belong together, and stay so."""
        reads = not argument.tensors.isdisjoint(self.loop_carried)
        return reads and function not in ("exp", "log") and not isinstance(argument, Element)

    def _argument(
        self, argument: Expression, equation: Equation, conditions: tuple[Expression, ...]
    ) -> Expression:
        guarded = by_itself(argument, self.axes, conditions, self.loop_carried)
        if guarded is None:
            return argument
        key = canonical_bound_names(guarded)
        if key not in self.names:
            indices = _free_in_order(argument, equation)
            name = lengthened_name(f"u_{equation.tensor}", "_", self.taken)
            self.taken.add(name)
            self.names[key] = Element(name, indices)
            self.new.append(Equation(name, indices, guarded))
        return self.names[key]

    def take_new(self) -> list[Equation]:
        """The equations that have come up since the last call."""
        new, self.new = self.new, []
        return new


def _free_in_order(expression: Expression, equation: Equation) -> tuple[Index, ...]:
    """The free indices, those of the equation's left-hand side first and in its order."""
    free = expression.free_indices
    seen = dict.fromkeys(index for index in equation.indices if index in free)
    seen.update(dict.fromkeys(node for node in expression.walk() if isinstance(node, Index) and node in free))
    return tuple(seen)
