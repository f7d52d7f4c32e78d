"""The functions that a model defines: their parameters, and the names that are local to their bodies."""

from __future__ import annotations

from symbackprop.language.expansion import ModelFunction
from symbackprop.language.formulas import FormulaReader
from symbackprop.language.names import Surroundings
from symbackprop.language.parameters import index_parameters, optional_indices
from symbackprop.language.scope import refuse_reserved
from symbackprop.languages.phrases import marked, worded
from symbackprop.syntax.nodes import FunctionDefinition, Word


def model_function(definition: FunctionDefinition, reader: FormulaReader) -> ModelFunction:
    """A function of the model; its body may call only functions that were defined before it."""
    scope = reader.scope
    names: list[str] = []
    for word in definition.parameters:
        _expect_free(
            word, marked("'{word}' cannot be a parameter of '{function}' here"), names, definition, reader
        )
        names.append(word.text)
    taken = [*names]
    for local in definition.body.local:
        _expect_free(
            local.word,
            marked("'{word}' cannot be a local name of '{function}' here"),
            taken,
            definition,
            reader,
        )
        taken.append(local.word.text)
    name, indices = definition.word.text, index_parameters(definition.body, names, scope.functions)
    optional = optional_indices(definition.body, {*names} - indices, scope.functions)
    body = None
    if not indices:
        body = reader.whole_body(definition.body, Surroundings({}, frozenset(names), function=name))
    return ModelFunction(name, tuple(names), definition.body, indices, optional, body)


def _expect_free(
    word: Word, template: str, taken: list[str], definition: FunctionDefinition, reader: FormulaReader
) -> None:
    """NotationError where a name cannot be one of the function's own."""
    refuse_reserved(word, reader.scope)
    if word.text in taken or word.text == definition.word.text or word.text.endswith("'"):
        raise reader.scope.error(
            worded(template, word=word.text, function=definition.word.text),
            word.span,
            worded("give each parameter and local name a name of its own, without primes"),
        )
