"""Pages that look worn: paper, uneven light, skew, blur, noise and JPEG, each chosen by a seed.

>>> page = Image.new("L", (64, 64), 255)
>>> worn(page, 0.5, 1, 1).tobytes() == worn(page, 0.5, 1, 1).tobytes() != page.tobytes()
True

What happens to a document is chosen once, by its seed; grain and noise differ from page to page.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageFilter

Matrix = NDArray[np.float64]
_GRAIN_PX = 24  # of a patch of paper that is a little darker or lighter


class Wear(NamedTuple):
    """What happens to the pages of a document; 0 leaves a thing out.

    Attributes:
        grain: gray levels by which the paper varies.
        shadow: share of the light that the darkest place loses.
        shadow_way: where that is, in radians from the middle of the page.
        corners: by how much each corner moves inwards, `(x, y)` as shares of the page's edges.
        turn: radians.
        blur_px: radius.
        noise: standard deviation in gray levels.
        quality: of JPEG.
    """

    grain: float
    shadow: float
    shadow_way: float
    corners: tuple[tuple[float, float], ...]
    turn: float
    blur_px: float
    noise: float
    quality: int


@lru_cache(maxsize=256)
def wear_of(strength: float, seed: int) -> Wear:
    """Choose what happens to a document.

    Args:
        strength: from 0 to 1; the limits are where tesseract still reads 14 px and more
            (`benchmarks/legibility.py --levels`).
        seed: the same one chooses the same.
    """
    rng = np.random.default_rng([seed, 0])
    used = rng.random(6) < 0.75
    used[int(rng.integers(6))] = True
    low = strength * (0.4 + 0.6 * rng.random(6)) * used
    moved = low[2] * 0.02 * rng.random((4, 2))
    turned = low[2] * 0.03 * rng.uniform(-1, 1)
    return Wear(
        grain=float(12 * low[0]),
        shadow=float(0.45 * low[1]),
        shadow_way=float(rng.uniform(0, 2 * np.pi)),
        corners=tuple((float(x), float(y)) for x, y in moved),
        turn=float(turned),
        blur_px=float(0.75 * low[3]),
        noise=float(14 * low[4]),
        quality=round(95 - 60 * low[5]),
    )


def worn(
    image: Image.Image, strength: float, seed: int, number: int, *, paper: str = "#ffffff"
) -> Image.Image:
    """Give a page as it looks in a scan or a photograph.

    Args:
        image: gray or RGB.
        strength: as in `wear_of`.
        seed: of the document.
        number: of the page.
        paper: colour of its background.
    """
    wear = wear_of(strength, seed)
    rng = np.random.default_rng([seed, number])
    if wear.turn:
        red, green, blue = ImageColor.getrgb(paper)[:3]
        fill = (red, green, blue) if image.mode == "RGB" else red
        back = np.linalg.inv(warp(image.size, strength, seed))
        terms = (back / back[2, 2]).ravel()[:8].tolist()
        how = Image.Transform.PERSPECTIVE
        image = image.transform(image.size, how, terms, Image.Resampling.BICUBIC, fillcolor=fill)
    if wear.blur_px:
        image = image.filter(ImageFilter.GaussianBlur(wear.blur_px))
    pixels = np.asarray(image, np.float32)
    wide = pixels.ndim == 3
    light = _light(image.size, wear, rng)
    pixels = pixels * (light[..., None] if wide else light)
    if wear.noise:
        grain = rng.standard_normal(light.shape, np.float32) * np.float32(wear.noise)
        pixels = pixels + (grain[..., None] if wide else grain)
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    if wear.quality < 95:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=wear.quality)
        image = Image.open(buffer)
        image.load()
    return image if type(image) is Image.Image else image.copy()


def warp(size: tuple[int, int], strength: float, seed: int) -> Matrix:
    """Give where a page's points go: a 3x3 matrix for `(x, y, 1)` in pixels.

    Args:
        size: width and height in pixels.
        strength: as in `wear_of`.
        seed: of the document.
    """
    wear = wear_of(strength, seed)
    wide, tall = size
    ends = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], float)
    middle = ends.mean(axis=0)
    turn = np.array(
        [[np.cos(wear.turn), -np.sin(wear.turn)], [np.sin(wear.turn), np.cos(wear.turn)]]
    )
    inward = np.sign(middle - ends) * np.array(wear.corners) * (wide, tall)
    moved = (ends + inward - middle) @ turn.T
    # a turned page is made smaller, so that none of it leaves the frame
    moved *= min(1.0, float((middle / np.abs(moved).max(axis=0)).min()))
    moved += middle
    rows, wanted = [], []
    for (x, y), (to_x, to_y) in zip(ends.tolist(), moved.tolist(), strict=True):
        rows.append([x, y, 1, 0, 0, 0, -x * to_x, -y * to_x])
        rows.append([0, 0, 0, x, y, 1, -x * to_y, -y * to_y])
        wanted += [to_x, to_y]
    found = np.linalg.solve(np.array(rows), np.array(wanted))
    return np.append(found, 1.0).reshape(3, 3)


def _light(size: tuple[int, int], wear: Wear, rng: np.random.Generator) -> NDArray[np.float32]:
    """Give how much light each pixel has: the paper's grain, and a shadow on one side."""
    wide, tall = size
    light = np.ones((tall, wide), np.float32)
    if wear.grain:
        for patch_px, share in ((_GRAIN_PX, 0.7), (3, 0.3)):
            few = rng.integers(0, 256, (tall // patch_px + 2, wide // patch_px + 2), np.uint8)
            patches = Image.fromarray(few).resize(size, Image.Resampling.BICUBIC)
            light -= np.asarray(patches, np.float32) * np.float32(
                share * wear.grain / 255 / 255 * 2
            )
    if wear.shadow:
        x = np.linspace(-1, 1, wide, dtype=np.float32) * np.float32(np.cos(wear.shadow_way))
        y = np.linspace(-1, 1, tall, dtype=np.float32) * np.float32(np.sin(wear.shadow_way))
        toward = (x[None, :] + y[:, None] + np.float32(1.42)) / np.float32(2.84)
        light *= 1 - np.float32(wear.shadow) * toward * toward
    return light
