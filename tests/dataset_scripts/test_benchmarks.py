"""Every official question becomes a row with frames, or is counted; official files, tiny clips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import concatenate_datasets, load_dataset
from PIL import Image

import t2vid
from media import make_clip, read_numbers
from t2vid.corpora.counting import read_counts
from t2vid.errors import MissingFile, RecordError

SUFFIX = "Answer with the option's letter from the given choices directly."
VIDEO_MME = [
    {
        "video_id": f"00{n}",
        "duration": "short",
        "domain": "Knowledge",
        "sub_category": "Geography",
        "url": f"https://www.youtube.com/watch?v=ab-{n}.x",
        "videoID": f"ab-{n}.x",
        "question_id": f"00{n}-{k}",
        "task_type": "Counting Problem",
        "question": "How many towers?",
        "options": ["A. 1.", "B. 2.", "C. 3.", "D. 4."],
        "answer": "B",
    }
    for n in (1, 2)
    for k in (1, 2, 3)
]
SRT = """1
00:00:00,000 --> 00:00:01,000
<font color="white" size=".72c">first words</font>

2
00:00:01,000 --> 00:00:01,400
<font color="white" size=".72c">never on a sampled frame</font>

3
00:00:01,400 --> 00:00:04,000
<font color="white" size=".72c">last\\Nwords</font>
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", seconds=3, fps=10)
    return path.read_bytes()


@pytest.fixture
def video_mme(tmp_path: Path, clip: bytes) -> Path:
    for name in ("videomme", "data", "subtitle"):
        (tmp_path / name).mkdir()
    pq.write_table(pa.Table.from_pylist(VIDEO_MME), tmp_path / "videomme" / "test-0.parquet")
    (tmp_path / "data" / "ab-1.x.MP4").write_bytes(clip)
    (tmp_path / "subtitle" / "ab-1.x.srt").write_text(SRT)
    return tmp_path


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def load(name: str, config: str | None = None, **kwargs: Any) -> Any:
    return load_dataset(f"t2vid/{name}", config, split="test", **kwargs)


def test_video_mme_reads_the_official_parquet_and_counts_the_missing_video(video_mme: Path):
    rows = load("video_mme", data_dir=str(video_mme), missing="drop")
    assert rows["id"][:] == ["video_mme/001-1", "video_mme/001-2", "video_mme/001-3"]
    row = rows[0]
    assert (row["options"], row["answer"]) == (["1.", "2.", "3.", "4."], "B")
    assert (row["duration"], row["category"]) == ("short", "Counting Problem")
    assert len(row["images"]) == 3 and row["subtitles"] == []
    assert json.loads(row["official"])["sub_category"] == "Geography"
    assert read_counts(rows).dropped == {"missing video": 3}


def test_missing_videos_are_kept_unless_they_are_refused(video_mme: Path):
    kept = load("video_mme", data_dir=str(video_mme))
    assert len(kept) == 6 and not read_counts(kept).dropped
    with pytest.raises(MissingFile):
        kept[5]
    with pytest.raises(MissingFile, match=r"ab-2\.x"):
        load("video_mme", data_dir=str(video_mme), missing="raise")


def test_a_video_that_comes_later_brings_its_questions(video_mme: Path):
    with pytest.raises(MissingFile):
        load("video_mme", data_dir=str(video_mme))[5]
    assert len(load("video_mme", data_dir=str(video_mme), missing="drop")) == 3
    clip = (video_mme / "data" / "ab-1.x.MP4").read_bytes()
    (video_mme / "data" / "ab-2.x.mp4").write_bytes(clip)
    assert len(load("video_mme", data_dir=str(video_mme), missing="drop")) == 6
    assert load("video_mme", data_dir=str(video_mme))[5]["images"]


def test_subtitles_come_with_their_times_and_without_markup(video_mme: Path):
    rows = load("video_mme", "subtitles", data_dir=str(video_mme))
    assert [cue["text"] for cue in rows[0]["subtitles"]] == [
        "first words",
        "never on a sampled frame",
        "last words",
    ]
    assert rows[0]["subtitles"][2]["start_s"] == 1.4


