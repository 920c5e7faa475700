"""Does the mini image-LLM see, read and answer: what must hold before an arm means anything.

    model, processor = t2vid.models.mini()
    print(gates(model, processor))

>>> Gates(sees=0.95, reads=0.97, answers=0.85, n=200).passed
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from t2vid.frames.feature import text_value
from t2vid.miniature.pictures import draw
from t2vid.miniature.pretrain import PAGE
from t2vid.miniature.prompts import LOOK, READ
from t2vid.miniature.questions import KINDS, episode_for
from t2vid.miniature.world import Episode, phrases
from t2vid.schema import messages

SEES, READS, ANSWERS = 0.9, 0.9, 0.8


@dataclass(frozen=True)
class Gates:
    """Shares of right answers, word for word.

    Attributes:
        sees: single pictures named.
        reads: single drawn pages read.
        answers: questions with options about stories in words.
        n: number of each.
        by_kind: the last by kind of question.
    """

    sees: float
    reads: float
    answers: float
    n: int
    by_kind: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it sees and reads at 90 % and answers at 80 %."""
        return self.sees >= SEES and self.reads >= READS and self.answers >= ANSWERS


def gates(model: Any, processor: Any, *, n: int = 240, seed: int = 1) -> Gates:
    """Ask a model about `n` new pictures, pages and stories each.

    Args:
        model: a base of this world.
        processor: its processor.
        n: of each; stories go through the kinds of question in turn.
        seed: of what is asked.
    """
    rng = np.random.default_rng((seed, 9))
    seen, read, asked = [], [], []
    for i in range(n):
        scenes = Episode.drawn(rng).scenes
        scene = scenes[int(rng.integers(len(scenes)))]
        seen.append(
            _row(LOOK[i % len(LOOK)], [draw(scene, rng)], f"a {scene.thing} at {scene.place}")
        )
        told = phrases(Episode.drawn(rng))
        words = told[int(rng.integers(len(told)))]
        read.append(_row(READ[i % len(READ)], text_value(words, PAGE), words))
        episode, question = episode_for(KINDS[i % len(KINDS)], rng)
        asked.append(_row(f"{episode.story}\n\n{question.lettered}", [], question.answer))
    right = _right(model, processor, asked)
    kinds = {kind: float(np.mean(right[i :: len(KINDS)])) for i, kind in enumerate(KINDS[:n])}
    sees, reads = (float(np.mean(_right(model, processor, rows))) for rows in (seen, read))
    return Gates(sees, reads, float(np.mean(right)), n, kinds)


def _row(question: str, images: Any, answer: str) -> dict[str, Any]:
    turns = [("user", question), ("assistant", answer)]
    return {"images": images, "messages": messages(turns, n_frames=1 if images else 0)}


def _right(model: Any, processor: Any, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    from t2vid.evaluation.generate import answer

    said = answer(model, processor, rows, max_new_tokens=8, batch_size=60)
    wanted = [row["messages"][-1]["content"][-1]["text"] for row in rows]
    return [a == b for a, b in zip(said, wanted, strict=True)]
