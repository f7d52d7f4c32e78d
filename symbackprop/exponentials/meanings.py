"""What names stand for, and which of them are exponentials times something moderate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from symbackprop.exponentials.exponents import is_weighted_by_shares
from symbackprop.exponentials.names_followed import is_loop_carried, resolved
from symbackprop.exponentials.scales import NamedScale, RunningScale, Scaled
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class Meanings:
    """What names stand for, by the first `known` equations; `definitions` number them.

    `scales` remembers what was found of a name's equation, `logarithms` whether it may lead to a logarithm;
    of the `awaited` names the equations may yet come. Where a sum is looked up, its largest exponent and its
    shifted value get names, which `introduced` lists behind the tensor: those `given` for it, or new ones
    that are not `taken`; of some of these tensors they are `read`. What `is_inside` of a name's equation says
    what other names it waits for. Where it `sees_sigmoids`, sigmoid(f) counts as exp(-softplus(-f)); where it
    `sees_sums`, a name is seen through though some of the terms that it stands for have no exponential.
    Inside of its own equation a tensor that reads itself is what `running` says. The tensors that are
    `infinite_with_loss` are so nowhere else.
    """

    definitions: Mapping[str, tuple[int, Equation]] = field(default_factory=dict)
    known: int = 0
    awaited: frozenset[str] = frozenset()
    scales: dict[tuple[bool, bool], dict[str, Scaled | None]] = field(
        default_factory=dict, compare=False, repr=False
    )
    said: dict[tuple[bool, Says], dict[str, bool]] = field(default_factory=dict, compare=False, repr=False)
    parts: dict[tuple[bool, ...], dict[Expression, Parts]] = field(
        default_factory=dict, compare=False, repr=False
    )
    logarithms: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    introduced: dict[str, NamedScale] = field(default_factory=dict, compare=False, repr=False)
    complete: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    read: set[str] = field(default_factory=set, compare=False, repr=False)
    taken: set[str] = field(default_factory=set, compare=False, repr=False)
    is_inside: bool = False
    given: dict[str, tuple[str, str]] = field(default_factory=dict, compare=False, repr=False)
    sees_sigmoids: bool = False
    sees_sums: bool = False
    running: RunningScale | None = None
    infinite_with_loss: frozenset[str] = frozenset()

    def with_sigmoids(self) -> Meanings:
        """The same, where sigmoids count as exponentials; nothing gets a name there."""
        return replace(self, sees_sigmoids=True)

    def with_sums(self) -> Meanings:
        """The same, where names of sums that have exponentials among their terms are seen through."""
        return replace(self, sees_sums=True, is_inside=False)

    def without_sums(self) -> Meanings:
        """The same, where only names of which all terms have exponentials are seen through."""
        return replace(self, sees_sums=False)

    @property
    def _scales(self) -> dict[str, Scaled | None]:
        return self.scales.setdefault((self.sees_sigmoids, self.sees_sums), {})

    def definition(self, expression: Expression) -> Equation | None:
        """The equation of an element's tensor, where it is known."""
        if not isinstance(expression, Element) or expression.tensor not in self.definitions:
            return None
        number, equation = self.definitions[expression.tensor]
        return equation if number < self.known else None

    def of(self, expression: Expression) -> Expression:
        """An element as its tensor's right-hand side at these indices; anything else as it stands."""
        return self._opened(expression)[0]

    def opened(self, expression: Expression) -> tuple[Expression, Meanings]:
        """The same, and what names mean in there: what they do before that equation.

        So whoever goes on to open the names in there comes to an end: a recurrence is opened once.
        """
        meant, known = self._opened(expression)
        return meant, self if known == self.known else replace(self, known=known)

    def _opened(self, expression: Expression) -> tuple[Expression, int]:
        """The same, and how many equations are known in there."""
        known = self.known
        while isinstance(expression, Element):
            number, equation = self.definitions.get(expression.tensor, (known, None))
            if equation is None or number >= known:
                break
            expression, known = equation.at(expression.positions), number
        return expression, known

    def of_earlier(self, expression: Expression) -> Expression:
        """The same, unless it reads itself or later names, as in a recurrence.

        A rule that writes down what it has opened may be used on that again, so it opens no recurrence.
        """
        while (equation := self.definition(expression)) is not None and self._reads_earlier(equation):
            assert isinstance(expression, Element)
            expression = equation.at(expression.positions)
        return expression

    def _reads_earlier(self, equation: Equation) -> bool:
        number, _ = self.definitions[equation.tensor]
        return not any(
            self.definitions[name][0] >= number if name in self.definitions else name in self.awaited
            for name in equation.reads
        )

    def settled(self, node: Expression, name: Element, find: FindParts) -> Parts:
        """What `find` says of a node with one name; kept, where that leads to no name that comes later."""
        number, equation = self.definitions.get(name.tensor, (self.known, None))
        is_moved = self.running is not None or not all(isinstance(each, Index) for each in name.positions)
        if (
            equation is None
            or number >= self.known
            or is_moved
            or self._is_loop_carried(equation.reads, number)
        ):
            return find(node, self)
        memory = self.parts.setdefault((self.sees_sigmoids, self.sees_sums, self.is_inside), {})
        if node not in memory:
            memory[node] = find(node, self)
        return memory[node]

    def may_reach_logarithm(self, node: Expression) -> bool:
        """Whether sums, products and names may lead from the node to a logarithm; each name is read once."""
        match node:
            case Apply("log", _):
                return True
            case Add() | Multiply():
                return any(map(self.may_reach_logarithm, node.children))
            case Element(tensor, _):
                if tensor not in self.definitions:
                    return tensor in self.awaited
                return resolved(tensor, self.logarithms, True, self._logarithm_of, self.is_inside)
        return False

    def _logarithm_of(self, tensor: str) -> bool:
        _, equation = self.definitions[tensor]
        return replace(self, is_inside=True).may_reach_logarithm(equation.expression)

    def says_of_name(self, element: Element, find: Says) -> bool:
        """Whether `find` says so of the right-hand side that an element stands for."""

        def of_name(tensor: str) -> bool:
            number, equation = self.definitions[tensor]
            inside = replace(self, known=number, is_inside=True, running=None)
            return find(equation.expression, inside)

        memory = self.said.setdefault((self.sees_sigmoids, find), {})
        known = self.definition(element) is not None
        return known and resolved(element.tensor, memory, False, of_name, self.is_inside)

    def scale(self, element: Element, find: Find) -> Scaled | None:
        """What `find` says of the right-hand side that an element stands for; None where that is nothing."""
        if self.running is not None and element.tensor == self.running.tensor:
            return self.running.at(element)
        equation = self.definition(element)
        if equation is None or not self.has_scale(element, find):
            return None
        found = self._scales[element.tensor]
        is_looked_up = any(not isinstance(each, Index) for each in element.positions)
        if found is not None and (is_looked_up or not found.is_small) and not self.sees_sigmoids:
            is_window = any(len(each.free_indices) > 1 for each in element.positions)
            found = self._named(equation, found, is_window)
        return found and found.at(dict(zip(equation.indices, element.positions, strict=True)))

    def has_scale(self, element: Element, find: Find) -> bool:
        """Whether `find` says anything of its equation, where names mean what they do before it."""
        if self.running is not None and element.tensor == self.running.tensor:
            return True
        equation = self.definition(element)
        if equation is None:
            return False
        find_scale = partial(self._scale_of, find)
        return resolved(element.tensor, self._scales, None, find_scale, self.is_inside) is not None

    def _scale_of(self, find: Find, tensor: str) -> Scaled | None:
        number, equation = self.definitions[tensor]
        if self.sees_sigmoids and tensor in equation.reads:
            plain = replace(self, sees_sigmoids=False)._scale_alone(find, tensor)
            if plain is not None:
                return plain
        if self.sees_sums:
            exponential = replace(self, sees_sums=False)._scale_alone(find, tensor)
            if exponential is not None:
                return exponential
        running = self._running_scale_of(equation)
        found = find(equation.expression, replace(self, known=number, is_inside=True, running=running))
        if found is None or found.is_outgrown_from(equation.expression):
            return None
        if running is None or running.names.isdisjoint(found.tensors):
            is_seen = found.is_small or self._gives_names
            return (
                found
                if is_seen and not (self.sees_sums and self._is_loop_carried(found.tensors, number))
                else None
            )
        if self._is_loop_carried(found.tensors, number) or not running.is_grown(found.exponent):
            return None
        self.introduced[tensor] = running.named(found)
        return running.at(equation.element)

    def _running_scale_of(self, equation: Equation) -> RunningScale | None:
        """The names for exponent and value of a tensor that reads itself."""
        if equation.tensor not in equation.reads or is_weighted_by_shares(equation.expression):
            return None
        shift, value = (Element(name, equation.indices) for name in self._names_for(equation.tensor))
        return RunningScale(equation.tensor, shift, value)

    def _scale_alone(self, find: Find, tensor: str) -> Scaled | None:
        alone = replace(self, is_inside=False)
        return resolved(tensor, alone._scales, None, partial(alone._scale_of, find), is_inside=False)

    @property
    def _gives_names(self) -> bool:
        """Whether a name is seen through that stands for too much to be put in its place."""
        return self.sees_sums and not self.sees_sigmoids

    def is_named(self, element: Expression, find: Find) -> bool:
        """Whether the exponent and the value of a tensor have names, for they are too large for its place."""
        if not isinstance(element, Element) or not self.has_scale(element, find):
            return False
        found = self._scales[element.tensor]
        return found is not None and (not found.is_small or self.is_running(element, find))

    def is_running(self, element: Expression, find: Find) -> bool:
        """Whether they have names because the tensor reads itself."""
        if not isinstance(element, Element) or not self.has_scale(element, find):
            return False
        found = self._scales[element.tensor]
        named = self.introduced.get(element.tensor)
        return named is not None and found is not None and found.exponent == named.shift

    @property
    def shifted_names(self) -> frozenset[str]:
        """The names of values; where one of them is 0, its exponent is LOWEST."""
        return frozenset([value for _, value in self.given.values()])

    def _is_loop_carried(self, names: Iterable[str], number: int) -> bool:
        return is_loop_carried(names, number, self.definitions, self.awaited, self.complete)

    def _named(self, equation: Equation, found: Scaled, is_window: bool) -> Scaled:
        """What was found of a tensor's equation, by names: a sum over segments is computed for each once.

        So is one that windows read, which would be added up again for each of them.
        """
        if found.is_small and not (found.is_shifted and found.adds_up(is_window)):
            return found
        if equation.tensor not in self.introduced:
            names = self._names_for(equation.tensor)
            self.introduced[equation.tensor] = NamedScale.of(equation, found, names)
        named = self.introduced[equation.tensor]
        return replace(found, exponent=named.shift, value=named.value)

    def read_by(self, expression: Expression) -> None:
        """Add to the names that are `read` those in an expression, and what they are computed from."""
        names = set(expression.tensors)
        for tensor in reversed(tuple(self.introduced)):  # one may read those before it
            named = self.introduced[tensor]
            if not names.isdisjoint(named.names):
                self.read.add(tensor)
                names.update(*(each.expression.tensors for each in named.equations))

    @property
    def computed(self) -> dict[str, tuple[Equation, Equation]]:
        """The equations of the introduced names that are read."""
        return {name: each.equations for name, each in self.introduced.items() if name in self.read}

    def _names_for(self, tensor: str) -> tuple[str, str]:
        if tensor not in self.given:
            shift, value = (numbered_name(f"{tensor}_{part}", self.taken) for part in ("shift", "shifted"))
            self.given[tensor] = shift, value
            self.taken.update(self.given[tensor])
        return self.given[tensor]


Find: TypeAlias = Callable[[Expression, Meanings], Scaled | None]
Parts: TypeAlias = tuple[Expression, ...]
FindParts: TypeAlias = Callable[[Expression, Meanings], Parts]
Says: TypeAlias = Callable[[Expression, Meanings], bool]
