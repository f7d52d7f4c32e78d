"""Is the gradient right? Held against central differences, the complex step and the naive evaluator.

A model is derived, generated and checked in one go; a module is checked as it stands in its file, against its
own loss and, where the model is given too, against the model's equations. Neither comparison trusts the
derivation: central differences know only the module's own loss, the complex step only the equations.
Derivatives inside a model are held, as it states them, against difference quotients in a hundred digits; the
complex step then trusts what came of them. Where judges disagree, sixty digits decide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symbackprop.derivation.driver import derive
from symbackprop.emission.target import Target
from symbackprop.errors import UncertainError, VerificationError
from symbackprop.languages.phrases import joined, worded
from symbackprop.numerics.tolerance import all_finite
from symbackprop.sampling.draws import sizes_with_middles, sizes_with_steps
from symbackprop.sampling.finite_data import Values, different_sizes
from symbackprop.sampling.intervals import Intervals
from symbackprop.sampling.obeying_facts import sample_obeying_facts
from symbackprop.sampling.related_sizes import related_sizes
from symbackprop.sampling.rounds import SizesOfRound, grown, ones_in_turn, rounds_of_sizes, stress_rounds
from symbackprop.sampling.small_axes import with_small_axes
from symbackprop.sampling.stress import PLAIN
from symbackprop.systems.system import Role, System
from symbackprop.verification.at_kinks import rounds_at_bounds, rounds_at_kinks
from symbackprop.verification.checked_module import ModuleUnderCheck, module_given, under_check
from symbackprop.verification.examination import Clock, Examiner, Found
from symbackprop.verification.judged_equations import Equations, declared_integers, declared_shapes
from symbackprop.verification.report import CheckReport, Control
from symbackprop.verification.results import sizes_text
from symbackprop.verification.rounding import loss_is_steady

NO_FACTS = System("", (), {}, ())
_LOG = logging.getLogger(__name__)

UNTRIED = worded("not tried without the model: shifted data, data at kinks, other branches: --model")
BUDGET = 5.0  # seconds for all comparisons: few models need more, and those are told so


def check_model(
    target: Target, system: System, seed: int = 0, wrt: Sequence[str] = (), budget: float = BUDGET
) -> CheckReport:
    """Derive and generate the gradient and check it, by default that of every parameter.

    `wrt` may name inputs and intermediates too; these last are held against the complex step alone, for the
    module's loss cannot be asked about them. Without parameters, every input is checked. Comparisons take
    about `budget` seconds: what that does not allow is sampled, and the report says so. Raises
    VerificationError where no data can be found on which the model is finite and its facts hold.
    """
    free = system.with_role(Role.PARAMETER) or system.with_role(Role.INPUT)
    asked = tuple(wrt) or tuple(tensor.name for tensor in free)
    stated = with_small_axes(system)
    derivation = derive(stated, asked)
    checked = under_check(target.load(target.emitted(derivation).text, system.name))
    return check_against(checked, Equations(stated, derivation), system.name, seed, budget)


def check_module(
    module: ModuleType | Path | str, seed: int = 0, budget: float = BUDGET, model: System | None = None
) -> CheckReport:
    """Check a generated module, or that of a file, edited or not, by central differences of its own loss.

    With the `model` that it was generated from, it is held against the model's equations as well, at kinks
    and on every side of their conditions. Importing a file runs its code. Raises VerificationError where it
    cannot be imported, has not the names of a generated module, states other tensors than the model, gives
    gradients of intermediates alone or stops gradients, where no model is given, or has no finite loss.
    """
    path, checked = module_given(module)
    if model is not None:
        expect_same_tensors(path, checked, model)
        derivation = derive(model, checked.asked)
        # What an edit makes of crossed bounds is its own matter.
        equations = Equations(model, derivation, Intervals(derivation.system))
        return check_against(checked, equations, path.name, seed, budget)
    if not set(checked.asked) & set(checked.shapes):
        raise VerificationError(
            worded(
                "{path} gives gradients of intermediates alone, which its loss() cannot be asked about",
                path=path,
            ),
            remedy=worded("check the model that it was generated from"),
        )
    if checked.stopped:
        raise VerificationError(
            worded(
                "{path} stops gradients, by stop(...) in {stopped}: no difference of its own loss is one",
                path=path,
                stopped=", ".join(checked.stopped),
            ),
            remedy=worded("give the model that it was generated from: --model"),
        )
    examiner = Examiner(checked, Clock(budget))
    rounds, reversed_sizes = _sizes_of_module(checked)
    # Differences of its own loss say too little on shifted data, where sums cancel.
    rounds.append(stress_rounds(rounds[0].sizes)[-1])
    sample, rng = partial(_module_sample, checked), np.random.default_rng(seed)
    found, remarks = _rounds(examiner, rounds, sample, rng, reversed_sizes)
    remarks.append(UNTRIED)
    if any(row.skipped for each in found for row in each.round.rows):
        remarks.append(worded("what lies at a kink is compared where the model is given too: --model"))
    return _report(path.name, seed, found, remarks)


def check_against(
    checked: ModuleUnderCheck, equations: Equations, subject: str, seed: int = 0, budget: float = BUDGET
) -> CheckReport:
    """Check a module against the equations of the model that it was generated from.

    Raises VerificationError where no data can be found on which the model is finite and its facts hold,
    UncertainError where rounding decides what its loss and gradients are.
    """
    rng = np.random.default_rng(seed)
    examiner = Examiner(checked, Clock(budget), equations)
    rounds, remarks = rounds_of_sizes(equations.stated)
    different = rounds[0].sizes
    longer = {
        "more steps": sizes_with_steps(equations.stated, different),
        "more places": sizes_with_middles(equations.stated, different),
    }
    for name, sizes in longer.items():
        if sizes not in [each.sizes for each in rounds]:
            rounds = (*rounds, SizesOfRound(name, sizes))
    longest = SizesOfRound(worded("longer axes"), grown(equations.stated, different, 1))
    rounds = (*rounds, *stress_rounds(different))
    found, untried = _rounds(examiner, rounds, equations.stressed_sample, rng, longest)
    at_kinks, unreached = rounds_at_kinks(examiner, rng)
    at_bounds = rounds_at_bounds(examiner, rng)
    bounds = () if equations.intervals is None else equations.intervals.remarks
    told = dict.fromkeys((*remarks, *untried, *unreached, *bounds))
    return _report(subject, seed, [*found, *at_kinks, *at_bounds], [*told])


def _rounds(
    examiner: Examiner,
    sizes: Sequence[SizesOfRound],
    sample: Callable[[SizesOfRound, np.random.Generator], Values],
    rng: np.random.Generator,
    longest: SizesOfRound | None = None,
) -> tuple[list[Found], list[str]]:
    """A round for each of the sizes, and remarks on those for which there are no data or no time.

    Where some gradient is 0 on the first, as two z-scores are 1 and -1 whatever the data, one for the
    `longest` sizes comes second. Where rounding decides what the first says, as of the correlation of two
    samples, these take their place. Raises VerificationError where there are no data for the first, and
    UncertainError where rounding decides on all of them.
    """
    found: list[Found] = []
    remarks: list[str] = []
    pending = list(sizes)
    while pending:
        of_round = pending.pop(0)
        if found and not examiner.clock.left:
            budget = f"{examiner.clock.budget:g}"
            is_tried = any(each.round.name == of_round.name for each in found)  # of other sizes
            name = f"{of_round.name}: {sizes_text(of_round.sizes)}" if is_tried else of_round.name
            remarks.append(worded("not tried within {budget} s: {name}", budget=budget, name=name))
            continue
        _LOG.info("comparing: %s", of_round.name)
        causes = []
        for each in (of_round, *of_round.gentler):
            try:
                found.append(_round(examiner, each, sample, rng, is_first=not found))
                if len(found) == 1 and found[0].vanishing and longest is not None:
                    pending.insert(0, longest)
                break
            except (VerificationError, UncertainError) as error:
                if not found and (longest is None or isinstance(error, VerificationError)):
                    raise
                causes.append(error.cause)
        else:
            names = joined("{before} or {after}", [each.name for each in (of_round, *of_round.gentler)])
            remarks.append(worded("not tried: {names}: {cause}", names=names, cause=causes[-1]))
            if not found and longest is not None:
                pending = [longest, *(each.moved(of_round.sizes, longest.sizes) for each in pending)]
                longest = None
    return found, remarks


def _round(
    examiner: Examiner,
    of_round: SizesOfRound,
    sample: Callable[[SizesOfRound, np.random.Generator], Values],
    rng: np.random.Generator,
    is_first: bool,
) -> Found:
    """One round; UncertainError where something differs, and rounding decides what is right."""
    found = examiner.on(of_round.name, of_round.sizes, partial(sample, of_round), rng, is_first)
    is_right = all(row.ok for row in found.round.rows)
    if not is_right and not _decides(examiner, found.values, of_round.sizes):
        raise UncertainError(
            worded("rounding decides what loss and gradient are there"),
            remedy=worded("look for a quotient whose two sides are 0, but for rounding, whatever the data"),
        )
    return found


def _decides(examiner: Examiner, values: Values, sizes: Mapping[str, int]) -> bool:
    """Whether the data tell right from wrong, by the equations or else by the module's own loss."""
    if examiner.equations is not None:
        return examiner.equations.decides(values, sizes)
    return loss_is_steady(examiner.checked.loss, values, examiner.checked.bound)


