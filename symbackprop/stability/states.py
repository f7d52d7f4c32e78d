"""States of recurrences that are read by other names: zb[t] = z[t-1]; z[t] = zb[t] + exp(k[t])."""

from __future__ import annotations

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    Add,
    Element,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)


def state_itself(node: Expression, meanings: Meanings) -> Expression | None:
    """f*zb[t] + exp(g) = f*z[t-1] + exp(g), where zb[t] = z[t-1] and z is the state that comes of it.

    As a sum that reads itself it is one that is shifted at every step.
    """
    if not isinstance(node, Add | Multiply | Reduction):
        return None
    found = _with_states(node, meanings)
    return found if found != node and has_exponentials(node, meanings) else None


def _with_states(node: Expression, meanings: Meanings) -> Expression:
    """Sums and products with states for the names that stand for them."""
    match node:
        case Add(terms):
            return add(*(_with_states(each, meanings) for each in terms))
        case Multiply(factors):
            return multiply(*(_with_states(each, meanings) for each in factors))
        case Reduction("sum", _, body):
            return node.with_children((_with_states(body, meanings),))
        case Element():
            meant = meanings.of(node)
            return meant if meant is not node and _is_state(meant, meanings) else node
    return node


def _is_state(node: Expression, meanings: Meanings) -> bool:
    """Whether it is an element of a tensor whose equation is yet to come, or what there is in its place."""
    match node:
        case Where(_, chosen, otherwise):
            parts = (chosen, otherwise)
            return all(isinstance(each, Number | Element) for each in parts) and any(
                _is_state(each, meanings) for each in parts
            )
        case Element(tensor, _):
            return tensor in meanings.awaited and meanings.definition(node) is None
    return False


def reads_what_is_to_come(tensor: str, meanings: Meanings) -> bool:
    """Whether the equation of a name reads one whose equation is not known yet: `state_itself` may apply."""
    known = meanings.definitions
    return tensor in known and any(
        each in meanings.awaited and each not in known for each in known[tensor][1].reads
    )
