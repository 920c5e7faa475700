"""How a frame sequence is made: `RenderSpec` for text, `SampleSpec` for video; frozen and hashed.

>>> RenderSpec.paper().words_per_frame
115
>>> SampleSpec.from_json(SampleSpec(max_frames=8).to_json()).max_frames
8
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

from t2vid.errors import InputError
from t2vid.frames.sampling import FOLDER_FPS, SELECTS, Select
from t2vid.schema import (
    FAMILY_PX,
    FONT_PX,
    FRAME_PX,
    FRAMES_PER_SECOND,
    MARGIN_PX,
    WORDS_PER_FRAME,
)

DRAWN_WITH = "drawn_with"  # in stored specs: libraries and fonts, see `fonts.drawn_with`
_MIN_CONTRAST = 96  # gray levels between ink and background
_CHOICES = {
    "layout": ("t2vid", "paper"),
    "whitespace": ("keep", "flow"),
    "on_missing": ("error", "escape"),
    "align": ("left", "center", "right"),
}
MAX_FRAME_PX = 8192  # a frame beyond this is a mistake: 64 Mpixel each, before any model sees it


class _Spec:
    """JSON, YAML and a hash for a frozen dataclass."""

    def to_dict(self) -> dict[str, Any]:
        """Give every field, defaults included, as plain JSON values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    def to_json(self) -> str:
        """Give every field as one line of JSON with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def to_yaml(self) -> str:
        """Give every field as YAML."""
        import yaml

        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Build from a mapping, refusing names that are no field."""
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise InputError(f"{cls.__name__} has no field {unknown}; its fields are {names}")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read what `to_yaml` wrote."""
        import yaml

        return cls.from_dict(yaml.safe_load(text))

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RenderSpec(_Spec):
    """How a text is drawn.

    Args:
        width: frame width in pixels.
        height: frame height in pixels.
        font: `"sans"`, `"serif"`, `"mono"` or the path of a TrueType or OpenType file.
        font_px: font size in pixels.
        margin_px: blank border on every side, in pixels.
        words_per_frame: at most so many words on a frame; None fills every frame.
        layout: `"t2vid"` keeps every character, `"paper"` reproduces the paper's script, which
            knows of the fields below `on_missing` alone.
        whitespace: `"keep"` keeps newlines, indentation and tabs; `"flow"` fills lines, an empty
            line ends a paragraph.
        on_missing: a character that no available font covers is an error, or, with `"escape"`, is
            drawn as `U+XXXX` and counted.
        align: of the lines; a paragraph that reads from right to left stands at the right.
        line_spacing: distance of two baselines over the height of the font.
        ink: gray level of the text, 0 to 255.
        paper_gray: gray level of the background, 0 to 255.
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

    def __post_init__(self) -> None:
        """Check every field against its limit."""
        _check_size("width", self.width)
        _check_size("height", self.height)
        if not 4 <= self.font_px <= 512:
            raise InputError(f"font_px ({self.font_px}) must be from 4 to 512")
        room = min(self.width, self.height) - 2 * self.margin_px
        if self.margin_px < 0 or room < 2 * self.font_px:
            raise InputError(
                f"margin_px ({self.margin_px}) leaves {room} px of {self.width}x{self.height}, "
                f"less than two lines of font_px ({self.font_px}); make the margin smaller"
            )
        if self.words_per_frame is not None and self.words_per_frame < 1:
            raise InputError(f"words_per_frame ({self.words_per_frame}) must be > 0, or None")
        if not 0.8 <= self.line_spacing <= 4:
            raise InputError(f"line_spacing ({self.line_spacing}) must be from 0.8 to 4")
        if not 0 <= self.ink <= 255 or not 0 <= self.paper_gray <= 255:
            raise InputError(
                f"ink ({self.ink}) and paper_gray ({self.paper_gray}) must be 0 to 255"
            )
        if abs(self.ink - self.paper_gray) < _MIN_CONTRAST:
            raise InputError(
                f"ink ({self.ink}) and paper_gray ({self.paper_gray}) differ by less than "
                f"{_MIN_CONTRAST}; nobody could read it"
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} ({getattr(self, name)!r}) must be one of {allowed}")

    @classmethod
    def paper(cls) -> RenderSpec:
        """The paper's layout: 448x448, 20 px, 115 word tokens, 20 px margins, centred, greedy wrap."""
        return cls(layout="paper")

    @classmethod
    def dense(cls) -> RenderSpec:
        """About twice the words of the default on a frame: 14 px, as many words as fit."""
        return cls(font_px=14, words_per_frame=None)

    @classmethod
    def preset(cls, name: str) -> RenderSpec:
        """Give a layout by name: `default`, `dense` or `paper`."""
        presets: dict[str, Callable[[], RenderSpec]] = {
            "default": cls,
            "dense": cls.dense,
            "paper": cls.paper,
        }
        if name not in presets:
            raise InputError(f"preset {name!r} is unknown; it must be one of {sorted(presets)}")
        return presets[name]()

    @classmethod
    def varied(cls, seed: int) -> RenderSpec:
        """A legible layout drawn at random: font, size, margins, grays, alignment, spacing.

        Args:
            seed: the same seed gives the same layout.
        """
        import numpy as np

        rng = np.random.default_rng(seed)
        ink, light = int(rng.integers(0, 64)), int(rng.integers(208, 256))
        dark = bool(rng.random() < 0.2)
        return cls(
            font=str(rng.choice(["sans", "serif", "mono"], p=[0.5, 0.35, 0.15])),
            font_px=int(rng.integers(16, 25)),
            margin_px=int(rng.integers(12, 33)),
            words_per_frame=None,
            align="center" if rng.random() < 0.1 else "left",
            line_spacing=round(float(rng.uniform(0.95, 1.3)), 2),
            ink=light if dark else ink,
            paper_gray=ink if dark else light,
        )

    def for_family(self, family: str) -> RenderSpec:
        """The same layout at the size that a family's vision encoder sees, so that nothing resizes it.

        Args:
            family: `"idefics3"`, `"internvl"` or `"minicpm"`.
        """
        if family not in FAMILY_PX:
            raise InputError(f"family {family!r} is unknown; it must be one of {sorted(FAMILY_PX)}")
        return dataclasses.replace(self, width=FAMILY_PX[family], height=FAMILY_PX[family])

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> RenderSpec:
        """Build from a mapping, or from what `stored` wrote."""
        return super().from_dict({k: v for k, v in value.items() if k != DRAWN_WITH})

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


