"""What a token budget would drop of a dataset, before anything is built or trained.

    from t2vid.insight.budgets import RowLimits, dropped
    dropped(rows, RowLimits(max_frames=65, max_tokens=10_240))["all"].over["idefics3"]

The page does the same sums again for whatever limits its reader sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from t2vid.catalog import TOKENS_PER_FRAME, presets
from t2vid.errors import InputError
from t2vid.insight.diversity import name_of_whole
from t2vid.insight.rows import RowColumns
from t2vid.mixing.budget import Budget


@dataclass(frozen=True)
class RowLimits:
    """What a row may cost, and how many frames are taken of a video; None is no limit.

    Args:
        max_frames: frames of a row.
        max_tokens: text tokens and visual tokens of a row.
        video_frames: frames that are taken of a video at most; texts are never thinned.
    """

    max_frames: int | None = None
    max_tokens: int | None = None
    video_frames: int | None = None

    def __post_init__(self) -> None:
        """Check the limits."""
        for name in ("max_frames", "max_tokens", "video_frames"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} ({value}) must be > 0, or None for no limit")


@dataclass(frozen=True)
class Drops:
    """What limits would drop of one source.

    Attributes:
        n: its rows.
        over_frames: rows with too many frames.
        over: rows with too many frames or tokens, by model family.
    """

    n: int
    over_frames: int
    over: dict[str, int]


PAPER = {
    preset.name: RowLimits(preset.values.get("max_frames"), preset.values.get("max_tokens"))
    for preset in presets("budget")
}


def dropped(rows: RowColumns, limits: RowLimits) -> dict[str, Drops]:
    """Count what limits would drop, by source and for `all`.

    Args:
        rows: what `t2vid.insight.rows.read` gave.
        limits: what a row may cost.
    """
    frames = frames_under(rows, limits.video_frames)
    over_frames = _over(frames, limits.max_frames)
    over = {
        family: over_frames | _over(rows.text_tokens + each * frames, limits.max_tokens)
        for family, each in TOKENS_PER_FRAME.items()
    }
    return {
        name: Drops(
            len(at),
            int(over_frames[at].sum()),
            {f: int(which[at].sum()) for f, which in over.items()},
        )
        for name, at in _parts(rows).items()
    }


def frames_under(rows: RowColumns, video_frames: int | None) -> NDArray[np.int64]:
    """Give the frames of each row when at most so many are taken of a video."""
    if video_frames is None:
        return rows.frames
    return np.where(rows.is_video, np.minimum(rows.frames, video_frames), rows.frames)


def starting_limits(rows: RowColumns, budget: Budget | None) -> RowLimits:
    """Give the limits that a report starts with: the recipe's, else the paper's for MiniCPM.

    Args:
        rows: what `t2vid.insight.rows.read` gave.
        budget: of the recipe.
    """
    videos = rows.kept_frames[rows.is_video]
    thinned = bool((videos < rows.frames[rows.is_video]).any())
    video_frames = int(videos.max()) if thinned else None
    if budget is not None and (budget.max_frames or budget.max_tokens):
        return RowLimits(budget.max_frames, budget.max_tokens, video_frames)
    paper = PAPER["minicpm"]
    return RowLimits(paper.max_frames, paper.max_tokens, video_frames)


def by_source(values: Mapping[str, Drops]) -> list[list[object]]:
    """Give the rows of a table: source, rows, too many frames, then each family."""
    return [
        [name, one.n, _share(one.over_frames, one.n)]
        + [_share(n, one.n) for n in one.over.values()]
        for name, one in values.items()
    ]


def _share(n: int, total: int) -> str:
    return f"{n:,} ({100 * n / total:.1f} %)" if total else "0"


def _over(values: NDArray[np.int64], limit: int | None) -> NDArray[np.bool_]:
    return values > limit if limit is not None else np.zeros(len(values), bool)


def _parts(rows: RowColumns) -> dict[str, NDArray[np.int64]]:
    parts = {name: rows.of(name) for name in rows.names()}
    return {**parts, name_of_whole(parts): np.arange(len(rows))} if len(parts) > 1 else parts
