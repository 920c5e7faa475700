"""Compare `t2vid.stream` with `load_dataset(streaming=True)` on the same files: rows a second, memory, first row.

python benchmarks/stream.py --rows 20000 --words 400 --rounds 3

Both shuffle; frames are not drawn, so that reading is what is measured. `http` comes from a server on
the loopback with 5 ms before each answer, once without anything kept, once again with it.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

CLIENT = """
import json, resource, sys, time
import datasets, t2vid, torch
datasets.disable_progress_bars()
way, cache, *files = sys.argv[1:]
start, cpu = time.perf_counter(), time.process_time()
if way == "stream":
    rows = t2vid.stream(files, seed=1, frames=False, cache=cache)
else:
    rows = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    rows = rows.shuffle(seed=1, buffer_size=1600)
n = 0
for row in rows:
    n += 1
    if n == 1:
        first_s = time.perf_counter() - start
wall_s = time.perf_counter() - start
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(json.dumps([n / wall_s, n / (time.process_time() - cpu), first_s, peak_mb, n]))
"""


def make_files(folder: Path, *, rows: int, words: int, files: int = 8) -> list[str]:
    """Write rows as `t2vid build` does: Parquet, zstd, row groups of 100."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random, paths = np.random.default_rng(0), []
    known = np.array([f"word{i:x}" for i in range(30_000)])
    for part in range(files):
        n = rows // files
        texts = [" ".join(random.choice(known, words)) for _ in range(n)]
        spec = ["{}"] * n
        images = pa.StructArray.from_arrays(
            [pa.array(texts), pa.nulls(n, pa.string()), pa.nulls(n, pa.binary()), pa.array(spec)],
            names=["text", "path", "bytes", "spec"],
        )
        table = pa.table({"id": [f"{part}/{i}" for i in range(n)], "images": images})
        paths.append(str(folder / f"{part}.parquet"))
        pq.write_table(table, paths[-1], compression="zstd", row_group_size=100)
    return paths


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves files with ranges, 5 ms late."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the whole file or a part of it."""
        time.sleep(0.005)
        data = Path(self.translate_path(self.path)).read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (
            (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
        )
        part = data[first : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) if self.command == "HEAD" else len(part)))
        self.send_header("ETag", f'"{len(data)}"')
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(part)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def one(way: str, cache: str, files: list[str]) -> list[float]:
    """Read everything once in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, way, cache, *files],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HOME": str(Path(cache).parent / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run interleaved rounds and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        local = make_files(folder, rows=options.rows, words=options.words)
        handler = functools.partial(Ranges, directory=name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up early
        threading.Thread(target=server.serve_forever, daemon=True).start()
        urls = [f"http://127.0.0.1:{server.server_port}/{Path(path).name}" for path in local]
        found: dict[tuple[str, str], list[list[float]]] = {}
        for number in range(options.rounds):
            cache = str(folder / f"cache-{number}" / "kept")
            for where, files in (("disk", local), ("http", urls), ("http, again", urls)):
                for way in ("stream", "datasets"):
                    found.setdefault((where, way), []).append(one(way, cache, files))
        server.shutdown()
    print(f"{options.rows:,} rows of {options.words:,} words, medians of {options.rounds} rounds")
    print(f"{'':<24} {'rows/s':>8} {'rows/CPU s':>11} {'first row s':>12} {'peak MB':>8}")
    for (where, way), rounds in found.items():
        rate, cpu_rate, first_s, peak_mb, n = (
            median(column) for column in zip(*rounds, strict=True)
        )
        assert n == options.rows // 8 * 8, "rows were lost"
        print(
            f"{where + ', ' + way:<24} {rate:8,.0f} {cpu_rate:11,.0f} {first_s:12.2f} {peak_mb:8,.0f}"
        )


if __name__ == "__main__":
    main()
