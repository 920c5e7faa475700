"""How a text is drawn: `RenderSpec`, frozen and hashed.

>>> RenderSpec.paper().words_per_frame
115
"""

from __future__ import annotations

import colorsys
import dataclasses
import hashlib
import json
import numbers
import re
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

from t2vid import catalog
from t2vid.configuration import FrozenConfig
from t2vid.errors import InputError
from t2vid.schema import FONT_PX, FRAME_PX, MARGIN_PX, WORDS_PER_FRAME

DRAWN_WITH = "drawn_with"  # in stored specs: libraries and fonts, see `fonts.drawn_with`
_MIN_CONTRAST = 96  # gray levels between ink and background
_MIN_RATIO = 4.5  # of two colours: WCAG 2.2, success criterion 1.4.3
_RANDOM_RATIO = 7.0  # of layouts drawn at random: WCAG 2.2, success criterion 1.4.6
_ALIGNS: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
_COLOR = re.compile("#[0-9a-fA-F]{6}")
_LANG = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_CHOICES = {
    "layout": ("t2vid", "paper"),
    "whitespace": ("keep", "flow"),
    "on_missing": ("error", "escape"),
    "align": _ALIGNS,
}
MAX_FRAME_PX = 8192  # a frame beyond this is a mistake: 64 Mpixel each, before any model sees it
_LIMITS: dict[str, tuple[float, float]] = {
    "width": (16, MAX_FRAME_PX),
    "height": (16, MAX_FRAME_PX),
    "font_px": (4, 512),
    "margin_px": (0, MAX_FRAME_PX),
    "words_per_frame": (1, 1_000_000),
    "line_spacing": (0.8, 4),
    "ink": (0, 255),
    "paper_gray": (0, 255),
}


