"""Equations by formulas that neither overflow nor lose their digits, with the rules of `stability.forms`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.names_followed import infinite_with, names_left_plain
from symbackprop.exponentials.scales import outgrows
from symbackprop.exponentials.weighted.slopes import divides_by_difference
from symbackprop.notation.expressions import Delta
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, Part, rewritten, rewritten_once
from symbackprop.schedule.terms import TIDYING
from symbackprop.stability.centring import CentringRules
from symbackprop.stability.far_below import FAR_BELOW_ZERO
from symbackprop.stability.forms import (
    BESIDE_ITSELF,
    CANCELLING,
    COMPLEMENT_BESIDE_EXPONENTIAL,
    COMPLEMENT_BESIDE_RECIPROCAL,
    DIFFERENCE_FROM_PROBABILITY,
    DIFFERENCE_OF_WEIGHTED_SLOPES,
    DIFFERENCES_FIRST,
    EXPONENTIALS_FIRST,
    LESS_INDICATOR,
    LOG_BESIDE_ZERO,
    LOG_OF_COMPLEMENT,
    LOGARITHMS_LAST,
    MASK_OF_LARGE,
    MULTIPLES_FIRST,
    MULTIPLES_LAST,
    POWERS_ALIKE,
    POWERS_OF_PRODUCTS,
    QUOTIENTS_FIRST,
    ROOTS,
    SHIFTS,
    STATE_ITSELF,
    VARIANCES,
    WHERE_NOT_VANISHED,
)
from symbackprop.stability.identities import GUARD_OF_NEVER_ZERO, IDENTITIES
from symbackprop.stability.never_zero import takes_directions
from symbackprop.stability.states import reads_what_is_to_come
from symbackprop.systems.system import Equation


def with_stable_forms(
    items: Sequence[NamedEquation], taken: Collection[str] = ()
) -> tuple[NamedEquation, ...]:
    """The equations, which come in reading order, with right-hand sides tidied and in their stable form.

    `taken` are names besides theirs that a temporary must not have.
    """
    definitions: dict[str, tuple[int, Equation]] = {}
    names = frozenset(item.equation.tensor for item in items)
    infinite = _infinite_with_loss(items, taken)
    meanings = Meanings(definitions, awaited=names, taken={*taken, *names}, infinite_with_loss=infinite)
    found: list[NamedEquation] = []
    seen, shifting = definitions, meanings
    for number, item in enumerate(items):
        if seen is definitions and _is_of_gradient(item, taken):
            plain = _left_plain(items[:number], found, meanings)
            if plain:
                seen = {name: known for name, known in definitions.items() if name not in plain}
                shifting = _seeing(seen, meanings)
        found.append(stable_form(item, replace(meanings, known=number), replace(shifting, known=number)))
        definitions[item.equation.tensor] = seen[item.equation.tensor] = number, found[-1].equation
    stated = [each.equation for each in found if each.origin.adjoint is None]
    if takes_directions(stated, replace(meanings, known=len(found))):
        found = [_beside_itself(each, replace(meanings, known=number)) for number, each in enumerate(found)]
    return tuple([each for item in found for each in (item, *_introduced(item, meanings))])


def _is_of_gradient(item: NamedEquation, stated: Collection[str]) -> bool:
    return item.origin.adjoint is not None and item.origin.source.tensor not in stated


def _seeing(definitions: Mapping[str, tuple[int, Equation]], meanings: Meanings) -> Meanings:
    """Names by these definitions alone; what is found by them has the same new names."""
    awaited = meanings.awaited - (meanings.definitions.keys() - definitions.keys())
    shared = {each: getattr(meanings, each) for each in ("introduced", "read", "taken", "given")}
    return Meanings(definitions, awaited=awaited, **shared)


def _infinite_with_loss(items: Sequence[NamedEquation], stated: Collection[str]) -> frozenset[str]:
    """The tensors before the first adjoint that are infinite only where the loss is."""
    for number, item in enumerate(items):
        if _is_of_gradient(item, stated):
            assert item.origin.adjoint is not None
            loss = item.origin.adjoint.total.numerator.tensor
            return infinite_with(loss, [each.equation for each in items[:number]])
    return frozenset()


def _left_plain(
    stated: Sequence[NamedEquation], stable: Sequence[NamedEquation], meanings: Meanings
) -> frozenset[str]:
    """The names that shifts of adjoints leave as they stand; none if the model has shifted names."""
    pairs = [(each.equation, form.equation) for each, form in zip(stated, stable, strict=True)]
    return frozenset() if meanings.read else names_left_plain(pairs, meanings.infinite_with_loss)


def _beside_itself(item: NamedEquation, meanings: Meanings) -> NamedEquation:
    """An adjoint's equation without what divides by the distance of a point to itself."""
    return item if item.origin.adjoint is None else rewritten_once(item, (BESIDE_ITSELF.rule(meanings),))


