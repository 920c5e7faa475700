"""Last pages that are only as high as their text, and know how high the others are.

>>> page = Image.new("L", (8, 2))
>>> mark_cropped(page, 8, "#ffffff")
>>> whole_page(page).size
(8, 8)

The mark is kept by copies and pickles of the picture, and in the PNG, WebP and JPEG files that it is
saved to, those of an `Image` column of `datasets` among them.
"""

from __future__ import annotations

import os
import re
from typing import Any

from PIL import ExifTags, Image

_MARK = "t2vid_page"  # in `Image.info`
_FORMATS = {"PNG", "WEBP", "JPEG"}
_NOTE = re.compile(rf"{_MARK} (\d+) (#[0-9a-f]{{6}})")


class CroppedFrame(Image.Image):
    """A picture that writes its mark into its file; else, and for `==`, as any other."""

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
        """Save as Pillow does; `params` are those of the format."""
        kind = format or ""
        if not format and isinstance(fp, str | os.PathLike):
            ending = os.path.splitext(os.fspath(fp))[1].lower()
            kind = Image.registered_extensions().get(ending, "")
        note = page_note(self) if kind.upper() in _FORMATS else {}
        super().save(fp, format, **{**note, **params})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image.Image):
            return False
        return (self.mode, self.size, self.tobytes()) == (other.mode, other.size, other.tobytes())


def mark_cropped(frame: Image.Image, height_px: int, paper: str) -> None:
    """Note on a frame that is only as high as its text how high the others are, and their paper.

    Args:
        frame: the frame.
        height_px: of the others.
        paper: their background, `"#rrggbb"`.
    """
    frame.__class__ = CroppedFrame
    frame.info[_MARK] = f"{_MARK} {height_px} {paper.lower()}"


def whole_page(frame: Image.Image) -> Image.Image:
    """Give a frame cropped by `crop_last` as high as the others, for a model that sees one size.

    Args:
        frame: of any kind; what is not cropped is given back as it is.
    """
    found = _NOTE.fullmatch(_note(frame))
    if not found or int(found[1]) <= frame.height:
        return frame
    whole = Image.new(frame.mode, (frame.width, int(found[1])), found[2])
    whole.paste(frame)
    return whole


def page_note(frame: Image.Image) -> dict[str, Any]:
    """Give what Pillow's `save` has to be told, so that the file keeps the mark of a cropped page."""
    note = _note(frame)
    if not _NOTE.fullmatch(note):
        return {}
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = note
    return {"exif": exif.tobytes()}


def _note(frame: Image.Image) -> str:
    info = getattr(frame, "info", {})
    if "exif" in info and _MARK not in info:  # it comes from a file
        return str(frame.getexif().get(ExifTags.Base.ImageDescription, ""))
    return str(info.get(_MARK, ""))
