"""A mix takes rows from wherever they are, and says what it did not take."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image

from hub import Hub
from media import make_clip
from t2vid import Recipe
from t2vid.checkup import checkup
from t2vid.errors import InputError, MissingFile, RecordError
from t2vid.mixing.build import build
from t2vid.mixing.tracing import trace

TEXT = "The mill stood by the water. "


def png(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(out, "png")
    return out.getvalue()


def talk(image: str, said: str = "So.") -> dict[str, Any]:
    turns = [{"from": "human", "value": "<image>\nWhy?"}, {"from": "gpt", "value": said}]
    return {"image": image, "conversations": turns}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources") / "data"
    (root / "img").mkdir(parents=True)
    for n in range(3):
        (root / "img" / f"{n}.png").write_bytes(png((n, 0, 0)))
    make_clip(root / "x.mp4", seconds=4.0)
    _lines(root / "talk.jsonl", [talk(f"img/{n}.png", f"It is {n}.") for n in range(3)])
    video = {"video": "x.mp4", "query": "<video>?", "response": "Bars."}
    _lines(root / "swift.jsonl", [video, {"query": "Hi", "response": "Hello."}, {"story": "x"}])
    _lines(root / "texts.csv", [])
    (root / "texts.csv").write_text("article,summary\n" + f"{TEXT * 60},A mill.\n" * 2)
    return root


def recipe(*sources: dict[str, Any], **more: Any) -> Recipe:
    return Recipe.from_dict({"name": "many", "sources": list(sources), **more})


def rows_of(built: Any) -> dict[str, dict[str, Any]]:
    """Give the rows by id, after a look at their frames."""
    rows = {row["id"]: row for row in built.dataset()}
    for row in rows.values():
        n = sum(part["type"] == "image" for turn in row["messages"] for part in turn["content"])
        assert n == len(row["images"]) == row["n_frames"], row["id"]
    return rows


def test_files_of_any_layout_and_kind_are_sources(data: Path, tmp_path: Path) -> None:
    mixed = recipe(
        {"dataset": "t2vid/rows", "files": ["talk.jsonl"], "name": "talk"},
        {"dataset": "swift.jsonl"},
        {"dataset": "./texts.csv", "columns": {"context": "article", "answer": "summary"}, "question": "Sum it up."},
    )  # fmt: skip
    built = build(mixed, data=data, out=tmp_path / "mix")
    rows = rows_of(built)
    assert sorted(rows) == [
        "swift/00000", "swift/00001", *(f"talk/0000{n}" for n in range(3)), "texts/00000", "texts/00001",
    ]  # fmt: skip
    assert [rows[f"talk/0000{n}"]["images"][0].getpixel((0, 0))[0] for n in range(3)] == [0, 1, 2]
    assert rows["swift/00000"]["n_frames"] == 4 and rows["swift/00001"]["n_frames"] == 0
    assert rows["texts/00000"]["messages"][0]["content"][-1]["text"] == "Sum it up."
    assert built.counts.dropped == {"no known layout": 1}
    assert Recipe.from_yaml(mixed.to_yaml()) == mixed
    stored = "".join(path.read_bytes().decode("latin1") for path in built.out.glob("*.json"))
    assert str(data) not in stored


def test_a_mix_and_a_saved_set_are_sources_of_another_mix(data: Path, tmp_path: Path) -> None:
    first = build(recipe({"dataset": "talk.jsonl"}), data=data, out=tmp_path / "first")
    load_dataset("t2vid/synthetic", "sample", split="train[:2]").save_to_disk(tmp_path / "saved")
    built = build(
        recipe(
            {"dataset": str(tmp_path / "first")},
            {"dataset": str(tmp_path / "saved")},
            {"dataset": "t2vid/mix", "config": "sample", "name": "bundled", "count": 3},
        ),
        data=data,
        out=tmp_path / "mix",
    )
    rows = rows_of(built)
    assert built.n_rows == 8
    inner = {row["messages"][1]["content"][0]["text"] for row in first.dataset()}
    outer = {
        r["messages"][1]["content"][0]["text"] for r in rows.values() if r["source"] == "first"
    }
    assert inner == outer


CODE = """
import sys, t2vid
from t2vid.mixing.build import build
built = build(t2vid.Recipe.from_yaml(sys.argv[1]), data=sys.argv[2], out=sys.argv[3])
print(built.table().splitlines()[0])
for row in sorted(built.dataset(), key=lambda row: row["id"]):
    print(row["id"], len(row["images"]), row["messages"][-1]["content"][0]["text"])
