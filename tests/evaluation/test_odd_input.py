"""What a user may type by mistake: one line that says which value, which limit and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import t2vid
from benchmark_rows import make_rows
from t2vid.cli import main
from t2vid.errors import InputError
from t2vid.evaluation.backends import FunctionBackend
from t2vid.evaluation.run import benchmark_rows
from t2vid.evaluation.score import score

SAYS = FunctionBackend(lambda ask: ask.line["answer"], name="mine")


@pytest.fixture
def folder(empty_folder: Path, clips: list[Path]) -> Path:
    """A folder to stand in: a benchmark in a folder of its own name, a run, an empty folder, a file."""
    record = {"video": "0.mp4", "question": "Which?", "candidates": ["a", "b"], "answer": "b"}
    for task in ("action_count", "state_change"):
        path = empty_folder / "mvbench" / "json" / f"{task}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([record]))
    videos = empty_folder / "mvbench" / "video" / "perception" / "videos"
    videos.mkdir(parents=True)
    (videos / "0.mp4").write_bytes(clips[0].read_bytes())
    (empty_folder / "empty").mkdir()
    (empty_folder / "note.txt").write_text("x")
    (empty_folder / "bad.jsonl").write_text('{"id": 1\n')
    t2vid.evaluate(SAYS, make_rows(clips[:1]), out=empty_folder / "run")
    return empty_folder


WRONG = {
    "eval mini mvbenhc": "did you mean 'mvbench'",
    "eval mini t2vid/mvbenhc": "did you mean 'mvbench'",
    "eval mini t2vid/synthetic": "benchmark ('synthetic') must be one of",
    "eval mini mvbench@action_cuont --data-dir mvbench": "did you mean 'action_count'",
    "eval mini mvbench --data-dir nosuch": "data_dir='nosuch' is not a folder",
    "eval mini mvbench --data-dir empty": "no question files of mvbench, such as action_sequence.json",
    "eval mini empty": "'empty' cannot be read as a benchmark",
    "eval mini mvbench --data-dir mvbench --protocol mvbnech": "protocol ('mvbnech') must be one of",
    "eval mini mvbench --data-dir mvbench --protocol t2vid+shufled": "did you mean 'shuffled'",
    "eval mini mvbench --data-dir mvbench --protocol t2vid+": "control ('') must be one of",
    "eval mini mvbench --data-dir mvbench --protocol no.yaml": "protocol 'no.yaml' is not there",
    "eval mini mvbench --data-dir mvbench --limit 0": "limit (0) must be > 0",
    "eval mini --benchmarks mvbench --data mvbench=mvbench --limit -1": "limit (-1) must be > 0",
    "eval ./no/model mvbench --data-dir mvbench": "there is no model at './no/model'",
    "eval empty mvbench --data-dir mvbench": "model 'empty' is a folder with no config.json",
    "eval note.txt mvbench --data-dir mvbench": "model 'note.txt' is a file",
    "eval openai:m@127.0.0.1/v1 mvbench --data-dir mvbench": "must begin with http:// or https://",
    "sweep mini mvbench --data-dir mvbench --mark x=y": "mark 'x' (y) must be a whole number",
    "sweep mini mvbench --data-dir mvbench --mark x=-4": "mark 'x' (-4) must be a whole number",
    "score bad.jsonl": "row 0 is no object: Expecting",
    "score run --benchmark mvbench": "benchmark belongs to a file of predictions",
    "compare run": "runs (1) must be two or more",
    "compare run nosuch": "nosuch is not there; give the out= folder",
    "compare run empty": "empty holds no run.json",
    "inspect needles": "needles is a benchmark, which has no split 'train'",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_mistake_is_one_line(line: str, folder: Path, capsys: pytest.CaptureFixture[str]):
    words = line.split()
    out = ["--out", "out"] if words[0] in ("eval", "sweep") else []
    assert main([*words, *out, *(["--quiet"] if words[0] != "inspect" else [])]) == 2
    (said,) = [
        x for x in capsys.readouterr().err.splitlines() if x.startswith(f"t2vid {words[0]}:")
    ]
    assert WRONG[line] in said
    assert not Path("out").exists()


def test_a_folder_does_not_hide_the_benchmark_of_its_name(folder: Path):
    for name, n in (("mvbench", 2), ("t2vid/mvbench", 2), ("mvbench@state_change", 1)):
        rows, title = benchmark_rows(name, {"data_dir": "mvbench"})
        assert (len(rows), title) == (n, "mvbench")
    with pytest.raises(InputError, match="the rows lack the columns id, images"):
        benchmark_rows("./mvbench/json/", {"split": "train"})


def test_a_folder_of_other_questions_is_not_gone_on_with(folder: Path, clips: list[Path]):
    t2vid.evaluate(SAYS, make_rows(clips[:2]), out="run")  # more questions are welcome
    with pytest.raises(InputError, match=r"answers to 3 questions that are not asked now, such as"):
        t2vid.evaluate(SAYS, make_rows(clips[:1]), out="run")


def test_a_sweep_without_right_answers_says_so(folder: Path, clips: list[Path]):
    from t2vid.pages.sweep import sweep

    with pytest.raises(
        InputError, match="no question of mvbench that was asked has a public answer"
    ):
        sweep(SAYS, make_rows(clips[:1], answer=""), out="sweep", frames=[1])


def test_a_run_is_scored_where_it_is(folder: Path):
    with pytest.raises(InputError, match="out belongs to a file of predictions; run is a run"):
        score("run", out="elsewhere")
