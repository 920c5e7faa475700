"""Writes frames as a video file, for made-up clips.

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> write_clip(file, [Image.new("RGB", (64, 48))] * 3)
>>> file.getvalue()[4:8]
b'ftyp'
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image


def write_clip(target: Path | IO[bytes], frames: Sequence[Image.Image], *, fps: int = 1) -> None:
    """Write frames as an H.264 mp4.

    Args:
        target: path of the file, whose folder exists, or a binary file.
        frames: of one size, width and height even.
        fps: frames a second.
    """
    import av

    opened = str(target) if isinstance(target, Path) else target
    with av.open(opened, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10", "preset": "fast"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        for image in frames:
            pixels = np.asarray(image.convert("RGB"))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
