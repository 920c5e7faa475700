"""Chooses texts that cover a set of texts: greedy k-centre (Gonzalez, 1985) on hashed words.

>>> cover(["Describe it."] * 5 + ["Count the red boats."], 2).tolist()
[0, 5]

Nothing but integers decides, so every machine, number of threads and version of numpy chooses the
same rows, and a recipe with `pick: diverse` is one mix everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.progress import progress

DIMENSIONS = 128  # signs that a word is hashed to: one digest of 16 bytes
MAX_WORDS = 256  # of a text; an instruction that is longer is told by its beginning
# Unit vectors are rounded to steps of 1/2048: their products stay below 2**24, so sums in float32
# are exact, in whatever order a BLAS takes them.
_STEPS = 2048
_CHUNK = 512
_WORDS = re.compile(r"\w+")

Vectors = NDArray[np.float32]


def cover(
    texts: Sequence[str], k: int, *, start: int = 0, vectors: Vectors | None = None
) -> NDArray[np.int64]:
    """Order texts so that each next one is the farthest from all before it, and give the first k.

    No text left out is farther from the choice than twice the best possible radius. Equal texts
    count once; they come again, in their order, when all different ones are chosen.

    Args:
        texts: what to cover.
        k: how many to choose; a smaller k gives the beginning of what a larger one gives.
        start: place of the first.
        vectors: unit vectors `(n, dimensions)` of the texts; hashed words by default.

    Raises:
        InputError: when k is below 1 or above the number of texts.
    """
    if not 1 <= k <= len(texts):
        raise InputError(f"k ({k:,}) must be from 1 to the number of rows, {len(texts):,}")
    firsts: dict[str, int] = {texts[start]: start}
    for at, text in enumerate(texts):
        firsts.setdefault(text, at)
    different = np.fromiter(firsts.values(), np.int64, len(firsts))
    if vectors is None:
        chosen_from = hashed(list(firsts))
    else:
        chosen_from = vectors[different]
    order = different[_k_centre(chosen_from, min(k, len(different)))]
    again = np.setdiff1d(np.arange(len(texts)), different)[: k - len(order)]
    return np.concatenate([order, again])


def hashed(texts: Sequence[str]) -> Vectors:
    """Give texts as unit vectors: signs of their words and pairs of words, rarer ones heavier.

    A random projection (Achlioptas, 2003) of the texts' word counts, seeded by the words themselves.

    Args:
        texts: at least one.
    """
    numbers: dict[str, int] = {}
    of_text = [
        np.array(sorted({numbers.setdefault(gram, len(numbers)) for gram in _grams(text)}))
        for text in texts
    ]
    digests = b"".join(
        hashlib.blake2b(gram.encode("utf-8", "replace"), digest_size=DIMENSIONS // 8).digest()
        for gram in numbers
    )
    found_in = np.bincount(np.concatenate(of_text), minlength=len(numbers))
    weights = np.frexp(len(texts) // found_in)[1].astype(np.int32)  # a whole logarithm
    packed = np.frombuffer(digests, np.uint8).reshape(len(numbers), -1)
    out = np.empty((len(texts), DIMENSIONS), np.float32)
    for begin in range(0, len(texts), _CHUNK):
        chunk = of_text[begin : begin + _CHUNK]
        grams = np.concatenate(chunk)
        signs = np.unpackbits(packed[grams], axis=1).astype(np.int32) * 2 - 1
        starts = np.cumsum([0, *map(len, chunk[:-1])])
        sums = np.add.reduceat(signs * weights[grams, None], starts, axis=0).astype(np.int64)
        length = np.sqrt(np.maximum(1, (sums * sums).sum(axis=1, keepdims=True)))
        out[begin : begin + _CHUNK] = sums / length
    return out


def _grams(text: str) -> list[str]:
    words = _WORDS.findall(text.lower())[:MAX_WORDS]
    # one gram at least, so that texts without a word are one another's equals
    return [*words, *map(" ".join, zip(words, words[1:], strict=False))] or [""]


def _k_centre(vectors: Vectors, k: int) -> NDArray[np.int64]:
    steps = np.rint(vectors * np.float32(_STEPS))
    chosen = np.empty(k, dtype=np.int64)
    nearest = np.full(len(steps), -np.inf, dtype=np.float32)  # likeness to the closest chosen one
    at = 0
    for step in progress(range(k), desc="selecting", total=k):
        chosen[step] = at
        np.maximum(nearest, steps @ steps[at], out=nearest)
        nearest[at] = np.inf  # equal vectors must not bring the same row twice
        at = int(nearest.argmin())
    return chosen
