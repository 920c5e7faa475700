"""The arms of the paper's Tables 1-3 in miniature, their controls, and what is compared.

>>> ARMS["hybrid"].recipe_for(rows=300).wanted()
[100, 100, 50, 50]
>>> ARMS["full"].recipe_for(rows=300).wanted()
[1000, 1000]

The comparisons stand here before any run: what each asks, and what would speak against the paper.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from t2vid.errors import InputError
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.miniature.files import CONTROLS, LONG_ALPACA, TRIPLETS, VIDEO_CHATGPT
from t2vid.miniature.pretrain import PAGE
from t2vid.miniature.world import MAX_SCENES
from t2vid.mixing.budget import Budget
from t2vid.mixing.recipe import Recipe, Source

PAPER_ROWS = 30_000  # of every mix of Table 3 but the full data; T2Vid, section 7.1
FULL_ROWS = 100_000  # of each of the two video corpora; T2Vid, section 5.1

Group = Literal["unseen", "seen", "all"]


@dataclass(frozen=True)
class Arm:
    """One way of training the same base.

    Attributes:
        name: what it is called.
        title: what tables say.
        recipe: name of the paper's recipe that it scales down; empty for no training at all.
        files: other annotation files, by source.
        in_paper: where the paper has it; empty for a control.
    """

    name: str
    title: str
    recipe: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    in_paper: str = ""

    def recipe_for(self, *, rows: int, seed: int = 0, render: RenderSpec = PAGE) -> Recipe:
        """Scale the paper's recipe down.

        Args:
            rows: rows that stand for the paper's 30,000.
            seed: of the choice of rows and of their order.
            render: how the texts are drawn.

        Raises:
            InputError: for the arm without training.
        """
        if not self.recipe:
            raise InputError(f"arm {self.name!r} is not trained, so it has no recipe")
        paper = Recipe.from_yaml(self.recipe)
        sources = tuple(self._scaled(source, rows, render) for source in paper.sources)
        name = f"miniature-{self.name}"
        return dataclasses.replace(paper, name=name, sources=sources, seed=seed, budget=Budget())

    def _scaled(self, source: Source, rows: int, render: RenderSpec) -> Source:
        count = (FULL_ROWS if source.count is None else source.count) * rows // PAPER_ROWS
        config = "triplets" if source.config == "longqlora" else source.config
        name = config or source.dataset.rpartition("/")[2]
        files = self.files.get(name, TRIPLETS if config == "triplets" else "")
        return dataclasses.replace(
            source,
            config=config,
            name=name,
            count=count,
            files=(files,) if files else (),
            render=render,
            sample=SampleSpec(max_frames=MAX_SCENES),
        )


def _texts(kind: str) -> dict[str, str]:
    return {
        "longalpaca": f"{CONTROLS}/{kind}-{LONG_ALPACA}",
        "triplets": f"{CONTROLS}/{kind}-{TRIPLETS}",
    }


_TABLE_3 = "Table 3"
_ARMS = (
    Arm("zero-shot", "no training", in_paper="Tables 1 and 2"),
    Arm("sharegemini", "captions alone", "sharegemini-30k", in_paper=_TABLE_3),
    Arm("video-chatgpt", "video questions alone", "video-chatgpt-30k", in_paper=_TABLE_3),
    Arm("video", "captions and video questions", "video-30k", in_paper="Tables 2 and 3"),
    Arm("hybrid", "a third drawn texts", "hybrid-30k", in_paper="Tables 1-3"),
    Arm("pure-text", "a third the same texts as words", "pure-text-30k", in_paper=_TABLE_3),
    Arm("full", "6.7 times the video rows", "full-200k", in_paper="Tables 1-3"),
    Arm("few", "drawn texts, only the kinds that video asks", "hybrid-30k", _texts("few")),
    Arm("shuffled", "drawn texts with other texts' answers", "hybrid-30k", _texts("shuffled")),
    Arm(
        "ceiling",
        "video questions of all kinds",
        "video-30k",
        {"video_chatgpt": f"{CONTROLS}/{VIDEO_CHATGPT}"},
    ),
)
ARMS = {arm.name: arm for arm in _ARMS}


@dataclass(frozen=True)
class Comparison:
    """A question to two arms, asked before the runs.

    Attributes:
        first: the arm that should be behind, or no better.
        second: the arm that should be ahead, or no worse.
        group: the kinds of question counted: those no video row asks, or the others.
        claim: what the paper says.
        against: what would speak against it.
        margin: for a comparison of "no worse than": how much worse would matter, as a fraction.
    """

    first: str
    second: str
    group: Group
    claim: str
    against: str
    margin: float | None = None


# Holm's correction runs over the comparisons without a margin.
COMPARISONS = (
    Comparison(
        "video",
        "hybrid",
        "unseen",
        "Drawn texts bring kinds of question to video that no video row asks (Table 3).",
        "The interval of the difference holds 0, or lies below it.",
    ),
    Comparison(
        "pure-text",
        "hybrid",
        "unseen",
        "It takes the form of frames: the same texts as words do less (Table 3).",
        "The interval holds 0, or lies below it.",
    ),
    Comparison(
        "few",
        "hybrid",
        "unseen",
        "The cause is the variety of instructions, not more frames of text (section 3).",
        "Texts of few kinds do as well.",
    ),
    Comparison(
        "shuffled",
        "hybrid",
        "unseen",
        "The texts teach; they are more than a regulariser.",
        "Texts with wrong answers do as well.",
    ),
    Comparison(
        "video",
        "hybrid",
        "seen",
        "A third fewer video rows cost nothing on the kinds that video rows ask (Table 3).",
        "The lower end of the interval is below the margin.",
        margin=0.05,
    ),
    Comparison(
        "full",
        "hybrid",
        "all",
        "As good as 6.7 times as many video rows (Table 3).",
        "The lower end of the interval is below the margin.",
        margin=0.05,
    ),
)
