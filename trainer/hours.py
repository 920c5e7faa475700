"""The GPU hours of a run, for `t2vid train --check`, beside those of the paper.

>>> print(Hours(run=30.1, full=240.8, said="at 2,500 tokens/s on each GPU").lines()[0])
  GPU hours     30.1; 200,000 videos like its own 240.8 (8.0x), at 2,500 tokens/s on each GPU
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from t2vid.errors import InputError
from t2vid.mixing.gpu_hours import A800_TFLOPS, ASSUMED_MFU, PAPER_FULL_ROWS, paper_line
from t2vid.trainer.mfu import Work


class Row(NamedTuple):
    """One row of the training set, counted."""

    id: str
    source: str
    tokens: int
    frames: int
    is_video: bool = False


@dataclass(frozen=True)
class Hours:
    """GPU hours of a run.

    Attributes:
        run: of all of its steps.
        full: of an epoch over 200,000 videos like its own; 0 where it has none.
        said: where the throughput comes from.
    """

    run: float
    full: float
    said: str

    def lines(self) -> list[str]:
        """Say it beside what the paper's runs took."""
        full = f"; 200,000 videos like its own {_few(self.full)}" if self.full else ""
        ratio = f" ({self.full / self.run:.1f}x)" if self.full and self.run else ""
        return [
            f"  GPU hours     {_few(self.run)}{full}{ratio}, {self.said}",
            f"                {paper_line()}",
        ]


def hours_of(
    rows: Sequence[Row],
    work: Work,
    epochs: float,
    *,
    tokens_per_s: float | None = None,
    tflops: float | None = None,
) -> Hours | None:
    """Give the GPU hours of a run; None where its rows are unknown.

    Args:
        rows: of the training set.
        work: of the model.
        epochs: passes over the rows.
        tokens_per_s: of one GPU, measured; None assumes a share of its peak.
        tflops: of one GPU; an A800's by default.

    Raises:
        InputError: for a throughput that is none.
    """
    if not rows or not epochs:
        return None
    if tokens_per_s is not None and not tokens_per_s > 0:
        raise InputError(f"tokens_per_s ({tokens_per_s}) must be > 0")
    peak = (tflops or A800_TFLOPS) * 1e12

    def of(some: Sequence[Row]) -> float:
        if tokens_per_s is not None:
            return sum(row.tokens for row in some) / tokens_per_s / 3600
        done = work.of([row.tokens for row in some], frames=sum(row.frames for row in some))
        return done / (ASSUMED_MFU * peak) / 3600

    videos = [row for row in rows if row.is_video]
    said = f"assumed: {ASSUMED_MFU:.0%} of {peak / 1e12:g} TFLOP/s; --tokens-per-s states a measured one"
    if tokens_per_s is not None:
        said = f"at {tokens_per_s:,.0f} tokens/s on each GPU"
    full = of(videos) * PAPER_FULL_ROWS / len(videos) if videos else 0.0
    return Hours(of(rows) * epochs, full, said)


def are_videos(dataset: Any) -> list[bool]:
    """Say of each row whether it shows a stored video; neither texts nor pixels are read.

    Args:
        dataset: map-style, its `images` as they are stored.
    """
    import pyarrow.compute as pc

    kind = (getattr(dataset, "features", None) or {}).get("images")
    if "images" not in dataset.column_names or not hasattr(kind, "decode"):
        return [False] * len(dataset)  # pictures of their own: what they are cut from is not known
    found: list[bool] = []
    for batch in dataset.select_columns(["images"]).with_format("arrow").iter(10_000):
        found += pc.is_valid(pc.struct_field(batch["images"], "path")).to_pylist()
    return found


def _few(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 1 else f"{hours:.2g}"