"""
HUB_RECIPE = """
name: hub
sources:
  - {dataset: me/pics}
  - {dataset: me/talks, config: two, split: choice}
  - {dataset: me/texts, columns: {context: article, answer: summary}, question: Sum it up.}
  - {dataset: me/long, layout: document, name: long}
"""


def test_sets_on_the_hub_are_sources_and_a_new_revision_of_their_files_is_noticed(
    data: Path, tmp_path: Path
) -> None:
    card = (
        "configs:\n- {config_name: one, data_files: one.json}\n- config_name: two\n  data_files:\n"
        "  - {split: choice, path: two.json}\n  - {split: open, path: one.json}\n"
    )
    pictures = io.BytesIO()
    stored = [{"bytes": png((n, 0, 9)), "path": f"{n}.png"} for n in range(2)]
    pq.write_table(
        pa.table({"image": stored, "question": ["Why?"] * 2, "answer": ["a", "b"]}), pictures
    )
    document = {"role": "user", "content": f"{TEXT * 60}\n\nWho?"}
    files: dict[str, dict[str, bytes]] = {
        "pics": {"data/train-00000-of-00001.parquet": pictures.getvalue()},
        "talks": {
            "README.md": f"---\n{card}---\n".encode(),
            "one.json": b"[]",
            "two.json": json.dumps([talk("img/1.png"), talk("img/9.png")]).encode(),
        },
        "texts": {"train.jsonl": json.dumps({"article": TEXT * 60, "summary": "A mill."}).encode()},
        "long": {"a.jsonl": json.dumps({"messages": [document, {"role": "assistant", "content": "He."}]}).encode()},
    }  # fmt: skip
    (tmp_path / "hub.yaml").write_text(HUB_RECIPE)

    def run(hub: Hub) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", CODE, "hub.yaml", str(data), "mix"],
            capture_output=True,
            text=True,
            env=hub.environment(tmp_path / "home"),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.splitlines()

    with Hub() as hub:
        for name, contents in files.items():
            hub.put(f"datasets/me/{name}", contents)
        head, *rows = run(hub)
        assert rows == [
            "long/00000 4 He.", "pics/00000 1 a", "pics/00001 1 b", "talks/00000 1 So.", "texts/00000 4 A mill.",
        ]  # fmt: skip
        hub.put("datasets/me/texts", {"README.md": b"another card"})
        assert run(hub)[0] == f"{head} (it was there already, whole)"
        hub.put("datasets/me/texts", {"train.jsonl": b'{"article": "x"}'})
        with pytest.raises(AssertionError, match="one of other files"):
            run(hub)


MEDIA_CODE = """
import sys, t2vid
from datasets import load_dataset
from t2vid.mixing.build import build
recipe = t2vid.Recipe.from_dict({"name": "m", "sources": [{"dataset": "me/clips"}]})
built = build(recipe, data=sys.argv[1], out="mix")
rows = load_dataset("t2vid/rows", data_files="hf://datasets/me/clips/rows/train.jsonl", split="train")
for found in (built.dataset(), rows):
    print(sorted((row["messages"][-1]["content"][0]["text"], len(row["images"])) for row in found))
