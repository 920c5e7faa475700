"""Which frames of a video are shown, `SampleSpec`; `RenderSpec` of a text is given from here, too.

>>> SampleSpec.from_json(SampleSpec(max_frames=8).to_json()).max_frames
8
>>> SampleSpec.for_family("qwen2_5_vl", max_frames=64).fps
2.0
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from t2vid import catalog
from t2vid.configuration import FrozenConfig, former_names
from t2vid.errors import InputError
from t2vid.frames.budgets import PATCH_PX, PixelBudget, frame_size
from t2vid.frames.hdr import TONEMAPS, Tonemap
from t2vid.frames.render_spec import DRAWN_WITH, MAX_FRAME_PX, RenderSpec
from t2vid.frames.sampling import FOLDER_FPS, SAMPLINGS, Sampling, subset, target_size
from t2vid.schema import FRAMES_PER_SECOND

__all__ = ["DRAWN_WITH", "MAX_FRAME_PX", "RenderSpec", "SampleSpec"]


@former_names(select="sampling")
@dataclass(frozen=True)
class SampleSpec(FrozenConfig):
    """Which frames of a video are shown, and how large.

    The frames are those of `ffmpeg -vf fps=`, thinned by `sampling` to `max_frames`. A budget in
    qwen-vl-utils' terms (`nframes`, `min_frames` or `frame_factor`) counts in frames of the file
    instead; `timestamps` and `frames` name them one by one.

    Args:
        fps: frames a second before the subset, exactly those of `ffmpeg -vf fps=`; None takes
            every frame of the file, as the paper's evaluation loader for files does.
        max_frames: at most so many frames, chosen by `sampling`; None keeps all.
        sampling: rule of the subset: `paper` is the paper's training rule, `paper_eval` its
            evaluation copy; the others are told in `t2vid.frames.sampling.subset`. `keyframes`
            ignores `fps` and takes the frames that decode alone; `starts` takes frames of the file,
            at most `fps` a second. None is `linspace_rounded` for a budget in qwen-vl-utils'
            terms, else `paper`.
        start_s: leave out what was shown before, in seconds from the start of the file.
        end_s: leave out what begins at or after, in seconds from the start of the file.
        size: None keeps the video's own, with square pixels; `(width, height)` stretches; a number
            bounds the longer edge and never enlarges; `"minicpm"`, `"idefics3"` or `"internvl"`
            gives what that model sees of one patch. libav scales, bicubic.
        folder_fps: frames a second of a folder of numbered images.
        nframes: exactly so many, rounded to whole groups; neither `fps` nor `max_frames` then
            counts.
        min_frames: at least so many, where the file has them, rounded up to whole groups.
        frame_factor: frames come in whole groups of so many.
        min_pixels: width x height of a frame at least.
        max_pixels: width x height of a frame at most.
        total_pixels: of all frames together, as `PixelBudget` counts.
        size_factor: width and height are whole multiples of it.
        timestamps: the frames shown at these seconds, in this order, instead of all of the above.
        frames: the frames with these numbers, from 0, instead.
        clips: several parts of one video, `((start_s, end_s), ...)`, sampled as if they were one.
        tonemap: curve that brings HDR video (PQ, HLG) to the range of an ordinary screen:
            `"hable"`, `"reinhard"` or `"clip"`; None leaves its values, which look flat, and warns.
    """

    fps: float | None = FRAMES_PER_SECOND
    max_frames: int | None = 24
    sampling: Sampling | None = None
    start_s: float | None = None
    end_s: float | None = None
    size: tuple[int, int] | int | str | None = None
    folder_fps: float = FOLDER_FPS
    nframes: int | None = None
    min_frames: int | None = None
    frame_factor: int = 1
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None
    size_factor: int | None = None
    timestamps: tuple[float, ...] | None = None
    frames: tuple[int, ...] | None = None
    clips: tuple[tuple[float, float], ...] | None = None
    tonemap: Tonemap | None = None

    def __post_init__(self) -> None:
        """Check every field against its limit, and take whole numbers for what they are."""
        self._take("fps", float, "> 0 and at most 1000, or None for every frame", _is_rate)
        self._take("max_frames", int, "> 0, or None for no limit", _is_positive)
        self._take("start_s", float, ">= 0, in seconds, or None", lambda s: 0 <= s < math.inf)
        self._take("end_s", float, "> 0, in seconds, or None", lambda s: 0 < s < math.inf)
        if self.end_s is not None and (self.start_s or 0.0) >= self.end_s:
            raise InputError(f"start_s ({self.start_s}) must be before end_s ({self.end_s})")
        self._take("folder_fps", float, "> 0 and at most 1000", _is_rate, needed=True)
        for name in ("nframes", "min_frames", "min_pixels", "max_pixels", "total_pixels"):
            self._take(name, int, "> 0, or None", _is_positive)
        self._take("frame_factor", int, "> 0", _is_positive, needed=True)
        self._take("size_factor", int, "from 1 to 256, or None", lambda n: 0 < n <= 256)
        if self.sampling is None:
            rule = "linspace_rounded" if self.budgeted else "paper"
            object.__setattr__(self, "sampling", rule)
        self._take_choice("sampling", SAMPLINGS)
        if self.tonemap is not None:
            self._take_choice("tonemap", TONEMAPS)
        self._take_size()
        self._take_lists()
        self._check_agreement()

    @property
    def budgeted(self) -> bool:
        """Whether frames are counted as qwen-vl-utils does, among those of the file."""
        return self.nframes is not None or self.min_frames is not None or self.frame_factor > 1

    @property
    def listed(self) -> bool:
        """Whether the frames are named one by one."""
        return self.timestamps is not None or self.frames is not None

    @classmethod
    def for_family(cls, family: str, **changes: Any) -> SampleSpec:
        """Give what a model family's own code shows of a video.

        Args:
            family: `"qwen2_5_vl"`, `"internvl"`, `"minicpm"` …; `t2vid list presets` has them all.
            changes: fields that are to differ.

        >>> SampleSpec.for_family("internvl").sampling
        'internvl'
        """
        return cls(**{**catalog.preset("sample", family).values, **changes})

    @classmethod
    def preset(cls, name: str) -> SampleSpec:
        """Give a spec by the name of a model family."""
        return cls.for_family(name)

    def limited(self, n: int) -> SampleSpec:
        """Give the spec with at most `n` frames, however it counts them.

        >>> SampleSpec(timestamps=(0.5, 1.5, 2.5)).limited(2).timestamps
        (0.5, 1.5)
        """
        changes: dict[str, Any] = {"max_frames": n}
        if self.nframes is not None:
            changes["nframes"] = min(self.nframes, n // self.frame_factor * self.frame_factor or n)
        if self.min_frames is not None:
            changes["min_frames"] = min(self.min_frames, n)
        for name in ("timestamps", "frames"):
            held = getattr(self, name)
            if held is not None:
                changes[name] = tuple(held[i] for i in subset(len(held), n, sampling="paper"))
        return dataclasses.replace(self, **changes)

    def at_most(self, longest_px: int) -> SampleSpec:
        """Give the spec of the same frames no larger than this, to be looked at.

        >>> SampleSpec().at_most(448).size, SampleSpec(size=(896, 448)).at_most(448).size
        (448, (448, 224))
        """
        size = self.size
        if self._bounded or isinstance(size, str):  # they are bounded already
            return self
        if isinstance(size, tuple):
            share = min(1.0, longest_px / max(size))
            size = max(16, int(size[0] * share)), max(16, int(size[1] * share))
        else:
            size = min(size or longest_px, longest_px)
        return dataclasses.replace(self, size=size)

    def shape(self, width: int, height: int, n: int) -> tuple[int, int]:
        """Give the size in pixels at which each of `n` frames is shown.

        Args:
            width: of the upright frame with square pixels.
            height: likewise.
            n: frames shown.
        """
        if not self._bounded:
            return target_size(width, height, self.size)
        budget = PixelBudget(
            factor=PATCH_PX if self.size_factor is None else self.size_factor,
            min_pixels=self.min_pixels,
            max_pixels=self.max_pixels,
            total_pixels=self.total_pixels,
            group=max(1, self.frame_factor),
        )
        return frame_size(width, height, max(1, n), budget)

    @property
    def _bounded(self) -> bool:
        """Whether pixels are counted."""
        held = (self.min_pixels, self.max_pixels, self.total_pixels, self.size_factor)
        return any(value is not None for value in held)

    def _take(
        self,
        name: str,
        kind: type,
        limit: str,
        fits: Callable[[Any], bool],
        *,
        needed: bool = False,
    ) -> None:
        """Check a number, and keep it as what JSON and the hash know: 1 and 1.0 are one rate."""
        value = getattr(self, name)
        if value is None and not needed:
            return
        wanted = numbers.Integral if kind is int else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted) or not fits(value):
            noun = "a whole number" if kind is int else "a number"
            raise InputError(f"{name} ({value!r}) must be {noun} {limit}")
        object.__setattr__(self, name, kind(value))

    def _take_choice(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{name} ({value!r}) must be one of {known}")

    def _take_size(self) -> None:
        size = self.size
        if size is None:
            return
        if isinstance(size, str) and (family := catalog.match(catalog.PAPER_FAMILIES, size)):
            object.__setattr__(self, "size", family.name)
            return
        edges = size if isinstance(size, tuple) and len(size) == 2 else (size,)
        if any(isinstance(e, bool) or not isinstance(e, numbers.Integral) for e in edges):
            known = sorted(catalog.TOKENS_PER_FRAME)
            raise InputError(f"size ({size!r}) must be one of {known}, (width, height) or pixels")
        for edge in edges:
            if not 16 <= int(edge) <= MAX_FRAME_PX:
                raise InputError(f"size ({edge}) must be from 16 to {MAX_FRAME_PX} pixels")
        pixels = tuple(map(int, edges))
        object.__setattr__(self, "size", pixels if isinstance(size, tuple) else pixels[0])

    def _take_lists(self) -> None:
        for name, kind, noun in (
            ("timestamps", float, "seconds >= 0"),
            ("frames", int, "frame numbers >= 0"),
        ):
            held = getattr(self, name)
            if held is not None:
                object.__setattr__(self, name, _numbers(name, held, kind, noun))
        if self.clips is not None:
            if not isinstance(self.clips, Iterable) or isinstance(self.clips, str):
                raise InputError(f"clips ({self.clips!r}) must be pairs of seconds, or None")
            pairs = tuple(_numbers("clips", pair, float, "seconds >= 0") for pair in self.clips)
            if not pairs or any(len(p) != 2 or not p[0] < p[1] for p in pairs):
                raise InputError(
                    f"clips ({self.clips!r:.80}) must be one or more pairs (start_s, end_s), each "
                    "with its start before its end"
                )
            object.__setattr__(self, "clips", pairs)

    def _check_agreement(self) -> None:
        """Refuse two answers to one question."""
        part = self.start_s is not None or self.end_s is not None
        given = {
            "timestamps": self.timestamps is not None,
            "frames": self.frames is not None,
            "clips": self.clips is not None,
            "start_s or end_s": part,
        }
        both = [name for name, is_given in given.items() if is_given]
        if len(both) > 1:
            raise InputError(f"{both[0]} and {both[1]} both say which part is shown; give one")
        if self.size is not None and self._bounded:
            raise InputError(
                f"size ({self.size!r}) and a pixel budget both say how large frames are; give one"
            )
        low, high = self.min_frames, self.max_frames
        if low is not None and high is not None and self.nframes is None and low > high:
            raise InputError(f"min_frames ({low}) must be at most max_frames ({high})")
        if high is not None and high < self.frame_factor:
            raise InputError(
                f"max_frames ({high}) must be at least frame_factor ({self.frame_factor})"
            )
        if self.nframes is not None and round(self.nframes / self.frame_factor) < 1:
            raise InputError(
                f"nframes ({self.nframes}) must come to one group of frame_factor "
                f"({self.frame_factor}) at least"
            )
        if self.min_pixels is not None and self.max_pixels is not None:
            if self.min_pixels > self.max_pixels:
                raise InputError(
                    f"min_pixels ({self.min_pixels}) must be at most max_pixels ({self.max_pixels})"
                )
        if self.budgeted and self.sampling == "keyframes":
            raise InputError(
                "sampling ('keyframes') takes what keyframes there are; leave out nframes, "
                "min_frames and frame_factor"
            )


def _numbers(name: str, held: Any, kind: type, noun: str) -> tuple[Any, ...]:
    """Take several numbers, as a list, a range or an array gives them, for what JSON knows."""
    wanted = numbers.Integral if kind is int else numbers.Real
    values = tuple(held) if isinstance(held, Iterable) and not isinstance(held, str) else ()
    fits = [
        isinstance(v, wanted) and not isinstance(v, bool) and 0 <= float(v) < math.inf
        for v in values
    ]
    if not fits or not all(fits):
        raise InputError(f"{name} ({held!r:.80}) must be one or more {noun}")
    return tuple(kind(v) for v in values)


def _is_rate(value: float) -> bool:
    return 0 < value <= 1000


def _is_positive(value: int) -> bool:
    return value > 0