@dataclass(frozen=True)
class SampleSpec(_Spec):
    """Which frames of a video are shown, and how large.

    Args:
        fps: frames a second before the subset, exactly those of `ffmpeg -vf fps=`; None takes
            every frame of the file, as the paper's evaluation loader for files does.
        max_frames: at most so many frames, chosen by `select`; None keeps all.
        select: rule of the subset: `paper` is the paper's training rule, `paper_eval` its
            evaluation copy; the others are told in `t2vid.frames.sampling.subset`. `keyframes`
            ignores `fps` and takes the frames that decode alone.
        start_s: leave out what was shown before, in seconds from the start of the file.
        end_s: leave out what begins at or after, in seconds from the start of the file.
        size: None keeps the video's own, with square pixels; `(width, height)` stretches; a number
            bounds the longer edge and never enlarges; `"minicpm"`, `"idefics3"` or `"internvl"`
            gives what that model sees of one patch. libav scales, bicubic.
        folder_fps: frames a second of a folder of numbered images.
    """

    fps: float | None = FRAMES_PER_SECOND
    max_frames: int | None = 24
    select: Select = "paper"
    start_s: float | None = None
    end_s: float | None = None
    size: tuple[int, int] | int | str | None = None
    folder_fps: float = FOLDER_FPS

    def __post_init__(self) -> None:
        """Check every field against its limit."""
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise InputError(
                f"fps ({self.fps}) must be > 0 and at most 1000, or None for every frame"
            )
        if not 0 < self.folder_fps <= 1000:
            raise InputError(f"folder_fps ({self.folder_fps}) must be > 0 and at most 1000")
        if self.max_frames is not None and self.max_frames < 1:
            raise InputError(f"max_frames ({self.max_frames}) must be > 0, or None")
        if self.select not in SELECTS:
            raise InputError(f"select ({self.select!r}) must be one of {SELECTS}")
        start_s, end_s = self.start_s or 0.0, math.inf if self.end_s is None else self.end_s
        if not 0 <= start_s < end_s:
            raise InputError(
                f"start_s ({self.start_s}) must be >= 0 and before end_s ({self.end_s})"
            )
        if isinstance(self.size, str):
            if self.size not in FAMILY_PX:
                raise InputError(
                    f"size ({self.size!r}) must be one of {sorted(FAMILY_PX)}, or pixels"
                )
        elif self.size is not None:
            for edge in (self.size,) if isinstance(self.size, int) else self.size:
                _check_size("size", edge)


def _check_size(name: str, value: int) -> None:
    if not 16 <= value <= MAX_FRAME_PX:
        raise InputError(f"{name} ({value}) must be from 16 to {MAX_FRAME_PX} pixels")
