"""Several benchmarks in several ways: one folder, one page, nothing asked twice; and processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark_rows import make_rows
from t2vid.errors import InputError
from t2vid.evaluation import run as running
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.rows import benchmark_rows
from t2vid.evaluation.runs import Run
from t2vid.pages import suite
from t2vid.pages.scores import compare, report
from t2vid.pages.suite import evaluate_suite, named_benchmark
from t2vid.pages.sweep import sweep
from t2vid.storage.files import path_of


@pytest.fixture
def benchmarks(clips, monkeypatch):
    """Two benchmarks of tiny clips, loaded by name; one of them has subtitles."""

    def rows_of(what, load):
        source = what.removeprefix("t2vid/")
        changes = {} if source == "video_mme" else {"cues": ()}
        rows = make_rows(clips[:2], source=source, **changes)
        return benchmark_rows([{**r, "id": f"{source}/{r['id']}"} for r in rows], {})

    monkeypatch.setattr(suite, "benchmark_rows", rows_of)


def test_every_benchmark_is_asked_in_every_way_and_stands_on_one_page(benchmarks, tmp_path):
    asked: list[str] = []
    model = FunctionBackend(lambda ask: asked.append(ask.key[0]) or ask.line["answer"], name="mine")
    out, ways = tmp_path / "runs", ["t2vid", EvalConfig(frames=1)]
    done = evaluate_suite(model, benchmarks="mvbench, video_mme", protocol=ways, out=out)
    assert [str(run.folder.relative_to(out)) for run in done.runs] == [
        "mvbench/t2vid",
        "mvbench/frames=1",
        "video_mme/t2vid",
        "video_mme/frames=1",
    ]
    assert len(asked) == 4 * 6
    text = (out / "report.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| mine | 100.0 [")]
    assert row.endswith("| 100.0 |") and "| mine, frames=1 |" in text
    assert len(json.loads((out / "results.json").read_text())) == 4
    page = done.page.read_text()
    assert "All benchmarks" in page and "http" not in page
    evaluate_suite(model, benchmarks=["mvbench", "video_mme"], protocol=ways, out=out)
    assert len(asked) == 4 * 6  # again: nothing was left


def test_controls_that_mean_nothing_here_are_named_and_left_out(benchmarks, tmp_path, caplog):
    model = FunctionBackend(lambda ask: "A", name="mine")
    few = {"frames": "2", "circular": "false"}
    done = evaluate_suite(
        model, benchmarks="mvbench,video_mme", controls=True, changes=few, out=tmp_path
    )
    ways = {run.folder.name for run in done.runs if run.folder.parent.name == "video_mme"}
    controls = {"blind", "blank", "one", "shuffled", "reversed", "other", "subtitles"}
    assert ways == {"t2vid", *(f"t2vid+{name}" for name in controls)}
    assert not (tmp_path / "mvbench/t2vid+subtitles").exists()
    assert "mvbench has no subtitles here" in caplog.text
    assert all(run.header["protocol"]["frames"] == 2 for run in done.runs)
    assert "Does mine on video_mme use the video" in done.page.read_text()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"benchmarks": ""}, r"benchmarks \(0\)"),
        ({"benchmarks": "mvbench,t2vid/mvbench"}, "one twice"),
        ({"benchmarks": "mvbench", "data": {"mvbnch": "x"}}, "data names mvbnch"),
        ({"benchmarks": "mvbench", "changes": {"frame": "8"}}, "fields of EvalConfig"),
        ({"benchmarks": "mvbench", "changes": {"frames": "none"}}, "frames"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_asked(given, says, tmp_path):
    with pytest.raises(InputError, match=says):
        evaluate_suite(lambda ask: pytest.fail("asked"), **given, out=tmp_path)


def test_a_benchmark_is_a_name_a_configuration_or_a_file():
    data = {"video_mme": "Video-MME", "mine": "clips"}
    assert named_benchmark("t2vid/mvbench", data) == ("mvbench", "t2vid/mvbench", {})
    assert named_benchmark("video_mme@subtitles", data)[2] == {
        "name": "subtitles",
        "data_dir": "Video-MME",
    }
    assert named_benchmark("sets/mine.jsonl", data) == (
        "mine",
        "t2vid/questions",
        {"data_files": "sets/mine.jsonl", "video_dir": "clips"},
    )


def test_results_and_pages_go_to_a_url_and_come_from_it(benchmarks, clips, tmp_path):
    where, asked = f"memory://ask/{tmp_path.name}", []
    model = FunctionBackend(lambda ask: asked.append(1) or ask.line["answer"], name="mine")
    done = evaluate_suite(model, benchmarks="mvbench", out=where)
    assert str(done.page) == f"{where}/report.html" and "mine" in done.page.read_text()
    assert [one["accuracy"] for one in done.scores] == [1.0]
    again = evaluate_suite(model, benchmarks="mvbench", out=where)
    assert len(asked) == 6 and again.scores == done.scores  # it went on from there
    runs = [f"{where}/mvbench/t2vid"] * 2
    text = compare(runs, format="html", out=f"{where}/beside/compare.html")
    assert path_of(f"{where}/beside/compare.html").read_text() == text
    assert "| mine | mvbench | 100.0 |" in report(runs[:1])
    points = sweep(model, make_rows(clips[:1]), out=f"{where}/sweep", frames=[1, 2])
    assert [p.value for p in points] == [100.0, 100.0]
    assert path_of(f"{where}/sweep/sweep.png").read_bytes().startswith(b"\x89PNG")
    rows = make_rows(clips[:1])
    for _ in range(2):  # the second goes on from there
        run = running.evaluate(model, rows, out=f"{where}/one")
        assert str(run.folder) == f"{where}/one" and len(run.answers()) == 3
    assert len([x for x in asked if x]) == 6 + 3 * 2 + 3


SHARED = """
import sys
sys.path[:0] = [{path!r}]
from pathlib import Path
import t2vid
from benchmark_rows import make_rows
from t2vid.evaluation.backends import FunctionBackend
rows = make_rows([Path(path) for path in {clips!r}])
say = FunctionBackend(lambda ask: ask.line["answer"], name="same")
t2vid.evaluate(say, rows, "t2vid", out={out!r}, batch_size=2)
"""


@pytest.mark.slow
def test_processes_of_torchrun_share_the_questions_and_the_run_scores_itself(clips, tmp_path):
    out, script = tmp_path / "run", tmp_path / "ask.py"
    tests = str(Path(__file__).parents[1])
    script.write_text(SHARED.format(path=tests, clips=[str(clip) for clip in clips], out=str(out)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    run = Run.read(out)
    assert [len(path.read_text().splitlines()) for path in sorted(out.glob("answers*.jsonl"))] == [
        6,
        6,
    ]
    assert len(run.answers()) == 12
    scores = json.loads((out / "scores.json").read_text())
    assert (scores["n"], scores["accuracy"]) == (12, 1.0)
