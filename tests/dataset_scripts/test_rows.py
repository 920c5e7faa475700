"""Anybody's rows load: every layout, every way to name a medium, and no row is lost unseen."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset, load_dataset_builder
from PIL import Image

from media import make_clip
from t2vid.corpora.counting import read_counts
from t2vid.errors import InputError, MissingFile, RecordError
from t2vid.models.showing import conversation

COLOURS = {"img/red.png": (200, 0, 0), "img/blue.png": (0, 0, 200), "f/1.png": (9, 9, 9)}


def png(colour: tuple[int, int, int], kind: str = "png") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("media")
    for name, colour in COLOURS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(colour))
    (root / "v").mkdir()
    make_clip(root / "v" / "x.mp4", seconds=4.0)
    return root


def load(folder: Path, rows: list[Any], name: str = "rows.jsonl", **options: Any) -> Any:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / name).write_text(lines, encoding="utf-8")
    return load_dataset("t2vid/rows", data_files=str(folder / name), split="train", **options)


def written(row: dict[str, Any]) -> str:
    """Write a row in one line: a # for each frame, a | between turns."""
    parts = ["".join(p["text"] or "#" for p in turn["content"]) for turn in row["messages"]]
    return "|".join(parts)


def human(text: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": text}, {"from": "gpt", "value": "So."}]


def chat(content: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}, {"role": "assistant", "content": "So.", **more}]


