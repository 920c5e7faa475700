"""What a model is shown of a video: the frames of a strategy, and what a control takes from them.

>>> clip = FrameList([Image.new("RGB", (8, 6))] * 6)
>>> [image.size for image in show(clip, EvalConfig(strategy="grid", frames=6))]
[(24, 12)]
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import ceil
from typing import Protocol

import numpy as np
from PIL import Image

from t2vid.errors import InputError
from t2vid.evaluation.config import EvalConfig
from t2vid.frames.framelist import FrameList
from t2vid.schema import FRAME_PX

_GRAY = (128, 128, 128)
SMALL_FRAMES = ("slow_fast", "prompt_guided")  # strategies that show some frames small


class Guide(Protocol):
    """Chooses, among the frames of one video, what is most like a question; see `guided.py`."""

    def pictures(self, question: str, protocol: EvalConfig) -> list[Image.Image]:
        """Give the slow and the middle pictures, then those of which small ones are made."""


def controlled(frames: FrameList, protocol: EvalConfig, *, key: str) -> FrameList:
    """Take from a video what the control of a protocol takes.

    Args:
        frames: as sampled.
        protocol: whose `control` applies.
        key: of the video; its frames are shuffled in the same order in every run.

    >>> clip = FrameList([Image.new("L", (1, 1), i) for i in range(3)])
    >>> [f.getpixel((0, 0)) for f in controlled(clip, EvalConfig(control="reversed"), key="a")]
    [2, 1, 0]
    """
    order = list(range(len(frames)))
    if protocol.control == "one":
        order = order[len(order) // 2 :][:1]
    elif protocol.control == "reversed":
        order.reverse()
    elif protocol.control == "shuffled" and len(order) > 1:
        rng = np.random.default_rng(int(hashlib.sha256(key.encode()).hexdigest()[:8], 16))
        drawn = order
        while drawn == order:  # an order that is left as it was would be no control
            drawn = rng.permutation(len(order)).tolist()
        order = drawn
    else:
        return frames
    times = frames.timestamps_s
    return FrameList([frames[i] for i in order], timestamps_s=times and [times[i] for i in order])


def show(
    frames: Sequence[Image.Image],
    protocol: EvalConfig,
    *,
    question: str = "",
    guide: Guide | None = None,
    edge: int | None = None,
) -> list[Image.Image]:
    """Turn sampled frames into what the strategy shows.

    Args:
        frames: sampled with `protocol.sample`.
        protocol: whose `strategy` applies.
        question: what `prompt_guided` looks for.
        guide: what `prompt_guided` asks; it knows the frames.
        edge: longer edge in pixels to which the model brings every frame, so that small frames
            cost as much as large ones unless they share a picture; None keeps their sizes.

    >>> clip = FrameList([Image.new("RGB", (8, 6))] * 6)
    >>> [image.size for image in show(clip, EvalConfig(strategy="grid", frames=6))]
    [(24, 12)]
    """
    if not frames:
        return []
    if protocol.strategy == "grid":
        return [grid(frames, columns=protocol.grid_columns)]
    if protocol.strategy not in SMALL_FRAMES:
        return list(frames)
    if protocol.strategy == "prompt_guided":
        if guide is None:
            raise InputError("strategy 'prompt_guided' needs a guide; ask through evaluate()")
        large = guide.pictures(question, protocol)
    else:
        large = _spread(frames, protocol.frames)
    fast = [_shrunk(frame, protocol.fast_px) for frame in _spread(frames, protocol.fast_frames)]
    per_row = 1 if edge is None else sheet_columns(protocol, edge)
    if per_row > 1:
        size = per_row**2
        fast = [grid(fast[i : i + size], columns=per_row) for i in range(0, len(fast), size)]
    return [*large, *fast]


def sheet_columns(protocol: EvalConfig, edge: int) -> int:
    """Say how many small frames stand in a row of a sheet that the model sees `edge` pixels wide."""
    return edge // protocol.fast_px


def grid(frames: Sequence[Image.Image], *, columns: int) -> Image.Image:
    """Put frames into one picture, in reading order; cells that are left over stay black."""
    width, height = frames[0].size
    columns = min(columns, len(frames))
    sheet = Image.new("RGB", (columns * width, ceil(len(frames) / columns) * height))
    for place, frame in enumerate(frames):
        sheet.paste(frame, (place % columns * width, place // columns * height))
    return sheet


def blank_like(n: int) -> FrameList:
    """Give `n` gray frames, for a control that needs no video."""
    return FrameList([Image.new("RGB", (FRAME_PX, FRAME_PX), _GRAY)] * n)


def check_strategy(protocol: EvalConfig, edge: int | None) -> None:
    """Refuse small frames where they would cost as much as large ones.

    Args:
        protocol: how to ask.
        edge: longer edge in pixels to which the model brings small frames too; None keeps sizes.

    Raises:
        InputError: where not even two small frames fit beside each other into a frame of the model.
    """
    if edge is not None and sheet_columns(protocol, edge) < 2:
        raise InputError(
            f"strategy {protocol.strategy!r}: this model sees every frame {edge} px wide, so frames "
            f"of fast_px={protocol.fast_px} would cost as much as large ones; set fast_px to "
            f"{edge // 2} or less, then they share pictures"
        )


def _spread(frames: Sequence[Image.Image], n: int) -> list[Image.Image]:
    n = min(n, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * n)] for i in range(n)]


def _shrunk(frame: Image.Image, edge: int) -> Image.Image:
    small = frame.copy()
    small.thumbnail((edge, edge))
    return small
