"""The pictures of a card: the first frames on one sheet, and how long the rows are.

>>> from datasets import Dataset
>>> pictures(Dataset.from_dict({"n": [1]}), PublishFormat())["Picture of the first frames"]
('frames.webp', 'no column holds frames')
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image

from t2vid.errors import MissingExtra, pluralize
from t2vid.frames.export import contact_sheet
from t2vid.frames.feature import Frames
from t2vid.frames.together import is_blank
from t2vid.publishing.materialize import PublishFormat, lazy_columns

if TYPE_CHECKING:
    from datasets import Dataset

SHEET_FRAMES = 8
SHEET_TILE_PX = 336
LENGTHS_ROWS = 25


def pictures(dataset: Dataset, form: PublishFormat) -> dict[str, tuple[str, bytes | str]]:
    """Make the card's pictures: `{title: (file name, content, or the reason why there is none)}`.

    Args:
        dataset: one split.
        form: in which form it is published; frames of videos are shown only if they are uploaded.
    """
    return {
        "Picture of the first frames": ("frames.webp", _sheet(dataset, form)),
        "Picture of the lengths": ("lengths.png", _lengths(dataset)),
    }


def _sheet(dataset: Dataset, form: PublishFormat) -> bytes | str:
    lazy = lazy_columns(dataset.features)
    if not lazy:
        return "no column holds frames"
    first = _first_values(dataset.with_format("arrow"), lazy[0], videos=form.include_media)
    if not first:
        return "the rows are videos, and their frames are not uploaded without include_media=True"
    each = max(1, SHEET_FRAMES // len(first))
    frames: list[Image.Image] = []
    captions: list[str] = []
    for source, value in first.items():
        made = Frames(max_frames=each).decode_example(value)
        frames += made
        captions += [f"{source} {i + 1} of {made.n_total}" for i in range(len(made))]
    # Imported, so that Pillow need not import every format to find this one.
    from PIL import WebPImagePlugin  # noqa: F401

    out = io.BytesIO()
    sheet = contact_sheet(frames, captions=captions, tile_px=SHEET_TILE_PX).convert("RGB")
    sheet.save(out, "webp", lossless=True, method=0, quality=50)  # a quarter of the time for 14 kB
    return out.getvalue()


def _first_values(rows: Any, column: str, *, videos: bool) -> dict[str, Any]:
    """Give the first value of each source that may be shown."""
    found: dict[str, Any] = {}
    for start in range(0, len(rows), 256):
        table = rows[start : start + 256]
        has_source = "source" in table.column_names
        names = table["source"].to_pylist() if has_source else ["row"] * len(table)
        texts = table[column].combine_chunks().field("text").is_valid().to_pylist()
        for i, (name, is_text) in enumerate(zip(names, texts, strict=True)):
            if name not in found and len(found) < SHEET_FRAMES and (is_text or videos):
                value = table[column][i].as_py()
                if not is_blank(value):
                    found[name] = value
    return found


def _lengths(dataset: Dataset) -> bytes | str:
    if not lazy_columns(dataset.features):
        return "no column holds frames"
    if len(dataset) < LENGTHS_ROWS:  # it would cost more than the rest of the push
        return f"{pluralize(len(dataset), 'row')} make no distribution"
    from t2vid.insight.lengths import picture as draw

    try:
        return bytes(draw(dataset))
    except MissingExtra as error:
        return str(error)
