"""`sb.explain`: a model's gradient explained beside its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from symbackprop.emission.printed import PrintedModule
from symbackprop.explanation.blocks import Page
from symbackprop.explanation.explanation import Explanation, explanation_of
from symbackprop.explanation.json_document import explanation_json
from symbackprop.explanation.sections import explanation_page
from symbackprop.explanation.text import page_text
from symbackprop.languages.columns import DEFAULT_WIDTH
from symbackprop.languages.language import Language
from symbackprop.pages.page import derivation_html as derivation_page
from symbackprop.pages.page import explanation_html
from symbackprop.pipeline import Model, ModelDerivation
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY


@dataclass(frozen=True)
class Report:
    """An explanation, and the ways to write it down."""

    explanation: Explanation

    def __repr__(self) -> str:
        return f"<Report {self.explanation.name}>"

    def page(self, lang: str = "en") -> Page:
        """What it says, block by block, in English ("en") or Japanese ("ja")."""
        return explanation_page(self.explanation, Language(lang))

    def text(self, width: int = DEFAULT_WIDTH, lang: str = "en") -> str:
        """As plain text."""
        return page_text(self.page(lang), width)

    def html(self, lang: str = "en") -> str:
        """As one page of HTML, which needs no network and reads without a script."""
        return explanation_html(self.explanation, Language(lang))

    def json(self) -> str:
        """As JSON."""
        return explanation_json(self.explanation)


def explain(
    model: Model, wrt: str | Sequence[str] | None = None, sizes: Mapping[str, int] = MappingProxyType({})
) -> Report:
    """Explain the gradient of a model's loss by the tensors in `wrt`, by default every parameter.

    The module is verified first, as `generate` does, so that line numbers are those of the file that it
    writes. Costs are stated and measured at `sizes`, which maps open axes to their sizes; others are 32.
    Raises what `derive` raises, MismatchError, and NotationError for a size that is none of the model's.
    """
    derived = model.derive(wrt)
    return Report(explanation_of(derived.derivation, _module(derived), NUMPY, sizes))


def derivation_html(derived: ModelDerivation, result: bool = False, lang: str = "en") -> str:
    """A derivation, or its result alone, beside its module, which is verified first, as one page of HTML."""
    return derivation_page(derived.derivation, _module(derived), result, Language(lang))


def _module(derived: ModelDerivation) -> PrintedModule:
    return numpy_module(derived.program).printed(derived.verification)
