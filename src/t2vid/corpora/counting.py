"""What a builder dropped and why: one JSON file a part, beside the Arrow files it belongs to.

>>> import tempfile; folder = tempfile.mkdtemp()
>>> write_counts(folder, "counts-train-00000", Counts().drop("no context", source="longalpaca"))
>>> print(Counts.from_dict(json.loads(Path(folder, "counts-train-00000.json").read_text())))
kept 0, dropped 1 (no context: 1)
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import MissingFile
from t2vid.schema import Counts

logger = logging.getLogger(__name__)


def write_counts(folder: str, name: str, counts: Counts) -> None:
    """Write counts as `folder/name.json`."""
    line = json.dumps(counts.to_dict(), ensure_ascii=False, indent=1)
    Path(folder, f"{name}.json").write_text(line, encoding="utf-8")


def log_counts(name: str, counts: Counts) -> None:
    """Log one line: a warning where rows were lost, or something is worth a word."""
    noted = counts.noted
    words = "".join(
        f"; {what}: {n:,}, e.g. {counts.examples[what][0]}" for what, n in noted.items()
    )
    level = logging.WARNING if counts.dropped or noted else logging.INFO
    logger.log(level, "%s: %s%s", name, counts, words)


def write_missing(folder: str, name: str, missing: Sequence[dict[str, str]]) -> None:
    """Write the rows without a video, `{id, video}`, as `folder/name.json`."""
    line = json.dumps(missing, ensure_ascii=False, indent=0)
    Path(folder, f"{name}.json").write_text(line, encoding="utf-8")


def read_missing(dataset: Any) -> list[dict[str, str]]:
    """List every row that was dropped because its video was not there.

    Args:
        dataset: a `Dataset` or `DatasetDict` as `load_dataset` gave it.

    Returns:
        `{id, video}` of each, in the order of the annotation.
    """
    if isinstance(dataset, dict):
        return [row for split in dataset.values() for row in read_missing(split)]
    return [
        row for file in _beside(dataset, "missing") for row in json.loads(file.read_text("utf-8"))
    ]


def digest(parts: Iterable[str]) -> bytes:
    """Hash some texts in order, to tell repeats without keeping them."""
    return hashlib.blake2b("\1".join(parts).encode("utf-8", "replace"), digest_size=16).digest()


def read_counts(dataset: Any) -> Counts:
    """Sum up what building a dataset kept and dropped.

    Args:
        dataset: a `Dataset` or `DatasetDict` as `load_dataset("t2vid/…")` gave it, in this process
            or from the cache of an earlier one.

    Raises:
        MissingFile: for a dataset that was made otherwise (a stream, or the result of `map`).
    """
    if isinstance(dataset, dict):
        return sum((read_counts(split) for split in dataset.values()), Counts())
    files = _beside(dataset, "counts")
    if not files:
        raise MissingFile(
            "no counts-*.json beside this dataset; ask for those of what load_dataset gave, before "
            "any map; a stream has them in its builder's .counts"
        )
    return sum(map(_counts, files), Counts())


def counts_in(folder: str, split: str) -> Counts:
    """Sum up the counts of one split that a builder left in its folder."""
    return sum(map(_counts, sorted(Path(folder).glob(f"counts-{split}-*.json"))), Counts())


def nothing_left(name: str, counts: Counts) -> str:
    """Say why no row is left: how many rows were read, and each reason with an example."""
    total = sum(counts.dropped.values())
    lines = [f"no row of {name} can be used, of {total:,} that were read"]
    for reason, n in counts.dropped.most_common():
        seen = counts.examples.get(reason)
        lines.append(f"  {n:,} {reason}" + (f", e.g. {seen[0]}" if seen else ""))
    return "\n".join(lines)


def _counts(file: Path) -> Counts:
    return Counts.from_dict(json.loads(file.read_text("utf-8")))


def _split_name(dataset: Any) -> str:
    # "train[:5]" and "train+test" are slices of what one build counted.
    name = str(dataset.split)
    return name.split("[")[0] if "+" not in name else "*"


def _beside(dataset: Any, kind: str) -> list[Path]:
    folders = {Path(file["filename"]).parent for file in getattr(dataset, "cache_files", [])}
    pattern = f"{kind}-{_split_name(dataset)}-*.json"
    return sorted(file for folder in folders for file in folder.glob(pattern))
