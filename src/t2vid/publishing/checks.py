"""What cannot be published as asked is refused before the network is touched.

>>> check_names("t2vid/mix", config="default")
Traceback (most recent call last):
...
t2vid.errors.InputError: 't2vid/mix' is served by this package; choose another name to publish as
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from t2vid import catalog
from t2vid.errors import InputError, kind_of, pluralize
from t2vid.publishing.materialize import DatasetStats, PublishFormat

if TYPE_CHECKING:
    from datasets import Dataset


def splits_of(dataset: Any, split: str | None = None) -> dict[str, Dataset]:
    """Give the splits of what was passed, by name.

    Args:
        dataset: a `Dataset` or `DatasetDict`.
        split: the name under which a `Dataset` is published; by default its own.

    Raises:
        InputError: for anything but a `Dataset` or `DatasetDict` with rows and the same columns.
    """
    from datasets import Dataset, DatasetDict

    if split is not None and not re.fullmatch(r"\w+(\.\w+)*", split):
        raise InputError(f"split ({split!r}) must be made of letters, digits, '_' and '.'")
    if split is not None and not isinstance(dataset, Dataset):
        raise InputError(f"split ({split!r}) names one Dataset, not {kind_of(dataset)}")
    splits: dict[str, Any]
    if split is not None:
        splits = {split: dataset}
    elif isinstance(dataset, Dataset):
        name = str(dataset.split) if dataset.split is not None else "train"
        # "train[:10]" or "train+test" is a part of a split, not a name for one
        splits = {name if re.fullmatch(r"\w+(\.\w+)*", name) else "train": dataset}
    elif isinstance(dataset, DatasetDict) and dataset:
        splits = {str(name): rows for name, rows in dataset.items()}
    else:
        raise InputError(
            f"push takes a Dataset or a DatasetDict with splits, not {kind_of(dataset)}; "
            "turn a stream into one with Dataset.from_generator"
        )
    first = next(iter(splits))
    for name, rows in splits.items():
        if not len(rows):
            raise InputError(f"split {name!r} has no rows; leave it out")
        if rows.features != splits[first].features:
            raise InputError(f"split {name!r} has other columns than split {first!r}")
    return splits


def check_names(
    repo_id: str, *, config: str, recipe: Any = None, revision: str = "main", message: str = "x"
) -> None:
    """Refuse names that mean something else or that the Hub cannot have, and what is no recipe."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if repo_id in catalog.loadable():
        raise InputError(
            f"{repo_id!r} is served by this package; choose another name to publish as"
        )
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise InputError(f"repo_id ({repo_id!r}) is no owner/name of the Hub: {error}") from error
    if not re.fullmatch(r"(?!(data|about)$)\w[\w.-]*", config):
        raise InputError(
            f"config_name ({config!r}) must be made of letters, digits, '_', '-' and '.', and be "
            "neither 'data' nor 'about'"
        )
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        raise InputError(f"revision ({revision!r}) is a commit, which never changes; name a branch")
    # git check-ref-format
    if not re.fullmatch(
        r"(?![-/.])(?!.*(\.\.|//|@\{|\.lock$|[/.]$))[^\s~^:?*\[\\\x00-\x1f]+", revision
    ):
        raise InputError(f"revision ({revision!r}) is no name of a branch")
    if not message.strip():
        raise InputError("commit_message ('') must say something, or be None")
    if recipe is not None and not (hasattr(recipe, "to_yaml") and hasattr(recipe, "hash")):
        raise InputError(
            f"recipe ({type(recipe).__name__}) must be a t2vid.Recipe; use t2vid.Recipe.from_yaml"
        )


def shard_bytes(size: int | str | None) -> int | None:
    """Read a size such as `"500MB"`, as `push_to_hub` takes it.

    >>> shard_bytes("5MB"), shard_bytes(None)
    (5000000, None)
    """
    from datasets.utils.py_utils import convert_file_size_to_int

    if size is None:
        return None
    try:
        n_bytes = int(convert_file_size_to_int(size))
    except ValueError:
        n_bytes = 0
    if n_bytes < 1:
        raise InputError(f"max_shard_size ({size!r}) must be a number of bytes > 0 or '500MB'")
    return n_bytes


def check_rows(total: DatasetStats, form: PublishFormat) -> None:
    """Refuse rows that would upload films, or that nobody else could draw."""
    if total.fonts and not form.materialize:
        raise InputError(
            f"texts are drawn with {sorted(total.fonts)[0]}, which only this machine has; render "
            "with one of t2vid's own fonts, or publish pictures with materialize='webp'"
        )
    if form.include_media or not total.n_videos:
        return
    if form.materialize:
        raise InputError(
            f"materialize={form.materialize!r} would upload frames of {pluralize(total.n_videos, 'video')}; "
            "pass include_media=True if you may redistribute them, or leave materialize out"
        )
    if total.n_inline:
        raise InputError(
            f"{pluralize(total.n_inline, 'row')} with a film as bytes without a path: films are not "
            "uploaded; pass include_media=True to upload their frames, or store paths"
        )
