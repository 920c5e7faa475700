"""What happens before a model answers: videos are decoded and questions prepared, ahead of it.

A video is decoded once for all its questions, in threads, while the model answers those before.

>>> cut([["a"], ["b", "c"], ["d"]], 2)
[[['a'], ['b', 'c']], [['d']]]
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from t2vid.errors import BadVideo, InputError, MissingFile
from t2vid.evaluation import asking
from t2vid.evaluation.answers import Answer
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import (
    Backend,
    TransformersBackend,
    edge_of,
    prepared_or_error,
)
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.guided import ClipGuide, load_clip
from t2vid.evaluation.showing import blank_like, controlled
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import probe, sample_video

WINDOW = 2  # batches prepared together, so that questions of like length share one

Group = list[tuple[int, int]]  # (row, rotation) of every question about one video
Pair = tuple[Ask, Any]  # a question, and what the back end made of it or an `Answer` with an error
T = TypeVar("T")


class Seen(NamedTuple):
    """What is shown of a video: frames, the times whose subtitles go with them, and its name."""

    frames: FrameList
    cue_times_s: Sequence[float] = ()
    video: str | None = None


class Preparer:
    """Decodes one video and prepares every question about it; called from several threads.

    Args:
        rows: of a benchmark, frames left as they are stored.
        protocol: how to ask.
        backend: who is asked.

    Raises:
        InputError: where frames of another video are to be shown and there is none.
    """

    def __init__(self, rows: Any, protocol: EvalConfig, backend: Backend) -> None:
        self.rows, self.protocol, self.backend = rows, protocol, backend
        self.edge = edge_of(backend, protocol)
        self.others = _others(rows) if protocol.control == "other" else {}
        self.clip: ClipGuide | None = None
        if protocol.strategy == "prompt_guided":
            self.clip = load_clip(protocol.guide)

    def __call__(self, group: Group) -> list[Pair]:
        """Prepare the questions of one video; one that cannot be read is an answer with an error."""
        first, error, seen = self.rows[group[0][0]], None, Seen(FrameList())
        try:
            seen = self._seen(first)
        except (BadVideo, MissingFile) as bad:
            error = f"{type(bad).__name__}: {bad}"
        guide = self.clip.look(seen.frames) if self.clip and seen.frames else None
        out: list[Pair] = []
        for place, shift in group:
            row = self.rows[place]
            question = asking.ask(
                row,
                shift,
                seen.frames,
                self.protocol,
                cue_times_s=seen.cue_times_s,
                guide=guide,
                edge=self.edge,
            )
            question.line["place"] = place
            question.line["fingerprint"] = asking.fingerprint(row, row["images"])
            if seen.video is not None:
                question.line["shown_video"] = seen.video
            made = Answer("", error) if error else prepared_or_error(self.backend, question)
            out.append((question, made))
        return out

    def _seen(self, row: Mapping[str, Any]) -> Seen:
        control = self.protocol.control
        stored, other = row["images"] or {}, None
        if control == "other" and stored:
            stored, other = self.others[_video_key(row)]
        source = stored.get("bytes") or stored.get("path")
        if control == "blind" or (source is None and stored.get("text") is None):
            return Seen(FrameList())
        if source is None:
            reader = Frames(max_frames=self.protocol.sample.max_frames)
            drawn = reader.decode_example(dict(stored))
            return Seen(controlled(drawn, self.protocol, key=row["id"]))
        spec = asking.spec_of(stored, self.protocol)
        if control == "blank":
            return Seen(blank_like(probe(source, spec).n_frames))
        if control == "subtitles" or getattr(self.backend, "sends_files", False):
            if not self.protocol.subtitles:
                return Seen(FrameList())
            info = probe(source, spec)
            return Seen(FrameList(), [i / info.fps for i in info.indices])
        frames = sample_video(source, spec)
        times = frames.timestamps_s or ()
        shown = controlled(frames, self.protocol, key=f"{row['source']}/{row['video']}")
        return Seen(self._resized(shown), times, other)

    def _resized(self, frames: FrameList) -> FrameList:
        """Resize once what several questions share; `RowEncoder` leaves frames of its size alone."""
        if isinstance(self.backend, TransformersBackend) and self.protocol.strategy == "frames":
            frames[:] = [self.backend.fit(frame) for frame in frames]
        return frames


class Ahead:
    """Prepares windows of videos in threads, one window ahead of the one that is answered.

    Args:
        groups: the questions of each video.
        prepare: of one group.
        window: questions prepared together, at least.
        workers: threads.

    Attributes:
        waited_s: how long the reader waited for what was not ready.
    """

    def __init__(
        self, groups: Sequence[Group], prepare: Preparer, *, window: int, workers: int
    ) -> None:
        self._windows = cut(groups, window)
        self._prepare, self._workers = prepare, workers
        self.waited_s = 0.0

    def __iter__(self) -> Iterator[list[Pair]]:
        """Give the questions of each window."""
        left = iter(self._windows)
        ahead: deque[list[Future[list[Pair]]]] = deque()
        with ThreadPoolExecutor(self._workers) as pool:

            def submit() -> None:
                window = next(left, None)
                if window is not None:
                    ahead.append([pool.submit(self._prepare, group) for group in window])

            try:
                submit()
                while ahead:
                    submit()  # the next window is decoded while this one is answered
                    start = time.perf_counter()
                    ready = [pair for future in ahead.popleft() for pair in future.result()]
                    self.waited_s += time.perf_counter() - start
                    yield ready
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def batches(self, size: int) -> Iterator[list[Pair]]:
        """Give batches of questions of like length."""
        length = self._prepare.backend.length
        pairs: list[Pair] = []
        for ready in self:
            pairs += ready
            pairs.sort(key=lambda pair: 0 if isinstance(pair[1], Answer) else length(pair[1]))
            while len(pairs) >= size:
                batch, pairs = pairs[:size], pairs[size:]
                yield batch
        if pairs:
            yield pairs


def cut(groups: Sequence[list[T]], size: int) -> list[list[list[T]]]:
    """Cut groups into windows of at least `size` members, the last one of what is left."""
    windows: list[list[list[T]]] = [[]]
    for group in groups:
        windows[-1].append(group)
        if sum(map(len, windows[-1])) >= size:
            windows.append([])
    return windows if windows[-1] else windows[:-1]


def _video_key(row: Mapping[str, Any]) -> str:
    return f"{row['source']}/{row['video']}"


def _others(rows: Any) -> dict[str, tuple[Mapping[str, Any], str]]:
    """Give every video another one of its benchmark, whatever the order of the questions."""
    held: dict[str, dict[str, tuple[Mapping[str, Any], str]]] = {}
    for row in rows.select_columns(["source", "video", "images"]):
        if row["images"]:
            held.setdefault(row["source"], {})[_video_key(row)] = row["images"], row["video"]
    out = {}
    for source, videos in held.items():
        if len(videos) < 2:
            raise InputError(
                f"{source} has one video, so there is no other to show; control='other' needs two"
            )
        drawn = sorted(videos, key=lambda key: hashlib.sha256(key.encode()).hexdigest())
        for at, key in enumerate(drawn):
            out[key] = videos[drawn[at - 1]]
    return out
