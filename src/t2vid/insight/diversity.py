"""How varied the instructions of a training set are: a map to look at, numbers that need no eye.

    from t2vid.insight import diversity
    found = diversity({"sharegemini": videos, "mix": mix})
    print(found.table())

The map is the paper's (T2Vid, Figs. 4 and 6): instructions embedded, then t-SNE. Nine templates
make nine islands; a varied set makes a cloud.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError
from t2vid.insight.embedding import Vectors, embed
from t2vid.insight.layout import Landmark, landmarks, lay_out
from t2vid.insight.templates import TOP_TEMPLATES, repeated, template_of
from t2vid.mixing.coverage import cover
from t2vid.progress import progress

SAMPLE = 5_000
SAME = 0.9  # cosine from which two instructions count as one template
RESAMPLES = 200


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % bootstrap interval.

    A resample repeats rows, so entropies come out low in it; the interval is the spread of the
    resamples laid around the value.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class SourceDiversity:
    """The numbers of one source.

    Attributes:
        n: instructions looked at.
        n_clusters: groups of instructions within cosine 0.9 of one another.
        cluster_entropy: entropy of the groups' shares in nats; 0 for one template, log(n) where
            every instruction stands alone. Grows with n, so compare at equal n.
        cluster_share: share of the rows whose instruction belongs to the ten largest groups.
        template_share: share of the rows whose instruction is one of the ten most frequent
            templates that repeat; numbers, quotes and names make no other template.
        vendi: Vendi score (Friedman and Dieng, 2023), the effective number of different rows.
        distinct_1: different words over all words.
        distinct_2: different pairs of words over all pairs.
        nearest: mean cosine distance to the nearest other instruction.
        templates: the most frequent templates and in how many rows each stands.
    """

    n: int
    n_clusters: int
    cluster_entropy: Estimate
    cluster_share: Estimate
    template_share: Estimate
    vendi: Estimate
    distinct_1: float
    distinct_2: float
    nearest: Estimate
    templates: list[tuple[str, int]]


@dataclass(frozen=True)
class Diversity:
    """What `diversity` found.

    Attributes:
        sources: the numbers by source, and after several of them those of `all` together.
        embedder: what embedded the instructions.
        texts: the sampled instructions.
        labels: the source of each.
        xy: their places on the map, `(n, 2)`.
        landmarks: its largest groups, named by their commonest words.
    """

    sources: dict[str, SourceDiversity]
    embedder: str
    texts: list[str]
    labels: list[str]
    xy: NDArray[np.float64]
    landmarks: list[Landmark] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, the map included."""
        points = [
            {"x": round(float(x), 3), "y": round(float(y), 3), "source": label, "text": text}
            for (x, y), label, text in zip(self.xy, self.labels, self.texts, strict=True)
        ]
        numbers = {name: asdict(source) for name, source in self.sources.items()}
        return {"embedder": self.embedder, "sources": numbers, "points": points}

    @property
    def by_words(self) -> bool:
        """Whether words were compared, not meanings."""
        return self.embedder.startswith("TF-IDF")

    @property
    def whole(self) -> SourceDiversity:
        """The numbers of all sources together."""
        return next(reversed(self.sources.values()))

    def table(self) -> str:
        """Give the numbers as a text table, one line a source."""
        head = (
            f"{'source':<16}{'n':>7}{'clusters':>10}  {'entropy':<18} {'template share':<20} vendi"
        )
        lines = [head]
        for name, source in self.sources.items():
            lines.append(
                f"{name:<16}{source.n:>7,}{source.n_clusters:>10,}  {source.cluster_entropy!s:<18} "
                f"{source.template_share!s:<20} {source.vendi}"
            )
        return "\n".join(lines)


