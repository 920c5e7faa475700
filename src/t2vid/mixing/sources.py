"""Reads one record of a source, wherever it stands in its file, and makes a row of it.

>>> from t2vid import samples
>>> from t2vid.mixing.recipe import Source
>>> texts = SourceReader(Source("t2vid/synthetic", config="sample", name="texts"), samples.ROOT)
>>> place = texts.places()[0]
>>> texts.item(place, Counts()).id
'texts/00000'
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from t2vid.corpora.clips import Clip
from t2vid.corpora.converting import converted
from t2vid.errors import MissingFile, RecordError
from t2vid.mixing.recipe import Source
from t2vid.schema import Counts, messages
from t2vid.storage import records
from t2vid.storage.files import AnyPath
from t2vid.storage.folder import matching

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
    """

    id: str
    turns: tuple[tuple[str, str], ...]
    text: str = ""
    video: str = ""


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
        self.files = find_files(source, data)
        stems = [file.stem for file in self.files]
        self.prefixes = [source.name] if len(stems) == 1 else [f"{source.name}/{s}" for s in stems]

    def places(self) -> list[RecordLocation]:
        """Find every record with one pass over each file; look at the first rows of each.

        Raises:
            RecordError: when a file is no file of this source, showing its first record.
        """
        found: list[RecordLocation] = []
        for number, file in enumerate(self.files):
            first = records.Part(str(file), n_rows=_CHECKED_ROWS)
            for _ in self._converted(number, records.read(first), Counts()):
                pass
            for part in records.split(str(file), rows_per_part=1):
                rows = range(part.first_row, part.first_row + (part.n_rows or 1))
                found += [RecordLocation(number, row, part.start) for row in rows]
        return found

    def item(self, place: RecordLocation, counts: Counts) -> Item | None:
        """Read one record; None, counted under its reason, where it does not parse."""
        row = [(place.row, self._value(place))]
        try:
            return next(self._converted(place.file, row, counts), None)
        except RecordError:
            return None  # counted by the converter, which raises only for the first row of a file

    def _value(self, place: RecordLocation) -> Any:
        path = str(self.files[place.file])
        if path.endswith(".parquet"):
            return _row_group(path, place.start)[place.row]
        return next(records.read(records.Part(path, place.row, 1, place.start)))[1]

    def _converted(
        self, file: int, rows: Iterable[tuple[int, Any]], counts: Counts
    ) -> Iterator[Item]:
        source, prefix = self.source, self.prefixes[file]
        for one in converted(source.entry, rows, counts, source=prefix, options=source):
            if isinstance(one, Clip):
                yield Item(one.id, one.turns, video=one.video)
            else:
                turns = (("user", one.question), ("assistant", one.answer))
                yield Item(one.id, turns, text=one.context)


def find_files(source: Source, data: AnyPath) -> list[AnyPath]:
    """Find the annotation files of a source below the data folder, in the order of their names.

    Raises:
        MissingFile: naming the pattern without a file.
    """
    named = source.files or source.entry.files
    if not named:
        raise MissingFile(
            f"{source.name}: name its files below {data} (files: [...] in the recipe)"
        )
    found: list[AnyPath] = []
    for pattern in named:
        here = [data / path for path in matching(data, pattern)]
        if not here and source.files:
            raise MissingFile(f"{source.name}: no file {pattern!r} below {data}")
        found += [path for path in here if path not in found]
        if found and not source.files:
            return found[:1]  # the other names are the same file as others call it
    if not found:
        raise MissingFile(
            f"{source.name}: none of {list(named)} is below {data}; download it there, or name other "
            "files in the recipe (files: [...])"
        )
    return found


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
    images: dict[str, str | None] = {"text": None, "path": None, "bytes": None, "spec": None}
    if item.video:
        images |= {"path": choice.video, "spec": choice.spec}
    elif choice.spec:
        images |= {"text": text, "spec": choice.spec}
    else:
        turns = as_text(text, turns)
    return {
        "id": choice.id,
        "source": source.name,
        "images": images,
        "messages": messages(turns, n_frames=choice.n_frames),
        "n_frames": choice.n_frames,
        "n_words": choice.n_words,
    }


def as_text(text: str, turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put a text before the question that is asked about it: the pure-text form of a row."""
    (role, question), *rest = turns
    return [(role, f"{text}\n\n{question}"), *rest]


@functools.lru_cache(maxsize=2)
def _row_group(path: str, group: int) -> dict[int, Any]:
    part = next(part for part in records.split(path) if part.start == group)
    return dict(records.read(part))
