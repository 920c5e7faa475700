"""What is known of a video beside its pictures, in this library's words and in transformers'.

>>> info = VideoInfo(2, 4.0, 640, 360, 4, fps=25.0, indices=(37, 62))
>>> info.size, info.metadata()["frames_indices"]
((640, 360), [37, 62])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2vid.frames.sampling import Course


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, and which of its frames are shown.

    Attributes:
        n_frames: frames that `sample_video` gives.
        duration_s: from the start of the file to the end of its last frame, in seconds.
        width: of a frame as `sample_video` gives it, in pixels, turned upright as the container
            says; a turn that only the coded pictures tell of shows when they are decoded.
        height: likewise.
        n_total: frames there would be without `max_frames`.
        fps: frames a second in the file, on average.
        rotation: by how many degrees, counter-clockwise, the container has it turned.
        codec: libav's name of what it is coded with; None for images and decoders.
        sampled_fps: frames shown a second of the part that they are taken from.
        indices: number of each frame shown, at `fps` from the start of the file, so that
            `indices[i] / fps` is its time.
    """

    n_frames: int
    duration_s: float
    width: int
    height: int
    n_total: int
    fps: float = 0.0
    rotation: int = 0
    codec: str | None = None
    sampled_fps: float = 0.0
    indices: tuple[int, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame in pixels."""
        return self.width, self.height

    @property
    def video_frames(self) -> int:
        """How many frames the file has, by its length and rate."""
        return max(1, round(self.duration_s * self.fps))

    def metadata(self) -> dict[str, Any]:
        """Give the fields of transformers' `VideoMetadata`, from which processors write times."""
        return {
            "total_num_frames": self.video_frames,
            "fps": self.fps,
            "width": self.width,
            "height": self.height,
            "duration": self.duration_s,
            "video_backend": "t2vid",
            "frames_indices": list(self.indices),
        }

    def to_dict(self) -> dict[str, Any]:
        """Give every field as plain JSON values."""
        return {**dataclasses.asdict(self), "indices": list(self.indices)}


def described(
    seconds: Sequence[float],
    total: int,
    course: Course,
    size: tuple[int, int],
    *,
    span_s: float,
    rotation: int = 0,
    codec: str | None = None,
) -> VideoInfo:
    """Say what a video is, and which of its frames are shown.

    Args:
        seconds: time of each frame shown.
        total: frames there would be without `max_frames`.
        course: of the file.
        size: width and height of a frame shown.
        span_s: seconds of the video that the frames are taken from.
        rotation: as in `VideoInfo`.
        codec: as in `VideoInfo`.
    """
    return VideoInfo(
        len(seconds),
        course.end_s,
        *size,
        total,
        fps=course.rate,
        rotation=rotation,
        codec=codec,
        sampled_fps=len(seconds) / span_s if span_s > 0 else 0.0,
        indices=tuple(round(second * course.rate) for second in seconds),
    )
