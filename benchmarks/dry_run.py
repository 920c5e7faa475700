"""Plan a mix of many rows without building it: wall, CPU, peak memory.

python benchmarks/dry_run.py --rows 1000000 --num-proc 2

Half of the rows are texts of `--words` words, half are video rows whose videos are not there yet, so
that their frames are assumed; the counts of an earlier run are not used.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLIENT = """
import resource, sys
from t2vid.mixing.build import build
from t2vid.mixing.recipe import Recipe, Source
data, rows, num_proc = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
recipe = Recipe("large", (
    Source("t2vid/synthetic", config="triplets", name="texts", files=("texts.jsonl",), share=0.5),
    Source("t2vid/video_chatgpt", name="clips", files=("clips.json",), share=0.5),
), rows=rows)
found = build(recipe, data=data, dry_run=True, num_proc=num_proc if num_proc > 1 else None)
print(found.total("rows"), found.total("frames"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3)
"""


def write_data(folder: Path, *, rows: int, words: int) -> None:
    """Write annotation files for so many rows."""
    known = [f"word{i % 977} {'and or but so'.split()[i % 4]}" for i in range(4000)]
    with open(folder / "texts.jsonl", "w") as file:
        for i in range(rows // 2):
            context = " ".join(known[(i * 7 + j) % 4000] for j in range(words // 2))
            record = {
                "context": f"{i} {context}",
                "question": f"What is in {i}?",
                "answer": "Words.",
            }
            file.write(json.dumps(record) + "\n")
    records = [
        {"q": f"What happens in {i}?", "a": "Something.", "video_id": f"v_{i % 10_000}"}
        for i in range(rows - rows // 2)
    ]
    (folder / "clips.json").write_text(json.dumps(records))


def main() -> None:
    """Run it once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--num-proc", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, rows=options.rows, words=options.words)
        n_bytes = sum(path.stat().st_size for path in folder.iterdir())
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, name, str(options.rows), str(options.num_proc)],
            env={**os.environ, "HF_HOME": f"{name}/home", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    figures, peak, worker = done.stdout.splitlines()[-3:]
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{options.rows:,} rows, {n_bytes / 1e6:,.0f} MB of annotations; planned: {figures}")
    print(
        f"wall {wall_s:,.0f} s, CPU {cpu_s:,.0f} s, peak {float(peak):,.0f} MB, worker {float(worker):,.0f} MB"
    )


if __name__ == "__main__":
    main()
