"""A layer's formula with its options chosen: plain statements of the model language, their names its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from symbackprop.language.names import bare_word
from symbackprop.layers.chosen_text import text_of
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import value_text
from symbackprop.layers.text_edits import Edits, first_word, walk
from symbackprop.syntax.nodes import (
    AxisDeclaration,
    Call,
    EquationStatement,
    Factors,
    Formula,
    FunctionDefinition,
    LossMark,
    Reference,
    Statement,
    TensorDeclaration,
    Terms,
)
from symbackprop.syntax.parsing import read_model
from symbackprop.syntax.source import Source


@dataclass(frozen=True)
class Instance:
    """A formula with its options chosen."""

    formula: LayerFormula
    text: str

    @cached_property
    def _syntax(self) -> tuple[Statement, ...]:
        return read_model(Source(self.formula.kind, self.text))

    @cached_property
    def written(self) -> tuple[tuple[Statement, str], ...]:
        """The statements with their texts, which may run over several lines; `loss E = ...` is one."""
        lines = self.text.splitlines()
        by_line = {first_word(each).span.line: each for each in reversed(self._syntax)}
        starts = sorted(by_line)
        texts = ("\n".join(lines[start - 1 : end - 1]) for start, end in pairwise([*starts, len(lines) + 1]))
        return tuple((by_line[start], text.rstrip()) for start, text in zip(starts, texts, strict=True))

    @cached_property
    def axes(self) -> tuple[AxisDeclaration, ...]:
        """What is said of its axes."""
        return tuple(each for each in self._syntax if isinstance(each, AxisDeclaration))

    @cached_property
    def tensors(self) -> tuple[TensorDeclaration, ...]:
        """What is said of the tensors that it is given."""
        return tuple(each for each in self._syntax if isinstance(each, TensorDeclaration))

    @cached_property
    def input(self) -> TensorDeclaration:
        """The declaration of what comes before."""
        return next(each for each in self.tensors if each.role.text == "input")

    @property
    def fixed_input(self) -> tuple[str, ...]:
        """The indices of its input that stand behind the `rest`."""
        return index_names(self.input.references[0])[1:]

    @property
    def input_axes(self) -> tuple[str, ...]:
        """The axes of these indices."""
        axis_of = {word.text: each.axis.text for each in self.axes for word in each.indices}
        return tuple(axis_of[index] for index in self.fixed_input)

    @cached_property
    def output(self) -> Reference:
        """What the last equation defines."""
        return [each for each in self._syntax if isinstance(each, EquationStatement)][-1].left

    @cached_property
    def loss(self) -> str | None:
        """The loss, where it is one."""
        return next((each.target.word.text for each in self._syntax if isinstance(each, LossMark)), None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Tensors and functions, in the order in which the formula gives them."""
        found: list[str] = []
        for statement in self._syntax:
            match statement:
                case TensorDeclaration():
                    found.extend(reference.word.text for reference in statement.references)
                case EquationStatement(left):
                    found.append(left.word.text)
                case FunctionDefinition(word):
                    found.append(word.text)
        return tuple(found)

    def of_role(self, *roles: str) -> tuple[str, ...]:
        """The tensors of these roles, such as "param"."""
        return tuple(
            reference.word.text
            for declaration in self.tensors
            if declaration.role.text in roles
            for reference in declaration.references
        )


def index_names(reference: Reference) -> tuple[str, ...]:
    """The indices of a tensor where it is declared or defined."""
    return tuple(each.word.text for each in reference.positions or () if isinstance(each, Reference))


def instantiated(formula: LayerFormula, options: Mapping[str, OptionValue]) -> Instance:
    """The formula with these options, which must be all that it has."""
    values = {**options, **formula.presets}
    return Instance(formula, _with_values(text_of(formula.alternatives, values), values, formula.kind) + "\n")


def _with_values(text: str, values: Mapping[str, OptionValue], kind: str) -> str:
    """The text with values in place of options; a factor 1 before another and a term 0 are not written."""
    if not values:
        return text
    shown = {name: value_text(value) for name, value in values.items()}
    edits = Edits(text)
    for formula in walk(read_model(Source(kind, text))):
        match formula:
            case Reference(word) | Call(word) if word.text in shown:
                edits.replace_word(word, shown[word.text])
            case Factors(factors):
                for (operator, factor), (following, _) in pairwise(factors):
                    if operator == following == "*" and _value(factor, shown) == "1":
                        edits.drop_with_operator_behind(factor.span)
            case Terms(terms):
                for _, term in terms[1:]:
                    if _value(term, shown) == "0":
                        edits.drop_with_operator_before(term.span)
    return edits.result()


def _value(formula: Formula, shown: Mapping[str, str]) -> str | None:
    """The value of an option that stands alone, None for another formula."""
    word = bare_word(formula)
    return None if word is None else shown.get(word.text)