@dataclass(frozen=True)
class RenderSpec(FrozenConfig):
    """How a text is drawn.

    Args:
        width: frame width in pixels.
        height: frame height in pixels.
        font: `"sans"`, `"serif"`, `"mono"` or the path of a TrueType or OpenType file.
        font_px: font size in pixels.
        margin_px: blank border on every side, in pixels.
        words_per_frame: at most so many words on a frame; None fills every frame.
        layout: `"t2vid"` keeps every character, `"paper"` reproduces the paper's script, which
            knows of the fields below `on_missing` alone and needs `words_per_frame`.
        whitespace: `"keep"` keeps newlines, indentation and tabs; `"flow"` fills lines, an empty
            line ends a paragraph.
        on_missing: a character that no available font covers is an error, or, with `"escape"`, is
            drawn as `U+XXXX` and counted.
        align: of the lines; a paragraph that reads from right to left stands at the right.
        line_spacing: distance of two baselines over the height of the font.
        ink: gray level of the text, 0 to 255.
        paper_gray: gray level of the background, 0 to 255.
        colors: of the text and the background, as `("#1a2b3c", "#fff8e7")`, instead of the two gray
            levels; frames are then RGB. None draws gray frames.
        lang: language of the text as a BCP 47 tag (`"ja"`, `"zh-Hant"`, `"sr"`), for the forms of
            letters that languages share; None guesses it for Chinese characters.
    """

    width: int = FRAME_PX
    height: int = FRAME_PX
    font: str = "sans"
    font_px: int = FONT_PX
    margin_px: int = MARGIN_PX
    words_per_frame: int | None = WORDS_PER_FRAME
    layout: Literal["t2vid", "paper"] = "t2vid"
    whitespace: Literal["keep", "flow"] = "keep"
    on_missing: Literal["error", "escape"] = "error"
    align: Literal["left", "center", "right"] = "left"
    line_spacing: float = 1.0
    ink: int = 0
    paper_gray: int = 255
    colors: tuple[str, str] | None = None
    lang: str | None = None

    def __post_init__(self) -> None:
        """Check every field's type and limit, and take whole numbers for what they are."""
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            _check_number(name, value, low, high)
            if isinstance(value, numbers.Integral) and name != "line_spacing":
                object.__setattr__(self, name, int(value))
        if not isinstance(self.font, str) or "\x00" in self.font:
            raise InputError(
                f"font ({self.font!r}) must be 'sans', 'serif', 'mono' or a file's path as str"
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} ({getattr(self, name)!r}) must be one of {allowed}")
        if self.layout == "paper" and self.words_per_frame is None:
            raise InputError(
                "words_per_frame (None) would put a whole text on one frame of the paper's layout; "
                f"give a number, the paper's is {WORDS_PER_FRAME}"
            )
        room = min(self.width, self.height) - 2 * self.margin_px
        if room < 2 * self.font_px:
            raise InputError(
                f"margin_px ({self.margin_px}) leaves {room} px of {self.width}x{self.height}, "
                f"less than two lines of font_px ({self.font_px}); make the margin smaller"
            )
        if abs(self.ink - self.paper_gray) < _MIN_CONTRAST:
            raise InputError(
                f"ink ({self.ink}) and paper_gray ({self.paper_gray}) differ by less than "
                f"{_MIN_CONTRAST}; nobody could read it"
            )
        if self.colors is not None:
            _check_colors(self.colors)
        if self.lang is not None and not (
            isinstance(self.lang, str) and _LANG.fullmatch(self.lang)
        ):
            raise InputError(f"lang ({self.lang!r}) must be None or a tag as 'ja' or 'zh-Hant'")

    @classmethod
    def paper(cls) -> Self:
        """The paper's layout: 448x448, 20 px, 115 word tokens, 20 px margins, centred, greedy wrap."""
        return cls.preset("paper")

    @classmethod
    def dense(cls) -> Self:
        """About twice the words of the default on a frame: 14 px, as many words as fit."""
        return cls.preset("dense")

    @classmethod
    def preset(cls, name: str) -> Self:
        """Give a layout by name: `default`, `dense` or `paper`."""
        return cls(**catalog.preset("render", name).values)

    @classmethod
    def random(cls, seed: int, *, colors: bool = True) -> RenderSpec:
        """A legible layout drawn at random: font, size, margins, alignment, spacing and shades.

        Half of the layouts are gray; of the others the text is dark on a light tint, or the reverse.
        Contrast is at least 7 to 1 by WCAG 2.2 in all of them.

        Args:
            seed: the same seed gives the same layout; a row's number makes every row another.
            colors: False keeps the grays, whose frames take a third of the memory.
        """
        import numpy as np

        if not isinstance(seed, numbers.Integral) or seed < 0:
            raise InputError(f"seed ({seed!r}) must be a whole number >= 0")
        rng = np.random.default_rng(seed)
        ink, light = int(rng.integers(0, 57)), int(rng.integers(208, 256))
        dark = bool(rng.random() < 0.2)
        gray = cls(
            font=str(rng.choice(["sans", "serif", "mono"], p=[0.5, 0.35, 0.15])),
            font_px=int(rng.integers(16, 25)),
            margin_px=int(rng.integers(12, 33)),
            words_per_frame=None,
            align=_ALIGNS[int(rng.choice(3, p=[0.85, 0.1, 0.05]))],
            line_spacing=round(float(rng.uniform(0.95, 1.3)), 2),
            ink=light if dark else ink,
            paper_gray=ink if dark else light,
        )
        pair = _legible_pair(*rng.random(5).tolist())
        if not colors or rng.random() < 0.5:
            return gray
        return dataclasses.replace(gray, colors=pair[::-1] if dark else pair)

    @classmethod
    def varied(cls, seed: int, *, colors: bool = True) -> RenderSpec:
        """Do what `random` does, under its old name."""
        warnings.warn("RenderSpec.varied is RenderSpec.random", DeprecationWarning, stacklevel=2)
        return cls.random(seed, colors=colors)

    def for_family(self, family: str) -> RenderSpec:
        """The same layout at the size that a family's vision encoder sees, so that nothing resizes it.

        Args:
            family: `"idefics3"`, `"internvl"` or `"minicpm"`.
        """
        px = catalog.paper_family(family).frame_px
        return dataclasses.replace(self, width=px, height=px)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> RenderSpec:
        """Build from a mapping, or from what `stored` wrote."""
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if k != DRAWN_WITH}
        return super().from_dict(value)

    def stored(self) -> str:
        """Give the JSON that a row keeps: every field, and what frames are drawn with here."""
        from t2vid.frames.fonts import drawn_with

        values = {**self.to_dict(), DRAWN_WITH: drawn_with(self.font)}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field, font file or library version."""
        from t2vid.frames.fonts import drawn_with

        return hashlib.sha256((self.to_json() + drawn_with(self.font)).encode()).hexdigest()[:16]


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


def _legible_pair(
    ink_hue: float, ink_saturation: float, ink_value: float, hue: float, tint: float
) -> tuple[str, str]:
    """Make a dark text colour and a light background of five numbers from 0 to 1."""
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


def _check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number from `low` to `high`; `words_per_frame` may be None."""
    optional, whole = name == "words_per_frame", name != "line_spacing"
    if optional and value is None:
        return
    kinds = numbers.Integral if whole else int | float
    number = isinstance(value, kinds) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"{name} ({value!r}) must be {kind} from {low:,} to {high:,}{', or None' * optional}"
        )


def _check_colors(colors: object) -> None:
    pair = isinstance(colors, tuple) and len(colors) == 2
    if not pair or not all(isinstance(c, str) and _COLOR.fullmatch(c) for c in colors):  # type: ignore[attr-defined]
        raise InputError(
            f"colors ({colors!r}) must be None, or text and background as ('#1a2b3c', '#fff8e7')"
        )
    ratio = contrast_ratio(*colors)  # type: ignore[misc]
    if ratio < _MIN_RATIO:
        raise InputError(
            f"colors {colors!r} have a contrast of {ratio:.1f} to 1, less than {_MIN_RATIO}; nobody "
            "could read it, take a darker and a lighter one"
        )