"""


def test_media_that_lie_in_the_repository_only_are_read_where_they_are(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", seconds=4.0)
    clip, pack = (tmp_path / "a.mp4").read_bytes(), io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("deep/b.mp4", clip)
        archive.writestr("deep/c.png", png((0, 9, 9)))
    clips, pictures = {"a": "clips/a.mp4", "b": "deep/b.mp4"}, {"c": "c.png", "d": "gone.png"}
    medium = {name: {"video": path} for name, path in clips.items()}
    medium |= {name: {"image": path} for name, path in pictures.items()}
    rows = [{"query": "Why?", "response": name, **shown} for name, shown in medium.items()]
    files = {"clips/a.mp4": clip, "packed.zip": pack.getvalue()}
    files["rows/train.jsonl"] = "\n".join(map(json.dumps, rows)).encode()
    files["README.md"] = (
        b"---\nconfigs: [{config_name: default, data_files: rows/train.jsonl}]\n---\n"
    )
    (tmp_path / "data").mkdir()
    with Hub() as hub:
        hub.put("datasets/me/clips", files)
        done = subprocess.run(
            [sys.executable, "-c", MEDIA_CODE, "data"],
            capture_output=True,
            text=True,
            env=hub.environment(tmp_path / "home"),
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["[('a', 4), ('b', 4), ('c', 1)]"] * 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"dataset": "sharegemini"}, r"did you mean 't2vid/sharegemini'.*'\./sharegemini'"),
        ({"dataset": "t2vid/rowz"}, "did you mean 't2vid/rows'"),
        ({"dataset": "gone.jsonl"}, "gone.jsonl' is no file"),
        ({"dataset": "./gone"}, "./gone' is no file"),
        ({"dataset": "talk.jsonl", "layout": "mesages"}, "did you mean 'messages'"),
        (
            {"dataset": "talk.jsonl", "columns": {"picture": "image"}},
            r"columns names \['picture'\]",
        ),
        ({"dataset": "talk.jsonl", "form": "text"}, "only a text can be given as text"),
        ({"dataset": "t2vid/sharegemini", "layout": "messages"}, "layout has no meaning"),
        ({"dataset": "t2vid/sharegemini", "split": "test"}, "split and revision"),
        ({"dataset": "t2vid/rows"}, "name its files"),
    ],
)
def test_a_source_that_cannot_be_is_refused_with_the_next_move(data, tmp_path, source, message):
    with pytest.raises((InputError, MissingFile), match=message):
        build(recipe(source), data=data, out=tmp_path / "mix")


def test_the_bundled_texts_need_no_copy_beside_the_data(data, tmp_path):
    texts = {"dataset": "t2vid/synthetic", "config": "sample", "name": "texts", "count": 2}
    talks = {"dataset": "t2vid/rows", "name": "talks", "files": "talk.jsonl"}
    built = build(recipe(texts, talks), data=data, out=tmp_path / "mix")
    assert built.counts.files["texts"] == {"t2vid/texts.jsonl": 2}  # no path of this machine
    assert len(rows_of(built)) == 5 and trace("texts/00005", tmp_path / "mix").record == 5
    clips = {"dataset": "t2vid/sharegemini", "config": "sample", "name": "clips"}
    with pytest.raises(MissingFile, match="none of .* is below"):
        build(recipe(clips, talks), data=data, out=tmp_path / "other")


def test_a_file_of_which_most_fits_no_layout_is_an_error(data, tmp_path):
    _lines(data / "odd.jsonl", [{"story": "x"}] * 9)
    with pytest.raises(RecordError, match="rows of 'odd' cannot be read.*story"):
        build(recipe({"dataset": "odd.jsonl"}), data=data, out=tmp_path / "mix")


def test_a_dry_run_marks_the_media_that_it_assumed(data, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("talk.jsonl", "swift.jsonl"):
        (tmp_path / "empty" / name).write_bytes((data / name).read_bytes())
    mixed = recipe({"dataset": "talk.jsonl"}, {"dataset": "swift.jsonl"})
    dry = build(mixed, data=tmp_path / "empty", dry_run=True)
    assert dry.sources["swift"]["frames"] == 24 and dry.sources["talk"]["frames"] == 3
    assert dry.assumed == {"talk": 24, "swift": 24} and "~24" in dry.table()
    assert build(mixed, data=data, dry_run=True).assumed == {}


def test_a_picture_that_came_went_or_changed_makes_a_new_plan(data, tmp_path):
    root = tmp_path / "data"
    (root / "img").mkdir(parents=True)
    (root / "talk.jsonl").write_bytes((data / "talk.jsonl").read_bytes())
    (root / "img" / "0.png").write_bytes(png((1, 1, 1)))
    mixed = recipe({"dataset": "talk.jsonl"})
    assert build(mixed, data=root, out=tmp_path / "mix").n_rows == 1
    (root / "img" / "1.png").write_bytes(png((2, 2, 2)))
    built = build(mixed, data=root, out=tmp_path / "mix")
    assert built.n_rows == 2 and "img/1.png" in built.changed
    assert build(mixed, data=root, out=tmp_path / "mix").written == 0


def test_fewer_frames_thin_the_video_of_a_row_and_never_its_pictures(data, tmp_path):
    row = {
        "images": ["img/0.png"],
        "videos": ["x.mp4"],
        "query": "<image><video>?",
        "response": "So.",
    }
    _lines(tmp_path / "both.jsonl", [row])
    built = build(
        recipe(
            {"dataset": str(tmp_path / "both.jsonl")},
            budget={"max_frames": 3},
            over_budget="fewer_frames",
        ),
        data=data,
        out=tmp_path / "mix",
    )
    [one] = rows_of(built).values()
    assert one["n_frames"] == 3 and one["images"][0].size == (32, 24)


def _lines(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_a_column_that_no_row_has_is_refused_before_rows_lose_their_pictures(data, tmp_path):
    rows = [{"query": "Why?", "response": "So."}] * 30 + [
        {"pic": "img/0.png", "query": "Why?", "response": "So."}
    ]
    _lines(tmp_path / "late.jsonl", rows)
    for columns, told in (({"image": "pci"}, "pci"), ({"query": "query", "image": "pci"}, "pci")):
        source = {"dataset": str(tmp_path / "late.jsonl"), "columns": columns}
        with pytest.raises(RecordError, match=rf"no row of 'late' has a column \['{told}'\].*pic"):
            build(recipe(source), data=data, out=tmp_path / "none")
        for streaming in (False, True):
            with pytest.raises(RecordError, match=told):
                options = {"data_dir": str(data), "split": "train", "streaming": streaming}
                load_dataset("t2vid/rows", data_files=source["dataset"], columns=columns, **options)
    found = {"dataset": str(tmp_path / "late.jsonl"), "columns": {"image": "pic"}}
    built = build(recipe(found), data=data, out=tmp_path / "mix")
    assert sorted(row["n_frames"] for row in built.dataset()) == [0] * 30 + [1]


def test_a_folder_of_parquet_below_the_data_is_a_source_and_two_schemas_are_told(data, tmp_path):
    root = tmp_path / "data"
    (root / "two").mkdir(parents=True)
    pq.write_table(pa.table({"query": ["a"], "response": ["b"]}), root / "two/1.parquet")
    assert build(recipe({"dataset": "./two"}), data=root, out=tmp_path / "one").n_rows == 1
    pq.write_table(pa.table({"query": ["a"], "response": ["b"], "n": [1]}), root / "two/2.parquet")
    with pytest.raises(InputError, match="two: ./two cannot be loaded.*column names don't match"):
        build(recipe({"dataset": "./two"}), data=root, out=tmp_path / "two")
    files = {"dataset": "t2vid/rows", "files": ["two/*.parquet"]}
    assert build(recipe(files), data=root, out=tmp_path / "files").n_rows == 2


def test_row_groups_are_read_once_each_however_the_rows_are_mixed(data, tmp_path, monkeypatch):
    table = pa.table({"query": [f"{n}?" for n in range(400)], "response": ["b"] * 400})
    pq.write_table(table, tmp_path / "many.parquet", row_group_size=20)
    read, plain = [], pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda *args: read.append(args[1]) or plain(*args)
    )
    source = {"dataset": "t2vid/rows", "files": ["many.parquet"]}
    planned = build(recipe(source | {"count": 300}), data=tmp_path, dry_run=True)
    assert planned.total("rows") == 300
    assert read == list(range(20))


def test_a_mix_that_was_copied_or_whose_data_moved_is_still_a_source(data, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(data, root)
    build(recipe({"dataset": "talk.jsonl"}), data=root, out=tmp_path / "mix")
    shutil.copytree(tmp_path / "mix", tmp_path / "bare", ignore=shutil.ignore_patterns(".work"))
    root.rename(tmp_path / "moved")
    for name in ("mix", "bare"):
        source = {"dataset": str(tmp_path / name)}
        again = build(recipe(source), data=tmp_path / "moved", out=tmp_path / f"of-{name}")
        assert [len(row["images"]) for row in again.dataset()] == [1, 1, 1]


def test_a_mix_whose_own_data_changed_is_told_as_a_source_and_its_rows_are_traced(
    data, tmp_path, caplog
):
    shutil.copytree(data, tmp_path / "data")
    talk_file = tmp_path / "data" / "talk.jsonl"
    build(recipe({"dataset": "talk.jsonl"}), data=tmp_path / "data", out=tmp_path / "mix")
    of_mix = recipe({"dataset": "./mix", "count": 2})
    again = build(of_mix, data=tmp_path, out=tmp_path / "again")
    assert "changed since" not in caplog.text
    found = trace(again.dataset()[0]["id"], tmp_path / "again")
    assert found.through.startswith("talk/0") and "of another mix: talk.jsonl, rec" in found.table()
    _lines(talk_file, [talk("img/0.png", "It is new.")])
    build(of_mix, data=tmp_path, dry_run=True)
    assert "mix is a mix of data that changed since (1 annotation file changed (talk" in caplog.text
    assert [row.state for row in checkup_of(of_mix, tmp_path).rows] == ["note"]


def checkup_of(mix: Recipe, folder: Path) -> Any:
    (folder / "of-mix.yaml").write_text(mix.to_yaml())
    return checkup(str(folder / "of-mix.yaml"), data=folder)
