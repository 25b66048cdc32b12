"""The notebooks run, from the first cell to the last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
AT_THE_DOOR = ("01", "03")  # data, and train and score; the others take up to a minute each
NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=[] if path.stem[:2] in AT_THE_DOOR else pytest.mark.slow)
    for path in sorted(FOLDER.glob("*.ipynb"))
]


@pytest.mark.filterwarnings("ignore")  # of the kernel's own machinery; cells raise on theirs
@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()

    pictures = [
        out
        for cell in notebook.cells
        for out in cell.get("outputs", [])
        if "image/png" in out.get("data", {})
    ]
    assert pictures
