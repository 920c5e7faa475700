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
from typing import Any, Literal

import numpy as np

from t2vid.errors import InputError
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.miniature.files import CONTROLS, LONG_ALPACA, TRIPLETS, VIDEO_CHATGPT
from t2vid.miniature.pretrain import PAGE
from t2vid.miniature.world import MAX_SCENES, WORDS_PER_SCENE
from t2vid.mixing.budget import Budget
from t2vid.mixing.recipe import Recipe, Source
from t2vid.mixing.source import Pick

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
        text_share: share of texts among the rows; None is the recipe's own.
        render: how the texts are drawn.
        looks: draw face, size, shades and colours of each corpus at random.
        pick: how the texts are chosen.
        text_first: train on all texts before the first clip.
    """

    name: str
    title: str
    recipe: str = ""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_paper: str = ""
    text_share: float | None = None
    render: RenderSpec = PAGE
    looks: bool = False
    pick: Pick = "random"
    text_first: bool = False

    def recipe_for(self, *, rows: int, seed: int = 0) -> Recipe:
        """Scale the paper's recipe down.

        Args:
            rows: rows that stand for the paper's 30,000.
            seed: of the choice of rows and of their order.

        Raises:
            InputError: for the arm without training.
        """
        if not self.recipe:
            raise InputError(f"arm {self.name!r} is not trained, so it has no recipe")
        paper = Recipe.from_yaml(self.recipe)
        scaled = [self._scaled(source, rows, seed) for source in paper.sources]
        sources = tuple(source for source, count in scaled if count)
        name = f"miniature-{self.name}"
        return dataclasses.replace(paper, name=name, sources=sources, seed=seed, budget=Budget())

    def _scaled(self, source: Source, rows: int, seed: int) -> tuple[Source, int]:
        is_text = not source.shows_media
        count = (FULL_ROWS if source.count is None else source.count) * rows // PAPER_ROWS
        if self.text_share is not None:  # two corpora of texts, two of clips
            count = round(rows * (self.text_share if is_text else 1 - self.text_share) / 2)
        config = "triplets" if source.config == "longqlora" else source.config
        name = config or source.dataset.rpartition("/")[2]
        scaled = dataclasses.replace(
            source,
            config=config,
            name=name,
            count=count or None,
            files=self.files.get(name, (TRIPLETS,) if config == "triplets" else ()),
            render=look((seed, len(name))) if self.looks else self.render,
            sample=SampleSpec(max_frames=MAX_SCENES),
            filters=dataclasses.replace(source.filters, pick=self.pick if is_text else "random"),
        )
        return scaled, count


def look(seed: tuple[int, ...]) -> RenderSpec:
    """Draw a look in which six words still fit a page.

    >>> look((1, 2)).words_per_frame == PAGE.words_per_frame
    True
    """
    rng = np.random.default_rng(seed)
    drawn = RenderSpec.random(int(rng.integers(2**31)), like=PAGE)
    return dataclasses.replace(
        PAGE,
        font=("sans", "serif")[int(rng.integers(2))],
        font_px=int(rng.integers(9, 12)),
        **{name: getattr(drawn, name) for name in ("align", "ink", "paper_gray", "colors")},
    )


def _texts(*kinds: str) -> dict[str, tuple[str, ...]]:
    """Give the files of both corpora of texts; the kind "" are those that all arms learn from."""
    return {
        name: tuple(f"{CONTROLS}/{kind}-{file}" if kind else file for kind in kinds)
        for name, file in (("longalpaca", LONG_ALPACA), ("triplets", TRIPLETS))
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
        {"video_chatgpt": (f"{CONTROLS}/{VIDEO_CHATGPT}",)},
    ),
)
ARMS = {arm.name: arm for arm in _ARMS}

_HYBRID = dataclasses.replace(ARMS["hybrid"], in_paper="")


def _drawn(name: str, title: str, **fields: Any) -> Arm:
    return dataclasses.replace(
        _HYBRID, name=name, title=title, render=dataclasses.replace(PAGE, **fields)
    )


def _other(name: str, title: str, **fields: Any) -> Arm:
    return dataclasses.replace(_HYBRID, name=name, title=title, **fields)


# Arms that differ from the hybrid arm in one thing; `t2vid.miniature.studies` asks about them.
_VARIANTS = (
    _other("share-1-6", "a sixth drawn texts", text_share=1 / 6),
    _other("share-2-3", "two thirds drawn texts", text_share=2 / 3),
    _other("share-1", "drawn texts alone", text_share=1.0),
    _drawn("paper-layout", "the paper's layout", layout="paper"),
    _other("random-looks", "faces, sizes and colours at random", looks=True),
    _drawn("worn", "like a bad copy", wear=0.5),
    _drawn("filled", "pages filled, whatever a scene is", words_per_frame=None),
    _drawn("scrolling", "as filled, two lines on a page", words_per_frame=None, scroll_lines=2),
    _other("disordered", "pages in any order", files=_texts("disordered")),
    _drawn("words-3", "three words a page", words_per_frame=WORDS_PER_SCENE // 2),
    _drawn("small", "six words a page, in smaller type", font_px=8),
    _drawn("words-12", "twelve words, small", font_px=8, words_per_frame=2 * WORDS_PER_SCENE),
    _other("pool-random", "texts at random", files=_texts("", "few")),
    _other("pool-diverse", "texts by `pick: diverse`", files=_texts("", "few"), pick="diverse"),
    _other("frames-first", "drawn texts, then clips", text_first=True),
    dataclasses.replace(
        ARMS["pure-text"],
        name="words-first",
        title="the same texts as words, then clips",
        in_paper="",
        text_first=True,
    ),
)
VARIANTS = {arm.name: arm for arm in _VARIANTS}
ALL_ARMS = ARMS | VARIANTS


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
