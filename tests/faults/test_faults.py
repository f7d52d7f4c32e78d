"""Faults are planted in the programs of ten models, and each that changes a value fails its check.

The first place of each fault in each model; SYMBACKPROP_ALL_FAULTS=1 plants them wherever they can be, and
`pytest -s` prints how many there were.
"""

import os
from collections import Counter

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import ProgramError, VerificationError
from symbackprop.faults.table import FAULTS
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.sampling.draws_at_kinks import exact_sizes
from symbackprop.sampling.kinks import EXACT_DOMAINS
from symbackprop.sampling.rounds import rounds_of_sizes
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification.check import check_against
from symbackprop.verification.checked_module import under_check
from symbackprop.verification.judged_equations import Equations
from tests.faults.fault_models import MODELS

EVERYWHERE = bool(os.environ.get("SYMBACKPROP_ALL_FAULTS"))
A_CHANGE = 1e-10
# Seconds a check; a recurrence would use whatever it is given, the others are done before.
BUDGETS = {"gated_recurrence": 0.4}


class Subject:
    """A model with its module, and data on which a fault may show: all sizes, ties and zeros, float32."""

    def __init__(self, name):
        self.name = name
        self.system = parse_system(MODELS[name], name)
        derivation = derive(self.system)
        self.equations = Equations(self.system, derivation)
        self.program = lower(derivation)
        self.data = list(self._data())
        self.right = [self._gradients(self.program, values) for values in self.data]

    def _data(self):
        rng = np.random.default_rng(1)
        for each in rounds_of_sizes(self.system)[0]:
            yield self.equations.sample(each.sizes, rng)
        for domain in EXACT_DOMAINS * 4:
            try:
                yield self.equations.sample(exact_sizes(self.system), rng, [domain])
            except VerificationError:
                continue
        yield {name: _single(array) for name, array in self.data_of_first_round.items()}

    @property
    def data_of_first_round(self):
        rng = np.random.default_rng(2)
        return self.equations.sample(rounds_of_sizes(self.system)[0][0].sizes, rng)

    @staticmethod
    def _gradients(program, values):
        results = interpret(program, dict(values))
        return {name: results[gradient] for name, gradient in program.gradients.items()}

    def changes_a_value(self, program):
        """Whether the program runs and gives other gradients, or such of another dtype, on some data."""
        try:
            found = [self._gradients(program, values) for values in self.data]
        except (ProgramError, ValueError, IndexError):
            return False
        return any(
            _differ(wrong[name], right[name])
            for wrong, right in zip(found, self.right, strict=True)
            for name in right
        )

    def check(self, program):
        budget = BUDGETS.get(self.name, 10.0)
        return check_against(self._module(program), self.equations, self.name, budget=budget)

    def report_of_fault(self, program):
        """The report of one round where that has found the fault already, else of the whole check."""
        report = check_against(self._module(program), self.equations, self.name, budget=0.0)
        return self.check(program) if report.ok else report

    @staticmethod
    def _module(program):
        return under_check(load_module(NUMPY.printed(program).text, "planted"))


def _single(array):
    return array if array.dtype.kind in "iu" else array.astype(np.float32)


def _differ(wrong, right):
    wrong, right = np.asarray(wrong), np.asarray(right)
    if wrong.dtype != right.dtype or wrong.shape != right.shape:
        return True
    scale = max(float(np.max(np.abs(right), initial=0.0)), 1e-3)
    single = 1e-4 if right.dtype == np.float32 else A_CHANGE
    return not bool(np.all(np.abs(wrong - right) <= single * scale))


@pytest.fixture(scope="module", params=MODELS)
def subject(request):
    return Subject(request.param)


PLANTED = Counter()


def test_each_fault_that_changes_a_value_fails_its_check(subject):
    assert subject.check(subject.program).ok
    for fault in FAULTS:
        for planted in fault.planted(subject.program):
            if not subject.changes_a_value(planted.program):
                continue
            PLANTED[fault.name] += 1
            report = subject.report_of_fault(planted.program)
            assert not report.ok, f"{fault.name}: {planted.before} -> {planted.after} in {planted.formula}"
            assert not report.is_blind
            if not EVERYWHERE:
                break


def test_each_fault_was_planted_somewhere():
    """Runs after the others: each entry of the catalogue applies to one of the models at least."""
    print()
    for fault in FAULTS:
        print(f"{fault.name:14} planted and caught {PLANTED[fault.name]:4}  {fault.statement}")
    print(f"{'all':14} planted and caught {sum(PLANTED.values()):4}")
    assert set(PLANTED) == {fault.name for fault in FAULTS}
