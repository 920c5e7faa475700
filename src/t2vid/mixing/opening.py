"""Loads the rows of whatever a user named: a mix, a saved dataset, a file, a recipe, a dataset's name.

>>> from t2vid.targets import find
>>> rows = open_rows(find("sample"))
>>> sorted(set(rows["source"]))
['clips', 'texts']
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2vid import catalog
from t2vid.errors import InputError, T2VidError
from t2vid.frames.feature import FIELDS, Frames
from t2vid.mixing.build import load
from t2vid.mixing.recipe import Recipe
from t2vid.targets import Target

_BENCHMARKS = frozenset(one.dataset for one in catalog.BENCHMARKS)
# What is written as it is read; other files may hold rows of any layout, and odd ones among them.
_LOADERS = {".parquet": "parquet", ".arrow": "arrow"}


def open_rows(
    target: Target,
    *,
    config: str | None = None,
    split: str | None = None,
    data: str | Path | None = None,
    streaming: bool = False,
    **options: Any,
) -> Any:
    """Load one split of what a user named.

    Args:
        target: what `t2vid.targets.find` gave, of a kind of `t2vid.targets.ROWS`.
        config: of a name for `load_dataset`.
        split: of it, also as `"train[:100]"` where `load_dataset` loads it; `train` by default, or
            the first where there is none.
        data: folder of annotation files and videos.
        streaming: read rows as they come, where that is possible.
        **options: further arguments of `load_dataset`: `data_files`, `recipe`, `family` …

    Raises:
        InputError: for a split that is not there, or what `load_dataset` cannot load.
    """
    from datasets import load_dataset, load_from_disk

    name, given = target.named, {"streaming": streaming, "split": split} | options
    asked = str(split or "test").partition("[")[0]
    if target.kind == "dataset" and asked != "test" and target.name in _BENCHMARKS:
        raise InputError(f"{name} is a benchmark, which has no split {asked!r}: t2vid eval asks it")
    if data is not None:
        given["data_dir"] = str(data)
    if target.kind == "mix":
        return _one_split({"train": load(target.folder, data=data)}, split, name)
    if target.kind == "saved":
        return _one_split(load_from_disk(str(target.folder)), split, name)
    try:
        if target.kind == "rows":
            rows = _file(target.folder, data, streaming=streaming, split=split)
        elif target.kind == "recipe":
            recipe = Recipe.from_yaml(target.folder)
            rows = load_dataset("t2vid/mix", "sample", **{"recipe": recipe, **given})
        else:
            rows = load_dataset(target.name, config, **given)
    except (T2VidError, PermissionError):
        raise
    # what an unknown repository, a wrong config and a Hub out of reach raise
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        what = f"{name} is no file or folder here, and" if target.kind == "hub" else name
        raise InputError(f"{what} cannot be loaded: {type(error).__name__}: {first}") from error
    return as_frames(_one_split(rows, split, name))


def as_frames(rows: Any) -> Any:
    """Let a column that stores what frames are made of make them; rows of a shard's file do so."""
    features = getattr(rows, "features", None) or {}
    stored = features.get("images")
    if isinstance(stored, Mapping) and set(stored) == set(FIELDS):
        return rows.cast_column("images", Frames())
    return rows


def _file(path: Path, data: str | Path | None, **options: Any) -> Any:
    from datasets import load_dataset

    if path.is_dir():
        return load_dataset(str(path), **options)
    loader = _LOADERS.get(path.suffix.lower(), "t2vid/rows")
    if loader == "t2vid/rows":
        options["data_dir"] = str(data or path.parent)
    rows = load_dataset(loader, data_files=str(path), **options)
    first = rows if options["split"] else rows[next(iter(rows))]
    features = getattr(first, "features", None) or {}
    if "messages" in features or loader != "parquet":
        return rows
    options["data_dir"] = str(data or path.parent)
    return load_dataset("t2vid/rows", data_files=str(path), **options)


def _one_split(rows: Any, split: str | None, name: str) -> Any:
    if not isinstance(rows, Mapping):
        return rows
    if split is not None and split not in rows:
        raise InputError(f"{name} has the splits {list(rows)}, not {split!r}")
    return rows[split or ("train" if "train" in rows else next(iter(rows)))]
