"""A gallery shows of each model what it states, what was derived and what computes it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.dom.minidom import parseString

import pytest

from symbackprop.cli.main import run
from symbackprop.errors import EmissionError
from symbackprop.reports.gallery import MOST_EQUATIONS, Exhibit, exhibit, gallery

CLASSICS = Path(__file__).parents[2] / "examples" / "classics"
MODEL = "index i : I\ninput x[i], y[i]\nloss E = sum(i, x[i]*y[i]^2)\n"


def written(folder: Path, name: str, text: str = MODEL) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def least_squares() -> Exhibit:
    return exhibit(CLASSICS / "least_squares.model")


def test_a_page_has_the_model_its_picture_its_gradient_and_its_code(least_squares: Exhibit) -> None:
    page = gallery([least_squares])["least_squares.md"]
    assert page.startswith("# Least squares\n")
    for name in ("least_squares.model", "least_squares.published"):
        text = (CLASSICS / name).read_text(encoding="utf-8")
        assert text.partition("\n")[2].strip() in page
    picture = parseString(least_squares.picture)
    assert {each.firstChild.data for each in picture.getElementsByTagName("text")} >= {"X[b,i]", "E"}
    assert "grad_w = " in least_squares.code and "Verified before it was written" in least_squares.code
    ast.parse(re.search(r'```python title="least_squares.py"\n(.*?)```', page, re.DOTALL)[1])
    assert r"\frac{\partial E}{\partial w_{i}} &= " in page


def test_the_tensors_are_those_that_were_published(least_squares: Exhibit) -> None:
    published = (CLASSICS / "least_squares.published").read_text(encoding="utf-8")
    assert set(re.findall(r"^grad_(\w+)", published, re.MULTILINE)) == set(
        re.findall(r"^    grad_(\w+) = ", least_squares.code, re.MULTILINE)
    )


def test_the_first_page_shows_the_beginning_of_each_gradient(tmp_path: Path, least_squares: Exhibit) -> None:
    names = [f"a{number}" for number in range(MOST_EQUATIONS + 2)]
    many = written(tmp_path, "many.model", f"param {', '.join(names)}\nloss E = {'*'.join(names)}\n")
    index = gallery([least_squares, exhibit(many)])["index.md"]
    assert "### [Least squares](least_squares.md)" in index and "### [Many](many.md)" in index
    assert index.count("&= ") == 1 + MOST_EQUATIONS and index.count("and 2 more equations.") == 1


def test_inputs_stand_in_for_parameters(tmp_path: Path) -> None:
    found = exhibit(written(tmp_path, "pair.model"))
    assert "grad_x = " in found.code and "grad_y = " in found.code and found.published == ""


def test_the_comment_gives_title_and_description(tmp_path: Path) -> None:
    comment = "# a pair: two *inputs*,\n# one product\n"
    found = exhibit(written(tmp_path, "pair.model", comment + MODEL))
    assert found.title == "A pair" and found.description == r"A pair: two \*inputs\*, one product"
    alone = exhibit(written(tmp_path, "pair.model", "# a pair\n" + MODEL))
    assert (alone.title, alone.description) == ("A pair", "")
    symbol = exhibit(written(tmp_path, "pair.model", "# a' X a, a form\n" + MODEL))
    assert (symbol.title, symbol.description) == ("a' X a", "a' X a, a form")


def test_two_pages_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    same = [written(tmp_path, "w.model"), written(tmp_path / "other", "W.model")]
    with pytest.raises(EmissionError, match=r"two pages would be written as W\.md"):
        gallery(list(map(exhibit, same)))
    with pytest.raises(EmissionError, match=r"two pages would be written as index\.md"):
        gallery([exhibit(written(tmp_path, "index.model"))])


def test_nothing_is_written_where_a_model_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [str(written(tmp_path, "pair.model")), str(written(tmp_path, "bad.model", "loss E = x"))]
    folder = tmp_path / "new" / "gallery"
    assert run(["gallery", *models, "-o", str(folder)]) == 2
    assert not folder.exists()
    assert run(["gallery", models[0], "-o", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["index.md", "pair.md"]
    assert capsys.readouterr().out == ""


def test_a_name_with_spaces_is_linked(tmp_path: Path) -> None:
    pages = gallery([exhibit(written(tmp_path, "my (first) model.model"))])
    assert "](my%20%28first%29%20model.md)" in pages["index.md"] and "my (first) model.md" in pages
