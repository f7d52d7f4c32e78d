"""Whole pages: a derivation, or an explanation, beside its code in one file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from symbackprop.derivation.result import Derivation
from symbackprop.emission.environment import render
from symbackprop.emission.printed import PrintedModule
from symbackprop.explanation.chain_rule import ChainRule
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.programs.computations import Computations
from symbackprop.explanation.sections import explanation_page, page_title
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, text_in, translated
from symbackprop.lesson.document_passes import with_signs_explained
from symbackprop.lesson.lesson import derivation_document, result_document
from symbackprop.lesson.signs import PAD
from symbackprop.pages.blocks import Section, sections_of
from symbackprop.pages.code_panel import code_panel
from symbackprop.pages.links import Links, links_of
from symbackprop.pages.network import network_svg
from symbackprop.pages.plot import cost_plot
from symbackprop.pages.writing import Writer

# What the frame of a page says around its sections.
_WORDS = {
    "fold_all": marked("fold all"),
    "unfold_all": marked("unfold all"),
    "contents": marked("Contents"),
    "network": marked("The network"),
    "code": marked("The code"),
    "before": marked("header, tables and helpers"),
    "after": marked("checks and start values"),
}
MOST_DRAWN = 80  # equations of a network that is drawn


def derivation_html(
    derivation: Derivation,
    module: PrintedModule,
    result: bool = False,
    language: Language = Language.ENGLISH,
) -> str:
    """The derivation, step by step, or its result alone, beside the module that computes the gradient."""
    chain_rule = ChainRule(derivation, Computations.of(module))
    links = links_of(chain_rule)
    whole = result_document(derivation) if result else derivation_document(derivation, language=language)
    document = with_signs_explained(whole, (PAD,))
    sections = sections_of(document.blocks, Writer.of(derivation, links, language))
    return _page(text_in(page_title(derivation), language), sections, chain_rule, links, language)


def explanation_html(explanation: Explanation, language: Language = Language.ENGLISH) -> str:
    """What the code computes, line by line, what it keeps and costs, beside the module."""
    links = links_of(explanation.chain_rule)
    page = explanation_page(explanation, language)
    writer = replace(Writer.of(explanation.derivation, links, language), has_steps=True)
    sections = sections_of(page.blocks, writer)
    plot = cost_plot(explanation.derivation.model, explanation.ways, language)
    last = sections[-1]
    sections[-1] = Section(last.title, last.body + plot, last.parts)
    return _page(page.title, sections, explanation.chain_rule, links, language)


def _page(
    title: str, sections: list[Section], chain_rule: ChainRule, links: Links, language: Language
) -> str:
    derivation, computations = chain_rule.derivation, chain_rule.computations
    before, code, after = code_panel(computations, links)
    drawn = len(derivation.system.equations) <= MOST_DRAWN
    frame = Frame(title, derivation.system.name, network_svg(derivation, links, language) if drawn else "")
    return framed(frame, sections, (before, code, after), language)


@dataclass(frozen=True)
class Frame:
    """What stands around a page's sections: its title, the model's name, a drawing."""

    title: str
    model: str
    network: str = ""


def framed(frame: Frame, sections: Sequence[Section], code: tuple[str, str, str], language: Language) -> str:
    """The whole page, the code before, within and after what it speaks of beside the sections."""
    before, within, after = code
    return render(
        "html/page.html.j2",
        lang=language.value,
        words={name: escape(translated(word, language)) for name, word in _WORDS.items()},
        title=escape(frame.title),
        model=escape(frame.model),
        sections=sections,
        network=frame.network,
        before=before,
        code=within,
        after=after,
    )
