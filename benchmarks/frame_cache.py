"""What keeping decoded frames costs and saves: 24 frames at 364x364, CPU time, medians.

python benchmarks/frame_cache.py --seconds 10 180 1800 --rounds 3

Clips of moving content are made by the ffmpeg program (`--clips FILE…` measures your own). The first
table says what each format costs a frame; the second after how many epochs the cache has paid for
writing it, and how many clips fit into 100 GB.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from decode import make
from PIL import Image

from t2vid.frames.frame_cache import FrameCache
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import sample_video

SPEC = SampleSpec(fps=25, max_frames=24, sampling="midpoint", size=(364, 364))


def cpu_ms(act: Callable[[], Any], rounds: int) -> float:
    """Give the median CPU time of a call in ms."""
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        act()
        spent.append(time.process_time() - start)
    return 1000 * statistics.median(spent)


def encoded(frame: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    frame.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def packed(
    codec: str, level: int | None
) -> tuple[Callable[..., bytes], Callable[..., Image.Image]]:
    tool = pa.Codec(codec, compression_level=level)

    def unpack(data: bytes) -> Image.Image:
        pixels = tool.decompress(data, 3 * 364 * 364, asbytes=True)
        return Image.frombytes("RGB", (364, 364), pixels)

    return lambda frame: tool.compress(frame.tobytes(), asbytes=True), unpack


FORMATS: dict[str, tuple[Callable[..., bytes], Callable[..., Image.Image]]] = {
    "raw": (Image.Image.tobytes, lambda data: Image.frombytes("RGB", (364, 364), data)),
    "raw + lz4": packed("lz4", None),
    "raw + zstd 1 (kept)": packed("zstd", 1),
    "raw + zstd 3": packed("zstd", 3),
    "JPEG 95": (lambda frame: encoded(frame, "JPEG", quality=95), decoded),
    "WebP 90": (lambda frame: encoded(frame, "WEBP", quality=90, method=0), decoded),
    "WebP lossless": (
        lambda frame: encoded(frame, "WEBP", lossless=True, quality=0, method=0),
        decoded,
    ),
    "PNG 1": (lambda frame: encoded(frame, "PNG", compress_level=1), decoded),
}


def compare_formats(frames: Sequence[Image.Image], rounds: int) -> None:
    print("| format | write, ms/frame | read, ms/frame | KB/frame | off by, of 255 |")
    print("|---|---|---|---|---|")
    n = len(frames)
    for name, (write, read) in FORMATS.items():
        stored = [write(frame) for frame in frames]
        off = [
            np.abs(np.asarray(read(data), int) - np.asarray(frame, int)).mean()
            for data, frame in zip(stored, frames, strict=True)
        ]
        writing = cpu_ms(lambda write=write: [write(f) for f in frames], rounds) / n
        reading = cpu_ms(lambda read=read, stored=stored: [read(d) for d in stored], rounds) / n
        size = sum(map(len, stored)) / n / 1000
        print(f"| {name} | {writing:.2f} | {reading:.2f} | {size:.0f} | {np.mean(off):.2f} |")


def pays(clip: Path, label: str, rounds: int, folder: str) -> None:
    decoding = cpu_ms(lambda: sample_video(clip, SPEC), rounds)
    cache, frames = FrameCache(folder), sample_video(clip, SPEC)
    key = cache.key(str(clip), SPEC)
    writing = cpu_ms(lambda: cache.put(key, frames), rounds)
    reading = cpu_ms(lambda: cache.get(cache.key(str(clip), SPEC)), rounds)
    size = cache._path(key).stat().st_size
    epochs = 1 + writing / max(1e-9, decoding - reading)
    print(
        f"| {label} | {len(frames)} | {decoding:.0f} | {writing:.0f} | {reading:.0f} | "
        f"{decoding / reading:.1f} | {epochs:.2f} | {size / 1e6:.1f} | {100e9 / size:,.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="*", default=[10, 180, 1800])
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--clips", nargs="*", default=[], type=Path, help="your own")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = {clip.name: clip for clip in options.clips}
        for seconds in options.seconds:
            made = make(folder, seconds, 250, options.size, "h264")
            clips[f"{seconds} s, h264, {options.size}"] = Path(made)
        for name, clip in clips.items():
            print(f"\n{name}:\n")
            compare_formats(sample_video(clip, SPEC), options.rounds)
        print(
            "\n| clip | frames | decode, ms | write, ms | read, ms | decode / read "
            "| paid for after epochs | MB | clips in 100 GB |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for name, clip in clips.items():
            pays(clip, name, options.rounds, folder)


if __name__ == "__main__":
    main()
