"""`sb.explain`: a model's gradient explained beside its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from symbackprop.explanation.blocks import Page
from symbackprop.explanation.explanation import Explanation, explanation_of
from symbackprop.explanation.json_document import explanation_json
from symbackprop.explanation.sections import explanation_page
from symbackprop.explanation.text import page_text
from symbackprop.lesson.text import DEFAULT_WIDTH
from symbackprop.pipeline import Model
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY


@dataclass(frozen=True)
class Report:
    """An explanation, and the ways to write it down."""

    explanation: Explanation

    def __repr__(self) -> str:
        return f"<Report {self.explanation.name}>"

    @cached_property
    def page(self) -> Page:
        """What it says, block by block."""
        return explanation_page(self.explanation)

    def text(self, width: int = DEFAULT_WIDTH) -> str:
        """As plain text."""
        return page_text(self.page, width)

    def json(self) -> str:
        """As JSON."""
        return explanation_json(self.explanation)


def explain(
    model: Model, wrt: Sequence[str] | None = None, sizes: Mapping[str, int] = MappingProxyType({})
) -> Report:
    """Explain the gradient of a model's loss by the tensors in `wrt`, by default every parameter.

    The module is verified first, as `generate` does, so that line numbers are those of the file that it
    writes. Costs are stated and measured at `sizes`, which maps open axes to their sizes; others are 32.
    Raises what `derive` raises, MismatchError, and NotationError for a size that is none of the model's.
    """
    derived = model.derive(wrt)
    module = numpy_module(derived.program).printed(derived.verification)
    return Report(explanation_of(derived.derivation, module, NUMPY, sizes))
