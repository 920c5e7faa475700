"""The rows of a run as the trainer takes them: undecoded, seen as vision by TRL, and described.

>>> from datasets import Dataset
>>> rows, reader = rows_and_reader(Dataset.from_list([{"conversations": []}]))
>>> rows.column_names, reader
(['conversations', 'images'], None)
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from t2vid.errors import InputError, kind_of
from t2vid.trainer.collator import Segment, VideoCollator
from t2vid.trainer.config import VideoSFTConfig

logger = logging.getLogger(__name__)

_LOOKED_AT = 4  # rows that the first log line describes


def rows_of(dataset: Any, name: str = "train_dataset") -> Any:
    """Give the rows that TRL can train on; a list of rows becomes a dataset.

    Args:
        dataset: what the user passed.
        name: of the argument.

    Raises:
        InputError: for what holds no rows, or several splits.

    >>> rows_of([{"prompt": "Why?", "completion": "So."}]).column_names
    ['prompt', 'completion']
    """
    from datasets import Dataset, IterableDataset

    if isinstance(dataset, Mapping):
        raise InputError(
            f"{name} holds the splits {', '.join(map(repr, dataset))}; pass one of them"
        )
    if isinstance(dataset, list) and dataset:
        return Dataset.from_list(dataset)
    if dataset is not None and not isinstance(dataset, Dataset | IterableDataset | list):
        raise InputError(
            f"{name} is {kind_of(dataset)}; pass what load_dataset gives (streaming=True too), or "
            "Dataset.from_list, or IterableDataset.from_generator for rows made on the way"
        )
    if dataset is not None and not isinstance(dataset, IterableDataset) and not len(dataset):
        raise InputError(f"{name} has no rows; look at what its filter or split left")
    return dataset


def rows_and_reader(dataset: Any) -> tuple[Any, Any]:
    """Give the rows as stored, and the `Frames` feature that makes their frames, or None.

    Raises:
        InputError: as `rows_of`.
    """
    dataset = rows_of(dataset)
    return _as_vision(_undecoded(dataset)), _reader(dataset)


def evaluation_rows(dataset: Any) -> Any:
    """Give the rows of one evaluation set, or of several by name, as stored.

    Raises:
        InputError: as `rows_of`.
    """
    if not isinstance(dataset, Mapping):
        return _as_vision(_undecoded(rows_of(dataset, "eval_dataset")))
    named = {name: rows_of(one, f"eval_dataset[{name!r}]") for name, one in dataset.items()}
    return {name: _as_vision(_undecoded(one)) for name, one in named.items()}


def described(dataset: Any, collator: VideoCollator) -> str:
    """Say in a line what is trained on: rows, pictures a row, where they stand, share of targets.

    Args:
        dataset: the rows; its first few are read.
        collator: what encodes them.

    Raises:
        T2VidError: for a row among these that cannot be read, unless `on_bad="skip"`.
    """
    n = f"{len(dataset):,} rows" if hasattr(dataset, "__len__") else "a stream of rows"
    first = list(itertools.islice(iter(dataset), _LOOKED_AT))
    batch = collator(first)
    segments: list[Segment] = batch["segments"]
    if not segments:
        return f"training on {n}; none of the first {len(first)} could be read"
    frames = [segment.n_frames for segment in segments]
    share = sum(s.n_targets for s in segments) / sum(s.end - s.start for s in segments)
    with_frames = next((s for s in segments if s.n_frames), None)
    if with_frames is None:
        where = "no pictures in them"
    else:
        ids = batch["input_ids"][with_frames.row, with_frames.start : with_frames.end]
        at = (ids == collator.encode.image_token_id).nonzero()[:, 0]
        tokenizer = collator.processor.tokenizer
        before = tokenizer.decode(ids[max(0, int(at[0]) - 12) : int(at[0])])[-40:]
        after = tokenizer.decode(ids[int(at[-1]) + 1 : int(at[-1]) + 16])[:40]
        where = (
            f"pictures of {with_frames.id!r} at tokens {int(at[0])} to {int(at[-1])}, "
            f"between {before!r} and {after!r}"
        )
    return (
        f"training on {n}; the first {len(segments)} show {', '.join(map(str, frames))} pictures; "
        f"{where}; {100 * share:.0f} % of their tokens are targets"
    )


def column_names(dataset: Any) -> list[str]:
    """Name the columns of a dataset; none where it does not tell them."""
    return list(getattr(dataset, "column_names", None) or [])


def _reader(dataset: Any) -> Any:
    from t2vid.frames.feature import Frames

    feature = (getattr(dataset, "features", None) or {}).get("images")
    return feature if isinstance(feature, Frames) else None


def _undecoded(dataset: Any) -> Any:
    # Rows reach the collator as stored, so that each is drawn or decoded within its own
    # budget, and an error there names the row.
    for name, feature in (getattr(dataset, "features", None) or {}).items():
        stored = _stored_feature(feature)
        if stored != feature:
            dataset = dataset.cast_column(name, stored)
    return dataset


def _stored_feature(feature: Any) -> Any:
    """Give a feature of media that does not decode; any other as it is."""
    from datasets import Image, List, Video

    from t2vid.frames.feature import Frames

    if isinstance(feature, List):
        return List(_stored_feature(feature.feature), length=feature.length)
    if isinstance(feature, Frames | Image | Video):
        return replace(feature, decode=False)
    return feature


def _as_vision(dataset: Any) -> Any:
    """Give rows an `images` column where they have none: by it TRL knows that they may hold media."""
    columns = column_names(dataset)
    if not columns or {"images", "image"} & set(columns):
        return dataset
    if hasattr(dataset, "add_column") and hasattr(dataset, "__len__"):
        return dataset.add_column("images", [None] * len(dataset))
    return dataset.map(lambda row: {"images": None, **row})


def warn_of_sources(dataset: Any, args: VideoSFTConfig) -> None:
    """Warn of a frame budget for a source without rows; a stream is not read for it."""
    named = args.max_frames_by_source
    if not named or "source" not in (getattr(dataset, "column_names", None) or []):
        return
    if hasattr(dataset, "unique"):
        there = dataset.unique("source")
        if missing := sorted(set(named) - set(there)):
            logger.warning(
                "max_frames_by_source names %s, of which there is no row; the sources are %s",
                ", ".join(map(repr, missing)),
                ", ".join(sorted(map(repr, there))),
            )
