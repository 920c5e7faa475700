"""Prints what a map of instructions and a choice of diverse rows take, as Markdown tables.

    python benchmarks/insight.py                   # 20,000 instructions, 100,000 rows
    python benchmarks/insight.py --scale 0.05      # a quick look

Each task runs in a process of its own, so that its peak of memory is its own. The map's library is
measured beside scikit-learn's t-SNE on the same vectors, in interleaved rounds, by CPU time.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

TEMPLATES = [
    f"{verb} {what}"
    for verb in ("Describe closely", "Explain in order", "Summarise briefly")
    for what in ("the events of this clip.", "everything a viewer sees.", "how the scene changes.")
]
QUESTIONS = (
    "What does the {0} {1} do with the {2} {3}?",
    "How many {0} {1}s are near the {2} {3}?",
    "Why is the {0} {1} beside a {2} {3}?",
    "When does the {0} {1} leave the {2} {3}, and who sees it?",
    "According to the text, which {0} {1} was found before the {2} {3}?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        print(json.dumps(TASKS[args.task](args)))
        return
    n_map, n_rows = int(20_000 * args.scale), int(100_000 * args.scale)
    print("| task | wall s | CPU s | peak MB |\n|---|---:|---:|---:|")
    lines = {
        "diversity": f"diversity of {n_map:,} instructions, TF-IDF",
        "select": f"select_diverse, {n_rows // 10:,} of {n_rows:,} rows",
    }
    found = {}
    for task, line in lines.items():
        found[task] = run(task, args)
        figures = (found[task][key] for key in ("wall_s", "cpu_s", "peak_mb"))
        print(f"| {line} | " + " | ".join(f"{value:,.0f}" for value in figures) + " |", flush=True)
    print(f"\n{found['diversity']['table']}\n")
    print("| of the same rows | clusters | entropy | Vendi | nearest |\n|---|---:|---:|---:|---:|")
    for name, numbers in found["select"]["numbers"].items():
        print(f"| {name} | " + " | ".join(numbers) + " |")
    peer = run("peer", args)
    print(
        f"\nt-SNE of {peer['n']:,} vectors, CPU seconds, medians of {args.rounds} rounds: openTSNE "
        f"{peer['openTSNE']:.1f}, scikit-learn {peer['sklearn']:.1f}, "
        f"ratio {peer['sklearn'] / peer['openTSNE']:.1f}"
    )


def run(task: str, args: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--task", task, "--scale", str(args.scale)]
    done = subprocess.run(
        [*command, "--rounds", str(args.rounds)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def instructions(n: int, seed: int) -> list[str]:
    """A third of templates, as in ShareGemini, two thirds of questions that differ."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = ["".join(rng.choice(letters, size)) for size in rng.integers(3, 9, 4000)]
    out = []
    for number in range(n):
        if number % 3 == 0:
            out.append(TEMPLATES[rng.integers(len(TEMPLATES))])
        else:
            picked = (words[at] for at in np.minimum(rng.zipf(1.2, 4) - 1, len(words) - 1))
            out.append(QUESTIONS[rng.integers(len(QUESTIONS))].format(*picked))
    return out


def measured(act):
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    return result, {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def diversity_task(args: argparse.Namespace) -> dict:
    from t2vid.insight import diversity

    texts = instructions(int(20_000 * args.scale), seed=0)
    found, took = measured(lambda: diversity({"made": texts}, sample=len(texts)))
    return {**took, "table": found.table()}


def select_task(args: argparse.Namespace) -> dict:
    from t2vid.insight import diversity, select_diverse

    texts = instructions(int(100_000 * args.scale), seed=1)
    k = len(texts) // 10
    chosen, took = measured(lambda: select_diverse(texts, k))
    rng = np.random.default_rng(2)
    random = [texts[at] for at in rng.choice(len(texts), k, replace=False)]
    found = diversity({"random": random, "diverse": chosen}, sample=min(k, 2_000))
    numbers = {
        name: [f"{one.n_clusters:,}", str(one.cluster_entropy), str(one.vendi), str(one.nearest)]
        for name, one in found.sources.items()
        if name != "all"
    }
    return {**took, "numbers": numbers}


def peer_task(args: argparse.Namespace) -> dict:
    from sklearn.manifold import TSNE

    from t2vid.insight.diversity import _map
    from t2vid.insight.embedding import embed

    texts = instructions(max(300, int(5_000 * args.scale)), seed=3)
    vectors, _ = embed(texts)
    # as ours: 750 steps, cosine, a start by PCA
    theirs = TSNE(perplexity=30, metric="cosine", init="pca", random_state=0, max_iter=750)
    cpu: dict[str, list[float]] = {"openTSNE": [], "sklearn": []}
    for _ in range(args.rounds):
        cpu["openTSNE"].append(measured(lambda: _map(vectors, 0))[1]["cpu_s"])
        cpu["sklearn"].append(measured(lambda: theirs.fit(vectors))[1]["cpu_s"])
    return {"n": len(texts)} | {name: statistics.median(times) for name, times in cpu.items()}


TASKS = {"diversity": diversity_task, "select": select_task, "peer": peer_task}

if __name__ == "__main__":
    main()
