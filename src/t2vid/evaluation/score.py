"""From the answers of a run to letters, scores and intervals, every figure traceable to its rows.

>>> row = {"labels": ["Option 1", "Option 2"], "options": ["x", "y"], "style": "matching"}
>>> unlabelled("Option 2.", row)
'B'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import require
from t2vid.evaluation.benchmarks.questions import LETTERS
from t2vid.evaluation.compare import circular
from t2vid.evaluation.protocol import Protocol
from t2vid.evaluation.runs import Run

Judge = Callable[[str, Sequence[str], str], str | None]


def score(
    run: Run | str | Path,
    *,
    protocol: Protocol | str | Path | None = None,
    judge: Judge | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Read the letters of a run and write `judged.jsonl` and `scores.json` beside the answers.

    Args:
        run: the run or its folder.
        protocol: whose `scheme` and `judge` apply; by default the one of the run.
        judge: a function of `(question, options, prediction)` that gives a letter or None, asked
            where the rules abstain; by default the protocol's.
        confidence: coverage of the intervals.
        seed: of the bootstrap.

    Returns:
        What `evaluate.load("t2vid/video_mcq", "full")` gives, over every answer; with `errors`
        (questions without an answer: bad videos, refused requests, all counted as wrong),
        `by_source`, `judge_errors` and, for a circular run, `circular`.
    """
    run = Run.read(run)
    how = Protocol.from_dict(dict(run.header["protocol"])) if "protocol" in run.header else None
    how = Protocol.named(protocol) if protocol is not None else how or Protocol()
    lines = run.answers()
    guard = _Guarded(judge or judge_of(how.judge))
    metric = require("evaluate", extra="eval").load("t2vid/video_mcq", "full")
    settings = {"confidence": confidence, "seed": seed, "scheme": how.scheme}
    first = [line for line in lines if not line.get("rotation")]
    judged = _judge(metric, lines, guard, settings)
    scores = _figures(metric, first, guard, settings)
    scores["by_source"] = {
        source: _figures(metric, [x for x in first if x["source"] == source], guard, settings)
        for source in sorted({line["source"] for line in first})
    }
    scores |= {
        "questions": run.header.get("questions", len(first)),
        "judge_errors": guard.errors,
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


def judge_of(name: str) -> Judge | None:
    """Give the judge that a protocol names; None for `none`."""
    if name == "none":
        return None
    from t2vid.judging.llm import judge_from

    return judge_from(name)  # type: ignore[no-any-return]


def unlabelled(prediction: str, line: Mapping[str, Any]) -> str:
    """Write an answer such as "Option 2" or "Caption B." as the letter it means."""
    said = prediction.strip().rstrip(".").casefold()
    for letter, label in zip(LETTERS, line.get("labels") or (), strict=False):
        if said == label.casefold() or said.startswith(label.casefold() + ":"):
            return letter
    return prediction


class _Guarded:
    """A judge that remembers its letters and whose failures are counted, not raised."""

    def __init__(self, judge: Judge | None) -> None:
        self.judge, self.errors = judge, 0
        self._known: dict[tuple[Any, ...], str | None] = {}

    def __call__(self, question: str, options: Sequence[str], prediction: str) -> str | None:
        key = question, tuple(options), prediction
        if key not in self._known and self.judge is not None:
            try:
                self._known[key] = self.judge(question, options, prediction)
            except Exception:  # noqa: BLE001  (a judge is other people's code; its row counts as wrong)
                self.errors += 1
                self._known[key] = None
        return self._known.get(key)


def _judge(
    metric: Any, lines: list[dict[str, Any]], judge: _Guarded, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = _compute(metric, lines, judge, settings, return_rows=True)["rows"] if lines else []
    return [
        {**line, **{name: row[name] for name in ("letter", "rule", "correct")}}
        for line, row in zip(lines, rows, strict=True)
    ]


def _figures(
    metric: Any, lines: list[dict[str, Any]], judge: _Guarded, settings: dict[str, Any]
) -> dict[str, Any]:
    if not lines:
        return {"accuracy": float("nan"), "n": 0, "errors": 0}
    figures: dict[str, Any] = _compute(metric, lines, judge, settings)
    styles = Counter(line["style"] for line in lines)
    figures["errors"] = sum(bool(line.get("error")) for line in lines)
    return figures | ({"styles": dict(styles)} if len(styles) > 1 else {})


def _compute(
    metric: Any,
    lines: Sequence[Mapping[str, Any]],
    judge: _Guarded,
    settings: Mapping[str, Any],
    **more: Any,
) -> Any:
    return metric.compute(
        predictions=[unlabelled(line["prediction"], line) for line in lines],
        references=[line["answer"] for line in lines],
        options=[line["options"] for line in lines],
        question=[line["question"] for line in lines],
        category=[line["category"] for line in lines],
        duration=[line["duration"] or "" for line in lines],
        video=[f"{line['source']}/{line['video']}" for line in lines],
        id=[line["id"] for line in lines],
        judge=judge if judge.judge is not None else None,
        **settings,
        **more,
    )
