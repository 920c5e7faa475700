"""A judge shows what it is worth on labelled answers before it may move a score."""

from __future__ import annotations

import pytest

from t2vid import extract_choice
from t2vid.errors import InputError
from t2vid.scoring.judge import judge_from
from t2vid.scoring.probe import probe_cases, probe_judge

CASES = {(case.question, case.answer): case.letter for case in probe_cases()}


def oracle(question, options, answer):
    return CASES[question, answer]


def test_there_are_two_hundred_and_the_rules_leave_them_all_open():
    cases = probe_cases()
    assert len(cases) == len(CASES) == 200
    assert sum(case.letter is None for case in cases) == 40
    read = [c for c in cases if extract_choice(c.answer, c.options, c.question).letter]
    assert read == []


def test_a_judge_that_knows_passes_and_one_that_guesses_does_not():
    report = probe_judge(judge_from(oracle, cache=None))
    assert (report.n, report.right, report.wrong, report.silent) == (200, 200, 0, 0)
    with pytest.raises(InputError, match="right 20.0 %, wrong 80.0 %"):
        probe_judge(judge_from(lambda question, options, answer: "A", cache=None))


def test_silence_and_failures_are_told_apart():
    def judge(question, options, answer):
        if "?" not in question or question.startswith("How"):
            raise RuntimeError("away")
        return None

    report = probe_judge(judge_from(judge, cache=None), threshold=0)
    assert report.errors > 0 and report.silent > 0 and report.wrong == 0
    assert report.right + report.silent + report.errors == 200
