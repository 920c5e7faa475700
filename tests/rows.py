"""Rows of both kinds, tiny, for tests that push, mix or load them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset

from media import make_clip
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.schema import messages, row_features

SMALL = RenderSpec(width=96, height=96, font_px=12, margin_px=4, words_per_frame=12)


def text_rows(n: int, *, source: str = "texts") -> list[dict[str, Any]]:
    """Rows of texts, each different from the others."""
    return [
        {
            "id": f"{source}/{i}",
            "source": source,
            "images": text_value(f"Row {i} of {source}: " + "grüne wörter " * (5 + i % 7), SMALL),
            "messages": messages([("user", f"Which is {i}?"), ("assistant", f"{i}.")], n_frames=2),
            "n_frames": 2,
            "n_words": 20,
        }
        for i in range(n)
    ]


def video_rows(folder: Path, *, max_frames: int = 3) -> list[dict[str, Any]]:
    """A row for each of two clips, `a/one.mp4` and `b/two.mp4`, made where they are missing."""
    for i, place in enumerate(("a/one.mp4", "b/two.mp4")):
        if not (folder / place).exists():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            make_clip(folder / place, seconds=4.0 + i)
    return [
        {
            "id": path.stem,
            "source": "clips",
            "images": video_value(str(path), SampleSpec(max_frames=max_frames)),
            "messages": messages([("user", "What moves?"), ("assistant", "Bars.")], n_frames=3),
            "n_frames": 3,
            "n_words": 0,
        }
        for path in sorted(folder.rglob("*.mp4"))
    ]


def dataset_of(rows: list[dict[str, Any]]) -> Dataset:
    """Give rows as a dataset with a `Frames` column."""
    return Dataset.from_list(rows, features=row_features(Frames()))
