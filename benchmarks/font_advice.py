"""Which font draws which character: makes `src/t2vid/fonts/coverage.tsv` from Debian's packages, or checks it.

    python benchmarks/font_advice.py           # downloads the packages by apt-get, prints what differs
    python benchmarks/font_advice.py --write   # renews the table

For each character that no bundled font draws, the table names the first file of these packages that
does. A row is checked in the file itself: the file is in the package, and its cmap has the characters.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import uharfbuzz as hb

from t2vid.frames.fonts import BUNDLED, FAMILIES, SCRIPT_FONTS

# in order: what is in an earlier package is not looked for in a later one
PACKAGES = {
    "fonts-noto-core": ("NotoSans*-Regular.ttf", "NotoSerif*-Regular.ttf", "Noto*-Regular.ttf"),
    "fonts-noto-extra": ("NotoSans*-Regular.ttf", "NotoSerif*-Regular.ttf", "Noto*-Regular.ttf"),
    "fonts-noto-cjk": ("NotoSansCJK-Regular.ttc",),
    "fonts-noto-color-emoji": ("NotoColorEmoji.ttf",),
    "fonts-hanazono": ("HanaMinB.ttf", "HanaMinA.ttf"),
    "fonts-symbola": ("Symbola*.ttf",),
    "fonts-unifont": ("unifont.otf", "unifont_upper.otf"),
}
TABLE = BUNDLED / "coverage.tsv"


def covered(path: Path) -> set[int]:
    return set(hb.Face(hb.Blob.from_file_path(str(path)), 0).unicodes)


def drawable(code: int, file: str) -> bool:
    if unicodedata.category(chr(code)) == "Cn":  # not assigned, or newer than this Python's Unicode
        return file != "unifont.otf"  # which has a box for every number
    return unicodedata.category(chr(code)) not in ("Cc", "Cs", "Co", "Zs", "Zl", "Zp")


def ranges(codes: Iterable[int], done: set[int]) -> str:
    """Write characters as ranges, which may go on over those that an earlier file has."""
    parts: list[list[int]] = []
    for code in sorted(codes):
        if parts and all(between in done for between in range(parts[-1][1] + 1, code)):
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return ",".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in parts)


def table(folder: Path) -> str:
    done = set().union(*(covered(BUNDLED / name) for name in (*FAMILIES.values(), *SCRIPT_FONTS)))
    lines = []
    for package, patterns in PACKAGES.items():
        here = folder / package
        if not here.exists():
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
            subprocess.run(
                ["dpkg-deb", "-x", *map(str, folder.glob(f"{package}_*.deb")), str(here)],
                check=True,
            )
        for pattern in patterns:
            for path in sorted(here.rglob(pattern), key=lambda path: path.name):
                new = {code for code in covered(path) - done if drawable(code, path.name)}
                if new:
                    lines.append(f"{path.name}\t{package}\t{ranges(new, done)}")
                    done |= new
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep the packages here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = table(options.folder or Path(temporary))
    if options.write:
        TABLE.write_text(found)
    known = TABLE.read_text() if TABLE.exists() else ""
    differ = set(found.splitlines()) ^ set(known.splitlines())
    n = sum(1 for _ in known.splitlines())
    print(
        f"{n} files in {TABLE.name}, {len(known):,} bytes; {len(differ)} lines differ from the packages"
    )
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
