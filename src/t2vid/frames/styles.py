"""The looks of marked-up text: sizes, shades and colours, in one place.

>>> tone_of("comment"), color_of("link", "#000000", "#ffffff")
(0.72, '#1a4fb4')
"""

from __future__ import annotations

from functools import lru_cache

from t2vid.frames.contrast import contrast_ratio

HEADING_SCALE = (1.6, 1.35, 1.17, 1.0, 1.0, 1.0)  # font size of # to ######, over the text's
CODE_SCALE = 0.9  # of code in a text set in another font
BULLETS = "•◦▪"
CODE_TONE, RULE_TONE, BAR_TONE = 0.07, 0.45, 0.3  # of rectangles, from the paper to the ink
_MIN_RATIO = 4.5  # WCAG 2.2, success criterion 1.4.3

# shade on gray frames, colour on coloured ones; a kind that is not here looks as the text does
_KINDS = {
    "link": (0.8, "#1a4fb4"),
    "keyword": (1.0, "#8b1a8b"),
    "string": (0.8, "#9a3412"),
    "number": (0.85, "#0f6b52"),
    "comment": (0.72, "#5b6472"),
    "name": (0.9, "#1d4ed8"),
    "inserted": (0.85, "#166534"),
    "deleted": (0.85, "#b91c1c"),
    "error": (1.0, "#b91c1c"),
}


def tone_of(kind: str) -> float:
    """Give how dark a kind of text is on gray frames, 1 for the text's own ink."""
    return _KINDS[kind][0] if kind in _KINDS else 1.0


@lru_cache(maxsize=1024)
def color_of(kind: str, ink: str, paper: str) -> str:
    """Give the colour of a kind of text, moved towards the ink until it can be read on the paper.

    Args:
        kind: as in a piece of a styled line.
        ink: colour of the text as `"#rrggbb"`.
        paper: colour of the background.
    """
    if kind not in _KINDS:
        return ink
    wanted = bytes.fromhex(_KINDS[kind][1][1:])
    last = bytes.fromhex(ink[1:])
    for tenth in range(11):
        mixed = bytes(
            (a * (10 - tenth) + b * tenth) // 10 for a, b in zip(wanted, last, strict=True)
        )
        color = f"#{mixed.hex()}"
        if contrast_ratio(color, paper) >= _MIN_RATIO:
            return color
    return ink