def part(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


RED, CLIP = "img/red.png", "v/x.mp4"
LAYOUTS: dict[str, tuple[Any, str]] = {
    "llava": ({"image": RED, "conversations": human("<image>\nWhy?")}, "#Why?|So."),
    "llava video": ({"video": CLIP, "conversations": human("<image>\nWhy?")}, "####Why?|So."),
    "sharegpt": (
        {"videos": [CLIP], "system": "Be brief.", "conversations": human("Why?<video>")},
        "Be brief.|Why?####|So.",
    ),
    "openai": (
        {
            "messages": chat(
                [
                    part("text", text="A "),
                    part("image_url", image_url={"url": RED}),
                    part("text", text=" b"),
                ]
            )
        },
        "A # b|So.",
    ),
    "hf": (
        {
            "messages": chat(
                [part("video", path=CLIP), part("image", path=RED), part("text", text="?")]
            )
        },
        "#####?|So.",
    ),
    "trl": ({"images": [RED, "img/blue.png"], "messages": chat("Compare.")}, "##Compare.|So."),
    "trl prompt": ({"image": RED, "prompt": chat("?")[:1], "completion": chat("?")[1:]}, "#?|So."),
    "ms-swift": (
        {"images": [RED], "videos": [CLIP], "query": "<image>a<video>b", "response": "So."},
        "#a####b|So.",
    ),
    "ms-swift frames": ({"videos": [["f/1.png", RED]], "messages": chat("<video>?")}, "##?|So."),
    "llama-factory": (
        {"images": [RED, "f/1.png"], "messages": [*chat("<image>Who?"), *chat("Here?<image>")]},
        "#Who?|So.|Here?#|So.",
    ),
    "qwen parts": ({"messages": chat([part("video", video=CLIP, nframes=2), "?"])}, "##?|So."),
    "qwen clip": (
        {"messages": chat([part("video", video=CLIP, video_start=1.0, video_end=3.0), "?"])},
        "##?|So.",
    ),
    "video-r1": (
        {"problem": "Why?", "solution": "So.", "data_type": "video", "path": f"./{CLIP}"},
        "####Why?|So.",
    ),
    "text": ({"messages": chat("Hi")}, "Hi|So."),
}


def test_every_layout_gives_a_place_for_each_frame_where_its_medium_stands(folder: Path) -> None:
    rows = load(folder, [record for record, _ in LAYOUTS.values()])
    assert dict(zip(LAYOUTS, map(written, rows), strict=True)) == {
        name: said for name, (_, said) in LAYOUTS.items()
    }
    for row in rows:
        assert len(row["images"]) == row["n_frames"] == written(row).count("#")
    assert read_counts(rows).dropped == {}


def test_frames_come_in_the_order_of_their_places_and_are_read_again_as_the_same(
    folder: Path,
) -> None:
    rows = load(folder, [{"images": [RED, "img/blue.png"], "messages": chat("<image>or<image>?")}])
    row = rows[0]
    assert [frame.getpixel((0, 0)) for frame in row["images"]] == [(200, 0, 0), (0, 0, 200)]
    kinds = [[part["type"] for part in turn["content"]] for turn in conversation(row)]
    assert kinds == [["image", "text", "image", "text"], ["text"]]
    again = rows.map(lambda row: {**row})
    assert again[0]["images"][1].tobytes() == row["images"][1].tobytes()


@pytest.mark.parametrize("how", ["bytes", "base64", "data url", "absolute", "file url", "jpeg"])
def test_a_picture_is_one_however_it_is_named(folder: Path, how: str) -> None:
    data, inside = png((7, 90, 3)), folder / RED
    value: Any = {
        "base64": base64.b64encode(png((7, 90, 3)) + bytes(300)).decode(),
        "data url": "data:image/png;base64," + base64.b64encode(data).decode(),
        "absolute": str(inside),
        "file url": f"file://{inside}",
        "jpeg": "data:image/jpeg;base64," + base64.b64encode(png((9, 9, 9), "jpeg")).decode(),
    }.get(how)
    if how == "bytes":
        table = pa.table(
            {"image": [{"bytes": data, "path": "gone.png"}], "query": ["?"], "response": ["So."]}
        )
        pq.write_table(table, folder / "rows.parquet")
        rows = load_dataset("t2vid/rows", data_files=str(folder / "rows.parquet"), split="train")
    else:
        rows = load(folder, [{"image": value, "query": "?", "response": "So."}])
    assert [frame.size for frame in rows[0]["images"]] == [(32, 24)]


def test_rows_without_use_are_counted_by_reason_and_the_others_stay(folder: Path) -> None:
    good = {"query": "?", "response": "So."}
    bad = {
        "no such image": {**good, "image": "img/green.png"},
        "no such video": {**good, "video": "y.mp4"},
        "unsafe image path": {**good, "image": "../img/red.png"},
        "no known layout": {"story": "x"},
        "broken turns": {"messages": 3},
        "no answer": {"messages": chat("?", weight=0)},
        "empty answer": {"query": "?", "response": float("nan")},
        "places without media": {"query": "<image>\n?", "response": "So."},
        "unusable clip": {**good, "video": CLIP, "start": 3, "end": 1},
        "bad image (image)": {**good, "image": "data:image/png;base64,aGVsbG8gd29ybGQ="},
    }
    rows = load(folder, [*bad.values(), *[good] * len(bad)])
    counts = read_counts(rows)
    assert set(counts.dropped) - {"no known layout"} == set(bad) - {
        "empty answer",
        "no known layout",
    }
    assert counts.dropped["no known layout"] == 2  # NaN is no answer, so nothing is left of it
    assert counts.kept == len(rows) == len(bad)
    with pytest.raises(MissingFile, match="green"):
        load(folder, [bad["no such image"], good], missing="raise")


def test_a_file_of_which_most_fails_shows_a_row_and_what_is_expected(folder: Path) -> None:
    for rows in ([{"story": "x"}] * 3 + [{"query": "?", "response": "So."}], [{"story": "x"}] * 40):
        with pytest.raises(
            RecordError, match=r"rows of 'rows'.*messages.*query \+ response.*story"
        ):
            load(folder, rows)


def test_weights_tool_turns_and_packed_lists_survive(folder: Path) -> None:
    called = [{"id": "1", "type": "function", "function": {"name": "look"}}]
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": called},
        {"role": "tool", "content": "full"},
        {"role": "assistant", "content": "No.", "weight": 0},
        *chat("Again?", loss=True),
    ]
    packed = [{"id": "own", "conversations": human("a")}, {"conversations": human("b")}]
    rows = load(folder, [{"messages": turns}, packed])
    assert [turn["weight"] for turn in rows[0]["messages"]] == [None, None, None, 0, None, 1]
    assert json.loads(rows[0]["messages"][1]["tool_calls"]) == called
    assert rows["id"][:] == ["rows/00000", "own", "rows/00001.1"]


def test_columns_a_layout_and_a_question_are_options(folder: Path) -> None:
    rows = load(
        folder,
        [{"pic": RED, "caption": "A wall."}],
        columns={"image": "pic", "answer": "caption"},
        question="What is it?",
    )
    assert written(rows[0]) == "#What is it?|A wall."
    rows = load(folder, [{"images": [RED], "messages": chat("What is <image>?")}], layout="trl")
    assert written(rows[0]) == "#What is <image>?|So."
    with pytest.raises(InputError, match="did you mean 'messages'"):
        load(folder, [{"messages": chat("?")}], layout="message")
    with pytest.raises(InputError, match=r"columns names \['pics'\]"):
        load(folder, [{"messages": chat("?")}], columns={"pics": "x"})


def test_csv_streams_and_processes_give_the_same_rows(folder: Path) -> None:
    lines = "".join(f"{RED},What {n}?,So {n}.\n" for n in range(1100))
    (folder / "rows.csv").write_text("image,question,answer\n" + lines)
    options = {"data_files": str(folder / "rows.csv"), "data_dir": str(folder), "split": "train"}
    rows = load_dataset("t2vid/rows", **options, num_proc=2)
    assert len(rows) == 1100 and written(rows[1099]) == "#What 1099?|So 1099."
    stream = load_dataset("t2vid/rows", **options, streaming=True)
    assert [row["id"] for row in stream.take(3)] == rows["id"][:3]


