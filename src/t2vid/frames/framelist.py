"""What reading a `Frames` column gives: PIL images that remember where each one comes from.

>>> from PIL import Image
>>> frames = FrameList([Image.new("L", (8, 8))], spans=[(0, 5)])
>>> len(frames), frames.spans, frames.timestamps_s
(1, [(0, 5)], None)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.info import VideoInfo

if TYPE_CHECKING:
    from t2vid.frames.words import WordBox


class FrameList(list[Image.Image]):
    """Frames in order, all of one size, each a picture of its own: to draw on one changes no other.

    Attributes:
        spans: for text, `(start, end)` character offsets of each frame in the source; else None.
        timestamps_s: for video, the presentation time of each frame in seconds; else None.
        n_total: how many frames there would be without `max_frames`; more than `len(self)` says
            that the budget cut some.
        missing: for text drawn with `on_missing="escape"`, how often each character occurs that
            no font covers; empty where every character was drawn as itself.
        encoded: the stored value `{text, path, bytes, spec}` that the frames were made from, the
            recipe to store again where a row that was read is written.
        info: for video, what is known of it; else None.
        source: for text, the text and the `RenderSpec` that it was drawn with; else None.
    """

    def __init__(
        self,
        frames: Iterable[Image.Image] = (),
        *,
        spans: Sequence[tuple[int, int]] | None = None,
        timestamps_s: Sequence[float] | None = None,
        n_total: int | None = None,
        encoded: dict[str, Any] | None = None,
        info: VideoInfo | None = None,
    ) -> None:
        super().__init__(_apart(frames))
        self.spans = None if spans is None else list(spans)
        self.timestamps_s = None if timestamps_s is None else list(timestamps_s)
        self.n_total = len(self) if n_total is None else n_total
        self.encoded = encoded
        self.missing: dict[str, int] = {}
        self.info = info
        self.source: tuple[str, Any] | None = None

    @property
    def words(self) -> list[list[WordBox]]:
        """For text, the words of each frame with their boxes in pixels and spans in the source.

        Found by laying the text out once more, each time it is asked for.

        Raises:
            InputError: for frames that are not those of a text, or are drawn in the paper's layout.
        """
        from t2vid.frames.words import word_boxes

        if self.source is None:
            raise InputError("words are known of frames that a text was drawn on, not of these")
        return word_boxes(*self.source, len(self))

    def __reduce__(self) -> Any:
        return FrameList, (list(self),), self.__dict__


def _apart(frames: Iterable[Image.Image]) -> Iterator[Image.Image]:
    # a video shows a frame again where it has fewer of them a second than are asked for
    seen: set[int] = set()
    for frame in frames:
        yield frame.copy() if id(frame) in seen else frame
        seen.add(id(frame))
