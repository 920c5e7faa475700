"""How many frames, and how large, by the rules of qwen-vl-utils: whole groups of frames, whole patches.

>>> n_frames(300, 30.0, fps=2.0, min_frames=4, max_frames=768, factor=2)
20
>>> frame_size(1920, 1080, 20, PixelBudget())  # 28 px patches, at most 768 of them
(1008, 560)

The rules are those of Qwen2-VL, Qwen2.5-VL and Qwen3-VL: `smart_nframes`, `smart_resize` and
`fetch_video` in qwen-vl-utils.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt

from t2vid.errors import InputError

PATCH_PX = 28  # two of Qwen2.5-VL's patches of 14 px make one visual token; Qwen3-VL's have 16
MIN_PATCHES, MAX_PATCHES = 128, 768  # VIDEO_MIN_TOKEN_NUM, VIDEO_MAX_TOKEN_NUM
TOTAL_PATCHES = 0.9 * 128_000  # MODEL_SEQ_LEN of which a tenth is left for the text
_HEADROOM = 1.05  # a cap is never closer to the minimum than this
_MAX_RATIO = 200


@dataclass(frozen=True)
class PixelBudget:
    """How many pixels a frame may have, all frames together and each.

    Args:
        factor: width and height are whole multiples of it, in pixels.
        min_pixels: at least, for each frame; smaller ones are enlarged.
        max_pixels: at most, for each frame.
        total_pixels: at most, for all frames; two neighbours share one visual token.
        group: frames that share one.
    """

    factor: int = PATCH_PX
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None
    group: int = 2

    def most(self, n: int) -> float:
        """Give how many pixels each of `n` frames may have."""
        low = self.least
        total = self.total_pixels or TOTAL_PATCHES * self.factor**2
        shared = min(MAX_PATCHES * self.factor**2, total / n * self.group)
        most = max(shared, int(low * _HEADROOM))
        return most if self.max_pixels is None else min(self.max_pixels, most)

    @property
    def least(self) -> int:
        """How many pixels a frame has at least."""
        return MIN_PATCHES * self.factor**2 if self.min_pixels is None else self.min_pixels


def n_frames(
    total: int,
    rate: float,
    *,
    nframes: int | None = None,
    fps: float | None = None,
    min_frames: int | None = None,
    max_frames: int | None = None,
    factor: int = 1,
) -> int:
    """Give how many frames of a video to show, always whole groups of `factor`.

    Args:
        total: frames of the video, or of the part that is asked for.
        rate: of the video, in frames a second.
        nframes: so many, rounded to whole groups; the other limits then do not count.
        fps: so many a second; None takes every frame.
        min_frames: but at least so many, rounded up to whole groups.
        max_frames: and at most so many, rounded down.
        factor: frames in a group.

    Returns:
        A number that may lie outside `factor` … `total`: then the video is too short.
    """
    if nframes is not None:
        return round(nframes / factor) * factor
    wanted = float(total) if fps is None else total / rate * fps
    low = ceil((min_frames or 0) / factor) * factor
    high = total if max_frames is None else floor(max_frames / factor) * factor
    return floor(min(min(max(wanted, low), high), total) / factor) * factor


def frame_size(width: int, height: int, n: int, budget: PixelBudget) -> tuple[int, int]:
    """Give the width and height at which each of `n` frames is shown.

    Args:
        width: of the upright frame, in pixels.
        height: likewise.
        n: frames shown.
        budget: the limits.

    Raises:
        InputError: when one side is more than 200 times the other.
    """
    if max(width, height) > _MAX_RATIO * min(width, height):
        raise InputError(
            f"a frame of {width}x{height} is more than {_MAX_RATIO} times as long as wide; "
            "give size=(width, height) instead of a pixel budget"
        )
    factor, low, high = budget.factor, budget.least, budget.most(n)
    across, down = (max(factor, round(side / factor) * factor) for side in (width, height))
    if across * down > high:
        shrink = sqrt(width * height / high)
        across, down = (
            max(factor, floor(side / shrink / factor) * factor) for side in (width, height)
        )
    elif across * down < low:
        grow = sqrt(low / (width * height))
        across, down = (ceil(side * grow / factor) * factor for side in (width, height))
    return across, down
