"""Which typeface draws a character: a family, and what stands in where it has no glyph.

>>> stack("sans").find("\u0628").path.name
'NotoSansArabic-Regular.ttf'

The order is fixed, so that every machine chooses alike: the family asked for, the bundled script
fonts, the system's Noto CJK in the forms of the text's language, the file that the table of coverage
names, the system's Noto font that bears the script's name, any other Noto font, colour emoji. Emoji
look for the colour font first. Fonts are never guessed by the system, whose choice differs between
machines.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import uharfbuzz as hb
from PIL import ImageFont

from t2vid.errors import InputError, MissingFile
from t2vid.frames.coverage import TABLE, covering
from t2vid.frames.font_folders import system_fonts
from t2vid.frames.typeface import (
    INVISIBLE,
    Typeface,
    check_font_file,
    is_selector,
    mark_place,
    typeface,
)

BUNDLED = Path(__file__).resolve().parent.parent / "fonts"
FAMILIES = {
    "sans": "LiberationSans-Regular.ttf",
    "serif": "LiberationSerif-Regular.ttf",
    "mono": "LiberationMono-Regular.ttf",
}
# bold and italic faces of the families, cut down to Latin, Greek and Cyrillic (`benchmarks/faces.py`)
STYLES = {"b": "Bold", "i": "Italic", "bi": "BoldItalic"}
STYLED = {
    (family, style): f"T2vid{file.removeprefix('Liberation').split('-')[0]}-{name}.ttf"
    for family, file in FAMILIES.items()
    for style, name in STYLES.items()
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
CJK_FACES = {  # number in the collection, and how the single files call it
    "ja": (0, "jp", "JP"),
    "ko": (1, "kr", "KR"),
    "zh-hans": (2, "sc", "SC"),
    "zh-hant": (3, "tc", "TC"),
    "zh-hk": (4, "hk", "HK"),
}
CJK_COLLECTION = "NotoSansCJK-Regular.ttc"
EMOJI_FONTS = ("NotoColorEmoji.ttf", "NotoEmoji-Regular.ttf")
DRAWN_BY = ("uharfbuzz", "icu4py", "python-bidi", "pillow")

# shapes of the bundled families exist, but without the marks that these scripts need
_OWN_FONT = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC))
# emoji below U+1F000 that are in colour without a variation selector (emoji-data.txt)
_EMOJI = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)
_KANA = re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
# frequent letters that only one of the two Chinese orthographies has
_TRADITIONAL = re.compile("[這個們來時會國說學為對過還發經點開關無電長東車馬門書]")
_SIMPLIFIED = re.compile("[这个们来时会国说学为对过还发经点开关无电长东车马门书]")
_LANGUAGE_SAMPLE = 200_000  # characters that a language is guessed from


class Stack:
    """A family and everything that stands in where it has no glyph.

    Args:
        name: `"sans"`, `"serif"`, `"mono"` or the path of a font file.
        lang: language of the text as a BCP 47 tag, for the forms of Chinese characters.
        style: `""`, or `b` and `i` for bold and italic.
    """

    def __init__(self, name: str, lang: str = "", style: str = "") -> None:
        self.style, self.upright = style, typeface(font_path(name))
        styled = STYLED.get((name, style))
        self.primary = typeface(BUNDLED / styled) if styled else self.upright
        self.bundled = name in FAMILIES
        self.grid = name == "mono"
        self.lang = lang
        self._found: dict[str, Typeface | None] = {}

    def find(self, cluster: str) -> Typeface | None:
        """Choose the typeface of a grapheme cluster; None where no available font covers it."""
        if cluster not in self._found:
            if len(self._found) > 50_000:
                self._found.clear()  # a stream of unusual clusters must not grow without end
            self._found[cluster] = self._search(cluster)
        return self._found[cluster]

    def is_styled(self, face: Typeface) -> bool:
        """Say whether a face is bold and italic by itself, where that is asked for."""
        return not self.style or (face is self.primary and face is not self.upright)

    def _search(self, cluster: str) -> Typeface | None:
        if unicodedata.category(cluster[0]) in ("Cc", "Cs"):
            return None  # some fonts have an empty glyph for control characters
        if is_emoji(cluster):
            for face in _emoji_faces():
                if face.covers(cluster):
                    return face
        if any(map(is_selector, cluster)):
            for face in self._variation_faces():
                if face.draws_variation(cluster) and face.covers(cluster):
                    return face
        # on the grid a mark is put over its letter here, which keeps the letter's own width
        if not self.grid and len(cluster) > 1 and any(map(mark_place, cluster[1:])):
            anchored = self._with_anchors(cluster)
            if anchored is not None:
                return anchored
        script_first = self.bundled and any(a <= ord(cluster[0]) <= b for a, b in _OWN_FONT)
        if not script_first and self.primary.covers(cluster):
            return self.primary
        if self.style and not script_first and self.upright.covers(cluster):
            return self.upright
        nearby = (f for f in chain(_script_faces(), [self.upright]) if f.covers(cluster))
        return next(nearby, None) or self._from_system(cluster)

    def _with_anchors(self, cluster: str) -> Typeface | None:
        """Choose the face that puts a letter's marks where they belong; None where none does."""
        first = [typeface(BUNDLED / MARKS_FONT)] if _has_stacked_marks(cluster) else []
        faces = chain(
            first if self.bundled else [],
            [self.primary, self.upright],
            _script_faces(),
            _named_faces(cluster[0]),
        )
        return next((f for f in faces if f.covers(cluster) and f.attaches(cluster)), None)

    def _variation_faces(self) -> Iterator[Typeface]:
        cjk = (*_cjk_faces(self.lang), *_cjk_faces("ja"))
        return chain([self.primary], cjk, _script_faces())

    def _from_system(self, cluster: str) -> Typeface | None:
        """Choose among the system's fonts, the likelier ones first; each is opened when needed."""
        found = covering(cluster[0])
        path = found and system_fonts().get(found.file)
        faces = chain(
            _cjk_faces(self.lang),
            [typeface(path)] if path else [],
            _named_faces(cluster[0]),
            _emoji_faces(),
            map(typeface, _regular_fonts()),
        )
        return next((face for face in faces if face.covers(cluster)), None)


