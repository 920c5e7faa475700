"""Intervals over seeds and clips, Holm, and the comparisons that were stated before the runs."""

from __future__ import annotations

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.miniature import questions
from t2vid.miniature.arms import ARMS, COMPARISONS
from t2vid.miniature.report import report
from t2vid.miniature.results import ArmResult, read_results, save_results
from t2vid.miniature.verdicts import accuracy, lead, verdicts

KINDS = ("first", "last", "second", "count")


def result(
    arm: str, seed: int, share: dict[str, float], n_clips: int = 60, rows: int = 100
) -> ArmResult:
    rng = np.random.default_rng([seed, *arm.encode()])
    asked = [(f"{clip:03d}-{kind}", kind) for clip in range(n_clips) for kind in share]
    right = [bool(rng.random() < share[kind]) for _, kind in asked]
    names = [name for name, _ in asked]
    return ArmResult(arm, seed, rows, 4, 1.0, 1.0, names, right, ["x"] * len(names), {})


def runs(arm: str, unseen: float, seen: float = 0.9, seeds: int = 5) -> list[ArmResult]:
    share = dict.fromkeys(KINDS, unseen) | {"first": seen}
    return [result(arm, seed, share) for seed in range(seeds)]


def test_a_clear_lead_holds_and_luck_does_not():
    results = [*runs("video", 0.3), *runs("hybrid", 0.5), *runs("few", 0.5)]
    found = {(v.comparison.first, v.comparison.group): v for v in verdicts(results)}
    assert found["video", "unseen"].holds and found["video", "unseen"].lead.found.mean > 0.1
    assert found["video", "unseen"].lead[1:] == (5, 5, 5 * 60 * 3)
    assert not found["few", "unseen"].holds
    assert ("shuffled", "unseen") not in found  # not run, so not answered


def test_no_worse_is_judged_by_its_margin():
    lost = verdicts([*runs("video", 0.3, seen=0.9), *runs("hybrid", 0.5, seen=0.7)])
    kept = verdicts([*runs("video", 0.3, seen=0.9), *runs("hybrid", 0.5, seen=0.93)])
    assert [v.holds for v in lost if v.comparison.margin] == [False]
    assert [v.holds for v in kept if v.comparison.margin] == [True]


def test_two_arms_whose_seed_was_asked_other_questions_are_refused():
    share = dict.fromkeys(KINDS, 0.5)
    first, second = result("video", 1, share), result("hybrid", 1, share, n_clips=50)
    with pytest.raises(InputError, match="seed 1 of 'video' and 'hybrid' was asked other"):
        lead([first], [second], KINDS)


def test_seeds_may_have_test_clips_of_their_own():
    share = dict.fromkeys(KINDS, 0.5)
    found = accuracy([result("video", 0, share), result("video", 1, share, n_clips=50)], KINDS)
    assert found.interval.low < found.mean < found.interval.high


def test_results_are_kept_in_one_file_with_the_questions_of_each_seed(tmp_path):
    share = dict.fromkeys(KINDS, 0.5)
    results = [result("video", 0, share), result("video", 1, share, n_clips=50)]
    save_results(tmp_path / "all.json", results)
    kept = read_results(tmp_path / "all.json")
    assert [(r.questions, r.correct) for r in kept] == [(r.questions, r.correct) for r in results]
    with pytest.raises(InputError, match="'hybrid', seed 1, was asked other questions"):
        save_results(tmp_path / "all.json", [*results, result("hybrid", 1, share)])


def test_runs_with_other_rows_are_the_learning_curve_and_no_part_of_the_tables():
    share = dict.fromkeys(questions.KINDS, 0.5)
    arms = [("video", 0.3), ("hybrid", 0.5)]
    main = [result(arm, i, dict.fromkeys(share, x)) for arm, x in arms for i in range(2)]
    text = report([*main, *(result(arm, 0, share, rows=50) for arm, _ in arms)])
    lead = next(line for line in text.splitlines() if "hybrid ahead of video | unseen" in line)
    assert "| 2 of 2 |" in lead
    lines = text.split("How many rows of video equal")[1].splitlines()
    assert [line.split("|")[2].strip() for line in lines if line.startswith(("| video", "| hyb"))][
        :4
    ] == ["50", "50", "100", "100"]


def test_every_stated_comparison_is_between_arms_and_says_what_speaks_against_it():
    for comparison in COMPARISONS:
        assert {comparison.first, comparison.second} <= {*ARMS} and comparison.against
