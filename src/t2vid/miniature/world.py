"""The small world: coloured shapes that come, go, turn and stay; told in words or shown as scenes.

>>> import numpy as np
>>> episode = Episode.drawn(np.random.default_rng(3))
>>> episode.story.split(" then ")[0]
'first a green box at right'
>>> len(episode.story.split()) == WORDS_PER_SCENE * len(episode.scenes)
True

A clip shows one scene a second, and a story tells each scene in six words, so that a page of six words
is to a text what a frame is to a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np

COLOURS = {
    "red": (220, 40, 40),
    "blue": (40, 70, 220),
    "green": (30, 160, 60),
    "gold": (225, 180, 20),
    "black": (20, 20, 20),
    "pink": (240, 120, 190),
}
SHAPES = ("ball", "box", "star", "ring", "cone", "cross", "bar")
PLACES = ("left", "right", "top", "bottom")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
WORDS_PER_SCENE = 6
MIN_SCENES, MAX_SCENES = 4, 5

Act = Literal["comes", "goes", "turns", "stays"]


class Thing(NamedTuple):
    """What a scene shows: a shape in a colour.

    >>> str(Thing("red", "box"))
    'red box'
    """

    colour: str
    shape: str

    def __str__(self) -> str:
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """One second of a clip, one page of a story.

    Attributes:
        act: what happens.
        subject: the thing it happens to, as it was before.
        thing: the thing as it is seen.
        place: where it is seen.
    """

    act: Act
    subject: Thing
    thing: Thing
    place: str

    @property
    def words(self) -> str:
        """Tell the scene in five words; the sixth says when."""
        if self.act == "comes":
            return f"a {self.subject} at {self.place}"
        what = {"goes": self.place, "turns": self.thing.colour, "stays": "there"}[self.act]
        return f"the {self.subject} {self.act} {what}"


@dataclass(frozen=True)
class Episode:
    """Four or five scenes; no colour or shape comes twice, nothing goes, turns or stays twice.

    Attributes:
        scenes: in order; the first is a thing that comes.
    """

    scenes: tuple[Scene, ...]

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, *, scenes: tuple[int, int] = (MIN_SCENES, MAX_SCENES)
    ) -> Self:
        """Draw an episode.

        Args:
            rng: what it is drawn from.
            scenes: fewest and most scenes; at least two.
        """
        n = int(rng.integers(scenes[0], scenes[1] + 1))
        acts: list[Act] = ["comes"]
        others: list[Act] = [("goes", "turns", "stays")[i] for i in rng.permutation(3)]
        while len(acts) < n:
            acts.append(others.pop() if others and rng.random() < 0.3 else "comes")
        if acts.count("comes") < 2:
            acts[-1] = "comes"
        return cls(tuple(_scenes(acts, rng)))

    @property
    def story(self) -> str:
        """Tell it in words, six a scene."""
        return " ".join(phrases(self))

    @property
    def things(self) -> list[Thing]:
        """The things in the order in which they come, as they were when they came."""
        return [scene.subject for scene in self.scenes if scene.act == "comes"]

    def act(self, act: Act) -> Scene | None:
        """Give the scene in which something goes, turns or stays; None where nothing does."""
        return next((scene for scene in self.scenes if scene.act == act), None)


def phrases(episode: Episode) -> list[str]:
    """Give the six words of every scene."""
    return [f"{'then' if i else 'first'} {s.words}" for i, s in enumerate(episode.scenes)]


def all_phrases() -> list[str]:
    """Give every six words that a story can hold."""
    out = []
    for thing in (Thing(colour, shape) for colour in COLOURS for shape in SHAPES):
        scenes = [Scene("comes", thing, thing, place) for place in PLACES]
        out += [f"first {scene.words}" for scene in scenes]
        scenes += [Scene("goes", thing, thing, place) for place in PLACES]
        scenes += [
            Scene("turns", thing, Thing(colour, thing.shape), "left")
            for colour in COLOURS
            if colour != thing.colour
        ]
        scenes.append(Scene("stays", thing, thing, "left"))
        out += [f"then {scene.words}" for scene in scenes]
    return out


def _scenes(acts: list[Act], rng: np.random.Generator) -> list[Scene]:
    # Every colour and shape once, so that "the ball" or "red" names one thing.
    colours = [list(COLOURS)[i] for i in rng.permutation(len(COLOURS))]
    shapes = [SHAPES[i] for i in rng.permutation(len(SHAPES))]
    out: list[Scene] = []
    for act in acts:
        last = out[-1] if out else None
        if act == "comes" or last is None:
            thing = Thing(colours.pop(), shapes.pop())
            out.append(Scene("comes", thing, thing, _other(PLACES, "", rng)))
        elif act == "goes":
            out.append(Scene(act, last.thing, last.thing, _other(PLACES, last.place, rng)))
        elif act == "turns":
            out.append(Scene(act, last.thing, Thing(colours.pop(), last.thing.shape), last.place))
        else:
            out.append(Scene(act, last.thing, last.thing, last.place))
    return out


def _other(values: tuple[str, ...], but: str, rng: np.random.Generator) -> str:
    rest = [value for value in values if value != but]
    return rest[int(rng.integers(len(rest)))]
