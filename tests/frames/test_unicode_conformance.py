"""The Unicode Consortium's own cases, for what orders, breaks and segments a text.

The files are those of Debian's package `unicode-data`, or of a folder that `T2VID_UNICODE_DATA`
names. Bidi has to agree in every case. ICU 78 follows Unicode 17; where a file is older, the cases
that its rules changed since are told by rule, and no other case may differ.
"""

from __future__ import annotations

import bz2
import gzip
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import icu4py
import pytest

from t2vid.frames.direction import _RESET, SEPARATORS, visual_order
from t2vid.frames.segmentation import graphemes, line_pieces

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOLDERS = (os.environ.get("T2VID_UNICODE_DATA", ""), "/usr/share/unicode")
OPEN = {"": open, ".gz": gzip.open, ".bz2": bz2.open}

# A break between `before` and `after`, which the file wants (True) or forbids (False) and ICU, under
# the rule as it is since that version of Unicode, does not. Each is one rule of UAX #14.
LINE_RULES = {
    # a quotation mark, blanks and an opening bracket were kept together whatever the mark
    "LB15, dropped in 15.1": (False, r"[\"«]\u0308? +$", r"[({\u2329]"),
    "LB15a, new in 15.1: not after an opening quotation mark and blanks": (True, r"« +$", ""),
    "LB15b, new in 15.1: not before a closing quotation mark": (True, " $", "»[)}]"),
    "LB15c, new in 16.0: before a decimal point that follows a blank": (False, " $", r"\.[0-9]"),
    "LB20a, new in 16.0: not after the hyphen that begins a word": (True, r"^-\u0308?$", ""),
    "LB21a, since 16.0 not between two Hebrew letters": (False, "\u05d0-$", "\u05d0"),
    "LB25, since 16.0 not between comma or point and digit": (True, r"[.,]\u0308?$", "[0-9]"),
}
LINE_CHANGES_SINCE_15 = {
    "LB15, dropped in 15.1": 6,
    "LB15a, new in 15.1: not after an opening quotation mark and blanks": 2,
    "LB15b, new in 15.1: not before a closing quotation mark": 2,
    "LB15c, new in 16.0: before a decimal point that follows a blank": 1,
    "LB20a, new in 16.0: not after the hyphen that begins a word": 10,
    "LB21a, since 16.0 not between two Hebrew letters": 1,
    "LB25, since 16.0 not between comma or point and digit": 14,
}
# U+2701 is Extended_Pictographic up to Unicode 16, which rule GB11 joins by U+200D
GRAPHEME_RULES = {"GB11, U+2701 left the pictographs in 17.0": (False, "\u2701\u200d$", "\u2701")}

# one character of each class of BidiTest.txt, none of them a bracket or a tag
BIDI_CLASS = {
    "L": "a", "R": "\u05d0", "AL": "\u0627", "EN": "1", "ES": "+", "ET": "#", "AN": "\u0660",
    "CS": ",", "B": "\u2029", "S": "\t", "WS": " ", "ON": "!", "BN": "\u200b", "NSM": "\u0300",
    "LRE": "\u202a", "RLE": "\u202b", "LRO": "\u202d", "RLO": "\u202e", "PDF": "\u202c",
    "LRI": "\u2066", "RLI": "\u2067", "FSI": "\u2068", "PDI": "\u2069",
}  # fmt: skip


def lines_of(name: str) -> Iterator[str]:
    """Give a file's lines, the first of which names its version."""
    for folder, (suffix, opener) in itertools.product(filter(None, FOLDERS), OPEN.items()):
        path = Path(folder, name + suffix)
        if path.is_file():
            with opener(path, "rt", encoding="utf-8") as file:
                yield from file
            return
    pytest.skip(
        f"{name} is not here; install unicode-data (Debian), or name its folder in T2VID_UNICODE_DATA"
    )


def version_of(first: str) -> tuple[int, ...]:
    found = re.search(r"-(\d+)\.(\d+)\.(\d+)\.txt", first)
    assert found, f"no version in {first!r}"
    return tuple(map(int, found.groups()))


