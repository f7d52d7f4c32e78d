"""The modules that are generated for layers and losses compute what the layers are."""

from __future__ import annotations

import pytest

from symbackprop.layers.expanding import network_system
from symbackprop.notation.expressions import Apply, Element, Index
from symbackprop.notation.functions import INTEGER_FUNCTIONS
from symbackprop.notation.system import Role, System
from symbackprop.pipeline import Model
from tests.layers.cases import LAYER_CASES


def reads_at_indices_alone(system: System) -> bool:
    """Whether there is no index arithmetic, which modules cannot be generated for so far."""
    nodes = [node for equation in system.equations for node in equation.expression.walk()]
    positions = [position for node in nodes if isinstance(node, Element) for position in node.positions]
    integer = [node for node in nodes if isinstance(node, Apply) and node.function in INTEGER_FUNCTIONS]
    return not integer and all(isinstance(position, Index) for position in positions)


SYSTEMS = {case.label: network_system(case.network()) for case in LAYER_CASES}
EMITTED = [label for label, system in SYSTEMS.items() if reads_at_indices_alone(system)]


@pytest.mark.parametrize("label", EMITTED)
def test_a_module_agrees_with_both_difference_quotients(label: str) -> None:
    system = SYSTEMS[label]
    wrt = [tensor.name for tensor in system.with_role(Role.PARAMETER)]
    report = Model(system).check(wrt=[*wrt, "x"])
    assert report.ok
    assert {row.tensor for row in report.rows} >= {*wrt, "x"}
