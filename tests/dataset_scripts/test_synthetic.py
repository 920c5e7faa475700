"""`load_dataset("t2vid/synthetic", …)` from any folder, in any way, with every lost row counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
from datasets import get_dataset_config_names, load_dataset, load_dataset_builder

import t2vid
from hub import Hub
from t2vid import catalog, samples
from t2vid.corpora.counting import read_counts
from t2vid.errors import InputError, MissingFile, RecordError

COLUMNS = ["id", "source", "images", "messages", "n_frames", "n_words"]
PAPER = (
    "Below is a paper. Memorize the paper and answer my question after the paper.\n"
    " The paper begins. \n {} \n Now the paper ends. \nQuestion: {}"
)
pytestmark = pytest.mark.usefixtures("empty_folder")


def triplet(n: int, context: str | None = None) -> dict[str, str]:
    text = f"Text {n} has words." if context is None else context
    return {"context": text, "question": f"Which number, {n}?", "answer": str(n)}


@pytest.fixture
def write(tmp_path: Path):
    def write_rows(rows: object, name: str = "rows.jsonl") -> str:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path = tmp_path / name
        path.write_text(
            "[" + ",\n".join(lines) + "]" if name.endswith(".json") else "\n".join(lines)
        )
        return str(path)

    return write_rows


def load(path: str, config: str = "triplets", **kwargs):
    return load_dataset("t2vid/synthetic", config, data_files=path, split="train", **kwargs)


def test_a_style_seed_draws_every_row_in_a_style_of_its_own_again_and_again(write):
    path = write([triplet(n) for n in range(12)])
    plain = load(path).cast_column("images", t2vid.Frames(decode=False))
    styled, again, other = (
        load(
            path, style_seed=seed, render={"width": 364}, download_mode="force_redownload"
        ).cast_column("images", t2vid.Frames(decode=False))["images"]
        for seed in (1, 1, 2)
    )
    assert len({value["spec"] for value in plain["images"]}) == 1
    assert len({value["spec"] for value in styled}) == 12
    assert list(styled) == list(again) != list(other)
    first = load(path, style_seed=1, render={"width": 364})[0]["images"][0]
    assert first.size == (364, 448)
    worn = load(path, style_seed=1, style_level=3, render={"markup": "markdown"})
    spec = json.loads(worn[0]["images"].encoded["spec"])
    assert spec["wear"] > 0.4 and spec["markup"] == "markdown"


def test_the_sample_has_columns_frames_and_a_question_after_the_frames():
    rows = load_dataset("t2vid/synthetic", "sample", split="train")
    assert rows.column_names == COLUMNS
    assert len(rows) == len(samples.texts())
    row = rows[0]
    kinds = [part["type"] for part in row["messages"][0]["content"]]
    assert kinds == ["image"] * len(row["images"]) + ["text"]
    assert len(row["images"]) == row["n_frames"]
    text = next(
        t for t in samples.texts() if t["question"] == row["messages"][0]["content"][-1]["text"]
    )
    assert "".join(text["context"][a:b] for a, b in row["images"].spans) == text["context"]


@pytest.mark.parametrize("name", ["default", "dense", "paper"])
def test_a_layout_can_be_given_by_the_name_of_its_preset(name):
    rows = load_dataset("t2vid/synthetic", "sample", split="train", render=name, streaming=True)
    row = next(iter(rows.cast_column("images", t2vid.Frames(decode=False))))
    spec = t2vid.RenderSpec.from_json(row["images"]["spec"])
    assert spec == t2vid.RenderSpec.preset(name)


def test_a_layout_that_is_none_is_an_input_error():
    for wrong in ("tiny", 3):
        with pytest.raises(InputError, match="tiny|an int"):
            load_dataset("t2vid/synthetic", "sample", split="train", render=wrong, streaming=True)


@pytest.mark.parametrize("config", ["sample", None])
def test_the_bundled_texts_take_no_files(write, config):
    path = write([triplet(1)])
    with pytest.raises(InputError, match="triplets"):
        load_dataset("t2vid/synthetic", config, data_files=path)
    with pytest.raises(InputError, match="triplets"):
        load_dataset("t2vid/synthetic", config, data_dir=str(Path(path).parent))


def test_streaming_and_two_processes_give_the_same_rows(write):
    path = write([triplet(n) for n in range(1200)])
    plain = load(path)
    stream = load(path, streaming=True)
    two = load(path, num_proc=2, download_mode="force_redownload")
    assert plain["id"][:] == two["id"][:] == [row["id"] for row in stream]
    assert len(set(plain["id"])) == 1200
    assert next(iter(stream))["images"][0].tobytes() == plain[0]["images"][0].tobytes()


def test_names_builders_and_slices():
    names = [c.config for c in catalog.CORPORA if c.dataset == "t2vid/synthetic" and c.converter]
    assert get_dataset_config_names("t2vid/synthetic") == names
    assert {"longalpaca", "longqlora", "triplets", "booksum", "sample"} <= set(names)
    builder = load_dataset_builder("t2vid/synthetic", "sample")
    assert list(builder.info.features) == COLUMNS
    assert len(load_dataset("t2vid/synthetic", "sample", split="train[1:3]")) == 2


def test_loading_before_importing_t2vid_works_in_a_fresh_process(tmp_path):
    code = (
        "from datasets import load_dataset\nimport t2vid\n"
        "print(len(load_dataset('t2vid/synthetic', 'sample', split='train')[0]['images']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert int(done.stdout) > 0, done.stderr


def test_the_layout_is_an_option_and_stored_with_every_row(write):
    path = write([triplet(0, "word " * 300)])
    few = load(path, render={"words_per_frame": 50, "width": 336})
    assert few[0]["n_frames"] == len(few[0]["images"]) == 6
    assert few[0]["images"][0].size == (336, 448)
    stored = few.cast_column("images", t2vid.Frames(decode=False))[0]["images"]["spec"]
    assert t2vid.RenderSpec.from_json(stored).words_per_frame == 50


def test_a_folder_stands_for_its_files(write):
    path = write([triplet(0)], "mine.jsonl")
    rows = load_dataset(
        "t2vid/synthetic", "triplets", data_dir=str(Path(path).parent), split="train"
    )
    assert len(rows) == 1


def test_rows_that_do_not_parse_are_counted_by_reason(write, caplog):
    rows = [triplet(0), triplet(1, ""), {"context": "c", "question": "", "answer": "a"}, triplet(3)]
    loaded = load(write(rows))
    counts = read_counts(loaded)
    assert loaded["id"][:] == ["triplets/00000", "triplets/00003"]
    assert counts.kept == 2
    assert dict(counts.dropped) == {"no context": 1, "no question": 1}
    assert "dropped 2" in caplog.text


def test_a_stream_counts_in_its_builder(write):
    builder = load_dataset_builder(
        "t2vid/synthetic", "triplets", data_files=write([triplet(0), triplet(1, " ")])
    )
    assert len(list(builder.as_streaming_dataset(split="train"))) == 1
    assert builder.counts.kept == 1 and sum(builder.counts.dropped.values()) == 1


@pytest.mark.parametrize(
    ("config", "name", "record"),
    [
        (
            "longalpaca",
            "LongAlpaca-12k.json",
            {"instruction": PAPER.format("Ink.", "What?"), "output": "Answer: Ink."},
        ),
        (
            "longqlora",
            "rows.jsonl",
            {"input": PAPER.format("Ink.", "What?"), "output": "Answer: Ink."},
        ),
    ],
)
def test_public_corpora_come_from_local_files(write, config, name, record):
    row = load(write([record], name), config)[0]
    assert row["source"] == config
    assert row["messages"][0]["content"][-1]["text"] == "What?"
    assert row["messages"][1]["content"][0]["text"] == "Ink."
    assert row["images"].encoded["text"].strip() == "Ink."


@pytest.mark.parametrize("streaming", [False, True])
def test_without_files_the_public_ones_come_from_the_hub(tmp_path, streaming):
    record = {"instruction": PAPER.format("Ink.", "What?"), "output": "Answer: Ink.", "file": None}
    code = (
        "import t2vid\nfrom datasets import load_dataset\n"
        f"rows = load_dataset('t2vid/synthetic', 'longalpaca', split='train', streaming={streaming})\n"
        "print([row['id'] for row in rows])"
    )
    with Hub() as hub:
        data = json.dumps([record, record]).encode()
        hub.put("datasets/Yukang/LongAlpaca-12k", {"LongAlpaca-12k.json": data})
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=hub.environment(tmp_path),
            cwd=tmp_path,
        )
    assert done.stdout.strip() == "['longalpaca/00000', 'longalpaca/00001']", done.stderr[-2000:]


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere.jsonl"):
        load("nowhere.jsonl")


def test_triplets_without_files_say_what_to_give():
    with pytest.raises(MissingFile, match="data_files="):
        load_dataset("t2vid/synthetic", "triplets")


def test_json_of_another_shape_is_refused_with_what_was_found(write, tmp_path):
    for text in ('"just a string"', "not json at all"):
        path = tmp_path / "odd.json"
        path.write_text(text)
        with pytest.raises(RecordError, match=r"odd\.json"):
            load(str(path))
    path = write([{"prompt": "x"}] * 30)
    for kwargs in ({}, {"num_proc": 2}, {"streaming": True}):
        with pytest.raises(RecordError, match="the first is {'prompt': 'x'}"):
            list(load([path, path], **kwargs))


def test_a_file_whose_rows_all_drop_says_why(write):
    with pytest.raises(RecordError, match=r"of 3 that were read\n  3 no context, e\.g\. row 0: "):
        load(write([triplet(n, "") for n in range(3)]))
    with pytest.raises(ValueError, match="corresponds to no data"):  # that is what was asked for
        load_dataset("t2vid/synthetic", "sample", split="train[:0]")


@pytest.mark.slow
def test_a_text_of_five_megabytes_is_one_row(write):
    text = "A sentence of seven words is here. " * 143_000
    rows = load(write([triplet(0, text)]))
    few = rows.cast_column("images", t2vid.Frames(max_frames=2))
    assert len(text) > 5_000_000
    assert len(few[0]["images"]) == 2
    assert few[0]["images"].n_total == rows[0:1]["n_frames"][0] > 5_000


def test_options_out_of_range_are_refused():
    with pytest.raises(InputError, match="min_words"):
        load_dataset("t2vid/synthetic", "sample", min_words=-1)
    with pytest.raises(InputError, match="no field"):
        load_dataset("t2vid/synthetic", "sample", render={"font_pixels": 3})


def test_every_public_sample_loads(shared_data, tmp_path):
    for name, config, kept in (
        ("LongAlpaca-12k.json", "longalpaca", 5),
        ("LongQLoRA-SFT-Data-39k.jsonl", "longqlora", 3),
        ("long_context_triplets.json", "triplets", 2),
    ):
        assert len(load(str(shared_data / "formats" / name), config)) == kept


def test_the_class_works_without_the_registered_name(tmp_path):
    from t2vid.dataset_scripts.synthetic import Synthetic

    builder = Synthetic(config_name="sample", cache_dir=str(tmp_path))
    builder.download_and_prepare()
    assert isinstance(builder.as_dataset(split="train"), datasets.Dataset)
