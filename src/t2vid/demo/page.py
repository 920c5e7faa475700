"""The demo's page: the two kinds of frames, the curves, the bars, twenty questions, the cost.

>>> smoothed([(1, 4.0), (2, 2.0)])[-1]
(2.0, 2.75)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from t2vid.frames.export import contact_sheet
from t2vid.miniature.arms import ARMS
from t2vid.miniature.questions import KINDS, LETTERS, SEEN_KINDS, UNSEEN_KINDS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.runner import Job, benchmark_questions, load_mix
from t2vid.miniature.verdicts import accuracy, lead
from t2vid.pages import Tile, line_chart, render
from t2vid.pages.bars import Bar, bar_chart
from t2vid.scoring.statistics import wilson

EXAMPLES = 20
SMOOTHED = 0.6  # weight of the curve's past in each point
SHOWN_PX = 112  # twice the size at which the model sees a frame
CHANCE = 1 / len(LETTERS)
_SOURCES = {
    "sharegemini": "captions of clips",
    "video_chatgpt": "questions about clips",
    "longalpaca": "drawn texts (LongAlpaca's form)",
    "triplets": "drawn texts (triplets)",
}


class Example(NamedTuple):
    """A question with its frames and every arm's answer."""

    question: str
    kind: str
    options: str
    sheet: Image.Image
    alt: str
    rows: list[list[str]]


def demo_page(
    results: Mapping[str, ArmResult], figures: Mapping[str, Any], world: Path, *, next_steps: str
) -> str:
    """Write the page.

    Args:
        results: of each arm; `hybrid` and `video` among them.
        figures: what `figures.json` holds.
        world: folder of the world.
        next_steps: commands to go on with.
    """
    hybrid, arms = results["hybrid"], list(results)
    names = [f"{arm}: {ARMS[arm].title}" for arm in arms]
    return render(
        "demo.html",
        title="Understanding clips, taught with drawn texts",
        intro="A small image-LLM that knows pictures, pages and stories in words, but "
        "has never seen a clip. It is trained on clips alone, and on as many rows of which a third "
        f"are texts drawn as frames; then it is asked {len(hybrid.questions):,} questions about "
        "unseen clips.",
        tiles=_tiles(figures, hybrid),
        taught=_taught(hybrid, world),
        curves=[_curve(results[arm]) for arm in ("video", "hybrid")],
        bars=bar_chart(
            {
                group: {
                    name: _bar(results[arm], kinds) for arm, name in zip(arms, names, strict=True)
                }
                for group, kinds in _groups(hybrid).items()
            },
            x="right answers, %",
            mark=CHANCE,
            caption="Above, the kinds that rows about clips ask, and those that they never ask; "
            "below, each kind. Whiskers: 95 % intervals; the dashed line is guessing.",
        ),
        arms=arms,
        scores=[
            [group, _count(hybrid, kinds), *(_interval(results[arm], kinds) for arm in arms)]
            for group, kinds in _groups(hybrid).items()
        ],
        reading=_reading(results),
        examples=_examples(results, world),
        cost=[
            [ARMS[arm].title, r.rows, r.steps, round(r.train_s), round(r.test_s)]
            for arm, r in results.items()
        ],
        next=next_steps,
    )


def smoothed(points: list[tuple[int, float]]) -> list[tuple[float, float]]:
    """Give a running mean in which what is longer ago counts for less.

    Args:
        points: `(step, loss)`.
    """
    out, mean, weight = [], 0.0, 0.0
    for step, value in points:
        mean = SMOOTHED * mean + (1 - SMOOTHED) * value
        weight = SMOOTHED * weight + (1 - SMOOTHED)
        out.append((float(step), round(mean / weight, 4)))
    return out


def _tiles(figures: Mapping[str, Any], hybrid: ArmResult) -> list[Tile]:
    def shown(name: str, about: str) -> Tile:
        low, high = figures[f"{name}_interval"]
        interval = f"{100 * low:.0f} to {100 * high:.0f} % at 95 %"
        return Tile(f"{100 * figures[name]:.1f} %", about, interval)

    asked = f"{figures['n_questions']:,}"
    return [
        shown("zero_shot", "before any training"),
        shown("video_only", "trained on clips alone"),
        shown("hybrid", "a third drawn texts"),
        Tile(f"{100 * figures['chance']:.0f} %", "guessing", "four options each"),
        Tile(asked, "questions", "of the ten kinds that no row about a clip asks"),
        Tile(f"{hybrid.rows:,}", "rows in each training", f"{hybrid.steps:,} steps"),
    ]


