"""Needles lie where they are said to lie, follow from the seed, and are drawn by depth and length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset

import t2vid
from t2vid.errors import InputError, MissingFile
from t2vid.pages.needle_map import shares
from t2vid.pages.scores import report

YELLOW = (250, 215, 60)


def needles(config: str = "video", **options: Any) -> Any:
    given = {"lengths": [4, 8], "depths": [0.0, 0.5, 1.0], "each": 2, **options}
    return load_dataset("t2vid/needles", config, split="test", **given)


def test_the_card_is_the_frame_at_its_depth_and_no_other():
    for row in needles():
        place = json.loads(row["official"])["place"]
        frames = [np.asarray(frame)[8, 8].astype(int) for frame in row["images"]]
        assert len(frames) == int(row["duration"])
        yellow = [at for at, pixel in enumerate(frames) if abs(pixel - YELLOW).max() < 40]
        assert yellow == [place] and row["answer"] in "ABCD" and len({*row["options"]}) == 4


def test_the_sentence_stands_at_its_depth_in_the_text():
    rows = needles("text")
    for row in rows.cast_column("images", t2vid.Frames(decode=False)):
        words = row["images"]["text"].split()
        word = row["options"]["ABCD".index(row["answer"])]
        at = words.index(f"{word}.") / len(words)
        length, depth = int(row["duration"]), float(row["category"].rstrip(" %")) / 100
        assert abs(at - (depth * (length - 1) + 0.5) / length) <= 1 / length
        assert abs(len(words) / 115 - length) < 0.1
    assert abs(len(rows[0]["images"]) - 4) <= 1


def test_the_same_seed_gives_the_same_rows_and_another_one_others():
    plain = [needles("text", seed=seed).remove_columns("images").to_list() for seed in (0, 0, 1)]
    assert plain[0] == plain[1] and plain[0] != plain[2]
    assert len({row["id"] for row in plain[0] + plain[2]}) == 24


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lengths": [0]}, "must be > 0"),
        ({"depths": [1.5]}, "between 0 and 1"),
        ({"each": 0}, "> 0"),
    ],
)
def test_what_cannot_be_hidden_is_refused(options: dict[str, Any], said: str):
    with pytest.raises(InputError, match=said):
        needles(**options)
    with pytest.raises(MissingFile, match="haystack"):
        needles(haystack="nowhere.mp4")


def test_a_reader_that_reads_finds_all_and_one_that_sees_the_first_frames_finds_those(
    tmp_path: Path,
):
    """Every row is asked with frames of its own, although none of them has a path."""

    def looks(n: int) -> Any:
        def answer(ask: Any) -> str:
            for frame in ask.frames[:n]:
                if abs(np.asarray(frame)[8, 8].astype(int) - YELLOW).max() < 40:
                    return str(ask.line["answer"])
            return ""

        return answer

    rows = needles()
    run = t2vid.evaluate(looks(99), rows, "needles", out=tmp_path / "all")
    assert {share for share, _ in shares(run.judged()).values()} == {1.0}
    run = t2vid.evaluate(looks(3), rows, "needles", out=tmp_path / "first")
    found = {key: share for key, (share, _) in shares(run.judged()).items()}
    assert found == {
        ("0 %", "4"): 1.0,
        ("50 %", "4"): 1.0,
        ("100 %", "4"): 0.0,
        ("0 %", "8"): 1.0,
        ("50 %", "8"): 0.0,
        ("100 %", "8"): 0.0,
    }
    text = report([run])
    assert "| 50 % | 100.0 | 0.0 |" in text and "| depth | 4 | 8 |" in text
    assert (run.folder / "needles.png").read_bytes().startswith(b"\x89PNG")
    assert 'src="data:image' in report([run], format="html")
    assert "picture" not in json.loads(report([run], format="json"))[0]


def test_texts_without_a_path_are_asked_with_their_own_words(tmp_path: Path):
    seen: dict[str, bytes] = {}

    def answer(ask: Any) -> str:
        seen[ask.key[0]] = b"".join(frame.tobytes() for frame in ask.frames)
        return "A"

    rows = needles("text", lengths=[1], depths=[0.0], each=3)
    t2vid.evaluate(answer, rows, "needles", out=tmp_path / "run")
    assert len(set(seen.values())) == 3
