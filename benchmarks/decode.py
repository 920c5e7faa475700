"""Cost of 24 frames at 364x364 from a video, beside the ways others take; CPU time, medians.

python benchmarks/decode.py --codecs h264 hevc vp9 av1 --seconds 10 60 600 --rounds 3

Every way shows the same frames, the middle ones of 24 equal parts (only the PNG route thins the
paper's one a second out), and the first of them alone for the column "first frame": from opening
the file to the picture. Each measurement is a process of its own whose packages are loaded, the ways
take turns, and the speed-up is over cv2 reading every frame, as the paper's evaluation does. A way
that took more than `--slow` CPU seconds is measured once; the column "rounds" says so. The last row
of a table is no way to read a video: it only decodes what must be decoded, from packets in memory.
A peer that is not installed is left out.
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
SAME = 6  # gray levels that two scalers may differ by, on average over a thumbnail


def indices(seconds: int) -> list[int]:
    """Frame numbers asked for: the middle of each of N parts."""
    total = seconds * FPS
    return [min(total - 1, (2 * i + 1) * total // (2 * N)) for i in range(N)]


def small(array) -> Image.Image:
    return Image.fromarray(np.asarray(array)).resize((EDGE, EDGE), Image.Resampling.BICUBIC)


def t2vid(clip, seconds, n):
    from t2vid.frames.spec import SampleSpec
    from t2vid.frames.video import sample_video

    part = {}
    if n == 1:
        first = indices(seconds)[0]
        part = {"start_s": first / FPS, "end_s": (first + 1) / FPS}
    sample = SampleSpec(fps=FPS, max_frames=n, sampling="midpoint", size=(EDGE, EDGE), **part)
    return lambda: sample_video(clip, sample)


def floor(clip, seconds, n):
    """Decode from the last keyframe through each target, without what no other frame needs."""
    import av

    wanted = indices(seconds)[:n]
    container = av.open(clip)
    stream = container.streams.video[0]
    stream.thread_count = 1
    packets = [packet for packet in container.demux(stream) if packet.size]
    tick = stream.time_base * FPS
    starts = [i for i, packet in enumerate(packets) if packet.is_keyframe]
    place = {round(packet.pts * tick): i for i, packet in enumerate(packets)}
    ends = {}
    for target in wanted:
        start = max(i for i in starts if packets[i].pts * tick <= target and i <= place[target])
        ends[start] = max(ends.get(start, 0), place[target])
    goals, codec = set(wanted), stream.codec_context

    def act():
        frames = []
        for start, end in ends.items():
            for packet in packets[start : end + 1]:
                codec.skip_frame = "DEFAULT" if round(packet.pts * tick) in goals else "NONREF"
                frames += [f for f in codec.decode(packet) if round(f.pts * tick) in goals]
            frames += [f for f in codec.decode(None) if round(f.pts * tick) in goals]
            codec.flush_buffers()
        return frames

    return act


def ffmpeg_png(clip, seconds, n):
    def act():
        rate = FPS if seconds < N else 1
        with tempfile.TemporaryDirectory() as folder:
            command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", clip, "-vf", f"fps={rate}"]
            subprocess.run([*command, f"{folder}/%06d.png"], check=True)
            paths = sorted(glob.glob(f"{folder}/*.png"))
            total = len(paths)
            return [small(Image.open(paths[(2 * i + 1) * total // (2 * N)])) for i in range(n)]

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
            if len(out) == n == 1:
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
        return list(map(Image.fromarray, reader.get_batch(indices(seconds)[:n]).asnumpy()))

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


PNG, BASE, OURS, FLOOR = "ffmpeg fps=1 to PNG", "cv2, every frame", "t2vid", "(only decoding)"
WAYS = {
    PNG: ("ffmpeg", ffmpeg_png),
    BASE: ("cv2", cv2_every_frame),
    "cv2, seek for each": ("cv2", cv2_seek),
    "decord": ("decord", decord),
    "torchcodec exact": ("torchcodec", torchcodec),
    "torchcodec approximate": ("torchcodec", torchcodec_approximate),
    OURS: ("av", t2vid),
    FLOOR: ("av", floor),
}


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
    wall = time.time() - wall
    peak = max(
        resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    thumbs = [] if way in (PNG, FLOOR) else [thumb(frame) for frame in frames]
    mb = (peak - memory) / 1024
    print(json.dumps({"cpu": spent, "wall": wall, "mb": mb, "thumbs": thumbs}))


def thumb(frame: Image.Image) -> list[int]:
    return list(frame.convert("L").resize((16, 16), Image.Resampling.BOX).tobytes())


def check_same(found: dict[str, list[list[int]]]) -> None:
    """Say which way showed other frames than t2vid did."""
    ours = np.asarray(found.get(OURS, []), int)
    for way, thumbs in found.items():
        if thumbs and ours.size:
            far = np.abs(np.asarray(thumbs, int) - ours).mean(axis=1)
            wrong = int((far > SAME).sum())
            if wrong:
                print(f"# {way}: {wrong} of {len(far)} frames are not those of t2vid")


def installed(module: str) -> bool:
    if module == "ffmpeg":
        return subprocess.run(["which", "ffmpeg"], capture_output=True).returncode == 0
    return importlib.util.find_spec(module) is not None


ENCODERS = {
    "h264": "libx264 -preset veryfast -bf 3 -sc_threshold 0",
    "hevc": "libx265 -preset veryfast -x265-params log-level=none",
    "vp9": "libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 2M",
    "av1": "libsvtav1 -preset 12 -crf 35",
}


def make(folder: str, seconds: int, gop: int, size: str, codec: str) -> str:
    """Encode a minute and repeat it, so that 30 minutes are made in seconds."""
    part, clip = f"{folder}/part.mp4", f"{folder}/{codec}-{seconds}-{gop}.mp4"
    source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={FPS}:d={min(seconds, 60)}"]
    encode = ["-pix_fmt", "yuv420p", "-c:v", *ENCODERS[codec].split(), "-g", str(gop)]
    quiet = ["ffmpeg", "-y", "-v", "error"]
    subprocess.run([*quiet, *source, *encode, part], check=True)
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
    parser.add_argument("--codecs", nargs="+", default=["h264"], choices=sorted(ENCODERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=float, default=20, help="CPU s beyond which one round does")
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
    load = os.getloadavg()[0]
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {', '.join(versions)};")
    print(
        f"{options.size}, {FPS} fps, GOP {options.gop}; load {load:.1f} "
        f"at the start; medians of {options.rounds} interleaved rounds where not said otherwise"
    )
    with tempfile.TemporaryDirectory() as folder:
        for codec in options.codecs:
            for seconds in options.seconds:
                clip = make(folder, seconds, options.gop, options.size, codec)
                table(clip, codec, seconds, ways, options.rounds, options.slow)
                os.remove(clip)


def table(clip: str, codec: str, seconds: int, ways: list[str], rounds: int, slow_s: float) -> None:
    """Measure every way in turns, and print a row each."""
    costs = {way: [] for way in ways}
    first = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            if costs[way] and (costs[way][0] is None or costs[way][0]["cpu"] > slow_s):
                continue
            costs[way].append(run(way, clip, seconds, N))
            # The paper's extraction has to end before there is a first picture.
            first[way].append(costs[way][-1] if way == PNG else run(way, clip, seconds, 1))
    found = {way: cost for way, cost in costs.items() if all(cost) and all(first[way])}
    print(
        f"\n| {codec}, {seconds} s, {N} frames | CPU s | speed-up | first frame, CPU ms | memory, MB | rounds |"
    )
    print("|---|---|---|---|---|---|")
    cpu = {way: statistics.median(c["cpu"] for c in cost) for way, cost in found.items()}
    for way in found:
        ms = 1000 * statistics.median(c["cpu"] for c in first[way])
        mb = statistics.median(c["mb"] for c in found[way])
        speed = f"{cpu[BASE] / cpu[way]:.2f}" if BASE in cpu else "–"
        rest = f"{ms:.0f} | {mb:.0f}" if way != FLOOR else f"{ms:.0f} | –"
        print(f"| {way} | {cpu[way]:.3f} | {speed} | {rest} | {len(found[way])} |", flush=True)
    check_same({way: cost[0]["thumbs"] for way, cost in found.items()})
    peers = {way: s for way, s in cpu.items() if way not in (OURS, FLOOR, PNG)}
    if OURS in cpu and peers:
        best = min(peers, key=peers.__getitem__)
        lines = [f"t2vid is {peers[best] / cpu[OURS]:.2f} times as fast as the best peer ({best})"]
        if PNG in cpu:
            lines.append(f"{cpu[PNG] / cpu[OURS]:.1f} times as fast as the PNG route")
        if FLOOR in cpu:
            lines.append(f"takes {cpu[OURS] / cpu[FLOOR]:.2f} times what decoding alone takes")
        print(f"\n{', '.join(lines)}.")


if __name__ == "__main__":
    main()
