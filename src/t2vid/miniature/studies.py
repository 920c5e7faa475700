"""Studies: what happens when one thing changes; what was expected is written before the run.

>>> STUDIES["order"].jobs(seeds=[1], rows=6_000)[1].name
'disordered-3000-1'

Each point is an arm at so many rows, asked with so many frames. Most studies have half the rows of the
tables, so that a point costs less than a minute of a core.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from t2vid.errors import InputError
from t2vid.miniature.arms import ALL_ARMS, ARMS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.runner import Job
from t2vid.miniature.world import MAX_SCENES

OTHER_BASE = "64-wide"  # `benchmarks/miniature.py pretrain --hidden 64` makes it


@dataclass(frozen=True)
class StudyPoint:
    """One row of a study's table.

    Attributes:
        label: what the table and the picture say.
        arm: name of an arm.
        part: rows, as a part of the tables'.
        frames: frames of a clip at most, in the test.
        base: label of the base; empty for the package's.
        x: its place on the picture's axis; None draws bars.
        line: the curve it belongs to.
    """

    label: str
    arm: str
    part: float = 0.5
    frames: int = MAX_SCENES
    base: str = ""
    x: float | None = None
    line: str = ""

    def job(self, *, seed: int, rows: int) -> Job:
        """Give what has to be run; `rows` are the tables', and those of an arm without training."""
        part = self.part if ALL_ARMS[self.arm].recipe else 1.0  # so that it is asked once
        return Job(self.arm, seed, rows=round(rows * part), frames=self.frames, base=self.base)

    def found(self, results: Iterable[ArmResult], *, rows: int) -> list[ArmResult]:
        """Give its results, one a seed, by seed."""
        wanted = (self.arm, self.frames, self.base)
        counts = (0, round(rows * self.part))
        same = (r for r in results if (r.arm, r.frames, r.base) == wanted and r.rows in counts)
        by_seed = {r.seed: r for r in same}
        return [by_seed[seed] for seed in sorted(by_seed)]


@dataclass(frozen=True)
class Study:
    """A question, what was expected of it, and the points that answer it.

    Attributes:
        name: what it is called on the command line.
        question: what it asks.
        expected: what its author expected before any run.
        points: the first is what others are compared with, unless `against` names another.
        against: label of the point that others are compared with.
        x: title of the picture's axis, for curves.
    """

    name: str
    question: str
    expected: str
    points: tuple[StudyPoint, ...]
    against: str = ""
    x: str = ""

    def __post_init__(self) -> None:
        """Refuse labels that say two things."""
        labels = [point.label for point in self.points]
        if len({*labels}) < len(labels):
            raise InputError(f"study {self.name!r} has two points of one label: {labels}")

    @property
    def reference(self) -> StudyPoint:
        """The point that others are compared with."""
        return next((p for p in self.points if p.label == self.against), self.points[0])

    def jobs(self, *, seeds: Iterable[int], rows: int) -> list[Job]:
        """Give all that has to be run; `rows` are the tables'."""
        return [point.job(seed=seed, rows=rows) for seed in seeds for point in self.points]


def _named(arms: Sequence[str]) -> tuple[StudyPoint, ...]:
    return tuple(StudyPoint(arm, arm) for arm in arms)


