"""What another tool said of the answers it wrote: right or wrong by line, and the figures it printed.

>>> right_by_them({"doc_id": 0, "lvb_acc": {"answer": "B", "parsed_pred": "B"}})
True
>>> right_by_them({"doc_id": 0, "exact_match": 0.0}), right_by_them({"prediction": "B", "answer": "B"})
(False, None)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Pairs that lmms-eval's tasks leave in a line: what was read, and what is right.
_PAIRS = (
    ("pred_answer", "answer"),
    ("parsed_pred", "answer"),
    ("pred", "ground_truth"),
    ("pred_id", "answer_id"),
)
_FLAGS = ("correct", "score", "exact_match", "lvbench_score", "hit", "acc")
_OTHER = ("doc", "token_counts", "input_media")


def right_by_them(record: Mapping[str, Any]) -> bool | None:
    """Say whether the tool counted an answer as right; None where the line does not say.

    Args:
        record: a line of lmms-eval's samples, or a row of VLMEvalKit's `_score` table.
    """
    inner = [v for k, v in record.items() if isinstance(v, Mapping) and k not in _OTHER]
    for metric in inner:
        for said, key in _PAIRS:
            if said in metric and metric.get(key) is not None:
                return str(metric[said]) == str(metric[key])
    for part in (*inner, record):
        for name in _FLAGS:
            flag = _flag(part.get(name))
            if flag is not None:
                return flag
    return None


def printed_beside(path: Path) -> dict[str, float]:
    """Read the figures that a tool printed, from the file that it wrote beside its answers.

    Args:
        path: `<date>_samples_<task>.jsonl` of lmms-eval, which has `<date>_results.json` beside it,
            or a table of VLMEvalKit, which has `<table>_rating.json`.
    """
    date, samples, task = path.stem.partition("_samples_")
    results = path.with_name(f"{date}_results.json")
    rating = path.with_name(f"{path.stem.removesuffix('_score')}_rating.json")
    if samples and results.is_file():
        return dict(_numbers(_read(results).get("results", {}).get(task, {})))
    return dict(_numbers(_read(rating))) if rating.is_file() else {}


def beside_theirs(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare our reading of each answer with the tool's; empty where it said nothing.

    Args:
        lines: judged, with `theirs` where the tool said whether the answer is right.

    Returns:
        `n` answers that it judged, the accuracy by it and by us on them, how many are judged
        alike, and the first ten of the others.
    """
    said = [line for line in lines if line.get("theirs") is not None]
    if not said:
        return {}
    other = [line for line in said if bool(line["theirs"]) != bool(line["correct"])]
    return {
        "n": len(said),
        "theirs": sum(bool(line["theirs"]) for line in said) / len(said),
        "ours": sum(bool(line["correct"]) for line in said) / len(said),
        "alike": len(said) - len(other),
        "differ": [
            {name: line[name] for name in ("id", "prediction", "answer", "letter", "theirs")}
            for line in other[:10]
        ],
    }


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        value = {"True": 1, "False": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0}.get(value)
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    return None


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Give the numbers of a nested mapping by their path; of lmms-eval's names, "…,none"."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}/{key}".removeprefix("/").removesuffix(",none"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
