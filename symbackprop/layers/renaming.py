"""Other names in a statement of the model language, one index perhaps for several or for none.

A name of the language is a tensor, an index, an axis or a function and never two of them, so that renaming
word by word captures nothing as long as different names stay different.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.language.names import bare_word
from symbackprop.layers.text_edits import Edits, walk
from symbackprop.syntax.nodes import Call, Formula, FunctionDefinition, Reference, TensorDeclaration, Word
from symbackprop.syntax.parsing import read_model
from symbackprop.syntax.source import Source
from symbackprop.syntax.words import REDUCTIONS

Renames = Mapping[str, tuple[str, ...]]


def renamed(statement: str, names: Renames) -> str:
    """The statement with each name replaced by those it stands for; names that are not given stay.

    Without an index, `x[n,i]` is x[i], `x[n]` is x, `sum(n, i, e)` is sum(i, e), `sum(n, e)` is (e).
    """
    statements = read_model(Source("statement", statement))
    edits = Edits(statement)
    for each in statements:
        match each:
            case TensorDeclaration(_, _, values_axis) if values_axis is not None:
                _rename(values_axis, names, "", edits)
            case TensorDeclaration(_, _, _, ordering) if ordering is not None:
                _rename(ordering.argument, names, "", edits)
            case FunctionDefinition(word, parameters, body):
                for name in (word, *parameters, *(local.word for local in body.local)):
                    _rename(name, names, "", edits)
    for formula in walk(statements):
        match formula:
            case Reference(_, positions):
                _rename_reference(formula, positions or (), names, edits)
            case Call():
                _rename_call(formula, names, edits)
    return edits.result()


def _rename_reference(
    reference: Reference, positions: tuple[Formula, ...], names: Renames, edits: Edits
) -> None:
    """A tensor and the indices among its positions; a name alone is renamed where it stands as one."""
    word = reference.word
    if reference.positions is None and names.get(_stem(word)) == ():
        return  # it has gone with the list that it was in
    _rename(word, names, ",", edits)
    gone = [each for each in positions if _is_gone(each, names)]
    if positions and len(gone) == len(positions):
        edits.replace(edits.end(word.span), edits.end(reference.span), "")
        return
    for each in gone:
        edits.delete_item(each.span)


def _rename_call(call: Call, names: Renames, edits: Edits) -> None:
    """A function, or a reduction and the indices that it runs over."""
    indices = call.arguments[:-1] if call.word.text in REDUCTIONS else ()
    gone = [each for each in indices if _is_gone(each, names)]
    if indices and len(gone) == len(indices):
        edits.replace_word(call.word, "")
    else:
        _rename(call.word, names, ",", edits)
    for each in indices:
        word = bare_word(each)
        if each in gone:
            edits.delete_item(each.span)
        elif word is not None:
            _rename(word, names, ", ", edits)


def _rename(word: Word, names: Renames, separator: str, edits: Edits) -> None:
    """The names that a word stands for, with the primes that it has."""
    stem = _stem(word)
    if stem in names:
        primes = word.text[len(stem) :]
        edits.replace_word(word, separator.join([f"{name}{primes}" for name in names[stem]]))


def _is_gone(formula: Formula, names: Renames) -> bool:
    word = bare_word(formula)
    return word is not None and names.get(word.text) == ()


def _stem(word: Word) -> str:
    return word.text.rstrip("'")