def _report(subject: str, seed: int, found: Sequence[Found], remarks: Sequence[str]) -> CheckReport:
    control = sum((each.control for each in found), Control())
    vanishing = frozenset.intersection(*(each.vanishing for each in found)) if found else frozenset()
    silent = [
        worded("the gradient of {name} is 0 on all data drawn, which tells little", name=name)
        for name in vanishing
    ]
    rounds = tuple(each.round for each in found)
    return CheckReport(subject, seed, rounds, control, (*remarks, *sorted(silent)))


def expect_same_tensors(path: Path, checked: ModuleUnderCheck, model: System) -> None:
    """VerificationError where a module states other tensors, integers or loss than the model."""
    shapes: Mapping[str, Any] = declared_shapes(model)
    of_model = (shapes, declared_integers(model), model.loss)
    if (dict(checked.shapes), dict(checked.integers), checked.loss_name) != of_model:
        raise VerificationError(
            worded(
                "{path} states other tensors than the model: {shapes}, not {others}",
                path=path,
                shapes=_listed(checked.shapes),
                others=_listed(shapes),
            ),
            remedy=worded("give the model that the module was generated from"),
        )


def _listed(shapes: Mapping[str, Sequence[str]]) -> str:
    return " ".join(f"{name}[{','.join(axes)}]" for name, axes in shapes.items())


