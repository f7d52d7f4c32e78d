"""What the rules of a system are made from: ranges of tensors, the equation at hand, matrices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.notation.layered import Layered
from symbackprop.notation.substitution import rename_indices, rename_tensors
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class TensorRange:
    """What is known of one tensor; without axes nothing is, and it counts as defined."""

    tensor: str
    axes: tuple[Axis, ...] | None
    is_positive: bool
    is_nonnegative: bool
    is_undefined: bool
    is_infinite: bool

    @property
    def line(self) -> str:
        """In words, "" where nothing but its axes is known."""
        sign = "is greater than 0" if self.is_positive else "is at least 0" if self.is_nonnegative else ""
        said = [*([sign] if sign else []), *(["may be undefined"] if self.is_undefined else [])]
        said += ["may be infinite"] if self.is_infinite else []
        return f"{self.tensor} {' and '.join(said)}" if said else ""

    def holds(self, anchor: Anchor) -> bool:
        """Whether the model says so; what is not known does no harm."""
        if self.axes is None:
            return anchor.is_open(self.tensor) and not (self.is_positive or self.is_nonnegative)
        return (
            self.axes == anchor.axes_of(self.tensor)
            and (anchor.is_positive(self.tensor) or not self.is_positive)
            and (anchor.is_nonnegative(self.tensor) or not self.is_nonnegative)
            and (anchor.is_defined(self.tensor) or self.is_undefined)
            and (anchor.is_finite(self.tensor) or self.is_infinite)
        )


@dataclass(frozen=True)
class KnownRanges(Premise):
    """What is known of the tensors that a node reads."""

    tensors: tuple[TensorRange, ...]

    @classmethod
    def of(cls, ranges: Ranges, tensors: Iterable[str]) -> KnownRanges:
        """Of these tensors."""
        return cls(
            tuple(
                [
                    TensorRange(
                        name,
                        ranges.axes.get(name),
                        name in ranges.positive,
                        name in ranges.nonnegative,
                        name in ranges.undefined,
                        name in ranges.infinite,
                    )
                    for name in sorted(tensors)
                ]
            )
        )

    @property
    def ranges(self) -> Ranges:
        """As ranges of these tensors alone."""
        return Ranges(
            frozenset(each.tensor for each in self.tensors if each.is_positive),
            frozenset(each.tensor for each in self.tensors if each.is_nonnegative),
            frozenset(each.tensor for each in self.tensors if each.is_undefined),
            frozenset(each.tensor for each in self.tensors if each.is_infinite),
            Layered({each.tensor: each.axes for each in self.tensors if each.axes is not None}),
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each tensor of which something is known."""
        return tuple([each.line for each in self.tensors if each.line])

    def holds(self, anchor: Anchor) -> bool:
        """Whether the model says so of each tensor."""
        return all(each.holds(anchor) for each in self.tensors)

    def renamed(self, names: Mapping[str, str]) -> KnownRanges:
        """The same of the tensors' other names."""
        if isinstance(names, Correspondence):
            return names.of(self)
        return KnownRanges(
            tuple([replace(each, tensor=names.get(each.tensor, each.tensor)) for each in self.tensors])
        )


@dataclass(frozen=True)
class ChainRuleProducts(Premise):
    """What is known of an equation's tensors, and the derivative that it is.

    The products in a derivative's equation come of the chain rule; an equation of the model is no derivative.
    """

    known: KnownRanges
    derivative: Derivative | None

    @classmethod
    def of(cls, ranges: Ranges, node: Expression, derivative: Derivative | None) -> ChainRuleProducts:
        """For a right-hand side."""
        return cls(KnownRanges.of(ranges, node.tensors), derivative)

    @property
    def lines(self) -> tuple[str, ...]:
        """The derivative, and a line for each tensor of which something is known."""
        derivative = () if self.derivative is None else (text(self.derivative),)
        return (*derivative, *self.known.lines)

    def holds(self, anchor: Anchor) -> bool:
        """Whether the equation at hand is that derivative."""
        derivative = self.derivative
        is_it = derivative is None or anchor.is_at_hand(derivative.numerator, derivative.denominator)
        return is_it and self.known.holds(anchor)

    def renamed(self, names: Mapping[str, str]) -> ChainRuleProducts:
        """The same of the tensors' other names."""
        renamed = None if self.derivative is None else rename_tensors(self.derivative, names)
        assert renamed is None or isinstance(renamed, Derivative)
        return ChainRuleProducts(self.known.renamed(names), renamed)


