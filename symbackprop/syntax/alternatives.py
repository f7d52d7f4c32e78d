"""What the statements of a layer become: text, and what is there only where its options say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Condition:
    """`padding > 0`, `layout == out,in`, `causal`, `not causal`; an option alone is compared with nothing."""

    option: str
    operator: str
    value: str
    is_negated: bool


@dataclass(frozen=True)
class Alternative:
    """`{chosen when condition else otherwise}`, with the spaces before it, which go where nothing is left."""

    indent: str
    chosen: Body
    condition: Condition
    otherwise: Body


@dataclass(frozen=True)
class OptionalCall:
    """`{word when condition}(argument)`, with the spaces before it, which go where the word does."""

    indent: str
    word: str
    condition: Condition
    argument: Body


Part: TypeAlias = str | Alternative | OptionalCall
Body: TypeAlias = tuple[Part, ...]
