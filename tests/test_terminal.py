"""Results as text and JSON, and what the system refuses as one line."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from t2vid.schema import Counts
from t2vid.terminal import as_json, as_text, is_colourful, laid_out, one_line


@dataclass
class Thing:
    path: Path
    share: float
    counts: Counts


def test_json_holds_every_figure_of_a_result():
    thing = Thing(Path("a/b"), float("nan"), Counts().keep(source="x").drop("late", source="x"))
    assert json.loads(as_json([thing, np.int64(3), np.arange(2), {"k": {1}}])) == [
        {"path": "a/b", "share": None, "counts": thing.counts.to_dict()},
        3,
        [0, 1],
        {"k": [1]},
    ]


def test_text_is_the_results_own_table_or_its_lines():
    counts = Counts().keep(source="x")
    assert as_text(counts) == counts.table()
    assert as_text(Thing(Path("a"), 0.5, counts)).splitlines()[:2] == ["path: a", "share: 0.5"]
    assert as_text([Path("a"), "b"]) == "a\nb" and as_text(None) == ""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file or directory", "a b"), "a b: No such file or directory"),
        (OSError(18, "Invalid cross-device link", "a", None, "b"), "a and b: Invalid cross-device link"),
        (PermissionError(13, "Permission denied", b"raw"), "raw: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device; make room and run it again"),
        (ConnectionError("two\n lines"), "ConnectionError: two lines"),
        (OSError(), "OSError: no reason given"),
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_one_line(error, line):
    assert one_line(error) == line


def test_a_cache_that_may_not_be_written_says_how_to_move_it(monkeypatch):
    monkeypatch.setenv("HF_HOME", "/read/only")
    refused = PermissionError(13, "Permission denied", "/read/only/datasets")
    assert one_line(refused).endswith("Permission denied; set HF_HOME to a folder that you may "
                                      "write, where caches are then kept")  # fmt: skip
    monkeypatch.setenv("HF_HOME", "/elsewhere")
    assert one_line(refused) == "/read/only/datasets: Permission denied"


@pytest.mark.parametrize(
    ("variable", "value", "colourful"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_nobody_who_asked_for_no_colours_gets_any(monkeypatch, variable, value, colourful):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    assert is_colourful() is colourful
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert not is_colourful()


def test_a_table_that_is_not_whole_stays_as_it_is_and_a_bar_in_a_cell_is_shown():
    broken = "| a | b |\n|---|---|\n| 1 |\n"
    assert laid_out(f"before\n\n{broken}\nafter", 80) == f"before\n\n{broken}\nafter"
    assert laid_out("| a | b |\n|---|---:|\n| x \\| y | 10 |\n", 80) == "a       b\nx | y  10\n"
    assert laid_out("no table | at all", 5) == "no table | at all"