@dataclass(frozen=True)
class LookedUp(Premise):
    """Which tensors hold places of which axes, and the axes of those that are read beside them."""

    places: tuple[tuple[str, Axis], ...]
    axes: tuple[tuple[str, tuple[Axis, ...]], ...]

    @classmethod
    def of(
        cls, places: Mapping[str, Axis], axes: Mapping[str, tuple[Axis, ...]], tensors: Iterable[str]
    ) -> LookedUp:
        """What is known of these tensors."""
        read = sorted(tensors)
        held = tuple([(name, places[name]) for name in read if name in places])
        return cls(held, tuple([(name, axes[name]) for name in read if name in axes]))

    @property
    def lines(self) -> tuple[str, ...]:
        """The declaration of each that holds places."""
        return tuple([f"{name} in {axis.name}" for name, axis in self.places])

    def holds(self, anchor: Anchor) -> bool:
        """Whether the model declares them so."""
        return all(anchor.places_of(name) == axis for name, axis in self.places) and all(
            anchor.axes_of(name) == axes for name, axes in self.axes
        )

    def renamed(self, names: Mapping[str, str]) -> LookedUp:
        """The same of the tensors' other names."""
        return LookedUp(
            tuple([(names.get(name, name), axis) for name, axis in self.places]),
            tuple([(names.get(name, name), axes) for name, axes in self.axes]),
        )


@dataclass(frozen=True)
class Recurrence(Premise):
    """The tensors that are computed together at a step, each with the place of it among its positions."""

    places: tuple[tuple[str, int], ...]
    step: Index
    known: KnownRanges

    @property
    def lines(self) -> tuple[str, ...]:
        """Which tensors, and the step."""
        names = ", ".join(name for name, _ in self.places)
        return (f"{names}: computed at step {self.step.name}", *self.known.lines)

    def holds(self, anchor: Anchor) -> bool:
        """Whether the tensor at hand is computed so."""
        return anchor.are_steps(dict(self.places), self.step) and self.known.holds(anchor)

    def renamed(self, names: Mapping[str, str]) -> Recurrence:
        """The same of the tensors' other names."""
        places = tuple([(names.get(name, name), place) for name, place in self.places])
        (step,) = rename_indices((self.step,), names)
        return Recurrence(places, step, self.known.renamed(names))


@dataclass(frozen=True)
class Definitions(Premise):
    """How tensors are defined."""

    definitions: tuple[Equation, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each."""
        return tuple(map(equation_text, self.definitions))

    def holds(self, anchor: Anchor) -> bool:
        """Whether the tensors are so defined."""
        return all(anchor.states((each.element, each.expression)) for each in self.definitions)

    def renamed(self, names: Mapping[str, str]) -> Definitions:
        """The same of the tensors' other names."""
        return Definitions(tuple([renamed_equation(each, names) for each in self.definitions]))


@dataclass(frozen=True)
class Matrices(Premise):
    """Which tensors are symmetric in their last two indices, and the definitions of others."""

    symmetric: frozenset[str]
    definitions: tuple[Equation, ...]

    @classmethod
    def of(
        cls, symmetric: Collection[str], definitions: Mapping[str, Equation], tensors: Iterable[str]
    ) -> Matrices:
        """Of these tensors."""
        read = sorted(tensors)
        defined = tuple([definitions[name] for name in read if name in definitions])
        return cls(frozenset(name for name in read if name in symmetric), defined)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each."""
        mirrored = [f"{name} is symmetric" for name in sorted(self.symmetric)]
        return (*mirrored, *map(equation_text, self.definitions))

    def holds(self, anchor: Anchor) -> bool:
        """Whether the tensors are symmetric, and so defined."""
        return all(map(anchor.is_symmetric, self.symmetric)) and all(
            anchor.states((each.element, each.expression)) for each in self.definitions
        )

    def renamed(self, names: Mapping[str, str]) -> Matrices:
        """The same of the tensors' other names."""
        symmetric = frozenset(names.get(name, name) for name in self.symmetric)
        return Matrices(symmetric, tuple([renamed_equation(each, names) for each in self.definitions]))


@dataclass(frozen=True)
class Vanishing(Premise):
    """Tensors that are 0 at their own indices unless conditions hold, and what is known of those around."""

    supports: tuple[tuple[Element, tuple[Expression, ...]], ...]
    known: KnownRanges

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each."""
        told = [(text(element), " and ".join(map(text, found))) for element, found in self.supports]
        unless = [f"{element} is 0 unless {conditions}" for element, conditions in told]
        return (*unless, *self.known.lines)

    def holds(self, anchor: Anchor) -> bool:
        """Whether their equations say so, each computed before."""
        return all(anchor.is_zero_unless(*each) for each in self.supports) and self.known.holds(anchor)

    def renamed(self, names: Mapping[str, str]) -> Vanishing:
        """The same of the tensors' other names."""
        renamed = [
            (rename_tensors(element, names), tuple([rename_tensors(each, names) for each in found]))
            for element, found in self.supports
        ]
        supports = tuple([(element, found) for element, found in renamed if isinstance(element, Element)])
        return Vanishing(supports, self.known.renamed(names))
