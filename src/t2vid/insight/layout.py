"""The map of instructions: t-SNE, and its largest groups by name.

>>> import numpy as np
>>> lay_out(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32), seed=0).tolist()
[[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from t2vid.errors import require
from t2vid.insight.embedding import Vectors
from t2vid.insight.templates import template_of
from t2vid.progress import visible

LANDMARKS = 8
PERPLEXITY = 30
_EARLY_STEPS, _STEPS, _STEPS_SHOWN = 250, 500, 25  # of t-SNE, as openTSNE has them
_ONE_CORE = 3_000  # instructions below which t-SNE stays on one core


class Landmark(NamedTuple):
    """A large group on the map: its commonest words, where it lies, how many rows it has."""

    words: str
    x: float
    y: float
    n: int


def lay_out(vectors: Vectors, seed: int) -> NDArray[np.float64]:
    """Give each instruction its place by t-SNE, `(n, 2)`.

    Args:
        vectors: the instructions, embedded.
        seed: of t-SNE.

    Raises:
        MissingExtra: when the extra `insight` is not installed.
    """
    # too few different points for a start by PCA, and no map needed to see them
    others = ~np.isclose(vectors, vectors[0], atol=1e-6).all(axis=1)
    second = vectors[others.argmax()]
    if np.isclose(vectors[others], second, atol=1e-6).all():
        return np.stack([others, np.zeros(len(vectors))], axis=1).astype(np.float64)
    require("openTSNE", extra="insight")
    from openTSNE import TSNE

    perplexity = min(PERPLEXITY, max(1, (len(vectors) - 1) // 3))
    with tqdm(
        total=_EARLY_STEPS + _STEPS, desc="map", unit="step", delay=0.5, disable=not visible()
    ) as bar:

        def moved(*_: object) -> None:
            bar.update(_STEPS_SHOWN)

        tsne = TSNE(
            perplexity=perplexity,
            metric="cosine",
            initialization="pca",
            random_state=seed,
            n_jobs=1 if len(vectors) < _ONE_CORE else 2,  # threads cost more than they bring
            negative_gradient_method="bh" if len(vectors) < 2_000 else "fft",
            early_exaggeration_iter=_EARLY_STEPS,
            n_iter=_STEPS,
            callbacks=moved,
            callbacks_every_iters=_STEPS_SHOWN,
        )
        return np.asarray(tsne.fit(vectors), dtype=np.float64)


# Of scikit-learn's stop words those that say what an instruction asks.
_TELLING = frozenset(
    "back bottom call describe detail fill find front full give go keep move name put see show side take top".split()
)


def landmarks(
    texts: Sequence[str], groups: NDArray[np.int64], xy: NDArray[np.float64]
) -> list[Landmark]:
    """Name the largest groups of a map by the words that are common in them and rare elsewhere.

    Args:
        texts: the instructions.
        groups: the number of the group of each.
        xy: their places.

    Returns:
        At most `LANDMARKS`, each with at least a fiftieth of the instructions.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    dull = ENGLISH_STOP_WORDS - _TELLING
    words = [set(re.findall(r"[^\W\d_]{2,}", template_of(text))) for text in texts]
    everywhere = Counter(word for each in words for word in each)
    out = []
    for group, n in Counter(groups.tolist()).most_common(LANDMARKS):
        if n < max(3, len(texts) / 50):
            break
        at = np.flatnonzero(groups == group)
        here = Counter(word for i in at for word in words[i])
        # in most of the group; of these, what is rarest elsewhere
        common = [word for word, count in here.items() if 2 * count >= n]
        common = [word for word in common if word not in dull] or common
        common.sort(key=lambda word: (everywhere[word] - here[word], -here[word], -len(word), word))
        said = template_of(texts[at[0]])
        named = sorted(common[:3], key=lambda word: (word not in said, said.find(word)))
        x, y = np.median(xy[at], axis=0)
        if named:
            out.append(Landmark(" ".join(named), float(x), float(y), n))
    return out
