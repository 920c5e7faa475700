"""Needles: a card in a long video, or a sentence in a long drawn text, at a given depth (style of V-NIAH).

>>> found = list(cells(lengths=(8, 16), depths=(0.0, 1.0), each=1))
>>> [(cell.length, cell.depth, cell.place) for cell in found]
[(8, 0.0, 0), (8, 1.0, 7), (16, 0.0, 0), (16, 1.0, 15)]
>>> asked(found[0], "video", seed=0).question
'What is written on the yellow card?'

Everything is generated and follows from the seed. `duration` of a question is the length in frames,
`category` the depth, so that every table by them is there; `t2vid.pages.needle_map` draws both.
The protocol `needles` shows every frame; another one may leave the needle out, and is then wrong.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from t2vid import samples
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import LETTERS, Question
from t2vid.evaluation.benchmarks.reader import BenchmarkReader
from t2vid.frames.feature import text_value, video_value
from t2vid.frames.spec import SampleSpec
from t2vid.frames.video import sample_video
from t2vid.frames.writing import write_clip
from t2vid.schema import WORDS_PER_FRAME

EDGE_PX = 224
WORDS = (
    (
        "amber anchor basil beacon candle canyon cedar cobalt copper coral ember falcon fennel glacier "
        "harbor hazel indigo ivory jasper lantern lemon maple marble meadow nectar ochre olive onyx orchid "
        "pebble pepper plum quartz raven saffron silver thistle tulip velvet walnut willow zephyr"
    )
    .upper()
    .split()
)
_ASKED = {
    "video": "What is written on the yellow card?",
    "text": "What is the secret word of this text?",
}
_FONT = Path(__file__).parents[2] / "fonts" / "LiberationSans-Regular.ttf"


@dataclass(frozen=True)
class Cell:
    """One sequence: its length in frames, the depth of its needle from 0 to 1, and its number."""

    length: int
    depth: float
    number: int

    @property
    def place(self) -> int:
        """The frame that holds the needle."""
        return round(self.depth * (self.length - 1))

    @property
    def name(self) -> str:
        """What distinguishes it."""
        return f"{self.length}/{100 * self.depth:g}/{self.number}"


def cells(*, lengths: Sequence[int], depths: Sequence[float], each: int) -> Iterator[Cell]:
    """Give every combination.

    Args:
        lengths: in frames, each > 0.
        depths: from 0, the first frame, to 1, the last.
        each: sequences of every combination.

    Raises:
        InputError: for a length, depth or number out of its bounds.
    """
    if not lengths or not depths or min(lengths) < 1 or each < 1:
        raise InputError(f"lengths {list(lengths)} and each ({each}) must be > 0, depths not empty")
    if not 0 <= min(depths) <= max(depths) <= 1:
        raise InputError(f"depths {list(depths)} must lie between 0 and 1")
    for length in lengths:
        for depth in depths:
            yield from (Cell(length, depth, number) for number in range(each))


def asked(cell: Cell, kind: str, *, seed: int) -> Question:
    """Make the question of a sequence: four words, one of them the needle's."""
    rng = _rng(cell, seed)
    words = [str(word) for word in rng.choice(WORDS, 4, replace=False)]
    answer = LETTERS[int(rng.integers(4))]
    return Question(
        id=f"needles/{kind}/{seed}/{cell.name}",
        source="needles",
        video=f"{kind}/{seed}/{cell.name}",
        question=_ASKED[kind],
        options=tuple(words),
        answer=answer,
        category=f"{100 * cell.depth:g} %",
        duration=str(cell.length),
        official={"kind": kind, "length": cell.length, "depth": cell.depth, "place": cell.place},
    )


def row(cell: Cell, kind: str, *, seed: int, haystack: str | None = None) -> dict[str, Any]:
    """Give the row of a sequence, its frames in it.

    Args:
        cell: which.
        kind: `video` for a clip that carries its frames, `text` for a text drawn on reading.
        seed: of words and of where the haystack begins.
        haystack: a video, or a text file, in place of the bundled ones.
    """
    question = asked(cell, kind, seed=seed)
    word = question.options[LETTERS.index(question.answer)]
    start = int(_rng(cell, seed + 1).integers(1 << 30))
    made: Any
    if kind == "text":
        made = text_value(hidden_in_text(cell, word, start=start, haystack=haystack))
    else:
        file = io.BytesIO()
        write_clip(file, hidden_in_video(cell, word, start=start, haystack=haystack))
        spec = SampleSpec(fps=None, max_frames=cell.length)
        made = video_value(file.getvalue(), spec)
    return {**question.row(None, SampleSpec()), "images": made}


def hidden_in_video(
    cell: Cell, word: str, *, start: int, haystack: str | None
) -> list[Image.Image]:
    """Give the frames, one of them a yellow card with the word."""
    pool = _frames(haystack)
    frames = [pool[(start + at) % len(pool)] for at in range(cell.length)]
    card = Image.new("RGB", (EDGE_PX, EDGE_PX), (250, 215, 60))
    font = ImageFont.truetype(str(_FONT), 40)
    ImageDraw.Draw(card).text((EDGE_PX / 2, EDGE_PX / 2), word, (20, 20, 20), font, "mm")
    frames[cell.place] = card
    return frames


def hidden_in_text(cell: Cell, word: str, *, start: int, haystack: str | None) -> str:
    """Give a text of about so many frames, in it the sentence with the word."""
    pool = _words(haystack)
    n = cell.length * WORDS_PER_FRAME - 8
    words = [pool[(start + at) % len(pool)] for at in range(n)]
    at = min(n, cell.place * WORDS_PER_FRAME + WORDS_PER_FRAME // 2)
    words[at:at] = ["The", "secret", "word", "of", "this", "text", "is", f"{word}."]
    return " ".join(words)


def _rng(cell: Cell, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, cell.length, round(1e6 * cell.depth), cell.number])


@lru_cache(maxsize=4)
def _frames(haystack: str | None) -> list[Image.Image]:
    """Give the frames that sequences are made of, one a second, squared."""
    found = [haystack] if haystack else sorted((samples.ROOT / "clips").glob("*.mp4"))
    spec = SampleSpec(fps=1.0, size=(EDGE_PX, EDGE_PX))
    return [frame.convert("RGB") for path in found for frame in sample_video(str(path), spec)]


@lru_cache(maxsize=4)
def _words(haystack: str | None) -> list[str]:
    texts = [one["context"] for one in samples.texts()]
    return (Path(haystack).read_text(encoding="utf-8") if haystack else " ".join(texts)).split()


class Needles(BenchmarkReader):
    """Names the configurations; the rows come from `t2vid.dataset_scripts.needles`."""

    source = "needles"
    configs = {
        "video": "A card in a video.",
        "text": "A sentence in a drawn text.",
    }


READER = Needles()
