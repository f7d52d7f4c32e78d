from xml.dom.minidom import parseString

import pytest

from symbackprop.accuracy.report import DigitsReport, DigitsRow
from symbackprop.lesson.tables import Table, table_html, table_latex, table_markdown
from symbackprop.verification.report import CheckReport, CheckRow, Control, Round

TABLE = Table(("tensor", "error>", ""), (("W_1", "1e-9", "ok | fine"), ("a<b", "2", "")))
ROWS = (CheckRow("W", "complex step", 1e-16, True, 4, 1), CheckRow("b", "complex step", 0.5, False, 2))


def test_a_table_in_markdown():
    assert table_markdown(TABLE).splitlines() == [
        "| tensor | error |  |",
        "| --- | ---: | --- |",
        r"| W\_1 | 1e-9 | ok \| fine |",
        r"| a\<b | 2 |  |",
    ]


def test_a_table_in_html():
    page = parseString(table_html(TABLE))
    cells = [cell.firstChild.data if cell.firstChild else "" for cell in page.getElementsByTagName("td")]
    assert cells == ["W_1", "1e-9", "ok | fine", "a<b", "2", ""]
    assert [cell.getAttribute("style")[12:] for cell in page.getElementsByTagName("th")] == [
        "left",
        "right",
        "left",
    ]


def test_a_table_in_latex():
    latex = table_latex(TABLE)
    assert latex.startswith("\\begin{array}{lrl}\n") and r"\text{W\_1} & \text{1e-9}" in latex
    assert table_latex(Table(("one",), ())) == (
        "\\begin{array}{l}\n\\text{one} \\\\\n\\hline\n\n\\end{array}"
    )


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (CheckReport("m", 0, (Round("r", {}, ROWS[:1]),)), "<CheckReport m: ok, 1 comparison>"),
        (CheckReport("m", 0, (Round("r", {}, ROWS),)), "<CheckReport m: WRONG, 2 comparisons>"),
        (
            CheckReport("m", 0, (Round("r", {}, ROWS[:1]),), Control(2, ("sign",))),
            "<CheckReport m: BLIND, 2 comparisons>",
        ),
        (CheckReport("m", 0, ()), "<CheckReport m: WRONG, 0 comparisons>"),
        (DigitsReport("m", 0, {}, (), ()), "<DigitsReport m: nothing measured>"),
        (
            DigitsReport("m", 0, {}, ("plain",), (DigitsRow("W", "float32", "plain", 1.0, 1e-7),)),
            "<DigitsReport m: WORSE>",
        ),
    ],
)
def test_a_report_is_a_line_and_a_table(report, line):
    assert repr(report) == str(report) == line
    rows = len(report.table.rows)
    assert report._repr_markdown_().count("\n| ") == rows + 2
    assert parseString(f"<p>{report._repr_html_()}</p>").getElementsByTagName("tr").length == rows + 1
    assert report._repr_latex_().startswith("$$\\begin{array}")
