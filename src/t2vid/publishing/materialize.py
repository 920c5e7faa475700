"""What leaves this machine: rows as a plain struct or as pictures; no film, no local path.

>>> from PIL import Image
>>> picture(Image.new("L", (64, 64), 255), "png")[1:4]
b'PNG'
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal
from urllib.request import url2pathname

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.cropped import page_note
from t2vid.frames.feature import FIELDS, Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import (
    StoredMedium,
    is_blank,
    is_several,
    paths_in,
    together,
    with_paths,
)
from t2vid.models.showing import place_frames
from t2vid.schema import row_features

if TYPE_CHECKING:
    from datasets import Dataset, Features

Pictures = Literal["webp", "png"]


@dataclass(frozen=True)
class PublishFormat:
    """In which form frames are published.

    Args:
        materialize: None keeps text as text, `"webp"` and `"png"` draw every row (lossless).
        include_media: upload what the videos show, as frames at each row's budget.
        media_root: folder that published video paths are relative to.
        whole_files: publish videos as the files that they are: for the clips of this package.
    """

    materialize: Pictures | None = None
    include_media: bool = False
    media_root: str | None = None
    whole_files: bool = False

    def __post_init__(self) -> None:
        """Check the form."""
        if self.materialize not in (None, "webp", "png"):
            raise InputError(f"materialize ({self.materialize!r}) must be None, 'webp' or 'png'")

    @property
    def makes_frames(self) -> bool:
        """True when publishing draws or decodes; then shards are costly and worth keeping."""
        return self.materialize is not None or self.include_media


@dataclass
class DatasetStats:
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
        fonts: font files of this machine that texts are drawn with.
    """

    n_rows: int = 0
    n_texts: int = 0
    n_videos: int = 0
    n_inline: int = 0
    n_frames: int = 0
    n_words: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    folders: set[str] = field(default_factory=set)
    fonts: set[str] = field(default_factory=set)

    def __add__(self, other: DatasetStats) -> DatasetStats:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))
        return DatasetStats(*(a | b if isinstance(a, set) else a + b for a, b in pairs))


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


def plain_features(features: Features, form: PublishFormat) -> Features:
    """Give the features that a stranger without t2vid can read."""
    from datasets import Features, Image, List, Value

    struct = {name: Value("binary" if name == "bytes" else "string") for name in FIELDS}
    plain: Any = List(Image()) if form.materialize else struct
    lazy = lazy_columns(features)
    return Features({k: plain if k in lazy else feature for k, feature in features.items()})


def survey(dataset: Dataset) -> DatasetStats:
    """Look at every row's kind, source and length without making a frame."""
    found = DatasetStats(n_rows=len(dataset))
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


def plain_tables(
    dataset: Dataset, form: PublishFormat, start: int = 0, stop: int | None = None
) -> Iterator[pa.Table]:
    """Give rows `start` to `stop` in small tables, in the form in which they are published."""
    from datasets import Audio
    from datasets import Image as ImageFeature
    from datasets.table import embed_table_storage

    stop = len(dataset) if stop is None else stop
    given = dataset.features  # a copy at each access
    features = plain_features(given, form)
    schema = features.arrow_schema
    lazy = lazy_columns(given)
    step = 1 if form.makes_frames else 64
    rows = dataset.with_format("arrow")
    others = [feature for name, feature in features.items() if name not in lazy]
    embed = _holds(others, (ImageFeature, Audio))
    for first in range(start, stop, step):
        table: pa.Table = rows[first : min(stop, first + step)]
        columns = {name: table[name] for name in features}
        for name in lazy:
            if form.makes_frames:
                made = [_made(value, given[name], form) for value in table[name].to_pylist()]
                columns[name] = pa.array(made, schema.field(name).type)
            else:
                columns[name] = _stored_values(table[name].combine_chunks(), form)
        if form.materialize and lazy:
            columns |= _placed(columns, columns[lazy[0]], features)
        out = pa.table(columns).cast(schema)
        yield embed_table_storage(out) if embed else out


