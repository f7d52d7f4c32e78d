"""The modules that are generated for layers and losses compute what the layers are."""

from __future__ import annotations

import pytest

from symbackprop.layers.expanding import network_system
from symbackprop.pipeline import Model
from symbackprop.systems.system import Role
from tests.layers.cases import LAYER_CASES, Case


@pytest.mark.parametrize("case", LAYER_CASES, ids=[case.label for case in LAYER_CASES])
def test_a_module_agrees_with_both_difference_quotients(case: Case) -> None:
    system = network_system(case.network())
    real = system.with_role(Role.PARAMETER, Role.INPUT)
    wrt = [tensor.name for tensor in real if tensor.values is None]
    report = Model(system).check(wrt=wrt, budget=0.4)
    assert report.ok
    assert {row.tensor for row in report.rows} >= set(wrt)
