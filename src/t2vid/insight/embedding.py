"""Instructions as unit vectors: by a sentence model, else by TF-IDF of what is not masked.

>>> vectors, how = embed(["Describe clip 1.", "Describe clip 2.", "Why do they run?"])
>>> bool(vectors[0] @ vectors[1] > 0.999), how[:6]
(True, 'TF-IDF')
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError, MissingExtra, require
from t2vid.insight.templates import template_of
from t2vid.progress import visible

logger = logging.getLogger(__name__)

DIMENSIONS = 64  # of TF-IDF after SVD
Vectors = NDArray[np.float32]


def embed(
    texts: Sequence[str], *, embedder: str | None = None, seed: int = 0
) -> tuple[Vectors, str]:
    """Embed texts as unit vectors `(n, dimensions)`, and say how.

    Numbers, quotes and names are masked first: they make no other instruction.

    Args:
        texts: at least two.
        embedder: name or folder of a `sentence-transformers` model; None, or one that cannot be
            loaded, gives TF-IDF with SVD.
        seed: of the SVD.
    """
    why, texts = "", [template_of(text) for text in texts]
    if embedder is not None:
        try:
            return _by_model(texts, embedder), f"sentence-transformers: {embedder}"
        # no such folder or name, no network, no package: what the map still can do is said on it
        except (OSError, MissingExtra) as error:
            why = f", because {embedder} could not be loaded ({str(error).splitlines()[0]})"
            logger.warning("instructions are embedded by TF-IDF%s", why)
    require("sklearn", extra="insight")
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(
        ngram_range=(1, 2), max_features=50_000, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"
    )
    try:
        matrix = counts.fit_transform(texts)
    except ValueError as error:
        raise InputError(f"the instructions hold no words ({error}); check the column") from error
    size = min(DIMENSIONS, min(matrix.shape) - 1)
    if size >= 1:
        matrix = TruncatedSVD(size, random_state=seed).fit_transform(matrix)
    else:
        matrix = matrix.toarray()
    vectors = np.asarray(matrix, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(
        norms, 1e-12
    ), f"TF-IDF and SVD to {vectors.shape[1]} dimensions{why}"


def _by_model(texts: Sequence[str], embedder: str) -> Vectors:
    module = require("sentence_transformers", extra="embed")
    model = module.SentenceTransformer(embedder)
    vectors = model.encode(
        list(texts), normalize_embeddings=True, show_progress_bar=visible(), batch_size=64
    )
    return np.asarray(vectors, dtype=np.float32)
