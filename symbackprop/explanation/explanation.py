"""All that is said of a gradient's code: the chain rule line by line, what is kept, what each way costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.emission.target import Target
from symbackprop.errors import SymbackpropError
from symbackprop.explanation.chain_rule import ChainRule
from symbackprop.explanation.instances.instance import Instance, instance_of
from symbackprop.explanation.programs.computations import Computations
from symbackprop.explanation.reuse import Reused, reused_names
from symbackprop.explanation.storage import Backward, Kept, backwards_of, kept_arrays
from symbackprop.explanation.ways import Ways, sizes_for, ways_of


@dataclass(frozen=True)
class Explanation:
    """A derivation beside the module that computes it."""

    derivation: Derivation
    chain_rule: ChainRule
    computations: Computations
    reused: tuple[Reused, ...]
    kept: tuple[Kept, ...]
    backwards: tuple[Backward, ...]
    instance: Instance | None
    ways: Ways

    @property
    def name(self) -> str:
        """The model's."""
        return self.derivation.system.name


def explanation_of(
    derivation: Derivation,
    module: PrintedModule,
    target: Target,
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> Explanation:
    """What there is to say of a derivation and its module; costs are stated and measured at these sizes.

    NotationError where a size is none of the model's, or has been declared.
    """
    computations = Computations.of(module)
    chosen = sizes_for(derivation.model, sizes)
    return Explanation(
        derivation,
        ChainRule(derivation, computations),
        computations,
        reused_names(derivation, computations),
        kept_arrays(computations),
        backwards_of(derivation),
        _instance(derivation),
        ways_of(derivation, computations, target, chosen),
    )


def _instance(derivation: Derivation) -> Instance | None:
    try:
        return instance_of(derivation)
    except SymbackpropError:
        return None  # no such small data: the rest of the explanation stands without it
