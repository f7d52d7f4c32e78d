"""Pages in headless Chromium: nothing overflows, names and lines highlight each other, no script is needed.

One start of the browser shows a frame for each question; what they answer is written into the document.
"""

import html
import json
import re
import shutil
import subprocess

import pytest

from symbackprop.pages.page import explanation_html
from tests.explanation.explained import explained
from tests.processes import SECONDS_ON_THE_CLOCK

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium (apt-get install chromium)")

WIDTHS = {"wide": 1400, "tablet": 800, "phone": 360}
HARNESS = """<!doctype html><meta charset="utf-8"><title>frames</title><body>{frames}
<script>
const answers = {{}};
function look(frame) {{
  const page = frame.contentDocument, line = (name) => page.querySelector(`.line[data-t~="${{name}}"]`);
  const on = (node) => node.classList.contains("on");
  const found = {{overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth}};
  const term = page.getElementById("t-delta2"), number = line("delta2").querySelector("a.number");
  term.focus();
  found.termMarksLine = on(line("delta2")) && !on(line("grad_W2"));
  number.focus();
  found.lineMarksTerm = on(term) && !on(page.getElementById("t-grad_W2"));
  number.blur();
  found.clears = page.querySelectorAll(".on").length === 0;
  const reached = [...page.querySelectorAll("a, summary, [tabindex]")].every((node) => node.tabIndex >= 0);
  found.reachedByKeyboard = reached;
  const fold = page.querySelector("nav button"), parts = [...page.querySelectorAll("main details")];
  if (fold) {{
    fold.click();
    found.folds = parts.every((part) => !part.open);
    fold.click();
    found.unfolds = parts.every((part) => part.open);
  }}
  const words = page.body.innerText;
  found.words = words.includes("delta2 = y - d") && words.includes("is computed once");
  found.target = frame.contentWindow.getComputedStyle(page.querySelector("#L1")).backgroundColor;
  found.marked = frame.contentWindow.getComputedStyle(line("delta2")).backgroundColor;
  answers[frame.id] = found;
}}
window.addEventListener("load", () => {{
  for (const frame of document.querySelectorAll("iframe")) look(frame);
  console.log("the harness is heard");
  document.body.dataset.answers = JSON.stringify(answers);
}});
</script>"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    page = explanation_html(explained("seed"))
    number = re.search(r'id="t-delta2" class="term" href="#L(\d+)"', page)[1]
    (folder / "page.html").write_text(page)
    (folder / "plain.html").write_text(re.sub(r"(?s)<script>.*?</script>", "", page))
    frames = "".join(
        f'<iframe id="{name}" src="page.html" width="{width}" height="700"></iframe>'
        for name, width in WIDTHS.items()
    )
    frames += f'<iframe id="plain" src="plain.html#L{number}" width="900" height="700"></iframe>'
    (folder / "frames.html").write_text(HARNESS.format(frames=frames))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    logged = [
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=4000",
    ]
    command = [BROWSER, *flags, *logged, "--dump-dom", (folder / "frames.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_ON_THE_CLOCK, check=False)
    found = re.search(r'data-answers="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    messages = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return json.loads(html.unescape(found[1])), messages


@pytest.mark.parametrize("frame", WIDTHS)
def test_nothing_overflows_and_both_sides_highlight(answers, frame):
    found = answers[0][frame]
    assert found["overflow"] <= 0
    assert found["termMarksLine"] and found["lineMarksTerm"] and found["clears"]
    assert found["reachedByKeyboard"] and found["folds"] and found["unfolds"]


def test_without_a_script_the_page_reads_and_a_link_marks_its_line(answers):
    found = answers[0]["plain"]
    assert found["words"] and not found["termMarksLine"]
    assert found["marked"] != found["target"]


def test_the_console_stays_silent_but_for_the_harness(answers):
    assert len(answers[1]) == 1 and "the harness is heard" in answers[1][0]
