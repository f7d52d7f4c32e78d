"""Recurrences of random models: one or two steps or the whole past, either way, one equation or two."""

from __future__ import annotations

from dataclasses import dataclass

from tests.models.whole_language.expressions import Expressions
from tests.models.whole_language.names import (
    AXIS_OF,
    INDICES,
    Scope,
    declared,
    inside,
    own_indices,
    with_index,
)


@dataclass(frozen=True)
class State:
    """A tensor that is read at other steps of t; `forwards` where the earlier ones are read."""

    name: str
    axes: tuple[str, ...]
    forwards: bool

    @property
    def sign(self) -> str:
        return "-" if self.forwards else "+"

    def at(self, step: str, positions: dict[int, str]) -> str:
        """The state at a step of t, elsewhere at its own indices but for those places."""
        own = own_indices(self.axes)
        return declared(
            self.name,
            [
                step if axis == "T" else positions.get(place, own[place])
                for place, axis in enumerate(self.axes)
            ],
        )


class Recurrences(Expressions):
    """Writes equations that read themselves and one another."""

    def recurrence(self) -> list[str]:
        """One equation or two, whose states have t and at most one other axis."""
        forwards = self.chance(0.75)
        others = [axis for axis in self.axes if axis != "T"]
        states = []
        for _ in range(2 if self.chance(0.5) else 1):
            axes = ["T"] + ([self.random.choice(others)] if others and self.chance(0.65) else [])
            self.random.shuffle(axes)
            states.append(State(self.fresh("h"), tuple(axes), forwards))
        past = self.has("past") and (not self.has("recurrence") or self.chance(0.5))
        lines = []
        for place, state in enumerate(states):
            scope = own_indices(state.axes)
            reads = [self._earlier(state, scope, past)]
            reads += [self._earlier(other, scope, past) for other in states if other != state]
            reads += [self._now(other, scope) for other in states[:place]]
            lines.append(f"{declared(state.name, scope)} = {self._step(state, scope, reads)}")
        for state in states:
            self.tensors[state.name] = state.axes
        return lines

    def _step(self, state: State, scope: Scope, reads: list[str]) -> str:
        """What a state becomes from what it reads."""
        rest = self.expression(scope, self.random.choice((0, 1, 1)))
        first, *others = reads
        forms = ["{} + {}", "{}*{}", "tanh({} + {})", "tanh({})*{}", "sigmoid({}) + {}"]
        forms += ["sin({})/(2 + {}^2)"] * 2 * self.has("quotient")
        joined = self.random.choice(forms)
        if "^2" in joined:
            rest = f"({rest})"
        result = joined.format(first, rest)
        for other in others:
            result = self.choose(
                f"tanh({result} + {other})",
                f"{other}*({result})",
                f"{result} + {other}/2",
                f"tanh({result})*{other}",
            )
        if self.has("extremum") and self.chance(0.3):
            result = f"{self.choose('max', 'min')}({result}, {self.leaf(scope)})"
        if self.has("value mask") and self.chance(0.3):
            result = f"where({first} > 0, {result}, {self.leaf(scope)})"
        if self.chance(0.3):
            condition, otherwise = self._base(state), self.leaf(scope)
            result = f"where({condition}, {otherwise}, {result})"
        return result

    def _base(self, state: State) -> str:
        return self.choose("t == 0", "not t > 0") if state.forwards else "t == size(t)-1"

    def _guard(self, state: State, step: int) -> str:
        if state.forwards:
            return self.choose(
                f"t >= {step}",
                f"t > {step - 1}",
                f"t - {step} >= 0",
                *[f"not t < {step}"],
                *["not t == 0", "t != 0"] * (step == 1),
            )
        return self.choose(f"t + {step} < size(t)", f"t < size(t) - {step}")

    def _earlier(self, state: State, scope: Scope, past: bool) -> str:
        """The state at an earlier step, or all of them."""
        positions, bound = self._positions(state, scope)
        if past and "s" not in bound:
            read = self._all_earlier(state, positions, scope)
        else:
            step = self.random.choice((1, 1, 1, 2))
            element = state.at(f"t{state.sign}{step}", positions)
            otherwise = self.choose("0", "1", "1/2", self.leaf(scope))
            guard = self._guard(state, step)
            if self.has("value mask") and self.chance(0.2):
                guard = f"{guard} and {self.condition(scope, 0)}"
            read = self.choose(f"pad({element})", f"where({guard}, {element}, {otherwise})")
            if step == 1 and self.chance(0.2):
                read = f"where({self._base(state)}, {otherwise}, {element})"
        if not bound:
            return read
        inner = with_index(scope, *bound)
        kind = self.choose("sum", "sum", *["max"] * self.has("extremum"))
        return f"{kind}({bound[0]}, {read}*{self.element(inner)})"

    def _all_earlier(self, state: State, positions: dict[int, str], scope: Scope) -> str:
        inner = with_index(scope, "s")
        element = state.at("s", positions)
        condition = (
            self.choose("s < t", "t > s", "s + 1 <= t") if state.forwards else self.choose("s > t", "t < s")
        )
        if self.chance(0.2):
            condition = f"{condition} and {self.condition(inner, 0)}"
        kinds = ["sum", "sum", "sum", "mean"]
        kinds += ["max", "min"] * self.has("extremum") + ["prod"] * self.has("product")
        kind = self.random.choice(kinds)
        body = self.choose(
            element, f"{element}*{self.element(inner)}", f"tanh({element} + {self.element(inner)})"
        )
        return f"{kind}(s, where({condition}, {body}, {self.choose('0', '0', '1')}))"

    def _positions(self, state: State, scope: Scope) -> tuple[dict[int, str], list[str]]:
        """Where the state is read on its other axes, and the indices that this binds."""
        for place, axis in enumerate(state.axes):
            if axis == "T":
                continue
            own = inside(scope, axis)
            other = next(index for index in INDICES[axis] if index not in own)
            if not own or self.chance(0.3):
                return {place: other}, [other]
            if self.has("window") and self.chance(0.4):
                return {place: f"mod({own[0]} + 1, size({own[0]}))"}, []
            looked_up = self.integer(scope, axis) if self.has("lookup") else None
            return {place: looked_up or own[0]}, []
        return {}, []

    def _now(self, state: State, scope: Scope) -> str:
        """A state of the same step, that comes before."""
        positions, bound = self._positions(state, scope)
        element = state.at("t", positions)
        return f"mean({', '.join(bound)}, {element})" if bound else element


assert AXIS_OF["t"] == "T"
