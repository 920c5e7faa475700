"""Cut the bundled bold and italic faces out of Liberation's own, as `src/t2vid/fonts/T2vid*.ttf`.

    apt-get download fonts-liberation2 && dpkg-deb -x fonts-liberation2_*.deb faces
    python benchmarks/faces.py faces/usr/share/fonts/truetype/liberation2

Kept are Latin, Greek, Cyrillic and punctuation, and no hints, which nothing here uses. The licence
(OFL) reserves the name Liberation for unchanged fonts, so these are called T2vid.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from t2vid.frames.fonts import BUNDLED, STYLED

KEPT = [(0x20, 0x52F), (0x1E00, 0x1FFF), (0x2000, 0x21FF), (0x2200, 0x22FF), (0xFB00, 0xFB04)]


def main() -> None:
    for name in STYLED.values():
        source = Path(sys.argv[1], name.replace("T2vid", "Liberation"))
        font = TTFont(source, recalcTimestamp=False)
        options = Options(hinting=False, notdef_outline=True, name_IDs=["*"])
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for a, b in KEPT for code in range(a, b + 1)])
        subsetter.subset(font)
        for record in font["name"].names:
            if record.nameID != 7 and record.nameID != 0:  # trademark and copyright stay
                text = record.toUnicode().replace("Liberation", "T2vid")
                font["name"].setName(text, record.nameID, record.platformID, record.platEncID, 1033)
        font.save(BUNDLED / name)
        print(f"{name}: {(BUNDLED / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
