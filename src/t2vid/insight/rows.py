"""One pass over a dataset: what each row says, holds and costs; no frame is drawn or decoded.

from t2vid.insight.rows import read
rows = read(mix)
print(rows.counts, rows.frames.sum())
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.corpora.layouts import turns_of
from t2vid.errors import InputError, MissingFile
from t2vid.frames.render import count_frames
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.together import is_blank, is_several, media_of
from t2vid.frames.video import probe
from t2vid.mixing.budget import TokenCounter, conversation_text, question_words
from t2vid.mixing.overlap import Sketch, sketch
from t2vid.progress import progress
from t2vid.schema import Counts, n_words
from t2vid.storage.fields import count_in

SHOWN = 2  # rows of a source that are kept to be looked at
_STRUCT = {"text", "path", "bytes", "spec"}
_CHUNK = 1000  # texts whose tokens are counted together


@dataclass(frozen=True)
class ExampleRow:
    """A row to look at: its id, what its frames are made from, its first question and answer."""

    id: str
    value: Mapping[str, Any]
    question: str
    answer: str


@dataclass(frozen=True)
class RowColumns:
    """The rows of a dataset as columns, one entry a row.

    Attributes:
        sources: the source of each.
        instructions: its first user text.
        answers: its first answer.
        is_video: whether its frames come from a video,
        is_text: or are pages of a text; neither holds of pictures, or of several media.
        frames: pages of a text; frames of a video at the row's own rate, without its limit.
        kept_frames: frames that the row asks for, limit applied.
        durations_s: seconds of a video, NaN of a text.
        n_words: words of a text, or of the turns about a video.
        text_tokens: tokens of all turns.
        question_words: words of the first turn, as the paper counts them.
        counted_by: how tokens were counted; `estimate` without a tokenizer.
        fps: frames a second that the videos of each source are sampled at.
        counts: rows read, and those whose video could not be, by reason.
        shown: the first rows of each source with frames.
        sketches: for finding repeats; empty unless asked for.
        rest: the source that stands for all small ones, where they were folded.
    """

    sources: list[str]
    instructions: list[str]
    answers: list[str]
    is_video: NDArray[np.bool_]
    is_text: NDArray[np.bool_]
    frames: NDArray[np.int64]
    kept_frames: NDArray[np.int64]
    durations_s: NDArray[np.float64]
    n_words: NDArray[np.int64]
    text_tokens: NDArray[np.int64]
    question_words: NDArray[np.int64]
    counted_by: str
    fps: dict[str, list[float]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    shown: dict[str, list[ExampleRow]] = field(default_factory=dict)
    sketches: list[Sketch] = field(default_factory=list)
    rest: str = ""

    def __len__(self) -> int:
        return len(self.sources)

    def names(self) -> list[str]:
        """Name the sources, the largest first; what was folded into one comes last."""
        names = [name for name, _ in Counter(self.sources).most_common()]
        return sorted(names, key=lambda name: name == self.rest)

    def of(self, name: str) -> NDArray[np.int64]:
        """Give the places of the rows of a source."""
        return np.flatnonzero(np.array(self.sources) == name)

    def folded(self, most: int) -> RowColumns:
        """Give the same rows under at most so many sources: the small ones become one together."""
        names = self.names()
        if len(names) <= most:
            return self
        kept, rest = set(names[: most - 1]), f"{len(names) - most + 1:,} other sources"
        fps: dict[str, set[float]] = {}
        shown: dict[str, list[ExampleRow]] = {}
        for name in names:
            into = name if name in kept else rest
            fps.setdefault(into, set()).update(self.fps.get(name, ()))
            shown.setdefault(into, []).extend(self.shown.get(name, ())[:SHOWN])
        return replace(
            self,
            sources=[name if name in kept else rest for name in self.sources],
            fps={name: sorted(rates) for name, rates in fps.items() if rates},
            shown=shown,
            rest=rest,
        )

    def pairs(self, name: str | None = None) -> list[tuple[str, str]]:
        """Give instruction and answer of every row, or of those of a source."""
        chosen = range(len(self)) if name is None else self.of(name).tolist()
        return [(self.instructions[at], self.answers[at]) for at in chosen]


def read(dataset: Any, *, tokenizer: str | None = None, with_sketches: bool = False) -> RowColumns:
    """Read every row once.

    Args:
        dataset: rows with `messages`, and where they are there `id`, `source`, a `Frames` column or
            its plain struct, and `n_frames`.
        tokenizer: name or folder of what counts text tokens; None estimates them.
        with_sketches: make the sketches that `t2vid.mixing.overlap.find` takes.

    Raises:
        InputError: for a dataset without `messages`, or without rows.
    """
    plain, column = _plain(dataset)
    reader = _ColumnCollector(column, TokenCounter(tokenizer), with_sketches)
    for row in progress(plain, desc="rows", total=len(plain)):
        reader.take(row)
    return reader.done()


class _ColumnCollector:
    """Collects the columns."""

    def __init__(self, column: str | None, counter: TokenCounter, with_sketches: bool) -> None:
        self.column, self.counter, self.with_sketches = column, counter, with_sketches
        self.lists: dict[str, list[Any]] = {
            name: [] for name in RowColumns.__annotations__ if name not in ("counted_by", "counts")
        }
        self.fps: dict[str, set[float]] = {}
        self.shown: dict[str, list[ExampleRow]] = {}
        self.counts = Counts()
        self.waiting: list[str] = []
        self.measured: dict[str, tuple[int, int, float]] = {}

    def take(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        turns, source = turns_of(row), str(row.get("source") or "rows")
        value = (row.get(self.column) if self.column else None) or {}
        question = next((text for role, text in turns if role == "user"), "")
        answer = next((text for role, text in turns if role == "assistant"), "")
        row_id = str(row.get("id") or f"row {len(self.lists['sources'])}")
        text, path = value.get("text"), value.get("path") or value.get("bytes")
        self.counts.keep(source=source)
        n_frames, words = count_in(row.get("n_frames")), count_in(row.get("n_words"))
        try:
            frames, kept, duration_s = self._measured(value, n_frames, source)
        except Exception as error:  # whatever one row raises, the others are reported
            missing = isinstance(error, MissingFile)
            why = "missing" if missing else "cannot be drawn" if text else type(error).__name__
            reason = f"length unknown ({getattr(error, 'reason', why)})"
            self.counts.sources[source][reason] += 1
            self.counts.examples.setdefault(reason, []).append(row_id)
            frames = kept = n_frames or 0
            duration_s = float("nan")
        else:
            shown = self.shown.setdefault(source, [])
            if not is_blank(value) and len(shown) < SHOWN:
                shown.append(ExampleRow(row_id, value, question, answer))
        if words is None:
            words = n_words([text] if text else [said for _, said in turns])
        entry = {
            "sources": source,
            "instructions": question,
            "answers": answer,
            "is_video": bool(path) and text is None and not is_several(value),
            "is_text": text is not None,
            "frames": frames,
            "kept_frames": kept,
            "durations_s": duration_s,
            "n_words": words,
            "question_words": question_words(question),
        }
        for name, item in entry.items():
            self.lists[name].append(item)
        if self.with_sketches:
            name = value.get("path") or ""
            self.lists["sketches"].append(sketch(row_id, source, text or "", name, turns))
        self.waiting.append(conversation_text(turns, has_frames=bool(frames)))
        if len(self.waiting) == _CHUNK:
            self._count_tokens()

    def done(self) -> RowColumns:
        """Give the columns."""
        if not self.lists["sources"]:
            raise InputError("the dataset has no rows; there is nothing to report")
        self._count_tokens()
        lists = self.lists

        def integers(name: str) -> NDArray[np.int64]:
            return np.array(lists[name], np.int64)

        return RowColumns(
            sources=lists["sources"],
            instructions=lists["instructions"],
            answers=lists["answers"],
            is_video=np.array(lists["is_video"], np.bool_),
            is_text=np.array(lists["is_text"], np.bool_),
            durations_s=np.array(lists["durations_s"], np.float64),
            counted_by=self.counter.name,
            fps={source: sorted(rates) for source, rates in self.fps.items()},
            counts=self.counts,
            shown=self.shown,
            sketches=lists["sketches"],
            frames=integers("frames"),
            kept_frames=integers("kept_frames"),
            n_words=integers("n_words"),
            text_tokens=integers("text_tokens"),
            question_words=integers("question_words"),
        )

    def _count_tokens(self) -> None:
        self.lists["text_tokens"] += self.counter(self.waiting)
        self.waiting = []

    def _measured(
        self, value: Mapping[str, Any], n_frames: int | None, source: str
    ) -> tuple[int, int, float]:
        """Give all frames, those asked for, and seconds."""
        own = json.loads(value.get("spec") or "{}")
        if value.get("text") is not None:
            pages = n_frames or count_frames(value["text"], RenderSpec.from_dict(own))
            return pages, pages, float("nan")
        if is_several(value):
            n_frames = sum(one.n for one in media_of(value))
            return n_frames, n_frames, float("nan")
        if value.get("path") is None and value.get("bytes") is None:
            return n_frames or 0, n_frames or 0, float("nan")
        spec = SampleSpec.from_dict(own)
        self.fps.setdefault(source, set()).add(spec.fps or 0.0)
        key = f"{value['path']} {value.get('spec')}"
        if value.get("bytes") is not None:
            return _probed(io.BytesIO(value["bytes"]), spec)
        if key not in self.measured:  # many rows are about one video
            self.measured[key] = _probed(value["path"], spec)
        return self.measured[key]


def _probed(media: Any, spec: SampleSpec) -> tuple[int, int, float]:
    info = probe(media, spec)
    end = min(info.duration_s, spec.end_s if spec.end_s is not None else info.duration_s)
    return info.n_total, info.n_frames, end - (spec.start_s or 0.0)


def _plain(dataset: Any) -> tuple[Any, str | None]:
    """Give the columns that are read, frames as what they are made from, and that column's name."""
    features: Mapping[str, Any] = getattr(dataset, "features", None) or {}
    if "messages" not in features:
        raise InputError(
            f"the dataset has no column messages, only {list(features)}; a report needs rows as "
            "t2vid build or load_dataset('t2vid/…') give them"
        )
    column = next((name for name, kind in features.items() if _holds_frames(kind)), None)
    wanted: Sequence[str] = ["id", "source", "messages", "n_frames", "n_words"]
    kept = [name for name in wanted if name in features] + ([column] if column else [])
    rows = dataset.select_columns(kept)
    if column and getattr(features[column], "_type", "") in ("Frames", "Video"):
        rows = rows.cast_column(column, type(features[column])(decode=False))
    return rows, column


def _holds_frames(feature: Any) -> bool:
    if getattr(feature, "_type", "") in ("Frames", "Video"):
        return True
    return isinstance(feature, Mapping) and set(feature) == _STRUCT
