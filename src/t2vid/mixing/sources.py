"""Reads one record of a source, wherever it stands in its file, and makes a row of it.

>>> from t2vid import samples
>>> from t2vid.mixing.source import Source
>>> texts = SourceReader(Source("t2vid/synthetic", config="sample", name="texts"), samples.ROOT)
>>> place = RecordLocation(*texts.places()[0].tolist())
>>> [items[0].id for _, items, _ in texts.read([place])]
['texts/00000']
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.corpora.clips import Clip
from t2vid.corpora.converting import converted
from t2vid.corpora.layouts import LayoutRow, said_by
from t2vid.corpora.placing import Medium, Turn
from t2vid.corpora.rows import check_present
from t2vid.corpora.stored import messages_of, unsettled
from t2vid.corpora.triplets import Triplet
from t2vid.errors import RecordError
from t2vid.frames.together import StoredMedium, together
from t2vid.mixing.inputs import find_inputs
from t2vid.mixing.source import Source
from t2vid.schema import Counts, messages
from t2vid.storage import records
from t2vid.storage.files import AnyPath

_CHECKED_ROWS = 20  # a file is another file when none of its first rows fits


class RecordLocation(NamedTuple):
    """Where a record stands: number of the file, number of the row, byte (Parquet: row group)."""

    file: int
    row: int
    start: int


@dataclass(frozen=True)
class Item:
    """A record after its converter: the turns, and the text or the video that they are about.

    Args:
        id: `source/row`, stable under any filter.
        turns: `(role, text)` pairs.
        text: the long text, or "".
        video: the video as the annotation names it, or "".
        row: the row with its media, where it may have any.
    """

    id: str
    turns: tuple[tuple[str, str], ...]
    text: str = ""
    video: str = ""
    row: LayoutRow | None = None

    @property
    def asked(self) -> str:
        """What the user says first."""
        return next((text for role, text in self.turns if role == "user"), "")


class SourceReader:
    """The records of one source, by place.

    Args:
        source: what to read.
        data: folder of the annotation files.

    Raises:
        MissingFile: when a file of the source is not below `data`.
    """

    def __init__(self, source: Source, data: AnyPath) -> None:
        self.source = source
        self.inputs = find_inputs(source, data)
        self.files = self.inputs.files
        stems = [file.stem for file in self.files]
        if len(set(stems)) < len(stems):
            stems = [f"{at}-{stem}" for at, stem in enumerate(stems)]
        several = [f"{source.name}/{stem}" for stem in stems]
        self.prefixes = several if len(stems) > 1 else [source.name]

    def places(self) -> NDArray[np.int64]:
        """Find every record with one pass over each file; look at the first rows of each.

        Returns:
            a line for each record, the fields of its `RecordLocation`, in the order of the files.

        Raises:
            RecordError: when a file is no file of this source, showing its first record.
        """
        if self.inputs.table is not None:
            n_rows = len(self.inputs.table)
            first = ((row, self.inputs.table[row]) for row in range(min(n_rows, _CHECKED_ROWS)))
            self._check(0, first)
            self._check_columns([{n: None for n in self.inputs.table.column_names}])
            return _places(0, np.zeros(n_rows, np.int64))
        self._check_columns(r for file in self.files for _, r in records.read(str(file)))
        found = [_places(0, np.zeros(0, np.int64))]
        for number, file in enumerate(self.files):
            self._check(number, records.read(records.Part(str(file), n_rows=_CHECKED_ROWS)))
            found.append(_places(number, np.fromiter(records.starts(str(file)), np.int64)))
        return np.concatenate(found)

    def read(
        self, places: Iterable[RecordLocation]
    ) -> Iterator[tuple[RecordLocation, list[Item], str]]:
        """Read records in the order of their files: the rows of each, or none and the reason.

        Args:
            places: of the records, in any order.
        """
        for file, here in itertools.groupby(sorted(set(places)), lambda place: place.file):
            located = list(here)
            for place, value in zip(located, self._values(file, located), strict=True):
                counts = Counts()
                try:
                    items = list(self._converted(file, [(place.row, value)], counts))
                except RecordError:  # counted by the converter, which raises where most is unfit
                    items = []
                yield place, items, next(iter(counts.dropped), "no row")

    def record(self, place: RecordLocation) -> Any:
        """Give a record as it stands in its file."""
        return next(self._values(place.file, [place]))

    def _check(self, file: int, rows: Iterable[tuple[int, Any]]) -> None:
        for _ in self._converted(file, rows, Counts()):
            pass

    def _check_columns(self, rows: Iterable[Any]) -> None:
        if self.source.entry.kind == "rows":
            check_present(enumerate(rows), self.source.columns, self.source.name)

    def _values(self, file: int, places: list[RecordLocation]) -> Iterator[Any]:
        if self.inputs.table is not None:
            return iter(self.inputs.table[place.row] for place in places)
        return records.picked(str(self.files[file]), ((row, start) for _, row, start in places))

    def _converted(
        self, file: int, rows: Iterable[tuple[int, Any]], counts: Counts
    ) -> Iterator[Item]:
        source, prefix = self.source, self.prefixes[file]
        for one in converted(source.entry, rows, counts, source=prefix, options=source):
            if isinstance(one, Clip) and one.bounds:
                yield Item(one.id, one.turns, row=_part_of_a_video(one))
            elif isinstance(one, Clip):
                yield Item(one.id, one.turns, video=one.video)
            elif isinstance(one, Triplet):
                yield Item(one.id, one.turns, text=one.context)
            else:
                yield Item(one.id, tuple(said_by(one.turns)), row=one)


def row_of(
    item: Item, *, source: Source, text: str, turns: Sequence[tuple[str, str]], choice: Any
) -> dict[str, Any]:
    """Give the row of an item, with what the plan chose for it.

    Args:
        item: the record.
        source: its source.
        text: the part of its text that this row holds.
        turns: the part of its turns that this row holds.
        choice: `Selected` of `t2vid.mixing.selection`: id, spec, counts.
    """
    about = {"id": choice.id, "source": source.name}
    counted = {"n_frames": choice.n_frames, "n_words": choice.n_words}
    if item.row is not None:
        stored, spoken = _with_media(item.row, source, json.loads(choice.spec))
        return {**about, "images": stored, "messages": spoken, **counted}
    images: dict[str, str | None] = {"text": None, "path": None, "bytes": None, "spec": None}
    if item.video:
        images |= {"path": choice.video, "spec": choice.spec}
    elif choice.spec:
        images |= {"text": text, "spec": choice.spec}
    else:
        turns = as_text(text, turns)
    said = messages(turns, n_frames=choice.n_frames)
    return {**about, "images": images, "messages": said, **counted}


def media_plan(media: Sequence[Sequence[StoredMedium]]) -> str:
    """Write down what was found of a row's media, without what they hold."""
    return json.dumps([[[one.path, one.spec, one.n] for one in parts] for parts in media])


