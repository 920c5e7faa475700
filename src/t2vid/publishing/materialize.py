"""What leaves this machine: rows as a plain struct or as pictures; no film, no local path.

>>> from PIL import Image
>>> picture(Image.new("L", (64, 64), 255), "png")[1:4]
b'PNG'
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from t2vid import registry
from t2vid.errors import InputError, PublishError
from t2vid.frames.feature import FIELDS, Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.models.rows import place_frames
from t2vid.progress import progress
from t2vid.schema import row_features

if TYPE_CHECKING:
    from datasets import Dataset, Features

# The viewer reads whole row groups and gives up at about 286 MiB; a random read pays for one.
ROW_GROUP_BYTES = 16 * 2**20
SHARD_BYTES = 128 * 2**20
# A stream is divided by shards: eight ranks with two workers each should all have one.
STREAM_SHARDS = 16
STREAM_ROWS = 1000

Pictures = Literal["webp", "png"]


@dataclass(frozen=True)
class Form:
    """In which form frames are published.

    Args:
        materialize: None keeps text as text, `"webp"` and `"png"` draw every row (lossless).
        include_media: upload what the videos show, as frames at each row's budget.
        media_root: folder that published video paths are relative to.
    """

    materialize: Pictures | None = None
    include_media: bool = False
    media_root: str | None = None

    def __post_init__(self) -> None:
        """Check the form."""
        if self.materialize not in (None, "webp", "png"):
            raise InputError(f"materialize ({self.materialize!r}) must be None, 'webp' or 'png'")

    @property
    def makes_frames(self) -> bool:
        """True when publishing draws or decodes; then shards are costly and worth keeping."""
        return self.materialize is not None or self.include_media


@dataclass
class Survey:
    """What the rows of one split hold, by metadata only.

    Attributes:
        n_rows: rows.
        n_texts: values of a `Frames` column that are texts.
        n_videos: values that are videos.
        n_inline: videos stored as bytes without a path.
        n_frames: sum of the `n_frames` column.
        n_words: sum of the `n_words` column.
        sources: rows by `source`.
        folders: folders of the local videos.
    """

    n_rows: int = 0
    n_texts: int = 0
    n_videos: int = 0
    n_inline: int = 0
    n_frames: int = 0
    n_words: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    folders: set[str] = field(default_factory=set)

    def __add__(self, other: Survey) -> Survey:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))
        return Survey(*(a | b if isinstance(a, set) else a + b for a, b in pairs))


@dataclass(frozen=True)
class Shard:
    """One staged Parquet file: rows `start` to `stop` of a split, `n_bytes` in memory."""

    path: Path
    start: int
    stop: int
    n_bytes: int


def lazy_columns(features: Features) -> list[str]:
    """Name the `Frames` columns.

    Raises:
        InputError: for a `Frames` inside another column, and for a `Video` column.
    """
    from datasets import Video

    for name, feature in features.items():
        if not isinstance(feature, Frames) and _holds(feature, (Frames, Video)):
            raise InputError(
                f"column {name!r} ({feature}) would upload films or cannot be read elsewhere; "
                f'use dataset.cast_column("{name}", t2vid.Frames()) or remove_columns first'
            )
    return [name for name, feature in features.items() if isinstance(feature, Frames)]


def plain_features(features: Features, form: Form) -> Features:
    """Give the features that a stranger without t2vid can read."""
    from datasets import Features, Image, List, Value

    struct = {name: Value("binary" if name == "bytes" else "string") for name in FIELDS}
    plain: Any = List(Image()) if form.materialize else struct
    lazy = lazy_columns(features)
    return Features({k: plain if k in lazy else feature for k, feature in features.items()})


def survey(dataset: Dataset) -> Survey:
    """Look at every row's kind, source and length without making a frame."""
    found = Survey(n_rows=len(dataset))
    lazy = lazy_columns(dataset.features)
    wanted = [*lazy, *({"source", "n_frames", "n_words"} & set(dataset.column_names))]
    if not wanted:
        return found
    rows = dataset.select_columns(wanted).with_format("arrow")
    for start in range(0, len(rows), 1000):
        table: pa.Table = rows[start : start + 1000]
        for name in lazy:
            _survey_column(table[name].combine_chunks(), found)
        if "source" in wanted:
            found.sources.update(str(value) for value in table["source"].to_pylist())
        for name in {"n_frames", "n_words"} & set(wanted):
            total = pc.sum(table[name]).as_py() or 0
            setattr(found, name, getattr(found, name) + int(total))
    return found


def common_folder(folders: set[str]) -> str | None:
    """Give the deepest folder that holds all local videos; published paths are relative to it."""
    return os.path.commonpath(folders) if folders else None