def explained(text: str, at: int, wanted: bool, rules: dict[str, tuple[bool, str, str]]) -> str:
    """Name the one changed rule under which a break is, or is no longer, wanted."""
    names = [
        name
        for name, (before_change, before, after) in rules.items()
        if before_change == wanted and re.search(before, text[:at]) and re.match(after, text[at:])
    ]
    return names[0] if len(names) == 1 else f"{text!r} at {at}"


def changes(
    name: str,
    cut: Callable[[str], Iterable[str]],
    rules: dict[str, tuple[bool, str, str]],
) -> tuple[tuple[int, ...], int, Counter[str]]:
    """Give a file's version, its number of cases, and the differing breaks by rule."""
    lines = lines_of(name)
    version, cases, found = version_of(next(lines)), 0, Counter[str]()
    for line in lines:
        marks = re.findall(r"([÷×])\s*([0-9A-F]*)", line.partition("#")[0])
        if not marks:
            continue
        text = "".join(chr(int(code, 16)) for _, code in marks[:-1])
        wanted = {i for i, (mark, _) in enumerate(marks) if mark == "÷"} - {0}
        got = set(itertools.accumulate(len(piece) for piece in cut(text)))
        cases += 1
        for at in wanted ^ got:
            found[explained(text, at, at in wanted, rules)] += 1
    return version, cases, found


def test_lines_break_as_unicode_says() -> None:
    version, cases, found = changes("auxiliary/LineBreakTest.txt", line_pieces, LINE_RULES)
    assert cases > 7000
    assert_only_known(version, found, LINE_CHANGES_SINCE_15)


def test_graphemes_are_those_of_unicode() -> None:
    version, cases, found = changes("auxiliary/GraphemeBreakTest.txt", graphemes, GRAPHEME_RULES)
    assert cases > 600
    assert_only_known(version, found, dict.fromkeys(GRAPHEME_RULES, 1))


def assert_only_known(version: tuple[int, ...], found: Counter[str], known: dict[str, int]) -> None:
    if version[0] >= 17:
        assert not found
    elif version == (15, 0, 0) and icu4py.icu_version_info[0] == 78:
        assert found == known
    else:
        assert set(found) <= set(known)


def test_every_sequence_of_bidi_classes_is_ordered_as_unicode_says() -> None:
    levels: list[str] = []
    order: list[int] = []
    cases = 0
    for line in lines_of("BidiTest.txt"):
        line = line.partition("#")[0].strip()
        if line.startswith("@Levels:"):
            levels = line[8:].split()
        elif line.startswith("@Reorder:"):
            order = [int(i) for i in line[9:].split()]
        elif line:
            classes, _, directions = line.partition(";")
            text = "".join(BIDI_CLASS[name] for name in classes.split())
            for bit, base in ((1, None), (2, 0), (4, 1)):
                if int(directions, 16) & bit:
                    assert_ordered(text, base, levels, order)
                    cases += 1
    assert cases > 700_000


def test_bidi_characters_are_ordered_as_unicode_says() -> None:
    cases = 0
    for line in lines_of("BidiCharacterTest.txt"):
        if line.startswith("#") or not line.strip():
            continue
        codes, base, _, levels, order = line.strip().split(";")
        text = "".join(chr(int(code, 16)) for code in codes.split())
        want = [int(i) for i in order.split()]
        assert_ordered(text, None if base == "2" else int(base), levels.split(), want)
        cases += 1
    assert cases > 91_000


def assert_ordered(text: str, base: int | None, levels: list[str], order: list[int]) -> None:
    """Compare with the order of the file, and the direction of whatever is no blank with its levels."""
    body = text.rstrip("\u2029")  # as the layout does, whose paragraphs hold no separator
    if not body:
        return
    visual = visual_order(body, base_rtl=None if base is None else base == 1)
    shown, separators = visual.line(0, len(body)), list(range(len(body), len(text)))
    shown = separators + shown if visual.base_rtl else shown + separators
    assert [i for i in shown if levels[i] != "x"] == order, (text, base)
    for level, rtl, char in zip(levels, visual.rtl, body, strict=False):
        if level != "x" and char not in _RESET and char not in SEPARATORS:
            assert rtl == (int(level) % 2 == 1), (text, base)
