"""An audit's report as a page: what is wrong beside the code, the lines marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from symbackprop.auditing.report import REMEDY, SHOULD_BE, AuditReport, Finding
from symbackprop.explanation.blocks import Code
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, in_language, phrase, text_in
from symbackprop.pages.blocks import Section
from symbackprop.pages.page import Frame, framed


def audit_html(
    report: AuditReport, name: str = "", code: str = "", language: Language = Language.ENGLISH
) -> str:
    """The report in the frame of all pages; `code` is the audited file, `name` its name without `.py`."""
    wrong = {each.line for each in report.findings if each.line}
    lines = [_line(number, text, number in wrong) for number, text in enumerate(code.splitlines(), start=1)]
    frame = Frame(f"{text_in(report.subject, language)}: {report.said}", name)
    return framed(frame, list(_sections(report, language)), ("", "".join(lines), ""), language)


def _sections(report: AuditReport, language: Language) -> Iterator[Section]:
    def said(words: Words | str) -> str:
        return escape(text_in(words, language))

    if report.findings:
        findings = "\n".join(_finding(each, language) for each in report.findings)
        yield Section(said(phrase("What is wrong")), findings)
    if report.conventions:
        yield Section(said(phrase("Conventions")), _list(map(said, report.conventions)))
    if report.compared:
        cells = [
            (said(each.tensor), "ok" if each.is_right else "WRONG", f"{each.error:.1e}", said(each.method))
            for each in report.compared
        ]
        rows = ["".join(f"<td>{cell}</td>" for cell in row) for row in cells]
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        yield Section(said(phrase("What was compared")), f'<div class="scroll"><table>{table}</table></div>')
    if report.remarks:
        yield Section(said(phrase("How")), _list(map(said, report.remarks)))


def _finding(finding: Finding, language: Language) -> str:
    """The sentence, which leads to its line, the remedy and the formula."""
    message = escape(text_in(finding.message, language))
    parts = [f'<p><a href="#L{finding.line}">{message}</a></p>' if finding.line else f"<p>{message}</p>"]
    for template, told in ((REMEDY, finding.remedy), (SHOULD_BE, finding.expected)):
        if told:
            words = in_language(phrase(template, said=Code(text_in(told, language))), language)
            parts.append(f"<p>{''.join(map(_part, words))}</p>")
    return "".join(parts)


def _part(part: str | Code) -> str:
    return f"<code>{escape(part.text)}</code>" if isinstance(part, Code) else escape(part)


def _list(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{each}</li>' for each in sentences)}</ul>"


def _line(number: int, text: str, is_wrong: bool) -> str:
    wrong = " wrong" if is_wrong else ""
    mark = f'<span class="number">{number}</span>'
    return f'<span class="line{wrong}" id="L{number}">{mark}<code>{escape(text) or " "}</code></span>'