def picture(frame: Image.Image, kind: Pictures) -> bytes:
    """Encode a frame without loss: WebP, or PNG with 8 bits a pixel where the frame is gray."""
    out = io.BytesIO()
    if kind == "webp":
        rgb = frame.convert("RGB")
        rgb.save(out, "webp", lossless=True, method=4, quality=75, **page_note(frame))
    else:
        plain = frame.convert("L" if _is_gray(frame) else "RGB")
        plain.save(out, "png", **page_note(frame))
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


def _stored_values(values: pa.StructArray, form: PublishFormat) -> pa.StructArray:
    """Give stored values without films, unless they are wanted whole, and without local folders."""
    text, path, _, spec = values.flatten()
    paths = path.to_pylist()
    named = [
        with_paths({"path": p, "spec": s}, lambda name: published_path(name, form.media_root))
        for p, s in zip(paths, spec.to_pylist(), strict=True)
    ]
    names, specs = (pa.array([one[k] for one in named], pa.string()) for k in ("path", "spec"))
    films: list[bytes | None] = [None] * len(paths)
    if form.whole_files:
        films = [Path(_local(name)).read_bytes() if name else None for name in paths]
    return pa.StructArray.from_arrays(
        [text, names, pa.array(films, pa.binary()), specs],
        names=list(FIELDS),
        mask=values.is_null(),
    )


def _made(value: dict[str, Any] | None, feature: Frames, form: PublishFormat) -> Any:
    """Give a stored value with its frames made: pictures, or for a video a clip of them."""
    empty = is_blank(value)
    if form.materialize:
        frames = [] if empty else _frames(value, feature)
        return [{"bytes": picture(frame, form.materialize), "path": None} for frame in frames]
    if empty or value is None or value["text"] is not None:
        return value
    frames = _frames(value, feature)
    if is_several(value):
        return together([StoredMedium("image", data=picture(one, "webp")) for one in frames])
    path = value["path"] and published_path(value["path"], form.media_root)
    spec = SampleSpec(fps=1.0, max_frames=None).to_json()
    return {"text": None, "path": path, "bytes": clip(frames) if frames else None, "spec": spec}


def published_path(path: str, root: str | None) -> str:
    """Give a video's path as others may see it: URLs as they are, local files below `root`.

    >>> published_path("/home/me/videos/a/b.mp4", "/home/me/videos")
    'a/b.mp4'

    Raises:
        InputError: for a file outside `root`.
    """
    path = _local(path)
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
    known = [row_features(None, weighted=weighted)["messages"] for weighted in (False, True)]
    if features.get("messages") not in known:
        return {}
    counts = [len(images) for images in frames.to_pylist()]
    turns = [
        # what else a turn says, its weight and its calls of tools, stays
        row
        and [
            {**turn, "content": placed["content"]}
            for turn, placed in zip(row, place_frames(row, n), strict=True)
        ]
        for row, n in zip(columns["messages"].to_pylist(), counts, strict=True)
    ]
    placed = {"messages": pa.array(turns, columns["messages"].type)}
    if "n_frames" in columns:
        placed["n_frames"] = pa.array(counts, columns["n_frames"].type)
    return placed


def _survey_column(values: pa.StructArray, found: DatasetStats) -> None:
    texts, paths, blobs = (values.field(name).is_valid() for name in FIELDS[:3])
    here = values.is_valid()
    found.n_texts += _count(texts, here)
    several = pc.starts_with(pc.fill_null(values.field("spec"), ""), '{"media":')
    found.n_videos += _count(pc.or_(pc.or_(paths, blobs), several), here)
    found.n_inline += _count(pc.and_(blobs, pc.invert(paths)), here)
    named = [path for value in values.filter(several).to_pylist() for path in paths_in(value)]
    for path in map(_local, [*values.field("path").drop_null().to_pylist(), *named]):
        if "://" not in path and os.path.isabs(path):
            found.folders.add(os.path.dirname(path))
    for spec in values.field("spec").unique().drop_null().to_pylist():
        font = str(json.loads(spec).get("font", ""))
        if os.sep in font or font.lower().endswith((".ttf", ".otf", ".ttc")):
            found.fonts.add(font)


def _count(mask: pa.BooleanArray, here: pa.BooleanArray) -> int:
    return int(pc.sum(pc.and_(mask, here)).as_py() or 0)


def _local(path: str) -> str:
    return url2pathname(path.removeprefix("file://")) if path.startswith("file://") else path


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
