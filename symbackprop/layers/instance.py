"""A layer's formula with its options chosen: plain statements of the model language, their names its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.language.parsing import read_model
from symbackprop.language.source import Source
from symbackprop.language.syntax import (
    AxisDeclaration,
    EquationStatement,
    FunctionDefinition,
    LossMark,
    Reference,
    Statement,
    TensorDeclaration,
)
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import value_text

_CHOICE = re.compile(
    r"[ ]*\{(?P<text>[^{}]*?)\s+when\s+(?P<condition>[^{}]*?)(?:\s+else\s+(?P<other>[^{}]*))?\}"
)
_CONDITION = re.compile(r"(?P<negation>not\s+)?(?P<option>\w+)(?:\s*(?P<operator>==|>)\s*(?P<value>.+))?")


@dataclass(frozen=True)
class Instance:
    """A formula with its options chosen."""

    formula: LayerFormula
    text: str

    @cached_property
    def _syntax(self) -> tuple[Statement, ...]:
        return read_model(Source(self.formula.kind, self.text))

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The texts of the statements, each as one piece that may run over several lines."""
        found: list[str] = []
        depth = 0
        for line in self.text.splitlines():
            if depth > 0:
                found[-1] += f"\n{line}"
            elif line.strip():
                found.append(line)
            depth += len(re.findall(r"[(\[]", line)) - len(re.findall(r"[)\]]", line))
        return tuple(found)

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
    lines = [line.partition("#")[0].rstrip() for line in formula.body.splitlines()]
    text = "\n".join(lines)
    choices = 1
    while choices:  # the innermost first; each pass leaves fewer braces
        text, choices = _CHOICE.subn(lambda match: _chosen(match, values), text)
    return Instance(formula, _with_values(text, values) + "\n")


def _chosen(match: re.Match[str], values: Mapping[str, OptionValue]) -> str:
    """The text of `{text when condition else other}` that the options choose, with the space before it."""
    chosen = match["text"] if _holds(match["condition"], values) else match["other"]
    if not chosen:
        return ""
    indent = match[0][: match[0].index("{")]
    return indent + chosen


def _holds(condition: str, values: Mapping[str, OptionValue]) -> bool:
    match = _CONDITION.fullmatch(condition)
    assert match is not None, condition
    value = values[match["option"]]
    if match["operator"] is None:
        return bool(value) is not bool(match["negation"])
    if match["operator"] == "==":
        return value_text(value) == match["value"]
    return float(value) > float(match["value"])


def _with_values(text: str, values: Mapping[str, OptionValue]) -> str:
    """The text with values in place of options, all at once; a factor 1 and a term 0 are not written."""
    if not values:
        return text
    word = rf"(?P<sign> [+-] )?\b(?P<name>{'|'.join(values)})\b(?P<times>\*)?"
    return re.sub(word, lambda match: _value_of(match, values), text)


def _value_of(match: re.Match[str], values: Mapping[str, OptionValue]) -> str:
    shown, sign, times = value_text(values[match["name"]]), match["sign"] or "", match["times"] or ""
    if shown == "1" and times:
        return sign
    if shown == "0" and sign and not times:
        return ""
    return f"{sign}{shown}{times}"
