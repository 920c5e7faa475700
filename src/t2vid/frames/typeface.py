"""One face of one font file: checked before it is opened, asked what it covers and how it sets marks.

>>> from t2vid.frames.fonts import BUNDLED
>>> face = typeface(BUNDLED / "NotoSans-Regular.ttf")
>>> face.covers("w\u0325"), face.attaches("w\u0325")
(True, True)
"""

from __future__ import annotations

import struct
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import uharfbuzz as hb

from t2vid.errors import InputError

_MAGIC = (b"\x00\x01\x00\x00", b"OTTO", b"ttcf", b"true")
_MAX_FACES = 256  # of a collection; the largest of Noto has 45
MAX_FONT_BYTES = 256 * 2**20  # the largest Noto collection has 120 MB

# what HarfBuzz makes invisible: joiners, variation selectors, direction marks, fillers, tags
_INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = frozenset(chr(c) for a, b in _INVISIBLE for c in range(a, b + 1))
# marks that stand over, under or on their letter whatever the script (UAX #44, combining classes);
# those of Hebrew, Arabic, Thai and others have classes of their own, and fonts that know them
_ABOVE, _BELOW, _OVERLAY = (
    frozenset({214, 216, 228, 230, 232}),
    frozenset({202, 218, 220, 222}),
    frozenset({1}),
)


def mark_place(char: str) -> str:
    """Say where a mark stands: `"above"`, `"below"`, `"on"` its letter, or `""` for what is none."""
    kind = unicodedata.combining(char)
    if kind in _ABOVE:
        return "above"
    if kind in _BELOW:
        return "below"
    return "on" if kind in _OVERLAY or unicodedata.category(char) == "Me" else ""


class Typeface:
    """One face of one font file, opened when it is first needed.

    Args:
        path: the file.
        index: number of the face in a collection.

    Raises:
        InputError: when the file is not a TrueType or OpenType font.
    """

    def __init__(self, path: Path, index: int = 0) -> None:
        check_font_file(path)
        self.path, self.index = path, index
        self.face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        if not self.face.glyph_count:
            raise InputError(
                f"font {str(path)!r} has no glyphs; give a TrueType or OpenType file (.ttf, .otf, .ttc)"
            )
        self.unicodes = self.face.unicodes
        self._font = hb.Font(self.face)
        self.has_color: bool = self.face.has_color_png or self.face.has_color_paint

    def covers(self, cluster: str) -> bool:
        """Say whether every visible character of a grapheme cluster has a glyph."""
        known = self.unicodes
        if all(ord(c) in known or c in INVISIBLE for c in cluster):
            return True
        composed = unicodedata.normalize("NFC", cluster) if len(cluster) > 1 else cluster
        return composed != cluster and all(ord(c) in known or c in INVISIBLE for c in composed)

    def draws_variation(self, cluster: str) -> bool:
        """Say whether the face has the very form that a variation sequence asks for."""
        for base, selector in zip(cluster, cluster[1:], strict=False):
            if is_selector(selector):
                return bool(self._font.get_variation_glyph(ord(base), ord(selector)))
        return False

    def attaches(self, cluster: str) -> bool:
        """Say whether every mark of a grapheme cluster comes to its letter, by the face's own tables.

        A face without anchors leaves a mark where the pen is, which is beside the letter.
        """
        buffer = hb.Buffer()
        buffer.add_str(cluster)
        buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        return all(
            position.x_offset or position.y_offset or not mark_place(cluster[info.cluster])
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        )


@lru_cache(maxsize=256)
def typeface(path: Path, index: int = 0) -> Typeface:
    """Open a face once a process."""
    return Typeface(path, index)


def is_selector(char: str) -> bool:
    """Say whether a character selects a form of the one before it, other than the emoji's two."""
    return "\ufe00" <= char <= "\ufe0d" or "\U000e0100" <= char <= "\U000e01ef"


def check_font_file(path: Path) -> None:
    """Refuse what is no font file, or not all of one."""
    size = path.stat().st_size
    if size > MAX_FONT_BYTES:
        raise InputError(
            f"font {str(path)!r} has {size:,} bytes, more than {MAX_FONT_BYTES:,}; "
            "give a single TrueType or OpenType file"
        )
    with path.open("rb") as file:
        magic = file.read(4)
        if magic not in _MAGIC:
            raise InputError(
                f"font {str(path)!r} begins with {magic!r} and is not TrueType or OpenType; "
                "unpack WOFF files first"
            )
        starts = [0]
        if magic == b"ttcf":
            n_faces = int.from_bytes(file.read(8)[4:], "big")
            offsets = _whole(file.read(4 * min(n_faces, _MAX_FACES)), 4)
            starts = [start for (start,) in struct.iter_unpack(">I", offsets)]
        ends = [end for start in starts for end in _table_ends(file, start)]
    if not ends or max(ends) > size:
        raise InputError(
            f"font {str(path)!r} has {size:,} bytes, and its tables end at {max(ends, default=0):,}: "
            "it is cut off or damaged; download it again"
        )


def _table_ends(file: BinaryIO, start: int) -> list[int]:
    """Give where each table of a face ends, by the directory that begins at `start`."""
    file.seek(start + 4)
    n_tables = int.from_bytes(file.read(8)[:2], "big")
    directory = file.read(16 * n_tables)
    ends = [
        offset + length
        for _, _, offset, length in struct.iter_unpack(">4s3I", _whole(directory, 16))
    ]
    return [*ends, start + 12 + 16 * n_tables]


def _whole(data: bytes, record: int) -> bytes:
    return data[: len(data) // record * record]