def _taught(hybrid: ArmResult, world: Path) -> list[tuple[Image.Image, str, str]]:
    """Give a row about a clip and a drawn text as the mix holds them."""
    rows = load_mix(Job("hybrid", hybrid.seed, rows=hybrid.rows), world, world / "cache")
    out = []
    for source in ("video_chatgpt", "longalpaca"):
        row = rows[rows["source"].index(source)]
        frames = row["images"]
        asked, answer = (turn["content"][-1]["text"] for turn in row["messages"])
        clip = frames.spans is None
        captions = [
            f"{at:.0f} s" if clip else f"page {number}"
            for number, at in enumerate(frames.timestamps_s or range(len(frames)), start=1)
        ]
        sheet = _sheet(frames, captions)
        said = f"{_SOURCES[source]}: {' '.join(asked.split())} Answer: {answer}."
        out.append((sheet, f"{len(frames)} frames of {row['id']}", said))
    return out


def _curve(result: ArmResult) -> Any:
    # in one order, so that a source has one colour in every chart
    there = [name for name in _SOURCES if name in result.curves]
    series = {_SOURCES[name]: smoothed(result.curves[name]) for name in there}
    title = ARMS[result.arm].title
    caption = f"Trained on {title}: loss on the answers alone, smoothed, by source."
    return line_chart(series, x="step", y="loss", caption=caption)


def _groups(result: ArmResult) -> dict[str, tuple[str, ...]]:
    there = {result.kind(i) for i in range(len(result.questions))}
    groups = {"seen kinds": SEEN_KINDS, "unseen kinds": UNSEEN_KINDS}
    groups |= {kind: (kind,) for kind in KINDS}
    return {name: kinds for name, kinds in groups.items() if there & {*kinds}}


def _count(result: ArmResult, kinds: tuple[str, ...]) -> int:
    return sum(result.kind(i) in kinds for i in range(len(result.questions)))


def _bar(result: ArmResult, kinds: tuple[str, ...]) -> Bar:
    found = accuracy([result], kinds)
    if len(kinds) > 1 and 0 < found.mean < 1:
        return Bar(found.mean, found.interval.low, found.interval.high)
    # a clip has one question of a kind: nothing to draw together; and what is all wrong or all right
    # stays so however it is drawn
    n = _count(result, kinds)
    interval = wilson(round(found.mean * n), n)
    return Bar(found.mean, interval.low, interval.high)


def _interval(result: ArmResult, kinds: tuple[str, ...]) -> str:
    share, low, high = (100 * value for value in _bar(result, kinds))
    return f"{share:.0f} ({low:.0f}–{high:.0f})"


def _reading(results: Mapping[str, ArmResult]) -> list[str]:
    found = lead([results["video"]], [results["hybrid"]], UNSEEN_KINDS).found
    low, high = (100 * value for value in (found.interval.low, found.interval.high))
    verdict = "ahead of" if low > 0 else "behind" if high < 0 else "not clearly apart from"
    return [
        f"On the kinds that no row about a clip asks, drawn texts are {verdict} clips alone: "
        f"{100 * found.mean:+.1f} points ({low:+.1f} to {high:+.1f}).",
        "One seed of each; the interval covers the choice of clips, not that of the seed. "
        "docs/miniature.md has five seeds, the controls and the paper's tables beside them.",
        "An answer is right when the metric t2vid/video_mcq reads the right option in it; an answer "
        "that names no option is wrong, so that a model may stay below guessing.",
    ]


def _examples(results: Mapping[str, ArmResult], world: Path) -> list[Example]:
    """Choose questions of unseen kinds at random, right and wrong answers as they come."""
    first = results["hybrid"]
    places = [i for i in range(len(first.questions)) if first.kind(i) in UNSEEN_KINDS]
    chosen = np.random.default_rng(0).permutation(len(places))[:EXAMPLES]
    rows = benchmark_questions(world, world / "cache")
    at = {name.rpartition("/")[2]: i for i, name in enumerate(rows["id"])}
    out = []
    for place in (places[int(i)] for i in chosen):
        row = rows[at[first.questions[place]]]
        right = row["options"][LETTERS.index(row["answer"])]
        answers = [
            [ARMS[arm].title, result.answers[place], "right" if result.correct[place] else "wrong"]
            for arm, result in results.items()
        ]
        out.append(
            Example(
                row["question"],
                row["category"],
                ", ".join(row["options"]) + f"; right: {right}",
                _sheet(row["images"], [f"{t:.0f} s" for t in row["images"].timestamps_s]),
                f"{len(row['images'])} frames of {row['video']}",
                answers,
            )
        )
    return out


def _sheet(frames: Any, captions: list[str]) -> Image.Image:
    large = [frame.resize((SHOWN_PX, SHOWN_PX), Image.Resampling.LANCZOS) for frame in frames]
    return contact_sheet(large, columns=len(large), captions=captions, tile_px=SHOWN_PX)
