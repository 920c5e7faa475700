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


def splits_of(dataset: Any) -> dict[str, Dataset]:
    """Give the splits of what was passed, by name.

    Raises:
        InputError: for anything but a `Dataset` or `DatasetDict` with rows and the same columns.
    """
    from datasets import Dataset, DatasetDict

    if isinstance(dataset, Dataset):
        name = str(dataset.split) if dataset.split is not None else "train"
        # "train[:10]" or "train+test" is a part of a split, not a name for one
        splits = {name if re.fullmatch(r"\w+(\.\w+)*", name) else "train": dataset}
    elif isinstance(dataset, DatasetDict) and dataset:
        splits = {str(name): split for name, split in dataset.items()}
    else:
        raise InputError(
            f"push takes a Dataset or a DatasetDict with splits, not {kind_of(dataset)}; "
            "turn a stream into one with Dataset.from_generator"
        )
    first = next(iter(splits))
    for name, split in splits.items():
        if not len(split):
            raise InputError(f"split {name!r} has no rows; leave it out")
        if split.features != splits[first].features:
            raise InputError(f"split {name!r} has other columns than split {first!r}")
    return splits


def check_names(repo_id: str, *, config: str, recipe: Any = None) -> None:
    """Refuse names that mean something else, and what is no recipe."""
    if repo_id in catalog.loadable():
        raise InputError(
            f"{repo_id!r} is served by this package; choose another name to publish as"
        )
    if not re.fullmatch(r"(?!(data|about)$)\w[\w.-]*", config):
        raise InputError(
            f"config ({config!r}) must be made of letters, digits, '_', '-' and '.', and be "
            "neither 'data' nor 'about'"
        )
    if recipe is not None and not (hasattr(recipe, "to_yaml") and hasattr(recipe, "hash")):
        raise InputError(
            f"recipe ({type(recipe).__name__}) must be a t2vid.Recipe; use t2vid.Recipe.from_yaml"
        )


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
