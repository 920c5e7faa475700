"""Scenes as pictures and clips as mp4 files.

>>> import numpy as np
>>> from t2vid.miniature.world import Episode
>>> rng = np.random.default_rng(0)
>>> clip(Episode.drawn(rng), rng)[0].size
(56, 56)
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from t2vid.miniature.world import COLOURS, Episode, Scene

FRAME_PX = 56
CENTRES = {"left": (15, 28), "right": (41, 28), "top": (28, 15), "bottom": (28, 41)}
_JITTER_PX = 2
_RING_PX = 4


def draw(
    scene: Scene, rng: np.random.Generator, *, background: tuple[int, int, int] | None = None
) -> Image.Image:
    """Draw what a scene shows: one thing on a light background.

    Args:
        scene: what to draw.
        rng: size, exact place and, where it is not given, the background.
        background: red, green and blue.
    """
    light = background or backdrop(rng)
    image = Image.new("RGB", (FRAME_PX, FRAME_PX), light)
    pen = ImageDraw.Draw(image)
    r = int(rng.integers(9, 13))
    dx, dy = (int(v) for v in rng.integers(-_JITTER_PX, _JITTER_PX + 1, 2))
    x, y = CENTRES[scene.place][0] + dx, CENTRES[scene.place][1] + dy
    fill, shape = COLOURS[scene.thing.colour], scene.thing.shape
    if shape == "ball":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    elif shape == "box":
        pen.rectangle((x - r + 1, y - r + 1, x + r - 1, y + r - 1), fill=fill)
    elif shape == "ring":
        pen.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=_RING_PX)
    elif shape == "cross":
        pen.rectangle((x - r, y - 3, x + r, y + 3), fill=fill)
        pen.rectangle((x - 3, y - r, x + 3, y + r), fill=fill)
    elif shape == "bar":
        pen.rectangle((x - r - 1, y - 4, x + r + 1, y + 4), fill=fill)
    elif shape == "cone":
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=fill)
    else:
        pen.polygon(_star(x, y, r), fill=fill)
    return image


def backdrop(rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw a light colour."""
    red, green, blue = (int(v) for v in rng.integers(225, 256, 3))
    return red, green, blue


def clip(episode: Episode, rng: np.random.Generator) -> list[Image.Image]:
    """Draw the scenes of an episode before one background."""
    light = backdrop(rng)
    return [draw(scene, rng, background=light) for scene in episode.scenes]


def _star(x: int, y: int, r: int) -> list[tuple[float, float]]:
    radii = [r * (1.0 if i % 2 == 0 else 0.42) for i in range(10)]
    return [
        (x + radius * math.sin(i * math.pi / 5), y - radius * math.cos(i * math.pi / 5))
        for i, radius in enumerate(radii)
    ]
