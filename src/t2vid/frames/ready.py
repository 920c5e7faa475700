"""Videos that are already pictures: folders of numbered images, animated WebP, torchcodec decoders.

>>> sorted(["10.jpg", "9.jpg"], key=number_of)
['9.jpg', '10.jpg']
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import ExifTags, Image, ImageOps

from t2vid.errors import BadVideo, InputError
from t2vid.frames.choosing import by_steps, choose, limits_of, span_s, steps_of, thinned
from t2vid.frames.container import head_of
from t2vid.frames.info import VideoInfo, described
from t2vid.frames.output import FrameSink, Output, Sampled
from t2vid.frames.pictures import FrameConverter
from t2vid.frames.sampling import Course, as_fraction
from t2vid.frames.spec import SampleSpec
from t2vid.storage.media import Limits, Media, bad, describe, local_size
from t2vid.storage.videos import PICTURES

_TICK = Fraction(1, 1_000_000)  # torchcodec tells times as floats of seconds
_MILLISECOND = Fraction(1, 1000)
_DAMAGE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
_UNHURRIED_MS = 100  # what browsers show a frame for that gives no time of its own


def unwrapped(source: Any) -> Any:
    """Take what a `datasets.Video` column gives down to a path, bytes, bytes with a name, or a decoder."""
    encoded = getattr(source, "_hf_encoded", None)
    if isinstance(encoded, dict) and (encoded.get("path") or encoded.get("bytes") is not None):
        source = encoded
    if not isinstance(source, dict):
        return source
    if source.get("bytes") is not None:
        return source  # its path, where it has one, is what messages call it
    if source.get("path") is not None:
        return source["path"]
    raise InputError("a video needs a path or bytes, and this mapping has neither")


def held_in(source: Any, spec: SampleSpec, limits: Limits) -> Pictures | Decoder | None:
    """Give the pictures of a folder or a torchcodec `VideoDecoder`; None for anything else."""
    if hasattr(source, "get_frames_played_at") and hasattr(source, "metadata"):
        return Decoder(source)
    if isinstance(source, str | os.PathLike) and os.path.isdir(source):
        return _folder(source, as_fraction(spec.folder_fps), limits)
    return None


def animation_in(media: Media) -> Pictures | None:
    """Give the pictures of an animated WebP, which libav does not decode; None for anything else.

    Raises:
        BadVideo: for one that is damaged.
    """
    head = head_of(media, 21)
    if len(head) < 21 or head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or not head[20] & 2:
        return None
    if not isinstance(media.file, str):
        media.file.seek(0)
    try:
        # By name: a plug-in of another format may ask for more than a guarded file can do.
        image = Image.open(media.file, formats=("WEBP",))  # type: ignore[arg-type]
        times, now = [], 0
        for i in range(getattr(image, "n_frames", 1)):
            media.check_time()
            image.seek(i)
            image.load()  # Pillow knows how long a frame is shown once it has decoded it
            times.append(now)
            now += image.info.get("duration") or _UNHURRIED_MS
    except BadVideo:
        raise
    except _DAMAGE as error:
        raise _no_image(media.name, error) from None

    def load(i: int) -> Image.Image:
        image.seek(i)
        return image.convert("RGB")

    course = Course(_MILLISECOND, now, len(times) * 1000 / now, media.name, alone=True)
    return Pictures(course, times, image.size, load, "webp")


def number_of(name: str) -> tuple[list[int], str]:
    """Sort key of a numbered file name."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


@dataclass(frozen=True)
class Pictures:
    """Pictures that can be loaded one by one.

    Args:
        course: of them.
        times: tick of each, ascending.
        size: width and height of the first.
        load: gives one as RGB by its position.
        codec: what they are coded with.
    """

    course: Course
    times: Sequence[int]
    size: tuple[int, int]
    load: Callable[[int], Image.Image]
    codec: str | None = None

    def sample(self, spec: SampleSpec, limits: Limits, output: Output) -> Sampled:
        """Give the frames that a spec asks for.

        Raises:
            BadVideo: for a picture that cannot be read, or more than fit into memory.
        """
        total, picks = choose(self.times, self.times, spec, self.course)
        converter = FrameConverter(lambda width, height: spec.shape(width, height, len(picks)))
        sink = FrameSink(picks, output)
        room = limits.max_bytes
        for i in sorted(set(picks)):
            try:
                pixels = np.asarray(self.load(i))
            except _DAMAGE as error:
                raise _no_image(self.course.name, error) from None
            array = converter.array(av.VideoFrame.from_ndarray(pixels, format="rgb24"))
            room -= array.nbytes
            if room < 0:
                found = f"its frames take more than {limits.max_bytes:,} bytes"
                raise bad(self.course.name, "memory", found, "ask for fewer or smaller ones")
            sink.put(i, array)
        info = self._info(spec, total, picks)
        return Sampled(sink.frames(), info, self._seconds(picks))

    def probe(self, spec: SampleSpec) -> VideoInfo:
        """Say what would be given."""
        return self._info(spec, *choose(self.times, self.times, spec, self.course))

    def _seconds(self, picks: Sequence[int]) -> list[float]:
        return [float(self.times[i] * self.course.tick) for i in picks]

    def _info(self, spec: SampleSpec, total: int, picks: Sequence[int]) -> VideoInfo:
        size = spec.shape(*self.size, len(picks))
        seconds, course = self._seconds(picks), self.course
        span = span_s(spec, course)
        return described(seconds, total, course, size, span_s=span, codec=self.codec)


