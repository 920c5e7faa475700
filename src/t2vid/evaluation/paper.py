"""The paper's own figures (T2Vid, arXiv 2411.19951, Tables 1 to 4), to stand beside ours.

>>> next(row for row in ROWS if row.label == "Idefics3 30K").values["avg"]
56.7
>>> match("idefics3-30k-seed0").label, match("my model") is None
('Idefics3 30K', True)

All are accuracies in percent over 2,700 (Video-MME, 900 a duration), about 4,000 (MVBench) and
1,580 (TempCompass, multiple choice) questions; Avg is the plain mean of the three benchmarks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from t2vid import catalog

BENCHMARKS = ("video_mme", "mvbench", "tempcompass")  # of Table 4
COLUMNS = {
    "short": "Short",
    "medium": "Medium",
    "long": "Long",
    **{name: catalog.benchmark(name).title for name in BENCHMARKS},
    "avg": "Avg",
}
TITLES = {
    1: "Table 1: Video-MME, methods",
    2: "Table 2: Video-MME, amounts of video",
    3: "Table 3: Video-MME, mixes of 30K",
    4: "Table 4: three benchmarks",
}


@dataclass(frozen=True)
class PaperRow:
    """A row of a table of the paper.

    Attributes:
        label: what the table calls it, shortened.
        tables: numbers of the tables that hold it.
        values: accuracy in percent by column.
    """

    label: str
    tables: tuple[int, ...]
    values: dict[str, float] = field(default_factory=dict)


def _mme(label: str, tables: tuple[int, ...], *values: float) -> PaperRow:
    return PaperRow(label, tables, dict(zip(COLUMNS, values, strict=False)))


ROWS = (
    _mme("Video-LLaVA", (1,), 45.3, 38.0, 36.2, 39.9),
    _mme("VideoChat2", (1,), 48.3, 37.0, 33.2, 39.5),
    _mme("Chat-UniVi-v1.5", (1,), 45.7, 40.3, 35.8, 40.6),
    _mme("VideoLLaMA 2", (1,), 56.0, 45.4, 42.1, 47.9),
    _mme("VITA", (1,), 65.9, 52.9, 48.6, 55.8),
    _mme("Kangaroo", (1,), 66.1, 55.3, 46.6, 56.0),
    _mme("InternVL zero-shot", (1, 2, 3), 61.3, 51.8, 44.3, 52.5),
    _mme("InternVL 30K ShareGemini", (3,), 65.7, 52.8, 46.1, 54.9),
    _mme("InternVL 30K Video-ChatGPT", (3,), 66.3, 53.0, 47.3, 55.6),
    _mme("InternVL 30K sampled", (2, 3), 66.2, 53.3, 47.4, 55.7),
    _mme("InternVL 30K pure-text", (3,), 67.3, 52.4, 47.7, 55.8),
    _mme("InternVL 200K", (1, 2, 3), 66.7, 54.2, 48.1, 56.3),
    _mme("InternVL 30K hybrid", (1, 3), 67.0, 53.7, 49.3, 56.7),
    _mme("LLaMA-VID", (4,), 40.6, 40.2, 34.9, 38.6, 41.9, 45.6, 42.0),
    _mme("LongVA", (4,), 61.1, 48.8, 45.4, 51.8, 50.7, 56.9, 53.1),
    _mme("MiniCPM zero-shot", (4,), 58.3, 46.1, 40.1, 48.2, 42.9, 49.1, 46.7),
    _mme("MiniCPM 200K", (4,), 60.3, 47.3, 44.7, 50.8, 48.0, 54.7, 51.2),
    _mme("MiniCPM 30K", (4,), 61.9, 51.7, 45.6, 53.0, 48.4, 56.8, 52.7),
    _mme("Idefics3 zero-shot", (4,), 61.3, 47.0, 45.1, 51.2, 49.6, 55.9, 52.2),
    _mme("Idefics3 200K", (4,), 62.0, 53.1, 44.9, 53.3, 50.7, 62.9, 55.6),
    _mme("Idefics3 30K", (4,), 67.1, 53.8, 48.0, 56.3, 51.6, 62.3, 56.7),
)


def match(name: str) -> PaperRow | None:
    """Find the row that a run's name means: all words of its label are in the name."""
    words = _words(name)
    fitting = [row for row in ROWS if _words(row.label) <= words]
    return max(fitting, key=lambda row: len(_words(row.label)), default=None)


def row_named(label: str) -> PaperRow | None:
    """Find a row by its label."""
    return next((row for row in ROWS if row.label.casefold() == label.casefold()), None)


def columns_of(table: int) -> list[str]:
    """Give the columns of a table."""
    return list(COLUMNS) if table == 4 else list(COLUMNS)[:4]


def _words(name: str) -> set[str]:
    plain = re.sub(r"zero[-_ ]?shot", "zeroshot", name.casefold())
    plain = re.sub(r"pure[-_ ]?text", "puretext", plain)
    return set(re.split(r"[^a-z0-9.]+", plain)) - {""}
