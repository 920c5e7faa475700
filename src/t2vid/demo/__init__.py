"""The claim in miniature, in minutes: a model that learns to understand clips from drawn texts.

    t2vid demo --out demo

A small image-LLM (`t2vid.models.mini`) that has never seen a clip is trained twice on as many rows: on
clips alone, and on clips and texts drawn as frames. All three, the untrained one too, then answer
questions about unseen clips, of kinds that no row about a clip asked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.demo.page import CHANCE, demo_page
from t2vid.errors import InputError, require
from t2vid.miniature.arms import ARMS
from t2vid.miniature.files import WorldSize, write_world
from t2vid.miniature.questions import KINDS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.runner import Job, cores, run_all
from t2vid.miniature.verdicts import accuracy
from t2vid.storage.staging import local_folder

FIGURE_NAMES = {"zero-shot": "zero_shot", "video": "video_only", "hybrid": "hybrid"}
ARMS_SHOWN = tuple(FIGURE_NAMES)

_NEXT = """\
t2vid build sample --out mixed                              # a mix of your own
t2vid report mixed --out mixed.html                         # look at it
t2vid train --config idefics3-hybrid-30k data_dir=corpora   # the paper's, on GPUs
python benchmarks/miniature.py arms                         # all arms, in a checkout"""


_PLAN = """\
A small image-LLM that never saw a clip answers questions about clips: as it is,
trained on {rows:,} rows about clips, and on as many with drawn texts among them.
{minutes}
"""
_MINUTES = "That takes about four minutes on two cores; stopped, it goes on when run again."
_QUICK = "With --quick it learns nothing: it only shows that everything runs."


@dataclass(frozen=True)
class DemoSize:
    """How large the demo is.

    Attributes:
        rows: rows that each of the two arms is trained on.
        test_clips: unseen clips that questions are asked about, eleven or so about each.
    """

    rows: int = 6_000
    test_clips: int = 60

    def __post_init__(self) -> None:
        """Refuse what would leave an arm or the test empty."""
        if self.rows < 60:
            raise InputError(f"rows ({self.rows}) must be at least 60, or a source would be empty")
        if self.test_clips < 1:
            raise InputError(f"test_clips ({self.test_clips}) must be > 0")

    @property
    def world(self) -> WorldSize:
        """What has to be written for it."""
        return WorldSize(
            clips=-(-self.rows // 2), stories=-(-self.rows // 6), test_clips=self.test_clips
        )


@dataclass(frozen=True)
class DemoResult:
    """Where the page is and the figures on it.

    Attributes:
        page: the page.
        figures: what `figures.json` holds.
        results: of every arm.
    """

    page: Path
    figures: dict[str, Any]
    results: dict[str, ArmResult]


def demo(
    out: str | Path = "demo", *, quick: bool = False, seed: int = 0, size: DemoSize | None = None
) -> DemoResult:
    """Train and test the arms and write `report.html`, `figures.json` and `answers.jsonl`.

    Args:
        out: folder for all of it; a demo that was stopped goes on there.
        quick: a fortieth of the rows, to see that everything runs; nothing is learned.
        seed: of the choice of rows and of the training.
        size: how large; by default as large as fits into four minutes on two cores.

    Raises:
        InputError: for a size that leaves nothing to train or to ask.
        MissingExtra: when the extras `train` and `eval` are not installed.
    """
    for module, extra in (("trl", "train"), ("evaluate", "eval")):
        require(module, extra=extra)
    size = size or (DemoSize(rows=300, test_clips=25) if quick else DemoSize())
    folder = local_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    print(_PLAN.format(rows=size.rows, minutes=_QUICK if quick else _MINUTES), flush=True)
    world = write_world(folder / f"world-{size.rows}", size.world)
    jobs = [Job(arm, seed, rows=size.rows, test_clips=size.test_clips) for arm in ARMS_SHOWN]
    # the longest first, so that two workers end together
    found = run_all(
        jobs[::-1], dict.fromkeys(jobs, world), out=folder / "arms", workers=min(2, cores())
    )
    results = {result.arm: result for result in found[::-1]}
    figures = _figures(results)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    _write_answers(folder / "answers.jsonl", results)
    page = folder / "report.html"
    page.write_text(demo_page(results, figures, world, next_steps=_NEXT), encoding="utf-8")
    _say(page, figures, results)
    return DemoResult(page, figures, results)


def _figures(results: dict[str, ArmResult]) -> dict[str, Any]:
    """Give the figures on the kinds of question that no row about a clip asks, and on all."""
    one = results["hybrid"]
    unseen = [i for i in range(len(one.questions)) if one.kind(i) in UNSEEN_KINDS]
    figures: dict[str, Any] = {
        "n_questions": len(unseen),
        "n_questions_all_kinds": len(one.questions),
        "unseen_kinds": list(UNSEEN_KINDS),
        "chance": CHANCE,
    }
    for arm in ARMS_SHOWN:
        name = FIGURE_NAMES[arm]
        figure = accuracy([results[arm]], UNSEEN_KINDS)
        figures[name] = round(figure.mean, 4)
        figures[f"{name}_interval"] = figure.interval.rounded(4)
        figures[f"{name}_all_kinds"] = round(accuracy([results[arm]], KINDS).mean, 4)
    figures["train_cpu_s"] = {arm: results[arm].train_s for arm in ARMS_SHOWN}
    return figures


def _write_answers(path: Path, results: dict[str, ArmResult]) -> None:
    first = results["hybrid"]
    with open(path, "w", encoding="utf-8") as file:
        for i, question in enumerate(first.questions):
            row: dict[str, Any] = {"id": question, "kind": first.kind(i)}
            for arm, result in results.items():
                row[arm] = {"answer": result.answers[i], "correct": result.correct[i]}
            file.write(json.dumps(row) + "\n")


def _say(page: Path, figures: dict[str, Any], results: dict[str, ArmResult]) -> None:
    asked = f"{figures['n_questions']} questions of kinds that no row about a clip asks"
    print(f"right answers to {asked}; guessing gives {100 * CHANCE:.0f} %")
    for arm, name in FIGURE_NAMES.items():
        low, high = figures[f"{name}_interval"]
        shown = f"{100 * figures[name]:5.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        print(f"  {arm:<10} {shown}  {ARMS[arm].title}, {results[arm].rows:,} rows")
    print(f"\nOpen {page}. Then:\n{_NEXT}")