def diversity(
    dataset: Any,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    embedder: str | None = None,
) -> Diversity:
    """Measure how varied the instructions of a dataset are, and lay them out on a map.

    Args:
        dataset: rows with `messages` (and `source`), or a mapping of names to such datasets; lists
            of strings are taken as instructions.
        sample: at most so many instructions a source, drawn without replacement; the numbers of
            sources with equal n compare.
        seed: of the sample, the map and the bootstrap.
        embedder: name or folder of a `sentence-transformers` model; by default the one that the extra
            `embed` brings, `tfidf` compares words.

    Raises:
        InputError: for fewer than two instructions, or a sample below 2.
        MissingExtra: when the extra `insight` is not installed.
    """
    if sample < 2:
        raise InputError(f"sample ({sample}) must be at least 2")
    rng = np.random.default_rng(seed)
    named = {name: _draw(texts, sample, rng) for name, texts in _by_source(dataset).items()}
    texts = [text for each in named.values() for text in each]
    labels = [name for name, each in named.items() for _ in each]
    if len(texts) < 2:
        raise InputError(f"the dataset has {len(texts)} instructions; a map needs at least 2")
    vectors, how = embed(texts, embedder=embedder, seed=seed)
    whole = name_of_whole(named)
    wanted = [*named, whole] if len(named) > 1 else list(named)
    sources = {}
    for name in progress(wanted, desc="measuring", unit="source"):
        chosen = [at for at, label in enumerate(labels) if name in (whole, label)]
        sources[name] = _measure([texts[at] for at in chosen], vectors[chosen], rng)
    xy = lay_out(vectors, seed)
    named_groups = landmarks(texts, _groups(texts, vectors), xy)
    return Diversity(sources, how, texts, labels, xy, named_groups)


def name_of_whole(sources: Iterable[str]) -> str:
    """Give the name under which all sources stand together, which none of them has.

    >>> name_of_whole(["texts", "clips"]), name_of_whole(["texts", "all"])
    ('all', 'all sources')
    """
    name = "all"
    while name in set(sources):
        name += " sources"
    return name


def instruction(row: Mapping[str, Any]) -> str:
    """Give the first user text of a row.

    >>> instruction({"messages": [{"role": "user", "content": "Why?"}]})
    'Why?'
    """
    for message in row["messages"]:
        if message["role"] == "user":
            content = message["content"]
            if isinstance(content, str):
                return content
            return " ".join(part["text"] for part in content if part["type"] == "text")
    return ""


def select_diverse(dataset: Any, k: int, *, seed: int = 0, embedder: str | None = None) -> Any:
    """Choose k rows that cover the instructions: greedy k-centre (Gonzalez, 1985).

    Each step takes the row farthest from all chosen ones, so no row left out is farther from the
    choice than twice the best possible radius. A recipe does the same with `pick: diverse`.

    Args:
        dataset: a `datasets.Dataset` of rows with `messages`, or a list of strings.
        k: rows to choose.
        seed: of the first row.
        embedder: name or folder of a `sentence-transformers` model; None for hashed words
            (`t2vid.mixing.coverage`), which choose the same rows on every machine.

    Returns:
        The chosen rows in their original order: `dataset.select(...)`, or a list of strings.

    Raises:
        InputError: when k is below 1 or above the number of rows.
    """
    texts = _texts(dataset)
    if not 1 <= k <= len(texts):
        raise InputError(f"k ({k:,}) must be from 1 to the number of rows, {len(texts):,}")
    start = int(np.random.default_rng(seed).integers(len(texts)))
    vectors = None if embedder is None else embed(texts, embedder=embedder, seed=seed)[0]
    chosen = np.sort(cover(texts, k, start=start, vectors=vectors))
    if hasattr(dataset, "select"):
        return dataset.select(chosen)
    return [texts[at] for at in chosen]


def _by_source(dataset: Any) -> dict[str, list[str]]:
    if isinstance(dataset, Mapping):
        return {name: _texts(part) for name, part in dataset.items()}
    if "source" not in (getattr(dataset, "column_names", None) or []):
        return {"rows": _texts(dataset)}
    by_source: dict[str, list[str]] = {}
    for source, text in zip(dataset["source"], _texts(dataset), strict=True):
        by_source.setdefault(source, []).append(text)
    return by_source


def _texts(dataset: Any) -> list[str]:
    if hasattr(dataset, "select_columns"):  # reading the frames of a row would draw them
        dataset = dataset.select_columns(["messages"])
    rows: Iterable[Any] = progress(dataset, desc="reading")
    return [row if isinstance(row, str) else instruction(row) for row in rows]


