"""Repeats between the sources of a mix, and between a mix and the benchmarks it will be judged on.

>>> a = sketch("a/1", "a", "The tide clock has two gauges " * 9, "", (("user", "How many gauges?"),))
>>> b = sketch("b/7", "b", "The tide clock has two gauges " * 9, "", (("user", "How many gauges?"),))
>>> find([arrays([a, b])], {}).between_sources["exact"]
1

Exact repeats are found by digest, near ones by MinHash over shingles of words (Broder 1997, one
permutation as in Li, Owen and Zhang 2012) and banding. A sketch is made while a row is written, so
the search at the end reads about a kilobyte a row.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError, RecordError
from t2vid.mixing.plan import mixed
from t2vid.storage import records
from t2vid.storage.files import AnyPath, whole_file
from t2vid.storage.videos import video_key

BINS = 64
NEAR = 0.8  # estimated share of common shingles from which two texts count as near
TEXT_SHINGLE = 5  # words
QUESTION_SHINGLE = 2  # questions are short
MIN_QUESTION_WORDS = 4  # "Why?" is in every corpus
_BANDS = 16
_SHOWN = 20
_QUESTION_CHARS = 1000  # of a row; no question of a benchmark is longer
_EMPTY = np.uint32(0xFFFFFFFF)
_WORDS = re.compile(r"\w+")
_OPTIONS = re.compile(r"\n\s*\(?A[.)]\s")


class Sketch(NamedTuple):
    """What is kept of a row to find its repeats.

    Args:
        id: of the row.
        source: its source.
        exact: digest of text or video, questions and answers.
        material: MinHash of the text, or of the name of the video.
        talk: MinHash of the turns.
        video: stem of the video, or "".
        questions: the questions, normalised, one a line, a thousand characters in all.
    """

    id: str
    source: str
    exact: bytes
    material: NDArray[np.uint32]
    talk: NDArray[np.uint32]
    video: str
    questions: str


@dataclass
class Overlap:
    """What repeats.

    Attributes:
        within_source: pairs of rows of one source, by kind (`exact`, `near`).
        between_sources: pairs of rows of two sources, by kind.
        benchmarks: rows of the mix by benchmark and kind (`same video`, `same question`,
            `near question`).
        examples: up to twenty pairs of each kind.
    """

    within_source: dict[str, int] = field(default_factory=lambda: {"exact": 0, "near": 0})
    between_sources: dict[str, int] = field(default_factory=lambda: {"exact": 0, "near": 0})
    benchmarks: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """True when two sources, or the mix and a benchmark, share something."""
        shared = sum(n for kinds in self.benchmarks.values() for n in kinds.values())
        return bool(sum(self.between_sources.values()) + shared)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return asdict(self)

    def table(self) -> str:
        """Give the counts as a text table."""
        parts = {"within a source": self.within_source, "between sources": self.between_sources}
        lines = [f"{'repeats':<24} {'kind':<16} {'rows':>9}"]
        for name, kinds in (parts | self.benchmarks).items():
            lines += [f"{name:<24} {kind:<16} {n:>9,}" for kind, n in kinds.items()]
        return "\n".join(lines)

    def note(self, kind: str, example: str) -> None:
        """Remember an example, up to twenty of a kind."""
        shown = self.examples.setdefault(kind, [])
        if len(shown) < _SHOWN:
            shown.append(example)


def sketch(
    row_id: str, source: str, text: str, video: str, turns: Sequence[tuple[str, str]]
) -> Sketch:
    """Sketch one row.

    Args:
        row_id: its id.
        source: its source.
        text: its long text, or "".
        video: the path of its video, or "".
        turns: `(role, text)` pairs.
    """
    talk = "\n".join(words for _, words in turns)
    stem = video_key(video) if video else ""
    digest = hashlib.blake2b(f"{stem or text}\0{talk}".encode("utf-8", "replace"), digest_size=16)
    questions = [normalised(words) for role, words in turns if role == "user"]
    return Sketch(
        row_id,
        source,
        digest.digest(),
        minhash(stem or text),
        minhash(talk),
        stem,
        "\n".join(questions)[:_QUESTION_CHARS],
    )


def normalised(text: str) -> str:
    """Lower case, words only, single blanks."""
    return " ".join(_WORDS.findall(text.lower()))


def minhash(text: str, *, shingle: int = TEXT_SHINGLE) -> NDArray[np.uint32]:
    """Sketch the set of shingles of a text: the least hash in each of 64 bins.

    Args:
        text: any text; a text of fewer words is one shingle.
        shingle: words of a shingle.
    """
    hashes = _shingles(text.lower(), shingle)
    out = np.full(BINS, _EMPTY, np.uint32)
    if len(hashes):
        hashes = np.sort(hashes)
        bins, first = np.unique(hashes >> np.uint64(58), return_index=True)
        out[bins.astype(np.int64)] = (hashes[first] >> np.uint64(26)).astype(np.uint32)
    return out


def likeness(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Estimate the share of common shingles (Jaccard) of sketches, row by row."""
    used = (a != _EMPTY) | (b != _EMPTY)
    same = (a == b) & used
    return np.asarray(same.sum(-1) / np.maximum(1, used.sum(-1)))


