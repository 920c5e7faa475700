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
        font: `"sans"`, `"mono"` or the path of a TrueType or OpenType file.
        font_px: font size in pixels.
        margin_px: blank border on every side, in pixels.
        words_per_frame: at most so many words on a frame; None fills every frame.
        layout: `"t2vid"` keeps every character, `"paper"` reproduces the paper's script.
    """

    width: int = FRAME_PX
    height: int = FRAME_PX
    font: str = "sans"
    font_px: int = FONT_PX
    margin_px: int = MARGIN_PX
    words_per_frame: int | None = WORDS_PER_FRAME
    layout: Literal["t2vid", "paper"] = "t2vid"

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

    @classmethod
    def paper(cls) -> RenderSpec:
        """The paper's layout: 448x448, 20 px, 115 word tokens, 20 px margins, centred block, greedy wrap."""
        return cls(layout="paper")


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
