"""The frames of a row, made within bounds and never from a file outside the data folder.

>>> shown(None, BrowseRows([])).note
'this row has no frames'
"""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid.browse.rows import BrowseRows
from t2vid.errors import InputError, UnsafePath
from t2vid.frames.feature import FIELDS, Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.frames.together import is_blank, is_several, media_of

MAX_SHOWN = 64  # frames of a row
SHOWN_PX = 768  # longer edge of a shown frame
MAX_PIXELS = 64 * 2**20  # of all frames of a row while they are drawn
_FONTS = ("sans", "serif", "mono")


@dataclass(frozen=True)
class ShownFrames:
    """The frames of a row.

    Attributes:
        frames: pictures of at most `SHOWN_PX`, at most `MAX_SHOWN`.
        captions: of each: where in the text or when in the video it is.
        n_seen: frames that the row has within its own budget.
        note: what is not shown, or why nothing is.
        failed: whether its frames could not be made.
    """

    frames: list[Image.Image]
    captions: list[str]
    n_seen: int
    note: str = ""
    failed: bool = False


def shown(images: Any, rows: BrowseRows, *, source: str = "") -> ShownFrames:
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
    if is_blank(images):
        return ShownFrames([], [], 0, "this row has no frames")
    value = {name: images.get(name) for name in FIELDS}
    own = json.loads(value["spec"] or "{}")
    if is_several(value):
        return _several(value, rows, source)
    if value["text"] is not None:
        frames, budget = _drawn(value, RenderSpec.from_dict(own), rows)
        places = [f"characters {start:,} to {end:,}" for start, end in frames.spans or []]
    else:
        frames, budget = _decoded(value, SampleSpec.from_dict(own), rows)
        places = [f"{time:.2f} s" for time in frames.timestamps_s or []]
    n, n_seen = len(frames), frames.n_total if budget is None else min(frames.n_total, budget)
    note = "" if n >= n_seen else f"{n:,} of the {n_seen:,} frames of this row are shown"
    captions = [f"{source or 'row'}, frame {i} of {n}: {at}" for i, at in enumerate(places, 1)]
    return ShownFrames([_small(frame) for frame in frames], captions, n_seen, note)


def _several(value: dict[str, Any], rows: BrowseRows, source: str) -> ShownFrames:
    media = media_of(value)
    share = max(1, MAX_SHOWN // len(media))
    parts = []
    for one in media[:MAX_SHOWN]:
        part = [one.value] if one.kind == "image" else one.value
        parts.append((one, shown(part, rows, source=source)))
    frames = [frame for _, part in parts for frame in part.frames[:share]]
    captions = [
        f"{one.kind} {at} of {len(media)}: {caption}"
        for at, (one, part) in enumerate(parts, 1)
        for caption in part.captions[:share]
    ]
    n, n_seen = len(frames), sum(one.n for one in media)
    note = "" if n >= n_seen else f"{n:,} of the {n_seen:,} frames of this row are shown"
    return ShownFrames(frames, captions, n_seen, note)


def _drawn(
    value: dict[str, Any], spec: RenderSpec, rows: BrowseRows
) -> tuple[FrameList, int | None]:
    if spec.font not in _FONTS:
        inside(spec.font, rows)
    fit = max(1, MAX_PIXELS // (spec.width * spec.height))
    budget = rows.column.max_frames
    limit = min(MAX_SHOWN, fit, budget or MAX_SHOWN)
    return Frames(max_frames=limit).decode_example(value), budget


def _decoded(
    value: dict[str, Any], spec: SampleSpec, rows: BrowseRows
) -> tuple[FrameList, int | None]:
    if value["bytes"] is None:
        value["path"] = str(inside(value["path"], rows))
    budget = rows.column.max_frames or spec.max_frames
    limit = min(MAX_SHOWN, budget or MAX_SHOWN)
    chosen = dataclasses.replace(spec.at_most(SHOWN_PX), max_frames=limit)
    return Frames().decode_example({**value, "spec": chosen.to_json()}), budget


def _ready(images: list[Any], rows: BrowseRows, source: str) -> ShownFrames:
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
    return ShownFrames(frames, captions, n_seen, note if n else "this row has no frames")


def inside(path: str, rows: BrowseRows) -> str | Path:
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
