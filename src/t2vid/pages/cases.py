"""The same videos described by several models, side by side on a page (the paper's Figs. 2, 8, 9).

describe({"before": base, "after": tuned}, ["dog.mp4"], out="cases.html")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid.evaluation.cases import DESCRIBE, Case, ask_all
from t2vid.evaluation.config import EvalConfig
from t2vid.pages.template import render
from t2vid.storage.files import output_file, write_atomically

_SHOWN_PX = 448


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
    how = EvalConfig.named(protocol).replace(max_new_tokens=max_new_tokens)
    cases = list(ask_all(models, videos, how=how, question=question))
    text = render(
        "cases.html",
        title=f"What {' and '.join(models) if len(models) < 4 else f'{len(models)} models'} "
        f"say{'s' if len(models) == 1 else ''}",
        intro=f"Question: {question} Protocol: {how.summary()} [{how.asking_hash}]",
        cases=[(Path(case.video).name, case, _shown(case)) for case in cases],
    )
    write_atomically(output_file(out), text)
    return [
        {"video": case.video, "model": name, "answer": answer}
        for case in cases
        for name, answer in case.answers.items()
    ]


def _shown(case: Case) -> list[tuple[Image.Image, str, str]]:
    """Give the pictures that the models see, with their names and times."""
    pictures, times = case.asked.frames, case.frames.timestamps_s or []
    shown = []
    for number, picture in enumerate(pictures, 1):
        small = picture.copy()
        small.thumbnail((_SHOWN_PX, _SHOWN_PX))
        # a grid of frames, as one of several pictures, has no time of its own
        said = f"{times[number - 1]:.1f} s" if len(times) == len(pictures) else f"picture {number}"
        shown.append((small, f"{said} of {Path(case.video).name}", said))
    return shown
