"""The symbol table of a program that is being lowered: what each name stands for, in its scope.

Lowering an equation, or a part of it, gives lines and the table that is known after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.invariants import Invariants
from symbackprop.array.program import Line, Statement
from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.temporary_names import temporary_name

Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Symbols:
    """`own` gives the indices of each tensor, `kinds` what those hold that are no reals.

    `taken` are the names that a new one must not have, `invariants` the values that have a name already. A
    table never changes: whoever adds a name goes on with the table that it is in.
    """

    own: Mapping[str, tuple[Index, ...]]
    kinds: Mapping[str, Kind]
    taken: frozenset[str]
    invariants: Invariants = field(default_factory=Invariants)

    def scope(self, own: Mapping[str, tuple[Index, ...]]) -> Symbols:
        """The table of a loop's body, in which these names have other indices."""
        return replace(self, own={**self.own, **own}).reserving(*own)

    def reserving(self, *names: str) -> Symbols:
        """The table in which these names are taken."""
        return replace(self, taken=self.taken.union(names)) if names else self

    def fresh(self, stem: str) -> tuple[str, Symbols]:
        """The stem, or the stem with a number, as a name of its own, and the table that has it."""
        name = numbered_name(stem, self.taken)
        return name, self.reserving(name)

    def named_after(self, part: Expression, tensor: str, pattern: str) -> tuple[str, Symbols]:
        """A name for a part of a tensor's equation, and the table that has it.

        It has the pattern, if there is one, where the part reads one tensor alone.
        """
        if pattern and len(part.tensors) == 1:
            return self.fresh(pattern.format(*part.tensors))
        name = temporary_name(part, tensor, self.taken)
        return name, self.reserving(name)

    def declaring(self, name: str, indices: tuple[Index, ...], kind: Kind) -> Symbols:
        """The table in which a name stands for a tensor with these indices."""
        known = replace(self, own={**self.own, name: indices}, kinds={**self.kinds, name: kind})
        return known.reserving(name)

    def hoisting(self, line: Line) -> tuple[tuple[Line, ...], Symbols]:
        """The line after statements for its loop-invariant values, and the table that has their names."""
        lines, invariants = self.invariants.taken_out(line, self.taken)
        added = (name for each in lines[:-1] for name in each.written)
        return lines, replace(self, invariants=invariants).reserving(*added)


@dataclass(frozen=True)
class Computation:
    """The lines that compute something, those of the temporaries that they read, and the names known then."""

    own: Lines
    symbols: Symbols
    before: Lines = ()

    def after(self, lines: Lines) -> Computation:
        """The computation that reads what these lines compute."""
        return replace(self, before=(*lines, *self.before))

    def with_invariants_apart(self) -> tuple[Lines, Symbols]:
        """All lines, each after statements for its loop-invariant values, and the names known then."""
        first, *rest = self.own
        lines, symbols = list(self.before), self.symbols
        for line in (replace(first, opens=True), *rest):
            (*hoisted, line), symbols = symbols.hoisting(line)
            if hoisted and isinstance(line, Statement):
                # The formula stands above all that is computed for it.
                hoisted[0], line = replace(hoisted[0], opens=line.opens), replace(line, opens=False)
            lines += (*hoisted, line)
        return tuple(lines), symbols


@dataclass(frozen=True)
class Separated:
    """An expression that reads temporaries, the lines that compute these, and the names known then."""

    expression: Expression
    symbols: Symbols
    lines: Lines = ()