def arrays(sketches: Sequence[Sketch]) -> dict[str, Any]:
    """Put sketches into one array a field."""
    columns = zip(*sketches, strict=True) if sketches else [()] * len(Sketch._fields)
    named = dict(zip(Sketch._fields, (list(c) for c in columns), strict=True))
    exact = np.frombuffer(b"".join(named.pop("exact")), "V16")
    return {k: np.array(v) for k, v in named.items()} | {"exact": exact}


def save(target: AnyPath, sketches: Sequence[Sketch]) -> None:
    """Write the sketches of a shard, whole or not at all."""
    with whole_file(target) as file:
        np.savez_compressed(file, **arrays(sketches))


def find(saved: Iterable[dict[str, Any]], benchmarks: Mapping[str, str | Path]) -> Overlap:
    """Find the repeats.

    Args:
        saved: sketches, as `arrays` gives them, in parts.
        benchmarks: files of questions by the name of the benchmark: the JSON, JSONL or Parquet that
            it is distributed as.

    Raises:
        InputError: when a benchmark file holds neither questions nor videos.
    """
    parts = list(saved)
    rows = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]} if parts else {}
    out = Overlap()
    if rows:
        _pairs(rows, out)
    for name, path in benchmarks.items():
        videos, questions = read_benchmark(path)
        out.benchmarks[name] = {"same video": 0, "same question": 0, "near question": 0}
        if rows:
            _against(rows, name, videos, questions, out)
    return out


def read_benchmark(path: str | Path) -> tuple[set[str], list[str]]:
    """Give the videos and the normalised questions of a benchmark file.

    Raises:
        InputError: when it holds neither.
    """
    if Path(path).suffix == ".json" and (nested := _nested(Path(path))) is not None:
        videos, questions = nested
    else:
        videos, questions = set(), []
        for _, record in records.read(str(path)):
            if not isinstance(record, dict):
                continue
            # Video-MME's video_id is a running number; videoID names the film
            video = record.get("videoID") or record.get("video") or record.get("video_id")
            question = record.get("question") or record.get("prompt")
            videos |= {video_key(str(video))} if video else set()
            questions += [_OPTIONS.split(str(question))[0]] if question else []
    if not videos and not questions:
        raise InputError(f"{path} holds no video, question or prompt; give a benchmark's questions")
    return videos, sorted({normalised(question) for question in questions})


def _nested(path: Path) -> tuple[set[str], list[str]] | None:
    """TempCompass's own file: `{video: {dimension: [{question, answer}]}}`."""
    try:
        value = records.read_json(str(path))
    except RecordError:
        return None  # JSONL that is called .json
    if not isinstance(value, dict) or not all(isinstance(dims, dict) for dims in value.values()):
        return None
    entries = [q for dims in value.values() for rows in dims.values() for q in rows]
    questions = [_OPTIONS.split(entry["question"])[0] for entry in entries]
    return {video_key(video) for video in value}, questions


def _pairs(rows: dict[str, Any], out: Overlap) -> None:
    source, ids = rows["source"], rows["id"]
    seen: set[tuple[int, int]] = set()

    def count(a: int, b: int, kind: str) -> None:
        if (a, b) in seen:
            return
        seen.add((a, b))
        where = out.within_source if source[a] == source[b] else out.between_sources
        where[kind] += 1
        out.note(
            f"{kind}, {'one source' if source[a] == source[b] else 'two sources'}",
            f"{ids[a]} = {ids[b]}",
        )

    for group in _groups(rows["exact"]):
        for later in group[1:]:
            count(group[0], later, "exact")
    repeats = {b for _, b in seen}
    width = BINS // _BANDS
    for band in range(_BANDS):
        columns = slice(band * width, (band + 1) * width)
        material = rows["material"][:, columns]
        blank = (material == _EMPTY).all(axis=1)
        key = np.ascontiguousarray(material).view(f"V{4 * width}").ravel()
        for group in _groups(key):
            group = [i for i in group if i not in repeats and not blank[i]]
            for n, a in enumerate(group):
                rest = np.array([b for b in group[n + 1 :] if (a, b) not in seen], int)
                if not len(rest):
                    continue
                near = likeness(rows["talk"][a], rows["talk"][rest]) >= NEAR
                near &= likeness(rows["material"][a], rows["material"][rest]) >= NEAR
                for b in rest[near].tolist():
                    count(a, b, "near")