def test_mvbench_shows_only_the_part_asked_about(tmp_path: Path, clip: bytes):
    record = {
        "video": "X1.mp4",
        "question": "Next?",
        "candidates": ["Sat.", "Ran."],
        "answer": "Ran.",
    }
    bad = {**record, "answer": "Flew."}
    late = {**record, "start": 5.0, "end": 2.0}
    bounded = {**record, "start": 1.0, "end": 2.0}
    write(tmp_path / "json" / "action_sequence.json", [record, bounded, bad, late])
    video = tmp_path / "video" / "star" / "Charades_v1_480" / "X1.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(clip)
    rows = load("mvbench", data_dir=str(tmp_path))
    assert rows["answer"][:] == ["B", "B"] and rows["category"][0] == "action_sequence"
    whole, part = (read_numbers(rows[at]["images"]) for at in (0, 1))
    assert len(whole) == 3 and all(10 <= number < 20 for number in part)
    assert read_counts(rows).dropped == {
        "the answer is none of the options": 1,
        "time bounds out of order": 1,
    }


@pytest.mark.parametrize("named", ["X1.mp4", "X1_1.2999999999999998_2.3.mp4"])
@pytest.mark.parametrize("bounds", [{"start": 1.2999999999999998, "end": 2.3}, {}])
def test_a_clip_that_the_hub_cut_already_is_shown_whole(
    named: str, bounds: dict[str, float], tmp_path: Path, clip: bytes
):
    record = {"video": named, "question": "Next?", "candidates": ["Sat.", "Ran."], "answer": "Ran."}
    write(tmp_path / "json" / "action_sequence.json", [record | bounds])
    folder = tmp_path / "star" / "Charades_segment"
    folder.mkdir(parents=True)
    for start_s, end_s in ((0.4, 1.3), (1.2999999999999998, 2.3)):
        (folder / f"X1_{start_s}_{end_s}.mp4").write_bytes(clip)
    rows = load("mvbench", data_dir=str(tmp_path))
    if named == "X1.mp4" and not bounds:  # nothing says which of the two is meant
        with pytest.raises(MissingFile):
            rows[0]["images"]
        return
    stored = rows.cast_column("images", t2vid.Frames(decode=False))[0]["images"]
    assert stored["path"].endswith("X1_1.2999999999999998_2.3.mp4")
    assert len(rows[0]["images"]) == 3  # three seconds, not one


def test_mvbench_reads_a_folder_of_frames_within_its_bounds(tmp_path: Path):
    folder = tmp_path / "video" / "tvqa" / "frames_fps3_hq" / "show_s01e01.clip_00"
    folder.mkdir(parents=True)
    for number in range(1, 31):
        Image.new("RGB", (32, 24), (8 * number, 0, 0)).save(folder / f"{number:05d}.jpg")
    record = {"video": folder.name, "question": "Why?", "candidates": list("vwxyz"), "answer": "z"}
    write(tmp_path / "json" / "episodic_reasoning.json", [{**record, "start": 2.0, "end": 6.0}])
    row = load("mvbench", "episodic_reasoning", data_dir=str(tmp_path))[0]
    assert row["answer"] == "E" and len(row["images"]) == 4
    assert all(2 <= time < 6 for time in row["images"].timestamps_s)


def test_t2vids_own_files_keep_every_question(tmp_path: Path):
    def prompt(text: str) -> str:
        return f"{text}\n{SUFFIX}"

    prompts = [
        prompt("Which?\nA. one\nB. two\nC.Both at once"),
        prompt("Which way?\nA. left\n B. right"),
        prompt("In what sequence?A. x, then y\nA. y, then x\nB. both"),
        prompt("What is done?\nA. nothing"),
    ]
    rows = [
        {"question_id": n, "video": "videos/1.mp4", "prompt": p, "GT": "A", "category": "order"}
        for n, p in enumerate(prompts)
    ]
    path = tmp_path / "TempCompass.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"question_id": 9}]))
    out = load("tempcompass", data_files=str(path))
    assert [len(options) for options in out["options"]] == [3, 2, 2, 1]
    assert out[2]["question"] == "In what sequence?A. x, then y" and len(out[0]["images"]) == 0
    assert sum(read_counts(out).dropped.values()) == 1


