"""Windows that several products read are copied once.

A view of windows overlaps itself, so that a product of matrices has to copy it: once in the forward pass, and
once more for the gradient of the kernel. The copy is kept instead.
"""

from __future__ import annotations

from collections import Counter

from symbackprop.array.aliasing import with_copies
from symbackprop.array.ir import Read, Reshape
from symbackprop.array.program import Program, Statement, Store, statements_in
from symbackprop.array.views import is_windowed


def with_copied_windows(program: Program) -> Program:
    """The program, where windows of which several lines merge axes are a copy."""
    windows = {
        line.name for line in program.statements if isinstance(line, Statement) and is_windowed(line.value)
    }
    merging = Counter(name for line in statements_in(program.statements) for name in _merged(line) & windows)
    return with_copies(program, {name for name, readers in merging.items() if readers > 1})


def _merged(line: Statement | Store) -> set[str]:
    """The names whose axes a line merges, which copies an array that overlaps itself."""
    nodes = (node for value in line.values for node in value.walk())
    return {
        node.operand.name for node in nodes if isinstance(node, Reshape) and isinstance(node.operand, Read)
    }
