"""What may have happened to a gradient that is not the expected one, each tried on all draws at once.

A hypothesis looks at values alone: it gives a diagnosis where it explains every number on every draw. Sizes
differ from draw to draw, so that a factor of sizes is told from a number, and data are random, so that
nothing agrees by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.agreement import agrees
from symbackprop.languages.phrases import Message, marked, worded
from symbackprop.numerics.tolerance import largest_of

Array: TypeAlias = NDArray[Any]

NUMBERS = (Fraction(1), Fraction(2), Fraction(1, 2))
SAME = 1e-7  # how far ratios that are one factor may differ


@dataclass(frozen=True)
class Evidence:
    """A tensor's gradient as it was found and as it should be, on draws of these sizes.

    `terms` are the expected one's, by their text; `others` what else of the derivation has that shape.
    """

    tensor: str
    found: tuple[Array, ...]
    expected: tuple[Array, ...]
    sizes: tuple[Mapping[str, int], ...]
    terms: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    others: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)

    def explained_by(self, made: Sequence[Array]) -> bool:
        """Whether what was found is this on every draw."""
        pairs = zip(self.found, made, self.expected, strict=True)
        return all(agrees(found, each, largest_of([expected])) for found, each, expected in pairs)


@dataclass(frozen=True)
class Diagnosis:
    """The kind of fault, its remedy, and a sentence with `parts` about something, `{what}`."""

    kind: str
    sentence: str
    remedy: str
    parts: tuple[tuple[str, str], ...] = ()

    def about(self, what: str) -> Message:
        """The sentence about something."""
        return worded(self.sentence, what=what, **dict(self.parts))


@dataclass(frozen=True)
class Factor:
    """A number times powers of sizes: -2/B."""

    number: Fraction
    powers: tuple[tuple[str, int], ...] = ()

    def at(self, sizes: Mapping[str, int]) -> float:
        """The value for these sizes."""
        value = float(self.number)
        for axis, power in self.powers:
            value *= float(sizes[axis]) ** power
        return value

    def __str__(self) -> str:
        above = [axis for axis, power in self.powers if power > 0]
        below = [axis for axis, power in self.powers if power < 0]
        number = [] if self.number == 1 and above else [str(self.number)]
        return "*".join([*number, *above]) + "".join(f"/{axis}" for axis in below)

    @property
    def inverse(self) -> Factor:
        """One over it."""
        return Factor(1 / self.number, tuple((axis, -power) for axis, power in self.powers))


def factors(axes: Sequence[str]) -> Iterator[Factor]:
    """Signs, small numbers, and powers of one or two sizes, the simplest first."""
    none: list[tuple[tuple[str, int], ...]] = [()]
    single: list[tuple[tuple[str, int], ...]] = [((axis, power),) for axis in axes for power in (1, -1)]
    double: list[tuple[tuple[str, int], ...]] = [
        ((one, p), (other, q)) for one, other in combinations(axes, 2) for p, q in product((1, -1), repeat=2)
    ]
    for powers in (*none, *single, *double):
        for number, sign in product(NUMBERS, (1, -1)):
            if powers or sign * number != 1:
                yield Factor(sign * number, powers)


def factor_between(
    found: Sequence[Array], expected: Sequence[Array], sizes: Sequence[Mapping[str, int]]
) -> Factor | None:
    """The factor c of found = c*expected on every draw; None where there is none, or all is 0."""
    ratios = []
    for one, other in zip(found, expected, strict=True):
        ratio = _ratio(one, other)
        if ratio is None:
            return None
        ratios.append(ratio)
    axes = tuple(sizes[0])
    for factor in factors(axes):
        if all(
            abs(ratio - factor.at(each)) <= SAME * abs(ratio)
            for ratio, each in zip(ratios, sizes, strict=True)
        ):
            return factor
    return None


def _ratio(found: Array, expected: Array) -> float | None:
    if np.shape(found) != np.shape(expected) or not np.all(np.isfinite(found)):
        return None
    denominator = float(np.sum(expected * expected))
    if denominator == 0:
        return None
    ratio = float(np.sum(found * expected)) / denominator
    return ratio if ratio and agrees(found, ratio * expected, 0.0) else None


def wrong_factor(evidence: Evidence) -> Diagnosis | None:
    """found = c*expected, c a sign, a number or sizes."""
    factor = factor_between(evidence.found, evidence.expected, evidence.sizes)
    if factor is None:
        return None
    if factor == Factor(Fraction(-1)):
        return Diagnosis("sign", marked("{what} has the wrong sign"), worded("change its sign"))
    if factor.number in (2, -2) or any(power > 0 for _, power in factor.powers):
        sentence, named = marked("{what} misses the factor {factor}"), factor.inverse
    else:
        sentence, named = marked("{what} has the factor {factor} too much"), factor
    remedy = worded("multiply it by {factor}", factor=str(factor.inverse))
    return Diagnosis("factor", sentence, remedy, (("factor", str(named)),))


def transposed(evidence: Evidence) -> Diagnosis | None:
    """The axes in another order."""
    for order in permutations(range(evidence.expected[0].ndim)):
        if order != tuple(sorted(order)) and evidence.explained_by(
            [np.transpose(each, order) for each in evidence.expected]
        ):
            return Diagnosis("transpose", marked("{what} is transposed"), worded("transpose it"))
    return None


def wrong_terms(evidence: Evidence) -> Diagnosis | None:
    """Terms are missing, or one stands there twice or has the wrong sign."""
    if len(evidence.terms) < 2:
        return None
    for (text, values), (times, *said) in product(evidence.terms.items(), _TERM_FAULTS):
        made = [each + times * term for each, term in zip(evidence.expected, values, strict=True)]
        if evidence.explained_by(made):
            kind, sentence, remedy = (str(each) for each in said)
            return Diagnosis(kind, sentence, worded(remedy, term=text), (("term", text),))
    for (one, first), (other, second) in combinations(evidence.terms.items(), 2):
        made = [each - a - b for each, a, b in zip(evidence.expected, first, second, strict=True)]
        if evidence.explained_by(made):
            both = worded("{before} and {last}", before=one, last=other)
            sentence = marked("the terms {terms} of {what} are missing")
            return Diagnosis("missing term", sentence, worded("add {term}", term=both), (("terms", both),))
    return None


_TERM_FAULTS = (
    (-1, "missing term", marked("the term {term} of {what} is missing"), marked("add {term}")),
    (
        1,
        "doubled term",
        marked("the term {term} of {what} stands there twice"),
        marked("take {term} away once"),
    ),
    (
        -2,
        "sign",
        marked("the term {term} of {what} has the wrong sign"),
        marked("change the sign of that term"),
    ),
)


def another(evidence: Evidence) -> Diagnosis | None:
    """It is the derivative by another tensor."""
    for name, values in evidence.others.items():
        if evidence.explained_by(values):
            remedy = worded("give {name} where it belongs", name=name)
            return Diagnosis("exchanged", marked("{what} is {name}"), remedy, (("name", name),))
    return None


def zero(evidence: Evidence) -> Diagnosis | None:
    """All numbers are 0."""
    if all(not np.any(each) for each in evidence.found) and any(np.any(each) for each in evidence.expected):
        remedy = worded("nothing reaches it: look for what is not added up")
        return Diagnosis("missing term", marked("{what} is 0"), remedy)
    return None


HYPOTHESES: tuple[Callable[[Evidence], Diagnosis | None], ...] = (
    zero,
    wrong_factor,
    transposed,
    another,
    wrong_terms,
)


def diagnosis(evidence: Evidence) -> Diagnosis | None:
    """The first hypothesis that explains what was found."""
    found = (hypothesis(evidence) for hypothesis in HYPOTHESES)
    return next((each for each in found if each is not None), None)
