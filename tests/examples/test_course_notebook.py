"""The notebook of the examples runs, and shows what it has been saved with."""

import importlib
import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "course.ipynb"


def outputs(notebook):
    """All that the cells print or show."""
    return [output for cell in notebook["cells"] for output in cell.get("outputs", ())]


def words(notebook) -> list[str]:
    """The same but for the dots of pictures."""
    shown = [{**output.get("data", {}), "stream": output.get("text", "")} for output in outputs(notebook)]
    return ["".join(data[kind]) for data in shown for kind in sorted(data) if not kind.startswith("image/")]


def test_the_notebook_shows_what_it_was_saved_with():
    reason = "the notebook is run by nbclient and ipykernel, of the extra test"
    for name in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(name, reason=reason)
    done = importlib.import_module("tests.examples.notebook").executed()
    saved = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert words(done) == words(saved), "it shows other words now: make notebook"


def test_the_notebook_tells_of_what_was_derived_and_drawn():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    line = "delta1[b,j] = sum(k, delta2[b,k]*W2[k,j])*z1[b,j]*(1 - z1[b,j])"
    assert any(line in shown for shown in words(notebook))
    assert sum("image/png" in output.get("data", {}) for output in outputs(notebook)) == 3
    assert all(output["output_type"] != "error" for output in outputs(notebook))