def _sizes_of_module(checked: ModuleUnderCheck) -> tuple[list[SizesOfRound], SizesOfRound]:
    """All sizes different, then every other axis that has no fixed size of size 1, then the others.

    Apart from these all sizes different once more, with the largest axis the smallest: a Gram matrix of few
    vectors is not invertible.
    """
    axes = [axis for names in checked.shapes.values() for axis in names]
    axes += [axis for axis in checked.integers.values() if axis not in axes]
    groups = list(checked.shapes.values())

    def sizes(wanted: Mapping[str, int], axes: Sequence[str] = axes) -> dict[str, int]:
        known = {**checked.sizes, **related_sizes(checked.related, wanted)}
        return different_sizes(axes, groups, {**wanted, **known})

    usual = sizes({})
    following = {axis.name for axis in checked.related if axis.formula is not None}
    names = [axis for axis in usual if axis not in checked.sizes and axis not in following]
    ones = [SizesOfRound(worded("axes of size 1"), sizes(each)) for each in ones_in_turn(names)]
    different = worded("different sizes")
    return [SizesOfRound(different, usual), *ones], SizesOfRound(different, sizes({}, axes[::-1]))


def _module_sample(checked: ModuleUnderCheck, of_round: SizesOfRound, rng: np.random.Generator) -> Values:
    def finite(values: Values) -> bool:
        return bool(np.isfinite(checked.loss(values)))

    facts = checked.facts or NO_FACTS
    values = sample_obeying_facts(facts, checked.shapes, of_round.sizes, rng, finite, checked.integers)
    if of_round.stress == PLAIN:
        return values
    still = {*checked.integers, *facts.tensors}
    changed = {
        name: array if name in still else of_round.stress.move(array) for name, array in values.items()
    }
    if not all_finite([np.asarray(checked.loss(changed)), *checked.grad(changed).values()]):
        raise VerificationError(worded("the module is not finite there"))
    return changed