def test_a_picture_that_comes_later_brings_its_row(folder: Path, tmp_path: Path) -> None:
    rows = [{"image": "late.png", "query": "?", "response": "So."}, {"query": "?", "response": "."}]
    assert len(load(tmp_path, rows)) == 1
    (tmp_path / "late.png").write_bytes(png((1, 2, 3)))
    assert len(load(tmp_path, rows)) == 2


def test_of_two_files_of_one_name_the_path_decides_or_none(tmp_path: Path) -> None:
    for place, colour in (("a", (9, 0, 0)), ("b", (0, 0, 9))):
        (tmp_path / place).mkdir()
        (tmp_path / place / "1.png").write_bytes(png(colour))
    rows = [{"image": f"{p}/1.png", "query": "?", "response": "So."} for p in ("data/b", "a", "c")]
    found = load(tmp_path, [*rows, {**rows[0], "image": "1.png"}, {"query": "?", "response": "."}])
    assert [frame.getpixel((0, 0)) for row in found for frame in row["images"]] == [
        (0, 0, 9),
        (9, 0, 0),
    ]
    assert read_counts(found).dropped == {"no such image": 2}


def test_public_corpora_of_rows_have_names_of_their_own(folder: Path, tmp_path: Path) -> None:
    pairs = {"content_metadata": {"qAndA": [{"question": "Who?", "answer": "A cook."}]}}
    table = pa.table({"mp4": [(folder / CLIP).read_bytes()], "json": [pairs]})
    pq.write_table(table, tmp_path / "part.parquet")
    captions = [{"idx": "1", "content": "A gate."}, {"idx": "-1", "content": "It opens."}]
    records = {
        "llava_video_178k": (
            "cap_processed.json",
            [
                {
                    "id": "a",
                    "data_source": "0_30_s",
                    "video": CLIP,
                    "conversations": human("<image>\nWhy?"),
                }
            ],
        ),
        "sharegpt4video": (
            "sharegpt4video_40k.jsonl",
            [{"video_id": "z", "video_path": CLIP, "captions": captions}],
        ),
        "videochat2_it": (
            "train.json",
            [
                {
                    "video": CLIP,
                    "start": 1.0,
                    "end": 3.0,
                    "QA": [{"i": "Tell.", "q": "", "a": "Bars."}],
                }
            ],
        ),
        "video_r1": (
            "Video-R1-260k.json",
            [
                {
                    "problem_id": 3,
                    "problem": "Which?",
                    "options": ["A. x"],
                    "solution": "<answer>A</answer>",
                    "process": "<think>.</think>",
                    "data_type": "image",
                    "path": f"./{RED}",
                }
            ],
        ),
    }
    said = {
        name: [
            written(row)
            for row in load_dataset(
                f"t2vid/{name}",
                data_files=_write(tmp_path / file, rows),
                data_dir=str(folder),
                split="train",
            )
        ]
        for name, (file, rows) in records.items()
    }
    inline = load_dataset(
        "t2vid/finevideo", data_files=str(tmp_path / "part.parquet"), split="train"
    )
    assert said == {
        "llava_video_178k": ["####Why?|So."],
        "sharegpt4video": ["####What does this video show? Describe it in detail.|It opens."],
        "videochat2_it": ["##Tell.|Bars."],
        "video_r1": ["#Which?\nA. x|<think>.</think>\n<answer>A</answer>"],
    }
    assert [written(row) for row in inline] == ["####Who?|A cook."]
    assert len(inline[0]["images"]) == 4


def test_without_files_it_says_what_to_give() -> None:
    with pytest.raises(MissingFile, match="needs data_files="):
        load_dataset_builder("t2vid/rows").download_and_prepare()


def _write(path: Path, rows: list[Any]) -> str:
    path.write_text(json.dumps(rows))
    return str(path)


