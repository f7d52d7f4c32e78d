"""The notebook of the examples, executed: `make notebook` saves what it shows, without times and counters."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = EXAMPLES / "course.ipynb"


def executed() -> nbformat.NotebookNode:
    """A fresh run, in the checkout."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(EXAMPLES.parent)}}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources=resources, record_timing=False
    )
    return client.execute()


def main() -> None:
    """Save what it shows now."""
    notebook = executed()
    for cell in notebook.cells:
        cell.metadata.clear()
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
