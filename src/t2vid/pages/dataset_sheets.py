"""What the model sees of a row of each source: frames on a dataset's page, and sheets of them beside it.

from t2vid.pages.dataset_sheets import sheets
sheets(found)["clips"].save("sheet-clips.png")
"""

from __future__ import annotations

import json
from typing import Any

from PIL import Image

from t2vid.errors import pluralize
from t2vid.frames.export import contact_sheet
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.frames.together import is_several, media_of
from t2vid.insight.findings import Findings
from t2vid.insight.rows import ExampleRow, RowColumns
from t2vid.pages.dataset_data import cut

SHEET_FRAMES = 8
SHEET_SOURCES = 6
_TILE_PX = 448


def sheets(found: Findings) -> dict[str, Image.Image]:
    """Give a contact sheet for each source, by its name as a file may have it."""
    out = {}
    for name, shown in zip(*_first_rows(found.rows), strict=True):
        frames = _frames(shown)
        if isinstance(frames, FrameList):
            plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60]
            while plain in out:  # "a/b" beside "a-b"
                plain += "-"
            out[plain] = contact_sheet(frames, captions=_captions(frames), tile_px=_TILE_PX)
    return out


def seen_rows(rows: RowColumns) -> list[dict[str, Any]]:
    """Give the first row of each of the largest sources, as the page shows it."""
    return [_seen(*one) for one in zip(*_first_rows(rows), strict=True)]


def _first_rows(rows: RowColumns) -> tuple[list[str], list[ExampleRow]]:
    shown = {name: each[0] for name, each in rows.shown.items() if each}
    names = list(shown)[:SHEET_SOURCES]
    return names, [shown[name] for name in names]


def _seen(name: str, shown: ExampleRow) -> dict[str, Any]:
    frames, said = _frames(shown), {"question": cut(shown.question, 400)}
    said["answer"] = cut(shown.answer, 400)
    if not isinstance(frames, FrameList):
        about = f"{shown.id}: its frames could not be made. {frames}"
        return {"title": name, "about": about, "pictures": [], "quality": None, **said}
    is_text, is_timed = frames.spans is not None, frames.timestamps_s is not None
    what = "Page of text" if is_text else "Video frame" if is_timed else "Picture"
    kind = "a text, drawn" if is_text else "a video, sampled" if is_timed else "pictures"
    if is_several(value := dict(shown.value)) and any(m.kind != "image" for m in media_of(value)):
        kind = "several media"
    pictures = []
    for frame, caption in zip(frames, _captions(frames), strict=True):
        small = frame.copy()
        small.thumbnail((_TILE_PX, _TILE_PX))
        pictures.append((small, f"{what} from {shown.id}: {caption}", caption))
    return {
        "title": f"{name}: {kind}",
        "about": f"{shown.id}: {len(frames)} of {pluralize(frames.n_total, 'frame')}.",
        "pictures": pictures,
        "quality": None if is_text else 80,
        **said,
    }


def _frames(shown: ExampleRow) -> FrameList | str:
    """Make the frames of a row, or say why there are none."""
    try:
        value = dict(shown.value)
        if value.get("text") is None and not is_several(
            value
        ):  # eight frames of 8K take a gigabyte
            spec = SampleSpec.from_dict(json.loads(value["spec"] or "{}")).at_most(_TILE_PX)
            value["spec"] = spec.to_json()
        frames: FrameList = Frames(max_frames=SHEET_FRAMES).decode_example(value)
        return frames if len(frames) else "There are none."
    except Exception as error:  # a page without one example is better than none
        return f"{type(error).__name__}: {error}"


def _captions(frames: Any) -> list[str]:
    if frames.spans is not None:
        return [
            f"page {number}, characters {start:,} to {end:,}"
            for number, (start, end) in enumerate(frames.spans, 1)
        ]
    if frames.timestamps_s is None:  # pictures, or several media
        return [f"picture {number}" for number in range(1, len(frames) + 1)]
    return [f"{time:.2f} s" for time in frames.timestamps_s]