def with_differences_summed(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations with what is weighted and cancels summed as differences; names mean what is stated.

    Those of slopes of sigmoids are taken in one sum, and values less their weighted mean.
    """
    definitions = {item.equation.tensor: (number, item.equation) for number, item in enumerate(items)}
    names = frozenset(definitions)
    found: list[NamedEquation] = []
    for number, item in enumerate(items):
        if item.origin.adjoint is not None:
            meanings = Meanings(definitions, known=number, awaited=names)
            forms = [*VARIANCES]
            if divides_by_difference(item.equation.expression, meanings):
                forms.append(DIFFERENCE_OF_WEIGHTED_SLOPES)
            item = rewritten_once(item, tuple([form.rule(meanings) for form in forms]))
        found.append(item)
    return tuple(found)


def with_multiples_last(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations with differences from a maximum before their multiples; no other form sees these."""
    rule = MULTIPLES_LAST.rule(Meanings())
    return tuple([rewritten_once(item, (rule,)) for item in items])


def with_means_taken_away_again(
    items: Sequence[NamedEquation], rules: Sequence[Rule]
) -> tuple[NamedEquation, ...]:
    """The equations with the rules of `stability.centring` used in order, each once at every node."""
    centring = CentringRules(rules)
    found: list[NamedEquation] = []
    for item in items:
        for rule in centring.of(item.equation.expression):
            item = rewritten_once(item, (rule,))
        found.append(item)
    return tuple(found)


def with_quotients_first(
    items: Sequence[NamedEquation], stated: Sequence[NamedEquation]
) -> tuple[NamedEquation, ...]:
    """The equations with quotients of what may be large before their powers; names mean what is `stated`.

    Last of all: what joins equal factors would make powers of them again. A temporary of a name that is
    stated comes before it.
    """
    places = {item.equation.tensor: place for place, item in enumerate(stated)}
    meanings = Meanings(
        {item.equation.tensor: (places[item.equation.tensor], item.equation) for item in stated}
    )
    found: list[NamedEquation] = []
    before = 0
    for item in items:
        before = max(before, places.get(item.equation.tensor, before))
        there = replace(meanings, known=places.get(item.equation.tensor, before))
        forms = (QUOTIENTS_FIRST, POWERS_OF_PRODUCTS, MULTIPLES_FIRST, DIFFERENCES_FIRST)
        found.append(rewritten_once(item, tuple([form.rule(there) for form in forms])))
    return tuple(found)


def _introduced(item: NamedEquation, meanings: Meanings) -> Iterator[NamedEquation]:
    """Equations for what is looked up of a sum of exponentials, behind the sum's own."""
    for equation in meanings.computed.get(item.equation.tensor, ()):
        yield item.temporary(Part.SUBEXPRESSION, equation)


def _outgrows(shifted: NamedEquation, item: NamedEquation) -> bool:
    """Whether nobody would read the shifted form: the states of two recurrences open one another in it."""
    return outgrows(shifted.equation.expression.node_count, item.equation.expression)


def stable_form(item: NamedEquation, meanings: Meanings, shifting: Meanings) -> NamedEquation:
    """The equation in its stable form, where names mean what `meanings` says, and for shifts `shifting`."""
    if any(reads_what_is_to_come(each, meanings) for each in item.equation.reads):
        item = rewritten_once(item, (STATE_ITSELF.rule(meanings),))
    identities = (TIDYING, *(form.rule(meanings) for form in IDENTITIES))
    if any(isinstance(node, Delta) for node in item.equation.expression.walk()):
        item = rewritten(item, (CANCELLING.rule(meanings),))
    item = rewritten(item, identities)
    item = rewritten_once(item, (DIFFERENCE_FROM_PROBABILITY.rule(meanings),))
    shifted = rewritten_once(item, tuple([form.rule(shifting) for form in SHIFTS]))
    if shifted is not item:
        shifted = rewritten(shifted, identities)
        if _outgrows(shifted, item):
            # What the equation itself writes out, as the softmax that the derivative of logsumexp is.
            alone = Meanings(taken=shifting.taken)
            shifted = rewritten(
                rewritten_once(item, tuple([form.rule(alone) for form in SHIFTS])), identities
            )
    last = (LOGARITHMS_LAST, LOG_BESIDE_ZERO, *(() if item.origin.adjoint is None else (EXPONENTIALS_FIRST,)))
    last = (*last, LOG_OF_COMPLEMENT, LESS_INDICATOR, POWERS_ALIKE)
    finished = shifted
    for forms in (
        last,
        (*FAR_BELOW_ZERO, COMPLEMENT_BESIDE_EXPONENTIAL, COMPLEMENT_BESIDE_RECIPROCAL),
        (GUARD_OF_NEVER_ZERO,),
        ROOTS,
    ):
        finished = rewritten_once(finished, tuple([form.rule(meanings) for form in forms]))
    # What the chain rule multiplies: a model's own product of a mask stays as typed.
    if item.origin.adjoint is not None:
        for form in (MASK_OF_LARGE, WHERE_NOT_VANISHED):
            finished = rewritten_once(finished, (form.rule(meanings),))
    return finished