_STUDIES = (
    Study(
        "rows",
        "How many rows of video equal the hybrid arm?",
        "Hybrid at a quarter of the tables' rows is ahead of video at twice the tables' rows.",
        tuple(
            StudyPoint(f"{arm}, {part:g} x", arm, part, x=part, line=arm)
            for part in (0.25, 0.5, 1.0, 2.0)
            for arm in ("video", "hybrid")
        ),
        against="hybrid, 0.25 x",
        x="rows, times the tables'",
    ),
    Study(
        "share",
        "Which share of the rows should be drawn texts?",
        "Unseen kinds rise up to a third and stay level up to two thirds; texts alone forget how "
        "clips look and lose seen and unseen kinds.",
        (
            StudyPoint("hybrid", "hybrid", x=1 / 3),
            StudyPoint("none (video)", "video", x=0),
            StudyPoint("a sixth", "share-1-6", x=1 / 6),
            StudyPoint("two thirds", "share-2-3", x=2 / 3),
            StudyPoint("all", "share-1", x=1),
        ),
        x="share of drawn texts",
    ),
    Study(
        "frames",
        "How many frames of a clip does an answer need (the paper's Figures 1 and 7)?",
        "Hybrid rises up to the five frames of training and gains nothing beyond; video and the "
        "untrained base are level.",
        tuple(
            StudyPoint(f"{arm}, {n}", arm, frames=n, x=n, line=arm)
            for n in (1, 2, 3, 4, MAX_SCENES, 8, 16)
            for arm in ("zero-shot", "video", "hybrid")
        ),
        against=f"hybrid, {MAX_SCENES}",
        x="frames of a clip",
    ),
    Study(
        "style",
        "Does the look of the pages matter?",
        "The paper's layout and random looks do as well; worn pages cost a little; pages that are "
        "filled or scroll, so that a page is no scene, lose half of the lead over video.",
        _named(("hybrid", "paper-layout", "random-looks", "worn", "filled", "scrolling")),
    ),
    Study(
        "order",
        "Must the pages come in order?",
        "Without order the places in time (last, second) fall to the level of video.",
        _named(("hybrid", "disordered", "video")),
    ),
    Study(
        "words",
        "How much text should a page hold?",
        "A page of one scene is best; half and twice as many words cost several points, smaller "
        "type alone nothing.",
        _named(("hybrid", "words-3", "small", "words-12")),
    ),
    Study(
        "pick",
        "Does `pick: diverse` choose better texts than chance?",
        "From a pool in which most texts ask what video asks, diverse texts gain several points.",
        _named(("pool-random", "pool-diverse")),
    ),
    Study(
        "stages",
        "Does it help to train on texts first, as LongVA does?",
        "Texts first, then clips: behind a mix, for clips overwrite; words first near video.",
        _named(("hybrid", "frames-first", "pure-text", "words-first", "video")),
    ),
    Study(
        "base",
        "Does the lead hold on another base (the paper's Table 4)?",
        "Hybrid is ahead of video on both bases; the smaller base gains less.",
        tuple(
            replace(point, label=f"{label}, {point.arm}", base=base)
            for label, base in (("96 wide", ""), ("64 wide", OTHER_BASE))
            for point in _named(("video", "hybrid", "zero-shot"))
        ),
    ),
)
STUDIES = {study.name: study for study in _STUDIES}


def of_tables(results: Sequence[ArmResult]) -> list[ArmResult]:
    """Give the results of the tables' arms, as the tables have them: no study's."""
    plain = [r for r in results if r.arm in ARMS and r.frames == MAX_SCENES and not r.base]
    rows = _usual_rows(plain)
    found = [r for r in plain if r.rows == rows or r.arm in ("zero-shot", "full")]
    return list({(r.arm, r.seed): r for r in found}.values())


def studied(results: Sequence[ArmResult]) -> dict[Study, dict[StudyPoint, list[ArmResult]]]:
    """Give the studies that have something to compare, and what each of their points has.

    Args:
        results: of all arms, studies and seeds.
    """
    rows = _usual_rows([r for r in results if r.frames == MAX_SCENES and not r.base])
    found = {
        study: {point: point.found(results, rows=rows) for point in study.points}
        for study in STUDIES.values()
    }
    run = {study: {p: r for p, r in points.items() if r} for study, points in found.items()}
    return {study: points for study, points in run.items() if len(points) > 1}


def _usual_rows(results: Sequence[ArmResult]) -> int:
    """Give the rows that most arms and seeds of the tables have; a study has fewer arms."""
    rows = [r.rows for r in results if r.arm in ARMS and r.rows]
    return max(sorted(set(rows), reverse=True), key=rows.count, default=0)
