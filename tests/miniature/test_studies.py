"""Studies change one thing, are trained once for all their tests, and report what is missing."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.frames.render import count_frames
from t2vid.miniature import runner
from t2vid.miniature.arms import ALL_ARMS, ARMS, VARIANTS
from t2vid.miniature.chart import study_chart
from t2vid.miniature.files import CONTROLS, TRIPLETS, WorldSize, write_world
from t2vid.miniature.questions import KINDS
from t2vid.miniature.report import report
from t2vid.miniature.results import ArmResult, read_results, save_results
from t2vid.miniature.runner import Job, run_all
from t2vid.miniature.studies import STUDIES, Study, StudyPoint, of_tables, studied
from t2vid.miniature.world import Episode

ROWS = 6_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    size = WorldSize(clips=48, stories=24, test_clips=3)
    return write_world(tmp_path_factory.mktemp("world"), size)


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_a_study_says_what_was_expected_and_its_jobs_are_all_different(study):
    assert study.question.endswith("?") and study.expected
    assert study.reference.label == (study.against or study.points[0].label)
    names = [job.name for job in study.jobs(seeds=[1, 2], rows=ROWS)]
    assert len({*names}) == len(names) == 2 * len(study.points)


@pytest.mark.parametrize("name", [name for name, arm in ALL_ARMS.items() if arm.recipe])
def test_every_arm_of_a_study_has_as_many_rows_as_hybrid(name):
    wanted = ALL_ARMS[name].recipe_for(rows=3_000).wanted()
    assert sum(n or 0 for n in wanted) == (20_000 if name == "full" else 3_000)


def test_every_variant_is_asked_about_and_differs_from_hybrid_or_words():
    assert {point.arm for study in STUDIES.values() for point in study.points} >= {*VARIANTS}
    plain = [_bare(ARMS[name]) for name in ("hybrid", "pure-text")]
    assert not [name for name, arm in VARIANTS.items() if _bare(arm) in plain]


def _bare(arm):
    return dataclasses.replace(arm, name="", title="", in_paper="")


def test_shares_of_drawn_text_are_what_their_names_say():
    for name, share in (("share-1-6", 1 / 6), ("share-2-3", 2 / 3), ("share-1", 1)):
        sources = VARIANTS[name].recipe_for(rows=3_000).sources
        texts = sum(source.count or 0 for source in sources if not source.shows_media)
        assert texts == 3_000 * share


@pytest.mark.parametrize("name", ["paper-layout", "random-looks", "worn", "small"])
def test_pages_of_these_looks_hold_a_scene_each(name):
    for seed in range(8):
        sources = VARIANTS[name].recipe_for(rows=300, seed=seed).sources[2:]
        episode = Episode.drawn(np.random.default_rng(seed))
        counts = [count_frames(episode.story, source.render) for source in sources]
        assert counts == [len(episode.scenes)] * 2, [source.render for source in sources]


def test_half_and_twice_the_words_make_twice_and_half_the_pages():
    episode = Episode.drawn(np.random.default_rng(5))
    n = len(episode.scenes)
    for name, pages in (("words-3", 2 * n), ("words-12", math.ceil(n / 2))):
        assert count_frames(episode.story, VARIANTS[name].render) == pages


def test_the_disordered_stories_are_the_same_scenes_and_questions_in_another_order(world):
    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (world / name).read_text("utf-8").splitlines()]

    plain, other = rows(TRIPLETS), rows(f"{CONTROLS}/disordered-{TRIPLETS}")
    assert [(r["question"], r["answer"]) for r in plain] == [
        (r["question"], r["answer"]) for r in other
    ]
    stories = [
        (a["context"].split(), b["context"].split()) for a, b in zip(plain, other, strict=True)
    ]
    assert all(sorted(a) == sorted(b) for a, b in stories)
    assert sum(a != b for a, b in stories) > len(stories) / 2


def test_jobs_that_differ_in_the_test_alone_are_trained_once_texts_first(
    world, tmp_path, monkeypatch
):
    trained = []

    def train(model, processor, rows, work, job):
        trained.append(set(rows["source"]))
        return 3, {"all": [(1, 0.5), (3, 0.25)]}

    monkeypatch.setattr(runner, "train", train)
    jobs = [Job("frames-first", rows=96, frames=n) for n in (5, 1, 8)]
    results = run_all(jobs, dict.fromkeys(jobs, world), out=tmp_path)
    assert trained == [{"longalpaca", "triplets"}, {"sharegemini", "video_chatgpt"}]
    assert [r.frames for r in results] == [5, 1, 8]
    assert results[0].steps == 6 and results[0].curves["all"][-1] == (6, 0.25)
    assert results[0].answers != results[1].answers
    judged = (tmp_path / "work" / jobs[2].name / "answers" / "judged.jsonl").read_text("utf-8")
    assert {json.loads(line)["n_frames"] for line in judged.splitlines()} == {8}  # each scene twice


def made_up(arm: str, seed: int, share: float, **fields) -> ArmResult:
    rng = np.random.default_rng([seed, *arm.encode()])
    names = [f"{clip:03d}-{kind}" for clip in range(40) for kind in KINDS]
    right = [bool(rng.random() < share) for _ in names]
    rows = fields.pop("rows", ROWS)
    return ArmResult(arm, seed, rows, 4, 60.0, 1.0, names, right, ["x"] * len(names), {}, **fields)


def test_a_study_is_reported_beside_its_reference_and_what_was_not_run_is_named(tmp_path):
    tables = [
        made_up(arm, seed, x) for arm, x in (("video", 0.3), ("hybrid", 0.6)) for seed in (1, 2)
    ]
    half = [made_up("hybrid", seed, 0.5, rows=ROWS // 2) for seed in (1, 2)]
    worn = [made_up("worn", seed, 0.2, rows=ROWS // 2) for seed in (1, 2)]
    frames = [made_up("hybrid", seed, 0.1, rows=ROWS // 2, frames=1) for seed in (1, 2)]
    base = [made_up("hybrid", seed, 0.1, base="other") for seed in (1, 2)]
    save_results(tmp_path / "all.json", [*tables, *half, *worn, *frames, *base])
    results = read_results(tmp_path / "all.json")
    assert {(r.arm, r.rows) for r in of_tables(results)} == {("video", ROWS), ("hybrid", ROWS)}
    found = studied(results)
    assert STUDIES["style"] in found and STUDIES["pick"] not in found
    text = report(results)
    assert "| video | captions and video questions | 6,000 | 2 |" in text
    part = text.partition("### Does the look of the pages matter?")[2].partition("###")[0]
    (line,) = [line for line in part.splitlines() if line.startswith("| worn |")]
    assert "| 3,000 | 2 |" in line and "| -3" in line  # 0.2 against 0.5
    assert "**Not run**: paper-layout, random-looks, filled, scrolling." in part
    assert study_chart(STUDIES["style"], found[STUDIES["style"]])[1:4] == b"PNG"
    assert study_chart(STUDIES["rows"], found[STUDIES["rows"]])[1:4] == b"PNG"


def test_an_arm_without_training_is_asked_once_a_seed_whatever_the_rows():
    point = next(p for p in STUDIES["frames"].points if p.arm == "zero-shot" and p.frames == 5)
    assert point.job(seed=1, rows=ROWS) == Job("zero-shot", 1, rows=ROWS)
    twice = [made_up("zero-shot", seed, 0.3, rows=0) for seed in (1, 1, 2)]
    tables = [*twice, made_up("hybrid", 1, 0.5)]
    assert [r.seed for r in point.found(tables, rows=ROWS)] == [1, 2]
    assert [r.seed for r in of_tables(tables) if r.arm == "zero-shot"] == [1, 2]


def test_two_points_of_one_label_are_refused():
    with pytest.raises(InputError, match="two points of one label"):
        Study("twice", "Why?", "Nothing.", (StudyPoint("a", "video"), StudyPoint("a", "hybrid")))
