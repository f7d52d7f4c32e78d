"""The text that a layer's options choose: `syntax/layer.lark` has the grammar of the alternatives.

Where the condition of a call does not hold, its argument stands alone: `{pad when padding > 0}(x[i])` is
pad(x[i]) or x[i].
"""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import value_text
from symbackprop.syntax.alternatives import Alternative, Body, Condition, OptionalCall, Part


def text_of(body: Body, values: Mapping[str, OptionValue]) -> str:
    """The text that the options choose."""
    return "".join([_text_of(part, values) for part in body])


def _text_of(part: Part, values: Mapping[str, OptionValue]) -> str:
    match part:
        case Alternative(indent, chosen, condition, otherwise):
            text = text_of(chosen if _holds(condition, values) else otherwise, values)
            return indent + text if text else ""
        case OptionalCall(indent, word, condition, argument):
            inner = text_of(argument, values)
            return f"{indent}{word}({inner})" if _holds(condition, values) else inner
    return part


def _holds(condition: Condition, values: Mapping[str, OptionValue]) -> bool:
    """Whether it does for these options."""
    value = values[condition.option]
    match condition.operator:
        case "==":
            return value_text(value) == condition.value
        case ">":
            return float(value) > float(condition.value)
    return bool(value) is not condition.is_negated
