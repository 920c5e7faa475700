"""The same videos described by several models (the paper's Figs. 2, 8, 9).

    for case in ask_all({"before": base, "after": tuned}, ["dog.mp4"]):
        print(case.answers)

`t2vid.pages.cases` makes a page of them.

>>> DESCRIBE
'Describe this video in detail.'
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation import asking
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import backend_of, check
from t2vid.evaluation.config import EvalConfig
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import sample_video
from t2vid.progress import progress

DESCRIBE = "Describe this video in detail."


@dataclass(frozen=True)
class Case:
    """A video, and what was said about it.

    Attributes:
        video: path or URL.
        frames: sampled of it.
        asked: what the models were given.
        answers: by model.
    """

    video: str
    frames: FrameList
    asked: Ask
    answers: dict[str, str]


def ask_all(
    models: Mapping[str, Any],
    videos: Sequence[str | Path],
    *,
    how: EvalConfig,
    question: str = DESCRIBE,
) -> Iterator[Case]:
    """Ask every model the same about every video.

    Args:
        models: by name: what `evaluate` takes, or `(model, processor)`.
        videos: paths or URLs.
        how: whose frames, strategy and length of answers apply.
        question: what is asked.

    Raises:
        InputError: for no model or no video.
        BadVideo: for a video that cannot be read.
    """
    if not models or not videos:
        raise InputError(f"models ({len(models)}) and videos ({len(videos)}) must be > 0")
    backends = {
        name: backend_of(*model) if isinstance(model, tuple) else backend_of(model)
        for name, model in models.items()
    }
    for backend in backends.values():
        check(backend, how)
    for video in progress(list(videos), desc="videos", unit="video"):
        frames = sample_video(os.fspath(video), how.sample)
        asked = _ask(Path(video).name, question, frames, how)
        answers = {
            name: backend.answer([backend.prepare(asked)], how)[0].text
            for name, backend in backends.items()
        }
        yield Case(str(video), frames, asked, answers)


def _ask(name: str, question: str, frames: FrameList, how: EvalConfig) -> Ask:
    row = {
        "id": name,
        "source": "case",
        "question": question,
        "instruction": question,
        "options": [],
        "answer": "",
        "style": "caption",
    }
    return asking.ask(row, 0, frames, how)
