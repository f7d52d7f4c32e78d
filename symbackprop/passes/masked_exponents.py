"""The exponentials of a masked softmax from exponents that are masked once.

    where(m, exp(S - max(where(m, S, -1e30))), 0)

chooses between arrays twice, which costs more than the exponential. With `Z = where(m, S, -inf)` it is
`exp(Z - max(Z, initial=-1e30))`: what is masked is exp(-inf), and where all is masked the maximum is finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbackprop.array.ir import Elementwise, Literal, Read, Reduce
from symbackprop.array.layout import is_nameable
from symbackprop.array.program import Line, Program, Statement, statements_in
from symbackprop.array.value import Value, rewrite_values
from symbackprop.notation.expressions import Index
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.named_equations import Part

# What a masked exponent is before the maximum is taken: below it there is none.
LOWEST = -1e30


@dataclass(frozen=True)
class _Masked:
    """Exponentials that a mask chooses, their exponents, masked, and how the maximum of these is taken."""

    node: Value
    exponents: Elementwise
    maximum: Reduce
    lowest: Literal

    def exponentials(self, name: str) -> Value:
        """The same by a name for the exponents."""
        read = Read(name, self.exponents.indices)
        largest = replace(self.maximum, operand=read, initial=self.lowest)
        return Elementwise("exp", (Elementwise("subtract", (read, largest)),))


def with_masked_exponents(program: Program) -> Program:
    """The program, in which exponents are masked once."""
    taken = {tensor.name for tensor in program.tensors}
    taken |= {line.name for line in statements_in(program.statements)}
    lines: list[Line] = []
    for line in program.statements:
        found = next(_masked_in(line), None) if isinstance(line, Statement) else None
        if isinstance(line, Statement) and found is not None:
            exponents = found.exponents.arguments[1]
            stem = exponents.name if isinstance(exponents, Read) else line.name
            name = numbered_name(f"{stem}_or_lowest", taken)
            taken.add(name)
            lines += _in_two(line, found, name, line.guarded and not isinstance(exponents, Read))
        else:
            lines.append(line)
    return replace(program, statements=tuple(lines))


def _in_two(line: Statement, masked: _Masked, name: str, guarded: bool) -> tuple[Statement, Statement]:
    """The masked exponents under a name, and the line that reads them."""
    exponentials = masked.exponentials(name)
    value = rewrite_values(line.value, lambda node: exponentials if node == masked.node else node)
    origin = line.origin.of_part(Part.CUT)
    first = Statement(name, masked.exponents, origin=origin, opens=line.opens, guarded=guarded)
    return first, replace(line, value=value, opens=False, guarded=guarded)


def _masked_in(line: Statement) -> Iterator[_Masked]:
    for node in line.value.walk():
        match node:
            case Elementwise(
                "where",
                (
                    mask,
                    Elementwise("exp", (Elementwise("subtract", (exponents, Reduce() as largest)),)),
                    Literal(0.0),
                ),
            ):
                chosen = Elementwise("where", (mask, exponents, Literal(-math.inf)))
                lowest = _lowest_of(largest, chosen)
                if lowest is not None and chosen.layout == node.layout and is_nameable(chosen.layout):
                    yield _Masked(node, chosen, largest, lowest)


def _lowest_of(largest: Reduce, chosen: Elementwise) -> Literal | None:
    """What stands for masked exponents in a maximum of the chosen ones; None where it is one of others."""
    match largest:
        case Reduce(Elementwise("where", (mask, exponents, Literal(number) as lowest)), "max", _, True, None):
            named = dict(zip(largest.operand.indices, chosen.indices, strict=False))
            same = [_renamed(each, named) for each in (mask, exponents)] == [*chosen.arguments[:2]]
            return lowest if same and number <= LOWEST else None
    return None


def _renamed(value: Value, named: dict[Index, Index]) -> Value:
    """A value that reads arrays at other indices."""

    def change(node: Value) -> Value:
        if isinstance(node, Read):
            return replace(node, positions=tuple(named.get(each, each) for each in node.positions))
        return node

    return rewrite_values(value, change)
