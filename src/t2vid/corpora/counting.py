"""What a builder dropped and why: one JSON file a part, beside the Arrow files it belongs to.

>>> import tempfile; folder = tempfile.mkdtemp()
>>> write_counts(folder, "counts-train-00000", Counts().drop("no context", source="longalpaca"))
>>> print(Counts.from_dict(json.loads(Path(folder, "counts-train-00000.json").read_text())))
kept 0, dropped 1 (no context: 1)
"""

from __future__ import annotations

import json
import logging
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
    """Log one line: a warning where rows were lost."""
    logger.log(logging.WARNING if counts.dropped else logging.INFO, "%s: %s", name, counts)


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
    folders = {Path(file["filename"]).parent for file in getattr(dataset, "cache_files", [])}
    files = [
        file for folder in folders for file in folder.glob(f"counts-{_split_name(dataset)}-*.json")
    ]
    if not files:
        raise MissingFile(
            "no counts-*.json beside this dataset; ask for those of what load_dataset gave, before "
            "any map; a stream has them in its builder's .counts"
        )
    return sum((Counts.from_dict(json.loads(file.read_text("utf-8"))) for file in files), Counts())


def _split_name(dataset: Any) -> str:
    # "train[:5]" and "train+test" are slices of what one build counted.
    name = str(dataset.split)
    return name.split("[")[0] if "+" not in name else "*"
