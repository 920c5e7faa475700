"""24 frames at 364 px out of a video: t2vid, the paper's two ways and other libraries, in one run.

    python benchmarks/decode.py               # some minutes; --rounds 1 --clips "10 s" for a look

The clips are made here (libav's testsrc2, H.264 with B-frames); the long ones repeat a minute's
packets, so that making them is cheap. Every measurement runs in a process of its own: CPU time with
that of its children, memory above what it was after the imports, wall time to a first frame.
Ways take turns, and what is shown is the median; ratios are against the paper's evaluation loader
(cv2 reading every frame). Libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FPS, EDGE_PX, FRAMES = 25, 364, 24
CLIPS = {  # name: (seconds, frames between keyframes)
    "10 s": (10, 250),
    "3 min": (180, 250),
    "30 min": (1800, 250),
    "30 min, GOP 60": (1800, 60),
}


def make_minute(path: Path, *, seconds: int, gop: int, size: str) -> None:
    import av

    width, height = map(int, size.split("x"))
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={size}:rate={FPS}:duration={seconds}")
    grain = graph.add("noise", "alls=8:allf=t")
    shape = graph.add("format", "pix_fmts=yuv420p")
    sink = graph.add("buffersink")
    source.link_to(grain)
    grain.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = gop
        for _ in range(seconds * FPS):
            frame: Any = sink.pull()
            frame.pict_type = 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def repeat(minute: Path, path: Path, times: int) -> None:
    import av

    with av.open(str(minute)) as held, av.open(str(path), "w") as out:
        stream: Any = held.streams.video[0]
        copy: Any = out.add_stream_from_template(stream)
        length = round(stream.frames / FPS / stream.time_base)
        for n in range(times):
            held.seek(0)
            for packet in held.demux(stream):
                if packet.size:
                    packet.pts, packet.dts = packet.pts + n * length, packet.dts + n * length
                    packet.stream = copy
                    out.mux(packet)


def indices(total: int, n: int) -> list[int]:
    """Give the frame numbers that the rule of `SampleSpec()` shows at a constant rate."""
    from t2vid.frames.sampling import subset

    seconds = total // FPS
    return [min(total - 1, s * FPS + (FPS - 1) // 2) for s in subset(seconds, n, select="paper")]


def ours(path: str, n: int, total: int) -> list[Any]:
    from t2vid.frames.spec import SampleSpec
    from t2vid.frames.video import sample_video

    return list(sample_video(path, SampleSpec(max_frames=n, size=EDGE_PX)))


def paper_png(path: str, n: int, total: int) -> list[Any]:
    from PIL import Image

    from t2vid.frames.sampling import subset

    with tempfile.TemporaryDirectory() as folder:
        command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", path, "-vf", "fps=1"]
        subprocess.run([*command, f"{folder}/%05d.png"], check=True, stdin=subprocess.DEVNULL)
        names = sorted(Path(folder).iterdir())
        picks = subset(len(names), n, select="paper")
        return [small(Image.open(names[i]).convert("RGB")) for i in picks]


def cv2_all(path: str, n: int, total: int) -> list[Any]:
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    video, wanted, out = cv2.VideoCapture(path), set(indices(total, n)), []
    last = max(wanted) if n == 1 else total
    for i in range(last + 1):
        more, frame = video.read()
        if not more:
            break
        if i in wanted:
            out.append(small(Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))))
    video.release()
    return out


def cv2_seek(path: str, n: int, total: int) -> list[Any]:
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    video, out = cv2.VideoCapture(path), []
    for i in indices(total, n):
        video.set(cv2.CAP_PROP_POS_FRAMES, i)
        frame = video.read()[1]
        out.append(small(Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))))
    video.release()
    return out


def decord_batch(path: str, n: int, total: int) -> list[Any]:
    import decord
    from PIL import Image

    reader = decord.VideoReader(path, num_threads=1)
    return [small(Image.fromarray(a)) for a in reader.get_batch(indices(total, n)).asnumpy()]


def torchcodec_in(mode: str) -> Callable[[str, int, int], list[Any]]:
    def read(path: str, n: int, total: int) -> list[Any]:
        from PIL import Image
        from torchcodec.decoders import VideoDecoder

        decoder = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode=mode)
        batch = decoder.get_frames_at(indices(total, n)).data.numpy()
        return [small(Image.fromarray(a)) for a in batch]

    return read


def small(image: Any) -> Any:
    ratio = EDGE_PX / max(image.size)
    return image.resize((round(image.width * ratio), round(image.height * ratio)), 3)


WAYS: dict[str, tuple[str, Callable[[str, int, int], list[Any]]]] = {
    "cv2, every frame (the paper's evaluation)": ("cv2", cv2_all),
    "ffmpeg fps=1 to PNG (the paper's extraction)": ("ffmpeg", paper_png),
    "cv2, seeking": ("cv2", cv2_seek),
    "decord": ("decord", decord_batch),
    "torchcodec, exact": ("torchcodec", torchcodec_in("exact")),
    "torchcodec, approximate": ("torchcodec", torchcodec_in("approximate")),
    "t2vid": ("av", ours),
}


def installed(name: str) -> bool:
    return bool(shutil.which(name) if name == "ffmpeg" else importlib.util.find_spec(name))


def cpu_s() -> float:
    return sum(
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def peak_mb() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(w).ru_maxrss for w in who) / 1024


def measure_here(way: str, path: str, total: int) -> dict[str, float]:
    module, act = WAYS[way]
    if module != "ffmpeg":
        importlib.import_module({"torchcodec": "torchcodec.decoders"}.get(module, module))
    importlib.import_module("t2vid.frames.video")
    base, start = peak_mb(), time.perf_counter()
    first = float("nan")
    if module != "ffmpeg":  # it has no first frame before the last
        assert len(act(path, 1, total)) == 1
        first = time.perf_counter() - start
    used = cpu_s()
    frames = act(path, FRAMES, total)
    used = cpu_s() - used
    assert len(frames) in (FRAMES, total // FPS) and max(frames[0].size) == EDGE_PX
    return {"cpu_s": used, "first_s": first, "peak_mb": peak_mb() - base}


def measure(way: str, path: Path, total: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", way, str(path), str(total)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def table(clip: str, found: dict[str, list[dict[str, float]]], base: str) -> list[str]:
    def median(way: str, what: str) -> float:
        return statistics.median(run[what] for run in found[way])

    lines = [
        f"| {clip} | CPU s | times cv2 | first frame, ms | memory, MB |",
        "|---|---|---|---|---|",
    ]
    for way in found:
        used, first = median(way, "cpu_s"), median(way, "first_s")
        ms = "–" if first != first else f"{first * 1e3:,.0f}"
        times = median(base, "cpu_s") / used if base in found else float("nan")
        lines.append(f"| {way} | {used:.3f} | {times:.2f} | {ms} | {median(way, 'peak_mb'):,.0f} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--clips", nargs="*", default=list(CLIPS), choices=list(CLIPS))
    parser.add_argument("--slow-rounds", type=int, default=1, help="of ways that decode 30 min")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "PATH", "TOTAL"))
    options = parser.parse_args(arguments)
    if options.one:
        way, path, total = options.one
        print(json.dumps(measure_here(way, path, int(total))))
        return
    ways = [way for way, (module, _) in WAYS.items() if installed(module)]
    with tempfile.TemporaryDirectory() as folder:
        for clip in options.clips:
            seconds, gop = CLIPS[clip]
            path = make_clip(Path(folder), seconds, gop, options.size)
            found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
            for n in range(options.rounds):
                for way in ways:
                    slow = seconds > 600 and way in list(WAYS)[:2]
                    if not slow or n < options.slow_rounds:
                        found[way].append(measure(way, path, seconds * FPS))
            megabytes = path.stat().st_size / 1e6
            print(f"\n{options.size}, {FPS} fps, GOP {gop}, {megabytes:,.0f} MB")
            print("\n".join(table(clip, found, ways[0])), flush=True)
            path.unlink()


def make_clip(folder: Path, seconds: int, gop: int, size: str) -> Path:
    minute, path = folder / f"minute{gop}.mp4", folder / "clip.mp4"
    if seconds < 60:
        make_minute(path, seconds=seconds, gop=gop, size=size)
        return path
    if not minute.exists():
        make_minute(minute, seconds=60, gop=gop, size=size)
    repeat(minute, path, seconds // 60)
    return path


if __name__ == "__main__":
    main()
