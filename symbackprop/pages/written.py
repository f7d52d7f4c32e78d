"""A derivation, what it consists of in its model's symbols, and the ways to write it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.derivation.result import Derivation
from symbackprop.languages.columns import DEFAULT_WIDTH
from symbackprop.languages.language import Language
from symbackprop.lesson.detail import Steps
from symbackprop.lesson.json_document import derivation_json, result_json
from symbackprop.lesson.latex_document import NO_SYMBOLS, Symbols, derivation_latex, result_latex
from symbackprop.lesson.lesson import derivation_document, result_by_blocks
from symbackprop.lesson.markdown import derivation_markdown, result_markdown
from symbackprop.lesson.text import document_text, equations_text
from symbackprop.notation.faces import Summary, counted
from symbackprop.pages.gradient import Gradient, gradients_of
from symbackprop.pages.of_model import ModelEquation, ModelStep, equations_of_gradient, steps_of_gradient


@dataclass(frozen=True, repr=False)
class Written(Summary):
    """A derivation as text, LaTeX, Markdown and JSON, and its equations and steps one by one."""

    derivation: Derivation

    @property
    def summary(self) -> str:
        """The model's name, how many gradients there are and how many steps led to them."""
        steps, gradients = counted(len(self.steps), "step"), counted(len(self.derivation.wrt), "gradient")
        return f"{self.derivation.system.name}: {gradients}, {steps}"

    @cached_property
    def gradients(self) -> Mapping[str, Gradient]:
        """Name of each tensor asked for to the equation of its gradient."""
        return gradients_of(self.derivation)

    @cached_property
    def equations(self) -> tuple[ModelEquation, ...]:
        """The gradient's equations, deltas before what reads them; str() of each is its formula."""
        return equations_of_gradient(self.derivation)

    @cached_property
    def steps(self) -> tuple[ModelStep, ...]:
        """Every step that a formula shows, in order: .rule.name, .rule.statement, .before, .after."""
        return steps_of_gradient(self.derivation)

    def text(self, width: int = DEFAULT_WIDTH, steps: str = "all", lang: str = "en") -> str:
        """The derivation as plain text; `steps` are "all", "main" or "result", `lang` "en" or "ja"."""
        return document_text(derivation_document(self.derivation, Steps(steps), Language(lang)), width)

    def latex(
        self, standalone: bool = True, steps: str = "all", symbols: Symbols = NO_SYMBOLS, lang: str = "en"
    ) -> str:
        """The derivation as a LaTeX document, or its body alone; `steps` are "all", "main" or "result"."""
        return derivation_latex(self.derivation, standalone, Steps(steps), symbols, Language(lang))

    def markdown(self, steps: str = "all", lang: str = "en") -> str:
        """The derivation as Markdown with LaTeX formulas."""
        return derivation_markdown(self.derivation, Steps(steps), Language(lang))

    def json(self) -> str:
        """The derivation as JSON, every step by itself."""
        return derivation_json(self.derivation)

    def result_text(self) -> str:
        """The gradient's equations alone, one a line, each after those that it reads."""
        return equations_text(result_by_blocks(self.derivation))

    def result_latex(self) -> str:
        """The gradient's equations as one LaTeX display."""
        return result_latex(self.derivation)

    def result_markdown(self) -> str:
        """The gradient's equations as Markdown."""
        return result_markdown(self.derivation)

    def result_json(self) -> str:
        """The gradient's equations as JSON."""
        return result_json(self.derivation)
