"""Frames as files and as one picture to look at.

>>> from PIL import Image
>>> contact_sheet([Image.new("L", (40, 40))] * 3, columns=3, tile_px=40).size
(152, 56)
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from t2vid.errors import InputError
from t2vid.frames.fonts import load_font

GAP_PX = 8
CAPTION_PX = 14


def contact_sheet(
    frames: Sequence[Image.Image],
    *,
    columns: int = 4,
    captions: Sequence[str] | None = None,
    tile_px: int = 448,
) -> Image.Image:
    """Put frames side by side on one picture.

    Args:
        frames: at least one image, of any sizes and modes.
        columns: frames in a row.
        captions: one short line under each frame.
        tile_px: longest side of a frame on the sheet; frames are only ever made smaller.

    Raises:
        InputError: without frames, or with another number of captions than frames.
    """
    if not frames:
        raise InputError("a contact sheet needs at least one frame")
    if captions is not None and len(captions) != len(frames):
        raise InputError(f"{len(captions)} captions do not fit {len(frames)} frames")
    if columns < 1:
        raise InputError(f"columns ({columns}) must be > 0")
    columns = min(columns, len(frames))
    tiles = [_tile(frame, tile_px) for frame in frames]
    width = max(tile.width for tile in tiles)
    below = CAPTION_PX + GAP_PX if captions else 0
    height = max(tile.height for tile in tiles) + below
    rows = -(-len(tiles) // columns)
    size = (columns * (width + GAP_PX) + GAP_PX, rows * (height + GAP_PX) + GAP_PX)
    color = any(tile.mode != "L" for tile in tiles)
    sheet = Image.new("RGB" if color else "L", size, (214, 218, 224) if color else 217)
    draw = ImageDraw.Draw(sheet)
    font = load_font("sans", CAPTION_PX)
    for i, tile in enumerate(tiles):
        x = GAP_PX + i % columns * (width + GAP_PX)
        y = GAP_PX + i // columns * (height + GAP_PX)
        sheet.paste(tile, (x, y))
        if captions:
            text = captions[i]
            while text and font.getlength(text) > width:
                text = text[:-1]
            draw.text((x, y + tile.height + 3), text, font=font, fill=0)
    return sheet


def _tile(frame: Image.Image, tile_px: int) -> Image.Image:
    tile = frame if frame.mode == "L" else frame.convert("RGB")
    scale = tile_px / max(tile.size)
    if scale < 1:
        size = (max(1, round(tile.width * scale)), max(1, round(tile.height * scale)))
        tile = tile.resize(size, Image.Resampling.LANCZOS)
    return tile
