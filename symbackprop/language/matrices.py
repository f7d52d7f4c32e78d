"""Functions of whole matrices (inverse, determinants, trace), and the fact that one is positive definite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from symbackprop.language.calls import Form, Reader, expect_arguments
from symbackprop.language.names import Surroundings, bare_word
from symbackprop.language.scope import Scope, as_given, counted, here
from symbackprop.languages.phrases import Message, marked, worded
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.matrix_functions import MatrixFunction, MatrixFunctionKind
from symbackprop.notation.substitution import fresh_index
from symbackprop.syntax.nodes import Call, FactStatement, Formula, Reference, Word
from symbackprop.systems.system import PositiveDefinite, Role, Tensor

WITH_POSITIONS: Final = frozenset(("inv", "cofactor"))
_POSITIVE_DEFINITE = "positive_definite"


def _name_it(function: str) -> Message:
    return worded(
        "name it by an equation, M[i,j] = sum(k, A[i,k]*B[k,j]), and write {function}(M)", function=function
    )


def _element(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    kind: MatrixFunctionKind = "inv" if call.word.text == "inv" else "cofactor"
    matrix, tensor = _matrix(call, surroundings, reader)
    if call.positions is None or len(call.positions) != 2:
        found = here(len(call.positions or ()))
        raise reader.scope.error(
            worded(
                "an element of {what} has 2 positions, {found}",
                what=worded("an inverse") if kind == "inv" else worded("the cofactors"),
                found=found,
            ),
            call.span,
            worded(
                "write {kind}({tensor})[i,j] with two indices over axis {axis}",
                kind=kind,
                tensor=tensor.name,
                axis=tensor.indices[-1].axis.name,
            ),
        )
    batch = matrix.positions or ()
    read = reader.value(Reference(matrix.word, (*batch, *call.positions), call.span), surroundings)
    assert isinstance(read, Element)
    return MatrixFunction(
        kind, tensor.name, tensor.indices[-1].axis, read.positions[:-2], read.positions[-2:]
    )


def _determinant(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    matrix, tensor = _matrix(call, surroundings, reader)
    kind: MatrixFunctionKind = "det" if call.word.text == "det" else "logdet"
    batch = _batch(matrix, tensor, surroundings, reader)
    return MatrixFunction(kind, tensor.name, tensor.indices[-1].axis, batch)


def _trace(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    """trace(X) is sum(i, X[i,i])."""
    matrix, tensor = _matrix(call, surroundings, reader)
    batch = _batch(matrix, tensor, surroundings, reader)
    around = frozenset[Index]().union(*(position.free_indices for position in batch))
    index = fresh_index(tensor.indices[-2], around)
    return Reduction("sum", (index,), Element(tensor.name, (*batch, index, index)))


def _only_as_a_fact(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    raise reader.scope.error(
        worded("{function}(...) is no value", function=_POSITIVE_DEFINITE),
        call.span,
        worded("state it as a fact: fact {function}(P)", function=_POSITIVE_DEFINITE),
    )


MATRIX_FORMS: Mapping[str, Form] = {
    "inv": _element,
    "cofactor": _element,
    "det": _determinant,
    "logdet": _determinant,
    "trace": _trace,
    _POSITIVE_DEFINITE: _only_as_a_fact,
}


def is_positive_definite(formula: Formula) -> bool:
    """Whether a fact's formula says that a matrix is positive definite."""
    return isinstance(formula, Call) and formula.word.text == _POSITIVE_DEFINITE


def positive_definite(statement: FactStatement, reader: Reader) -> PositiveDefinite:
    """The fact that a matrix, or each matrix of a tensor with more indices, is positive definite."""
    call = statement.formula
    assert isinstance(call, Call)
    expect_arguments(call, 1, reader.scope, worded("write {call}", call=f"fact {_POSITIVE_DEFINITE}(P)"))
    word = bare_word(call.arguments[0])
    if word is None:
        raise reader.scope.error(
            worded("{function}(...) takes the name of a tensor", function=_POSITIVE_DEFINITE),
            call.arguments[0].span,
            worded("write its bare name"),
        )
    tensor = _square(word, call, reader.scope)
    return PositiveDefinite(
        tensor.name, reader.scope.source.place(statement.word.span), users_of(statement, reader.scope)
    )