@lru_cache(maxsize=64)
def stack(name: str, lang: str = "", style: str = "") -> Stack:
    """Give the stack of a family or font file; it is made once a process."""
    return Stack(name, lang, style)


def guess_lang(text: str) -> str:
    """Say in which language's forms a text's Chinese characters are drawn; `""` where it has none.

    Kana make it Japanese, hangul Korean; otherwise the letters that only the traditional or the
    simplified orthography has decide, and simplified Chinese is the default.

    >>> guess_lang("\u76f4\u3059"), guess_lang("\u76f4"), guess_lang("plain")
    ('ja', 'zh-hans', '')
    """
    if text.isascii():
        return ""
    text = text[:_LANGUAGE_SAMPLE]
    han, kana, hangul = (len(found.findall(text)) for found in (_HAN, _KANA, _HANGUL))
    if not han and not kana and not hangul:
        return ""
    if max(kana, hangul) * 20 >= han:  # a shop's の does not make a Chinese text Japanese
        return "ja" if kana >= hangul else "ko"
    traditional = len(_TRADITIONAL.findall(text)) > len(_SIMPLIFIED.findall(text))
    return "zh-hant" if traditional else "zh-hans"


def cjk_form(lang: str) -> str:
    """Give the key of `CJK_FACES` for a BCP 47 tag.

    >>> cjk_form("zh-TW"), cjk_form("ja-JP"), cjk_form("de")
    ('zh-hant', 'ja', 'zh-hans')
    """
    first, *rest = lang.lower().split("-")
    if first in ("ja", "ko"):
        return first
    if first == "yue" or (first == "zh" and {"hk", "mo"} & set(rest)):
        return "zh-hk"
    return "zh-hant" if first == "zh" and {"hant", "tw"} & set(rest) else "zh-hans"


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
    check_font_file(path)
    try:
        return ImageFont.truetype(str(path), font_px, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise InputError(f"font {name!r} is not a TrueType or OpenType file: {error}") from error


@lru_cache(maxsize=32)
def drawn_with(name: str, *, styled: bool = False, worn: bool = False) -> str:
    """Say what frames are drawn with here, as twelve hexadecimal digits.

    Covers the libraries that shape, break, order and rasterise, and every font file that could be
    used, those of the system included; two machines with equal digits draw equal bytes.

    Args:
        name: `"sans"`, `"serif"`, `"mono"` or the path of a font file.
        styled: whether bold and italic faces, and what reads markup, are used, too.
        worn: whether pages are made to look worn, with numpy's random numbers.
    """
    paths = [font_path(name), *(BUNDLED / file for file in SCRIPT_FONTS)]
    paths.append(TABLE)
    paths += [
        found for file in (CJK_COLLECTION, *EMOJI_FONTS) if (found := system_fonts().get(file))
    ]
    packages: tuple[str, ...] = DRAWN_BY
    if styled:
        paths += [BUNDLED / file for file in (*FAMILIES.values(), *STYLED.values())]
        packages += ("markdown-it-py", "pygments")
    packages += ("numpy",) if worn else ()
    parts = [f"{package} {version(package)}" for package in packages]
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


@lru_cache(maxsize=1)
def _regular_fonts() -> list[Path]:
    """List the system's Noto fonts of regular weight, sans before serif; a variable one counts."""
    regular = re.compile(r"^Noto.*(-Regular|\[.*\]|-VF)\.(ttf|otf|ttc)$")
    names = sorted(name for name in system_fonts() if regular.match(name))
    return [system_fonts()[name] for name in sorted(names, key=lambda name: "Serif" in name)]


def is_blank(text: str) -> bool:
    r"""Say whether a text is drawn as nothing but room.

    >>> is_blank(" \t\n"), is_blank("\x1c")  # U+001C to U+001F separate fields for machines
    (True, False)
    """
    return text.isspace() and not any("\x1c" <= char <= "\x1f" for char in text)


def uncovered(text: str, font: str) -> Counter[str]:
    """Count the characters of a text that no available font draws, in the order they come.

    Args:
        text: any text.
        font: name of a font stack.
    """
    found = stack(font)
    chars = (char for char in dict.fromkeys(text) if not is_blank(char) and char not in INVISIBLE)
    return Counter({char: text.count(char) for char in chars if found.find(char) is None})


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Give the ISO 15924 code of a character's script, `"Zyyy"` where scripts share it."""
    buffer = hb.Buffer()
    buffer.add_str(char)
    buffer.guess_segment_properties()
    return str(buffer.script or "Zyyy")


def _script_faces() -> Iterator[Typeface]:
    return (typeface(BUNDLED / name) for name in SCRIPT_FONTS)  # opened when it is their turn


@lru_cache(maxsize=16)
def _cjk_faces(lang: str) -> tuple[Typeface, ...]:
    number, short, region = CJK_FACES[cjk_form(lang)]
    files = system_fonts()
    if path := files.get(CJK_COLLECTION):
        return (typeface(path, number),)
    names = [f"NotoSansCJK{short}-Regular.otf", f"NotoSans{region}-Regular.otf"]
    names += [f"NotoSans{region}-Regular.ttf", "NotoSansCJKsc-Regular.otf"]
    return tuple(typeface(files[name]) for name in names if name in files)


@lru_cache(maxsize=1)
def _emoji_faces() -> tuple[Typeface, ...]:
    return tuple(typeface(path) for name in EMOJI_FONTS if (path := system_fonts().get(name)))


@lru_cache(maxsize=1024)
def _named_faces(char: str) -> tuple[Typeface, ...]:
    # Unicode names open with the script's name, and so do Noto's files
    words = unicodedata.name(char, "").replace("-", " ").title().split(" ")
    for script in ("".join(words[:2]), words[0]):
        if script in ("", "Latin", "Digit", "Combining"):
            continue
        for start in (f"NotoSans{script}", f"NotoSerif{script}", f"Noto{script[:5]}"):
            for path in _regular_fonts():
                if path.name.lower().startswith(start.lower()):
                    return (typeface(path),)
    return ()
