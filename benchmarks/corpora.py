"""Reading the corpora: finding videos among 100,000 files, and rows in a large JSON list.

    python benchmarks/corpora.py            # about a minute; --files 10000 --megabytes 50 for a glance

Peers in the same run, CPU time, medians of interleaved rounds: one `Path.rglob` over the folder and a
lookup in its result, and `json.load` of the whole file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--peak", choices=["ours", "json"], help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak_mb(options.peak, options.path))
        return
    with tempfile.TemporaryDirectory() as folder:
        videos(Path(folder, "videos"), options.files)
        rows(Path(folder, "rows.json"), options.megabytes)


def videos(root: Path, n: int) -> None:
    from t2vid.storage import videos as module

    names = [f"{i // 500:05d}/v_{i:011d}.mp4" for i in range(n)]
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def ours() -> None:
        folder = module.VideoFolder.scan(root)
        assert all(folder.find(name[6:-4]) for name in names)

    def peer() -> None:
        found = {path.stem: path for path in root.rglob("*.mp4")}
        assert all(found[name[6:-4]] for name in names)

    def scanned() -> None:
        assert module.VideoFolder.scan(root).state

    a, b, c = medians(ours, peer, scanned)
    print(
        f"| {n:,} videos in {1 + (n - 1) // 500:,} folders | CPU s | times rglob |\n|---|---|---|"
    )
    row(f"`Path.rglob`, a dict, {n:,} lookups", b, b)
    row(f"t2vid: scan, sizes, times, {n:,} lookups", a, b)
    row("t2vid: scan and hash, no look-up", c, b)


def rows(path: Path, megabytes: int) -> None:
    from t2vid.storage import records

    record = {"instruction": "A sentence of a long document, again. " * 1300, "output": "So."}
    size = len(json.dumps(record))
    with path.open("w") as file:
        file.write("[" + json.dumps(record))
        for _ in range(megabytes * 1_000_000 // size):
            file.write(",\n" + json.dumps(record))
        file.write("]")
    a, b = medians(
        lambda: sum(1 for _ in records.read(str(path))), lambda: json.loads(path.read_text())
    )
    peaks = {
        way: int(subprocess.check_output([sys.executable, __file__, "--peak", way, "--path", path]))
        for way in ("ours", "json")
    }
    print(f"\n| {megabytes} MB of JSON | CPU s | times json.load | peak memory over the start |")
    print("|---|---|---|---|")
    row("`json.load`", b, b, f"{peaks['json']:,} MB")
    row("t2vid: row by row", a, b, f"{peaks['ours']:,} MB")


def row(what: str, cpu_s: float, peer_s: float, *more: str) -> None:
    """Print a line of a table, with the speed over the peer's."""
    print(f"| {' | '.join((what, f'{cpu_s:.2f}', f'{peer_s / cpu_s:.2f}', *more))} |", flush=True)


def peak_mb(way: str, path: str) -> int:
    from t2vid.storage import records

    before = high_water_mb()
    if way == "ours":
        sum(1 for _ in records.read(path))
    else:
        with open(path) as file:
            json.load(file)
    return high_water_mb() - before


def high_water_mb() -> int:
    # ru_maxrss would count the parent process too, from before the exec
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def medians(*acts: Callable[[], object]) -> list[float]:
    spent: list[list[float]] = [[] for _ in acts]
    for _ in range(ROUNDS):
        for times, act in zip(spent, acts, strict=True):
            start = time.process_time()
            act()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in spent]


if __name__ == "__main__":
    main()
