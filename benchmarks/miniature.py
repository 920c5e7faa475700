"""The claim in miniature: pretrain the mini image-LLM, run the arms of the paper's tables, report.

    python benchmarks/miniature.py pretrain --out build/mini
    python benchmarks/miniature.py gates
    python benchmarks/miniature.py arms --out build/miniature --seeds 5
    python benchmarks/miniature.py studies --out build/miniature --seeds 2
    python benchmarks/miniature.py data --out build/miniature
    python benchmarks/miniature.py report --out build/miniature
    python benchmarks/miniature.py gpu --out build/miniature-gpu

Each stage goes on where it was stopped. Every seed has a world of its own: other rows and other test
clips. `arms` and `studies` keep one small file an arm and seed; `report` writes docs/miniature.md of
them, and benchmarks/miniature_results.json, from which it can be written again.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

from t2vid.miniature.arms import ARMS
from t2vid.miniature.files import WorldSize, write_world
from t2vid.miniature.runner import Job, cores, load_mix, run_all
from t2vid.miniature.studies import STUDIES, studied

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "miniature_results.json"
PAGE = ROOT / "docs" / "miniature.md"
PICTURES = ROOT / "docs" / "pictures"
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
    base.add_argument("--hidden", type=int, default=96, help="width of the language model")
    base.add_argument("--layers", type=int, default=6, help="layers of the language model")
    gate = stages.add_parser("gates", help="does it see, read and answer?")
    gate.add_argument("--base", help="folder of another base than the package's")
    arms = stages.add_parser("arms", help="train and test the arms")
    arms.add_argument("--arms", nargs="*", default=list(ORDER))
    arms.add_argument("--device", default="cpu", help="cuda: several workers share the card")
    arms.add_argument("--base", default="", help="folder of another base than the package's")
    studies = stages.add_parser("studies", help="train and test what differs in one thing")
    studies.add_argument("--studies", nargs="*", default=list(STUDIES), choices=list(STUDIES))
    for stage, seeds in ((arms, 5), (studies, 2)):
        stage.add_argument("--out", type=Path, default=Path("build/miniature"))
        stage.add_argument("--seeds", type=int, default=seeds)
        stage.add_argument("--first-seed", type=int, default=1, help="seed 0 is for trying out")
        stage.add_argument(
            "--rows", type=int, default=ROWS, help="that stand for the paper's 30,000"
        )
        stage.add_argument("--test-clips", type=int, default=100)
        stage.add_argument("--workers", type=int, help="processes (default: one a core)")
    page = stages.add_parser("report", help="write docs/miniature.md")
    card = stages.add_parser("gpu", help="a larger base and all arms on one card; prints the table")
    card.add_argument("--out", type=Path, default=Path("build/miniature-gpu"))
    card.add_argument("--device", default="cuda", help="cpu to try the way out")
    card.add_argument("--minutes", type=float, default=10.0, help="no arm begins after so many")
    card.add_argument("--steps", type=int, default=6_000, help="of pretraining")
    card.add_argument("--hidden", type=int, default=192, help="width of the language model")
    card.add_argument("--rows", type=int, default=ROWS)
    card.add_argument("--seeds", type=int, default=10)
    card.set_defaults(first_seed=1, test_clips=100, workers=None)
    data = stages.add_parser("data", help="how varied and how long the rows are: Figs. 3, 4 and 6")
    for stage in (page, data):
        stage.add_argument("--out", type=Path, default=Path("build/miniature"))
    options = parser.parse_args()
    run = {
        "pretrain": _pretrain,
        "gates": _gates,
        "arms": _arms,
        "studies": _studies,
        "data": _data,
        "gpu": _gpu,
        "report": _report,
    }
    run[options.stage](options)


def _pretrain(options: argparse.Namespace) -> None:
    import torch

    from t2vid.miniature.base import BaseSize
    from t2vid.miniature.pretrain import Plan, pretrain

    torch.set_num_threads(1)
    size = BaseSize(hidden=options.hidden, layers=options.layers)
    pretrain(options.out, Plan(seed=options.seed), size)


def _gates(options: argparse.Namespace) -> None:
    from t2vid.miniature.gates import gates
    from t2vid.models import load_mini

    found = gates(*load_mini(options.base), n=1200)
    print(f"sees {found.sees:.3f}, reads {found.reads:.3f}, answers {found.answers:.3f}")
    print("  " + ", ".join(f"{kind} {share:.2f}" for kind, share in found.by_kind.items()))
    print("passed" if found.passed else "NOT PASSED: arms on this base mean nothing")


def _arms(options: argparse.Namespace) -> None:
    jobs = [
        Job(arm, seed, rows=options.rows, device=options.device, base=options.base)
        for arms in (ORDER[:6], ORDER[6:])  # what the comparisons need comes first, all seeds of it
        for seed in _seeds(options)
        for arm in arms
        if arm in options.arms
    ]
    _run(options, jobs)


def _studies(options: argparse.Namespace) -> None:
    for name in options.studies:
        jobs = STUDIES[name].jobs(seeds=_seeds(options), rows=options.rows)
        folders = {
            job.base: str(options.out / job.base / "model") if job.base else "" for job in jobs
        }
        missing = [f for f in folders.values() if f and not Path(f).is_dir()]
        if missing:
            print(f"study {name!r} is left out: {missing[0]} is not there; `pretrain` makes it")
            continue
        _run(options, [dataclasses.replace(job, base=folders[job.base]) for job in jobs])


def _seeds(options: argparse.Namespace) -> range:
    return range(options.first_seed, options.first_seed + options.seeds)


def _run(options: argparse.Namespace, jobs: list[Job]) -> None:
    worlds = {job: _world(options, job) for job in jobs}
    workers = options.workers or cores()
    run_all(jobs, worlds, out=options.out / "runs", workers=workers)


def _world(options: argparse.Namespace, job: Job) -> Path:
    """Write the world of a seed, or one with more clips or stories, whose test clips are the same."""
    in_tables = job.arm in ARMS and job.rows == options.rows
    clips = 10 * options.rows // 3 if job.arm == "full" else max(job.rows, options.rows)
    # a study may take up to half of the tables' rows from the texts, of two corpora
    stories = -(-options.rows // 6) if in_tables else -(-clips // 4)
    size = WorldSize(clips=clips, stories=stories, test_clips=options.test_clips, seed=job.seed)
    name = f"{clips}-{job.seed}" if in_tables else f"{clips}-{stories}-{job.seed}"
    return write_world(options.out / "worlds" / name, size)


def _gpu(options: argparse.Namespace) -> None:
    """Pretrain a larger base and run all arms on one card, as many seeds as the minutes allow."""
    from t2vid.miniature.base import BaseSize
    from t2vid.miniature.pretrain import Plan, pretrain
    from t2vid.miniature.report import report
    from t2vid.miniature.results import ArmResult

    end = time.monotonic() + 60 * options.minutes
    sixth = options.steps // 6
    plan = Plan(text_steps=sixth, joint_steps=2 * sixth, document_steps=options.steps - 3 * sixth)
    options.base = str(options.out / "base" / "model")
    if not Path(options.base).is_dir():
        size = BaseSize(hidden=options.hidden, layers=8, vision_hidden=options.hidden // 2)
        pretrain(options.out / "base", plan, size, device=options.device)
    _gates(options)
    for seed in _seeds(options):
        if time.monotonic() > end:
            print(f"{options.minutes:g} minutes are over; run again for seeds {seed} and later")
            break
        jobs = [
            Job(arm, seed, rows=options.rows, device=options.device, base=options.base)
            for arm in ORDER
        ]
        _run(options, jobs)
    found = [ArmResult.read(file) for file in sorted((options.out / "runs").glob("*.json"))]
    print(report([dataclasses.replace(one, base="") for one in found]))


def _data(options: argparse.Namespace) -> None:
    """Draw the map of the hybrid arm's instructions and print how varied and long its rows are."""
    from t2vid.insight.diversity import diversity
    from t2vid.insight.figures import map_figure
    from t2vid.insight.lengths import lengths
    from t2vid.insight.plotting import to_bytes

    work = options.out / "runs" / "work" / "data"
    mix = load_mix(Job("hybrid", 1), options.out / "worlds" / f"{ROWS}-1", work)
    asked: dict[str, list[str]] = {}
    for source, turns in zip(mix["source"], mix["messages"], strict=True):
        # the question without its options
        asked.setdefault(source, []).append(turns[0]["content"][-1]["text"].partition("\n")[0])
    print(diversity(asked, sample=400, embedder="tfidf").table())
    print(lengths(mix.select(range(400))).table())
    found = diversity(mix, sample=400, embedder="tfidf")
    (PICTURES / "miniature_map.png").write_bytes(to_bytes(map_figure(found), "png"))


def _report(options: argparse.Namespace) -> None:
    from t2vid.miniature.chart import chart, study_chart
    from t2vid.miniature.report import report
    from t2vid.miniature.results import ArmResult, read_results, save_results

    files = sorted((options.out / "runs").glob("*.json"))
    if files:
        save_results(RESULTS, [ArmResult.read(file) for file in files])
    results = read_results(RESULTS)
    PAGE.write_text(INTRO.read_text(encoding="utf-8") + "\n" + report(results), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "miniature.png").write_bytes(chart(results))
    for study, points in studied(results).items():
        (PICTURES / f"miniature_{study.name}.png").write_bytes(study_chart(study, points))
    print(f"wrote {PAGE.name} and its pictures of {len(results)} runs")


if __name__ == "__main__":
    main()
