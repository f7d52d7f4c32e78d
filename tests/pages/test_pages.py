import re
from functools import cache
from html.parser import HTMLParser

import pytest

from symbackprop import loads
from symbackprop.cli.main import run
from symbackprop.emission.environment import template_folder
from symbackprop.pages.links import links_of
from symbackprop.pages.network import network_svg
from symbackprop.pages.page import derivation_html, explanation_html
from symbackprop.pages.plot import cost_plot
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role
from symbackprop.targets.numpy.module import numpy_module
from tests.explanation.explained import EXAMPLES, explained

VOID = {"meta", "link", "br"}
NAMES = ("seed", "recurrent", "classics/batch_norm_input_alone")


@cache
def page(kind: str, name: str) -> str:
    explanation = explained(name)
    if kind == "explain":
        return explanation_html(explanation)
    return derivation_html(explanation.derivation, explanation.computations.module)


@pytest.fixture(params=[(kind, name) for kind in ("explain", "derive") for name in NAMES], ids="-".join)
def html(request):
    """Every page in turn."""
    return page(*request.param)


class Reader(HTMLParser):
    """Collects ids, links and attributes; holds every tag against its end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.data: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[key] for key in ("href", "src") if key in found]
        self.data += [(key, found[key]) for key in ("data-t", "data-l") if key in found]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


def test_no_line_begins_with_the_stop_behind_a_formula(html):
    assert 'class="whole"' in html
    assert not re.search(
        r"</math>[.,;:)\u3002\u3001](?!</span>)", re.sub(r"</math>([.,;:)]+)</span>", "", html)
    )


def test_a_page_is_one_file_whose_links_resolve(html):
    found = read(html)
    assert len(found.ids) == len(set(found.ids))
    assert all(link.startswith(("#", "data:,")) for link in found.links)
    assert {link[1:] for link in found.links if link.startswith("#")} <= {*found.ids, ""}
    assert "http" not in re.sub(r"(?s)<pre>.*?</pre>", "", html)


def test_every_line_of_the_module_stands_on_the_page(html):
    text = re.sub(r"<[^>]*>", "", html)
    numbered = [each for each in read(html).ids if re.fullmatch(r"L\d+", each)]
    assert numbered == [f"L{number}" for number in range(1, len(numbered) + 1)]
    assert "def value_and_grad(" in text and "sha256" in text


def test_names_and_lines_that_are_linked_exist(html):
    found = read(html)
    lines = {number for key, numbers in found.data if key == "data-l" for number in numbers.split()}
    assert lines and {f"L{number}" for number in lines} <= set(found.ids)


def test_a_term_leads_to_its_line_and_the_line_back():
    html = page("explain", "seed")
    module = explained("seed").computations.module.text.splitlines()
    number = module.index("    delta2 = y - d") + 1
    assert f'id="t-delta2" class="term" href="#L{number}" data-t="delta2" data-l="{number}"' in html
    names = re.search(rf'id="L{number}" data-t="([^"]*)"', html)[1].split()
    assert names == ["delta_y", "delta2"] or set(names) == {"delta2", "delta_y"}  # dE/dy is worked into it
    assert '<a class="number" href="#t-delta2"' in html or 'href="#t-delta_y"' in html


def test_what_a_user_typed_is_escaped():
    derived = loads("param w, v\nz = where(w < v and v > 0, w, v)\nloss E = z^2", "less").derive()
    html = derivation_html(derived.derivation, numpy_module(derived.program).printed())
    read(html)
    assert "# z = where(w &lt; v and v &gt; 0, w, v)" in html


def test_the_plot_shows_each_way_and_needs_an_open_axis():
    explanation = explained("seed")
    plot = cost_plot(explanation.derivation.model, explanation.ways)
    assert plot.count("<polyline") == 3 and "backpropagation" in plot
    declared = loads("index i : I = 3\nparam w[i]\nloss E = sum(i, w[i]^2)").system
    assert cost_plot(declared, explanation.ways) == ""


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read_in_both_themes(theme):
    style = (template_folder() / "html" / "style.css.j2").read_text()
    colours = dict(re.findall(r"--(\w+): (#\w+);", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[theme]))
    for ink in ("ink", "quiet", "link", "delta", "string", "key"):
        for ground in ("ground", "panel", *(["mark"] if ink == "ink" else [])):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert contrast("#777", "#fff") < 4.5  # the measure tells


@pytest.mark.parametrize("arguments", [["derive"], ["derive", "--result"], ["explain", "--size", "J=2"]])
def test_the_commands_write_pages(arguments, capsys):
    name, *options = arguments
    assert run([name, str(EXAMPLES / "seed_single.model"), *options, "--format", "html"]) == 0
    html = capsys.readouterr().out
    read(html)
    assert html.startswith("<!doctype html>") and "Verified before it was written" in html


@pytest.mark.parametrize("name", [*NAMES, "branches"])
def test_the_network_has_a_box_for_every_equation_and_none_covers_another(name):
    derivation = explained(name).derivation
    svg = network_svg(derivation, links_of(explained(name).chain_rule))
    boxes = [
        tuple(map(float, each))
        for each in re.findall(r'<rect x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', svg)
    ]
    shown = {tensor.name for tensor in derivation.system.with_role(Role.INPUT, Role.TARGET, Role.DERIVED)}
    assert len(boxes) == len(shown)
    assert all(f">{text(derivation.system.tensors[each].element)}<" in svg for each in shown)
    for place, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[place + 1 :]:
            assert x + width <= left or left + wide <= x or y + height <= top or top + high <= y


def test_an_arrow_that_passes_a_row_goes_around_its_boxes():
    explanation = explained("classics/batch_norm_input_alone")
    svg = network_svg(explanation.derivation, links_of(explanation.chain_rule))
    # x to mu, v and xhat, mu to v and xhat, v to s, s to xhat, xhat to y, y to E.
    assert svg.count('class="edge"') == 9
    around = [path for path in re.findall(r'd="(M[^"]*)"', svg) if path.count("C") == 2]
    assert len(around) == 3  # x to v, x to xhat, mu to xhat
    boxes = re.findall(r'<rect x="(.*?)" y=".*?" width="(.*?)"', svg)
    passed = max(float(x) + float(width) for x, width in boxes[:4])
    assert all(max(map(float, re.findall(r"C\S+ \S+ (\S+)", path))) > passed for path in around)


def test_an_arrow_leads_from_what_is_read_but_not_from_another_step():
    explanation = explained("recurrent")
    svg = network_svg(explanation.derivation, links_of(explanation.chain_rule))
    # x to u, u to h, h to y, y and d to E; h is read by u at the step before.
    assert svg.count('class="edge"') == 5


def test_a_line_of_code_leads_to_its_step_and_not_to_the_model_in_front():
    page = explanation_html(explained("seed"))
    assert page.count('id="t-u1"') == 1 and page.index('id="t-u1"') > page.index('class="step"')
    assert page.index('href="#L') < page.index('class="step"')  # the model's equations lead to lines, too
