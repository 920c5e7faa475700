"""How a text is drawn: `RenderSpec`, frozen and hashed.

>>> RenderSpec.paper().words_per_frame
115
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import numbers
import os
import re
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

from t2vid import catalog
from t2vid.configuration import FrozenConfig
from t2vid.errors import InputError
from t2vid.frames.contrast import contrast_ratio
from t2vid.schema import FONT_PX, FRAME_PX, MARGIN_PX, WORDS_PER_FRAME

DRAWN_WITH = "drawn_with"  # in stored specs: libraries and fonts, see `fonts.drawn_with`
_MIN_CONTRAST = 96  # gray levels between ink and background
_MIN_RATIO = 4.5  # of two colours: WCAG 2.2, success criterion 1.4.3
_ALIGNS: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
_LANG = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_CHOICES = {
    "layout": ("t2vid", "paper"),
    "whitespace": ("keep", "flow"),
    "on_missing": ("error", "escape"),
    "align": _ALIGNS,
    "markup": ("plain", "markdown", "code"),
    "newline_marks": (False, True),
    "crop_last": (False, True),
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
    "columns": (1, 16),
    "overlap_lines": (0, 1000),
    "scroll_lines": (1, 1000),
    "wear": (0, 1),
    "wear_seed": (0, 2**63 - 1),
}
_OPTIONAL = ("words_per_frame", "scroll_lines")
_BROKEN = ("line_spacing", "wear")  # fields that are no whole numbers
HEADER_FIELD = re.compile(r"\{(page|pages|time)\}")
_NOT_A_LINE = re.compile("[{}\n\r\v\f\x85\u2028\u2029\t]")
_NOT_IN_PAPER = (
    "markup", "columns", "header", "footer", "overlap_lines", "scroll_lines", "newline_marks",
    "crop_last",
)  # fmt: skip


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
            needs `words_per_frame` and knows nothing of the fields below but `on_missing` and
            `wear`.
        whitespace: `"keep"` keeps newlines, indentation and tabs; `"flow"` fills lines, an empty
            line ends a paragraph.
        on_missing: a character that no available font covers is an error, or, with `"escape"`, is
            drawn as `U+XXXX` and counted.
        align: of the lines; a paragraph that reads from right to left stands at the right.
        line_spacing: distance of two baselines over the height of the font.
        ink: gray level of the text, 0 to 255.
        paper_gray: gray level of the background, 0 to 255.
        colors: of the text and the background, such as `"#1a2b3c"` and `"ivory"`, instead of the two gray
            levels; frames are then RGB.
        lang: language of the text as a BCP 47 tag (`"ja"`, `"zh-Hant"`, `"sr"`), for the forms of
            letters that languages share; guessed for Chinese characters by default.
        markup: `"plain"` draws what is written, `"markdown"` what CommonMark with tables makes of
            it, `"code"` a program, highlighted.
        code_language: of `"code"`, by a name that pygments knows (`"python"`); guessed by default.
        columns: of text, side by side.
        header: a line over the text, in which `{page}`, `{pages}` and `{time}` (minutes and
            seconds, one frame a second) are filled in; `""` has none.
        footer: the same below the text.
        overlap_lines: lines that each frame repeats of the one before.
        scroll_lines: each frame moves on by so many lines of the text; by default by a whole frame.
        newline_marks: draw a mark where a newline is; with `whitespace="flow"` instead of it.
        crop_last: make the last frame only as high as its text, for models that take frames of
            any size; t2vid shows one that sees a fixed size the whole page.
        wear: from 0 (clean) to 1: paper, uneven light, skew, blur, noise and JPEG, as in scans and
            photographs of pages.
        wear_seed: which of them, and how.
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
    markup: Literal["plain", "markdown", "code"] = "plain"
    code_language: str | None = None
    columns: int = 1
    header: str = ""
    footer: str = ""
    overlap_lines: int = 0
    scroll_lines: int | None = None
    newline_marks: bool = False
    crop_last: bool = False
    wear: float = 0.0
    wear_seed: int = 0

    def __post_init__(self) -> None:
        """Check every field's type and limit, and take whole numbers for what they are."""
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            _check_number(name, value, low, high)
            if isinstance(value, numbers.Integral) and name not in _BROKEN:
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
        given = [name for name in _NOT_IN_PAPER if getattr(self, name) != getattr(type(self), name)]
        if self.layout == "paper" and given:
            raise InputError(
                f"the paper's layout has no {given[0]} ({getattr(self, given[0])!r}); leave it out, or "
                "take the layout 't2vid'"
            )
        self._check_pages()
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
            object.__setattr__(self, "colors", _plain_colors(self.colors))
        if self.lang is not None and not (
            isinstance(self.lang, str) and _LANG.fullmatch(self.lang)
        ):
            raise InputError(f"lang ({self.lang!r}) must be None or a tag as 'ja' or 'zh-Hant'")

    def _check_pages(self) -> None:
        """Check the fields that say how frames follow each other, and what stands around the text."""
        if self.newline_marks and self.markup != "plain":
            raise InputError(f"newline_marks needs markup 'plain', not {self.markup!r}")
        follow = {"overlap_lines": self.overlap_lines, "scroll_lines": self.scroll_lines}
        moved = [f"{name} ({value})" for name, value in follow.items() if value]
        if len(moved) > 1:
            raise InputError(f"{' and '.join(moved)} say the same in two ways; give one of them")
        if moved and (self.words_per_frame is not None or self.columns > 1):
            raise InputError(
                f"{moved[0]} counts the lines of whole frames: it needs words_per_frame=None "
                f"({self.words_per_frame}) and columns=1 ({self.columns})"
            )
        column_px = (self.width - 2 * self.margin_px) // self.columns - self.font_px
        if self.columns > 1 and column_px < 4 * self.font_px:
            raise InputError(
                f"columns ({self.columns}) of {max(0, column_px)} px have no room for words of font_px "
                f"({self.font_px}); take fewer, or a wider frame"
            )
        for name in ("header", "footer"):
            value = getattr(self, name)
            if not isinstance(value, str) or _NOT_A_LINE.search(HEADER_FIELD.sub("", value)):
                raise InputError(
                    f"{name} ({value!r}) must be one line of text in which only {{page}}, {{pages}} and "
                    "{time} stand in braces"
                )
        if self.code_language is not None:
            from t2vid.frames.highlighting import lexer_named

            if self.markup != "code":
                raise InputError(
                    f"code_language ({self.code_language!r}) is for markup 'code', not {self.markup!r}"
                )
            lexer_named(self.code_language)

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
    def random(
        cls,
        seed: int,
        *,
        colors: bool = True,
        level: int = 0,
        fonts: str | os.PathLike[str] | None = None,
        like: RenderSpec | None = None,
    ) -> RenderSpec:
        """A legible layout drawn at random; each level adds to the one below it.

        Half of the layouts are gray; of the others the text is dark on a light tint, or the reverse.
        Contrast is at least 7 to 1 by WCAG 2.2 in all of them.

        Args:
            seed: the same seed gives the same layout; a row's number makes every row another.
            colors: False keeps the grays, whose frames take a third of the memory.
            level: 0 varies font, size, margins, alignment, spacing and shades; 1 columns, headers
                and footers, too; 2 looks like a good scan; 3 like a copy or a photograph of a page.
            fonts: a folder whose TrueType and OpenType files are taken, too, where they have the
                letters of English.
            like: gives the frame's size, the markup and every other field that is not drawn.

        Raises:
            InputError: for a seed or level out of range, or a folder without such a font.
        """
        from t2vid.frames.variety import random_fields

        like = like or cls()
        fields = random_fields(seed, colors=colors, level=level, fonts=fonts)
        least = min(like.width, like.height) // 2 - fields["font_px"]  # small frames, small margins
        fields["margin_px"] = max(0, min(fields["margin_px"], least))
        column_px = (like.width - 2 * fields["margin_px"]) // 2
        if like.overlap_lines or like.scroll_lines or column_px < 8 * fields["font_px"]:
            fields.pop("columns", None)
        return dataclasses.replace(like, **{"colors": None, "layout": "t2vid", **fields})

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
        values = {**self.to_dict(), DRAWN_WITH: self.drawn_with}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field, font file or library version."""
        return hashlib.sha256((self.to_json() + self.drawn_with).encode()).hexdigest()[:16]

    @property
    def drawn_with(self) -> str:
        """Twelve hexadecimal digits of the libraries and fonts that draw with this spec here."""
        from t2vid.frames.fonts import drawn_with

        return drawn_with(self.font, styled=self.markup != "plain", worn=self.wear > 0)


def _check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number from `low` to `high`; some may be None."""
    optional, whole = name in _OPTIONAL, name not in _BROKEN
    if optional and value is None:
        return
    kinds = numbers.Integral if whole else int | float
    number = isinstance(value, kinds) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"{name} ({value!r}) must be {kind} from {low:,} to {high:,}{', or None' * optional}"
        )


def _plain_colors(colors: object) -> tuple[str, str]:
    """Give two colours as `#rrggbb`, or refuse them."""
    from PIL import ImageColor

    try:
        if not (isinstance(colors, tuple) and len(colors) == 2):
            raise ValueError
        text, paper = (bytes(ImageColor.getrgb(color)) for color in colors)
        if len(text + paper) != 6:  # one has a fourth number, how much shows through
            raise ValueError
    except (AttributeError, TypeError, ValueError):
        raise InputError(
            f"colors ({colors!r}) must be None, or two opaque colours, of text and background, as "
            "('#1a2b3c', 'ivory')"
        ) from None
    found = f"#{text.hex()}", f"#{paper.hex()}"
    ratio = contrast_ratio(*found)
    if ratio < _MIN_RATIO:
        raise InputError(
            f"colors {colors!r} have a contrast of {ratio:.1f} to 1, less than {_MIN_RATIO}; nobody "
            "could read it, take a darker and a lighter one"
        )
    return found