def _folder(folder: str | os.PathLike[str], rate: Fraction, limits: Limits) -> Pictures:
    """Give the pictures of a folder of numbered images, `rate` of them a second."""
    names = [name for name in os.listdir(folder) if name.lower().endswith(PICTURES)]
    if not names:
        found = f"a folder of {len(os.listdir(folder)):,} entries, none of them an image"
        move = (
            f"give a video, or a folder of numbered {', '.join(PICTURES)}; t2vid doctor looks at "
            "every video of a folder"
        )
        raise bad(describe(folder), "no images", found, move)
    paths = [os.path.join(folder, name) for name in sorted(names, key=number_of)]
    with _opened_image(paths[0], limits) as image:
        sideways = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        size = image.size[::-1] if sideways else image.size

    def load(i: int) -> Image.Image:
        with _opened_image(paths[i], limits) as image:
            return ImageOps.exif_transpose(image).convert("RGB")

    course = Course(1 / rate, len(paths), float(rate), describe(folder))
    return Pictures(course, range(len(paths)), size, load)


@contextmanager
def _opened_image(path: str, limits: Limits) -> Iterator[Image.Image]:
    local_size(path, path)  # a pipe would be waited for
    try:
        with Image.open(path) as image:
            if image.width * image.height > limits.max_pixels:
                found = f"it is {image.width}x{image.height}"
                move = "leave it out, or raise Limits(max_pixels=...)"
                raise bad(path, "frame size", found, move)
            yield image
    except BadVideo:
        raise
    except _DAMAGE as error:
        raise _no_image(path, error) from None


def _no_image(name: str, error: Exception) -> BadVideo:
    return bad(name, "image", f"it is no image ({error})", "write it again")


class Decoder:
    """A torchcodec `VideoDecoder`.

    Args:
        decoder: of torchcodec.
    """

    def __init__(self, decoder: Any) -> None:
        self._decoder, about = decoder, decoder.metadata
        self._begin = Fraction(about.begin_stream_seconds or 0)
        end = round((Fraction(about.end_stream_seconds) - self._begin) / _TICK)
        rate = len(decoder) / float(end * _TICK) if end > 0 else 1.0
        self._course = Course(_TICK, end, rate, describe(decoder))

    def sample(self, spec: SampleSpec, limits: Limits, output: Output) -> Sampled:
        """Give the frames that a spec asks for.

        Raises:
            InputError: for what a decoder does not tell.
            BadVideo: for frames that it cannot decode, or that would not fit into memory.
        """
        total, picks, seconds = self._ask(spec)
        n, about = len(picks) + len(seconds), self._decoder.metadata
        room = 3 * about.width * about.height * n  # it scales nothing: they come as they are
        name = self._course.name
        if room > limits.max_bytes:
            found = f"{n:,} frames of {about.width}x{about.height} take {room / 1e6:,.0f} MB"
            raise bad(name, "memory", found, "ask for fewer, or give the file itself")
        try:
            if picks:
                batch = self._decoder.get_frames_at(indices=picks)
            else:
                batch = self._decoder.get_frames_played_at(seconds=seconds)
        except (RuntimeError, IndexError, ValueError) as error:
            found = f"torchcodec cannot read on ({str(error).splitlines()[0]:.120})"
            raise bad(name, "unreadable", found, "give the file itself") from error
        arrays = np.asarray(batch.data)
        if arrays.shape[1] == 3:
            arrays = arrays.transpose(0, 2, 3, 1)
        converter = FrameConverter(lambda width, height: spec.shape(width, height, n))
        sink = FrameSink(range(n), output)
        for i, pixels in enumerate(arrays):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            sink.put(i, converter.array(frame))
        shown = [float(t) - float(self._begin) for t in np.asarray(batch.pts_seconds)]
        return Sampled(sink.frames(), self._info(spec, total, shown), shown)

    def probe(self, spec: SampleSpec) -> VideoInfo:
        """Say what would be given."""
        total, picks, seconds = self._ask(spec)
        rate = self._course.rate
        return self._info(
            spec, total, [i / rate for i in picks] or [s - float(self._begin) for s in seconds]
        )

    def _info(self, spec: SampleSpec, total: int, seconds: Sequence[float]) -> VideoInfo:
        about, course = self._decoder.metadata, self._course
        size = spec.shape(about.width, about.height, len(seconds))
        return described(seconds, total, course, size, span_s=span_s(spec, course))

    def _ask(self, spec: SampleSpec) -> tuple[int, list[int], list[float]]:
        """Say how many frames there are, and which to ask for: by number, or by second."""
        if spec.sampling == "keyframes":
            raise InputError(
                "a decoder does not tell its keyframes; give the file, or another sampling"
            )
        course = self._course
        if spec.timestamps is not None:
            limits = limits_of(spec, course)
            return len(limits), [], [float(self._begin + t * _TICK) for t in limits]
        if by_steps(spec):
            steps = steps_of(spec, course)
            wanted = thinned(steps.size, spec)
            seconds = [float(self._begin + steps.limit(n) * _TICK) for n in wanted]
            return steps.size, [], seconds
        # Numbers only: a decoder tells no times, so that those of an even rate have to do.
        times = [round(i / course.rate / _TICK) for i in range(len(self._decoder))]
        total, picks = choose(times, times, spec, course)
        return total, picks, []
