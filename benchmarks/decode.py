"""Cost of 24 frames at 364x364 from a video, beside the ways others take; CPU time, medians.

python benchmarks/decode.py --seconds 10 180 1800 --rounds 3

Every measurement is a process of its own, the ways take turns, and the speed-up is over cv2 reading
every frame, as the paper's evaluation does. A peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import datetime
import glob
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

N, EDGE, FPS = 24, 364, 25


def indices(seconds: int) -> list[int]:
    """Frame numbers near the paper's: the middle of each of N parts."""
    total = seconds * FPS
    return [min(total - 1, int((i + 0.5) * total / N)) for i in range(N)]


def small(array) -> Image.Image:
    return Image.fromarray(np.asarray(array)).resize((EDGE, EDGE), Image.Resampling.BICUBIC)


def t2vid(clip, seconds, n):
    from t2vid.frames.spec import SampleSpec
    from t2vid.frames.video import sample_video

    sample = SampleSpec(fps=FPS if seconds < N else 1, max_frames=n, size=(EDGE, EDGE))
    return lambda: sample_video(clip, sample)


def ffmpeg_png(clip, seconds, n):
    def act():
        rate = FPS if seconds < N else 1
        with tempfile.TemporaryDirectory() as folder:
            command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", clip, "-vf", f"fps={rate}"]
            subprocess.run([*command, f"{folder}/%06d.png"], check=True)
            paths = sorted(glob.glob(f"{folder}/*.png"))
            step = max(1, len(paths) // n)
            return [small(Image.open(path)) for path in paths[::step][:n]]

    return act


def cv2_every_frame(clip, seconds, n):
    import cv2

    cv2.setNumThreads(1)

    def act():
        video, wanted, out = cv2.VideoCapture(clip), set(indices(seconds)[:n]), []
        for i in range(seconds * FPS):
            ok, frame = video.read()
            if ok and i in wanted:
                out.append(small(frame[:, :, ::-1]))
            if len(out) == n and n == 1:
                break
        return out

    return act


def cv2_seek(clip, seconds, n):
    import cv2

    cv2.setNumThreads(1)

    def act():
        video, out = cv2.VideoCapture(clip), []
        for i in indices(seconds)[:n]:
            video.set(cv2.CAP_PROP_POS_FRAMES, i)
            out.append(small(video.read()[1][:, :, ::-1]))
        return out

    return act


def decord(clip, seconds, n):
    from decord import VideoReader, cpu

    def act():
        reader = VideoReader(clip, ctx=cpu(0), num_threads=1, width=EDGE, height=EDGE)
        return list(reader.get_batch(indices(seconds)[:n]).asnumpy())

    return act


def torchcodec(clip, seconds, n, mode="exact"):
    import torch
    from torchcodec.decoders import VideoDecoder

    torch.set_num_threads(1)

    def act():
        decoder = VideoDecoder(clip, num_ffmpeg_threads=1, seek_mode=mode)
        data = decoder.get_frames_at(indices(seconds)[:n]).data
        return [small(frame.permute(1, 2, 0)) for frame in data]

    return act


def torchcodec_approximate(clip, seconds, n):
    return torchcodec(clip, seconds, n, "approximate")


WAYS = {
    "ffmpeg fps=1 to PNG": ("ffmpeg", ffmpeg_png),
    "cv2, every frame": ("cv2", cv2_every_frame),
    "cv2, seek for each": ("cv2", cv2_seek),
    "decord": ("decord", decord),
    "torchcodec exact": ("torchcodec", torchcodec),
    "torchcodec approximate": ("torchcodec", torchcodec_approximate),
    "t2vid": ("av", t2vid),
}
BASE = "cv2, every frame"


def cpu_s() -> float:
    own, kids = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + kids.ru_utime + kids.ru_stime


def measure(way: str, clip: str, seconds: int, n: int) -> None:
    """Print what one way costs, in this process, once its packages are loaded."""
    act = WAYS[way][1](clip, seconds, n)
    memory, start, wall = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, cpu_s(), time.time()
    frames = act()
    assert len(frames) == n, (way, len(frames))
    spent = cpu_s() - start
    peak = max(
        resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"cpu": spent, "wall": time.time() - wall, "mb": (peak - memory) / 1024}))


def installed(module: str) -> bool:
    if module == "ffmpeg":
        return subprocess.run(["which", "ffmpeg"], capture_output=True).returncode == 0
    return importlib.util.find_spec(module) is not None


def make(folder: str, seconds: int, gop: int, size: str) -> str:
    """Encode a minute and repeat it, so that 30 minutes are made in seconds."""
    part, clip = f"{folder}/part.mp4", f"{folder}/{seconds}-{gop}.mp4"
    source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={FPS}:d={min(seconds, 60)}"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", str(gop)]
    quiet = ["ffmpeg", "-y", "-v", "error"]
    subprocess.run([*quiet, *source, *encode, "-sc_threshold", "0", part], check=True)
    loop = ["-stream_loop", str(max(1, seconds // 60) - 1)]
    subprocess.run([*quiet, *loop, "-i", part, "-c", "copy", clip], check=True)
    return clip


def run(way: str, clip: str, seconds: int, n: int) -> dict[str, float] | None:
    command = [sys.executable, __file__, "--one", way, clip, str(seconds), str(n)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"# {way}: {done.stderr.strip().splitlines()[-1][:100]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 180, 1800])
    parser.add_argument("--gop", type=int, default=250)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[], help="ways to leave out")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, clip, seconds, n = options.one
        measure(way, clip, int(seconds), int(n))
        return
    ways = [w for w, (module, _) in WAYS.items() if installed(module) and w not in options.skip]
    versions = [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("av", "torchcodec", "decord", "opencv-python-headless")
        if importlib.util.find_spec(name.replace("opencv-python-headless", "cv2"))
    ]
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {', '.join(versions)};")
    print(
        f"H.264 {options.size}, {FPS} fps, GOP {options.gop}, 3 B-frames; load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            clip = make(folder, seconds, options.gop, options.size)
            costs = {way: [] for way in ways}
            first = {way: [] for way in ways}
            for _ in range(options.rounds):
                for way in ways:
                    costs[way].append(run(way, clip, seconds, N))
                    first[way].append(run(way, clip, seconds, 1))
            print(
                f"\n| {seconds} s, {N} frames | CPU s | speed-up | first frame, CPU ms | memory, MB |"
            )
            print("|---|---|---|---|---|")
            cpu = {
                w: statistics.median(c["cpu"] for c in found)
                for w, found in costs.items()
                if all(found)
            }
            for way in cpu:
                early = [c["cpu"] for c in first[way] if c]
                ms = f"{1000 * statistics.median(early):.0f}" if early else "–"
                mb = statistics.median(c["mb"] for c in costs[way])
                speed = f"{cpu[BASE] / cpu[way]:.2f}" if BASE in cpu else "–"
                print(f"| {way} | {cpu[way]:.3f} | {speed} | {ms} | {mb:.0f} |", flush=True)


if __name__ == "__main__":
    main()
