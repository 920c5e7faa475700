"""Which font file draws which character: families in the wheel, then Noto fonts of the system.

>>> typeface = stack("sans").find("g")
>>> typeface.path.name
'LiberationSans-Regular.ttf'

A character goes to the first font that has it: the family asked for, the bundled script fonts, the
system's Noto CJK, the system's Noto font that bears the script's name, colour emoji. Emoji look for
the colour font first. Fonts are never guessed by the system, whose choice differs between machines.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import unicodedata
import zlib
from collections import Counter
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import uharfbuzz as hb
from PIL import ImageFont

from t2vid.errors import InputError, MissingFile

BUNDLED = Path(__file__).resolve().parent.parent / "fonts"
FAMILIES = {
    "sans": "LiberationSans-Regular.ttf",
    "serif": "LiberationSerif-Regular.ttf",
    "mono": "LiberationMono-Regular.ttf",
}
SCRIPT_FONTS = (
    "NotoSansHebrew-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansMath-Regular.ttf",
    "NotoSansSymbols-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
)
MARKS_FONT = "NotoSans-Regular.ttf"  # Liberation does not put one mark above another
CJK_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf")
CJK_FACE = 2  # the simplified Chinese face of the collection
EMOJI_FONTS = ("NotoColorEmoji.ttf", "NotoEmoji-Regular.ttf")
DRAWN_BY = ("uharfbuzz", "icu4py", "python-bidi", "pillow")
_MAGIC = (b"\x00\x01\x00\x00", b"OTTO", b"ttcf", b"true")
_MAX_FACES = 256  # of a collection; the largest of Noto has 45
MAX_FONT_BYTES = 256 * 2**20  # the largest Noto collection has 120 MB

# shapes of the bundled families exist, but without the marks that these scripts need
_OWN_FONT = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC))
# what HarfBuzz makes invisible: joiners, variation selectors, direction marks, fillers, tags
_INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = frozenset(chr(c) for a, b in _INVISIBLE for c in range(a, b + 1))
# emoji below U+1F000 that are in colour without a variation selector (emoji-data.txt)
_EMOJI = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)
_CJK_NAMES = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH")


class Typeface:
    """One face of one font file, opened when it is first needed.

    Args:
        path: the file.
        index: number of the face in a collection.

    Raises:
        InputError: when the file is not a TrueType or OpenType font.
    """

    def __init__(self, path: Path, index: int = 0) -> None:
        _check_file(path)
        self.path, self.index = path, index
        self.face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        if not self.face.glyph_count:
            raise InputError(
                f"font {str(path)!r} has no glyphs; give a TrueType or OpenType file (.ttf, .otf, .ttc)"
            )
        self.unicodes = self.face.unicodes
        self.has_color: bool = self.face.has_color_png or self.face.has_color_paint

    def covers(self, cluster: str) -> bool:
        """Say whether every visible character of a grapheme cluster has a glyph."""
        known = self.unicodes
        if all(ord(c) in known or c in INVISIBLE for c in cluster):
            return True
        composed = unicodedata.normalize("NFC", cluster) if len(cluster) > 1 else cluster
        return composed != cluster and all(ord(c) in known or c in INVISIBLE for c in composed)


class Stack:
    """A family and everything that stands in where it has no glyph.

    Args:
        name: `"sans"`, `"serif"`, `"mono"` or the path of a font file.
    """

    def __init__(self, name: str) -> None:
        self.primary = typeface(font_path(name))
        self.bundled = name in FAMILIES
        self._found: dict[str, Typeface | None] = {}

    def find(self, cluster: str) -> Typeface | None:
        """Choose the typeface of a grapheme cluster; None where no available font covers it."""
        if cluster not in self._found:
            if len(self._found) > 50_000:
                self._found.clear()  # a stream of unusual clusters must not grow without end
            self._found[cluster] = self._search(cluster)
        return self._found[cluster]

    def _search(self, cluster: str) -> Typeface | None:
        if unicodedata.category(cluster[0]) in ("Cc", "Cs"):
            return None  # some fonts have an empty glyph for control characters
        if is_emoji(cluster):
            for face in _emoji_faces():
                if face.covers(cluster):
                    return face
        if self.bundled and _has_stacked_marks(cluster):
            if (face := typeface(BUNDLED / MARKS_FONT)).covers(cluster):
                return face
        script_first = self.bundled and any(a <= ord(cluster[0]) <= b for a, b in _OWN_FONT)
        if not script_first and self.primary.covers(cluster):
            return self.primary
        for name in SCRIPT_FONTS:
            if (face := typeface(BUNDLED / name)).covers(cluster):
                return face
        for face in (self.primary, *_cjk_faces(), *_named_faces(cluster[0]), *_emoji_faces()):
            if face.covers(cluster):
                return face
        return None


@lru_cache(maxsize=16)
def stack(name: str) -> Stack:
    """Give the stack of a family or font file; it is made once a process."""
    return Stack(name)


@lru_cache(maxsize=128)
def typeface(path: Path, index: int = 0) -> Typeface:
    """Open a face once a process."""
    return Typeface(path, index)


def is_emoji(cluster: str) -> bool:
    """Say whether a grapheme cluster asks for its coloured form."""
    first = cluster[0]
    if "\ufe0e" in cluster:
        return False
    if first < "\u00a9":
        return "\u20e3" in cluster
    return first >= "\U0001f000" or first in _EMOJI or "\ufe0f" in cluster


def _has_stacked_marks(cluster: str) -> bool:
    """Say whether a Latin, Greek or Cyrillic letter has two marks and more beside its own."""
    if len(cluster) < 3 or not (cluster[0] < "\u0590" or "\u1e00" <= cluster[0] < "\u2000"):
        return False
    composed = unicodedata.normalize("NFC", cluster)
    return sum(unicodedata.category(char) == "Mn" for char in composed) > 1


def font_path(name: str) -> Path:
    """Find the file of a family or of a path.

    Raises:
        MissingFile: when a path is given and nothing is there.
    """
    if name in FAMILIES:
        return BUNDLED / FAMILIES[name]
    path = Path(name)
    try:
        there = path.is_file()
    except OSError:  # a name longer than any file's
        there = False
    if not there:
        raise MissingFile(
            f"font {name[:200]!r} is neither one of {sorted(FAMILIES)} nor a font file"
        )
    return path


@lru_cache(maxsize=32)
def load_font(name: str, font_px: int) -> ImageFont.FreeTypeFont:
    """Open a font with Pillow, with the one layout engine that every machine has.

    Raises:
        InputError: when the file is not a font.
    """
    path = font_path(name)
    _check_file(path)
    try:
        return ImageFont.truetype(str(path), font_px, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise InputError(f"font {name!r} is not a TrueType or OpenType file: {error}") from error


@lru_cache(maxsize=32)
def drawn_with(name: str) -> str:
    """Say what frames are drawn with here, as twelve hexadecimal digits.

    Covers the libraries that shape, break, order and rasterise, and every font file that could be
    used, those of the system included; two machines with equal digits draw equal bytes.

    Args:
        name: `"sans"`, `"serif"`, `"mono"` or the path of a font file.
    """
    paths = [font_path(name), *(BUNDLED / file for file in SCRIPT_FONTS)]
    paths += [found for file in (*CJK_FONTS, *EMOJI_FONTS) if (found := system_fonts().get(file))]
    parts = [f"{package} {version(package)}" for package in DRAWN_BY]
    parts += [f"{path.name} {_digest(path)}" for path in paths]
    # of the hundreds of fonts that one script each may need, the table directory with its checksums
    parts += [f"{path.name} {_outline(path)}" for path in _regular_fonts()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    """Cover a file's whole content, once a process: its faces are opened once, too."""
    found = 0
    with path.open("rb") as file:
        # CRC-32 reads 34 MB in a third of SHA-256's time, for which a cold worker waits
        while chunk := file.read(2**20):
            found = zlib.crc32(chunk, found)
    return f"{_outline(path)} {found:08x}"


