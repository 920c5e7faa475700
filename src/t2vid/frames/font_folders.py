"""Which fonts this machine has: the folders that fontconfig knows, links followed, Noto's files.

>>> all(path.is_absolute() for path in font_folders())
True
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from t2vid.frames.coverage import file_names

_SUFFIXES = (".ttf", ".otf", ".ttc")


@lru_cache(maxsize=1)
def system_fonts() -> dict[str, Path]:
    """List the fonts of this machine that may stand in, by file name; the first folder wins.

    These are Noto's files, and the few others that the table of coverage names.
    """
    others = file_names()
    found: dict[str, Path] = {}
    for folder in font_folders():
        for path in _files(folder):
            name = path.name
            if name.endswith(_SUFFIXES) and (name.startswith("Noto") or name in others):
                found.setdefault(name, path)
    return found


def font_folders() -> list[Path]:
    """Give the folders that are searched for fonts on this platform, the user's own first."""
    home = Path.home()
    if sys.platform == "darwin":
        found = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    elif sys.platform == "win32":
        found = [home / "AppData/Local/Microsoft/Windows/Fonts", Path("C:/Windows/Fonts")]
    else:
        data = os.environ.get("XDG_DATA_HOME") or str(home / ".local/share")
        shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        found = [Path(data, "fonts"), home / ".fonts"]
        found += [Path(part, "fonts") for part in shared.split(":") if part.startswith("/")]
        found += [Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]
        found += _configured(Path(data), home)
    return list(dict.fromkeys(path for path in found if path.is_absolute()))


def _configured(data: Path, home: Path) -> list[Path]:
    """Read the folders of fontconfig's own files, as `FONTCONFIG_FILE` and its defaults name them."""
    root = Path(os.environ.get("FONTCONFIG_PATH") or "/etc/fonts")
    config = os.environ.get("XDG_CONFIG_HOME") or str(home / ".config")
    first = Path(os.environ.get("FONTCONFIG_FILE") or root / "fonts.conf")
    waiting = [root / first, Path(config, "fontconfig/fonts.conf"), home / ".fonts.conf"]
    seen: set[Path] = set()
    found: list[Path] = []
    while waiting:
        path = waiting.pop(0)
        if path in seen or len(seen) > 1000:
            continue
        seen.add(path)
        if path.is_dir():
            waiting[:0] = sorted(path.glob("[0-9]*.conf"))
            continue
        bases = {"xdg": data, "relative": path.parent, "cwd": Path.cwd()}
        for tag, prefix, value in _entries(path):
            if value.startswith("~"):
                place = home / value[1:].lstrip("/")
            elif tag == "dir":
                place = bases.get(prefix, Path("/")) / value
            else:
                place = (Path(config) if prefix == "xdg" else path.parent) / value
            if tag == "dir":
                found.append(place)
            else:
                waiting.append(place)
    return found


def _entries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Give `(tag, prefix, value)` of every `<dir>` and `<include>`; a damaged file has none."""
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (OSError, ElementTree.ParseError):
        return
    for element in root.iter():
        if element.tag in ("dir", "include") and element.text and element.text.strip():
            yield element.tag, element.get("prefix", ""), element.text.strip()


def _files(folder: Path) -> Iterator[Path]:
    """Walk a folder in order, links to folders followed, no folder twice."""
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:  # a link that leads back up
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(root, name) for name in sorted(files))
