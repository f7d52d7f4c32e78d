"""What one run leaves for another: found by what was asked, and by nothing that is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.storage import folder
from symbackprop.storage.folder import store, stored

QUESTION, ANSWER = "what is 6*9?", ["Number", 54]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, in use."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(folder.SWITCH)
    return tmp_path / "symbackprop" / folder.state_of_package()


def the_file(cache: Path) -> Path:
    (found,) = cache.iterdir()
    return found


def test_an_answer_is_found_again(cache: Path) -> None:
    assert stored(QUESTION) is None
    store(QUESTION, ANSWER)
    store("another", None)
    assert stored(QUESTION) == ANSWER
    assert stored("another") is None
    assert stored("a third") is None
    assert not [each for each in cache.iterdir() if each.suffix == ".part"]


def test_it_can_be_switched_off(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(QUESTION, ANSWER)
    monkeypatch.setenv(folder.SWITCH, "off")
    assert stored(QUESTION) is None
    store("another", 1)
    assert len([*cache.iterdir()]) == 1


def test_a_relative_place_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written where the command happens to be run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    store(QUESTION, ANSWER)
    assert stored(QUESTION) == ANSWER
    assert [each.name for each in tmp_path.iterdir()] == ["home"]
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # nobody knows a home
    store("another", ANSWER)
    assert stored("another") is None
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_it_may_be_deleted(cache: Path) -> None:
    store(QUESTION, ANSWER)
    the_file(cache).unlink()
    cache.rmdir()
    assert stored(QUESTION) is None
    store(QUESTION, ANSWER)
    assert stored(QUESTION) == ANSWER


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("54", "42"),
        lambda text: json.dumps([*json.loads(text), 1]),
        lambda text: json.dumps({"answer": 54}),
        lambda text: "[" * 100_000,
        lambda text: json.dumps([json.loads(text)[0], "what is 6*7?", ["Number", 54]]),
    ],
)
def test_what_is_broken_does_not_count(broken: object, cache: Path) -> None:
    assert callable(broken)
    store(QUESTION, ANSWER)
    file = the_file(cache)
    file.write_text(broken(file.read_text()))
    assert stored(QUESTION) is None
    store(QUESTION, ANSWER)
    assert stored(QUESTION) == ANSWER


def test_bytes_that_are_no_text(cache: Path) -> None:
    store(QUESTION, ANSWER)
    the_file(cache).write_bytes(b"\xff\xfe\x00")
    assert stored(QUESTION) is None


def test_a_place_that_cannot_be_written_to(cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where a folder should be")
    store(QUESTION, ANSWER)
    assert stored(QUESTION) is None


def test_another_state_of_the_package_has_a_folder_of_its_own(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(QUESTION, ANSWER)
    for number in range(folder.MOST_STATES + 2):
        monkeypatch.setattr(folder, "state_of_package", lambda number=number: f"state {number}")
        assert stored(QUESTION) is None
        store(QUESTION, number)
        assert stored(QUESTION) == number
    assert len([*cache.parent.iterdir()]) == folder.MOST_STATES
    assert stored(QUESTION) == folder.MOST_STATES + 1


def test_the_state_is_another_where_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room").mkdir()
    module = tmp_path / "room" / "module.py"
    module.write_text("a = 1\n")
    monkeypatch.setattr(folder, "PACKAGE", tmp_path)
    state = folder.state_of_package.__wrapped__
    before = state()
    assert state() == before
    (tmp_path / "room" / "notes.txt").write_text("no code")
    assert state() == before
    module.write_text("a = 22\n")
    assert state() != before
    before = state()
    (tmp_path / "templates").mkdir()
    template = tmp_path / "templates" / "module.py.j2"
    template.write_text("# {{ name }}\n")
    monkeypatch.setattr(folder, "TEMPLATES", (tmp_path / "none", template.parent))
    with_template = state()
    assert with_template != before
    template.write_text("# {{ name }} \n")
    assert state() != with_template


def test_two_processes_at_once(cache: Path) -> None:
    """Neither reads half of what the other writes."""
    program = (
        "import sys\n"
        "from symbackprop.storage.folder import store, stored\n"
        "long = ['x'*100_000, int(sys.argv[1])]\n"
        "for _ in range(200):\n"
        "    store('shared', long)\n"
        "    found = stored('shared')\n"
        "    assert found in (['x'*100_000, 1], ['x'*100_000, 2]), found\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder.PACKAGE.parent)}
    both = [
        subprocess.Popen([sys.executable, "-c", program, number], env=environment, stderr=subprocess.PIPE)
        for number in ("1", "2")
    ]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
