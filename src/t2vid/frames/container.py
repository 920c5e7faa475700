"""An open container and the stream in it that is shown, or one line that says what is wrong.

>>> from t2vid.storage.media import Limits, opened
>>> with opened(b"1234") as media, opened_stream(media, Limits()) as (container, stream):
...     stream.codec_context.name
Traceback (most recent call last):
t2vid.errors.BadVideo: <4 bytes>: it is text ('1234'...), not a video; download it again, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
from av.stream import Discard, Disposition

from t2vid.storage.media import Limits, Media, bad

# What may be opened: no playlists (they name other files and hosts), no text that draws itself.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,"
    "asf,ogg,gif,mxf,nut,rm,rawvideo,yuv4mpegpipe,dv,swf,wtv,h263,h261,vc1,mjpeg,apng,webp_pipe,"
    "png_pipe,jpeg_pipe,webp,bink,vivo,live_flv,nsv,gxf,vvc,evc,cavsvideo,dirac,dnxhd,avs2,avs3,"
    "mjpeg_2000,mpjpeg,flic,roq,smk,nuv,pva,ty,lxf,mlv,rpl,film_cpk,psxstr,thp,ea,cine,dhav,mtv,"
    "cdxl,4xm,moflex,filmstrip,vmd,idcin"
)


@contextmanager
def opened_container(media: Media) -> Iterator[Any]:
    """Open a container, naming what is wrong with it where that fails."""
    if not isinstance(media.file, str):
        media.file.seek(0)
    media.check_time()
    try:
        container = av.open(
            media.file,
            # PyAV asks libav to make up missing presentation times. In AVI they come out one frame
            # late, and would be believed before the decode times that ffmpeg goes by.
            options={"format_whitelist": FORMATS, "fflags": "-genpts"},
            metadata_errors="replace",
            timeout=max(1.0, media.remaining_s),
        )
    except (av.FFmpegError, ValueError) as error:
        raise _unopenable(media, error) from None
    with container:
        yield container


@contextmanager
def opened_stream(media: Media, limits: Limits) -> Iterator[tuple[Any, Any]]:
    """Open a container and its best video stream; all other streams are passed over.

    Raises:
        BadVideo: when there is none, or none that can be decoded within the limits.
    """
    with opened_container(media) as container:
        stream = _video_stream(container, media)
        context = stream.codec_context
        pixels = context.width * context.height
        if not 0 < pixels <= limits.max_pixels:
            found = f"its frames are {context.width}x{context.height}"
            move = f"leave it out, or give Limits(max_pixels=...) more than {limits.max_pixels:,}"
            if not pixels:
                move = "download it again, or encode it with ffmpeg"
            raise bad(media.name, "frame size", found, move)
        # Taken here: the same option through av.open does not reach the decoder.
        context.options = {"max_pixels": str(limits.max_pixels)}
        stream.thread_count = 1  # the loader's workers are the parallelism; threads break forks
        read_only(container, stream)
        yield container, stream


def read_only(container: Any, stream: Any) -> None:
    """Let the demuxer pass over every other stream."""
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def _video_stream(container: Any, media: Media) -> Any:
    """Choose the stream to show: no cover pictures, and one that libav can decode."""
    covers = {s.index for s in container.streams if s.disposition & Disposition.attached_pic}
    found = ", ".join(
        f"{'cover picture' if s.index in covers else s.type} "
        f"({getattr(s, 'name', None) or 'unknown codec'})"
        for s in container.streams
    )
    kind = container.format.name.split(",")[0]
    videos = [s for s in container.streams.video if s.index not in covers]
    if not videos:
        found = f"only {found}" if found else "no stream at all"
        move = "leave it out, or look for the file that holds the pictures"
        raise bad(media.name, "no video stream", f"this {kind} file has {found}", move)
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if stream.codec_context is None:
        move = "encode it as H.264: ffmpeg -i FILE -c:v libx264 OUT.mp4"
        raise bad(
            media.name, "unknown codec", f"libav has no decoder for its video ({found})", move
        )
    return stream


def _unopenable(media: Media, error: Exception) -> Exception:
    """Say what a file that libav refuses looks like."""
    if isinstance(error, av.ExitError | TimeoutError):
        media.check_time()
    head = head_of(media)
    if head.startswith(b"version https://git-lfs"):
        found, move = "it is a git-lfs pointer, not the video", "run git lfs pull"
        return bad(media.name, "lfs pointer", found, move)
    if head and all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head[:200]):
        start = head[:40].decode("ascii").strip()
        found = f"it is text ({start!r}...), not a video"
        return bad(
            media.name, "text", found, "download it again, an error page may have been saved"
        )
    if head[4:8] == b"ftyp":
        found = f"an mp4 without its index, cut off or never finished ({error.__class__.__name__})"
        return bad(media.name, "truncated", found, "download it again")
    text = getattr(error, "strerror", None) or str(error)
    found = f"no video that libav can read ({text})"
    return bad(media.name, "unreadable", found, "download it again, or encode it with ffmpeg")


def head_of(media: Media, n_bytes: int = 512) -> bytes:
    """Read the first bytes of a source; none where it may not be read."""
    if isinstance(media.file, str):
        try:
            with open(media.file, "rb") as file:
                return file.read(n_bytes)
        except OSError:  # no right to read it, or gone by now: libav's own words say so
            return b""
    media.file.seek(0)
    return media.file.read(n_bytes)