def plan_shards(n_rows: int, n_bytes: int) -> list[tuple[int, int]]:
    """Cut rows into `(start, stop)` ranges of about equal length.

    Args:
        n_rows: number of rows.
        n_bytes: their estimated size in bytes.

    >>> plan_shards(10, 3 * SHARD_BYTES)
    [(0, 3), (3, 6), (6, 10)]
    """
    by_size = -(-n_bytes // SHARD_BYTES)
    count = max(1, min(n_rows, max(by_size, min(STREAM_SHARDS, n_rows // STREAM_ROWS))))
    edges = [n_rows * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:], strict=False))


def stage(dataset: Dataset, form: Form, folder: Path, *, num_proc: int = 1) -> list[Shard]:
    """Write a split as Parquet shards into `folder`, keeping those that are already there.

    A shard's file is named after the hash of the rows it holds, so an interrupted run goes on where
    it was and a changed row is never served from an old file.

    Args:
        dataset: one split.
        form: in which form.
        folder: where the files go.
        num_proc: processes that write shards.

    Raises:
        PublishError: when the disk is full.
        BadVideo: for a video that cannot be decoded, as the column's `on_bad` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranges = plan_shards(len(dataset), _estimate_bytes(dataset, form))
    jobs = [(dataset, form, start, stop, folder) for start, stop in ranges]
    try:
        if num_proc > 1 and len(jobs) > 1:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(num_proc, len(jobs)), mp_context=context) as pool:
                done = pool.map(_write_shard, jobs)
                return list(progress(done, desc="write", total=len(jobs), unit="shard"))
        done = map(_write_shard, jobs)
        return list(progress(done, desc="write", total=len(jobs), unit="shard"))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise PublishError(
                f"{error.strerror} while writing {len(ranges)} shards into {folder}, which has "
                f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB free; nothing was uploaded; make "
                "room or name another folder with stage_dir=, and run the same push again"
            ) from error
        raise


def plain_tables(
    dataset: Dataset, form: Form, start: int = 0, stop: int | None = None
) -> Iterator[pa.Table]:
    """Give rows `start` to `stop` in small tables, in the form in which they are published."""
    from datasets import Audio
    from datasets import Image as ImageFeature
    from datasets.table import embed_table_storage

    stop = len(dataset) if stop is None else stop
    features = plain_features(dataset.features, form)
    lazy = lazy_columns(dataset.features)
    step = 1 if form.makes_frames else 32
    rows = dataset.with_format("arrow")
    others = [feature for name, feature in features.items() if name not in lazy]
    embed = _holds(others, (ImageFeature, Audio))
    for first in range(start, stop, step):
        table: pa.Table = rows[first : min(stop, first + step)]
        columns = {name: table[name] for name in features}
        for name in lazy:
            values = table[name].to_pylist()
            kind = features.arrow_schema.field(name).type
            columns[name] = pa.array(
                [_publish(value, dataset.features[name], form) for value in values], kind
            )
        if form.materialize and lazy:
            columns |= _placed(columns, columns[lazy[0]], features)
        out = pa.table(columns).cast(features.arrow_schema)
        yield embed_table_storage(out) if embed else out


def picture(frame: Image.Image, kind: Pictures) -> bytes:
    """Encode a frame without loss: WebP, or PNG with 8 bits a pixel where the frame is gray."""
    out = io.BytesIO()
    if kind == "webp":
        frame.convert("RGB").save(out, "webp", lossless=True, method=4, quality=75)
    else:
        (frame.convert("L") if _is_gray(frame) else frame.convert("RGB")).save(out, "png")
    return out.getvalue()


def clip(frames: Sequence[Image.Image]) -> bytes:
    """Encode frames without loss as an MP4 of one frame a second.

    `sample_video(clip(frames), SampleSpec(fps=1, max_frames=None))` gives the same pixels again.
    """
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264rgb", rate=1, options={"qp": "0"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "rgb24"
        stream.thread_count = (
            1  # several threads may cut slices differently: other bytes, same pixels
        )
        for i, frame in enumerate(frames):
            packet = av.VideoFrame.from_ndarray(np.asarray(frame.convert("RGB")), format="rgb24")
            packet.pts = i
            container.mux(stream.encode(packet))
        container.mux(stream.encode(None))
    return out.getvalue()


def _publish(value: dict[str, Any] | None, feature: Frames, form: Form) -> Any:
    empty = value is None or all(value[name] is None for name in FIELDS[:3])
    if form.materialize:
        frames = [] if empty else _frames(value, feature)
        return [{"bytes": picture(frame, form.materialize), "path": None} for frame in frames]
    if empty or value is None or value["text"] is not None:
        return value
    path = value["path"] and published_path(value["path"], form.media_root)
    if not form.include_media:
        return {**value, "path": path, "bytes": None}
    frames = _frames(value, feature)
    spec = SampleSpec(fps=1.0, max_frames=None).to_json()
    return {"text": None, "path": path, "bytes": clip(frames) if frames else None, "spec": spec}


def published_path(path: str, root: str | None) -> str:
    """Give a video's path as others may see it: URLs as they are, local files below `root`.

    >>> published_path("/home/me/videos/a/b.mp4", "/home/me/videos")
    'a/b.mp4'

    Raises:
        InputError: for a file outside `root`.
    """
    if "://" in path:
        return path
    if root is None or not os.path.isabs(path):
        return PurePosixPath(*[p for p in Path(path).parts if p not in ("..", os.sep)]).as_posix()
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        raise InputError(
            f"{path} is not inside media_root ({root}); name a folder above both"
        ) from None


def _frames(value: dict[str, Any] | None, feature: Frames) -> FrameList:
    return dataclasses.replace(feature, decode=True).decode_example(value)


def _placed(columns: dict[str, Any], frames: pa.Array, features: Features) -> dict[str, Any]:
    """Make `messages` and `n_frames` tell the number of pictures that are really there.

    Nobody who loads pictures has `VideoCollator` to put that right, and trainers fail on it.
    """
    if features.get("messages") != row_features(None)["messages"]:
        return {}
    counts = [len(images) for images in frames.to_pylist()]
    turns = [
        row and place_frames(row, n)
        for row, n in zip(columns["messages"].to_pylist(), counts, strict=True)
    ]
    placed = {"messages": pa.array(turns, columns["messages"].type)}
    if "n_frames" in columns:
        placed["n_frames"] = pa.array(counts, columns["n_frames"].type)
    return placed


def _write_shard(job: tuple[Dataset, Form, int, int, Path]) -> Shard:
    dataset, form, start, stop, folder = job
    path = folder / f"{_key(dataset, form, start, stop)}.parquet"
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            _write_parquet(dataset, form, start, stop, partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    meta = pq.read_metadata(path)
    n_bytes = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    return Shard(path, start, stop, n_bytes)


def _write_parquet(dataset: Dataset, form: Form, start: int, stop: int, path: Path) -> None:
    schema = plain_features(dataset.features, form).arrow_schema
    waiting: list[pa.Table] = []
    with open(path, "wb") as file:
        with pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_content_defined_chunking=True,
            write_page_index=True,
        ) as writer:
            for table in plain_tables(dataset, form, start, stop):
                waiting.append(table)
                if sum(t.nbytes for t in waiting) >= ROW_GROUP_BYTES:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting))
        file.flush()
        os.fsync(file.fileno())


def _key(dataset: Dataset, form: Form, start: int, stop: int) -> str:
    """Hash what a shard is made from: stored rows, form, this code, stamps of the video files."""
    digest = hashlib.sha256(f"{form}|{dataset.features}|{registry.source_hash()}".encode())
    lazy = lazy_columns(dataset.features)
    rows = dataset.with_format("arrow")
    for first in range(start, stop, 256):
        table: pa.Table = rows[first : min(stop, first + 256)]
        # not Arrow's own bytes: equal rows have other bytes after a select or a rebuild
        digest.update(repr(table.to_pylist()).encode())
        for name in lazy if form.makes_frames else []:
            for path in table[name].combine_chunks().field("path").to_pylist():
                if path and os.path.exists(path):
                    stat = os.stat(path)
                    digest.update(f"{stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:40]


def _estimate_bytes(dataset: Dataset, form: Form) -> int:
    if not len(dataset):
        return 0
    n = min(len(dataset), 8 if form.makes_frames else 64)
    places = [len(dataset) * i // n for i in range(n)]
    size = sum(t.nbytes for i in places for t in plain_tables(dataset, form, i, i + 1))
    return int(size * len(dataset) // n)


def _survey_column(values: pa.StructArray, found: Survey) -> None:
    texts, paths, blobs = (values.field(name).is_valid() for name in FIELDS[:3])
    here = values.is_valid()
    found.n_texts += _count(texts, here)
    found.n_videos += _count(pc.or_(paths, blobs), here)
    found.n_inline += _count(pc.and_(blobs, pc.invert(paths)), here)
    for path in values.field("path").drop_null().to_pylist():
        if "://" not in path and os.path.isabs(path):
            found.folders.add(os.path.dirname(path))


def _count(mask: pa.BooleanArray, here: pa.BooleanArray) -> int:
    return int(pc.sum(pc.and_(mask, here)).as_py() or 0)


def _is_gray(frame: Image.Image) -> bool:
    if frame.mode in ("1", "L"):
        return True
    pixels = np.asarray(frame.convert("RGB"))
    return bool((pixels == pixels[..., :1]).all())


def _holds(feature: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(feature, kinds):
        return True
    if isinstance(feature, dict):
        return any(_holds(part, kinds) for part in feature.values())
    if isinstance(feature, list | tuple):
        return any(_holds(part, kinds) for part in feature)
    return hasattr(feature, "feature") and _holds(feature.feature, kinds)
