"""What the look at a batch promises: it shows what the model gets, not what was put in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from media import make_clip
from t2vid import cli
from t2vid.errors import InputError
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.models.tiny import tiny_idefics3
from t2vid.pages.batch import inspect
from t2vid.schema import row_features
from t2vid.trainer.collator import VideoCollator
from t2vid.trainer.readback import Inspection, read_back
from training_rows import clip, mixed_rows, row, texts

ROWS = mixed_rows()


@pytest.fixture(scope="module")
def processor() -> Any:
    return tiny_idefics3(texts(ROWS))[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved dataset with a drawn text, a video and a text alone; beside it a tiny model."""
    lazy = [
        dict(ROWS[4], images=text_value("word " * 300), n_frames=3),
        dict(ROWS[1], images=video_value(make_clip(tmp_path / "clip.mp4")), n_frames=3),
        dict(ROWS[7], images=None),
    ]
    Dataset.from_list(lazy, features=row_features(Frames())).save_to_disk(tmp_path / "rows")
    model, processor = tiny_idefics3(texts(ROWS))
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    return tmp_path


def targets(found: Inspection, n: int = 0) -> list[str]:
    return [run.text for run in found.rows[n].runs if run.kind == "loss"]


def test_the_coloured_words_are_the_answers_and_their_end(processor):
    collate = VideoCollator(processor, "idefics3")
    found = read_back(collate(ROWS), collate)
    for n, r in enumerate(ROWS):
        answers = [t["content"][0]["text"] for t in r["messages"] if t["role"] == "assistant"]
        assert targets(found, n) == [f" {answer}<end_of_utterance>" for answer in answers]
        assert sum(run.n_tokens for run in found.rows[n].runs) == found.rows[n].n_tokens


def test_pictures_are_the_frames_that_the_model_gets(processor):
    frames = clip("red", 3, (56, 56))
    collate = VideoCollator(processor, "idefics3")
    found = read_back(
        collate([row("a", "s", frames, [("user", "?"), ("assistant", "!")], 3)]), collate
    )
    for ours, frame in zip(found.rows[0].pictures, frames, strict=True):
        assert np.array_equal(ours, frame)
    named = [run for run in found.rows[0].runs if run.kind == "frame"]
    assert [run.text for run in named] == ["frame 1", "frame 2", "frame 3"]
    assert found.rows[0].tokens_per_frame == 4


def test_packed_rows_are_told_apart(processor):
    collate = VideoCollator(processor, "idefics3", pack=True)
    found = read_back(collate(ROWS), collate)
    assert [r.id for r in found.rows] == [r["id"] for r in ROWS] and found.padding_share == 0
    assert [len(r.pictures) for r in found.rows] == [len(r["images"]) for r in ROWS]


def test_a_folder_and_a_model_folder_make_a_page(folder: Path):
    out = folder / "page.html"
    pairs = ["max_frames=2", "loss_on=answer"]
    found = inspect(folder / "rows", model=str(folder / "model"), rows=3, out=out, overrides=pairs)
    assert [len(r.pictures) for r in found.rows] == [2, 2, 0]
    html = out.read_text()
    assert html.count("<img") == 4 and "http" not in html
    assert "<mark> Ships.&lt;end_of_utterance&gt;</mark>" in html
    assert "⟦ Ships.<end_of_utterance>⟧" in found.text() and "\x1b" in found.text(colour=True)


def test_rows_are_found_by_id(folder: Path):
    found = inspect(folder / "rows", ids=["alone/0"])
    assert [r.id for r in found.rows] == ["alone/0"] and found.rows[0].tokens_per_frame == 0
    with pytest.raises(InputError, match="'nobody'"):
        inspect(folder / "rows", ids=["nobody"])


def test_a_training_recipe_says_what_is_in_the_loss(folder: Path):
    pairs = [f"dataset_name={folder / 'rows'}", "dataset_config=null"]
    found = inspect("idefics3-hybrid-30k", overrides=pairs)
    assert "".join(targets(found)).startswith("User:")  # its loss is on the conversation


def test_the_command_prints_the_batch(folder: Path, capsys):
    assert cli.main(["inspect", str(folder / "rows"), "max_frames=1", "--rows", "1"]) == 0
    shown = capsys.readouterr().out
    assert "1 frame of 4 tokens" in shown and "⟦ Ships." in shown
