"""The same videos described by several models, side by side on a page (the paper's Figs. 2, 8, 9).

    describe({"before": base, "after": tuned}, ["dog.mp4"], out="cases.html")

>>> DESCRIBE
'Describe this video in detail.'
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import InputError
from t2vid.evaluation import asking
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import backend_of, check
from t2vid.evaluation.config import EvalConfig
from t2vid.frames.export import contact_sheet
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import sample_video
from t2vid.insight import page
from t2vid.progress import progress

DESCRIBE = "Describe this video in detail."


def describe(
    models: Mapping[str, Any],
    videos: Sequence[str | Path],
    *,
    out: str | Path,
    question: str = DESCRIBE,
    protocol: EvalConfig | str | Path = "t2vid",
    max_new_tokens: int = 256,
) -> list[dict[str, str]]:
    """Ask every model the same about every video and write one page to read.

    Args:
        models: by the name on the page: what `evaluate` takes, or `(model, processor)`.
        videos: paths or URLs.
        out: the HTML file.
        question: what is asked.
        protocol: whose frames and strategy apply.
        max_new_tokens: limit of tokens of an answer.

    Returns:
        `{video, model, answer}` in the order of the page.

    Raises:
        InputError: for no model or no video.
        BadVideo: for a video that cannot be read.
    """
    if not models or not videos:
        raise InputError(f"models ({len(models)}) and videos ({len(videos)}) must be > 0")
    how = EvalConfig.named(protocol).replace(max_new_tokens=max_new_tokens)
    backends = {
        name: backend_of(*model) if isinstance(model, tuple) else backend_of(model)
        for name, model in models.items()
    }
    for backend in backends.values():
        check(backend, how)
    found, sections = [], []
    for video in progress(list(videos), desc="videos", unit="video"):
        frames = sample_video(os.fspath(video), how.sample)
        asked = _ask(Path(video).name, question, frames, how)
        blocks = [_sheet(frames, asked, Path(video).name)]
        answers = []
        for name, backend in backends.items():
            answer = backend.answer([backend.prepare(asked)], how)[0]
            found.append({"video": str(video), "model": name, "answer": answer.text})
            answers.append([name, answer.text or "(nothing)"])
        blocks.append(page.table(["model", "answer"], answers))
        sections.append(page.section(Path(video).name, *blocks))
    intro = f"Question: {question} Protocol: {how.summary()} [{how.asking_hash}]"
    Path(out).write_text(page.page("Case study", sections, intro=intro), encoding="utf-8")
    return found


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


def _sheet(frames: FrameList, asked: Ask, name: str) -> str:
    if not asked.frames:
        return page.paragraph("No frames are shown.")
    one_each = len(asked.frames) == len(frames)
    captions = [f"{time:.1f} s" for time in frames.timestamps_s or []] if one_each else None
    sheet = contact_sheet(list(asked.frames), columns=6, captions=captions or None)
    note = f"What the models see: {len(asked.frames)} pictures from {frames.n_total} frames."
    return page.picture(sheet, alt=f"frames of {name}", caption=note)
