"""The kinds of names that the schedule gives to parts of equations, in the order in which it gives them."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.derivation.named_parts import Portions
from symbackprop.indexing.blocks import read_by_block
from symbackprop.notation.expressions import Expression, Index
from symbackprop.rewriting.naming import Naming


@dataclass(frozen=True)
class Blocks(Naming):
    """Names for the blocks of a packed axis; `indices` are those of the equation that they make up."""

    indices: tuple[Index, ...] = ()
    name: str = "name blocks"
    statement: str = "an expression that depends on the block of a packed axis is computed block by block"

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether these are the blocks of one side, and the other reads each at its places."""
        return read_by_block(before, self.indices, self.named) == after


@dataclass(frozen=True)
class MatrixGuards(Naming):
    """Names for matrices that are the identity where a condition does not let them through."""

    name: str = "guard matrices"
    statement: str = (
        "where(c, inv(X)[i,j], 0) = where(c, inv(Y)[i,j], 0), where Y[i,j] = where(c, X[i,j], delta(i,j))"
    )


@dataclass(frozen=True)
class Grouped(Naming):
    """Names for reductions over the places at which a lookup has a value, which others read at that."""

    name: str = "group"
    statement: str = (
        "sum(k, where(p == q, f, 0)) = s[q], where s[n] = sum(k, where(p == n, f, 0)), likewise an extremum"
    )


@dataclass(frozen=True)
class Hoisted(Naming):
    """Names for loop-invariant parts of a recurrence's equations."""

    name: str = "hoist"
    statement: str = "a loop-invariant part of a recurrence is computed before it, for all steps at once"


@dataclass(frozen=True)
class Shared(Naming):
    """Names for common subexpressions."""

    name: str = "share"
    statement: str = "a common subexpression is computed once, and has a name"


# In the order in which the schedule gives them: each rests on equations as they were before.
NAMINGS: tuple[type[Naming], ...] = (Portions, Blocks, MatrixGuards, Grouped, Hoisted, Shared)
