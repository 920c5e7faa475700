"""Everything that is measured of a dataset for its report: numbers, no page.

    found = findings(subject_of("t2vid/mix", "sample"))
    found.values()["template_share"]

`t2vid.pages.dataset.report` makes the page.

>>> "template_share" in METRICS and "over_paper-idefics3" not in FLAGS
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2vid.catalog import TOKENS_PER_FRAME, preset
from t2vid.insight.budgets import PAPER, RowLimits, dropped, starting_limits
from t2vid.insight.diversity import SAMPLE, Diversity, diversity
from t2vid.insight.flags import KINDS, Flag, flags, repeats
from t2vid.insight.plotting import COLOURS, MARKS
from t2vid.insight.rows import RowColumns, read
from t2vid.insight.subject import Subject
from t2vid.progress import progress

if TYPE_CHECKING:
    from t2vid.corpora.licences import Licence
    from t2vid.mixing.overlap import Overlap

NUMBERS = (
    "n_clusters",
    "cluster_entropy",
    "cluster_share",
    "vendi",
    "distinct_1",
    "distinct_2",
    "nearest",
)
FLAGS = tuple(KINDS)
METRICS = (*FLAGS, *NUMBERS, *(f"over_{name}" for name in PAPER))
SOURCES = len(COLOURS) * len(MARKS)  # that pictures can tell apart; smaller ones are one together
_PERCENTILES = (5, 25, 50, 75, 95, 99.9)


@dataclass(frozen=True)
class Findings:
    """Everything that a page shows.

    Attributes:
        subject: what it is about.
        rows: its rows as columns, under at most `SOURCES` sources.
        map: the map of instructions and the numbers about it; None for a single instruction.
        flags: biases of the whole, repeats included.
        by_source: the same biases of each source.
        overlap: what repeats.
        licences: licence by source, of every source.
        limits: what the page's thresholds start with.
    """

    subject: Subject
    rows: RowColumns
    map: Diversity | None
    flags: list[Flag]
    by_source: dict[str, list[Flag]]
    overlap: Overlap
    licences: dict[str, Licence]
    limits: RowLimits

    def values(self) -> dict[str, float]:
        """Give every metric that a condition may name."""
        out = {flag.name: flag.value for flag in self.flags}
        if self.map is not None:
            whole = self.map.whole
            out |= {
                "n_clusters": float(whole.n_clusters),
                "cluster_entropy": whole.cluster_entropy.value,
                "cluster_share": whole.cluster_share.value,
                "vendi": whole.vendi.value,
                "distinct_1": whole.distinct_1,
                "distinct_2": whole.distinct_2,
                "nearest": whole.nearest.value,
            }
        for name, limits in PAPER.items():
            asked = RowLimits(limits.max_frames, limits.max_tokens, self.limits.video_frames)
            found = list(dropped(self.rows, asked).values())[-1]
            family = preset("budget", name).values["family"]
            out[f"over_{name}"] = found.over[family] / found.n
        return out

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        rows = self.rows
        return {
            "name": self.subject.name,
            "rows": len(rows),
            "metrics": self.values(),
            "sources": {name: _lengths(rows, name) for name in rows.names()},
            "text_tokens_counted_by": rows.counted_by,
            "limits": asdict(self.limits),
            "dropped": {name: asdict(one) for name, one in dropped(rows, self.limits).items()},
            "diversity": self.map.to_dict() if self.map is not None else None,
            "flags": [asdict(flag) for flag in self.flags],
            "flags_by_source": {
                name: {flag.name: flag.value for flag in found}
                for name, found in self.by_source.items()
            },
            "overlap": self.overlap.to_dict(),
            "counts": self.subject.counts.to_dict() if self.subject.counts is not None else None,
            "read": rows.counts.to_dict(),
            "recipe": self.subject.recipe.to_dict() if self.subject.recipe is not None else None,
            "licences": {name: asdict(one) for name, one in self.licences.items()},
            "facts": dict(self.subject.facts),
        }


def findings(
    subject: Subject,
    *,
    sample: int = SAMPLE,
    embedder: str | None = None,
    benchmarks: Mapping[str, str | Path] | None = None,
    seed: int = 0,
) -> Findings:
    """Measure a dataset.

    Args:
        subject: the dataset and what is known of it.
        sample: instructions of each source on the map.
        embedder: name or folder of a `sentence-transformers` model; by default the one that the extra
            `embed` brings, `tfidf` compares words.
        benchmarks: files of benchmark questions by name, to look for in the dataset.
        seed: of the sample, the map and the bootstrap.
    """
    from t2vid.corpora.licences import licences_of

    budget = subject.recipe.budget if subject.recipe is not None else None
    tokenizer = budget.tokenizer if budget is not None else None
    rows = read(subject.dataset, tokenizer=tokenizer, with_sketches=subject.folder is None)
    licences = licences_of(rows.names(), corpora=subject.corpora(rows.names()))
    rows = rows.folded(SOURCES)
    names = rows.names()
    overlap = subject.overlap(rows.sketches, benchmarks or {})
    whole = [*flags(rows.pairs()), *repeats(overlap, len(rows))]
    by_source = {
        name: flags(rows.pairs(name)) for name in progress(names, desc="flags", unit="source")
    }
    found = None
    if len(rows) > 1:
        said = {name: [pair[0] for pair in rows.pairs(name)] for name in names}
        found = diversity(said, sample=sample, seed=seed, embedder=embedder)
    return Findings(
        subject,
        rows,
        found,
        whole,
        by_source,
        overlap,
        licences,
        starting_limits(rows, budget),
    )


def _lengths(rows: RowColumns, name: str) -> dict[str, Any]:
    from t2vid.insight.figures import words_a_frame

    at = rows.of(name)
    columns = {
        "frames": rows.frames,
        "kept_frames": rows.kept_frames,
        "durations_s": rows.durations_s,
        "text_tokens": rows.text_tokens,
        "words_a_frame": words_a_frame(rows),
        **{f"visual_tokens_{f}": rows.kept_frames * k for f, k in TOKENS_PER_FRAME.items()},
    }
    return {
        "n": len(at),
        "videos": int(rows.is_video[at].sum()),
        "fps": rows.fps.get(name, []),
        **{key: percentiles(values[at]) for key, values in columns.items()},
    }


def percentiles(values: Any) -> dict[str, float]:
    """Give percentiles, mean and largest of what is known of some values.

    >>> percentiles(np.array([1.0, 3.0, np.nan]))["mean"]
    2.0
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    found = zip(_PERCENTILES, np.percentile(known, _PERCENTILES), strict=True)
    out = {f"p{p:g}": round(float(value), 3) for p, value in found}
    return {**out, "mean": round(float(known.mean()), 3), "max": float(known.max())}
