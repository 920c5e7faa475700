"""What to install where no font draws a character.

>>> describe_missing("\u07ca").partition(",")[0].partition(": ")[2]
'apt-get install fonts-noto-core'
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from t2vid.errors import InputError
from t2vid.frames.coverage import covering
from t2vid.frames.font_folders import font_folders
from t2vid.frames.fonts import guess_lang, is_blank, script_of, stack
from t2vid.frames.segmentation import graphemes
from t2vid.frames.typeface import INVISIBLE

_NO_FONT = {
    "Cc": "a control character",
    "Cs": "a lone surrogate, half a character",
    "Co": "a private-use character",
    "Cn": f"no assigned character of Unicode {unicodedata.unidata_version}",
}


@dataclass(frozen=True)
class FontCoverage:
    """Which font draws how much of a text.

    Attributes:
        drawn: characters by the name of the font file that draws them.
        missing: characters that no available font draws, with their numbers.
        advice: what to install for them, or "".
    """

    drawn: dict[str, int]
    missing: dict[str, int]
    advice: str

    def lines(self) -> list[str]:
        """Give one line a font, and one for what is missing."""
        out = [f"{name}: {n:,} characters" for name, n in self.drawn.items()]
        if self.missing:
            out.append(f"no font: {sum(self.missing.values()):,} characters; {self.advice}")
        return out


def font_coverage(text: str | Path, *, font: str = "sans", lang: str | None = None) -> FontCoverage:
    """Say which font draws each character of a text, a text file or a folder of them.

    Args:
        text: the text, or the path of a UTF-8 file, or of a folder whose `.txt` and `.md` are read.
        font: `"sans"`, `"serif"`, `"mono"` or a font file.
        lang: language as a BCP 47 tag; guessed by default.

    Raises:
        InputError: for a folder without text files, or a file that is not UTF-8.

    >>> font_coverage("plain").drawn
    {'LiberationSans-Regular.ttf': 5}
    """
    drawn: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for part in _texts(text):
        found = stack(font, lang or guess_lang(part))
        for cluster, n in Counter(graphemes(part)).items():
            if is_blank(cluster) or all(char in INVISIBLE for char in cluster):
                continue
            face = found.find(cluster)
            if face is not None:
                drawn[face.path.name] += n * len(cluster)
                continue
            for char in cluster:
                alone = found.find(char)
                if char not in INVISIBLE and alone is None:
                    missing[char] += n
                elif alone is not None:
                    drawn[alone.path.name] += n
    advice = describe_missing("".join(missing)) if missing else ""
    return FontCoverage(dict(drawn.most_common()), dict(missing.most_common()), advice)


def _texts(text: str | Path) -> Iterator[str]:
    path = text if isinstance(text, Path) else Path(text[:4096].partition("\n")[0])
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # a text, not a name
        is_folder = is_file = False
    if not (is_folder or is_file) or (isinstance(text, str) and text != str(path)):
        if isinstance(text, Path) or re.fullmatch(r"\S+\.(txt|md)", text):
            raise InputError(f"{text} is neither a text file nor a folder of them")
        yield text
        return
    files = (
        sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".md")) if is_folder else [path]
    )
    if not files:
        raise InputError(f"{path} has no .txt or .md file")
    for file in files:
        try:
            yield file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{file} is not UTF-8 ({error.reason}); convert it first") from error


def describe_missing(chars: str) -> str:
    """Say of some characters, all scripts among them, what they are and what would cover them."""
    lines: list[str] = []
    wanted: dict[str, set[str]] = {}
    by_script: dict[str, list[str]] = {}
    for char in chars:
        by_script.setdefault(_kind(char) or script_of(char), []).append(char)
    for kind, members in by_script.items():
        first = members[0]
        shown = f"U+{ord(first):04X}"
        more = f" and {len(members) - 1:,} more" if len(members) > 1 else ""
        if _kind(first):
            lines.append(f"{shown}{more} is {kind}: no font has it, clean the text")
            continue
        found = {char: covering(char) for char in members}
        for one in found.values():
            if one:
                wanted.setdefault(one.package, set()).add(one.file)
        nowhere = (
            ""
            if all(found.values())
            else ": no package of Debian 12 is known to draw it, but a newer Noto font may, put into "
            f"{font_folders()[0]}"
        )
        lines.append(f"{shown} {first!r} (script {kind}){more}{nowhere}")
    advice = "; ".join(lines)
    if wanted:
        files = ", ".join(sorted(file for names in wanted.values() for file in names))
        advice += (
            f": apt-get install {' '.join(sorted(wanted))}, or put {files} into {font_folders()[0]}"
        )
    return advice


def _kind(char: str) -> str:
    kind = unicodedata.category(char)
    # HarfBuzz and the fonts know newer letters than Python does
    newer = kind == "Cn" and (script_of(char) != "Zyyy" or covering(char) is not None)
    return "" if newer else _NO_FONT.get(kind, "")
