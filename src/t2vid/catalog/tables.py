"""The catalogue as tables: what `t2vid list` prints.

>>> [row["name"] for row in listing("metrics").rows["metrics"]]
['video_mcq']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from t2vid.catalog.benchmarks import BENCHMARKS, METRICS
from t2vid.catalog.corpora import CORPORA
from t2vid.catalog.families import FAMILIES
from t2vid.catalog.judges import JUDGES
from t2vid.catalog.names import unknown
from t2vid.catalog.presets import PRESETS
from t2vid.catalog.recipes import recipes

Kind = Literal["corpora", "benchmarks", "metrics", "judges", "families", "recipes", "presets"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """Some of the catalogue.

    Attributes:
        rows: a list of rows for each kind, the name first.
    """

    rows: Mapping[str, Sequence[Row]]

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {kind: list(rows) for kind, rows in self.rows.items()}

    def table(self) -> str:
        """Give a text table for each kind."""
        parts = []
        for kind, rows in self.rows.items():
            lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
            widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
            parts += [kind.upper()] if len(self.rows) > 1 else []
            parts += [
                "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
                for line in lines
            ]
            parts.append("")
        return "\n".join(parts).rstrip()


def listing(kind: Kind | None = None) -> Listing:
    """List what t2vid knows by name.

    Args:
        kind: `corpora`, `benchmarks`, `metrics`, `judges`, `families`, `recipes` or `presets`; all of
            them by default.

    Returns:
        The rows by kind; `.table()` gives them as text, `.to_dict()` for JSON.

    Raises:
        InputError: for another kind.

    >>> "hybrid-30k" in listing("recipes").table()
    True
    """
    if kind is not None and kind not in _ROWS:
        raise unknown("kind", kind, _ROWS)
    kinds = list(_ROWS) if kind is None else [kind]
    return Listing({one: _ROWS[one]() for one in kinds})


def _corpora() -> list[Row]:
    return [
        {
            "name": c.name,
            "kind": c.kind,
            "dataset": " ".join(filter(None, [c.dataset, c.config])) if c.converter else "",
            "licence": c.licence or "unknown",
            "public file": c.hub_file,
            "about": c.about,
        }
        for c in CORPORA
    ]


def _benchmarks() -> list[Row]:
    return [
        {
            "name": b.name,
            "title": b.title,
            "dataset": b.dataset,
            "questions": b.n_questions or None,
            "protocol": b.official.name if b.official else "t2vid",
            "licence": b.licence,
            "about": b.about,
        }
        for b in BENCHMARKS
    ]


def _metrics() -> list[Row]:
    return [{"name": m.name, "evaluate.load": f"t2vid/{m.name}", "about": m.about} for m in METRICS]


def _judges() -> list[Row]:
    return [{"name": j.name, "--judge": j.written, "about": j.about} for j in JUDGES]


def _families() -> list[Row]:
    return [
        {
            "name": f.name,
            "also": ", ".join(alias for alias in f.aliases if alias != f.name),
            "tokens a frame": f.tokens_per_frame or None,
            "frame px": f.frame_px or None,
            "frames of a video": f.video_frames or None,
            "max tokens": f.budget.get("max_tokens"),
            "tiny model": f.tiny_name,
            "about": f.about,
        }
        for f in FAMILIES
    ]


def _recipes() -> list[Row]:
    return [{"name": r.name, "kind": r.kind, "about": r.about} for r in recipes()]


def _presets() -> list[Row]:
    return [{"name": p.name, "kind": p.kind, "about": p.about} for p in PRESETS]


def _cell(value: object) -> str:
    return "-" if value in (None, "") else f"{value:,}" if isinstance(value, int) else str(value)


_ROWS: dict[str, Callable[[], list[Row]]] = {
    "corpora": _corpora,
    "benchmarks": _benchmarks,
    "metrics": _metrics,
    "judges": _judges,
    "families": _families,
    "recipes": _recipes,
    "presets": _presets,
}
