"""Whatever a benchmark file holds, every record becomes a question or is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from t2vid.catalog import BENCHMARKS
from t2vid.errors import UnsafePath
from t2vid.evaluation.benchmarks import tempcompass
from t2vid.evaluation.benchmarks.questions import LETTERS, Question, Videos, split_options
from t2vid.evaluation.benchmarks.reader import reader_of
from t2vid.evaluation.benchmarks.subtitles import read_srt
from t2vid.frames.spec import SampleSpec
from t2vid.schema import Counts

text = st.text(max_size=12) | st.sampled_from(["A. x\nB. y", "B. y", "yes", "Option 1: x", "\n"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=2),
    max_leaves=5,
)
KEYS = "videoID question_id question options answer duration task_type video candidates start end"
KEYS += " video_id dim mc_question mc_answer prompt GT category id video_path correct_choice"
KEYS += " duration_group question_category uid question_type q_uid video_idx option qid type a0 a1"
KEYS += (
    " a2 a3 a4 video_name answer_id area cut_frame frame_rate group_type second_head start_s end_s"
)
record = st.fixed_dictionaries({}, optional={key: junk for key in KEYS.split()}) | junk
words = st.sampled_from(
    ["x", "y", "A. x", "B. y", "yes", "No.", "Option 1: x", "Which?\nA. x\nB. y"]
)
plausible = {key: words for key in KEYS.split()}
plausible |= dict.fromkeys(("options", "candidates"), st.lists(words, max_size=12))
plausible |= dict.fromkeys(("start", "end"), st.none() | st.floats(-1, 9) | st.integers(-1, 9))
plausible["option"] = plausible["options"]
plausible |= dict.fromkeys(("correct_choice", "answer_id"), st.integers(-1, 4) | words)
plausible |= dict.fromkeys(
    ("duration_group", "cut_frame", "frame_rate"), st.integers(0, 99) | words
)
plausible["question_type"] = st.sampled_from(["plotQA", "findNeedle", ["reasoning"], "x"])
plausible["answer"] = words | st.sampled_from(["0", "1", 1, "A", "B"])
plausible["question"] = words | st.just("Which fits?\nOption 1: x\nOption 2: y")
without_prompt = {key: value for key, value in plausible.items() if key != "prompt"}
full = st.fixed_dictionaries(plausible) | st.fixed_dictionaries(without_prompt)


def converted(name: str, rows: list[Any], counts: Counts) -> list[Question]:
    pairs = enumerate(rows)
    if name in tempcompass.TASKS:
        return list(tempcompass.READER.convert(pairs, counts, config=name))
    config = "action_count" if name == "mvbench" else ""
    return list(reader_of(name).convert(pairs, counts, config=config))


NAMES = [one.name for one in BENCHMARKS if one.name not in ("tempcompass", "needles")]


@pytest.mark.parametrize("name", [*NAMES, *tempcompass.TASKS])
@settings(max_examples=100, deadline=None)
@given(rows=st.lists(record | full, max_size=6))
def test_every_record_becomes_a_question_or_is_counted(name: str, rows: list[Any]):
    counts = Counts()
    questions = converted(name, rows, counts)
    if name != "egoschema":  # whose subset leaves out what has no public answer
        assert len(questions) + sum(counts.dropped.values()) == len(rows)
    for question in questions:
        event("kept")
        assert question.answer in LETTERS[: len(question.options)]  # "" where it is not public
        assert 0 < len(question.options) <= len(LETTERS)
        row = question.row("x.mp4", SampleSpec())
        assert all(isinstance(option, str) for option in row["options"])
        json.loads(row["official"])


@given(
    stem=st.text("abc \n?", min_size=1, max_size=20).filter(lambda s: not s.endswith("\n")),
    options=st.lists(st.text("xyz ,.", min_size=1).map(str.strip).filter(bool), max_size=10),
)
def test_a_prompt_comes_apart_as_it_was_put_together(stem: str, options: list[str]):
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False)]
    assert split_options("\n".join([stem, *lines])) == (
        stem,
        dict(zip(LETTERS, options, strict=False)),
    )


@given(st.text(max_size=300))
def test_any_text_reads_as_subtitles(content: str):
    for cue in read_srt(content):
        assert cue.start_s >= 0 and cue.text == " ".join(cue.text.split())


def test_videos_are_found_in_any_layout_and_never_outside(tmp_path):
    for name in ("star/Charades_v1_480/A.mp4", "deep/er/dot.ted.MKV.mkv", "tvqa/x/clip_1/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    videos = Videos(tmp_path)
    assert videos.find("A.mp4", "star/Charades_v1_480").endswith("480/A.mp4")
    assert videos.find("A.webm", "elsewhere").endswith("480/A.mp4")  # the only one of that name
    assert videos.find("dot.ted.MKV").endswith("MKV.mkv")
    assert videos.find("clip_1", "tvqa/x").endswith("clip_1")
    assert videos.find("nowhere.mp4") is None and Videos(None).find("A.mp4") is None
    for name in ("../A.mp4", "/etc/passwd", "a/../../b.mp4"):
        with pytest.raises(UnsafePath):
            videos.find(name)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "A.mp4").write_bytes(b"")
    assert Videos(tmp_path).find("A.webm", "elsewhere") is None  # two of that name: no guess
