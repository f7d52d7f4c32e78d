"""What a lesson says of recurrences: which way their adjoints are worked out, and at which steps."""

import pytest

from symbackprop import loads
from symbackprop.languages.language import Language
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.text import document_text
from symbackprop.plotting.network_layout import network_layout

HEAD = "index s : S\nindex t : T\nindex i, k : I\ninput x[t,i]\nparam W[i,k], a[i]\n"
LOSS = "\nloss E = sum(t, i, sin(h[t,i]))"
GATED = (
    HEAD
    + "c[t,i] = a[i]*pad(c[t-1,i]) + tanh(sum(k, W[i,k]*pad(h[t-1,k])) + x[t,i])\nh[t,i] = exp(-c[t,i]^2)"
    + LOSS
)
LATER = HEAD + "h[t,i] = tanh(sum(k, W[i,k]*pad(h[t+1,k])) + a[i]*x[t,i])" + LOSS
TWO_STEPS = HEAD + "h[t,i] = tanh(sum(k, W[i,k]*pad(h[t-1,k])) + a[i]*pad(h[t-2,i]) + x[t,i])" + LOSS
NONE = HEAD + "h[t,i] = tanh(sum(k, W[i,k]*x[t,k]) + a[i])" + LOSS


def said(text, language=Language.ENGLISH):
    document = derivation_document(loads(text, "model").derive().derivation, language=language)
    return " ".join(document_text(document).split())


@pytest.mark.parametrize(
    ("text", "chain", "direction"),
    [
        (
            GATED,
            "dE/dc[t] = (dE/dc[t + 1])(dc[t + 1]/dc[t]) + (dE/dh[t])(dh[t]/dc[t])",
            "read one another at a later t, so they are worked out together, from the last t back to",
        ),
        (
            LATER,
            "(dE/du_h[t - 1])(du_h[t - 1]/dh[t])",
            "at an earlier t, so it is worked out from the first",
        ),
        # At two distances at once there is no one step to be named.
        (TWO_STEPS, "(dE/du_h)(du_h/dh)", "at a later t, so it is worked out from the last t"),
    ],
)
def test_a_recurrence_is_said_to_be_one(text, chain, direction):
    page = said(text)
    assert chain in page and direction in page
    assert "found below: it is that of another step" in page


def test_without_one_nothing_is_said_of_steps():
    page = said(NONE)
    assert "dE/dW = (dE/du_h)(du_h/dW)" in page
    assert "found below" not in page and "worked out from" not in page


def test_it_is_said_in_japanese():
    page = said(GATED, Language.JAPANESE)
    assert "通時的誤差逆伝播法" in page and "下で求める" in page


@pytest.mark.parametrize(
    ("text", "steps"),
    [(GATED, ["t - 1", "t - 1"]), (LATER, ["t + 1"]), (TWO_STEPS, ["t - 1, t - 2"]), (NONE, [])],
)
def test_a_drawing_has_an_arrow_back_for_what_is_read_of_another_step(text, steps):
    layout = network_layout(loads(text, "model").derive().derivation)
    assert sorted(arrow.label for arrow in layout.step_arrows) == steps
    for arrow in layout.step_arrows:
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in arrow.curve)
        assert not any(_lies_in(point, box) for point in arrow.curve for box in layout.boxes)


def _lies_in(point, box):
    return box.x < point[0] < box.x + box.width and box.y < point[1] < box.y + box.height
