"""An audit's report as a page: what is wrong beside the code, the lines marked."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from symbackprop.auditing.report import AuditReport, Finding
from symbackprop.emission.environment import render
from symbackprop.pages.blocks import Section


def audit_html(report: AuditReport, name: str = "", code: str = "") -> str:
    """The report in the frame of all pages; `code` is the audited file, `name` its name without `.py`."""
    wrong = {each.line for each in report.findings if each.line}
    lines = [_line(number, text, number in wrong) for number, text in enumerate(code.splitlines(), start=1)]
    return render(
        "html/page.html.j2",
        title=escape(f"{report.subject}: {report.said}"),
        model=escape(name),
        sections=list(_sections(report)),
        network="",
        before="",
        code="".join(lines),
        after="",
    )


def _sections(report: AuditReport) -> Iterator[Section]:
    if report.findings:
        yield Section("What is wrong", "\n".join(map(_finding, report.findings)))
    if report.conventions:
        yield Section("Conventions", _list(report.conventions))
    if report.compared:
        cells = [
            (each.tensor, "ok" if each.is_right else "WRONG", f"{each.error:.1e}", each.method)
            for each in report.compared
        ]
        rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in cells]
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        yield Section("What was compared", f'<div class="scroll"><table>{table}</table></div>')
    if report.remarks:
        yield Section("How", _list(report.remarks))


def _finding(finding: Finding) -> str:
    """The sentence, which leads to its line, the remedy and the formula."""
    message = escape(finding.message)
    linked = f'<a href="#L{finding.line}">{message}</a>' if finding.line else message
    parts = [f"<p>{linked}</p>"]
    parts += [f"<p>remedy: <code>{escape(finding.remedy)}</code></p>"] if finding.remedy else []
    parts += [f"<p>should be: <code>{escape(finding.expected)}</code></p>"] if finding.expected else []
    return "".join(parts)


def _list(sentences: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in sentences)}</ul>"


def _line(number: int, text: str, is_wrong: bool) -> str:
    wrong = " wrong" if is_wrong else ""
    mark = f'<span class="number">{number}</span>'
    return f'<span class="line{wrong}" id="L{number}">{mark}<code>{escape(text) or " "}</code></span>'
