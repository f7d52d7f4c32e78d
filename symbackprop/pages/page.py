"""Whole pages: a derivation, or an explanation, beside its code in one file that needs no network."""

from __future__ import annotations

from html import escape

from symbackprop.derivation.result import Derivation
from symbackprop.emission.environment import render
from symbackprop.emission.printed import PrintedModule
from symbackprop.explanation.chain_rule import ChainRule
from symbackprop.explanation.computations import Computations
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.sections import explanation_page, page_title
from symbackprop.lesson.lesson import derivation_document, result_document
from symbackprop.pages.blocks import Section, sections_of
from symbackprop.pages.code_panel import code_panel
from symbackprop.pages.links import Links, links_of
from symbackprop.pages.network import network_svg
from symbackprop.pages.plot import cost_plot
from symbackprop.pages.writing import Writer

MOST_DRAWN = 80  # equations of a network that is drawn


def derivation_html(derivation: Derivation, module: PrintedModule, result: bool = False) -> str:
    """The derivation, step by step, or its result alone, beside the module that computes the gradient."""
    chain_rule = ChainRule(derivation, Computations.of(module))
    links = links_of(chain_rule)
    document = result_document(derivation) if result else derivation_document(derivation)
    sections = sections_of(document.blocks, Writer.of(derivation, links))
    return _page(page_title(derivation), sections, chain_rule, links)


def explanation_html(explanation: Explanation) -> str:
    """What the code computes, line by line, what it keeps and costs, beside the module."""
    links = links_of(explanation.chain_rule)
    page = explanation_page(explanation)
    sections = sections_of(page.blocks, Writer.of(explanation.derivation, links))
    plot = cost_plot(explanation.derivation.model, explanation.ways)
    last = sections[-1]
    sections[-1] = Section(last.title, last.body + plot, last.parts)
    return _page(page.title, sections, explanation.chain_rule, links)


def _page(title: str, sections: list[Section], chain_rule: ChainRule, links: Links) -> str:
    derivation, computations = chain_rule.derivation, chain_rule.computations
    before, code, after = code_panel(computations, links)
    drawn = len(derivation.system.equations) <= MOST_DRAWN
    return render(
        "html/page.html.j2",
        title=escape(title),
        model=escape(derivation.system.name),
        sections=sections,
        network=network_svg(derivation, links) if drawn else "",
        before=before,
        code=code,
        after=after,
    )
