"""Which frames of a video are shown, `SampleSpec`; `RenderSpec` of a text is given from here, too.

>>> SampleSpec.from_json(SampleSpec(max_frames=8).to_json()).max_frames
8
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from t2vid import catalog
from t2vid.configuration import FrozenConfig
from t2vid.errors import InputError
from t2vid.frames.render_spec import DRAWN_WITH, MAX_FRAME_PX, RenderSpec
from t2vid.frames.sampling import FOLDER_FPS, SELECTS, Select
from t2vid.schema import FRAMES_PER_SECOND

__all__ = ["DRAWN_WITH", "MAX_FRAME_PX", "RenderSpec", "SampleSpec"]


@dataclass(frozen=True)
class SampleSpec(FrozenConfig):
    """Which frames of a video are shown, and how large.

    Args:
        fps: frames a second before the subset, exactly those of `ffmpeg -vf fps=`; None takes
            every frame of the file, as the paper's evaluation loader for files does.
        max_frames: at most so many frames, chosen by `select`; None keeps all.
        select: rule of the subset: `paper` is the paper's training rule, `paper_eval` its
            evaluation copy; the others are told in `t2vid.frames.sampling.subset`. `keyframes`
            ignores `fps` and takes the frames that decode alone.
        start_s: leave out what was shown before, in seconds from the start of the file.
        end_s: leave out what begins at or after, in seconds from the start of the file.
        size: None keeps the video's own, with square pixels; `(width, height)` stretches; a number
            bounds the longer edge and never enlarges; `"minicpm"`, `"idefics3"` or `"internvl"`
            gives what that model sees of one patch. libav scales, bicubic.
        folder_fps: frames a second of a folder of numbered images.
    """

    fps: float | None = FRAMES_PER_SECOND
    max_frames: int | None = 24
    select: Select = "paper"
    start_s: float | None = None
    end_s: float | None = None
    size: tuple[int, int] | int | str | None = None
    folder_fps: float = FOLDER_FPS

    def __post_init__(self) -> None:
        """Check every field against its limit, and take whole numbers for what they are."""
        self._take("fps", float, "> 0 and at most 1000, or None for every frame", _is_rate)
        self._take("max_frames", int, "> 0, or None for no limit", lambda n: n > 0)
        if not isinstance(self.select, str) or self.select not in SELECTS:
            raise InputError(f"select ({self.select!r}) must be one of {SELECTS}")
        self._take("start_s", float, ">= 0, in seconds, or None", lambda s: 0 <= s < math.inf)
        self._take("end_s", float, "> 0, in seconds, or None", lambda s: 0 < s < math.inf)
        if self.end_s is not None and (self.start_s or 0.0) >= self.end_s:
            raise InputError(f"start_s ({self.start_s}) must be before end_s ({self.end_s})")
        if self.folder_fps is None:
            raise InputError("folder_fps (None) must be a number > 0 and at most 1000")
        self._take("folder_fps", float, "> 0 and at most 1000", _is_rate)
        self._take_size()

    def _take(self, name: str, kind: type, limit: str, fits: Callable[[Any], bool]) -> None:
        """Check a number, and keep it as what JSON and the hash know: 1 and 1.0 are one rate."""
        value = getattr(self, name)
        if value is None:
            return
        wanted = numbers.Integral if kind is int else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted) or not fits(value):
            noun = "a whole number" if kind is int else "a number"
            raise InputError(f"{name} ({value!r}) must be {noun} {limit}")
        object.__setattr__(self, name, kind(value))

    def _take_size(self) -> None:
        size = self.size
        if size is None:
            return
        if isinstance(size, str) and (family := catalog.match(catalog.PAPER_FAMILIES, size)):
            object.__setattr__(self, "size", family.name)
            return
        edges = size if isinstance(size, tuple) and len(size) == 2 else (size,)
        if any(isinstance(e, bool) or not isinstance(e, numbers.Integral) for e in edges):
            known = sorted(catalog.TOKENS_PER_FRAME)
            raise InputError(f"size ({size!r}) must be one of {known}, (width, height) or pixels")
        for edge in edges:
            _check_size("size", int(edge))
        pixels = tuple(map(int, edges))
        object.__setattr__(self, "size", pixels if isinstance(size, tuple) else pixels[0])


def _is_rate(value: float) -> bool:
    return 0 < value <= 1000


def _check_size(name: str, value: int) -> None:
    if not 16 <= value <= MAX_FRAME_PX:
        raise InputError(f"{name} ({value}) must be from 16 to {MAX_FRAME_PX} pixels")
