"""Every notebook teaches a result: it runs anywhere, keeps its pictures, and its figures are those of now."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from hub import Hub

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TRAINS = ("03_finetune", "07_your_videos")  # minutes, so with the slow tests
# The same figures on any machine.
COUNTED = ("01_render", "02_build_and_publish", "05_diagnose", "06_miniature")
MAX_BYTES = 700_000
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def marked(path):
    marks = [pytest.mark.slow] if path.stem in TRAINS else []
    return pytest.param(path, id=path.stem, marks=marks)


def shown(notebook):
    """Give the outputs of all cells."""
    return [out for cell in notebook.cells for out in cell.get("outputs", [])]


def figures(notebook):
    """Give the numbers in what was printed, is a table or a value."""
    given = [
        {"text/plain": out.get("text", ""), **out.get("data", {})}
        for out in shown(notebook)
        if out.get("name") != "stderr"  # progress bars
    ]
    texts = [one.get("text/markdown") or one["text/plain"] for one in given]
    texts = [text for text in texts if "object at 0x" not in text and "<PIL." not in text]
    return [float(n.replace(",", "")) for text in texts for n in _NUMBER.findall(text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_its_result_installs_itself_and_keeps_its_pictures(path):
    notebook = nbformat.read(path, as_version=4)
    assert "**Result:**" in notebook.cells[0].source
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "%pip install" in first.source and "find_spec" in first.source
    assert path.stat().st_size < MAX_BYTES
    kinds = {kind for out in shown(notebook) for kind in out.get("data", {})}
    assert "image/png" in kinds
    assert not [out for out in shown(notebook) if out.output_type == "error"]
    assert not [out for out in shown(notebook) if out.get("name") == "stderr"]


@pytest.mark.filterwarnings("ignore")  # of the machinery that runs notebooks, not of what they run
@pytest.mark.parametrize("path", [marked(path) for path in NOTEBOOKS])
def test_it_runs_from_top_to_bottom_without_a_warning(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    before = figures(notebook)
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")  # results that one of them reads
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=1200, kernel_name="python3", resources=resources)
    with Hub() as hub:  # the one that publishes finds no other
        client.execute(env=hub.environment(tmp_path / "home"))
    said = " ".join(out.text for out in shown(notebook) if out.get("name") == "stderr")
    assert "Warning" not in said
    if path.stem in COUNTED:
        room = 0 if path.stem == "06_miniature" else 0.02
        assert figures(notebook) == pytest.approx(before, rel=room, abs=room)


def test_the_miniature_has_the_same_tables_in_its_notebook_and_on_its_page():
    notebook = nbformat.read(ROOT / "notebooks" / "06_miniature.ipynb", as_version=4)
    page = (ROOT / "docs" / "miniature.md").read_text(encoding="utf-8")
    tables = [
        out["data"]["text/markdown"]
        for out in shown(notebook)
        if "text/markdown" in out.get("data", {})
    ]
    rows = [line for table in tables for line in table.splitlines() if line.startswith("|")]
    assert len(rows) > 20 and [row for row in rows if row not in page.splitlines()] == []


def test_without_a_token_the_one_that_publishes_does_so_in_its_own_process():
    notebook = nbformat.read(ROOT / "notebooks" / "02_build_and_publish.ipynb", as_version=4)
    printed = " ".join(out.get("text", "") for out in shown(notebook))
    assert "publishing to a stand-in" in printed and "28 rows under" in printed
