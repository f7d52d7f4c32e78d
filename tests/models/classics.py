"""The classics: each model with the form that was published for its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from symbackprop.language.model import parse_system
from symbackprop.notation.system import Equation, System

FOLDER = Path(__file__).parents[2] / "examples" / "classics"
NAMES = sorted(path.stem for path in FOLDER.glob("*.model"))


@dataclass(frozen=True)
class Classic:
    """`together` is the model's system with the published equations behind its own."""

    system: System
    together: System
    published: dict[str, Equation]

    @property
    def wrt(self) -> list[str]:
        return [name.removeprefix("grad_") for name in self.published if name.startswith("grad_")]


def load_classic(name: str) -> Classic:
    text = (FOLDER / f"{name}.model").read_text()
    form = (FOLDER / f"{name}.published").read_text()
    system = parse_system(text, name)
    together = parse_system(text + form, name)
    published = {
        equation.tensor: equation for equation in together.equations if equation.tensor not in system.tensors
    }
    return Classic(system, together, published)
