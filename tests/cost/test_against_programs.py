"""The cost of equations against the operations counted on the array program that computes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from symbackprop.array.cost import cost_of_lines
from symbackprop.cost.assumptions import FORM, TYPICAL_SIZE, Assumptions
from symbackprop.cost.expressions import cost
from symbackprop.cost.weights import MATRIX_PRODUCT_WEIGHT
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Element, Index
from symbackprop.systems.ordering import Stage, stages_of
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Role, System, Tensor
from tests.models.random_models import model_texts
from tests.programs import lower_system
from tests.sweeps import swept

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = sorted((EXAMPLES / "classics").glob("*.model")) + [
    EXAMPLES / f"{name}.model" for name in ("seed", "lstm", "digits")
]
# Symbolic sizes, as in the search, on arrays that are not fused, as NumPy's.
ARRAYS = Assumptions(least=TYPICAL_SIZE)
# Low: a quotient is one operation, not two, and broadcast terms of a sum are summed apart.
# High: the search knows inverses only, where the program solves, at a third of the operations.
MOST = 3
LEAST = 1 / MOST
# At computed positions arrays are gathered first, the positions computed, or a kernel's taps looped over,
# each a pass where the search sees part of a matrix product.
LEAST_AT_POSITIONS = LEAST * float(MATRIX_PRODUCT_WEIGHT)


def stages(system: System) -> Iterator[tuple[Stage, System]]:
    """Each equation of model and gradient, a recurrence's together, as a system of its own."""
    derivation = derive(system)
    tensors = dict(derivation.system.tensors)
    tensors |= {each.tensor: Tensor(each.tensor, each.indices, Role.DERIVED) for each in derivation.equations}
    for stage in stages_of((*derivation.system.equations, *derivation.equations)):
        reads = dict.fromkeys(name for equation in stage.equations for name in equation.reads)
        own = {name: replace(tensors[name], role=Role.INPUT) for name in reads}
        written = [equation.tensor for equation in stage.equations]
        own |= {name: replace(tensors[name], role=Role.DERIVED) for name in written}
        yield stage, System("alone", derivation.system.axes, own, stage.equations)


# What a few single numbers cost decides nothing, and exponentials of one number may cancel in the program.
A_FEW = 24


def ratio(stage: Stage, alone: System) -> float:
    """The cost over the count, a copy of the results added to both: a name is free, its copy is a pass."""
    counted = cost_of_lines(lower_system(alone).statements, ARRAYS)
    said = cost(*(equation.expression for equation in stage.equations), assuming=ARRAYS)
    copied = sum(ARRAYS.count(equation.indices) for equation in stage.equations)
    if max(said, counted) < A_FEW:
        return 1.0
    return float((said + copied) / (counted + copied))


def has_computed_positions(stage: Stage) -> bool:
    return any(
        not all(isinstance(position, Index) for position in node.positions)
        for equation in stage.equations
        for node in equation.expression.walk()
        if isinstance(node, Element)
    )


def expect_agreement(system: System) -> None:
    for stage, alone in stages(system):
        least = LEAST_AT_POSITIONS if has_computed_positions(stage) else LEAST
        shown = "; ".join(map(equation_text, stage.equations))
        found = ratio(stage, alone)
        assert least <= found <= MOST, f"{found:.3g} for {shown}"


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_an_equation_costs_what_its_program_does(path: Path) -> None:
    expect_agreement(parse_system(path.read_text(), path.stem))


@pytest.mark.parametrize("part", swept(range(3), 1))
def test_an_equation_of_a_random_model_costs_what_its_program_does(part: int) -> None:
    @seed(11 + part)
    @settings(max_examples=9, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(model_texts())
    def costs_agree(text: str) -> None:
        expect_agreement(parse_system(text, "random"))

    costs_agree()


HEAD = "index i : I\nindex j : J\nindex k : K\ninput A[i,j], B[j,k], C[i,j], v[j], w[j]\n"
EXACT = (
    ("y[i,k] = sum(j, A[i,j]*B[j,k])", "a matrix product"),
    ("y[i] = sum(j, A[i,j]*v[j])", "a matrix and a vector"),
    ("y = sum(j, v[j]*w[j])", "an inner product"),
    ("y[i] = sum(j, A[i,j]*C[i,j])", "two passes"),
    ("y[i,k] = sum(j, A[i,j]*B[j,k]*v[j])", "the vector scales a matrix first"),
    ("y[i,j] = exp(A[i,j])", "a function"),
    ("y[i,j] = sqrt(A[i,j]) + 1", "a root"),
    ("y[i,j] = max(A[i,j], 0)", "what is hardly more than an operation"),
    ("y[i] = max(j, A[i,j])", "a reduction"),
    ("y[i,j] = where(A[i,j] > v[j], A[i,j], 0)", "a condition and a choice"),
)


@pytest.mark.parametrize("equation", [equation for equation, _ in EXACT], ids=[name for _, name in EXACT])
def test_an_operation_costs_the_same_before_and_after_lowering(equation: str) -> None:
    system = parse_system(HEAD + equation + "\n")
    expression = system.equations[0].expression
    assert cost(expression, assuming=ARRAYS) == cost_of_lines(lower_system(system).statements, ARRAYS)


def test_forms_take_a_sum_of_a_product_as_one_contraction() -> None:
    expression = parse_system(HEAD + "y[i] = sum(j, A[i,j]*C[i,j])\n").equations[0].expression
    size = TYPICAL_SIZE
    assert cost(expression, assuming=ARRAYS) == 2 * size**2
    assert cost(expression) == cost(expression, assuming=FORM) == size**2 * MATRIX_PRODUCT_WEIGHT + size


def test_a_loop_counts_its_body_once_a_step() -> None:
    text = "index t : T\nindex i : I\ninput x[t,i]\nh[t,i] = where(t == 0, 0, tanh(h[t-1,i])) + x[t,i]\n"
    counted = cost_of_lines(lower_system(parse_system(text)).statements)
    assert counted >= 8 * TYPICAL_SIZE**2
