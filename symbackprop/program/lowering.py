"""From a derivation to a program: every equation one statement, every result computed once."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.derivation.result import Derivation
from symbackprop.notation.expressions import Apply, Expression, Number, Power, Where
from symbackprop.notation.printing import equation_text, text
from symbackprop.notation.system import Equation, Role, System
from symbackprop.program.aliasing import with_fresh_results
from symbackprop.program.checking import checked
from symbackprop.program.empty_axes import with_safe_means
from symbackprop.program.exponentials import LOWEST
from symbackprop.program.expressions import ExpressionLowering
from symbackprop.program.outputs import initial_of, outputs_of
from symbackprop.program.program import Program, Statement
from symbackprop.program.sharing import NamedEquation, shared
from symbackprop.program.solves import with_solves
from symbackprop.program.stability import stable_equations
from symbackprop.program.value import Kind
from symbackprop.program.views import as_real, filled

# Functions that are defined, and do not overflow, for every real argument.
TOTAL_FUNCTIONS = frozenset(
    {
        "abs",
        "sign",
        "sin",
        "cos",
        "atan",
        "tanh",
        "erf",
        "sigmoid",
        "relu",
        "softplus",
        "gelu",
        "silu",
        "max",
        "min",
    }
)


def lower(derivation: Derivation) -> Program:
    """The program that computes a model's outputs, its loss and the gradients that were derived."""
    gradients = {name: equation.tensor for name, equation in derivation.gradients.items()}
    formulas = {name: equation_text(equation) for name, equation in derivation.gradients.items()}
    return _program(derivation.system, derivation.equations, gradients, formulas)


def lower_system(system: System) -> Program:
    """The program of a model alone, without gradients."""
    return _program(system, (), {}, {})


def _program(
    system: System,
    adjoints: tuple[Equation, ...],
    gradients: dict[str, str],
    formulas: dict[str, str],
) -> Program:
    written = (*system.equations, *adjoints)
    formulas_as_written = {equation.tensor: equation_text(equation) for equation in written}
    prepared = tuple(
        replace(equation, expression=with_solves(equation.expression))
        for equation in stable_equations(written)
    )
    equations = shared(prepared, formulas_as_written, system.tensors)
    lowering = ExpressionLowering(
        {item.equation.tensor: Kind.BOOLEAN for item in equations if item.is_mask},
        frozenset(known.tensor for known in system.positive_definite),
    )
    program = Program(
        model=system.name,
        source=system.source,
        tensors=system.with_role(Role.INPUT, Role.TARGET, Role.PARAMETER, Role.CONSTANT),
        sizes={axis.name: axis.size for axis in system.axes if axis.size is not None},
        statements=tuple(lower_equation(item, lowering) for item in equations),
        outputs=outputs_of(system),
        loss=system.loss,
        gradients=gradients,
        formulas=formulas,
        initials=tuple(initial_of(system, tensor) for tensor in system.with_role(Role.PARAMETER)),
        positive_definite=tuple(
            known.tensor for known in system.positive_definite if known.tensor not in system.definitions
        ),
    )
    return checked(with_fresh_results(with_safe_means(program)))


def lower_equation(item: NamedEquation, lowering: ExpressionLowering) -> Statement:
    """One equation as a statement whose value runs over exactly the indices of the left-hand side."""
    equation = item.equation
    value = lowering.value(equation.expression, equation.indices)
    if not item.is_mask:
        value = as_real(filled(value, equation.indices))
    guarded = item.guarded or needs_guard(equation.expression)
    formula = item.formula.replace(text(LOWEST), "-1e30")
    return Statement(equation.tensor, value, formula, text(equation.element), guarded)


def needs_guard(expression: Expression) -> bool:
    """Whether a branch of a `where` may be undefined, or overflow, in places where it is not chosen."""
    return any(
        isinstance(node, Where) and any(_is_partial(part) for part in (node.chosen, node.otherwise))
        for node in expression.walk()
    )


def _is_partial(branch: Expression) -> bool:
    return any(
        (isinstance(node, Apply) and node.function not in TOTAL_FUNCTIONS) or _is_partial_power(node)
        for node in branch.walk()
    )


def _is_partial_power(node: Expression) -> bool:
    if not isinstance(node, Power):
        return False
    exponent = node.exponent
    return not (isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value > 0)