def names_of(media: Iterable[Iterable[StoredMedium]]) -> list[str]:
    """Name what a row shows, to tell its repeats: paths, digests of contents, texts."""
    return [
        one.path or one.text or hashlib.sha256(one.data or b"").hexdigest()
        for parts in media
        for one in parts
    ]


def shown_as(item: Item, choice: Any, source: Source) -> tuple[str, str]:
    """Give the name of a row's video, or what its pictures and texts are called, to find repeats.

    Args:
        item: the record.
        choice: what the plan chose for it.
        source: its source.
    """
    if item.row is None:
        return "", choice.video
    planned = json.loads(choice.spec)
    media = _planned(item.row, source, planned)
    if len(media) == 1 and media[0].kind == "video" and media[0].path:
        return "", media[0].path
    return " ".join(names_of([media])), ""


def _planned(
    row: LayoutRow, source: Source, planned: list[list[tuple[str | None, str | None, int]]]
) -> list[StoredMedium]:
    return [
        one._replace(path=path, spec=spec, n=n)
        for medium, parts in zip(row.media, planned, strict=True)
        for one, (path, spec, n) in zip(unsettled(medium, source.sample), parts, strict=True)
    ]


def _with_media(
    row: LayoutRow, source: Source, planned: list[list[tuple[str | None, str | None, int]]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give what is stored of a row's media, and its turns with a place for each frame."""
    media = _planned(row, source, planned)
    n_places = [sum(n for _, _, n in parts) for parts in planned]
    return together(media), messages_of(row.turns, n_places, weighted=source.is_weighted)


def _part_of_a_video(clip: Clip) -> LayoutRow:
    first = next(at for at, (role, _) in enumerate(clip.turns) if role == "user")
    turns = [
        Turn(role, (0, said) if at == first else (said,))
        for at, (role, said) in enumerate(clip.turns)
    ]
    media = (Medium("video", clip.video, dict(clip.bounds)),)
    return LayoutRow(clip.id, "", "conversations", tuple(turns), media)


def as_text(text: str, turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put a text before the question that is asked about it: the pure-text form of a row."""
    (role, question), *rest = turns
    return [(role, f"{text}\n\n{question}"), *rest]


def _places(file: int, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the places of all rows of a file, a line each."""
    rows = np.arange(len(starts))
    return np.stack([np.full_like(rows, file), rows, starts], axis=1)
