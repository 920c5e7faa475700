"""Twelve kinds of question about an episode, three wordings each, with four options.

>>> import numpy as np
>>> rng = np.random.default_rng(3)
>>> episode = Episode.drawn(rng)
>>> asked = ask(episode, "first", rng)
>>> asked.question, asked.answer
('What is seen at the start?', 'green box')
>>> asked.options
('pink ball', 'blue ring', 'green box', 'red bar')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from t2vid.miniature.world import COLOURS, NUMBERS, SHAPES, Episode, Thing

LETTERS = "ABCD"
WITH_OPTIONS = 0.8  # share of the questions of training; those of the test all have options
# Every kind asks by place in time or by what happens. Kinds that look a thing up by its name ("what
# comes after the red box?") were tried and left out: a base of this size stayed at chance on them.
WORDINGS: dict[str, tuple[str, ...]] = {
    "first": ("What comes first?", "Which thing is first?", "What is seen at the start?"),
    "colour": (
        "What colour is the first thing?",
        "In which colour does the clip start?",
        "Which colour comes first?",
    ),
    "last": ("What comes last?", "Which thing is last?", "What is new at the end?"),
    "second": ("What comes second?", "Which thing is second?", "What is the second thing?"),
    "shape": (
        "What shape is the last thing?",
        "Which shape comes last?",
        "What shape is new at the end?",
    ),
    "last_colour": (
        "What colour is the last thing?",
        "In which colour does the clip end?",
        "Which colour comes last?",
    ),
    "second_shape": (
        "What shape is the second thing?",
        "Which shape is second?",
        "Which shape comes second?",
    ),
    "count": ("How many things come?", "How many things are there?", "What number of things come?"),
    "goes": ("Which thing moves?", "What goes to a new place?", "Which thing goes away?"),
    "turns": ("Which thing changes?", "What turns to a new colour?", "Which thing turns?"),
    "becomes": (
        "To which colour does a thing turn?",
        "What colour comes from the change?",
        "Which colour is the new colour?",
    ),
    "stays": ("Which thing stays?", "What stays there?", "Which thing is there for long?"),
}
KINDS = tuple(WORDINGS)
SEEN_KINDS = ("first", "colour")  # what questions about videos ask; stories ask all
UNSEEN_KINDS = tuple(kind for kind in KINDS if kind not in SEEN_KINDS)


class Asked(NamedTuple):
    """A question with four options, one of which is the answer."""

    kind: str
    question: str
    options: tuple[str, ...]
    answer: str

    @property
    def letter(self) -> str:
        """The letter of the right option."""
        return LETTERS[self.options.index(self.answer)]

    @property
    def lettered(self) -> str:
        """The question with its options, as a benchmark shows it."""
        lines = [f"{a}. {option}" for a, option in zip(LETTERS, self.options, strict=True)]
        return "\n".join([self.question, *lines])


def ask(episode: Episode, kind: str, rng: np.random.Generator) -> Asked | None:
    """Ask a question of a kind; None where the episode has no answer to it.

    Args:
        episode: what is asked about.
        kind: one of `KINDS`.
        rng: chooses the wording and the wrong options.
    """
    facts = _facts(episode, kind)
    if facts is None:
        return None
    wording = WORDINGS[kind][int(rng.integers(len(WORDINGS[kind])))]
    options = [facts.answer, *_wrong(facts, rng)]
    order = rng.permutation(len(LETTERS))
    return Asked(kind, wording, tuple(options[i] for i in order), facts.answer)


def worded(asked: Asked, rng: np.random.Generator) -> str:
    """Write a question for training: most with their options."""
    return asked.lettered if rng.random() < WITH_OPTIONS else asked.question


def episode_for(kind: str, rng: np.random.Generator) -> tuple[Episode, Asked]:
    """Draw episodes until one answers a question of a kind."""
    while True:
        episode = Episode.drawn(rng)
        asked = ask(episode, kind, rng)
        if asked is not None:
            return episode, asked


class _Facts(NamedTuple):
    """The answer, near misses, and every value that an option may have."""

    answer: str
    near: Sequence[str]
    values: Sequence[str]


_THINGS = [str(Thing(colour, shape)) for colour in COLOURS for shape in SHAPES]


def _facts(episode: Episode, kind: str) -> _Facts | None:
    things = episode.things
    names, colours = [str(thing) for thing in things], [thing.colour for thing in things]
    if kind in ("first", "last", "second"):
        return _Facts(names[{"first": 0, "last": -1, "second": 1}[kind]], names, _THINGS)
    if kind in ("goes", "turns", "stays"):
        scene = episode.act(kind)  # type: ignore[arg-type]
        return None if scene is None else _Facts(str(scene.subject), names, _THINGS)
    if kind == "colour":
        return _Facts(colours[0], colours, tuple(COLOURS))
    if kind == "last_colour":
        return _Facts(colours[-1], colours, tuple(COLOURS))
    if kind in ("shape", "second_shape"):
        shapes = [thing.shape for thing in things]
        return _Facts(shapes[-1 if kind == "shape" else 1], shapes, SHAPES)
    if kind == "count":
        return _Facts(NUMBERS[len(things)], (), NUMBERS[2:6])
    turned = episode.act("turns")
    return None if turned is None else _Facts(turned.thing.colour, colours, tuple(COLOURS))


def _wrong(facts: _Facts, rng: np.random.Generator) -> list[str]:
    """Choose three wrong options, first among what the episode shows."""
    out: list[str] = []
    for values in (facts.near, facts.values):
        rest = [v for v in dict.fromkeys(values) if v != facts.answer and v not in out]
        out += [rest[i] for i in rng.permutation(len(rest))]
    return out[: len(LETTERS) - 1]
