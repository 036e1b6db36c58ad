# SPDX-License-Identifier: Apache-2.0
"""The notebook of the examples runs from its first cell to its last."""

from __future__ import annotations

import os
import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOK = pathlib.Path(__file__).resolve().parents[3] / "examples" / "python" / "resilience.ipynb"


def test_the_notebook_runs() -> None:
    if not pathlib.Path(
        os.environ.get("FAULTWAVE_DEMO_DATA", "build/demo"), "efficientnet_lite0.pt2"
    ).exists():
        pytest.skip("the demo's network is not there: `make demo` makes it")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept"
    nbclient.NotebookClient(notebook, timeout=1200, kernel_name="python3").execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 4
