"""How a random model reads an element: at indices, windows, digits, lookups, constants, under guards."""

from __future__ import annotations

from tests.models.whole_language.names import INDICES, Names, Scope, declared, inside


class Readings(Names):
    """Elements of tensors in a scope."""

    def affine(self, scope: Scope) -> str:
        """k*i + l*j + n, over one or two indices in sight."""
        if not scope:
            return str(self.random.randint(0, 2))
        chosen = self.random.sample(scope, min(len(scope), self.random.choice((1, 1, 2))))
        result = self._scaled(chosen[0])
        for index in chosen[1:]:
            result += f" {self.choose('+', '-')} {self._scaled(index)}"
        constant = self.random.choice((0, 0, -1, 1, -2, 2))
        if constant:
            result += f" {'-' if constant < 0 else '+'} {abs(constant)}"
        return result

    def _scaled(self, index: str) -> str:
        return self.choose(index, index, index, f"2*{index}", f"-{index}", f"3*{index}")

    def integer(self, scope: Scope, axis: str) -> str | None:
        """An element of an integer tensor whose values lie on the axis; None where there is none in sight."""
        known = [
            name
            for name, (axes, values) in self.integers.items()
            if values == axis and all(inside(scope, each) or self.chance(0.3) for each in axes)
        ]
        if not known:
            return None
        name = self.random.choice(known)
        positions = []
        for each in self.integers[name][0]:
            own = inside(scope, each)
            positions.append(self.random.choice(own) if own else "0")
        return declared(name, positions)

    def _looked_up(self, scope: Scope, axis: str) -> str | None:
        """A lookup; now and then reckoned from another one, or nested."""
        element = self.integer(scope, axis)
        if element is None or self.chance(0.7):
            return element
        own = INDICES[axis][0]
        options = [f"size({own}) - 1 - {element}", f"mod({element} + 1, size({own}))", f"floor({element}/2)"]
        options += [f"mod({element} + {index}, size({own}))" for index in scope[:1]]
        nested = [
            name for name, (axes, values) in self.integers.items() if axes == (axis,) and values == axis
        ]
        options += [f"{name}[{element}]" for name in nested] * 2
        return self.random.choice(options)

    def position(self, axis: str, scope: Scope) -> tuple[str, str]:
        """A position on the axis and what makes it lawful: "", "pad", a guard; "bind" asks for an index."""
        own = inside(scope, axis)
        kinds = ["plain"] * (8 if own else 2)
        kinds += ["shift", "affine", "affine"] * self.has("window") + ["reversed"] * self.has("integers")
        kinds += ["lookup"] * 4 * self.has("lookup") + ["digit"] * self.has("reshape")
        kinds += ["constant"] * 2 * self.has("constant position")
        label = INDICES[axis][0]
        match self.random.choice(kinds):
            case "shift" if own:
                index, step = self.random.choice(own), self.random.choice((1, 1, 1, 2))
                return self.random.choice(
                    (
                        (
                            f"{index}-{step}",
                            self.choose(f"{index} >= {step}", f"{index} - {step} >= 0", "pad"),
                        ),
                        (f"{index}+{step}", self.choose(f"{index} + {step} < size({index})", "pad")),
                    )
                )
            case "affine":
                position = self.affine(scope)
                if position in scope and position not in own:
                    position = f"1*{position}"  # a bare index of another axis is refused
                guards = ("pad", "pad", f"0 <= {position} and {position} < size({label})")
                return position, self.choose(*guards, f"0 <= {position} < size({label})")
            case "reversed" if own:
                return f"size({label}) - 1 - {self.random.choice(own)}", ""
            case "lookup":
                element = self._looked_up(scope, axis)
                if element is not None:
                    return (f"{element} + 1", "pad") if self.chance(0.1) else (element, "")
            case "digit":
                return self._digit(scope, label)
            case "constant":
                return self.choose("0", "0", f"size({label})-1", str(self.sizes[axis] - 1)), "declared"
        return (self.random.choice(own), "") if own else ("", "bind")

    def _digit(self, scope: Scope, label: str) -> tuple[str, str]:
        index = self.random.choice(scope) if scope else self.choose("0", "1", "2")
        divisor = self.random.choice((2, 2, 3))
        options = (
            (f"floor({index}/{divisor})", "pad"),
            (f"mod({index}, size({label}))", ""),
            (f"mod({self.affine(scope)}, size({label}))", ""),
            (f"floor(({self.affine(scope)})/{divisor})", "pad"),
        )
        return self.random.choice(options)

    def element(self, scope: Scope, name: str | None = None) -> str:
        """An element in this scope; what has no index in sight is reduced over."""
        name = name or self.random.choice(self._favoured())
        positions: list[str] = []
        bound: list[str] = []
        guards: list[str] = []
        for axis in self.tensors[name]:
            position, guard = self.position(axis, scope)
            if guard == "bind":
                position = next((i for i in INDICES[axis] if i not in bound), INDICES[axis][0])
                bound.append(position)
            elif guard == "declared":
                lawful = position == "0" or "size" in position or axis in self.declared
                guards += [] if lawful else ["pad"]
            elif guard:
                guards.append(guard)
            positions.append(position)
        return self._wrapped(declared(name, positions), guards, list(dict.fromkeys(bound)))

    def _wrapped(self, element: str, guards: list[str], bound: list[str]) -> str:
        if "pad" in guards:
            element = f"pad({element})"
        for guard in guards:
            if guard != "pad":
                element = f"where({guard}, {element}, {self.choose('0', '0', '0', '1', '1/2')})"
        if not bound:
            return element
        kinds = ["sum", "mean"] + ["max", "min"] * self.has("extremum") + ["prod"] * self.has("product")
        return f"{self.random.choice(kinds)}({', '.join(bound)}, {element})"

    def _favoured(self) -> list[str]:
        """The tensors, the later ones more often, so that a model hangs together."""
        names = list(self.tensors)
        return names + names[-3:]
