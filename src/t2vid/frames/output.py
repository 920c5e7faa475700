"""What decoded frames are collected in: PIL images, or one array for all of them.

>>> sink = FrameSink([7, 9, 7], "numpy")
>>> for tick in (7, 9):
...     sink.put(tick, np.full((2, 4, 3), tick, np.uint8))
>>> sink.frames().shape, sink.frames()[:, 0, 0, 0].tolist()
((3, 2, 4, 3), [7, 9, 7])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from t2vid.errors import InputError, kind_of
from t2vid.frames.info import VideoInfo

Output = Literal["pil", "numpy", "torch"]
Array = np.ndarray[Any, Any]


class Sampled(NamedTuple):
    """What sampling a video gives.

    Attributes:
        frames: as a `FrameSink` gives them.
        info: of the video.
        seconds: time of each frame.
    """

    frames: Any
    info: VideoInfo
    seconds: list[float]


class FrameSink:
    """Collects frames by a key, and gives them in the order asked for.

    Args:
        keys: of the frames to give; one may come twice.
        output: `"pil"` images, or uint8 in one array, `"numpy"` of shape (N, height, width, 3) or
            `"torch"` of shape (N, 3, height, width).
    """

    def __init__(self, keys: Sequence[int], output: Output) -> None:
        self._keys, self._output = list(keys), output
        self._images: dict[int, Image.Image] = {}
        self._array: Array | None = None
        self._places: dict[int, list[int]] = {}
        for place, key in enumerate(keys):
            self._places.setdefault(key, []).append(place)
        self._missing = set(self._places)

    def wants(self, key: int) -> bool:
        """Say whether a frame is asked for and has not come yet."""
        return key in self._missing

    def put(self, key: int, frame: Array) -> None:
        """Take a frame, an array of shape (height, width, 3)."""
        self._missing.discard(key)
        if self._output == "pil":
            self._images[key] = Image.fromarray(frame)
            return
        if self._array is None:
            self._array = np.empty((len(self._keys), *frame.shape), np.uint8)
        for place in self._places[key]:
            self._array[place] = frame

    def frames(self) -> Any:
        """Give the frames, once all have come."""
        if self._output == "pil":
            return [self._images[key] for key in self._keys]
        if self._output == "numpy":
            return self._array
        import torch

        # A view: each frame keeps its colours side by side in memory, as it was decoded.
        return torch.from_numpy(self._array).permute(0, 3, 1, 2)


def check_output(output: object) -> None:
    """Refuse what is no kind of output.

    Raises:
        InputError: for it.
        ImportError: where torch is asked for and missing.
    """
    if output not in ("pil", "numpy", "torch"):
        raise InputError(
            f"output ({output!r:.60}, {kind_of(output)}) must be 'pil', 'numpy' or 'torch'"
        )
    if output == "torch":
        try:
            import torch  # noqa: F401
        except ImportError:
            raise ImportError(
                "output='torch' needs torch; pip install t2vid[train], or take output='numpy'"
            ) from None
