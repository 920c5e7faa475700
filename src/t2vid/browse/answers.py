"""The answers of a run as rows to look through: frames, question, answer, what was read and why.

>>> line = {"id": "q1", "prompt": "Which?", "prediction": "So it is B.", "letter": "B", "answer": "C",
...         "rule": "statement", "span": [9, 10], "correct": False, "n_frames": 0}
>>> row = row_of(line, Videos(None))
>>> row["verdict"]
'read as B by the rule "statement", on "B"; right is C'
>>> row["flags"]
['wrong']
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import Videos
from t2vid.evaluation.explain import parts_of
from t2vid.evaluation.runs import Run
from t2vid.frames.feature import video_value
from t2vid.frames.spec import SampleSpec

# What an answer is, beside the flags of a row.
VERDICTS = {
    "right": "the letter that was read is the right one",
    "wrong": "another letter was read",
    "no letter": "the rules, and the judge where there was one, left it open; it counts as wrong",
    "no answer": "the video or the request failed; it counts as wrong",
}


def answer_rows(folder: Path, *, data_dir: str | Path | None = None) -> list[dict[str, Any]]:
    """Give a row for each answer of a scored run.

    Args:
        folder: of the run.
        data_dir: folder of the benchmark's videos; without it answers are shown alone.

    Raises:
        InputError: for a run that was not scored yet.
    """
    run = Run.read(folder)
    lines = run.judged() if (folder / "judged.jsonl").is_file() else []
    if not lines:
        raise InputError(f"{folder} holds no scored answers; run: t2vid score {folder}")
    videos = Videos(None if data_dir is None else str(data_dir))
    return [row_of(line, videos) for line in lines]


def row_of(line: Mapping[str, Any], videos: Videos) -> dict[str, Any]:
    """Make the row of a judged answer."""
    prediction = str(line.get("prediction") or "")
    span = line.get("span")
    _, decided, _ = parts_of(prediction, (span[0], span[1]) if span else None)
    read = f"read as {line['letter']}" if line.get("letter") else "left open"
    verdict = f'{read} by the rule "{line.get("rule")}"'
    verdict += f', on "{decided}"' if decided else ""
    failed = line.get("error")
    if failed:
        verdict = f"no answer: {failed}"
    flag = (
        "no answer" if failed else "right" if line.get("correct")
        else "wrong" if line.get("letter") else "no letter"
    )  # fmt: skip
    found = videos.find(str(line["video"])) if line.get("video") else None
    times = tuple(line.get("times_s") or ())
    show = SampleSpec(timestamps=times) if times else SampleSpec(max_frames=24)
    return {
        "id": line.get("id"),
        "source": line.get("category") or line.get("source") or "",
        "n_frames": int(line.get("n_frames") or 0),
        "images": video_value(found, show) if found else None,
        "messages": [
            {"role": "user", "content": str(line.get("prompt") or line.get("question") or "")},
            {"role": "assistant", "content": prediction},
        ],
        "verdict": f"{verdict}; right is {line.get('answer')}",
        "flags": [flag],
    }
