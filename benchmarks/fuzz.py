"""Draw strings of characters from all planes of Unicode, and say what was raised.

    python benchmarks/fuzz.py --strings 10000          # about 8 CPU minutes
    python benchmarks/fuzz.py --strings 500 --seed 7   # or in parts, each with a seed of its own

Each string is drawn by each spec. Counted are exceptions that are no `InputError`, spans that do not
rebuild the string, ink outside the margins, and frames that are drawn otherwise when their words are
asked for; all must be 0.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time
import unicodedata

import numpy as np

from t2vid.errors import InputError
from t2vid.frames.drawing import draw_sheet
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import area_of, iter_sheets

SMALL = {"width": 160, "height": 120, "margin_px": 6, "font_px": 15, "on_missing": "escape"}
SPECS = {
    "keep": RenderSpec(**SMALL),
    "flow, mono, marks": RenderSpec(font="mono", whitespace="flow", newline_marks=True, **SMALL),
    "markdown, serif": RenderSpec(font="serif", markup="markdown", words_per_frame=None, **SMALL),
    "code, overlap": RenderSpec(markup="code", words_per_frame=None, overlap_lines=1, **SMALL),
    "columns, worn": RenderSpec(
        columns=2, footer="{page}/{pages}", wear=0.5, words_per_frame=20, **{**SMALL, "width": 320}
    ),
}
PLANES = [0, 0, 0, 0, 1, 1, 2, 3, 14, 15, 16]
ASSIGNED = [
    chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")
]
MARKS = list(" \n\t*_`#>|-[]()~&;\\") + ["\r\n", "\u2029", "\u202e", "\u2067", "\u2069", "\u200d"]


def string(rng: random.Random) -> str:
    """Make a string of runs: neighbours in Unicode, any assigned character, any code, controls."""
    out: list[str] = []
    for _ in range(rng.randint(1, 8)):
        kind, n = rng.random(), rng.randint(1, 12)
        if kind < 0.05:  # words of one script, over several lines
            first = ord(rng.choice(ASSIGNED))
            out += [chr(min(0x10FFFF, first + rng.randint(0, 8))) for _ in range(5 * n)]
            out[-5 * n :: 5] = [" "] * n
        elif kind < 0.4:
            first = rng.choice(ASSIGNED)
            out += [chr(min(0x10FFFF, ord(first) + rng.randint(0, 40))) for _ in range(n)]
        elif kind < 0.6:
            out += rng.choices(ASSIGNED, k=n)
        elif kind < 0.75:
            out += [chr(0x10000 * rng.choice(PLANES) + rng.randrange(0x10000)) for _ in range(n)]
        else:
            out += rng.choices(MARKS, k=n)
    return "".join(out)


def faults(text: str, spec: RenderSpec) -> str:
    """Say what went wrong, `""` where nothing did, `refused` for a blank text."""
    try:
        frames = render_text(text, spec)
    except InputError as error:
        return "" if "blank" in str(error) else f"refused: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    spans = frames.spans or []
    rebuilt, at = True, 0
    for start, end in spans:
        rebuilt &= start <= at < end
        at = end
    if not rebuilt or at != len(text):
        return f"spans {spans} of {len(text)} characters"
    sheets = iter_sheets(text, spec, traced=True)
    for number, (sheet, frame) in enumerate(zip(sheets, frames, strict=True), start=1):
        for page in sheet.pages:
            if any(getattr(line, "width_px", 0) > area_of(spec).room_px for line in page.lines):
                return "a line wider than its page"
        if not spec.wear and draw_sheet(sheet, spec, number, len(frames)) != frame:
            return "drawn otherwise when its words are asked for"
    if not spec.wear:
        m = spec.margin_px
        for frame in frames:
            ink = np.asarray(frame.convert("L")) < 255
            ink[m:-m, m:-m] = False
            if ink.any():
                return "ink outside the margins"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    found: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in SPECS}
    start = time.process_time()
    for n in range(given.strings):
        text = string(rng)
        for name, spec in SPECS.items():
            fault = faults(text, spec)
            if fault:
                found[name][fault.split(":")[0]] += 1
                print(f"{n} {name}: {fault[:200]} {text!a}", file=sys.stderr, flush=True)
    print(f"{given.strings:,} strings, {time.process_time() - start:.0f} CPU s")
    for name, counts in found.items():
        print(f"{name}: {sum(counts.values())} faults {dict(counts) or ''}")


if __name__ == "__main__":
    main()
