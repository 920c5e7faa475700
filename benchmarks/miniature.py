"""The claim in miniature: pretrain the mini image-LLM, run the arms of the paper's tables, report.

    python benchmarks/miniature.py pretrain --out build/mini
    python benchmarks/miniature.py gates
    python benchmarks/miniature.py arms --out build/miniature --seeds 5
    python benchmarks/miniature.py report --out build/miniature

Each stage goes on where it was stopped. Every seed has a world of its own: other rows and other test
clips. `arms` keeps one small file an arm and seed; `report` writes
docs/miniature.md of them, and benchmarks/miniature_results.json, from which it can be written again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from t2vid.miniature.runner import Job

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "miniature_results.json"
PAGE = ROOT / "docs" / "miniature.md"
PICTURE = ROOT / "docs" / "pictures" / "miniature.png"
INTRO = ROOT / "docs" / "miniature_intro.md"
ROWS = 6_000  # of each arm but `full`
# In the order in which they answer the stated comparisons, the most telling first.
ORDER = (
    "zero-shot",
    "hybrid",
    "video",
    "pure-text",
    "few",
    "shuffled",
    "ceiling",
    "sharegemini",
    "video-chatgpt",
    "full",
)


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    stages = parser.add_subparsers(dest="stage", required=True)
    base = stages.add_parser("pretrain", help="train the mini image-LLM from nothing")
    base.add_argument("--out", type=Path, default=Path("build/mini"))
    base.add_argument("--seed", type=int, default=0)
    gate = stages.add_parser("gates", help="does it see, read and answer?")
    gate.add_argument("--base", help="folder of another base than the package's")
    arms = stages.add_parser("arms", help="train and test the arms")
    arms.add_argument("--out", type=Path, default=Path("build/miniature"))
    arms.add_argument("--arms", nargs="*", default=list(ORDER))
    arms.add_argument("--seeds", type=int, default=5)
    arms.add_argument("--first-seed", type=int, default=1, help="seed 0 is for trying out")
    arms.add_argument("--rows", type=int, default=ROWS, help="that stand for the paper's 30,000")
    arms.add_argument("--test-clips", type=int, default=100)
    arms.add_argument("--workers", type=int, help="processes (default: one a core)")
    arms.add_argument("--device", default="cpu", help="cuda: several workers share the card")
    arms.add_argument("--base", help="folder of another base than the package's")
    page = stages.add_parser("report", help="write docs/miniature.md")
    page.add_argument("--out", type=Path, default=Path("build/miniature"))
    options = parser.parse_args()
    {"pretrain": _pretrain, "gates": _gates, "arms": _arms, "report": _report}[options.stage](
        options
    )


def _pretrain(options: argparse.Namespace) -> None:
    import torch

    from t2vid.miniature.pretrain import Plan, pretrain

    torch.set_num_threads(1)
    pretrain(options.out, Plan(seed=options.seed))


def _gates(options: argparse.Namespace) -> None:
    from t2vid.miniature.gates import gates
    from t2vid.models import load_mini

    found = gates(*load_mini(options.base), n=1200)
    print(f"sees {found.sees:.3f}, reads {found.reads:.3f}, answers {found.answers:.3f}")
    print("  " + ", ".join(f"{kind} {share:.2f}" for kind, share in found.by_kind.items()))
    print("passed" if found.passed else "NOT PASSED: arms on this base mean nothing")


def _arms(options: argparse.Namespace) -> None:
    from t2vid.miniature.runner import Job, cores, run_all

    jobs = [
        Job(arm, seed, rows=options.rows, device=options.device)
        for arms in (ORDER[:6], ORDER[6:])  # what the comparisons need comes first, all seeds of it
        for seed in range(options.first_seed, options.first_seed + options.seeds)
        for arm in arms
        if arm in options.arms
    ]
    worlds = {job: _world(options, job) for job in jobs}
    workers = options.workers or cores()
    run_all(jobs, worlds, out=options.out / "runs", workers=workers, base=options.base)


def _world(options: argparse.Namespace, job: Job) -> Path:
    """Write the world of a seed, or the larger one that has the same test clips."""
    from t2vid.miniature.files import WorldSize, write_world

    size = WorldSize(
        clips=10 * options.rows // 3 if job.arm == "full" else options.rows,
        stories=-(-options.rows // 6),
        test_clips=options.test_clips,
        seed=job.seed,
    )
    return write_world(options.out / "worlds" / f"{size.clips}-{size.seed}", size)


def _report(options: argparse.Namespace) -> None:
    from t2vid.miniature.chart import chart
    from t2vid.miniature.report import report
    from t2vid.miniature.results import ArmResult, read_results, save_results

    files = sorted((options.out / "runs").glob("*.json"))
    if files:
        save_results(RESULTS, [ArmResult.read(file) for file in files])
    results = read_results(RESULTS)
    PAGE.write_text(INTRO.read_text(encoding="utf-8") + "\n" + report(results), encoding="utf-8")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(chart(results))
    print(f"wrote {PAGE.name} and {PICTURE.name} of {len(results)} runs")


if __name__ == "__main__":
    main()
