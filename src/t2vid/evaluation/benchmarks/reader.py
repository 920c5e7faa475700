"""What the file of a benchmark holds: a `BenchmarkReader`, most of it a few lines of where and how.

>>> reader_of("mvbench").hub_files("action_count")
['hf://datasets/OpenGVLab/MVBench/json/action_count.json']

A benchmark is a module with a `READER` and an entry in `t2vid.catalog.benchmarks`. The reader says
where the questions lie (`hub`, `patterns`), what a record must hold (`needed`), and makes a
`Question` of it (`question`). The rest has defaults: `figures` gives the authors' own table where
it is more than an accuracy, `parse` reads an answer as their scorer does, `export` writes their file.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from t2vid import catalog
from t2vid.errors import RecordError, T2VidError
from t2vid.evaluation.benchmarks.questions import (
    LETTERS,
    Question,
    Videos,
    t2vid_questions,
    unusable,
)
from t2vid.schema import Counts
from t2vid.storage import records
from t2vid.storage.fields import failed

Line = Mapping[str, Any]  # of `judged.jsonl`


class Unusable(Exception):
    """Why a record is no question; it is counted under these words."""


class BenchmarkReader:
    """Reads the questions of a benchmark, and writes and counts answers as its authors do.

    Attributes:
        source: name of the benchmark, as in its catalogue entry.
        configs: a line about each configuration by its name; the first is the default.
        hub: the public question files by configuration.
        patterns: where the question files lie in a folder, `{config}` standing for the
            configuration; the first pattern that finds any counts.
        video_folders: where videos lie in a folder.
        needed: keys that a record must have.
        counts_places: whether its own prediction files name options by place, 0 for A.
        t2vid_rows: whether T2Vid's repository has a file of it, whose rows are told by `prompt`.
    """

    source: ClassVar[str]
    configs: ClassVar[Mapping[str, str]] = {"default": "Every question."}
    hub: ClassVar[Mapping[str, Sequence[str]]] = {}
    patterns: ClassVar[Sequence[str]] = ()
    video_folders: ClassVar[Sequence[str]] = ("videos", "video")
    needed: ClassVar[Sequence[str]] = ()
    counts_places: ClassVar[bool] = False
    t2vid_rows: ClassVar[bool] = False

    def hub_files(self, config: str) -> list[str]:
        """Give the public question files of a configuration; none where they are not public."""
        return list(self.hub.get(config, ()))

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the question files in a folder laid out as on the Hub or in the repository."""
        for pattern in self.patterns:
            found = sorted(folder.glob(pattern.format(config=config)))
            if found:
                return found
        return []

    def read(
        self,
        part: records.Part,
        counts: Counts,
        *,
        config: str,
        name: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Read the questions of one file, counting what is dropped.

        Args:
            part: the file.
            counts: where unusable rows are counted by reason.
            config: the configuration.
            name: of the file as it was asked for, without its ending; a download has another.
            subtitles: folder of subtitles, or None.
        """
        held = self.held(name, config)
        rows = self.records(part, held)
        for question in self.convert(rows, counts, config=held, subtitles=subtitles):
            if self.belongs(question, config):
                yield question

    def held(self, name: str, config: str) -> str:
        """Say of which configuration the questions of a file are; its name may tell."""
        return config

    def belongs(self, question: Question, config: str) -> bool:
        """Say whether a question of a file is of a configuration."""
        return True

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records of a file with their numbers."""
        return records.read(part)

    def convert(
        self,
        rows: Iterable[tuple[int, Any]],
        counts: Counts,
        *,
        config: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Make a `Question` of each usable record, and count the others.

        Args:
            rows: `(row number, record)` pairs.
            counts: where unusable rows are counted by reason.
            config: the configuration; by default the first.
            subtitles: folder of subtitles; None leaves them out.
        """
        config = config or next(iter(self.configs))
        for number, record in rows:
            label = f"{self.source} row {number:,}"
            if self.t2vid_rows and isinstance(record, Mapping) and "prompt" in record:
                yield from t2vid_questions([(number, record)], counts, source=self.source)
                continue
            if unusable(record, self.needed, label, counts, self.source):
                continue
            try:
                question = self.question(record, number, config=config, subtitles=subtitles)
            except Unusable as why:
                counts.drop(str(why), source=self.source, example=label)
                continue
            except T2VidError:
                raise
            except Exception as error:
                raise RecordError(failed(label, record, error)) from error
            if question is not None:
                yield question

    def question(
        self, record: Any, place: int, *, config: str, subtitles: str | None
    ) -> Question | None:
        """Make the question of a record; None where it belongs to another configuration.

        Raises:
            Unusable: with the reason under which the record is counted.
        """
        raise NotImplementedError

    def find(self, videos: Videos, question: Question) -> str | None:
        """Find the video of a question; None where it is not there."""
        return videos.find(question.video, *self.video_folders)

    def shown(self, question: Question, path: str) -> Question:
        """Give a question as it is about the file that was found, which may be cut already."""
        return question

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write judged answers as the authors' scorer reads them, and give the files."""
        raise NotImplementedError

    def parse(self, answer: str, line: Line) -> str | None:
        """Read the letter as the scorer of the authors does, or None where it reads none."""
        raise NotImplementedError

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Count the authors' own table, in percent; empty where it is the accuracy alone.

        Args:
            lines: judged, of this benchmark, `letter` and `correct` in them.
            official: count as the authors' scorer counts, mistakes included.
        """
        return {}

    def predicted(self, key: str, value: Any) -> Iterator[dict[str, Any]]:
        """Give the predictions behind one key of the authors' prediction file, `{key: value}`."""
        if isinstance(value, dict):
            names = ("prediction", "pred", "response", "answer")
            value = next((value[name] for name in names if name in value), None)
        yield {"id": key, "prediction": letter_at(value) if self.counts_places else value}

    def offers(self, ability: str) -> bool:
        """Say whether a benchmark overrides `export`, `parse` or `figures`."""
        return getattr(type(self), ability) is not getattr(BenchmarkReader, ability)


def reader_of(name: str) -> BenchmarkReader:
    """Give the reader of a benchmark by its name or an alias.

    Raises:
        InputError: for an unknown name.
    """
    reader = importlib.import_module(catalog.benchmark(name).converter).READER
    assert isinstance(reader, BenchmarkReader)
    return reader


def texts(value: Any) -> tuple[str, ...]:
    """Give options as texts.

    Raises:
        Unusable: for what is no list of 1 to 10 texts or numbers.
    """
    if not isinstance(value, list) or not value:
        raise Unusable("options are no list")
    if len(value) > len(LETTERS):
        raise Unusable(f"more than {len(LETTERS)} options")
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in value):
        raise Unusable("an option is no text")
    return tuple(map(str, value))


def number(value: Any, default: float | None = None) -> float | None:
    """Give a finite number, also one that stands as text, or the default.

    >>> number("2.5"), number("soon"), number(float("inf"), 1.0)
    (2.5, None, 1.0)
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return found if math.isfinite(found) and not isinstance(value, bool) else default


def seconds(record: Mapping[str, Any], key: str) -> float | None:
    """Give a bound of a part of a video, None where there is none.

    Raises:
        Unusable: for what is no number.
    """
    value = record.get(key)
    if value is None or value == "":
        return None
    found = number(value)
    if found is None:
        raise Unusable(f"{key} is no number of seconds")
    return found


def in_order(start_s: float | None, end_s: float | None) -> None:
    """Check the bounds of a part of a video.

    Raises:
        Unusable: for bounds that hold no time.
    """
    if not 0 <= (start_s or 0) < (math.inf if end_s is None else end_s):
        raise Unusable("time bounds out of order")


def letter_at(place: Any) -> str:
    """Write a place among options as its letter; "" for what is none.

    >>> letter_at(2), letter_at("0"), letter_at(-1), letter_at(None)
    ('C', 'A', '', '')
    """
    try:
        at = int(place)
    except (TypeError, ValueError, OverflowError):
        return ""
    return LETTERS[at] if 0 <= at < len(LETTERS) else ""


def place_of(line: Line) -> int:
    """Give the place of the letter that was read from an answer, -1 where it is open."""
    return LETTERS.index(line["letter"]) if line["letter"] else -1


def record_of(line: Line) -> dict[str, Any]:
    """Give the benchmark's own record of a question."""
    record = json.loads(line["official"] or "{}")
    return record if isinstance(record, dict) else {}


def percent(right: Iterable[bool]) -> float:
    """Give a share in percent.

    >>> percent([True, False, False, True])
    50.0
    """
    flags = list(right)
    return 100.0 * sum(flags) / len(flags)


def percents(lines: Iterable[Line], key: str = "category") -> dict[str, float]:
    """Give the accuracy of each group that the lines name, in percent."""
    groups: dict[str, list[bool]] = {}
    for line in lines:
        groups.setdefault(str(line[key]), []).append(bool(line["correct"]))
    return {name: percent(right) for name, right in sorted(groups.items())}


def with_answer(lines: Iterable[Line]) -> list[Line]:
    """Leave out questions whose right answer is not public."""
    return [line for line in lines if line["answer"]]


def write_json(path: Path, value: Any) -> list[Path]:
    """Write a result file, and give its path in a list."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
    return [path]


def json_object(part: records.Part) -> dict[str, Any] | None:
    """Read a file that holds one JSON object over several lines; None where it is of another kind.

    Raises:
        RecordError: where a file that begins as one is broken.
    """
    if "://" in part.path:
        return None
    with open(part.path, "rb") as file:
        head = file.read(4096).lstrip()
    if not head.startswith(b"{"):
        return None
    try:
        value = records.read_json(part.path)
    except RecordError:
        if b"\n" in head and head.split(b"\n", 1)[0].rstrip().endswith(b"}"):
            return None  # several objects, a line each
        raise
    return value if isinstance(value, dict) else None
