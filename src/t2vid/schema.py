"""What a row is, what a step counted, and the paper's numbers with their sources.

>>> counts = Counts(kept=3).drop("empty context", source="longalpaca")
>>> print(counts)
kept 3, dropped 1 (empty context: 1)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# T2Vid, utils/text-to-images/t2vid.py
WORDS_PER_FRAME = 115
FRAME_PX = 448
FONT_PX = 20
MARGIN_PX = 20
# T2Vid paper, section 5.2.1; frames of a video at most: `t2vid.catalog.Family.video_frames`
FRAMES_PER_SECOND = 1.0

FRAME_CACHE_GB = 20.0  # of a folder of decoded frames, unless a user says otherwise

Message = dict[str, Any]


def row_features(images: Any, *, weighted: bool = False, **extra: Any) -> Any:
    """Give the `datasets.Features` of a training row.

    Args:
        images: the feature of the frames column, usually `t2vid.Frames()`.
        weighted: whether turns say if they are trained on, and which tools they call.
        **extra: further columns, e.g. `duration_s=Value("float32")`.
    """
    from datasets import Features, List, Value

    part = {"type": Value("string"), "text": Value("string")}
    turn = {"role": Value("string"), "content": List(part)}
    if weighted:
        turn |= {"weight": Value("int8"), "tool_calls": Value("string")}
    return Features(
        {
            "id": Value("string"),
            "source": Value("string"),
            "images": images,
            "messages": List(turn),
            "n_frames": Value("int32"),
            "n_words": Value("int32"),
            **extra,
        }
    )


def origin_feature() -> Any:
    """Give the feature of the column that says where a row of a mix comes from.

    `file` is what the plan calls it, `record` the number of the record in it, `position` that of the
    row in the mix.
    """
    from datasets import Value

    return {"file": Value("string"), "record": Value("int64"), "position": Value("int64")}


def messages(turns: Iterable[tuple[str, str]], *, n_frames: int) -> list[Message]:
    """Write a conversation in TRL's multi-image form: every frame before the first user text.

    Args:
        turns: `(role, text)` pairs, `role` being `system`, `user` or `assistant`.
        n_frames: number of image placeholders in front of the first user text.

    >>> messages([("user", "Why?"), ("assistant", "So.")], n_frames=1)[0]["content"]
    [{'type': 'image', 'text': None}, {'type': 'text', 'text': 'Why?'}]
    """
    out: list[Message] = []
    frames: list[Message] = [{"type": "image", "text": None} for _ in range(n_frames)]
    for role, text in turns:
        content: list[Message] = [{"type": "text", "text": text}]
        if role == "user" and frames:
            content, frames = [*frames, *content], []
        out.append({"role": role, "content": content})
    return out


@dataclass
class Counts:
    """How many rows a step kept, and how many it dropped for which reason.

    Attributes:
        kept: rows that went on.
        dropped: rows that did not, by reason.
        sources: the same two figures by source, `{source: {"kept": n, reason: n}}`.
        examples: up to five ids or places for each reason, to look at.
        files: rows that went on, by source and the file that they are from.
    """

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Counter[str]] = field(default_factory=dict)

    def keep(self, *, source: str = "") -> Counts:
        """Count one kept row."""
        self.kept += 1
        self._source(source)["kept"] += 1
        return self

    def drop(self, reason: str, *, source: str = "", example: str = "") -> Counts:
        """Count one dropped row under `reason`, remembering the first few examples."""
        self.dropped[reason] += 1
        self._source(source)[reason] += 1
        seen = self.examples.setdefault(reason, [])
        if example and len(seen) < 5:
            seen.append(example)
        return self

    def note(self, what: str, *, source: str = "", example: str = "") -> Counts:
        """Count something that is worth a word about a row that is kept."""
        self._source(source)[what] += 1
        seen = self.examples.setdefault(what, [])
        if example and len(seen) < 5:
            seen.append(example)
        return self

    @property
    def noted(self) -> Counter[str]:
        """What `note` counted, over all sources."""
        total = sum(self.sources.values(), Counter[str]())
        return Counter({w: total[w] for w in self.examples if w in total and w not in self.dropped})

    def __add__(self, other: Counts) -> Counts:
        total = Counts(self.kept + other.kept, self.dropped + other.dropped)
        for part in (self, other):
            for source, counter in part.sources.items():
                total._source(source).update(counter)
            for source, counter in part.files.items():
                total.files.setdefault(source, Counter()).update(counter)
            for reason, seen in part.examples.items():
                total.examples[reason] = (total.examples.get(reason, []) + seen)[:5]
        return total

    def __str__(self) -> str:
        lost = ", ".join(f"{reason}: {n:,}" for reason, n in self.dropped.most_common())
        total = sum(self.dropped.values())
        return f"kept {self.kept:,}, dropped {total:,}" + (f" ({lost})" if lost else "")

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        sources = {name: dict(counter) for name, counter in self.sources.items()}
        return {
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "sources": sources,
            "examples": self.examples,
            "files": {name: dict(counter) for name, counter in self.files.items()},
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Counts:
        """Read what `to_dict` wrote."""
        sources = {name: Counter(counter) for name, counter in value["sources"].items()}
        files = {name: Counter(counter) for name, counter in value.get("files", {}).items()}
        dropped = Counter(value["dropped"])
        return cls(value["kept"], dropped, sources, dict(value["examples"]), files)

    def table(self) -> str:
        """Give the counts as a text table, one line a source and reason."""
        lines = [f"{'source':<20} {'what':<40} {'rows':>9}"]
        for source, counter in self.sources.items():
            for what, n in counter.items():
                lines.append(f"{source or '-':<20} {what:<40} {n:>9,}")
        return "\n".join(lines)

    def _source(self, source: str) -> Counter[str]:
        return self.sources.setdefault(source, Counter())


def size(n_bytes: float) -> str:
    """Write a number of bytes.

    >>> size(43_863), size(1_500_000), size(36e9)
    ('43.9 kB', '1.5 MB', '36.0 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:,.1f} {name}"
    return f"{n_bytes / 1e3:,.1f} kB"


def storable(text: str) -> bool:
    """Say whether files and columns can hold a text: Linux allows file names that are not UTF-8.

    >>> storable("clip.mp4"), storable("\\udcff.mp4")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def n_words(texts: Sequence[str]) -> int:
    """Count blank-separated words.

    >>> n_words(["two words", "three"])
    3
    """
    return sum(len(text.split()) for text in texts)
