"""Instructions as unit vectors: by a sentence model, else by TF-IDF of what is not masked.

>>> asked = ["Describe clip 1.", "Describe clip 2.", "Why do they run?"]
>>> vectors, how = embed(asked, embedder="tfidf")
>>> bool(vectors[0] @ vectors[1] > 0.999), how[:6]
(True, 'TF-IDF')
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError, MissingExtra, require
from t2vid.insight.templates import template_of
from t2vid.progress import visible

logger = logging.getLogger(__name__)

MODEL, PACKAGE = "all-MiniLM-L6-v2", "all_minilm_l6_v2"  # 83 MB from PyPI, Apache-2.0
TFIDF = "tfidf"
DIMENSIONS = 64  # of TF-IDF after SVD
Vectors = NDArray[np.float32]


def embed(
    texts: Sequence[str], *, embedder: str | None = None, seed: int = 0
) -> tuple[Vectors, str]:
    """Embed texts as unit vectors `(n, dimensions)`, and say how.

    Numbers, quotes and names are masked first: they make no other instruction.

    Args:
        texts: at least two.
        embedder: name or folder of a `sentence-transformers` model; None is the small one that the
            extra `embed` brings (all-MiniLM-L6-v2), read from disk; `"tfidf"`, or a model that is
            not there, gives TF-IDF with SVD, which knows words and no meanings.
        seed: of the SVD.

    Raises:
        InputError: for texts without a word.
    """
    texts = [template_of(text) for text in texts]
    if not any(character.isalnum() for text in texts for character in text):
        raise InputError("the instructions hold no words; check the column")
    why = ""
    if embedder != TFIDF:
        try:
            return _by_model(texts, embedder)
        # no such folder or name, no network, no package: what the map still can do is said on it
        except (OSError, MissingExtra) as error:
            named = embedder or MODEL
            why = f", because {named} could not be loaded ({str(error).splitlines()[0]})"
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
    if min(matrix.shape) > DIMENSIONS:  # fewer texts are told apart by all of their words
        matrix = TruncatedSVD(DIMENSIONS, random_state=seed).fit_transform(matrix)
        how = f"TF-IDF and SVD to {DIMENSIONS} dimensions"
    else:
        matrix, how = matrix.toarray(), "TF-IDF"
    vectors = np.asarray(matrix, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12), how + why


def _by_model(texts: Sequence[str], embedder: str | None) -> tuple[Vectors, str]:
    name = embedder or str(_brought())  # looked for first: the package takes seconds to import
    require("sentence_transformers", extra="embed")
    different = list(dict.fromkeys(texts))  # nine templates are embedded nine times
    vectors = _model(name).encode(
        different, normalize_embeddings=True, show_progress_bar=visible(), batch_size=64
    )
    place = {text: at for at, text in enumerate(different)}
    out = np.asarray(vectors, dtype=np.float32)[[place[text] for text in texts]]
    return out, f"sentence-transformers: {embedder or MODEL}"


@lru_cache(maxsize=2)
def _model(name: str) -> Any:
    import sentence_transformers

    return sentence_transformers.SentenceTransformer(name)


def _brought() -> Path:
    """Unpack the model that the extra brings, once, beside the other caches."""
    from huggingface_hub.constants import HF_HOME

    found = importlib.util.find_spec(PACKAGE)  # importing it would print
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(f'{PACKAGE} is not installed; run: pip install "t2vid[embed]"')
    packed = Path(found.submodule_search_locations[0]) / "model.zip"
    folder = Path(HF_HOME) / "t2vid" / f"{MODEL}-{packed.stat().st_size}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(Path(fresh) / MODEL)
            with suppress(OSError):  # another process was first
                (Path(fresh) / MODEL).rename(folder)
    return next(path.parent for path in sorted(folder.rglob("modules.json")))
