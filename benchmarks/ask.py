"""Questions a second: t2vid against a plain loop and against decoding inside the request.

python benchmarks/ask.py --clips 8 --per-clip 5

The model is the mini image-LLM, the clips are made here. "Plain loop" decodes, encodes and answers
one question at a time. "Inside the request" is how lmms-eval's model files do it, re-stated: batches
of requests, each of which decodes its own video while the model waits. Then a server on the loopback
that takes a while for every answer: one request after the other, and several under way. Wall time is
what counts here, so the ways take turns; CPU time stands beside it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from benchmark_rows import make_rows
from loopback import serving
from media import make_clip
from t2vid.evaluation import asking
from t2vid.evaluation import run as running
from t2vid.evaluation.backends import OpenAIBackend, TransformersBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.run import benchmark_rows, evaluate
from t2vid.frames.video import sample_video
from t2vid.models import mini

ANSWER_S = 0.5  # what the server takes


def plain_loop(backend: Any, rows: Any, how: EvalConfig, out: Path, batch: int) -> None:
    for row in rows:
        frames = sample_video(row["images"]["path"], asking.spec_of(row["images"], how))
        backend.answer([backend.prepare(asking.ask(row, 0, frames, how))], how)


def inside_the_request(backend: Any, rows: Any, how: EvalConfig, out: Path, batch: int) -> None:
    for start in range(0, len(rows), batch):
        prepared = []
        for row in rows.select(range(start, min(start + batch, len(rows)))):
            frames = sample_video(row["images"]["path"], asking.spec_of(row["images"], how))
            prepared.append(backend.prepare(asking.ask(row, 0, frames, how)))
        backend.answer(prepared, how)


def ours(backend: Any, rows: Any, how: EvalConfig, out: Path, batch: int) -> Any:
    return evaluate(backend, rows, how, out=out, batch_size=batch, workers=2)


def timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--per-clip", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    args = parser.parse_args()
    running.score = lambda *_, **__: None  # the other ways do not score either
    backend = TransformersBackend(*mini(), name="mini")
    generate = EvalConfig(frames=8, max_new_tokens=8)
    letters = generate.replace(answering="letters")
    ways = {
        "plain loop": (plain_loop, generate),
        "inside the request": (inside_the_request, generate),
        "t2vid": (ours, generate),
        "t2vid, letters in one pass": (ours, letters),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [folder / f"{n}.mp4" for n in range(args.clips)]
        make_clip(clips[0], seconds=args.seconds, fps=25, size=(640, 360))
        for clip in clips[1:]:
            shutil.copy(clips[0], clip)
        rows, _ = benchmark_rows(make_rows(clips, args.per_clip), {})
        n = len(rows)
        spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        waited: dict[str, list[float]] = {way: [] for way in ways}
        inside_the_request(backend, rows.select(range(1)), generate, folder, 1)  # warm
        for round_ in range(args.rounds):
            for way, (act, how) in ways.items():
                out = folder / f"{way}-{round_}"
                wall, cpu, run = timed(lambda: act(backend, rows, how, out, args.batch_size))  # noqa: B023
                spent[way].append((wall, cpu))
                if run is not None:
                    clock = run.clock()
                    waited[way].append(clock["waited_s"] / clock["seconds"])
        print(f"{n} questions about {args.clips} clips of {args.seconds:g} s, 640x360, 25 fps")
        print("| way | questions/s | CPU s | times the plain loop | model waits |")
        print("|---|---|---|---|---|")
        base = median(wall for wall, _ in spent["plain loop"])
        for way, times in spent.items():
            wall, cpu = (median(one[at] for one in times) for at in (0, 1))
            share = f"{100 * median(waited[way]):.0f} %" if waited[way] else ""
            print(f"| {way} | {n / wall:.1f} | {cpu:.1f} | {base / wall:.2f} | {share} |")
        print(f"\nserver that takes {1000 * ANSWER_S:.0f} ms")
        print("| requests under way | questions/s |\n|---|---|")
        for server in serving():
            server.say = lambda request: time.sleep(ANSWER_S) or "B"
            OpenAIBackend("vlm", server.url).ask(b"{}")  # imports what it needs
            for under_way in (1, 4, 16):
                served = OpenAIBackend("vlm", server.url)
                out = folder / f"served-{under_way}"
                wall, _, _ = timed(lambda: ours(served, rows, generate, out, under_way))  # noqa: B023
                print(f"| {under_way} | {n / wall:.1f} |")


if __name__ == "__main__":
    main()
