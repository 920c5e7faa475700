"""`Frames`: the one lazy column; it stores what frames are made from and makes them on reading.

>>> from datasets import Dataset, Features
>>> rows = Dataset.from_list([{"images": {"text": "A page."}}], features=Features(images=Frames()))
>>> rows[0]["images"][0].size
(448, 448)
"""

from __future__ import annotations

import json
import logging
import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from PIL import Image

from t2vid import registry
from t2vid.errors import BadVideo, InputError, MissingFile, kind_of
from t2vid.frames.carried import carry, restored
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import DRAWN_WITH, RenderSpec, SampleSpec
from t2vid.frames.together import (
    is_blank,
    is_several,
    media_of,
    open_picture,
    share_of,
    thinned_together,
)
from t2vid.schema import FRAME_CACHE_GB, FRAME_PX

logger = logging.getLogger(__name__)

FIELDS = ("text", "path", "bytes", "spec")
_told: set[str] = set()
_MAX_PATH_CHARS = 4096  # PATH_MAX on Linux; a longer string is a text that lost its {"text": ...}

OnBad = Literal["raise", "skip", "blank"]


def text_value(text: str, spec: RenderSpec | None = None) -> dict[str, Any]:
    """Give the stored value of a text that is drawn on reading."""
    return {"text": text, "path": None, "bytes": None, "spec": (spec or RenderSpec()).stored()}


def video_value(
    source: str | os.PathLike[str] | bytes, spec: SampleSpec | None = None
) -> dict[str, Any]:
    """Give the stored value of a video (path, URL or file content) that is decoded on reading."""
    inline = isinstance(source, bytes)
    path, data = (None, source) if inline else (os.fspath(source), None)
    return {"text": None, "path": path, "bytes": data, "spec": _json_of(spec or SampleSpec())}


@lru_cache(maxsize=64)
def _json_of(spec: SampleSpec) -> str:
    """Write a spec once; every row of a benchmark has the same one."""
    return spec.to_json()


def at_size(value: dict[str, Any], size: tuple[int, int] | str | None) -> dict[str, Any]:
    """Give the stored value of a video with a size for its frames, where its spec states none.

    A text is given back as it is: the size of a page decides what stands on it.

    Args:
        value: as a `Frames` column stores it.
        size: `(width, height)` in pixels, or another size that a `SampleSpec` takes; libav scales
            to it while it converts colours.
    """
    if value.get("text") is not None or is_several(value):
        return value
    spec = json.loads(value["spec"]) if value.get("spec") else {}
    if spec.get("size") is not None:
        return value
    return {**value, "spec": json.dumps({**spec, "size": size}, sort_keys=True)}


