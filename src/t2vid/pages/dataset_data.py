"""What the script of a dataset's page reads: the map and the lengths, as compact as they get.

>>> cut("one  two", 20), cut("one two three", 8)
('one two', 'one two…')
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.insight.budgets import PAPER
from t2vid.insight.diversity import Diversity
from t2vid.insight.findings import Findings
from t2vid.insight.plotting import mark_style
from t2vid.pages.charts import line_style

CHART_ROWS = 60_000  # that the thresholds look at; of more, an even sample
_MAP_BYTES = 1_500_000  # of instructions in the page; longer ones are cut until they fit
_MAP_POINTS = 30_000


def script_data(found: Findings) -> dict[str, Any]:
    """Give the JSON value that the script starts from."""
    rows = found.rows
    at = np.arange(len(rows))
    if len(rows) > CHART_ROWS:
        at = np.linspace(0, len(rows) - 1, CHART_ROWS).astype(np.int64)
    names = rows.names()
    number = {name: n for n, name in enumerate(names)}
    source = np.array([number[rows.sources[i]] for i in at])
    columns = {
        "source": source.astype("u1"),
        "is_video": rows.is_video[at].astype("u1"),
        "is_text": rows.is_text[at].astype("u1"),
        "frames": rows.frames[at].astype("<u4"),
        "durations_s": rows.durations_s[at].astype("<f4"),
        "n_words": rows.n_words[at].astype("<u4"),
        "text_tokens": rows.text_tokens[at].astype("<u4"),
    }
    return {
        "sources": names,
        "looks": [[*mark_style(n)[1][1:], *line_style(n)] for n in range(len(names))],
        "families": TOKENS_PER_FRAME,
        "presets": {
            name: {"max_frames": one.max_frames, "max_tokens": one.max_tokens}
            for name, one in PAPER.items()
        },
        "map": _points(found.map, number),
        "rows": {
            "n": len(at),
            "columns": {
                name: base64.b64encode(values.tobytes()).decode()
                for name, values in columns.items()
            },
        },
    }


def _points(found: Diversity | None, number: dict[str, int]) -> dict[str, Any]:
    if found is None:
        return {
            "width": 1,
            "height": 1,
            "x": [],
            "y": [],
            "source": [],
            "text": [],
            "texts": [],
            "landmarks": [],
        }
    at = np.arange(len(found.texts))
    if len(at) > _MAP_POINTS:
        at = np.linspace(0, len(at) - 1, _MAP_POINTS).astype(np.int64)
    corner = found.xy[at].min(axis=0)
    xy = found.xy[at] - corner
    scale = 1000 / max(float(xy.max()), 1e-9)
    xy = np.rint(xy * scale).astype(int)
    flat = xy.max(axis=0) == 0  # of instructions that are all alike: they lie in the middle
    size, shift = np.where(flat, 1000, xy.max(axis=0)), np.where(flat, 500, 0)
    xy = xy + shift
    limit = 400
    texts: dict[str, int] = {}
    while True:
        texts = {}
        text = [texts.setdefault(cut(found.texts[i], limit), len(texts)) for i in at]
        if sum(len(one.encode()) for one in texts) <= _MAP_BYTES or limit <= 30:
            break
        limit = limit * 3 // 4
    return {
        "width": int(size[0]),
        "height": int(size[1]),
        "x": xy[:, 0].tolist(),
        "y": (int(size[1]) - xy[:, 1]).tolist(),  # up on the page as in the figures
        "landmarks": [
            {
                "words": mark.words,
                "x": round((mark.x - corner[0]) * scale + shift[0]),
                "y": round(size[1] - (mark.y - corner[1]) * scale - shift[1]),
            }
            for mark in found.landmarks
        ],
        "source": [number[found.labels[i]] for i in at],
        "text": text,
        "texts": list(texts),
    }


def cut(text: str, limit: int) -> str:
    """Give a text on one line, with at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
