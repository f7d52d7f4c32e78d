"""The comments of a model's text stand above the lines that compute what they are about."""

from __future__ import annotations

from itertools import pairwise

import pytest

from symbackprop.emission.sections import sections_in
from symbackprop.pipeline import loads
from tests.programs import lower_system, numpy_source

TWO = """# Two layers.
index n : N
index i, j : I
# What comes in.
input x[n,i]
param W1[i,j], W2[i,j]

# The first layer,
# a dense one.
u1[n,i] = sum(j, W1[i,j]*x[n,j])
z1[n,i] = tanh(u1[n,i])

# The second.
u2[n,i] = sum(j, W2[i,j]*z1[n,j])  # not this

z2[n,i] = tanh(u2[n,i])
# The end.
loss E = sum(n, i, z2[n,i]^2)
"""
FIRST = "    # The first layer,\n    # a dense one."


def comments(source: str) -> list[str]:
    """The comments that stand below an empty line."""
    pairs = pairwise(source.splitlines())
    return [line.strip("# ") for before, line in pairs if not before and line.startswith("    #")]


def test_comments_stand_above_the_equations_and_on_the_way_back_above_their_adjoints():
    source = loads(TWO).derive().to_numpy()
    back = ["On the way back: The second.", "On the way back: The first layer,"]
    assert comments(source) == ["The first layer,", "The second.", "The end.", *back]
    assert f"\n\n{FIRST}\n    # u1[n,i] = " in source
    assert "# On the way back: The second.\n    # grad_W2[i,j] = " in source
    assert "# On the way back: The first layer,\n    # a dense one.\n    # delta1[n,i] = " in source
    assert "What comes in" not in source and "Two layers" not in source and "not this" not in source


def test_a_section_ends_at_an_empty_line_and_begins_at_an_equation():
    starts = {10, 11, 14, 16, 18}
    found = sections_in(TWO, starts)
    assert {number: section.comment[0] for number, section in found.items()} == {
        10: "The first layer,",
        11: "The first layer,",
        14: "The second.",
        18: "The end.",
    }


@pytest.mark.parametrize(
    "text",
    [
        "# これは\ny[i] = x[i]^2\nz = sum(i, y[i])",  # code is ASCII
        "#\ny[i] = x[i]^2\nz = sum(i, y[i])",
        "# Squares.\n\ny[i] = x[i]^2\nz = sum(i, y[i])",  # above nothing
    ],
)
def test_other_comments_are_left_out(text: str):
    source = numpy_source(lower_system(loads(f"index i : I\ninput x[i]\n{text}\n").system))
    assert not comments(source)
    assert source.isascii()


def test_a_section_whose_lines_are_apart_has_no_heading():
    text = "index i : I\ninput x[i]\n# {}.\n{}\n# {}.\n{}\nloss E = y + z\n"
    first, second = "y = sum(i, a[i])\nb[i] = a[i]^2", "a[i] = sin(x[i])\nz = sum(i, b[i])"
    model = loads(text.format("Above", first, "Below", second))
    assert comments(numpy_source(lower_system(model.system))) in ([], ["Above."])


def test_a_long_comment_is_wrapped_and_one_within_a_block_stays():
    layer = (
        "# Layer {l}.\nu{l}[i] = sin({x}[i])\nv{l}[i] = exp(u{l}[i])*{x}[i]\n"
        "w{l}[i] = tanh(v{l}[i]) + u{l}[i]\n"
        "# The half of it.\na{l}[i] = cos(w{l}[i])*v{l}[i]\nb{l}[i] = exp(a{l}[i]) + w{l}[i]\n"
        "c{l}[i] = b{l}[i]*a{l}[i]\nd{l}[i] = sin(c{l}[i])/2\ny{l}[i] = d{l}[i] + {x}[i]\n"
    )
    text = "index i : I\ninput x[i]\n" + layer.format(l=1, x="x") + layer.format(l=2, x="y1")
    text = text.replace("# Layer 1.", f"# {'A long layer. ' * 10}")
    source = numpy_source(lower_system(loads(text + "loss E = sum(i, y2[i])\n").system))
    assert max(map(len, source.splitlines())) <= 110
    assert [each.partition(".")[0] for each in comments(source)] == [
        "The half of it",
        "A long layer",
        "Layer 2",
    ]
    assert source.count("    # The half of it.") == 1
    assert "\n\n    # Layer 2.\n    y2 = _block(y1)\n" in source
