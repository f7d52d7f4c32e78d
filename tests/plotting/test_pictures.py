"""Pictures as files: legible, the same to the byte, and refused with a reason."""

import importlib
import re
from itertools import pairwise
from xml.dom.minidom import parseString

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.text import Text

import symbackprop as sb
from symbackprop.cli import plot
from symbackprop.cli.main import run
from symbackprop.languages.language import Language
from symbackprop.plotting import canvas
from symbackprop.plotting.canvas import COLOURS, INK, Picture, family_for
from tests.explanation.explained import EXAMPLES

SEED = sb.load(EXAMPLES / "seed.model")
TINY = "index i : I\nparam x[i]\ny[i] = tanh(x[i])\nloss E = sum(i, y[i]^2)\n"


def luminance(colour: str) -> float:
    """Relative, of WCAG 2.1."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def drawn(picture: Picture) -> RendererAgg:
    """What knows how large words are."""
    canvas = FigureCanvasAgg(picture.figure)
    canvas.draw()
    return canvas.get_renderer()


def test_lines_and_words_stand_out_from_white():
    assert all(1.05 / (luminance(colour) + 0.05) > 3 for colour in COLOURS)  # graphics
    assert 1.05 / (luminance(INK) + 0.05) > 7  # text


def test_words_of_a_chart_do_not_touch_one_another():
    picture = sb.plot_steps(sb.loads(TINY))
    (axes,) = picture.figure.axes
    renderer = drawn(picture)
    boxes = [label.get_window_extent(renderer) for label in axes.get_xticklabels()]
    inside = picture.figure.bbox
    assert all(not one.overlaps(other) for one, other in pairwise(boxes))
    assert axes.title.get_window_extent(renderer).width < inside.width
    assert [line.get_label().partition(",")[0] for line in axes.lines[:3]] == [
        "forward difference",
        "central difference",
        "complex step",
    ]


def test_words_of_the_network_stay_inside_their_boxes():
    picture = sb.plot_network(SEED)
    (axes,) = picture.figure.axes
    renderer = drawn(picture)
    frames = [patch.get_window_extent(renderer) for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    words = [text.get_window_extent(renderer) for text in axes.texts]
    assert len(frames) == 7 and {text.get_text() for text in axes.texts} >= {"u1[b,j]", "delta2 = dE/du2"}
    for each in words:
        assert any(
            frame.x0 <= each.x0 and each.x1 <= frame.x1 and frame.y0 <= each.y0 and each.y1 <= frame.y1
            for frame in frames
        )


def test_the_same_picture_is_the_same_to_the_byte(tmp_path):
    model = sb.loads(TINY, "tiny")
    first, second = (sb.plot_jacobian(model) for _ in range(2))
    assert first.bytes_as("svg") == second.bytes_as("svg")
    first.save(tmp_path / "j.svg")
    assert parseString((tmp_path / "j.svg").read_bytes()).documentElement.tagName == "svg"
    document = first.bytes_as("pdf")
    assert document.startswith(b"%PDF") and b"CreationDate" not in document
    assert first._repr_png_().startswith(b"\x89PNG")


def test_costs_need_an_open_axis():
    with pytest.raises(sb.NotationError, match="every axis of 'one' has a size"):
        sb.plot_costs(sb.loads("param a\nloss E = a^2", "one"))
    assert isinstance(sb.plot_costs(sb.loads(TINY)), Picture)


# ---- in Japanese


@pytest.mark.skipif(
    family_for(Language.JAPANESE) is None,
    reason="no font with Japanese letters is on this machine (Debian's texlive-lang-japanese: make tools)",
)
@pytest.mark.parametrize(
    "draw", [sb.plot_network, sb.plot_steps, sb.plot_losses, sb.plot_jacobian, sb.plot_costs]
)
def test_a_picture_leaves_nothing_in_english(draw):
    # A letter that no font has is a warning, and so an error here.
    picture = draw(SEED, lang="ja")
    drawn(picture)
    said = [text.get_text() for text in picture.figure.findobj(Text)]
    assert any(not text.isascii() for text in said)
    assert not [text for text in said if re.search("[A-Za-z]{2,} [a-z]{2,}", text)]
    first, again = (draw(SEED, lang="ja").bytes_as("svg") for _ in range(2))
    assert first == again


def test_without_a_font_the_words_are_english(monkeypatch):
    monkeypatch.setattr(canvas, "family_for", lambda language: None)
    assert canvas.shown_in("ja") is Language.ENGLISH


# ---- the command


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.model"
    path.write_text(TINY)
    return path


@pytest.mark.parametrize("kind", ["network", "losses", "jacobian"])
def test_every_kind_writes_a_file(tiny, tmp_path, capsys, kind):
    assert run(["plot", kind, str(tiny), "-o", str(tmp_path / "out.png"), "--size", "I=2"]) == 0
    assert capsys.readouterr().err == f"wrote {tmp_path / 'out.png'}\n"
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_standard_output_gets_svg(tiny, capsys):
    assert run(["plot", "network", str(tiny)]) == 0
    assert parseString(capsys.readouterr().out).documentElement.tagName == "svg"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("network", "-o", "out.gif"), "out.gif does not say which kind of picture it is"),
        (("losses", "--rate", "0.1,fast"), "'0.1,fast' is no rate"),
        (("jacobian", "--of", "x"), "'x' is computed from no input and no parameter"),
        (("jacobian", "--of", "nix"), "no tensor named 'nix'"),
        (("losses", "--data", str(EXAMPLES / "seed.model")), "is no file of arrays that can be read"),
        (("losses", "--data", "nowhere.npz"), "is no file of arrays that can be read"),
    ],
)
def test_what_cannot_be_drawn_is_said(tiny, capsys, arguments, message):
    kind, *options = arguments
    assert run(["plot", kind, str(tiny), *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""


def test_a_file_of_arrays_is_descended_on(tiny, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", x=np.zeros(3))
    options = ("--data", str(tmp_path / "data.npz"), "-o", str(tmp_path / "out.svg"))
    assert run(["plot", "losses", str(tiny), *options]) == 0
    assert (tmp_path / "out.svg").read_text() != sb.plot_losses(sb.loads(TINY)).bytes_as("svg").decode()


def test_without_matplotlib_the_extra_is_named(tiny, capsys, monkeypatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")

    monkeypatch.setattr(plot.importlib, "import_module", missing)
    with pytest.raises(sb.EmissionError, match=r"pip install 'symbackprop\[plot\]'"):
        plot._pictures()
    monkeypatch.undo()
    assert importlib.import_module("symbackprop.reports.pictures")
