"""Twelve kinds of question about an episode, three wordings each, with four options.

>>> import numpy as np
>>> rng = np.random.default_rng(3)
>>> episode = Episode.drawn(rng)
>>> asked = ask(episode, "first", rng)
>>> asked.question, asked.answer
('Which thing is first?', 'pink cone')
>>> asked.options
('gold ring', 'pink cone', 'red box', 'black cone')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from t2vid.miniature.world import COLOURS, NUMBERS, PLACES, SHAPES, Episode, Thing

LETTERS = "ABCD"
WORDINGS: dict[str, tuple[str, ...]] = {
    "first": ("What comes first?", "Which thing is first?", "What is seen at the start?"),
    "colour": (
        "What colour is the {x}?",
        "Which colour has the {x}?",
        "In what colour does the {x} come?",
    ),
    "last": ("What comes last?", "Which thing is last?", "What is new at the end?"),
    "second": ("What comes second?", "Which thing is second?", "What is the second thing?"),
    "after": (
        "What comes after the {x}?",
        "Which thing follows the {x}?",
        "What is next after the {x}?",
    ),
    "before": (
        "What comes before the {x}?",
        "Which thing leads to the {x}?",
        "What is just before the {x}?",
    ),
    "shape": ("What shape is {x}?", "Which shape has the colour {x}?", "What comes in {x}?"),
    "place": (
        "Where does the {x} come?",
        "At which place is the {x} first?",
        "Where is the {x} at the start?",
    ),
    "count": ("How many things come?", "How many things are there?", "What number of things come?"),
    "goes": ("Which thing moves?", "What goes to a new place?", "Which thing goes away?"),
    "turns": ("Which thing changes?", "What turns to a new colour?", "Which thing turns?"),
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
        rng: chooses the thing asked about, the wording and the wrong options.
    """
    found = _facts(episode, kind, rng)
    if found is None:
        return None
    about, answer, near, all_values = found
    wording = WORDINGS[kind][int(rng.integers(len(WORDINGS[kind])))]
    options = [answer, *_wrong(answer, near, all_values, rng)]
    order = rng.permutation(len(LETTERS))
    return Asked(kind, wording.format(x=about), tuple(options[i] for i in order), answer)


def episode_for(kind: str, rng: np.random.Generator) -> tuple[Episode, Asked]:
    """Draw episodes until one answers a question of a kind."""
    while True:
        episode = Episode.drawn(rng)
        asked = ask(episode, kind, rng)
        if asked is not None:
            return episode, asked


_Facts = tuple[str, str, Sequence[str], Sequence[str]]
_THINGS = [str(Thing(colour, shape)) for colour in COLOURS for shape in SHAPES]


def _facts(episode: Episode, kind: str, rng: np.random.Generator) -> _Facts | None:
    """Give what is asked about, the answer, near misses, and every value an option may have."""
    things = episode.things
    names = [str(thing) for thing in things]
    if kind in ("first", "last", "second"):
        return "", names[{"first": 0, "last": -1, "second": 1}[kind]], names, _THINGS
    if kind in ("after", "before"):
        i = int(rng.integers(len(names) - 1))
        about, answer = (i, i + 1) if kind == "after" else (i + 1, i)
        return names[about], names[answer], _without(names, names[about]), _THINGS
    if kind in ("goes", "turns", "stays"):
        scene = episode.act(kind)  # type: ignore[arg-type]
        return None if scene is None else ("", str(scene.subject), names, _THINGS)
    if kind == "count":
        return "", NUMBERS[len(things)], (), NUMBERS[2:7]
    if kind == "place":
        i = int(rng.integers(len(things)))
        come = [scene for scene in episode.scenes if scene.act == "comes"]
        return names[i], come[i].place, (), PLACES
    return _attribute(episode, kind, rng)


def _attribute(episode: Episode, kind: str, rng: np.random.Generator) -> _Facts | None:
    """Ask for the colour of a shape or the shape of a colour that is there once only."""
    seen = list(dict.fromkeys(scene.thing for scene in episode.scenes))
    known, wanted = (1, 0) if kind == "colour" else (0, 1)
    once = [t for t in seen if sum(other[known] == t[known] for other in seen) == 1]
    if not once:
        return None
    thing = once[int(rng.integers(len(once)))]
    values = tuple(COLOURS) if kind == "colour" else SHAPES
    return thing[known], thing[wanted], [t[wanted] for t in seen], values


def _wrong(
    answer: str, near: Sequence[str], all_values: Sequence[str], rng: np.random.Generator
) -> list[str]:
    """Choose three wrong options, first among what the episode shows."""
    out: list[str] = []
    for values in (near, all_values):
        rest = [v for v in dict.fromkeys(values) if v != answer and v not in out]
        out += [rest[i] for i in rng.permutation(len(rest))]
    return out[: len(LETTERS) - 1]


def _without(values: Sequence[str], value: str) -> list[str]:
    return [other for other in values if other != value]


def all_words() -> list[str]:
    """Give every text that names each word of the world's questions, for a tokenizer to learn from."""
    samples: dict[str, Any] = {
        kind: "red box" if "{x}" in WORDINGS[kind][0] else "" for kind in KINDS
    }
    return [wording.format(x=samples[kind]) for kind in KINDS for wording in WORDINGS[kind]]
