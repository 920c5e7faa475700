"""What video files are: length, rate, size, codec, and the frames that a run would show.

    t2vid probe clip.mp4 --family qwen2_5_vl --json

>>> from t2vid import samples
>>> (found,) = probe_files([samples.ROOT / "clips/ball.mp4"])
>>> found.info.codec, found.info.n_frames, probe_files(["nowhere.mp4"])[0].info
('h264', 6, None)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2vid.errors import BadVideo, InputError, MissingFile, pluralize
from t2vid.frames.info import VideoInfo
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import probe


@dataclass(frozen=True)
class Probed:
    """What was found out about one file.

    Attributes:
        file: its name.
        info: of the video; None where it cannot be read.
        error: why it cannot be; None where it can.
    """

    file: str
    info: VideoInfo | None = None
    error: str | None = None

    def line(self) -> str:
        """Give it as one line of text."""
        if self.info is None:
            return str(self.error)
        i = self.info
        turned = f", turned by {i.rotation}°" if i.rotation else ""
        shown = pluralize(i.n_frames, "frame") + f" of {i.n_total}" * (i.n_total > i.n_frames)
        return (
            f"{self.file}: {i.codec or 'images'}, {i.duration_s:.2f} s at {i.fps:.4g} frames a "
            f"second{turned}; shown: {shown}, {i.width}x{i.height}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give every field as plain JSON values."""
        info = None if self.info is None else self.info.to_dict()
        return {"file": self.file, "info": info, "error": self.error}


def probe_files(
    files: Sequence[str | os.PathLike[str]],
    *,
    family: str | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> list[Probed]:
    """Say what videos are, and which of their frames a run would show.

    Args:
        files: videos, folders of numbered images, or URLs.
        family: sample as this model family's own code does, for instance `qwen2_5_vl`.
        fps: frames a second, instead of the default's or the family's.
        max_frames: at most so many frames, instead of the default's or the family's.

    Returns:
        One entry a file, in order; a file that cannot be read has its `error` there.

    Raises:
        InputError: for an unknown family, or a number out of range.
    """
    if not files:
        raise InputError("no file is given; name one or more videos")
    given = {"fps": fps, "max_frames": max_frames}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    spec = SampleSpec(**changes) if family is None else SampleSpec.for_family(family, **changes)
    found = []
    for file in files:
        name = os.fspath(file)
        try:
            found.append(Probed(name, probe(name, spec)))
        except (BadVideo, MissingFile, InputError) as error:
            found.append(Probed(name, error=str(error)))
    return found
