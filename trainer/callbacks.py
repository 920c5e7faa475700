"""What a run did with its time and data: rates, padding, waiting, losses by source.

>>> meter = Meter(clock=iter([0.0, 2.0]).__next__)
>>> meter.wait(0.5).saw(tokens=80, slots=100, frames=24)
>>> {name: round(value, 3) for name, value in meter.flush().items()}
{'padding_share': 0.2, 'frames_per_s': 12.0, 'tokens_per_s': 40.0, 'data_wait_share': 0.25}
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from t2vid.trainer.mfu import Work


class Meter:
    """Counts what passes between two log lines.

    Args:
        clock: gives seconds; replaced in tests.
        work: operations of the model; None counts none.
        peak: operations a second of the GPU at most; None where it is not known.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        *,
        work: Work | None = None,
        peak: float | None = None,
    ) -> None:
        self._work, self._peak, self._done = work, peak, 0.0
        self._clock = clock
        self._start = clock()
        self._waited = 0.0
        self._tokens = self._slots = self._frames = 0

    def wait(self, seconds: float) -> Meter:
        """Count time in which the device waited for data."""
        self._waited += seconds
        return self

    def saw(self, *, tokens: int, slots: int, frames: int) -> None:
        """Count a batch: its real tokens, the places it took with padding, and its frames."""
        self._tokens += tokens
        self._slots += slots
        self._frames += frames

    def saw_batch(self, batch: Mapping[str, Any]) -> None:
        """Count a collated batch by its `segments`; a batch without them is not counted."""
        segments = batch.get("segments")
        if segments is not None:
            self.saw(
                tokens=sum(segment.end - segment.start for segment in segments),
                slots=batch["input_ids"].numel(),
                frames=sum(segment.n_frames for segment in segments),
            )
            if self._work is not None:
                lengths = [segment.end - segment.start for segment in segments]
                frames = sum(segment.n_frames for segment in segments)
                self._done += self._work.of(lengths, frames=frames)

    def shares(self) -> dict[str, float]:
        """Give the share of padding since the last flush."""
        return {"padding_share": 1 - self._tokens / self._slots} if self._slots else {}

    def flush(self) -> dict[str, float]:
        """Give rates and shares of this process since the last flush, and start again."""
        now = self._clock()
        seconds = now - self._start
        out = self.shares()
        if self._slots and seconds > 0:
            out |= {
                "frames_per_s": self._frames / seconds,
                "tokens_per_s": self._tokens / seconds,
                "data_wait_share": min(1.0, self._waited / seconds),
            }
            if self._done and self._peak:
                out["mfu"] = self._done / seconds / self._peak
        self._start, self._waited, self._done = now, 0.0, 0.0
        self._tokens = self._slots = self._frames = 0
        return out


class SourceLosses:
    """Sums the loss by source on the device, and reads it only when a line is logged.

    >>> import torch
    >>> losses = SourceLosses()
    >>> losses.add(["a", "b", "a"], torch.tensor([1.0, 4.0, 3.0]), [1, 2, 1])
    >>> losses.flush()
    {'a': (4.0, 2), 'b': (4.0, 2)}
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[list[str], Any, list[int]]] = []

    def add(self, sources: list[str], sums: Any, counts: list[int]) -> None:
        """Add rows.

        Args:
            sources: the source of each row.
            sums: tensor `(rows,)`, each row's summed negative log-likelihood, left on its device.
            counts: tokens in the loss of each row.
        """
        self._waiting.append((sources, sums, counts))

    def flush(self) -> dict[str, tuple[float, int]]:
        """Give `(summed loss, tokens)` by source, and start again."""
        waiting, self._waiting = self._waiting, []
        parts = [
            {s: (x, n)}
            for sources, sums, counts in waiting
            for s, x, n in zip(sources, sums.tolist(), counts, strict=True)
        ]
        return merge_losses(parts)


def merge_losses(parts: Iterable[Mapping[str, tuple[float, int]]]) -> dict[str, tuple[float, int]]:
    """Add up `(summed loss, tokens)` by source, over batches or over processes."""
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    for part in parts:
        for source, (loss, n) in part.items():
            total[source][0] += loss
            total[source][1] += n
    return {source: (loss, int(n)) for source, (loss, n) in sorted(total.items())}
