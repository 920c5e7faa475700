"""Small benchmarks over tiny clips, for the tests of evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks.questions import Cue, Question
from t2vid.frames.spec import SampleSpec


def make_rows(clips: list[Path], per_clip: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """Give `per_clip` questions about each clip, as a benchmark builder would."""
    rows = []
    for number, clip in enumerate(clips):
        for k in range(per_clip):
            values = {
                "id": f"mvbench/{number}-{k}",
                "source": "mvbench",
                "video": clip.name,
                "question": f"What is number {k} of clip {number}?",
                "options": ("a cup", "a dog", "three men")[: 2 + k % 2],
                "answer": "AB"[(number + k) % 2],
                "category": ["action_count", "state_change"][number % 2],
                "duration": ["short", "long"][number % 2],
                "cues": (Cue(0.0, 0.9, "first"), Cue(0.9, 9.0, "second")),
            }
            rows.append(Question(**{**values, **changes}).row(str(clip), SampleSpec()))
    return rows
