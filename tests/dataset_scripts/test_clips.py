"""The two video corpora: every video is found, every lost row is counted and listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset, load_dataset_builder

import t2vid  # noqa: F401  (registers the names)
from media import make_clip
from t2vid.corpora.counting import read_counts, read_missing
from t2vid.errors import InputError, MissingFile, RecordError
from t2vid.storage import records

COLUMNS = ["id", "source", "images", "messages", "n_frames", "n_words", "duration_s"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    make_clip(path, seconds=3.0)
    return path.read_bytes()


@pytest.fixture
def videos(tmp_path: Path, clip: bytes) -> Path:
    root = tmp_path / "videos"
    for name in ("v_one.mp4", "a/b/v_two.MKV", "a/three.mp4", "000001_000050/77.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(clip)
    (root / "v_rotten.mp4").write_bytes(b"this is no video")
    (root.parent / "outside.mp4").write_bytes(clip)
    return root


def ask(video: str, question: str = "What?", answer: str = "A boat.") -> dict[str, str]:
    return {"q": question, "a": answer, "video_id": video}


def talk(video: str, *said: str) -> dict[str, Any]:
    turns = [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(said)]
    return {"video": video, "conversations": turns}


def write(path: Path, rows: Any) -> str:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return str(path)


def load(name: str, rows: Any, videos: Path, **kwargs: Any) -> Any:
    path = write(videos.parent / "annotation.json", rows)
    return load_dataset(
        f"t2vid/{name}", data_files=path, data_dir=str(videos), split="train", **kwargs
    )


def said(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"][-1]["text"]) for turn in row["messages"]]


def test_a_row_has_frames_before_the_question_and_a_duration(videos: Path) -> None:
    rows = load("video_chatgpt", [ask("v_one"), ask("v_two"), ask("v_three")], videos)
    assert rows.column_names == COLUMNS
    assert rows["id"][:] == [f"video_chatgpt/{n:05d}" for n in range(3)]
    for row in rows:
        kinds = [part["type"] for part in row["messages"][0]["content"]]
        assert kinds == ["image"] * row["n_frames"] + ["text"]
        assert len(row["images"]) == row["n_frames"] == 3
        assert row["duration_s"] == pytest.approx(3.0)
        assert row["n_words"] == 3 and row["source"] == "video_chatgpt"


def test_a_part_of_a_video_is_shown_where_a_row_says_so(videos: Path) -> None:
    part = {**talk("a/three.mp4", "What?", "A boat."), "start": 1.0, "end": "0:02.5"}
    rows = load("sharegemini", [talk("a/three.mp4", "What?", "A boat."), part], videos)
    assert rows["n_frames"][:] == [3, 2]
    assert [round(t) for t in rows[1]["images"].timestamps_s] == [1, 2]
    bad = [{**part, "end": 0.5}, {**part, "start": "soon"}]
    rows = load("sharegemini", [part, *bad], videos)
    assert sum(read_counts(rows).dropped.values()) == 2


def test_the_frames_of_a_video_are_an_option(videos: Path) -> None:
    rows = load("video_chatgpt", [ask("v_one")], videos, sample={"max_frames": 2})
    assert rows[0]["n_frames"] == len(rows[0]["images"]) == 2


def test_lost_rows_are_counted_by_reason_and_all_listed(videos: Path) -> None:
    gone = [ask(f"v_gone{n}") for n in range(8)]
    bad = [
        ask("v_rotten"),
        ask("../outside"),
        ask("/etc/passwd"),
        ask("v_one", answer=""),
        {"q": "?"},
    ]
    rows = load("video_chatgpt", [ask("v_one"), *gone, *bad], videos)
    counts = read_counts(rows)
    assert counts.kept == len(rows) == 1
    reasons = {reason.split(" [")[0]: n for reason, n in counts.dropped.items()}
    assert reasons == {
        "no video": 8, "bad video": 1, "unsafe video path": 2, "no answer": 1, "missing keys": 1,
    }  # fmt: skip
    expected = [{"id": f"video_chatgpt/{n + 1:05d}", "video": f"v_gone{n}"} for n in range(8)]
    assert read_missing(rows) == expected


def test_missing_videos_are_an_error_on_request(videos: Path) -> None:
    for num_proc in (None, 2):
        with pytest.raises(MissingFile, match=r"'v_gone\d' of video_chatgpt/0000\d"):
            rows = [ask("v_gone1"), ask("v_gone2")]
            load("video_chatgpt", rows, videos, missing="raise", num_proc=num_proc)
    with pytest.raises(InputError, match="must be 'drop' or 'raise'"):
        load("video_chatgpt", [ask("v_one")], videos, missing="ignore")


def test_a_video_that_comes_later_brings_its_rows(videos: Path, clip: bytes) -> None:
    rows = [ask("v_one"), ask("v_late")]
    assert len(load("video_chatgpt", rows, videos)) == 1
    (videos / "a" / "v_late.webm").write_bytes(clip)
    assert len(load("video_chatgpt", rows, videos)) == 2


def test_noise_is_stripped_and_exact_duplicates_are_dropped_once(videos: Path) -> None:
    noisy = ask("v_one", answer="A boat.\nQA_GT_caption_based_noisy")
    rows = [noisy, ask("v_one"), ask("v_two"), ask("v_one", "Why?")]
    found = load("video_chatgpt", rows, videos)
    assert found["id"][:] == [f"video_chatgpt/0000{n}" for n in (0, 2, 3)]
    assert said(found[0])[1] == ("assistant", "A boat.")
    assert read_counts(found).dropped == {"exact duplicate": 1}
    stream = load("video_chatgpt", rows, videos, streaming=True)
    assert [row["id"] for row in stream] == found["id"][:]
    assert len(load("video_chatgpt", rows, videos, keep_duplicates=True)) == 4


def test_two_videos_of_one_name_are_no_duplicates(videos: Path, clip: bytes) -> None:
    (videos / "000051_000100").mkdir()
    (videos / "000051_000100" / "77.mp4").write_bytes(clip)
    rows = [ask("000001_000050/77.mp4"), ask("000051_000100/77.mp4"), ask("000051_000100/77")]
    found = load("video_chatgpt", rows, videos)
    assert found["id"][:] == ["video_chatgpt/00000", "video_chatgpt/00001"]


def test_processes_and_streams_agree_and_find_repeats_across_parts(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(records.split.__kwdefaults__, "rows_per_part", 10)
    rows = [ask("v_one", f"Number {n % 25}?") for n in range(40)]
    plain = load("video_chatgpt", rows, videos)
    two = load("video_chatgpt", rows, videos, num_proc=2, download_mode="force_redownload")
    stream = load("video_chatgpt", rows, videos, streaming=True)
    assert len(plain) == 25
    assert plain["id"][:] == two["id"][:] == [row["id"] for row in stream]
    assert read_counts(two).dropped == {"exact duplicate": 15}


def test_repeats_across_files_are_told_in_a_stream_too_and_in_every_epoch(videos: Path) -> None:
    one = write(videos.parent / "one.json", [ask("v_one"), ask("v_two")])
    two = write(videos.parent / "two.json", [ask("v_two"), ask("v_three")])
    named = {"data_files": [one, two], "data_dir": str(videos), "split": "train"}
    plain = load_dataset("t2vid/video_chatgpt", **named)["id"][:]
    stream = load_dataset("t2vid/video_chatgpt", streaming=True, **named)
    assert plain == [f"video_chatgpt/{row}" for row in ("one/00000", "one/00001", "two/00001")]
    for _ in range(2):
        assert [row["id"] for row in stream] == plain


def test_turns_survive_and_the_marker_may_stand_anywhere(videos: Path) -> None:
    rows = [
        talk(
            "000001_000050/77.mp4", "<video>\nWhat is it?", "A boat.", "And <video> then?", "Rain."
        ),
        talk("77", "Is it\n<video>", "Yes."),
        talk("77.mp4", "No marker", "Fine."),
    ]
    found = load("sharegemini", rows, videos)
    assert said(found[0]) == [
        ("user", "What is it?"), ("assistant", "A boat."), ("user", "And then?"), ("assistant", "Rain."),
    ]  # fmt: skip
    images = [sum(p["type"] == "image" for p in turn["content"]) for turn in found[0]["messages"]]
    assert images == [3, 0, 0, 0]
    assert [said(row)[0][1] for row in found] == ["What is it?", "Is it", "No marker"]


@pytest.mark.parametrize(
    "record",
    [
        {"video": "77", "conversations": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"id": "77", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        {"video_name": "77.mp4", "question": "Q", "answer": "A"},
        {"videoid": 77, "instruction": "<image>Q", "caption": "A"},
    ],
)  # fmt: skip
def test_sharegemini_is_read_under_other_names(videos: Path, record: dict[str, Any]) -> None:
    assert said(load("sharegemini", [record], videos)[0]) == [("user", "Q"), ("assistant", "A")]


@pytest.mark.parametrize("name", ["sharegemini", "video_chatgpt"])
def test_a_file_of_another_format_shows_its_record(videos: Path, name: str) -> None:
    with pytest.raises(RecordError, match="the first is {'text': 'Once upon a time'}"):
        load(name, [{"text": "Once upon a time"}], videos)


def test_a_file_whose_rows_all_drop_says_why_every_time(videos: Path) -> None:
    rows = [*[ask(f"v_gone{n}") for n in range(3)], ask("v_rotten"), ask("v_one", answer="")]
    for _ in range(2):  # made, then from the cache
        with pytest.raises(RecordError) as caught:
            load("video_chatgpt", rows, videos)
        message = str(caught.value)
        assert "no row of video_chatgpt (train)" in message and "of 5 that were read" in message
        assert "3 no video, e.g. video_chatgpt/00000: v_gone0" in message
        assert "1 bad video, e.g. video_chatgpt/00003" in message and "1 no answer" in message


def test_without_a_folder_of_videos_it_says_what_to_give(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", [ask("v_one")])
    with pytest.raises(MissingFile, match="needs data_dir="):
        load_dataset("t2vid/video_chatgpt", data_files=path)
    with pytest.raises(MissingFile, match="is not a folder of videos"):
        load_dataset("t2vid/video_chatgpt", data_files=path, data_dir=str(tmp_path / "nowhere"))


def test_the_annotation_may_lie_beside_the_videos(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(videos / "VideoInstruct100K.json", [ask("v_one")])
    monkeypatch.chdir(videos.parent)
    rows = load_dataset("t2vid/video_chatgpt", data_dir="videos/", split="train")
    assert Path(rows.with_format("arrow")[0]["images"][0]["path"].as_py()).is_absolute()
    monkeypatch.chdir("/")
    assert len(rows[0]["images"]) == 3  # read from another folder than it was built in


def test_a_stream_counts_and_lists_in_its_builder(videos: Path) -> None:
    path = write(videos.parent / "a.json", [ask("v_one"), ask("v_gone")])
    builder = load_dataset_builder("t2vid/video_chatgpt", data_files=path, data_dir=str(videos))
    assert [row["id"] for row in builder.as_streaming_dataset("train")] == ["video_chatgpt/00000"]
    assert builder.counts.dropped == {"no video": 1}
    assert builder.missing == [{"id": "video_chatgpt/00001", "video": "v_gone"}]


def test_the_annotation_comes_from_the_hub(videos: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    from hub import Hub

    code = (
        "import sys, t2vid; from datasets import load_dataset\n"
        "for name, stream in (('video_chatgpt', False), ('sharegemini', True)):\n"
        "    rows = load_dataset(f't2vid/{name}', data_dir=sys.argv[1], split='train', streaming=stream)\n"
        "    print([row['id'] for row in rows])"
    )
    with Hub() as hub:
        data = json.dumps([ask("v_one")]).encode()
        hub.put("datasets/MBZUAI/VideoInstruct-100K", {"VideoInstruct100K.json": data})
        data = json.dumps([talk("77", "Q", "A")]).encode()
        hub.put("datasets/Share14/ShareGemini", {"sharegemini_webvid_core100k.json": data})
        out = subprocess.run(
            [sys.executable, "-c", code, str(videos)],
            env=hub.environment(tmp_path / "home"), check=True, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
    assert out.stdout.split() == ["['video_chatgpt/00000']", "['sharegemini/00000']"]


@pytest.mark.parametrize(
    ("name", "file", "stems", "n"),
    [
        ("sharegemini", "sharegemini_webvid_core100k.json", ["1000000001", "1000000002", "1000000003"], 3),
        ("sharegemini", "sharegemini_webvid_core100k.jsonl", ["1000000001", "1000000003"], 2),
        ("video_chatgpt", "VideoInstruct100K.json", ["v_ExAmPlE0001", "v_k_eXaMpLe02"], 3),
        ("video_chatgpt", "video-chatgpt.jsonl", ["v_ExAmPlE0001", "k_eXaMpLe02"], 3),
        ("video_chatgpt", "video_chatgpt_training.json", ["v_ExAmPlE0001", "v_k_eXaMpLe02"], 3),
    ],
)  # fmt: skip
def test_every_public_sample_loads(
    shared_data: Path, tmp_path: Path, clip: bytes, name: str, file: str, stems: list[str], n: int
) -> None:
    for stem in stems:
        (tmp_path / f"{stem}.mp4").write_bytes(clip)
    path = str(shared_data / "formats" / file)
    rows = load_dataset(f"t2vid/{name}", data_files=path, data_dir=str(tmp_path), split="train")
    assert len(rows) == n == read_counts(rows).kept
    assert not any("<video>" in text or "noisy" in text for row in rows for _, text in said(row))