def users_of(statement: FactStatement, scope: Scope) -> tuple[str, ...]:
    """The tensors whose equations a fact has simplified, each of which has an equation."""
    for word in statement.users:
        if word.text not in scope.tensors:
            raise scope.unknown("tensor", word, scope.tensors)
        if scope.tensors[word.text].role is not Role.DERIVED:
            raise scope.error(
                worded("'{word}' has no equation that a fact could simplify", word=word.text),
                word.span,
                worded("name tensors that equations define, or take the 'in' away"),
            )
    return tuple([word.text for word in statement.users])


def _matrix(call: Call, surroundings: Surroundings, reader: Reader) -> tuple[Reference, Tensor]:
    """The argument, a tensor with as many positions as it has indices before its last two."""
    name, scope = call.word.text, reader.scope
    expect_arguments(call, 1, scope, worded("write {name}(X) with the name of a square tensor", name=name))
    (argument,) = call.arguments
    if not isinstance(argument, Reference):
        raise scope.error(
            worded("{name}(...) takes the name of a tensor, not a formula", name=name),
            argument.span,
            _name_it(name),
        )
    if argument.word.text in surroundings.parameters:
        raise scope.error(
            worded(
                "the parameter '{word}' is a number, and {name}(...) takes a matrix",
                word=argument.word.text,
                name=name,
            ),
            argument.span,
            worded("write {name}(...) in an equation", name=name),
        )
    tensor = _square(argument.word, call, scope)
    written, needed = len(argument.positions or ()), len(tensor.indices) - 2
    if written != needed:
        shown = ",".join(index.name for index in tensor.indices[:-2])
        raise scope.error(
            worded(
                "{name}(...) takes '{tensor}' with {counted}, {here}",
                name=name,
                tensor=tensor.name,
                counted=counted(needed, marked("{number} position"), marked("{number} positions")),
                here=here(written),
            ),
            argument.span,
            worded(
                "its last two indices are the matrix: {name}({tensor}{positions})",
                name=name,
                tensor=tensor.name,
                positions=f"[{shown}]" if shown else "",
            ),
        )
    return argument, tensor


def _square(word: Word, call: Call, scope: Scope) -> Tensor:
    """The tensor of that name; NotationError unless its last two indices run over one axis."""
    if word.text not in scope.tensors:
        raise scope.unknown("tensor", word, scope.tensors)
    tensor, name = scope.tensors[word.text], call.word.text
    if len(tensor.indices) < 2:
        raise scope.error(
            (
                worded(
                    "{name}(...) takes a matrix, and '{tensor}' has {counted}",
                    name=name,
                    tensor=tensor.name,
                    counted=counted(
                        len(tensor.indices), marked("{number} index"), marked("{number} indices")
                    ),
                )
                if len(tensor.indices)
                else worded(
                    "{name}(...) takes a matrix, and '{tensor}' is a scalar", name=name, tensor=tensor.name
                )
            ),
            word.span,
            worded("it was given as {given}", given=as_given(tensor)),
        )
    row, column = tensor.indices[-2:]
    if row.axis != column.axis:
        raise scope.error(
            worded(
                "{name}(...) takes a square matrix, and '{tensor}' is over axes {axis} and {second}",
                name=name,
                tensor=tensor.name,
                axis=row.axis.name,
                second=column.axis.name,
            ),
            word.span,
            worded(
                "it was given as {given}; both of its last indices must run over one axis",
                given=as_given(tensor),
            ),
        )
    return tensor


def _batch(
    matrix: Reference, tensor: Tensor, surroundings: Surroundings, reader: Reader
) -> tuple[Expression, ...]:
    """The positions before the matrix, held against the axes that the tensor has there."""
    for position in matrix.positions or ():
        reader.value(position, surroundings)  # says which index is not bound; below, two more are
    rows = [Reference(Word(index.name, matrix.span), None, matrix.span) for index in tensor.indices[-2:]]
    whole = Reference(matrix.word, (*(matrix.positions or ()), *rows), matrix.span)
    read = reader.value(whole, surroundings.binding(tensor.indices[-2:]))
    assert isinstance(read, Element)
    return read.positions[:-2]
