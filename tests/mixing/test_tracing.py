"""Every row of a mix says where it is from, and its way can be followed to its batch."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from datasets import load_dataset

import t2vid
from t2vid import samples
from t2vid.cli import main
from t2vid.errors import MissingFile, UnknownTarget
from t2vid.mixing.build import Built
from t2vid.mixing.tracing import trace


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = t2vid.Recipe.from_yaml("sample").build(out=tmp_path_factory.mktemp("built") / "mix")
    assert isinstance(made, Built)
    return made


def test_each_row_names_its_file_its_record_and_its_place(built: Built) -> None:
    rows = built.dataset().remove_columns("images")
    for position, row in enumerate(rows):
        origin = row["origin"]
        assert origin["position"] == position
        record = json.loads(
            (samples.ROOT / origin["file"]).read_text().splitlines()[origin["record"]]
        )
        answer = json.dumps(row["messages"][-1]["content"][-1]["text"])
        assert answer[1:-1] in json.dumps(record)
    loaded = load_dataset("t2vid/mix", split="train")
    assert loaded["origin"][:] == rows["origin"][:]


def test_the_counts_say_how_many_rows_each_file_gave(built: Built) -> None:
    files = Counter(row["file"] for row in built.dataset()["origin"])
    assert built.counts.files == {
        "texts": {"texts.jsonl": files["texts.jsonl"]},
        "clips": {"clips.jsonl": files["clips.jsonl"]},
    }
    kept = {name: counter["kept"] for name, counter in built.counts.sources.items()}
    assert kept == {name: sum(counter.values()) for name, counter in built.counts.files.items()}


@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (3, 2)])
def test_a_trace_ends_in_the_batch_that_holds_the_row(built: Built, seed: int, epoch: int) -> None:
    found = trace("texts/00003", built.out, seed=seed, epoch=epoch, batch_size=8)
    stream = t2vid.stream(built.out, seed=seed, epoch=epoch, batch_size=8, columns=["id"])
    ids = [row["id"] for row in stream]
    assert ids[found.batch * 8 + found.place] == "texts/00003"
    row = built.dataset()[found.position]
    assert row["id"] == found.id and row["n_frames"] == found.n_frames
    assert row["images"].encoded["text"].startswith(found.begins)
    assert (found.file, found.record) == (row["origin"]["file"], row["origin"]["record"])


def test_the_command_prints_it(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "clips/00003", str(built.out), "--batch-size", "4"]) == 0
    told = capsys.readouterr().out
    assert "file      clips.jsonl" in told and "of epoch 0, place" in told
    assert main(["trace", "clips/00003", str(built.out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["record"] == 3


def test_what_is_not_there_is_said(built: Built, tmp_path: Path) -> None:
    with pytest.raises(UnknownTarget, match="did you mean 'texts/00003'"):
        trace("text/00003", built.out)
    with pytest.raises(MissingFile, match="holds no plan of a mix"):
        trace("texts/00003", tmp_path)
