"""How long the rows of a dataset are, in frames at one a second: the paper's Fig. 3, for any sources.

    from t2vid.insight import lengths
    found = lengths({"sharegemini": videos, "texts": texts})
    print(found.table())

Nothing is decoded or drawn: a video's container tells its length, a text is only paginated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from t2vid.errors import InputError, MissingFile
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.together import is_several, media_of
from t2vid.frames.video import probe
from t2vid.insight.plotting import legend_above, line_style, new_figure, tidy, to_bytes
from t2vid.progress import progress
from t2vid.schema import Counts

_BINS = 40
_PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class SourceLengths:
    """The lengths of one source, one entry a row.

    Attributes:
        frames: frames at one a second for a video, pages for a text; no budget applied.
        durations_s: seconds, of videos only.
    """

    frames: list[int] = field(default_factory=list)
    durations_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Lengths:
    """What `lengths` found.

    Attributes:
        sources: the lengths by source.
        counts: rows measured, and those that could not be, by reason.
    """

    sources: dict[str, SourceLengths]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values: per source the count, percentiles and a histogram of frames."""
        out = {}
        for name, source in self.sources.items():
            heights, edges = np.histogram(source.frames, bins=_BINS)
            out[name] = {
                "n": len(source.frames),
                "frames": _percentiles(source.frames),
                "durations_s": _percentiles(source.durations_s),
                "histogram": {
                    "edges": [round(float(edge), 3) for edge in edges],
                    "rows": [int(height) for height in heights],
                },
            }
        return {"sources": out, "counts": self.counts.to_dict()}

    def table(self) -> str:
        """Give the percentiles of frames as a text table, one line a source."""
        heads = "".join(f"{f'{p} %':>8}" for p in _PERCENTILES)
        lines = [f"{'source':<20}{'rows':>9}{heads}{'mean':>9}"]
        for name, source in self.sources.items():
            if source.frames:
                cells = "".join(f"{x:>8,.0f}" for x in np.percentile(source.frames, _PERCENTILES))
                mean = float(np.mean(source.frames))
                lines.append(f"{name:<20}{len(source.frames):>9,}{cells}{mean:>9,.1f}")
        return "\n".join(lines)

    def picture(self) -> bytes:
        """Draw the distributions of frames over one another, as a PNG.

        Raises:
            MissingExtra: when matplotlib is not installed.
        """
        figure = new_figure(7, 4)
        axes = figure.add_subplot()
        shown = {name: source.frames for name, source in self.sources.items() if source.frames}
        top = max((max(frames) for frames in shown.values()), default=1)
        edges = np.linspace(0, top + 1, _BINS + 1)
        for number, (name, frames) in enumerate(shown.items()):
            heights = 100 * np.histogram(frames, edges)[0] / len(frames)
            label = f"{name} (n = {len(frames):,}, median {float(np.median(frames)):,.0f})"
            colour, dash = line_style(number)
            axes.stairs(heights, edges, fill=True, color=colour, alpha=0.16)
            axes.stairs(heights, edges, color=colour, linestyle=dash, label=label)
        tidy(axes, x="frames (video: one a second; text: pages)", y="rows, % of the source")
        legend_above(figure)
        return to_bytes(figure)


def lengths(dataset: Any) -> Lengths:
    """Measure how many frames each row of a dataset has, decoding none.

    Args:
        dataset: rows with a `Frames` or `Video` column (and `source`), or a mapping of names to
            such datasets.

    Raises:
        InputError: for a dataset without such a column.
    """
    sources: dict[str, SourceLengths] = {}
    counts = Counts()
    total = (
        len(dataset) if hasattr(dataset, "__len__") and not isinstance(dataset, Mapping) else None
    )
    for name, value in progress(_values(dataset), desc="lengths", total=total):
        try:
            frames, duration_s = _measure(value)
        except Exception as error:  # whatever one row raises, the others are measured
            example = str((value or {}).get("path") or error)
            unknown = "missing" if isinstance(error, MissingFile) else "cannot be drawn"
            counts.drop(getattr(error, "reason", unknown), source=name, example=example)
            continue
        source = sources.setdefault(name, SourceLengths())
        source.frames.append(frames)
        if duration_s is not None:
            source.durations_s.append(duration_s)
        counts.keep(source=name)
    return Lengths(sources, counts)


def picture(dataset: Any) -> bytes:
    """Draw the lengths of a dataset as a PNG; see `lengths` for what it takes."""
    return lengths(dataset).picture()


def _values(dataset: Any) -> Iterator[tuple[str, Any]]:
    """Give the source and the stored value of every row."""
    if isinstance(dataset, Mapping):
        for name, one in dataset.items():
            yield from ((name, value) for _, value in _values(one))
        return
    features = getattr(dataset, "features", None) or {}
    kinds = {name: getattr(feature, "_type", "") for name, feature in features.items()}
    column = next((name for name, kind in kinds.items() if kind in ("Frames", "Video")), None)
    if column is None:
        raise InputError(f"the dataset has no Frames or Video column, only {list(features)}")
    kept = [column, *(["source"] if "source" in features else [])]
    plain = type(features[column])(decode=False)
    rows: Iterable[Any] = dataset.select_columns(kept).cast_column(column, plain)
    for row in rows:
        yield row.get("source") or "rows", row[column]


def _measure(value: Mapping[str, Any] | None) -> tuple[int, float | None]:
    """Give frames and, of a video, seconds."""
    if not value:
        return 0, None
    own = json.loads(value.get("spec") or "{}")
    if value.get("text") is not None:
        return count_frames(value["text"], RenderSpec.from_dict(own)), None
    if is_several(value):
        return sum(one.n for one in media_of(value)), None
    if value.get("path") is None and value.get("bytes") is None:
        return 0, None
    kept = {name: own[name] for name in ("start_s", "end_s", "folder_fps") if own.get(name)}
    info = probe(dict(value), SampleSpec(max_frames=None, **kept))
    start, end = kept.get("start_s", 0.0), kept.get("end_s", info.duration_s)
    return info.n_frames, min(end, info.duration_s) - start


def _percentiles(values: list[int] | list[float]) -> dict[str, float]:
    if not values:
        return {}
    found = {
        f"p{p}": float(x)
        for p, x in zip(_PERCENTILES, np.percentile(values, _PERCENTILES), strict=True)
    }
    return {**found, "mean": float(np.mean(values)), "max": float(max(values))}