def _draw(texts: list[str], sample: int, rng: np.random.Generator) -> list[str]:
    if len(texts) <= sample:
        return texts
    return [texts[at] for at in np.sort(rng.choice(len(texts), sample, replace=False))]


def _measure(texts: list[str], vectors: Vectors, rng: np.random.Generator) -> SourceDiversity:
    groups = _groups(texts, vectors)
    templates = [template_of(text) for text in texts]
    frequent = {template for template, _ in repeated(texts)}
    large = {group for group, _ in Counter(groups.tolist()).most_common(TOP_TEMPLATES)}
    in_large = np.isin(groups, list(large)).astype(float)
    in_frequent = np.array([template in frequent for template in templates], dtype=float)
    distances = _nearest(vectors)
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    return SourceDiversity(
        n=len(texts),
        n_clusters=len(set(groups.tolist())),
        cluster_entropy=_bootstrap(
            lambda at: _entropy(groups[at]), len(texts), rng, most=float(np.log(len(texts)))
        ),
        cluster_share=_bootstrap(lambda at: float(in_large[at].mean()), len(texts), rng),
        template_share=_bootstrap(lambda at: float(in_frequent[at].mean()), len(texts), rng),
        vendi=_bootstrap(
            lambda at: _vendi(vectors[at]), len(texts), rng, resamples=30, least=1, most=len(texts)
        ),
        distinct_1=_distinct(words, 1),
        distinct_2=_distinct(words, 2),
        nearest=_bootstrap(lambda at: float(distances[at].mean()), len(texts), rng, most=2),
        templates=Counter(templates).most_common(TOP_TEMPLATES),
    )


def _groups(texts: Sequence[str], vectors: Vectors) -> NDArray[np.int64]:
    """Give each text the number of its group: the first leader within cosine 0.9, else its own."""
    texts = [template_of(text) for text in texts]
    first: dict[str, int] = {}
    for at, text in enumerate(texts):
        first.setdefault(text, at)
    of_text: dict[str, int] = {}
    leaders = np.empty((len(first), vectors.shape[1]), dtype=np.float32)
    n = 0
    # The most frequent string first, so that a template leads its own rewordings.
    for text, _ in progress(Counter(texts).most_common(), desc="clusters", unit="text"):
        vector = vectors[first[text]]
        likeness = leaders[:n] @ vector
        best = int(likeness.argmax()) if n else -1
        if n and likeness[best] >= SAME:
            of_text[text] = best
        else:
            leaders[n] = vector
            of_text[text] = n
            n += 1
    return np.array([of_text[text] for text in texts])


def _entropy(groups: NDArray[np.int64]) -> float:
    shares = np.unique(groups, return_counts=True)[1] / len(groups)
    return max(0.0, float(-(shares * np.log(shares)).sum()))  # -0.0 of a single group


def _vendi(vectors: Vectors) -> float:
    # X Xᵀ / n and Xᵀ X / n have the same eigenvalues but zeros, so the smaller one is taken.
    rows = vectors.astype(np.float64)
    kernel = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    values = np.linalg.eigvalsh(kernel / len(rows))
    values = values[values > 1e-12]
    values = values / values.sum()
    return float(np.exp(-(values * np.log(values)).sum()))


def _nearest(vectors: Vectors) -> NDArray[np.float64]:
    if len(vectors) < 2:
        return np.zeros(len(vectors))
    out = np.empty(len(vectors))
    for start in range(0, len(vectors), 1000):
        likeness = vectors[start : start + 1000] @ vectors.T
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -np.inf
        out[start : start + 1000] = 1 - likeness.max(axis=1)
    return np.maximum(out, 0)


def _distinct(words: list[list[str]], n: int) -> float:
    grams = [tuple(each[at : at + n]) for each in words for at in range(len(each) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _bootstrap(
    measure: Any,
    n: int,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    least: float = 0,
    most: float = 1,
) -> Estimate:
    """Estimate a measure; its interval ends where the measure's own values end."""
    value = measure(np.arange(n))
    draws = [measure(rng.integers(0, n, n)) for _ in range(resamples)]
    low, high = value + np.quantile(draws, [0.025, 0.975]) - np.mean(draws)
    return Estimate(value, max(min(value, least), float(low)), min(max(value, most), float(high)))
