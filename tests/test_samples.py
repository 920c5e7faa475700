"""What the bundled samples promise to everything that is built on them."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import pytest

SAMPLES = Path(str(files("t2vid"))) / "samples"
CATEGORIES = {"action", "order", "count", "attribute", "reading"}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text("utf-8").splitlines()]


def stated_clips() -> dict[str, tuple[int, ...]]:
    """Read width, height, frames a second and frames of each clip from the README's table."""
    table = re.findall(
        r"^\| `(\w+)\.mp4` \| (\d+) x (\d+) \| (\d+) \| (\d+) \|",
        (SAMPLES / "README.md").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    return {name: tuple(map(int, numbers)) for name, *numbers in table}


TEXTS = rows("texts.jsonl")
CLIPS = rows("clips.jsonl")
QUESTIONS = rows("questions.jsonl")


@pytest.mark.parametrize("table", [TEXTS, CLIPS, QUESTIONS], ids=["texts", "clips", "questions"])
def test_ids_are_unique_slugs(table: list[dict[str, Any]]) -> None:
    ids = [row["id"] for row in table]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in ids)


def test_texts_have_the_promised_lengths() -> None:
    n_words = sorted(len(row["context"].split()) for row in TEXTS)
    assert len(n_words) >= 14
    assert n_words[0] >= 300 and n_words[-1] <= 6000
    assert sum(n > 4000 for n in n_words) >= 2
    assert sum(1500 <= n <= 3500 for n in n_words) >= 3
    assert sum(n_words) >= 19_000


def test_every_text_has_a_question_and_an_answer() -> None:
    for row in TEXTS:
        assert set(row) == {"id", "context", "question", "answer"}
        assert all(isinstance(value, str) and value.strip() == value for value in row.values())
        assert "\n" in row["context"], row["id"]
    assert len({row["question"] for row in TEXTS}) == len(TEXTS)


def test_texts_use_only_latin_greek_and_cyrillic() -> None:
    for row in TEXTS:
        for character in set(row["context"] + row["question"] + row["answer"]):
            point = ord(character)
            known = point < 0x530 or 0x2010 <= point <= 0x2122 or character == "−"
            assert known and character.isprintable() or character == "\n", (row["id"], character)


def test_no_two_texts_share_a_long_passage() -> None:
    seen: dict[tuple[str, ...], str] = {}
    for row in TEXTS:
        words = re.findall(r"\w+", row["context"].lower())
        for start in range(len(words) - 9):
            owner = seen.setdefault(tuple(words[start : start + 10]), row["id"])
            assert owner == row["id"], (owner, row["id"], words[start : start + 10])


def test_no_text_repeats_itself() -> None:
    for row in TEXTS:
        passages = [p for p in re.split(r"\n+", row["context"]) if len(p.split()) >= 12]
        repeated = [p for p, n in Counter(passages).items() if n > 1]
        assert not repeated, (row["id"], repeated)


def test_every_clip_has_the_stated_frames() -> None:
    stated = stated_clips()
    paths = sorted((SAMPLES / "clips").iterdir())
    assert [path.stem for path in paths] == sorted(stated)
    for path in paths:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            n_frames = sum(1 for _ in container.decode(stream))
            shape = (stream.width, stream.height, round(float(stream.average_rate or 0)), n_frames)
        assert shape == stated[path.stem], path.name
        assert stream.codec_context.name == "h264" and stream.format.name == "yuv420p"
        assert 4 <= n_frames / shape[2] <= 40


def test_clips_show_what_the_script_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "make_samples.py"
    spec = importlib.util.spec_from_file_location("make_samples", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "make_samples", module)  # its dataclass looks itself up
    spec.loader.exec_module(module)
    assert module.check(SAMPLES) == []
    assert module.psnr(module.CLIPS["ball"].frame(0), module.CLIPS["ball"].frame(60)) < 30


def test_files_stay_small() -> None:
    sizes = [path.stat().st_size for path in (SAMPLES / "clips").iterdir()]
    assert max(sizes) < 100_000 and sum(sizes) < 500_000
    assert (SAMPLES / "texts.jsonl").stat().st_size < 200_000


def test_clip_rows_are_one_turn_about_a_bundled_clip() -> None:
    assert len(CLIPS) >= 12
    for row in CLIPS:
        assert set(row) == {"id", "video", "conversations"}
        assert (SAMPLES / row["video"]).is_file()
        human, gpt = row["conversations"]
        assert human["from"] == "human" and human["value"].startswith("<video>\n")
        assert gpt["from"] == "gpt" and gpt["value"]
    assert {row["video"] for row in CLIPS} == {f"clips/{name}.mp4" for name in stated_clips()}


def test_every_answer_letter_is_among_the_options() -> None:
    assert len(QUESTIONS) >= 24
    for row in QUESTIONS:
        options = row["options"]
        assert 3 <= len(options) <= 5 and len(set(options)) == len(options), row["id"]
        assert row["answer"] in "ABCDE"[: len(options)], row["id"]
        assert row["category"] in CATEGORIES and row["duration"] == "short"
        assert not any(re.match(r"[A-E][.)]", option) for option in options)


def test_every_question_is_about_one_clip_or_one_text() -> None:
    texts = {row["id"] for row in TEXTS}
    for row in QUESTIONS:
        assert (row["video"] is None) != (row["text"] is None), row["id"]
        assert row["text"] in texts or (SAMPLES / row["video"]).is_file()
    about_clips = sum(row["video"] is not None for row in QUESTIONS) / len(QUESTIONS)
    assert 0.55 <= about_clips <= 0.8


def test_a_constant_letter_gains_nothing() -> None:
    letters = Counter(row["answer"] for row in QUESTIONS)
    assert set(letters) == set("ABCD")
    assert max(letters.values()) - min(letters.values()) <= 1