def _outline(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(4096) + str(path.stat().st_size).encode()).hexdigest()


def _regular_fonts() -> list[Path]:
    return [path for name, path in sorted(system_fonts().items()) if "-Regular" in name]


@lru_cache(maxsize=1)
def system_fonts() -> dict[str, Path]:
    """List the Noto fonts of this machine by file name; the first folder wins."""
    found: dict[str, Path] = {}
    for folder in font_folders():
        for root, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                if name.startswith("Noto") and name.endswith((".ttf", ".otf", ".ttc")):
                    found.setdefault(name, Path(root, name))
    return found


def font_folders() -> list[Path]:
    """Give the folders that are searched for Noto fonts on this platform."""
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        return [home / "AppData/Local/Microsoft/Windows/Fonts", Path("C:/Windows/Fonts")]
    return [home / ".local/share/fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]


def uncovered(text: str, font: str) -> Counter[str]:
    """Count the characters of a text that no available font draws.

    Args:
        text: any text.
        font: name of a font stack.
    """
    found = stack(font)
    chars = (char for char in set(text) if not char.isspace() and char not in INVISIBLE)
    return Counter({char: text.count(char) for char in chars if found.find(char) is None})


def describe_missing(chars: str) -> str:
    """Say of some characters which script they are and what would cover them."""
    lines = []
    for char in chars[:8]:
        code, name = f"U+{ord(char):04X}", unicodedata.name(char, "")
        category = unicodedata.category(char)
        if category in ("Cc", "Cs", "Co", "Cn"):
            kind = {
                "Cc": "a control character",
                "Cs": "a lone surrogate, half a character",
                "Co": "a private-use character",
                "Cn": "no assigned character",
            }[category]
            lines.append(f"{code} is {kind}: no font has it, clean the text")
            continue
        lines.append(f"{code} {char!r} (script {script_of(char)}): {_package(name, char)}")
    if len(chars) > 8:
        lines.append(f"and {len(chars) - 8:,} more")
    return "; ".join(lines)


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Give the ISO 15924 code of a character's script, `"Zyyy"` where scripts share it."""
    buffer = hb.Buffer()
    buffer.add_str(char)
    buffer.guess_segment_properties()
    return str(buffer.script or "Zyyy")


def _package(name: str, char: str) -> str:
    folder = font_folders()[0]
    if name.startswith(_CJK_NAMES) or "\u3000" <= char <= "\u9fff":
        return f"install fonts-noto-cjk (Debian) or put {CJK_FONTS[0]} into {folder}"
    if is_emoji(char):
        return f"install fonts-noto-color-emoji (Debian) or put {EMOJI_FONTS[0]} into {folder}"
    script = name.split(" ")[0].capitalize()
    return (
        f"install fonts-noto-core or fonts-noto-extra (Debian), or put NotoSans{script}-Regular.ttf "
        f"into {folder}"
    )


def _cjk_faces() -> list[Typeface]:
    for name in CJK_FONTS:
        if path := system_fonts().get(name):
            return [typeface(path, CJK_FACE if name.endswith(".ttc") else 0)]
    return []


def _emoji_faces() -> list[Typeface]:
    return [typeface(path) for name in EMOJI_FONTS if (path := system_fonts().get(name))]


def _named_faces(char: str) -> list[Typeface]:
    # Unicode names open with the script's name, and so do Noto's files
    words = unicodedata.name(char, "").replace("-", " ").title().split(" ")
    for script in ("".join(words[:2]), words[0]):
        for start in (f"NotoSans{script}", f"NotoSerif{script}", f"Noto{script[:5]}"):
            for path in _regular_fonts():
                if script and path.name.startswith(start):
                    return [typeface(path)]
    return []


def _check_file(path: Path) -> None:
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
