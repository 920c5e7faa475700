"""Tiny real videos whose every frame carries its number, so that a test can say which frame it got.

┌──────────────────────────┐
│ ■ □ ■ ■ □ □ □ ■  (number)│   12 cells, white for a one, most significant first
│ □ ■ □ □ ■ ■ ■ □  (check) │   the same inverted: a wrong reading is refused
│ moving bars              │
└──────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

BITS = 12


def picture(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """Draw frame `number` as an array of shape (height, width, 3), uint8."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([(x * 2 + number * 3) % 256, (y * 3) % 256, (x + y + number) % 256], axis=-1)
    image = (image // 4 + 96).astype(np.uint8)
    row = height // 4
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        one = 255 * (number >> (BITS - 1 - bit) & 1)
        image[:row, left:right] = one
        image[row : 2 * row, left:right] = 255 - one
    return image


def read_number(image: Image.Image) -> int:
    """Read the number back, from any size the frame was scaled to."""
    gray = np.asarray(image.convert("L"), dtype=int)
    height, width = gray.shape
    xs = [int((bit + 0.5) * width / BITS) for bit in range(BITS)]
    ones = [gray[height // 8, x] > gray[height * 3 // 8, x] + 40 for x in xs]
    zeros = [gray[height // 8, x] < gray[height * 3 // 8, x] - 40 for x in xs]
    assert all(one != zero for one, zero in zip(ones, zeros, strict=True)), "no number in the frame"
    return sum(int(one) << (BITS - 1 - bit) for bit, one in enumerate(ones))


def read_numbers(images: Iterable[Image.Image]) -> list[int]:
    """Read the numbers of several frames."""
    return [read_number(image) for image in images]


def make_clip(
    path: str | Path,
    *,
    seconds: float = 3.0,
    fps: float | Fraction = 10,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    times: Sequence[Fraction | float] | None = None,
    offset_s: float = 0,
    gop: int = 12,
    b_frames: int = 2,
    rotation: int = 0,
    sar: Fraction | None = None,
    audio_from_s: float | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a numbered clip and give its path; the suffix chooses the container.

    Args:
        path: where the clip goes.
        seconds: length, where `times` is not given.
        fps: frame rate, where `times` is not given.
        size: width and height in pixels.
        codec: encoder name.
        options: encoder options.
        pix_fmt: pixel format, e.g. `yuv420p10le`.
        times: presentation time of each frame in seconds, for variable rates.
        offset_s: added to every video time.
        gop: frames from one keyframe to the next at most.
        b_frames: consecutive B-frames.
        rotation: counter-clockwise degrees to store as metadata.
        sar: sample (pixel) aspect ratio.
        audio_from_s: also write silence, from this time on.
        container_options: muxer options.
    """
    rate = Fraction(fps).limit_denominator(100_000)
    # Encoders write the clock into the stream; one that fits no frame rate misleads libav.
    fine = times is not None or (Fraction(str(offset_s)) * rate).denominator > 1
    if times is None:
        times = [Fraction(i) / rate for i in range(max(1, round(seconds * rate)))]
    tick = Fraction(1, 90_000)
    with av.open(str(path), "w", options=container_options or {}) as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = gop
        if codec in ("libx264", "libx265", "mpeg4", "mpeg2video"):
            stream.codec_context.max_b_frames = b_frames
        if sar is not None:
            stream.codec_context.sample_aspect_ratio = sar
        if rotation:
            stream.set_display_rotation(rotation)
        stream.codec_context.time_base = tick if fine else 1 / rate
        sound: Any = None if audio_from_s is None else out.add_stream("aac", rate=8000)
        ends = [*times[1:], Fraction(times[-1]) + 1 / rate]
        for number, (time, end) in enumerate(zip(times, ends, strict=True)):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = round((Fraction(time) + Fraction(str(offset_s))) / frame.time_base)
            frame.duration = round(Fraction(end) / frame.time_base) - round(
                Fraction(time) / frame.time_base
            )
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None and audio_from_s is not None:
            _silence(out, sound, audio_from_s, float(times[-1]))
    return Path(path)


def _silence(out: Any, sound: Any, start_s: float, end_s: float) -> None:
    for i in range(max(1, int((end_s - start_s) * 8000 / 1024))):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base = 8000, Fraction(1, 8000)
        frame.pts = round(start_s * 8000) + i * 1024
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))
