"""Integer tensors that hold orders of places: `input order[n] in argsort(x)`, `in permutation(N)`."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.errors import NotationError
from symbackprop.language.scope import Scope, as_given
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis
from symbackprop.syntax.nodes import Ordering, TensorDeclaration
from symbackprop.systems.system import Role, Tensor


def declare_orders(declaration: TensorDeclaration, scope: Scope) -> None:
    """Say of the tensors that their values are orders along their last index, once all tensors are known.

    NotationError where there is no such index, or what is to be sorted has other axes or is none.
    """
    if declaration.ordering is None:
        return
    for reference in declaration.references:
        tensor = scope.tensors[reference.word.text]
        if not tensor.indices:
            raise scope.error(
                worded(
                    "'{tensor}' has no index along which its values could be an order", tensor=tensor.name
                ),
                reference.span,
                worded("give it one: order[n]"),
            )
        scope.tensors[tensor.name] = _ordered(tensor, declaration.ordering, scope)


def _ordered(tensor: Tensor, ordering: Ordering, scope: Scope) -> Tensor:
    axis = tensor.indices[-1].axis
    match ordering.word.text:
        case "permutation":
            _expect_axis(tensor, axis, ordering, scope)
            return replace(tensor, values=axis, permuted=True)
        case "argsort":
            _expect_sorted(tensor, ordering, scope)
            return replace(tensor, values=axis, permuted=True, sorts=ordering.argument.text)
    raise scope.error(
        worded("'{word}' says nothing of integers", word=ordering.word.text),
        ordering.word.span,
        worded("write the axis that they index, permutation(N), or argsort(x)"),
    )


def _expect_axis(tensor: Tensor, axis: Axis, ordering: Ordering, scope: Scope) -> None:
    word = ordering.argument
    if word.text not in scope.axes:
        raise scope.unknown("axis", word, scope.axes)
    if word.text != axis.name:
        raise scope.error(
            worded(
                "'{given}' has places of axis {axis} along its last index, not of {word}",
                given=as_given(tensor),
                axis=axis.name,
                word=word.text,
            ),
            word.span,
            worded("write permutation({axis})", axis=axis.name),
        )


def _expect_sorted(tensor: Tensor, ordering: Ordering, scope: Scope) -> None:
    word = ordering.argument
    found = scope.tensors.get(word.text)
    if found is None:
        raise scope.unknown("tensor", word, scope.tensors)
    if found.role is Role.DERIVED or found.values is not None:
        raise scope.error(
            worded(
                "'{found}' is no declared tensor of real numbers, which could be sorted before the call",
                found=found.name,
            ),
            word.span,
            worded("sort an input or a parameter, or write permutation(...)"),
        )
    if [index.axis for index in found.indices] != [index.axis for index in tensor.indices]:
        raise _other_axes(tensor, found, ordering, scope)


def _other_axes(tensor: Tensor, found: Tensor, ordering: Ordering, scope: Scope) -> NotationError:
    positions = ",".join(index.name for index in found.indices)
    return scope.error(
        worded(
            "'{given}' has other axes than '{other}', which it sorts along the last one",
            given=as_given(tensor),
            other=as_given(found),
        ),
        ordering.argument.span,
        (
            worded("declare it as {tensor}[{positions}]", tensor=tensor.name, positions=positions)
            if positions
            else worded("sort a tensor that has an index")
        ),
    )
