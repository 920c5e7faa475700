"""Layouts drawn at random, legible on every level.

>>> random_fields(7, level=3)["wear"] > 0
True
"""

from __future__ import annotations

import numbers
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from t2vid.errors import InputError
from t2vid.frames.contrast import legible_pair
from t2vid.frames.typeface import typeface

MAX_LEVEL = 3
_SUFFIXES = (".ttf", ".otf", ".ttc")
_LETTERS = frozenset(range(0x20, 0x7F))
_RUNNING = (  # header and footer
    ("", "{page}"),
    ("", "{page}/{pages}"),
    ("", "Page {page} of {pages}"),
    ("{page}", ""),
    ("{time}", ""),
    ("", "{time}"),
)
# of levels 2 and 3: how strong the wear may be, and the font sizes that stay legible under it
_WORN = {2: ((0.1, 0.45), (16, 25)), 3: ((0.45, 1.0), (18, 27))}


def random_fields(
    seed: int,
    *,
    colors: bool = True,
    level: int = 0,
    fonts: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Give the fields of a `RenderSpec`, as `RenderSpec.random` says.

    Raises:
        InputError: for a seed or level out of range, or a folder without a font for English.
    """
    for name, value, limit in (("seed", seed, ">= 0"), ("level", level, f"from 0 to {MAX_LEVEL}")):
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not whole or value < 0 or (name == "level" and value > MAX_LEVEL):
            raise InputError(f"{name} ({value!r}) must be a whole number {limit}")
    rng = np.random.default_rng(seed)
    ink, light = int(rng.integers(0, 57)), int(rng.integers(208, 256))
    dark = bool(rng.random() < 0.2)
    fields: dict[str, Any] = {
        "font": str(rng.choice(["sans", "serif", "mono"], p=[0.5, 0.35, 0.15])),
        "font_px": int(rng.integers(16, 25)),
        "margin_px": int(rng.integers(12, 33)),
        "words_per_frame": None,
        "align": ("left", "center", "right")[int(rng.choice(3, p=[0.85, 0.1, 0.05]))],
        "line_spacing": round(float(rng.uniform(0.95, 1.3)), 2),
        "ink": light if dark else ink,
        "paper_gray": ink if dark else light,
    }
    pair = legible_pair(*rng.random(5).tolist())
    if colors and rng.random() >= 0.5:
        fields["colors"] = pair[::-1] if dark else pair
    if fonts is not None:
        own = font_files(os.fspath(fonts))
        if rng.random() < 0.7:
            fields["font"] = own[int(rng.integers(len(own)))]
    if level >= 1:
        fields |= _arranged(np.random.default_rng([seed, 1]), level)
    if level >= 2:
        rng = np.random.default_rng([seed, 2])
        (least, most), sizes = _WORN[level]
        fields |= {
            "font_px": int(rng.integers(*sizes)),
            "wear": round(float(rng.uniform(least, most)), 3),
            "wear_seed": int(seed) % 2**63,
        }
        # paper is light: a scan of white letters on black is rare, and noise shows most on it
        if fields["ink"] > fields["paper_gray"]:
            fields["ink"], fields["paper_gray"] = fields["paper_gray"], fields["ink"]
            if "colors" in fields:
                fields["colors"] = fields["colors"][::-1]
    return fields


def _arranged(rng: np.random.Generator, level: int) -> dict[str, Any]:
    """Choose size, columns, header and footer."""
    fields: dict[str, Any] = {"font_px": int(rng.integers(14, 29))}
    if rng.random() < 0.2 and level == 1:
        fields |= {"columns": 2, "font_px": int(rng.integers(14, 17)), "align": "left"}
    if rng.random() < 0.4:
        header, footer = _RUNNING[int(rng.integers(len(_RUNNING)))]
        fields |= {"header": header, "footer": footer}
    return fields


@lru_cache(maxsize=16)
def font_files(folder: str) -> list[str]:
    """List the fonts below a folder that have the letters of English, by name.

    Raises:
        InputError: when there is none.
    """
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _SUFFIXES)
    found = []
    for path in paths:
        try:
            if _LETTERS <= set(typeface(path).unicodes):
                found.append(str(path))
        except (InputError, OSError):
            continue  # a damaged file is no font to draw with
    if not found:
        raise InputError(
            f"fonts ({str(folder)!r}) has {len(paths)} font files, none of them with the letters of "
            "English; give a folder of .ttf, .otf or .ttc files"
        )
    return found
