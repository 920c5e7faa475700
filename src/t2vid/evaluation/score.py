"""From the answers of a run to letters, scores and intervals, every figure traceable to its rows.

>>> row = {"labels": ["Option 1", "Option 2"], "options": ["x", "y"], "style": "matching"}
>>> unlabelled("Option 2.", row)
'B'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import require
from t2vid.evaluation.benchmarks.questions import LETTERS
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.runs import Run
from t2vid.progress import progress
from t2vid.scoring.judge import Judge, judge_from
from t2vid.scoring.statistics import circular

JUDGED_AT_ONCE = 512


def score(
    run: Run | str | Path,
    *,
    protocol: EvalConfig | str | Path | None = None,
    judge: Any = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Read the letters of a run and write `judged.jsonl` and `scores.json` beside the answers.

    Args:
        run: the run or its folder.
        protocol: whose `scheme` and `judge` apply; by default the one of the run.
        judge: what `t2vid.scoring.judge.judge_from` takes, such as a function of `(question,
            options, answer)` that gives a letter or None; asked where the rules abstain; by default
            the protocol's.
        confidence: coverage of the intervals.
        seed: of the bootstrap.

    Returns:
        What `evaluate.load("t2vid/video_mcq", "full")` gives, over every answer; with `errors`
        (questions without an answer: bad videos, refused requests, all counted as wrong),
        `by_source`, `judge_errors` and, for a circular run, `circular`. All of it is counted from
        the rows of `judged.jsonl`.
    """
    run = Run.read(run)
    how = EvalConfig.from_dict(dict(run.header["protocol"]))
    how = EvalConfig.named(protocol) if protocol is not None else how
    metric = require("evaluate", extra="eval").load("t2vid/video_mcq", "full")
    lines = run.answers()
    judged = _by_rules(metric, lines, how.scheme)
    decider = judge_from(how.judge if judge is None else judge)
    if decider is not None and judge is not None:  # the score is that of this judge
        given = judge if isinstance(judge, str) else decider.backend.identity or "function"
        how = how.replace(judge=given if ":" in given else f"given:{given}")
    judge_errors = _by_judge(judged, decider)
    for line in judged:
        line["correct"] = line["letter"] == line["answer"]
    first = [line for line in judged if not line.get("rotation")]
    settings = {"confidence": confidence, "seed": seed}
    scores = _figures(metric, first, settings)
    scores["by_source"] = {
        source: _figures(metric, [x for x in first if x["source"] == source], settings)
        for source in sorted({line["source"] for line in first})
    }
    scores |= {
        "questions": run.header.get("questions", len(first)),
        "judge_errors": judge_errors,
        "protocol": how.to_dict(),
        "protocol_hash": how.hash,
        "asking_hash": run.header.get("asking_hash", ""),
        "model": run.header.get("model", ""),
        "name": run.name,
    }
    if how.circular:
        scores["circular"] = circular(judged)
    run.write_jsonl("judged.jsonl", judged)
    run.write_json("scores.json", scores)
    return scores


def unlabelled(prediction: str, line: Mapping[str, Any]) -> str:
    """Write an answer such as "Option 2" or "Caption B." as the letter it means."""
    said = prediction.strip().rstrip(".").casefold()
    for letter, label in zip(LETTERS, line.get("labels") or (), strict=False):
        if said == label.casefold() or said.startswith(label.casefold() + ":"):
            return letter
    return prediction


def _by_rules(metric: Any, lines: list[dict[str, Any]], scheme: str) -> list[dict[str, Any]]:
    """Read the letters that the rules can read; a caption names no option, so it is left open."""
    if not lines:
        return []
    said = ["" if x["style"] == "caption" else unlabelled(x["prediction"], x) for x in lines]
    rows = _compute(metric, lines, said, scheme=scheme, resamples=1, return_rows=True)["rows"]
    return [
        {**line, "letter": row["letter"], "rule": row["rule"]}
        for line, row in zip(lines, rows, strict=True)
    ]


def _by_judge(judged: list[dict[str, Any]], judge: Judge | None) -> int:
    """Let the judge decide what is open; give the number of answers on which it failed."""
    if judge is None:
        return 0
    errors = 0
    undecided = [line for line in judged if line["letter"] is None and line["prediction"].strip()]
    for start in progress(range(0, len(undecided), JUDGED_AT_ONCE), desc="judge", unit="batch"):
        batch = undecided[start : start + JUDGED_AT_ONCE]
        cases = [(line["question"], line["options"], line["prediction"]) for line in batch]
        for line, verdict in zip(batch, judge.decide(cases), strict=True):
            line["letter"], failed = verdict.letter, bool(verdict.error)
            line["rule"] = "judge_error" if failed else "judge" if verdict.letter else "judge: none"
            errors += failed
    return errors


def _figures(
    metric: Any, judged: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the figures of judged rows: the metric counts the letters that stand in them."""
    if not judged:
        return {"accuracy": float("nan"), "n": 0, "guessing": float("nan"), "errors": 0}
    letters = [line["letter"] or "" for line in judged]
    figures: dict[str, Any] = _compute(metric, judged, letters, **settings)
    figures["decided_by"] = dict(Counter(line["rule"] for line in judged).most_common())
    figures["guessing"] = sum(1 / len(line["options"]) for line in judged) / len(judged)
    figures["errors"] = sum(bool(line.get("error")) for line in judged)
    styles = Counter(line["style"] for line in judged)
    return figures | ({"styles": dict(styles)} if len(styles) > 1 else {})


def _compute(
    metric: Any, lines: Sequence[Mapping[str, Any]], said: Sequence[str], **settings: Any
) -> Any:
    return metric.compute(
        predictions=said,
        references=[line["answer"] for line in lines],
        options=[line["options"] for line in lines],
        question=[line["question"] for line in lines],
        category=[line["category"] for line in lines],
        duration=[line["duration"] or "" for line in lines],
        video=[f"{line['source']}/{line['video']}" for line in lines],
        id=[line["id"] for line in lines],
        **settings,
    )
