"""Each benchmark from a folder of its files to a score by the command line, and once more through a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media import make_clip
from t2vid import catalog
from t2vid.cli import main
from t2vid.evaluation.runs import Run
from t2vid.models import MINI

VIDEOS, EACH = 3, 8
WORDS = "kite drone boat lamp rope map drum horse".split()

Rows = list[dict[str, Any]]


def asked(n: int) -> Rows:
    """Give the questions, eight a video, each with `n` options and the place of the right one."""
    return [
        {"at": at, "video": at // EACH + 1, "q": f"What is number {at}?", "right": at % n}
        | {"options": [f"a {WORDS[(at + k) % 8]}" for k in range(n)]}
        for at in range(VIDEOS * EACH)
    ]


def lettered(one: dict[str, Any], form: str = "{}. {}") -> list[str]:
    return [form.format("ABCDEFGH"[k], text) for k, text in enumerate(one["options"])]


def letter(one: dict[str, Any]) -> str:
    return "ABCDEFGH"[one["right"]]


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(value), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in value))
    elif path.suffix == ".csv":
        keys = list(value[0])
        lines = [",".join(keys), *(",".join(str(row[key]) for key in keys) for row in value)]
        path.write_text("\n".join(lines) + "\n")
    else:
        path.write_text(json.dumps(value))


def clips(folder: Path, name: str = "{:03}.mp4") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for video in range(1, VIDEOS + 1):
        make_clip(folder / name.format(video), seconds=1 + video, fps=5)


def video_mme(root: Path) -> None:
    rows = [
        {"video_id": f"{one['video']:03}", "videoID": f"{one['video']:03}", "domain": "d"}
        | {"duration": "short", "sub_category": "s", "task_type": "t", "question": one["q"]}
        | {"question_id": f"{one['at']:03}", "options": lettered(one), "answer": letter(one)}
        for one in asked(4)
    ]
    write(root / "videomme/test-00000-of-00001.parquet", rows)
    clips(root / "data")


def video_mme_v2(root: Path) -> None:
    rows = [
        {"video_id": f"{one['video']:03}", "url": "u", "group_type": "relevance"}
        | {"group_structure": "[1, 2, 3, 4]", "question_id": f"{one['at'] // 4:03}-{one['at'] % 4 + 1}"}
        | {"question": one["q"], "options": "\n".join(lettered(one)), "answer": letter(one)}
        | {"level": "1", "second_head": "h", "third_head": "t"}
        for one in asked(8)
    ]  # fmt: skip
    write(root / "test.parquet", rows)
    clips(root / "videos")


def longvideobench(root: Path) -> None:
    rows = [
        {"id": f"v_{one['at']}", "video_path": f"{one['video']:03}.mp4", "question": one["q"]}
        | {"subtitle_path": "none.json", "candidates": one["options"], "duration": 3.0}
        | {"correct_choice": one["right"], "duration_group": 15, "question_category": "S2O"}
        for one in asked(4)
    ]
    write(root / "lvb_val.json", rows)
    clips(root / "videos")


def mlvu(root: Path) -> None:
    rows = [
        {"video": f"{one['video']:03}.mp4", "duration": 3, "question": one["q"]}
        | {"candidates": one["options"], "answer": one["options"][one["right"]]}
        | {"question_type": "plotQA"}
        for one in asked(4)
    ]
    write(root / "json/1_plotQA.json", rows)
    clips(root / "video/1_plotQA")


def lvbench(root: Path) -> None:
    videos: dict[int, Any] = {}
    for one in asked(4):
        text = "\n".join([one["q"], *lettered(one, "({}) {}")])
        line = {"uid": str(one["at"]), "question": text, "answer": letter(one)}
        held = videos.setdefault(
            one["video"], {"key": f"{one['video']:03}", "type": "tv", "qa": []}
        )
        held["qa"].append({**line, "question_type": ["reasoning"], "time_reference": "00:00-00:01"})
    write(root / "video_info.meta.jsonl", list(videos.values()))
    clips(root / "all_videos")


def egoschema(root: Path) -> None:
    rows = [
        {"question_idx": str(one["at"]), "video_idx": f"{one['at']:03}", "question": one["q"]}
        | {"option": lettered(one), "answer": str(one["right"])}
        for one in asked(5)
    ]
    write(root / "Subset/test-00000-of-00001.parquet", rows)
    (root / "videos").mkdir()
    for at in range(len(rows)):
        make_clip(root / f"videos/{at:03}.mp4", seconds=1 + at % 3, fps=5)


def nextqa(root: Path) -> None:
    rows = [
        {"video": one["video"] + 4_000_000_000, "frame_count": 9, "width": 4, "height": 3}
        | {"question": one["q"], "answer": one["right"], "qid": one["at"], "type": "CW"}
        | {f"a{k}": text for k, text in enumerate(one["options"])}
        for one in asked(5)
    ]
    write(root / "test.csv", rows)
    clips(root / "NExTVideo/1164", "400000000{}.mp4")


def perception_test(root: Path) -> None:
    rows = [
        {"video_name": f"video_{one['video']}", "question": one["q"], "question_id": str(one["at"])}
        | {"options": one["options"], "answer_id": str(one["right"]), "area": "memory"}
        for one in asked(3)
    ]
    write(root / "mc_question_val/validation-00000-of-00001.parquet", rows)
    clips(root / "videos", "video_{}.mp4")


def mvbench(root: Path) -> None:
    for task in ("action_count", "action_sequence"):
        rows = [
            {"video": f"{one['video']:03}.mp4", "question": one["q"], "candidates": one["options"]}
            | {"answer": one["options"][one["right"]]}
            | ({"start": 0.4, "end": 1.6} if task == "action_sequence" else {})
            for one in asked(4)[::2]
        ]
        write(root / f"json/{task}.json", rows)
    clips(root / "video/perception/videos")
    clips(root / "video/star/Charades_v1_480")


def tempcompass(root: Path) -> None:
    nested: dict[str, Any] = {}
    for one in asked(4):
        text = "\n".join([one["q"], *lettered(one)])
        answer = lettered(one)[one["right"]]
        held = nested.setdefault(f"{one['video']:03}", {"action": []})
        held["action"].append({"question": text, "answer": answer})
    write(root / "questions/multi-choice.json", nested)
    clips(root / "videos")


def questions(root: Path) -> None:
    rows = [
        {"id": f"q{one['at']}", "video": f"{one['video']:03}.mp4", "question": one["q"]}
        | {"options": one["options"], "answer": letter(one)}
        for one in asked(3)
    ]
    write(root / "questions.jsonl", rows)
    clips(root / "clips")


MAKERS: dict[str, Callable[[Path], None]] = {
    maker.__name__: maker
    for maker in (
        video_mme,
        mvbench,
        tempcompass,
        video_mme_v2,
        longvideobench,
        mlvu,
        lvbench,
        egoschema,
        nextqa,
        perception_test,
        questions,
    )
}


def test_every_benchmark_is_taken_through():
    assert {*MAKERS, "needles"} == {one.name for one in catalog.BENCHMARKS}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MAKERS, "needles"])
def test_a_benchmark_survives_kill_9_and_ends_as_if_it_had_not_been_killed(
    name: str, tmp_path: Path
):
    root, killed, whole = tmp_path / "files", tmp_path / "killed", tmp_path / "whole"
    ways = catalog.benchmark(name).ways
    command = ["eval", str(MINI), f"t2vid/{name}", "--limit", str(VIDEOS * EACH), "--quiet"]
    command += ["--protocol", ways[0].name if ways else "t2vid", "--batch-size", "1"]
    if name in MAKERS:
        MAKERS[name](root)
        command += ["--data-dir", str(root)]
    answers = killed / "answers.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "t2vid", *command, "--out", str(killed)],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with process:
        while process.poll() is None and not (
            answers.is_file() and answers.read_bytes().count(b"\n") > 1
        ):
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        said = process.stderr.read().decode()
    assert process.returncode == -signal.SIGKILL, said
    done = len(Run.read(killed).answers())
    assert 1 < done < VIDEOS * EACH and not (killed / "scores.json").exists()
    assert main([*command, "--out", str(killed)]) == 0
    assert main([*command, "--out", str(whole)]) == 0
    resumed, straight = (
        {line["id"]: {k: v for k, v in line.items() if k != "run"} for line in Run.read(run).answers()}
        for run in (killed, whole)
    )  # fmt: skip
    assert resumed == straight and len(resumed) == VIDEOS * EACH
    assert not any(line.get("error") for line in resumed.values())
    assert (killed / "answers.jsonl").read_bytes().count(b"\n") == VIDEOS * EACH  # none asked twice
    scores = [json.loads((run / "scores.json").read_text()) for run in (killed, whole)]
    same = ("n", "accuracy", "ci_low", "ci_high", "official", "by_source")
    assert [{k: one.get(k) for k in same} for one in scores[:1]] == [
        {k: one.get(k) for k in same} for one in scores[1:]
    ]
    assert scores[0]["n"] == VIDEOS * EACH
