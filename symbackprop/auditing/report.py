"""What an audit says: a verdict, what is wrong and what to do about it, what was compared, conventions."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass

from symbackprop.languages.columns import columns, padded
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, marked, phrase, text_in
from symbackprop.lesson.tables import Table, Tabular

SHOULD_BE, REMEDY = marked("should be: {said}"), marked("remedy: {said}")
CODES = {"right": 0, "wrong": 1, "imprecise": 1, "partly right": 3, "unknown": 3}


class Verdict(enum.Enum):
    """What is said of the whole."""

    RIGHT = "right"
    WRONG = "wrong"
    IMPRECISE = "imprecise"
    PARTLY = "partly right"  # as far as it was compared
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, of which `kind`, and its remedy.

    `tensor` is the one whose gradient shows it first, `line` that of the code (0 where there is none);
    `expected` is the formula that should have been computed.
    """

    tensor: str
    kind: str
    message: str
    remedy: str = ""
    expected: str = ""
    line: int = 0


@dataclass(frozen=True)
class Compared:
    """A gradient that was held against the derivation's: how, on which sizes, with which largest error."""

    tensor: str
    method: str
    is_right: bool
    error: float = 0.0


@dataclass(frozen=True, repr=False)
class AuditReport(Tabular):
    """The findings, first in the order of the computation first, and what they rest on.

    `conventions` are differences that are no fault: a mean for a sum, another layout, another choice at a
    kink. `remarks` say what was tried, on which sizes and to what tolerance. `answer` is what the verdict is
    called where it is not by its own name.
    """

    subject: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    compared: tuple[Compared, ...] = ()
    conventions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    answer: str = ""

    @property
    def summary(self) -> str:
        """What was audited, the verdict, and the first thing that is wrong."""
        return ": ".join([self.subject, self.said, *(each.message for each in self.findings[:1])])

    @property
    def table(self) -> Table:
        """A line for each gradient that was compared."""
        headings = (marked("tensor"), marked("compared with"), marked("worst relative error") + ">", "")
        rows = [
            (each.tensor, each.method, f"{each.error:.1e}", "ok" if each.is_right else "WRONG")
            for each in self.compared
        ]
        return Table(headings, tuple(rows))

    @property
    def exit_code(self) -> int:
        """0 right, 1 wrong or imprecise, 3 right as far as it was compared, or unknown."""
        return CODES[self.verdict.value]

    @property
    def said(self) -> str:
        """The answer in capitals."""
        return (self.answer or self.verdict.value).upper()

    def text(self, lang: str = "en") -> str:
        """A few lines that say it, then the detail; the verdicts are the same in every language."""
        lines: list[Words] = [(self.subject, f": {self.said}")]
        for finding in self.findings:
            lines.append(("  ", finding.message))
            lines += [("    ", *phrase(SHOULD_BE, said=finding.expected))] if finding.expected else []
            lines += [("    ", *phrase(REMEDY, said=finding.remedy))] if finding.remedy else []
        lines += [("  ", *phrase("convention: {said}", said=each)) for each in self.conventions]
        lines += [("",), phrase("compared")] if self.compared else []
        language = Language(lang)
        tensors = [text_in(each.tensor, language) for each in self.compared]
        width = max(map(columns, tensors), default=0)
        for tensor, each in zip(tensors, self.compared, strict=True):
            verdict = "ok" if each.is_right else "WRONG"
            lines.append((f"  {padded(tensor, width)}  {verdict:<5}  {each.error:.1e}  ", each.method))
        lines += [("  ", remark) for remark in self.remarks]
        return "".join(f"{text_in(line, language)}\n" for line in lines)

    def json(self) -> str:
        """The first finding's keys on top, all findings below."""
        first = self.findings[0] if self.findings else None
        content = {
            "subject": self.subject,
            "verdict": self.verdict.value,
            **_keys(first),
            "findings": [_keys(each) for each in self.findings],
            "compared": [
                {"tensor": each.tensor, "method": each.method, "right": each.is_right, "error": each.error}
                for each in self.compared
            ],
            "conventions": list(self.conventions),
            "remarks": list(self.remarks),
        }
        return json.dumps(content, indent=2) + "\n"


def _keys(finding: Finding | None) -> dict[str, str | int | None]:
    if finding is None:
        return dict.fromkeys(("tensor", "line", "kind", "message", "expected", "remedy"))
    return {
        "tensor": finding.tensor,
        "line": finding.line or None,
        "kind": finding.kind,
        "message": finding.message,
        "expected": finding.expected,
        "remedy": finding.remedy,
    }
