"""Builds `hybrid-30k` from generated files of the real formats and sizes, and prints what it took.

    python benchmarks/mix.py                  # 10K + 10K + 9K + 39K annotation rows
    python benchmarks/mix.py --scale 0.01     # a quick look
    python benchmarks/mix.py --ray            # also on a local Ray cluster
    python benchmarks/mix.py --nodes          # also on a cluster of two nodes, one of which dies

Three builds: one straight, one killed with SIGKILL and run again, and with --ray one on the other
engine; their hashes must be equal. Then the budget alone, once everything is counted, and the
rows that a stock shuffled stream of `datasets` loses and repeats when it is stopped and resumed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ROWS = {"sharegemini": 10_000, "video_chatgpt": 10_000, "longalpaca": 9_000, "longqlora": 39_000}
ASKED = ["Describe the video in detail.", "Give a thorough account of this clip.", "What is shown?"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--num-proc", type=int, default=2)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--nodes", action="store_true")
    parser.add_argument("--data", type=Path, help="generated before; kept")
    parser.add_argument("--only", nargs=2, metavar=("DATA", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--recipe", help=argparse.SUPPRESS)
    parser.add_argument("--engine", default="local", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        one_build(args)
        return
    folder = Path(tempfile.mkdtemp(prefix="t2vid-mix-"))
    os.environ["HF_HOME"] = str(folder / "cache")
    try:
        compare(args, folder)
    finally:
        shutil.rmtree(folder)


def compare(args: argparse.Namespace, folder: Path) -> None:
    data, recipe = args.data or folder / "data", folder / "recipe.yaml"
    started = time.perf_counter()
    if not data.is_dir():
        generate(data, args.scale)
    size = sum(path.stat().st_size for path in data.glob("*.json*"))
    print(f"generated {size / 1e6:,.0f} MB of annotations in {time.perf_counter() - started:.0f} s")
    write_recipe(recipe, args.scale)
    common = [sys.executable, __file__, "--num-proc", str(args.num_proc), "--recipe", str(recipe)]

    straight = run([*common, "--only", str(data), str(folder / "a")])
    print(straight["table"])
    report("straight build, nothing cached", straight)
    again = run(
        [*common, "--only", str(data), str(folder / "b")],
        kill_after_shards=shards_to_kill(args.scale),
    )
    report("killed (SIGKILL) on the way, run again", again)
    hashes = {straight["sha256"], again["sha256"]}
    if args.ray:
        other = run([*common, "--engine", "ray", "--only", str(data), str(folder / "c")])
        report("ray, cached counts", other)
        hashes.add(other["sha256"])
    if args.nodes:
        other = run([*common, "--engine", "nodes", "--only", str(data), str(folder / "d")])
        report("ray, two nodes, one killed half way", other)
        hashes.add(other["sha256"])
    print("all builds identical by hash:", len(hashes) == 1)
    budget_alone(recipe, data)
    resume_beside_stock(straight["rows"])
    if len(hashes) > 1:
        raise SystemExit("the builds differ")


def one_build(args: argparse.Namespace) -> None:
    from t2vid.mixing.build import build

    data, out = args.only
    engine, address = args.engine, None
    if engine == "nodes":
        engine, address = "ray", two_nodes(Path(out))
    started, cpu = time.perf_counter(), os.times()
    built = build(
        args.recipe, data=data, out=out, num_proc=args.num_proc, engine=engine, address=address
    )
    cpu_s = sum(os.times()[:4]) - sum(cpu[:4])
    peak = {
        "driver": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "largest worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }
    result = {
        "sha256": built.hash,
        "rows": built.n_rows,
        "bytes": built.n_bytes,
        "written": built.written,
        "seconds": time.perf_counter() - started,
        "cpu_s": cpu_s,
        "peak_mb": {name: kb / 1024 for name, kb in peak.items()},
        "table": built.table(),
    }
    print(json.dumps(result))


def two_nodes(out: Path) -> str:
    """Start a cluster of two nodes and kill the second once half of the shards are there."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    second = cluster.add_node(num_cpus=1)

    def kill() -> None:
        while not (out / ".work" / "plan.json").is_file():
            time.sleep(0.05)
        plan = json.loads((out / ".work" / "plan.json").read_text())
        n_shards = -(-plan["n_rows"] // plan["rows_per_shard"])
        while len(list(out.glob("data/train-*.parquet"))) < max(1, n_shards // 2):
            time.sleep(0.02)
        cluster.remove_node(second, allow_graceful=False)
        print("the second node is dead", file=sys.stderr)

    threading.Thread(target=kill, daemon=True).start()
    return str(cluster.address)


def run(command: list[str], *, kill_after_shards: int = 0) -> dict[str, object]:
    if kill_after_shards:
        out = Path(command[-1])
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        while len(list(out.glob("data/train-*.parquet"))) < kill_after_shards:
            time.sleep(0.02)
            if process.poll() is not None:
                raise SystemExit("the build ended before it could be killed")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def shards_to_kill(scale: float) -> int:
    return max(1, int(12 * scale))


def report(name: str, result: dict) -> None:
    peaks = ", ".join(f"{who} {mb:,.0f} MB" for who, mb in result["peak_mb"].items())
    print(
        f"{name}: {result['rows']:,} rows, {result['written']} shards written by the last run in "
        f"{result['seconds']:.0f} s ({result['cpu_s']:.0f} s CPU), {result['bytes'] / 1e6:,.1f} MB, peak {peaks}, "
        f"sha256 {result['sha256'][:16]}"
    )


def budget_alone(recipe: Path, data: Path) -> None:
    """Budget all rows again, in this process, with every count in the cache."""
    from t2vid.mixing.build import build

    started, cpu = time.perf_counter(), time.process_time()
    dry = build(recipe, data=data, dry_run=True)
    print(
        f"budgeting {dry.total('rows'):,} rows once counted, one core: "
        f"{time.perf_counter() - started:.1f} s ({time.process_time() - cpu:.1f} s CPU)"
    )
    print(dry.table())


def resume_beside_stock(n: int) -> None:
    """Stop half way and resume: rows lost and repeated by the plan and by a stock shuffled stream."""
    from datasets import Dataset, interleave_datasets

    from t2vid.mixing.plan import PlanSampler, RowPlan

    plan = RowPlan(n, seed=0)
    first = PlanSampler(plan)
    rows = list(itertools.islice(first, n // 2))
    second = PlanSampler(plan)
    second.load_state_dict(first.state_dict())
    rows += list(second)
    print(
        f"row plan: {n - len(set(rows))} of {n:,} rows lost, {len(rows) - len(set(rows))} repeated"
    )

    def stock():
        parts = [
            Dataset.from_dict({"i": list(range(s, 362, 2))}).to_iterable_dataset(4) for s in (0, 1)
        ]
        mixed = interleave_datasets(parts, stopping_strategy="all_exhausted_without_replacement")
        return mixed.shuffle(seed=0, buffer_size=32)

    stream, seen = stock(), []
    for row in stream:
        seen.append(row["i"])
        if len(seen) == 150:
            state = stream.state_dict()
            break
    stream = stock()
    stream.load_state_dict(state)
    seen += [row["i"] for row in stream]
    lost, repeated = 362 - len(set(seen)), len(seen) - len(set(seen))
    print(f"stock shuffled stream: {lost} of 362 rows lost, {repeated} repeated")


def generate(data: Path, scale: float) -> None:
    """Write the four annotation files and a video for each name, all from one seed."""
    rng = np.random.default_rng(0)
    words = vocabulary(rng)
    (data / "videos").mkdir(parents=True)
    rows = {name: max(20, int(n * scale)) for name, n in ROWS.items()}

    def text(n: int) -> str:
        picked = words[np.minimum(rng.zipf(1.3, n), len(words)) - 1]
        parts = [" ".join(picked[i : i + 14]).capitalize() + "." for i in range(0, n, 14)]
        return "\n".join(" ".join(parts[i : i + 6]) for i in range(0, len(parts), 6))

    def long() -> int:
        return int(np.clip(rng.lognormal(8.6, 0.6), 300, 24_000))  # median 5,400 words

    clips = make_clips(data / "clips")
    gemini, names = [], []
    for i in range(rows["sharegemini"]):
        names.append(f"10{i:08d}")
        turns = [
            {"from": "human", "value": f"<video>\n{ASKED[i % 3]}"},
            {"from": "gpt", "value": text(int(rng.integers(60, 220)))},
        ]
        gemini.append({"video": f"{i // 50:06d}/10{i:08d}.mp4", "conversations": turns})
    write_json(data / "sharegemini_webvid_core100k.json", gemini)
    chat = []
    for i in range(rows["video_chatgpt"]):
        stem = f"v_{i // 7:011d}"
        if i % 7 == 0:
            names.append(stem)
        noise = "\nQA_GT_caption_based_noisy" if i % 9 == 0 else ""
        answer = text(int(rng.integers(10, 90))) + noise
        chat.append({"q": text(int(rng.integers(6, 20))) + "?", "a": answer, "video_id": stem})
    write_json(data / "VideoInstruct100K.json", chat)
    for i, name in enumerate(names):
        folder = data / "videos" / f"{i // 500:03d}"
        folder.mkdir(exist_ok=True)
        os.link(clips[i % len(clips)], folder / f"{name}.mp4")
    with (data / "LongAlpaca-12k.json").open("w") as file:
        for i in range(rows["longalpaca"]):
            ask = (
                "Below is a paper. Memorize the paper and answer my question after the paper.\n The "
                f"paper begins. \n {text(long())} \n Now the paper ends. \nQuestion: {text(12)}?"
            )
            record = {
                "instruction": ask,
                "output": f"Answer: {text(120)}",
                "file": None,
                "input": None,
            }
            file.write(("[" if i == 0 else ",\n") + json.dumps(record))
        file.write("]")
    with (data / "LongQLoRA-SFT-Data-39k.jsonl").open("w") as file:
        for i in range(rows["longqlora"]):
            if i % 3 == 0:  # Evol-Instruct rows without a document
                record = {"input": text(40), "output": text(200)}
            else:
                n = min(long(), 5500)  # every row of the corpus fits 8192 tokens
                ask = f"{text(n)}\n\nQ: {text(10)}?\nA:"
                record = {"input": ask, "output": text(150)}
            file.write(json.dumps(record) + "\n")


def vocabulary(rng: np.random.Generator) -> np.ndarray:
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    sizes = rng.integers(2, 10, 20_000)
    return np.array(["".join(rng.choice(letters, n)) for n in sizes])


def make_clips(folder: Path) -> list[Path]:
    """Encode eight small clips of 4 to 60 seconds."""
    import av

    folder.mkdir()
    paths = []
    for number, seconds in enumerate((4, 8, 12, 16, 20, 30, 45, 60)):
        path = folder / f"source{number}.bin"  # no video's name, so that only the links are found
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for i in range(seconds * 10):
                picture = np.full((64, 96, 3), (i * 3 + number * 20) % 256, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        paths.append(path)
    return paths


def write_json(path: Path, rows: list) -> None:
    path.write_text(json.dumps(rows, indent=4))


def write_recipe(path: Path, scale: float) -> None:
    import dataclasses

    from t2vid.mixing.recipe import Recipe

    recipe = Recipe.from_yaml("hybrid-30k")
    sources = [dataclasses.replace(s, count=max(10, int(s.count * scale))) for s in recipe.sources]
    # the recipe as shipped at full size
    path.write_text(dataclasses.replace(recipe, sources=tuple(sources)).to_yaml())


if __name__ == "__main__":
    main()