NESTED = {
    "multi-choice": ({"question": "Does what?\nA. wave\nB. bow", "answer": "B. bow"}, "B"),
    "yes_no": ({"question": "Is it waving?", "answer": "no"}, "B"),
    "caption_matching": (
        {
            "question": "Which fits?\nOption 1: It waves: once.\nOption 2: It bows.",
            "answer": "Option 2: It bows.",
        },
        "B",
    ),
    "captioning": (
        {
            "question": "Describe the robot.",
            "mc_question": "Does what?\nA. wave\nB. bow",
            "mc_answer": "A. wave",
        },
        "A",
    ),
}


@pytest.mark.parametrize("task", NESTED)
@pytest.mark.parametrize("layout", ["nested", "parquet"])
def test_tempcompass_reads_its_four_formats(task: str, layout: str, tmp_path: Path, clip: bytes):
    record, answer = NESTED[task]
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "11_reverse.mp4").write_bytes(clip)
    if layout == "nested":
        write(tmp_path / "questions" / f"{task}.json", {"11_reverse": {"action": [record] * 2}})
    else:
        (tmp_path / task).mkdir()
        flat = [{"video_id": "11_reverse", "dim": "action", **record}] * 2
        pq.write_table(pa.Table.from_pylist(flat), tmp_path / task / "test-0.parquet")
    rows = load("tempcompass", task, data_dir=str(tmp_path))
    assert rows["answer"][:] == [answer] * 2 and rows["category"][0] == "action"
    assert rows[1]["id"] == f"tempcompass/{task}/11_reverse/action/1"
    assert len(rows[0]["images"]) == 3 and len(rows[0]["options"]) == 2
    assert rows[0]["labels"] == (["Option 1", "Option 2"] if task == "caption_matching" else [])
    assert rows[0]["instruction"] == ("Describe the robot." if task == "captioning" else None)


def test_the_repository_s_captions_are_judged_by_its_multiple_choice_questions(tmp_path: Path):
    asked = {"question": "Describe: A waves, B bows.", "answer": "B. bow"}
    first, other = ({"question": f"{q}?\nA. wave\nB. bow", "answer": "B. bow"} for q in "xy")
    write(tmp_path / "questions" / "captioning.json", {"1": {"action": [asked] * 2}})
    write(tmp_path / "questions" / "multi-choice.json", {"1": {"action": [first, other]}})
    rows = load("tempcompass", "captioning", data_dir=str(tmp_path)).remove_columns("images")
    assert rows["question"][:] == ["x?", "x?"]
    assert rows["answer"][:] == ["B", "B"] and rows[1]["instruction"] == asked["question"]
    assert rows[1]["id"] == "tempcompass/captioning/1/action/1"
    (tmp_path / "questions" / "multi-choice.json").unlink()
    with pytest.raises(RecordError, match="2 no usable mc_answer"):
        load("tempcompass", "captioning", data_dir=str(tmp_path))


def test_a_path_that_leaves_the_folder_is_counted_and_not_opened(tmp_path: Path, clip: bytes):
    (tmp_path / "x.mp4").write_bytes(clip)
    inside = tmp_path / "videos"
    inside.mkdir()
    path = tmp_path / "TempCompass.jsonl"
    row = {"question_id": 1, "video": "../x.mp4", "prompt": f"?\nA. x\nB. y\n{SUFFIX}", "GT": "A"}
    path.write_text(json.dumps(row))
    with pytest.raises(Exception):  # noqa: B017  (datasets refuses a split without rows its own way)
        load("tempcompass", data_files=str(path), video_dir=str(inside))[0]


def test_the_three_benchmarks_concatenate(tmp_path: Path, video_mme: Path):
    record = {"video": "a.webm", "question": "What?", "candidates": ["x", "y"], "answer": "y"}
    path = write(tmp_path / "mvbench.action_antonym.json", [record])
    both = concatenate_datasets(
        [load("mvbench", data_files=str(path)), load("video_mme", data_dir=str(video_mme))]
    )
    assert both["source"][:] == ["mvbench", *["video_mme"] * 6]
    assert both["category"][0] == "action_antonym"


def test_the_papers_question_files_lose_no_question(shared_data: Path):
    folder = shared_data / "benchmarks"
    for name, config, file, n in (
        ("mvbench", "all", "mvbench.jsonl", 3985),
        ("tempcompass", "multi-choice", "TempCompass.jsonl", 1580),
    ):
        rows = load(name, config, data_files=str(folder / file))
        assert len(rows) == n and not read_counts(rows).dropped
