"""What to install where no font draws a character.

>>> print(describe_missing("\u07ca"))
U+07CA '\u07ca' (script Nkoo): apt-get install fonts-noto-core (NotoSansNKo-Regular.ttf)
"""

from __future__ import annotations

import unicodedata

from t2vid.frames.coverage import covering
from t2vid.frames.font_folders import font_folders
from t2vid.frames.fonts import script_of

_NO_FONT = {
    "Cc": "a control character",
    "Cs": "a lone surrogate, half a character",
    "Co": "a private-use character",
    "Cn": "no assigned character",
}


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
        nowhere = "" if all(found.values()) else ": no package of Debian 12 is known to draw it"
        lines.append(f"{shown} {first!r} (script {kind}){more}{nowhere}")
    advice = "; ".join(lines)
    if wanted:
        files = ", ".join(sorted(file for names in wanted.values() for file in names))
        advice += (
            f": apt-get install {' '.join(sorted(wanted))}, or put {files} into {font_folders()[0]}"
        )
    return advice


def _kind(char: str) -> str:
    return _NO_FONT.get(unicodedata.category(char), "")