def _groups(keys: NDArray[Any]) -> list[list[int]]:
    """Give the places of equal keys, where there are two or more."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, key in enumerate(keys.tolist()):
        groups[key].append(i)
    return [group for group in groups.values() if len(group) > 1]


def _against(
    rows: dict[str, Any], name: str, videos: set[str], questions: list[str], out: Overlap
) -> None:
    found = out.benchmarks[name]
    asked = {q for q in questions if q.count(" ") + 1 >= MIN_QUESTION_WORDS}
    verdict: dict[str, str] = {}
    distinct = sorted({q for lines in rows["questions"].tolist() for q in lines.split("\n") if q})
    for question in distinct:
        if question in asked:
            verdict[question] = "same question"
    fresh = [q for q in distinct if q not in verdict and q.count(" ") + 1 >= MIN_QUESTION_WORDS]
    for question, like in _near(fresh, sorted(asked)):
        verdict[question] = "near question"
        out.note(f"{name}, near question", f"{question} ~ {like}")
    for i, (row_id, video, lines) in enumerate(
        zip(rows["id"].tolist(), rows["video"].tolist(), rows["questions"].tolist(), strict=True)
    ):
        del i
        if video and video in videos:
            found["same video"] += 1
            out.note(f"{name}, same video", f"{row_id}: {video}")
        kinds = {verdict.get(question, "") for question in lines.split("\n")} - {""}
        for kind in kinds:
            found[kind] += 1
            if kind == "same question":
                out.note(f"{name}, {kind}", f"{row_id}: {lines[:120]}")


def _near(questions: list[str], asked: list[str]) -> list[tuple[str, str]]:
    """Pair each question with one that was asked in nearly the same words."""
    if not questions or not asked:
        return []
    theirs = np.stack([minhash(q, shingle=QUESTION_SHINGLE) for q in asked])
    index: dict[int, list[int]] = defaultdict(list)
    for i, bins in enumerate(theirs.tolist()):
        for value in bins:
            index[value].append(i)
    pairs = []
    for question in questions:
        ours = minhash(question, shingle=QUESTION_SHINGLE)
        used = [int(value) for value in ours if value != _EMPTY]
        candidates = sorted({i for value in used for i in index.get(value, ())[:2000]})
        if not candidates:
            continue
        like = likeness(ours, theirs[candidates])
        best = int(like.argmax())
        if like[best] >= NEAR:
            pairs.append((question, asked[candidates[best]]))
    return pairs


def _shingles(text: str, size: int) -> NDArray[np.uint64]:
    """Hash every run of `size` words, all at once: differences of a running polynomial."""
    raw = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    word = _IS_WORD[raw]
    keep = word.copy()
    keep[1:] |= word[:-1]  # one blank after each word
    letters = np.where(word, raw, 32)[keep].astype(np.uint64)
    word = word[keep]
    if not word.any():
        return np.empty(0, np.uint64)
    starts = np.flatnonzero(word & ~np.concatenate([[False], word[:-1]]))
    ends = np.flatnonzero(word & ~np.concatenate([word[1:], [False]])) + 1
    n = max(1, len(starts) - size + 1)
    first, last = starts[:n], ends[min(size, len(ends)) - 1 :][:n]
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(len(letters) + 1, _BASE), dtype=np.uint64)
        sums = np.concatenate([[np.uint64(0)], np.cumsum((letters + np.uint64(1)) * powers[:-1])])
        inverse = np.cumprod(np.full(len(letters) + 1, _INVERSE), dtype=np.uint64)
        return mixed(mixed((sums[last] - sums[first]) * inverse[first]))


_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_IS_WORD = np.array([chr(b).isalnum() and b < 128 or b >= 128 for b in range(256)])