def test_an_id_that_rows_share_is_numbered_and_told(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("t2vid.storage.records.split.__kwdefaults__", {"rows_per_part": 2})
    rows = [{"id": one, "query": f"Why {one}?", "response": "So."} for one in (0, 0, 1, 0, 1, 2)]
    found = load(folder, rows, "shared.jsonl")
    assert found["id"] == ["0", "0#2", "1", "0#3", "1#2", "2"]
    counts = read_counts(found)
    assert (counts.kept, dict(counts.noted)) == (6, {"id of another row, numbered": 3})
    assert "numbered: 1, e.g. 0#2" in caplog.text
    name = str(folder / "shared.jsonl")
    stream = load_dataset("t2vid/rows", data_files=name, split="train", streaming=True)
    assert [[row["id"] for row in stream] for _ in range(2)] == 2 * [found["id"]]


def test_names_are_found_in_either_form_of_unicode(tmp_path: Path) -> None:
    name = "café ü.png"
    for there, asked in (("NFC", "NFD"), ("NFD", "NFC")):
        root = tmp_path / there
        root.mkdir()
        (root / unicodedata.normalize(there, name)).write_bytes(png((1, 2, 3)))
        row = {"image": unicodedata.normalize(asked, name), "query": "Why?", "response": "So."}
        assert load(root, [row])["n_frames"] == [1]


def test_pictures_in_an_archive_are_looked_at_like_others(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "img.zip", "w") as pack:
        pack.writestr("a/red.png", png((200, 0, 0)))
        pack.writestr("broken.png", b"no picture")
    names = ["a/red.png", "broken.png", "gone.png"]
    rows = [{"image": f"img.zip::{one}", "query": "Why?", "response": "So."} for one in names]
    found = load(tmp_path, rows * 2)
    assert found[0]["images"][0].getpixel((3, 3)) == (200, 0, 0)
    assert dict(read_counts(found).dropped) == {"bad image (image)": 2, "no such image": 2}


def test_what_a_row_says_of_its_video_beside_it_counts(folder: Path) -> None:
    said: list[tuple[dict[str, Any], int]] = [
        ({}, 4),
        ({"fps": 2}, 8),
        ({"fps": "0.5"}, 2),
        ({"fps": 29.97}, 4),  # the camera's
        ({"num_frames": 300}, 4),
        ({"num_frames": 8}, 8),
        ({"nframes": 2}, 2),
        ({"max_frames": 3}, 3),
        ({"videos": [{"video": "v/x.mp4", "fps": 2.0}], "video": None}, 8),
        ({"videos": [{"video": "v/x.mp4", "video_end": "0:02"}], "video": None}, 2),
    ]
    chat = {"video": "v/x.mp4", "query": "Why?", "response": "So."}
    found = load(folder, [{**chat, **more} for more, _ in said], "said.jsonl")
    assert found["n_frames"] == [n for _, n in said]
    wrong = [{**chat, "fps": 0}, {**chat, "nframes": -3}, {**chat, "fps": "many"}, chat, chat]
    counts = read_counts(load(folder, wrong, "wrong.jsonl"))
    assert (counts.kept, dict(counts.dropped)) == (2, {"unusable clip": 3})


def test_a_file_cut_off_is_named_however_often_it_is_asked_for(tmp_path: Path) -> None:
    lines = "".join(f'{{"query": "Why {n}?", "response": "So."}}\n' for n in range(9000))
    for name, packed in (("a.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.xz", lzma.compress)):
        (tmp_path / f"jsonl.{name}").write_bytes(packed(lines.encode())[:-30])
        for streaming in (False, False, True):
            with pytest.raises(RecordError, match=f"jsonl.{name} is broken"):
                list(
                    load_dataset(
                        "t2vid/rows",
                        data_files=str(tmp_path / f"jsonl.{name}"),
                        split="train",
                        streaming=streaming,
                    )
                )


def test_patterns_without_a_file_and_folders_are_refused(folder: Path) -> None:
    load(folder, [{"query": "Why?", "response": "So."}], "there.jsonl")
    for files in ("data/*.json", [str(folder / "there.jsonl"), str(folder / "gone*.jsonl")]):
        with pytest.raises(MissingFile, match="no file matches data_files='.*json"):
            load_dataset("t2vid/rows", data_files=files, split="train")
    with pytest.raises(MissingFile, match="data_dir="):
        load_dataset("t2vid/rows", data_files=str(folder), split="train")


def test_a_folder_of_frames_is_a_video_and_a_file_goes_before_it(tmp_path: Path) -> None:
    for name in ("frames/v1", "frames/x"):
        (tmp_path / name).mkdir(parents=True)
        for at in range(6):
            (tmp_path / name / f"{at:03d}.png").write_bytes(png((40 * at, 0, 0)))
    (tmp_path / "v").mkdir()
    make_clip(tmp_path / "v" / "x.mp4", seconds=4.0)
    names = ["frames/v1", "v1/", "C:\\data\\frames\\v1", "/there/frames/v1", "x.mp4", "x"]
    rows = [{"video": one, "query": "Why?", "response": "So."} for one in names]
    found = load(tmp_path, rows)
    assert found["n_frames"] == [2, 2, 2, 2, 4, 4]
    assert [one.size for one in found[0]["images"]] == [(32, 24)] * 2
