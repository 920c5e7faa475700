"""Compare `t2vid.push` with `push_to_hub` on the same rows: CPU time, bytes, peak memory.

python benchmarks/publish.py --rows 2000 --words 4000 --rounds 3

A loopback Hub (`tests/hub.py`) runs in this process, each push in one of its own. The peer casts
the lazy column to the plain struct first, as anybody without `t2vid.push` would have to; it
neither writes a card nor loads anything back.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hub import Hub

CLIENT = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import datasets, t2vid
from t2vid.publishing.materialize import PublishFormat, plain_features
datasets.disable_progress_bars()
way, folder, repo = sys.argv[1:]
rows = datasets.load_from_disk(folder)
import t2vid.publishing.hub
start = time.process_time()
if way == "push":
    t2vid.push(rows, repo, licences="mit")
else:
    rows.cast(plain_features(rows.features, PublishFormat())).push_to_hub(repo)
cpu_s = time.process_time() - start
print(json.dumps([cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]))
"""


def make_rows(folder: Path, *, rows: int, words: int) -> None:
    """Save text rows whose words are as varied as a natural text's."""
    import numpy as np
    from datasets import Dataset

    from rows import text_rows
    from t2vid.frames.feature import Frames, text_value
    from t2vid.schema import row_features

    random = np.random.default_rng(0)
    letters = list("etaoinshrdlucmfw")
    known = ["".join(random.choice(letters, 3 + i % 8)) for i in range(30_000)]
    weights = 1 / np.arange(1, len(known) + 1)

    def generate() -> object:
        for row in text_rows(rows):
            drawn = random.choice(len(known), words, p=weights / weights.sum())
            yield {**row, "images": text_value(" ".join(known[i] for i in drawn))}

    data = Dataset.from_generator(
        generate, features=row_features(Frames()), cache_dir=str(folder / "cache")
    )
    data.save_to_disk(folder / "rows")


def one(hub: Hub, way: str, folder: Path, number: int) -> tuple[float, float, int]:
    """Push once into a new repository: CPU seconds, peak MB, bytes of the Parquet files."""
    repo = f"me/{way}-{number}"
    hub.uploads.clear()
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, way, str(folder / "rows"), repo],
        env={**hub.environment(folder / f"home-{way}-{number}"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    cpu_s, peak_mb = json.loads(done.stdout.splitlines()[-1])
    files = hub.files(f"datasets/{repo}")
    size = sum(len(data) for path, data in files.items() if path.endswith(".parquet"))
    del hub.repos[f"datasets/{repo}"]
    return cpu_s, peak_mb, size


def main() -> None:
    """Run interleaved rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--words", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    ways = ("push", "push_to_hub")
    with tempfile.TemporaryDirectory() as name, Hub() as hub:
        folder = Path(name)
        make_rows(folder, rows=options.rows, words=options.words)
        found = {way: [] for way in ways}
        for number in range(options.rounds):
            for way in ways:
                found[way].append(one(hub, way, folder, number))
    print(f"{options.rows:,} rows of {options.words:,} words, medians of {options.rounds} rounds")
    middle = {way: [median(column) for column in zip(*found[way], strict=True)] for way in ways}
    for way, (cpu_s, peak_mb, size) in middle.items():
        print(f"{way:<12} {cpu_s:6.2f} s CPU {peak_mb:8.0f} MB peak {size / 1e6:8.1f} MB uploaded")
    ratios = [a / b for a, b in zip(middle["push"], middle["push_to_hub"], strict=True)]
    print("ratio        {:6.2f}   {:12.2f}      {:8.2f}".format(*ratios))


if __name__ == "__main__":
    main()
