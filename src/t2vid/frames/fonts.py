"""The fonts that frames are drawn with: two families in the wheel, or a file of the caller's.

>>> font = load_font("sans", 20)
>>> font.getbbox("frame")[2] > 0
True
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import uharfbuzz as hb
from PIL import ImageFont

from t2vid.errors import InputError, MissingFile

BUNDLED = Path(__file__).resolve().parent.parent / "fonts"
FAMILIES = {"sans": "LiberationSans-Regular.ttf", "mono": "LiberationMono-Regular.ttf"}


def font_path(name: str) -> Path:
    """Find the file of `"sans"`, `"mono"` or of a path.

    Raises:
        MissingFile: when a path is given and nothing is there.
    """
    if name in FAMILIES:
        return BUNDLED / FAMILIES[name]
    path = Path(name)
    if not path.is_file():
        raise MissingFile(f"font {name!r} is neither {sorted(FAMILIES)} nor a font file")
    return path


@lru_cache(maxsize=32)
def load_font(name: str, font_px: int) -> ImageFont.FreeTypeFont:
    """Open a font at a size, with the one layout engine that every machine has.

    Raises:
        InputError: when the file is not a font.
    """
    try:
        return ImageFont.truetype(
            str(font_path(name)), font_px, layout_engine=ImageFont.Layout.BASIC
        )
    except OSError as error:
        raise InputError(f"font {name!r} is not a TrueType or OpenType file: {error}") from error


@lru_cache(maxsize=32)
def covered(name: str) -> frozenset[int]:
    """Give the code points for which a font has a glyph."""
    return frozenset(hb.Face(hb.Blob.from_file_path(str(font_path(name)))).unicodes)


@lru_cache(maxsize=32)
def digest(name: str) -> str:
    """Give the SHA-256 of a font file, so that a spec can say what it was drawn with."""
    return hashlib.sha256(font_path(name).read_bytes()).hexdigest()
