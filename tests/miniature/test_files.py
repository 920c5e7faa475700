"""The world's files are read by the product's builders, and hold what they should."""

from __future__ import annotations

import json

import pytest

from t2vid.errors import InputError
from t2vid.miniature.files import LONG_ALPACA, TRIPLETS, WorldSize, write_world
from t2vid.miniature.questions import KINDS, SEEN_KINDS, UNSEEN_KINDS, WORDINGS
from t2vid.miniature.runner import Job, load_mix
from t2vid.miniature.runner import benchmark_questions as load_questions

SIZE = WorldSize(clips=24, stories=12, test_clips=6)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"), SIZE)


def kind_of(question: str) -> str:
    stem = question.split("\n")[0]
    for kind, wordings in WORDINGS.items():
        if stem in wordings:
            return kind
    raise AssertionError(stem)


def test_rows_about_clips_ask_few_kinds_and_stories_all(world, tmp_path):
    rows = load_mix(Job("hybrid", rows=36), world, tmp_path)
    asked: dict[str, set[str]] = {}
    for source, turns in zip(rows["source"], rows["messages"], strict=True):
        if source != "sharegemini":
            asked.setdefault(source, set()).add(kind_of(turns[0]["content"][-1]["text"]))
    assert asked["video_chatgpt"] == {*SEEN_KINDS}
    assert (asked["longalpaca"] | asked["triplets"]) & {*UNSEEN_KINDS}
    stories = json.loads((world / LONG_ALPACA).read_text("utf-8"))
    stems = [row["instruction"].rpartition("ends. ")[2] for row in stories]
    assert {kind_of(stem) for stem in stems} == {*KINDS}


def test_the_control_of_few_kinds_has_only_those_of_the_clips(world):
    lines = (world / "controls" / f"few-{TRIPLETS}").read_text("utf-8").splitlines()
    assert {kind_of(json.loads(line)["question"]) for line in lines} == {*SEEN_KINDS}


def test_shuffled_answers_are_the_same_answers_in_other_rows(world):
    def answers(name: str) -> list[tuple[str, str]]:
        lines = (world / name).read_text("utf-8").splitlines()
        return [(row["question"], row["answer"]) for row in map(json.loads, lines)]

    plain, shuffled = answers(TRIPLETS), answers(f"controls/shuffled-{TRIPLETS}")
    assert [q for q, _ in plain] == [q for q, _ in shuffled]
    assert sorted(a for _, a in plain) == sorted(a for _, a in shuffled)
    assert sum(a == b for a, b in zip(plain, shuffled, strict=True)) < len(plain) / 2


def test_questions_about_unseen_clips_come_through_the_builder_of_video_mme(world, tmp_path):
    rows = load_questions(world, tmp_path)
    assert {*rows["category"]} <= {*KINDS} and len({*rows["video"]}) == SIZE.test_clips
    assert all(4 <= len(images) <= 5 for images in rows["images"])
    assert len({*load_questions(world, tmp_path, clips=2)["video"]}) == 2


def test_the_same_seed_writes_the_same_world_and_another_is_refused(world, tmp_path):
    again = write_world(tmp_path / "again", SIZE)
    for name in (LONG_ALPACA, TRIPLETS, "clips/000003.mp4", "test/data/test00001.mp4"):
        assert (again / name).read_bytes() == (world / name).read_bytes()
    before = (world / TRIPLETS).stat().st_mtime_ns
    assert write_world(world, SIZE) == world and (world / TRIPLETS).stat().st_mtime_ns == before
    with pytest.raises(InputError, match="holds another world"):
        write_world(world, WorldSize(clips=25, stories=12, test_clips=6))


def test_pure_text_holds_the_stories_that_hybrid_draws(world, tmp_path):
    drawn = load_mix(Job("hybrid", rows=36), world, tmp_path)
    words = load_mix(Job("pure-text", rows=36), world, tmp_path)
    assert drawn["id"] == words["id"]
    for a, b in zip(drawn, words, strict=True):
        if a["source"] in ("longalpaca", "triplets"):
            story = a["images"].encoded["text"]
            assert not len(b["images"]) and len(a["images"]) >= 4
            assert b["messages"][0]["content"][-1]["text"].startswith(f"{story}\n\n")
