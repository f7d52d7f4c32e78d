"""Corrupted steps are refused, unless they happen to be true ones: then they are recognised as such."""

from __future__ import annotations

import random
from collections import Counter

from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.derivation.replaying import chains
from symbackprop.rewriting.replay import is_anchored, replays, with_parts
from tests.derivation.corruptions import corruptions
from tests.derivation.derivations import CORRUPTED, derivation_of
from tests.derivation.forgeries import forgeries

MANY = ("sign", "index", "dropped", "name", "rule", "place", "binding", "fact", "symmetry", "exp(log)")


def test_corrupted_steps_are_refused_and_true_ones_recognised() -> None:
    refused: Counter[str] = Counter()
    recognised: Counter[str] = Counter()
    for name in CORRUPTED:
        rng = random.Random(name)
        for chain in chains(derivation_of(name)):
            for step in (part for each in chain.steps for part in with_parts(each)):
                for corruption in (*corruptions(step, rng), *forgeries(step, chain.grounds, rng)):
                    wrong = corruption.step
                    is_accepted = replays(wrong, REGISTRY) and is_anchored(wrong, chain.grounds)
                    # A value that is greater than 0 need not be provably so.
                    is_doubtful = corruption.kind == "exp(log)" and corruption.holds
                    is_right = is_doubtful or is_accepted == corruption.holds
                    assert is_right, f"{name}: {corruption.kind} of {step.rule}: {wrong}"
                    (recognised if is_accepted else refused)[corruption.kind] += 1
    assert all(refused[kind] >= 200 for kind in MANY), refused
    # Of the rules that may stand for another, fewer are drawn the more rules there are.
    assert refused["premise"] > 20 and recognised["rule"] > 10 and recognised["exp(log)"] > 20, recognised
