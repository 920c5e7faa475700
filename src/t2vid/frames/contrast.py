"""Colours that can be read: the contrast of two, and pairs made to have enough of it.

>>> contrast_ratio(*legible_pair(0.6, 1.0, 1.0, 0.1, 1.0)) >= 7
True
"""

from __future__ import annotations

import colorsys

_RANDOM_RATIO = 7.0  # WCAG 2.2, success criterion 1.4.6


def contrast_ratio(first: str, second: str) -> float:
    """Give the contrast of two colours, 1 to 21; from WCAG 2.2, "contrast ratio".

    Args:
        first: a colour as `"#rrggbb"`.
        second: the other one.

    >>> round(contrast_ratio("#000000", "#ffffff"))
    21
    """
    dark, light = sorted(map(_luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    levels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def legible_pair(
    ink_hue: float, ink_saturation: float, ink_value: float, hue: float, tint: float
) -> tuple[str, str]:
    """Make a dark text colour and a light background of five numbers from 0 to 1.

    Their contrast is at least 7 to 1, which WCAG 2.2 asks for in success criterion 1.4.6.

    Args:
        ink_hue: of the text.
        ink_saturation: of the text.
        ink_value: how light the text may be.
        hue: of the background.
        tint: how strong the background's colour is.

    Returns:
        The text's colour and the background's, as `"#rrggbb"`.
    """
    light = _hex(hue, 0.25 * tint, 1.0)
    value = 0.1 + 0.5 * ink_value
    while True:
        ink = _hex(ink_hue, 0.3 + 0.7 * ink_saturation, value)
        if contrast_ratio(ink, light) >= _RANDOM_RATIO:
            return ink, light
        value *= 0.9  # black on the darkest tint has 13 to 1, so this ends


def _hex(hue: float, saturation: float, value: float) -> str:
    levels = colorsys.hsv_to_rgb(hue, saturation, value)
    return "#" + "".join(f"{round(255 * level):02x}" for level in levels)
