"""How good is a judge? 200 labelled answers that the rules leave open, and what it makes of them.

>>> from t2vid.scoring.judge import judge_from
>>> report = probe_judge(judge_from(lambda question, options, answer: None), threshold=0)
>>> report.n, report.silent == sum(case.letter is not None for case in probe_cases())
(200, True)
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from t2vid.configuration import read_yaml
from t2vid.errors import InputError
from t2vid.scoring.judge import Judge

PROBE_THRESHOLD = 0.8  # a judge with more errors moves scores by more than models differ
_FILE = Path(__file__).with_name("probe.yaml")


class ProbeCase(NamedTuple):
    """One labelled answer; `letter` is None where the answer settles on no option."""

    question: str
    options: tuple[str, ...]
    answer: str
    letter: str | None


class ProbeReport(NamedTuple):
    """What a judge made of the labelled answers.

    Attributes:
        n: labelled answers.
        right: the label was said, or nothing where nothing is right.
        wrong: another letter was said.
        silent: nothing was said where an option is meant.
        errors: the judge failed.
    """

    n: int
    right: int
    wrong: int
    silent: int
    errors: int

    def __str__(self) -> str:
        return (
            f"judge on {self.n} labelled answers: right {100 * self.right / self.n:.1f} %, wrong "
            f"{100 * self.wrong / self.n:.1f} %, silent {100 * self.silent / self.n:.1f} %, failed {self.errors}"
        )


def probe_cases() -> list[ProbeCase]:
    """Return the labelled answers, written for this purpose."""
    return [
        ProbeCase(
            group["question"],
            tuple(map(str, group["options"])),
            answer,
            key if len(key) == 1 else None,
        )
        for group in read_yaml(_FILE)
        for key, answers in group["answers"].items()
        for answer in ([answers] if isinstance(answers, str) else answers)
    ]


def probe_judge(judge: Judge | None, *, threshold: float = PROBE_THRESHOLD) -> ProbeReport:
    """Let a judge decide the labelled answers.

    Args:
        judge: the judge.
        threshold: share that it must get right.

    Raises:
        InputError: for no judge, or one that is right less often than that.
    """
    if judge is None:
        raise InputError("there is no judge to probe; give judge=")
    cases = probe_cases()
    verdicts = judge.decide((case.question, case.options, case.answer) for case in cases)
    right = wrong = silent = errors = 0
    for case, verdict in zip(cases, verdicts, strict=True):
        errors += bool(verdict.error)
        right += not verdict.error and verdict.letter == case.letter
        wrong += verdict.letter is not None and verdict.letter != case.letter
        silent += not verdict.error and verdict.letter is None and case.letter is not None
    report = ProbeReport(len(cases), right, wrong, silent, errors)
    if right < threshold * len(cases):
        raise InputError(
            f"{report}: below the {100 * threshold:.0f} % that is asked for; take another judge, or let it pass with "
            "probe_threshold=0"
        )
    return report
