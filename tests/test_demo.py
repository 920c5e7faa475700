"""The demo trains and tests its arms and writes a page that needs nothing else."""

from __future__ import annotations

import json
import re

import pytest

from t2vid.demo import ARMS_SHOWN, FIGURE_NAMES, DemoSize, demo
from t2vid.errors import InputError
from t2vid.miniature.questions import UNSEEN_KINDS

SIZE = DemoSize(rows=96, test_clips=4)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return demo(tmp_path_factory.mktemp("demo"), size=SIZE)


def test_the_figures_are_counted_from_the_answers(result):
    folder = result.page.parent
    figures = json.loads((folder / "figures.json").read_text("utf-8"))
    rows = [json.loads(x) for x in (folder / "answers.jsonl").read_text("utf-8").splitlines()]
    unseen = [row for row in rows if row["kind"] in UNSEEN_KINDS]
    assert figures["n_questions"] == len(unseen) and figures["chance"] == 0.25
    assert figures["n_questions_all_kinds"] == len(rows) == len({row["id"] for row in rows})
    for arm, name in FIGURE_NAMES.items():
        right = sum(row[arm]["correct"] for row in unseen) / len(unseen)
        low, high = figures[f"{name}_interval"]
        assert figures[name] == pytest.approx(right, abs=1e-4) and low <= right <= high


def test_the_page_is_self_contained_and_shows_what_was_measured(result):
    html = result.page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    for name in FIGURE_NAMES.values():
        assert f"{100 * result.figures[name]:.1f} %" in html
    assert html.count("<polyline") >= 6 and html.count('class="whisker"') >= 9
    assert html.count("<h3>") == min(20, result.figures["n_questions"])


def test_no_interval_of_the_page_has_no_width(result):
    cells = re.findall(r"<td[^>]*>(\d+) \((\d+)–(\d+)\)</td>", result.page.read_text("utf-8"))
    assert len(cells) >= 9 and all(int(low) < int(high) for _, low, high in cells)


def test_both_trained_arms_have_as_many_rows_and_the_first_has_none(result):
    rows = {arm: result.results[arm].rows for arm in ARMS_SHOWN}
    assert rows == {"zero-shot": 0, "video": SIZE.rows, "hybrid": SIZE.rows}


def test_a_demo_that_was_stopped_goes_on(result):
    folder = result.page.parent
    kept = {path: path.stat().st_mtime_ns for path in (folder / "arms").glob("*.json")}
    result.page.unlink()
    again = demo(folder, size=SIZE)
    assert again.figures == result.figures and again.page.is_file()
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_a_size_that_leaves_nothing_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=r"rows \(59\) must be at least 60"):
        demo(tmp_path / "demo", size=DemoSize(rows=59))
    assert not (tmp_path / "demo").exists()
