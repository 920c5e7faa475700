"""The rows of a dataset, to look at: fetched lazily, filtered, shown within bounds, put aside.

    t2vid browse t2vid/mix --config sample

>>> rows = [{"id": "a", "source": "texts", "n_frames": 0, "messages": []}]
>>> Browser(Rows(rows)).page(0, Filters(source="clips")).positions
[]

Nothing here knows of the page; `t2vid.insight.browse_page` shows it on the loopback.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid.errors import InputError, MissingFile, T2VidError, UnsafePath, pluralize
from t2vid.frames.feature import FIELDS, Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.models.rows import conversation
from t2vid.storage.files import write_atomically

PAGE_ROWS = 10
WINDOW_ROWS = 256  # rows of a stream that stay in memory, and
WINDOW_BYTES = 64 * 2**20  # at most so much of what they store
SAMPLE_ROWS = 1000  # what flags compare a row with
SCAN_ROWS = 5000  # a click looks at so many rows for those that pass the filters
MAX_SHOWN = 64  # frames of a row
SHOWN_PX = 768  # longer edge of a shown frame
MAX_PIXELS = 64 * 2**20  # of all frames of a row while they are drawn
OPENING_WORDS = 5  # as in `t2vid.insight.flags`
_FONTS = ("sans", "serif", "mono")

FLAGS = {
    "opening": "its answer opens with the same five words as many others",
    "template": "its instruction stands in many rows",
    "twin": "another row has the same instruction and answer",
    "letter": "its answer is a bare letter",
    "no frames": "it shows nothing",
    "placeholders": "its prompt has another number of image places than n_frames",
}


@dataclass(frozen=True)
class Filters:
    """Which rows are listed.

    Args:
        source: rows of this source alone; "" lists all.
        min_frames: rows with at least so many frames.
        max_frames: rows with at most so many frames; None is no limit.
        flag: rows with this flag, one of `FLAGS`; "" lists all.
    """

    source: str = ""
    min_frames: int = 0
    max_frames: int | None = None
    flag: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.flag and self.flag not in FLAGS:
            raise InputError(f"flag ({self.flag!r}) must be one of {list(FLAGS)}")


@dataclass(frozen=True)
class Page:
    """Some of the rows that pass the filters.

    Attributes:
        positions: their numbers in the dataset.
        more: True where there are or may be further ones.
        looked: rows of the dataset that were looked at to find them.
    """

    positions: list[int]
    more: bool
    looked: int


@dataclass(frozen=True)
class Shown:
    """The frames of a row.

    Attributes:
        frames: pictures of at most `SHOWN_PX`, at most `MAX_SHOWN`.
        captions: of each: where in the text or when in the video it is.
        n_seen: frames that the row has within its own budget.
        note: what is not shown, or why nothing is.
    """

    frames: list[Image.Image]
    captions: list[str]
    n_seen: int
    note: str = ""


class Rows:
    """Numbered rows of a dataset or a stream; of a stream only a window is kept.

    Args:
        dataset: a `Dataset`, an `IterableDataset` or a list of rows.
        root: folder that all files named by rows must lie in; None allows no file.
        remote: follow the URLs that rows name.
        name: what the dataset is called.
    """

    def __init__(
        self, dataset: Any, *, root: str | Path | None = None, remote: bool = False, name: str = ""
    ) -> None:
        from datasets import IterableDataset

        self.root = None if root is None else Path(root).absolute()
        self.remote, self.name = remote, name
        self.column, self._dataset = _undecoded(dataset)
        self._streams = isinstance(dataset, IterableDataset)
        self.total: int | None = None if self._streams else len(dataset)
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[Mapping[str, Any], int]] = OrderedDict()
        self._n_bytes = self._next = 0
        self._iterator: Iterator[Mapping[str, Any]] | None = None

    def get(self, number: int) -> Mapping[str, Any] | None:
        """Give a row as it is stored, no frame made; None behind the last one."""
        if number < 0 or (self.total is not None and number >= self.total):
            return None
        with self._lock:
            return self._streamed(number) if self._streams else self._dataset[number]

    def kept(self) -> int:
        """Count the rows of a stream that are in memory."""
        return len(self._kept)

    def _streamed(self, number: int) -> Mapping[str, Any] | None:
        if number in self._kept:
            return self._kept[number][0]
        if self._iterator is None or number < self._next:
            self._iterator, self._next = iter(self._dataset.skip(number)), number
        while self._next <= number:
            try:
                row = next(self._iterator, None)
            except BaseException:
                self._iterator = None  # a generator that raised is over; the next call starts anew
                raise
            if row is None:
                self.total = self._next
                return None
            self._keep(self._next, row)
            self._next += 1
        return self._kept[number][0]

    def _keep(self, number: int, row: Mapping[str, Any]) -> None:
        size = _size(row)
        self._n_bytes += size - self._kept.pop(number, (None, 0))[1]
        self._kept[number] = (row, size)
        while len(self._kept) > 1 and (
            len(self._kept) > WINDOW_ROWS or self._n_bytes > WINDOW_BYTES
        ):
            self._n_bytes -= self._kept.popitem(last=False)[1][1]


class Browser:
    """What the page asks for: pages of rows, frames of a row, rows put aside.

    Args:
        rows: the rows.
        quarantine: JSON-lines file of the rows put aside; what it lists is put aside already.
            None keeps the list in memory.
        sample: rows that flags compare with.

    Raises:
        InputError: for a file that is no such list.
    """

    def __init__(
        self, rows: Rows, *, quarantine: str | Path | None = None, sample: int = SAMPLE_ROWS
    ) -> None:
        self.rows = rows
        self.path = None if quarantine is None else Path(quarantine)
        self._marked: dict[str, dict[str, Any]] = {}
        self._others: list[dict[str, Any]] = []
        self._read_marks()
        self.sources: list[str] = []
        first = (rows.get(i) for i in range(sample))
        self._common = _Common(self._with_sources(row for row in first if row is not None))
        self._lock = threading.Lock()
        self._asked: Filters | None = None
        self._found: list[int] = []
        self._looked = 0

    def page(self, number: int, filters: Filters = Filters()) -> Page:  # noqa: B008  frozen
        """Give a page of the rows that pass.

        At most `SCAN_ROWS` rows are looked at in one call; asking again looks further.

        Args:
            number: of the page, from 0.
            filters: which rows pass.
        """
        start = PAGE_ROWS * number
        wanted = start + PAGE_ROWS + 1
        if filters == Filters():
            positions = [i for i in range(start, wanted) if self.rows.get(i) is not None]
            return Page(positions[:PAGE_ROWS], len(positions) > PAGE_ROWS, wanted)
        with self._lock:
            if filters != self._asked:
                self._asked, self._found, self._looked = filters, [], 0
            ended = False
            for _ in range(SCAN_ROWS):
                if len(self._found) >= wanted:
                    break
                row = self.rows.get(self._looked)
                if row is None:
                    ended = True
                    break
                if self._passes(row, filters):
                    self._found.append(self._looked)
                self._looked += 1
            more = not ended or len(self._found) >= wanted
            return Page(self._found[start : start + PAGE_ROWS], more, self._looked)

    def line(self, position: int) -> str:
        """Describe a row in one line."""
        row = self._row(position)
        marks = [*self.flags(position), *(["QUARANTINED"] if self.is_marked(position) else [])]
        parts = [f"{position:,}", str(row.get("id") or "-"), str(row.get("source") or "-")]
        n = _n_frames(row)
        parts += [pluralize(n, "frame"), ", ".join(marks)]
        return " · ".join(part for part in parts if part)

    def flags(self, position: int) -> list[str]:
        """Name the flags of a row, out of `FLAGS`."""
        return self._common.flags(self._row(position))

    def turns(self, position: int) -> list[tuple[str, str]]:
        """Give the conversation of a row as `(role, text)`."""
        turns = conversation(self._row(position))
        return [(turn["role"], _text(turn["content"])) for turn in turns]

    def show(self, position: int) -> Shown:
        """Make the frames of a row, within bounds; a row that cannot be shown gives a note."""
        row = self._row(position)
        try:
            return shown(row.get("images"), self.rows, source=str(row.get("source") or ""))
        except Exception as error:  # rows come from strangers: a broken one is looked at, too
            return Shown([], [], 0, f"no frames ({type(error).__name__}): {error}")

    def row_with(self, position: int, frames: Sequence[Image.Image]) -> dict[str, Any]:
        """Give a row with these frames instead of what it stores."""
        return {**self._row(position), "images": list(frames)}

    def mark(self, position: int) -> bool:
        """Put a row aside, or back; the file is written at once.

        Returns:
            True when the row is put aside now.
        """
        row, key = self._row(position), self._key(position)
        with self._lock:
            if self._marked.pop(key, None) is None:
                self._marked[key] = {
                    "dataset": self.rows.name,
                    "row": position,
                    "id": row.get("id"),
                    "source": row.get("source"),
                    "flags": self._common.flags(row),
                }
            if self.path is not None:
                lines = [*self._others, *self._marked.values()]
                write_atomically(self.path, _json_lines(lines))
            return key in self._marked

    def is_marked(self, position: int) -> bool:
        """Tell whether a row is put aside."""
        return self._key(position) in self._marked

    def export(self) -> str:
        """Give the rows put aside as JSON lines: `dataset`, `row`, `id`, `source`, `flags`."""
        return _json_lines(self._marked.values())

    def _row(self, position: int) -> Mapping[str, Any]:
        row = self.rows.get(position)
        if row is None:
            raise InputError(f"{self.rows.name} has no row {position:,}")
        return row

    def _passes(self, row: Mapping[str, Any], filters: Filters) -> bool:
        n, source = _n_frames(row), str(row.get("source") or "")
        if source and source not in self.sources:
            self.sources.append(source)
        return (
            (not filters.source or source == filters.source)
            and n >= filters.min_frames
            and (filters.max_frames is None or n <= filters.max_frames)
            and (not filters.flag or filters.flag in self._common.flags(row))
        )

    def _with_sources(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for row in rows:
            source = str(row.get("source") or "")
            if source and source not in self.sources:
                self.sources.append(source)
            yield row

    def _key(self, position: int) -> str:
        row = self._row(position)
        return json.dumps([row.get("source"), row["id"]] if row.get("id") else position)

    def _read_marks(self) -> None:
        if self.path is None or not self.path.is_file():
            return
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                mark = json.loads(line)
                key = [mark["source"], mark["id"]] if mark["id"] else mark["row"]
                mine = mark["dataset"] == self.rows.name
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{self.path} line {number} is no row that was put aside; name another file "
                    "with --quarantine"
                ) from None
            if mine:
                self._marked[json.dumps(key)] = mark
            else:
                self._others.append(mark)


def open_rows(
    target: str | Path,
    *,
    config: str | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    remote: bool = False,
) -> Rows:
    """Open what is to be browsed.

    Args:
        target: folder that `t2vid build` or `save_to_disk` wrote, a Parquet, JSON or JSON-lines file of
            rows, or a name for `load_dataset`, which is then streamed.
        config: config of a named dataset.
        split: its split; the first one by default.
        data_dir: folder of the videos (and of the annotation files, for `t2vid/…` names); no file
            outside it is read for a row.
        remote: follow the URLs that rows name.

    Raises:
        MissingFile: for a folder without rows, or a `data_dir` that is none.
        InputError: for a dataset that has no conversations.
    """
    if data_dir is not None and not Path(data_dir).is_dir():
        raise MissingFile(f"data_dir={os.fspath(data_dir)!r} is no folder")
    name = " ".join(part for part in (str(target), config, split) if part)
    try:
        root, dataset = _opened(str(target), config, split, data_dir)
        rows = Rows(dataset, root=root, remote=remote, name=name)
        first = rows.get(0)
    except T2VidError:
        raise
    except ValueError as error:  # of datasets and Arrow: an unknown config, a file that is no JSON
        raise InputError(f"{target} cannot be opened: {error}") from error
    if first is None:
        raise InputError(f"{target} has no rows; there is nothing to look at")
    if not ("messages" in first or {"prompt", "completion"} <= set(first)):
        raise InputError(
            f"{target} has the columns {list(first)}; rows need messages, or prompt and completion"
        )
    return rows


def _opened(
    target: str, config: str | None, split: str | None, data_dir: str | Path | None
) -> tuple[str | Path | None, Any]:
    from datasets import load_dataset, load_from_disk

    path = Path(target)
    if (path / "manifest.json").is_file():
        from t2vid.mixing.shards import BuildPlan

        names = json.loads((path / "manifest.json").read_text("utf-8"))["shards"]
        shards = [str(path / shard["path"]) for shard in names]
        root = data_dir or BuildPlan.load(path).data
        return root, load_dataset("parquet", data_files=shards, split="train")
    if path.is_dir() and not target.startswith("t2vid/"):
        if not any((path / name).is_file() for name in ("state.json", "dataset_dict.json")):
            raise MissingFile(
                f"{target} holds no rows; give what t2vid build or save_to_disk wrote, a file of "
                "rows, or the name of a dataset"
            )
        return data_dir, _one_split(load_from_disk(target), split, target)
    if path.is_file():
        kind = "parquet" if path.suffix == ".parquet" else "json"
        return data_dir, load_dataset(kind, data_files=target, split="train", streaming=True)
    given = None if data_dir is None else str(data_dir)
    loaded = load_dataset(target, config, split=split, data_dir=given, streaming=True)
    if data_dir is None and target.startswith("t2vid/"):
        from t2vid import samples

        data_dir = samples.ROOT
    return data_dir, _one_split(loaded, split, target)


def _one_split(dataset: Any, split: str | None, target: str) -> Any:
    if not isinstance(dataset, dict):
        return dataset
    if split is not None and split not in dataset:
        raise InputError(f"{target} has the splits {list(dataset)}, not {split!r}")
    return dataset[split or next(iter(dataset))]


def _undecoded(dataset: Any) -> tuple[Frames, Any]:
    """Give the reader of the frames column, and the dataset with that column as it is stored."""
    from datasets import Image as Picture
    from datasets import List

    features = getattr(dataset, "features", None) or {}
    column = features.get("images")
    if isinstance(column, Frames):
        return column, dataset.cast_column("images", dataclasses.replace(column, decode=False))
    if isinstance(getattr(column, "feature", None), Picture):
        return Frames(), dataset.cast_column("images", List(Picture(decode=False)))
    return Frames(), dataset


def shown(images: Any, rows: Rows, *, source: str = "") -> Shown:
    """Make the frames of a stored value, within bounds.

    Args:
        images: what a `Frames` column stores, or ready pictures as `{bytes, path}`.
        rows: the rows it belongs to, for the folder that files must lie in.
        source: for the captions.

    Raises:
        UnsafePath: for a file outside the data folder.
    """
    if isinstance(images, list):
        return _ready(images, rows, source)
    if not images or all(images.get(name) is None for name in FIELDS[:3]):
        return Shown([], [], 0, "this row has no frames")
    value = {name: images.get(name) for name in FIELDS}
    own = json.loads(value["spec"] or "{}")
    if value["text"] is not None:
        frames, budget = _drawn(value, RenderSpec.from_dict(own), rows)
        places = [f"characters {start:,} to {end:,}" for start, end in frames.spans or []]
    else:
        frames, budget = _decoded(value, SampleSpec.from_dict(own), rows)
        places = [f"{time:.2f} s" for time in frames.timestamps_s or []]
    n, n_seen = len(frames), frames.n_total if budget is None else min(frames.n_total, budget)
    note = "" if n >= n_seen else f"{n:,} of the {n_seen:,} frames of this row are shown"
    captions = [f"{source or 'row'}, frame {i} of {n}: {at}" for i, at in enumerate(places, 1)]
    return Shown([_small(frame) for frame in frames], captions, n_seen, note)


def _drawn(value: dict[str, Any], spec: RenderSpec, rows: Rows) -> tuple[FrameList, int | None]:
    if spec.font not in _FONTS:
        inside(spec.font, rows)
    fit = max(1, MAX_PIXELS // (spec.width * spec.height))
    budget = rows.column.max_frames
    limit = min(MAX_SHOWN, fit, budget or MAX_SHOWN)
    return Frames(max_frames=limit).decode_example(value), budget


def _decoded(value: dict[str, Any], spec: SampleSpec, rows: Rows) -> tuple[FrameList, int | None]:
    if value["bytes"] is None:
        value["path"] = str(inside(value["path"], rows))
    budget = rows.column.max_frames or spec.max_frames
    size = spec.size
    if size is None or (isinstance(size, int) and size > SHOWN_PX):
        size = SHOWN_PX
    elif isinstance(size, tuple) and max(size) > SHOWN_PX:
        size = (max(16, size[0] * SHOWN_PX // max(size)), max(16, size[1] * SHOWN_PX // max(size)))
    limit = min(MAX_SHOWN, budget or MAX_SHOWN)
    chosen = dataclasses.replace(spec, size=size, max_frames=limit)
    return Frames().decode_example({**value, "spec": chosen.to_json()}), budget


def _ready(images: list[Any], rows: Rows, source: str) -> Shown:
    frames = []
    for stored in images[:MAX_SHOWN]:
        data = stored.get("bytes")
        opened = Image.open(io.BytesIO(data) if data else inside(stored["path"], rows))
        if opened.width * opened.height > MAX_PIXELS:
            raise InputError(
                f"a picture of {opened.width:,} x {opened.height:,} pixels is more than the "
                f"{MAX_PIXELS:,} that are shown"
            )
        frames.append(_small(opened))
    n, n_seen = len(frames), len(images)
    note = "" if n == n_seen else f"{n:,} of the {n_seen:,} frames of this row are shown"
    captions = [f"{source or 'row'}, frame {i} of {n}" for i in range(1, n + 1)]
    return Shown(frames, captions, n_seen, note if n else "this row has no frames")


def inside(path: str, rows: Rows) -> str | Path:
    """Give where a file of a row lies, links followed, if that is in the data folder.

    Raises:
        UnsafePath: when it is not.
    """
    if "://" in path:
        if rows.remote:
            return path
        raise UnsafePath(f"{path} is not fetched; allow the URLs of rows with --remote")
    if rows.root is None:
        raise UnsafePath(f"{path} is not read; name its folder with --data-dir")
    root = rows.root.resolve()
    whole = rows.root / path
    archive, mark, member = str(whole).rpartition("::")
    file = Path(archive) if mark and not whole.exists() else whole
    if "\0" in path or not file.resolve().is_relative_to(root):
        raise UnsafePath(f"{path} lies outside {rows.root}; name a folder above it with --data-dir")
    return f"{file.resolve()}::{member}" if file != whole else file.resolve()


def _small(frame: Image.Image) -> Image.Image:
    if max(frame.size) > SHOWN_PX:
        frame = frame.copy()
        frame.thumbnail((SHOWN_PX, SHOWN_PX))
    return frame


class _Common:
    """What many rows of a sample share."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._openings: Counter[str] = Counter()
        self._instructions: Counter[str] = Counter()
        self._pairs: Counter[str] = Counter()
        n = 0
        for n, row in enumerate(rows, 1):  # noqa: B007
            question, answer = _asked(row)
            self._openings[_opening(answer)] += 1
            self._instructions[question] += 1
            self._pairs[f"{question}\0{answer}"] += 1
        self._many = max(3, n // 100)

    def flags(self, row: Mapping[str, Any]) -> list[str]:
        question, answer = _asked(row)
        images = [p for t in conversation(row) for p in t["content"] if p["type"] == "image"]
        here = {
            "opening": bool(_opening(answer)) and self._openings[_opening(answer)] >= self._many,
            "template": bool(question) and self._instructions[question] >= self._many,
            "twin": self._pairs[f"{question}\0{answer}"] > 1,
            "letter": len(answer.strip("(). ")) == 1 and answer.strip("(). ").isalpha(),
            "no frames": _n_frames(row) == 0,
            "placeholders": row.get("n_frames") not in (None, len(images)),
        }
        return [name for name, holds in here.items() if holds]


def _asked(row: Mapping[str, Any]) -> tuple[str, str]:
    turns = [(turn["role"], _text(turn["content"])) for turn in conversation(row)]
    question = next((text for role, text in turns if role == "user"), "")
    answer = next((text for role, text in turns if role == "assistant"), "")
    return " ".join(question.lower().split()), " ".join(answer.lower().split())


def _opening(answer: str) -> str:
    words = answer.split()[:OPENING_WORDS]
    return " ".join(words) if len(words) == OPENING_WORDS else ""


def _text(content: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(str(part["text"]) for part in content if part["type"] == "text")


def _n_frames(row: Mapping[str, Any]) -> int:
    if row.get("n_frames") is not None:
        return int(row["n_frames"])
    turns = conversation(row)
    return sum(part["type"] == "image" for turn in turns for part in turn["content"])


def _size(value: Any) -> int:
    """Estimate the bytes that a row holds."""
    if isinstance(value, str | bytes):
        return 50 + len(value)
    if isinstance(value, Mapping):
        return 100 + sum(map(_size, value.values()))
    if isinstance(value, list):
        return 60 + sum(map(_size, value))
    return 30


def _json_lines(values: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
