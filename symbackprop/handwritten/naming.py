"""Whose name is whose: what a stranger calls the model's tensors, their gradients and what is sent back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.handwritten.plain_names import plain
from symbackprop.systems.system import DECLARED_ROLES, Role, System

SYNONYMS = {
    Role.INPUT: {"x", "inp", "input", "inputs", "data", "features", "xs", "xbatch", "xin", "xtrain", "a0"},
    Role.TARGET: {"t", "y", "target", "targets", "label", "labels", "ytrue", "truth", "yt", "d", "tbatch",
                  "ys", "ybatch", "onehot", "ytrain", "yhot"},
}  # fmt: skip
# Positions are tried in this order: what begins or ends like this is a gradient.
_GRADIENT = (
    re.compile(r"(?:gradients?|grads?|nabla)_?(?P<of>\w+)"),
    re.compile(r"(?P<of>\w+?)_?(?:gradients?|grads?)"),
    re.compile(r"d(?:l|e|loss|cost|j)_?d?_?(?P<of>\w+)"),
    re.compile(r"(?:delta|d|g)_?(?P<of>\w+)"),
)
_UPSTREAM = re.compile(
    r"d_?outs?|d_?outputs?|grad_?outs?|grad_?outputs?|grad|upstream|g|gy|dl?dout|dnext|d_?ys?|dvalues|"
    r"d_?act|delta|dz|dh|err|error|output_grad|output_gradient|grads?_?in|dl|d_l|ct|cotangents?|\w_?bar"
)


@dataclass(frozen=True)
class Naming:
    """The names of a model's tensors as a stranger may call them; `given` is what the user said: theirs=ours.

    The adjoint of a tensor t is the data "adjoint of t".
    """

    system: System
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The last tensor that the loss reads: what is sent back is its adjoint."""
        loss = self.system.definitions[str(self.system.loss)]
        places = {each.tensor: place for place, each in enumerate(self.system.equations)}
        return max(loss.reads, key=lambda name: places.get(name, -1), default=str(self.system.loss))

    def tensor(self, name: str, among: Iterable[str]) -> str | None:
        """The tensor of this name, up to case and underlines."""
        names = list(among)
        if name in self.given:
            return self.given[name] if self.given[name] in names else None
        if name in names:
            return name
        found = [each for each in names if plain(each) == plain(name)]
        return found[0] if len(found) == 1 else None

    def gradient_of(self, name: str, among: Sequence[str]) -> str | None:
        """The tensor whose gradient is called so: dW1, grad_W1, W1_grad, or W1 in a table of gradients."""
        if name in self.given:
            return self.tensor(name, among)
        last = name.rsplit(".", 1)[-1]
        for pattern in _GRADIENT:
            found = pattern.fullmatch(last) or pattern.fullmatch(last.lower())
            of = self.tensor(found["of"], among) if found is not None else None
            if of is not None:
                return of
        return self.tensor(last, among)

    def is_called(self, name: str, tensor: str) -> bool:
        """Whether a name is that of the tensor itself, and not of its gradient."""
        return plain(name) == plain(tensor) or self.given.get(name) == tensor

    def matched(self, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, str]:
        """The data for each parameter of a function; those for which there are none are left out."""
        declared = [each.name for each in self.system.with_role(*DECLARED_ROLES)]
        found: dict[str, str] = {}
        for name in (*names, *optional):
            exact = self.given.get(name) or self.tensor(name, declared)
            if exact is not None:
                found[name] = exact
        for name in names:
            if name not in found:
                other = self.by_role(name, set(found.values())) or self._on_the_way(name)
                if other is not None:
                    found[name] = other
        return found | self._in_order([name for name in names if name not in found], set(found.values()))

    def by_role(self, name: str, taken: set[str]) -> str | None:
        """The one input or target that is left, where a name is usual for that."""
        for role, words in SYNONYMS.items():
            left = [each.name for each in self.system.with_role(role) if each.name not in taken]
            if plain(name) in words and len(left) == 1:
                return left[0]
        return None

    def _on_the_way(self, name: str) -> str | None:
        """A tensor that the forward pass computes, or what is sent back."""
        derived = self.tensor(name, self.system.definitions)
        if derived is not None and derived != self.system.loss:
            return derived
        adjoint = self.gradient_of(
            name, [each for each in self.system.definitions if each != self.system.loss]
        )
        if adjoint is not None and name != adjoint:
            return adjoint_of(adjoint)
        return adjoint_of(self.output) if _UPSTREAM.fullmatch(name.lower()) else None

    def _in_order(self, names: list[str], taken: set[str]) -> dict[str, str]:
        """What is left, in the order of declaration, where there are as many of either."""
        left = [each.name for each in self.system.with_role(Role.PARAMETER) if each.name not in taken]
        fitting = [name for name in names if re.fullmatch(r"[A-Za-z]\w{0,3}", name)]
        return dict(zip(fitting, left, strict=True)) if len(fitting) == len(left) else {}


def adjoint_of(tensor: str) -> str:
    """The name of a tensor's adjoint among the data; no tensor of a model is called so."""
    return f"adjoint of {tensor}"
