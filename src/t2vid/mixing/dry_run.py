"""What a mix would be, from counts alone: rows, frames, tokens and bytes of each source.

>>> build("hybrid-30k", data="data", dry_run=True).table()  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.mixing.gpu_hours import Amount, hours_table
from t2vid.mixing.recipe import Recipe
from t2vid.schema import FRAME_PX, Counts, size

BATCH = 64  # rows of an optimiser step in the paper
# For the estimates of a dry run. 100 texts of 8,000 words, 4.8 MB, took 1.5 MB of zstd Parquet; a drawn
# page took 13,346 bytes of lossless WebP; of a photograph seven bits a pixel are assumed.
PARQUET_RATIO = 3.2
WEBP_BYTES = {"text": 13_346, "video": FRAME_PX**2 * 7 // 8}


@dataclass(frozen=True)
class DryRun:
    """What a mix would be, from counts alone.

    Args:
        recipe: the mix.
        sources: by source: rows, frames, text tokens and bytes.
        counts: what would be kept and dropped.
        counted_by: how text tokens were counted; `estimate` without a tokenizer.
        assumed: frames that were assumed for each video of a source, since there are none yet.
        throughput: tokens a second of one GPU, by family, where they were stated.
    """

    recipe: Recipe
    sources: dict[str, dict[str, int]]
    counts: Counts
    counted_by: str
    assumed: dict[str, int] = field(default_factory=dict)
    throughput: Mapping[str, str | float] | None = None

    def amount(self, *, videos: bool = False) -> Amount:
        """Give what a model would be trained on: everything, or the videos of it."""
        names = [s.name for s in self.recipe.sources if s.shows_media or not videos]
        figures = [self.sources[name] for name in names]
        return Amount(*(sum(f[key] for f in figures) for key in ("rows", "frames", "text_tokens")))

    def total(self, name: str) -> int:
        """Add up one figure over the sources: `rows`, `frames`, `text_tokens` or `bytes`."""
        return sum(figures[name] for figures in self.sources.values())

    def materialised_bytes(self) -> int:
        """Estimate the bytes of all frames as lossless WebP."""
        kinds = {s.name: "video" if s.shows_media else "text" for s in self.recipe.sources}
        return sum(f["frames"] * WEBP_BYTES[kinds[name]] for name, f in self.sources.items())

    def table(self) -> str:
        """Give the figures as a text table."""
        families = list(TOKENS_PER_FRAME)
        head = f"{'source':<16} {'rows':>9} {'frames':>11} {'text tokens':>13}"
        lines = [head + "".join(f" {name + ' visual':>17}" for name in families)]
        total = {k: self.total(k) for k in ("rows", "frames", "text_tokens", "bytes")}
        for name, f in [*self.sources.items(), ("all", total)]:
            guess = "~" if name in self.assumed or (self.assumed and name == "all") else ""
            frames = f"{guess}{f['frames']:,}"
            line = f"{name:<16} {f['rows']:>9,} {frames:>11} {f['text_tokens']:>13,}"
            each = (f"{guess}{f['frames'] * TOKENS_PER_FRAME[family]:,}" for family in families)
            visual = (f" {tokens:>17}" for tokens in each)
            lines.append(line + "".join(visual))
        rows = total["rows"]
        lazy, drawn = total["bytes"] / PARQUET_RATIO, self.materialised_bytes()
        lines += [
            f"steps at batch {BATCH}: {-(-rows // BATCH):,} an epoch",
            f"bytes: about {size(lazy)} lazy, about {size(drawn)} as lossless WebP",
            f"text tokens counted by: {self.counted_by}",
            *(
                f"~ assumed: no video is there yet; {frames} frames for each of {name}"
                for name, frames in self.assumed.items()
            ),
            *hours_table(self.amount(), self.amount(videos=True), self.throughput),
            "",
            self.counts.table(),
        ]
        return "\n".join(lines)
