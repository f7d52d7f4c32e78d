"""What the equations of a network are called: net inputs, activation functions of them, the identity.

An equation is what its structure says, whatever its tensor is named: a net input is a sum of parameters, each
alone or times a tensor that is none, of which one product at least is summed over an index. The scale and
shift of a normalisation, gamma[c]*xhat[b,c] + beta[c], weigh one number each: they are none.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.explanation.blocks import Code
from symbackprop.explanation.saying import in_a_row
from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.notation.arithmetic import terms_of
from symbackprop.notation.expressions import Apply, Element, Expression, Multiply, Reduction
from symbackprop.systems.system import Equation, Role, System

_WITH_BIAS = marked("{tensor} is a net input: a sum weighted by {weights}, plus the bias {biases}.")


def units(system: System) -> Iterator[Words]:
    """A sentence for each net input, and for what is applied to one and nothing else."""
    found: dict[str, tuple[str, ...]] = {}
    for equation in system.equations:
        weights = _weights_of(equation.expression, system)
        if weights and equation.tensor != system.loss:
            found[equation.tensor] = weights
            yield _net_input(equation, weights, system)
        elif (applied := _applied(equation)) is not None and applied[1] in found:
            yield _activation(equation.tensor, *applied)


def _net_input(equation: Equation, weights: tuple[str, ...], system: System) -> Words:
    parts = {"tensor": Element(equation.tensor), "weights": in_a_row([*map(Element, weights)])}
    parameters = {tensor.name for tensor in system.with_role(Role.PARAMETER)}
    alone = (term.tensor for term in terms_of(equation.expression) if isinstance(term, Element))
    biases = tuple(name for name in alone if name in parameters)
    if not biases:
        return phrase("{tensor} is a net input: a sum weighted by {weights}.", **parts)
    return phrase(_WITH_BIAS, **parts, biases=in_a_row([*map(Element, biases)]))


def _activation(tensor: str, function: str, of: str) -> Words:
    parts = {"tensor": Element(tensor), "net_input": Element(of)}
    if not function:
        return phrase(
            "{tensor} is the net input {net_input} itself: its activation function is the identity.", **parts
        )
    return phrase(
        "{tensor} is the activation function {function} applied to the net input {net_input}.",
        function=Code(function),
        **parts,
    )


def _applied(equation: Equation) -> tuple[str, str] | None:
    """The function, "" for the identity, and the tensor that it is applied to, element by element."""
    match equation.expression:
        case Element(tensor, positions) if positions == equation.indices:
            return "", tensor
        case Apply(function, (Element(tensor, positions),)) if positions == equation.indices:
            record = FUNCTIONS.get(function)
            return (function, tensor) if record is not None and record.title else None
    return None


def _weights_of(expression: Expression, system: System) -> tuple[str, ...]:
    """The parameters that weigh other tensors in a sum; none where it has any other term."""
    parameters = {tensor.name for tensor in system.with_role(Role.PARAMETER)}
    weights: list[str] = []
    is_sum = False
    for term in terms_of(expression):
        body = term.body if isinstance(term, Reduction) and term.kind == "sum" else term
        factors = body.factors if isinstance(body, Multiply) else (body,)
        names = [each.tensor if isinstance(each, Element) else "" for each in factors]
        own = [name for name in names if name in parameters]
        if "" in names or len(own) != 1 or len(names) > 2:
            return ()
        weights += own * (len(names) == 2)
        is_sum |= body is not term and len(names) == 2
    return tuple(dict.fromkeys(weights)) if is_sum else ()
