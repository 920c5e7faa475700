"""Which font file draws a character that no bundled font has, and which Debian package holds it.

>>> covering("\u07ca")
Covering(file='NotoSansNKo-Regular.ttf', package='fonts-noto-core')

The table is made from the packages themselves by `benchmarks/font_advice.py`, which also checks it.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).resolve().parent.parent / "fonts" / "coverage.tsv"


class Covering(NamedTuple):
    """A font file by name, and the Debian package that holds it."""

    file: str
    package: str


@lru_cache(maxsize=1)
def _table() -> list[tuple[Covering, list[int], list[int]]]:
    """Read each file with the first and the last characters of its ranges."""
    rows = []
    for line in TABLE.read_text(encoding="ascii").splitlines():
        file, package, ranges = line.split("\t")
        edges = [part.partition("-") for part in ranges.split(",")]
        firsts = [int(first, 16) for first, _, _ in edges]
        lasts = [int(last or first, 16) for first, _, last in edges]
        rows.append((Covering(file, package), firsts, lasts))
    return rows


@lru_cache(maxsize=4096)
def covering(char: str) -> Covering | None:
    """Give the font file that draws a character; None for what the bundled fonts draw, or no font."""
    code = ord(char)
    for found, firsts, lasts in _table():  # the first file wins, as when the table was made
        at = bisect_right(firsts, code) - 1
        if at >= 0 and code <= lasts[at]:
            return found
    return None


@lru_cache(maxsize=1)
def file_names() -> frozenset[str]:
    """Give the names of all files in the table."""
    return frozenset(found.file for found, _, _ in _table())