@dataclass
class Frames:
    """A `datasets` feature whose values are frame sequences, made at reading time.

    Stored is `struct{text, path, bytes, spec}`; a row holds a text, or a video by path or bytes, or
    several media (`t2vid.frames.together`), or nothing (a row without frames). Reading gives a
    `FrameList`: PIL images with `.spans` (text) or `.timestamps_s` (video). All rows of a column
    share this one feature, so text and video rows concatenate and interleave; what differs between
    rows stands in each row's own `spec`.

    A row that was read can be written again (`map`, `from_list`, `add_item` …): frames that nobody
    changed are stored as what they were made from. `map(…, input_columns=["images"])` saves
    encoding the pictures on the way. A dataset with this column is published by `t2vid.push`.

    Args:
        max_frames: budget at reading time. A video is sampled to at most so many frames; of a text
            the leading pages are drawn. None leaves it to each row's spec. The placeholders in
            `messages` stay those of the row; `VideoCollator` fits them to the frames.
        on_bad: what a video that cannot be read gives: its error, an empty list, or one blank
            frame; the last two log a warning that names the file.
        decode: False gives the stored value instead of frames.
        cache: folder in which decoded frames of videos are kept for the next epoch; None keeps none.
            `t2vid.frames.frame_cache` tells what counts as the same video.
        cache_gb: size of that folder at most, in 10^9 bytes; who was read longest ago goes first.

    Raises:
        InputError: for an argument out of range.
    """

    max_frames: int | None = None
    on_bad: OnBad = "raise"
    decode: bool = True
    # A cache changes no row: columns that differ in it alone are of one type.
    cache: str | None = field(default=None, repr=False, compare=False)
    cache_gb: float = field(default=FRAME_CACHE_GB, repr=False, compare=False)
    id: str | None = field(default=None, repr=False)

    dtype: ClassVar[str] = "FrameList"
    pa_type: ClassVar[Any] = pa.struct(
        {name: pa.binary() if name == "bytes" else pa.string() for name in FIELDS}
    )
    _type: str = field(default="Frames", init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the arguments."""
        n = self.max_frames
        if n is not None:
            if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n < 1:
                raise InputError(
                    f"max_frames ({n!r}) must be a whole number > 0, or None for no limit"
                )
            self.max_frames = int(n)
        if self.on_bad not in ("raise", "skip", "blank"):
            raise InputError(f"on_bad ({self.on_bad!r}) must be 'raise', 'skip' or 'blank'")
        if self.cache is not None:
            from t2vid.frames.frame_cache import frame_cache

            self.cache = os.fspath(self.cache)
            frame_cache(self.cache, self.cache_gb)

    def __call__(self) -> Any:
        """Give the Arrow storage type, as `datasets` asks for it."""
        return self.pa_type

    def encode_example(self, value: Any) -> dict[str, Any] | None:
        """Turn a value into what is stored.

        Args:
            value: a mapping with any of `text`, `path`, `bytes`, `spec`; a path or URL of a video
                as str or Path; the bytes of a video; None.

        Raises:
            InputError: for anything else, naming it and the next move.
        """
        if value is None:
            return None
        if isinstance(value, str):
            _check_path(value)
            return video_value(value)
        if isinstance(value, bytes | os.PathLike):
            return video_value(value)
        if isinstance(value, dict):
            return _from_dict(value)
        if isinstance(value, FrameList) and value.encoded is not None:
            return _from_dict(value.encoded)
        if isinstance(value, list):
            return _of_pictures(value)
        raise InputError(
            f"Frames cannot store {kind_of(value)}: it stores what frames are made from, "
            '{"text": …}, {"path": …} or {"bytes": …}; of frames that were read from a row, give '
            "frames.encoded; keep ready images in a List(Image()) column"
        )

    def decode_example(
        self, value: dict[str, Any] | None, token_per_repo_id: dict[str, Any] | None = None
    ) -> FrameList:
        """Make the frames of a stored value.

        Raises:
            BadVideo: when a video cannot be decoded and `on_bad` is `"raise"`.
        """
        if not self.decode:
            raise RuntimeError(
                "decoding is off for this column; cast it to Frames() to read frames"
            )
        if value is None or is_blank(value):
            return FrameList(encoded=value)
        try:
            frames = self._made(value)
        except (BadVideo, MissingFile) as error:
            if self.on_bad == "raise":
                raise
            logger.warning("%s (on_bad=%r)", error, self.on_bad)
            blank = [Image.new("RGB", (FRAME_PX, FRAME_PX))] if self.on_bad == "blank" else []
            frames = FrameList(blank, timestamps_s=[0.0] * len(blank), encoded=value)
        carry(frames, {"value": value, "max_frames": self.max_frames, "on_bad": self.on_bad})
        return frames

    def cast_storage(self, storage: Any) -> Any:
        """Take over what another column stores.

        Args:
            storage: an Arrow array: a struct with any of the four fields (a `Video` or an earlier
                `Frames` column), strings (paths) or binary (file contents).

        Raises:
            ValueError: for any other type; other classes would be swallowed by `datasets`.
        """
        kind = storage.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            for value in storage.drop_null().to_pylist():
                _check_path(value)
            columns = {"path": storage.cast(pa.string())}
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            columns = {"bytes": storage.cast(pa.binary())}
        elif pa.types.is_struct(kind) and {f.name for f in kind} <= set(FIELDS):
            columns = dict(zip([f.name for f in kind], storage.flatten(), strict=True))
        elif pa.types.is_null(kind):
            columns = {}
        elif pa.types.is_list(kind):
            # `map` writes back what its function read, and by now the frames are PNG files.
            values = [None if row is None else _of_pictures(row) for row in storage.to_pylist()]
            return pa.array([value or dict.fromkeys(FIELDS) for value in values], self.pa_type)
        else:
            raise InputError(
                f"a column of {kind} cannot become Frames; it must be a struct of any of {FIELDS}, "
                "a string (path of a video) or binary (a video file)"
            )
        arrays = [
            columns[name].cast(leaf) if name in columns else pa.nulls(len(storage), leaf)
            for name, leaf in ((f.name, f.type) for f in self.pa_type)
        ]
        # No null mask: `datasets` would skip `decode_example` and hand out None, not zero frames.
        return pa.StructArray.from_arrays(arrays, fields=list(self.pa_type))

    def embed_storage(self, storage: Any, *, remote_files: bool = True, **options: Any) -> Any:
        """Refuse `push_to_hub`, which would publish a column that only t2vid can read.

        Args:
            storage: the column.
            remote_files: whether files behind URLs are to be embedded, as publishing asks for.
            **options: whatever else `datasets` says.

        Raises:
            InputError: naming the way that works.
        """
        if not remote_files:
            return storage
        raise InputError(
            "push_to_hub of a Frames column would give a repository that nobody without t2vid can "
            "load, with the paths of this machine in it; publish it with t2vid.push(dataset, name), "
            "or as plain columns: dataset.cast_column(name, Frames(decode=False).plain)"
        )

    @property
    def plain(self) -> dict[str, Any]:
        """The stored columns as plain `datasets` features, which everybody can load."""
        from datasets import Value

        return {name: Value("binary" if name == "bytes" else "string") for name in FIELDS}

    def flatten(self) -> Any:
        """Give the plain columns behind this feature when it does not decode."""
        return self if self.decode else self.plain

    def _made(self, value: dict[str, Any]) -> FrameList:
        if is_several(value):
            return self._several(value)
        return self._draw(value) if value["text"] is not None else self._sample(value)

    def _several(self, value: dict[str, Any]) -> FrameList:
        media = media_of(value)
        n_pictures = sum(one.kind == "image" for one in media)
        share = share_of(n_pictures, len(media) - n_pictures, self.max_frames)
        part = replace(self, max_frames=share)
        made: list[list[Image.Image]] = []
        for one in media:
            if one.kind != "image":
                made.append(part._made(one.value))
                continue
            try:
                made.append([open_picture(one.path, one.data).convert("RGB")])
            except InputError as error:
                raise BadVideo(str(error), reason="image") from error
        kept = [frame for frames in thinned_together(made, self.max_frames) for frame in frames]
        return FrameList(kept, n_total=sum(one.n for one in media), encoded=value)

    def _draw(self, value: dict[str, Any]) -> FrameList:
        from t2vid.frames.render import render_text

        spec = _render_spec(value["spec"]) if value["spec"] else RenderSpec()
        frames = render_text(value["text"], spec, max_frames=self.max_frames)
        frames.encoded = value
        return frames

    def _sample(self, value: dict[str, Any]) -> FrameList:
        from t2vid.frames.video import sample_video

        spec = SampleSpec.from_json(value["spec"]) if value["spec"] else SampleSpec()
        if self.max_frames is not None:
            spec = spec.limited(self.max_frames)
        source = {"path": value["path"], "bytes": value["bytes"]}
        frames = sample_video(source, spec) if self.cache is None else self._kept(source, spec)
        frames.encoded = value
        return frames

    def _kept(self, source: dict[str, Any], spec: SampleSpec) -> FrameList:
        from t2vid.frames.frame_cache import frame_cache
        from t2vid.frames.video import sample_video

        cache = frame_cache(str(self.cache), self.cache_gb)
        try:
            key = cache.key(source, spec)
        except OSError:
            return sample_video(source, spec)  # says what is missing
        frames = cache.get(key)
        if frames is None:
            frames = sample_video(source, spec)
            cache.put(key, frames)
        return frames


@lru_cache(maxsize=256)
def _render_spec(stored: str) -> RenderSpec:
    """Read a stored spec; say once where its rows were drawn with other libraries or fonts."""
    spec = RenderSpec.from_json(stored)
    there, here = json.loads(stored).get(DRAWN_WITH), spec.drawn_with
    if there not in (None, here) and there not in _told:
        _told.add(there)
        logger.warning(
            "rows were made with other fonts or libraries (%s, here %s); their frames may differ "
            "in places, and their n_frames too; build them again to be sure",
            there,
            here,
        )
    return spec


def _of_pictures(pictures: list[Any]) -> dict[str, Any] | None:
    if not pictures:
        return None
    found = restored(pictures, _made_again)
    if found is None:
        raise InputError(
            "Frames stores what frames are made from, not pixels, and these pictures are not the "
            "untouched frames of one row of it; keep pictures in a List(Image()) column, or return "
            "another column name"
        )
    return _from_dict(found["value"])


def _made_again(made_from: Mapping[str, Any]) -> FrameList:
    reader = Frames(made_from["max_frames"], made_from["on_bad"])
    return reader.decode_example(made_from["value"])


def _check_path(value: str) -> None:
    """Refuse a text without its key, and a struct that somebody wrote into a CSV file."""
    if len(value) > _MAX_PATH_CHARS or "\n" in value or value.startswith(("{'", '{"')):
        raise InputError(
            f"a string is the path of a video, and {value[:60]!r}… ({len(value):,} characters) is no "
            'path; to draw it as text give {"text": …}'
        )


def _from_dict(value: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(value) - set(FIELDS))
    if unknown:
        raise InputError(f"Frames has no field {unknown}; its fields are {FIELDS}")
    text, path, data = (value.get(name) for name in FIELDS[:3])
    if text is not None and (path is not None or data is not None):
        raise InputError("a row of Frames is a text or a video, not both; set one of them to None")
    spec = value.get("spec")
    if isinstance(spec, RenderSpec):
        spec = spec.stored()
    elif isinstance(spec, SampleSpec):
        spec = spec.to_json()
    elif isinstance(spec, dict):
        spec = json.dumps(spec)
    if spec is None and not is_blank(value):
        spec = RenderSpec().stored() if text is not None else SampleSpec().to_json()
    if isinstance(path, Path):
        path = os.fspath(path)
    return {"text": text, "path": path, "bytes": data, "spec": spec}


registry.register_feature(Frames)
