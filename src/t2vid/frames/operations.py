"""Operations of `datasets` that do not ask a column: taught what a `Frames` column is.

`unique`, `add_item`, `add_column`, `cast`, `concatenate_datasets`, the writers of CSV, JSON and SQL and
`push_to_hub` look at the Arrow table alone. Left to themselves they fail inside Arrow, or write
rows that nobody can read again. Other columns are none of this file's business.

>>> from datasets import Dataset, Features
>>> from t2vid.frames.feature import Frames
>>> rows = Dataset.from_list([{"images": {"text": "A page."}}] * 2, features=Features(images=Frames()))
>>> len(rows.unique("images")), len(rows.add_item(rows[0]))
(1, 3)
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from t2vid.errors import InputError
from t2vid.frames.feature import FIELDS, Frames
from t2vid.frames.framelist import FrameList
from t2vid.registry import wrap

Operation = Callable[..., Any]


def teach() -> None:
    """Wrap the operations; doing it again changes nothing."""
    import datasets
    from datasets import arrow_dataset, iterable_dataset

    for kind in (datasets.Dataset, datasets.IterableDataset):
        wrap(kind, "cast_column", _cast_column)
        wrap(kind, "cast", _cast)
        wrap(kind, "with_format", _with_format)
        for name, around in _WRITERS.items():
            if hasattr(kind, name):  # streams have learned to write one version after the other
                wrap(kind, name, around)
    for kind in (datasets.DatasetDict, datasets.IterableDatasetDict):
        wrap(kind, "push_to_hub", _WRITERS["push_to_hub"])
    wrap(datasets.Dataset, "set_format", _with_format)
    wrap(datasets.Dataset, "unique", _unique)
    wrap(datasets.Dataset, "add_item", _add_item)
    wrap(datasets.Dataset, "add_column", _add_column)
    for module in (arrow_dataset, iterable_dataset):
        wrap(module, "_check_if_features_can_be_aligned", _check_aligned)


def _frames_columns(rows: Any) -> list[str]:
    features = getattr(rows, "features", None) or {}
    return [name for name, feature in features.items() if isinstance(feature, Frames)]


def _unique(original: Operation, rows: Any, column: str) -> Any:
    if column not in _frames_columns(rows):
        return original(rows, column)
    values = rows.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    return list({value and tuple(value.values()): value for value in values}.values())


def _add_item(original: Operation, rows: Any, item: Mapping[str, Any], *args: Any, **k: Any) -> Any:
    from datasets import Dataset, Features, concatenate_datasets

    if not _frames_columns(rows):
        return original(rows, item, *args, **k)
    known = {name: [item[name]] for name in item if name in rows.features}
    one = Dataset.from_dict(known, features=Features({n: rows.features[n] for n in known}))
    for name in set(item) - set(known):
        one = one.add_column(name, [item[name]])
    return concatenate_datasets([rows, one], split=rows.split)


def _add_column(
    original: Operation, rows: Any, name: str, column: Sequence[Any], *args: Any, **options: Any
) -> Any:
    feature = options.get("feature")
    if feature is None and any(isinstance(value, FrameList) for value in column):
        feature = Frames()
    if isinstance(feature, Frames):
        column = [feature.encode_example(value) for value in column]
        options["feature"] = feature
    return original(rows, name, column, *args, **options)


def _with_format(original: Operation, rows: Any, type: Any = None, *args: Any, **k: Any) -> Any:
    names = [name for name in _frames_columns(rows) if rows.features[name].decode]
    if type == "polars" and set(names) & set(k.get("columns") or names):
        raise InputError(
            f"the polars format of datasets decodes no column, and {names[0]!r} is Frames; use "
            "to_polars(), which gives what is stored, or cast_column to Frames(decode=False)"
        )
    return original(rows, type, *args, **k)


# Casting. What a column stores decides, row by row.


def _cast_column(original: Operation, rows: Any, column: str, feature: Any, **options: Any) -> Any:
    have = (getattr(rows, "features", None) or {}).get(column)
    if not isinstance(have, Frames) or _is_stored(feature):
        return original(rows, column, feature, **options)
    convert, decode = _converter(column, feature)
    stored = original(rows, column, dataclasses.replace(have, decode=decode))
    features = type(rows.features)({**rows.features, column: feature})
    return stored.map(functools.partial(convert, column), input_columns=[column], features=features)


def _cast(original: Operation, rows: Any, features: Any, *args: Any, **options: Any) -> Any:
    for name in _frames_columns(rows):
        if name in features and not _is_stored(features[name]):
            rows = rows.cast_column(name, features[name])
    return original(rows, features, *args, **options)


def _is_stored(feature: Any) -> bool:
    """Tell whether a feature holds what `Frames` stores, so that Arrow's own cast is right."""
    return isinstance(feature, Frames) or (isinstance(feature, dict) and {*feature} == {*FIELDS})


def _converter(column: str, feature: Any) -> tuple[Operation, bool]:
    """Give what turns one value into another column's, and whether it takes frames."""
    from datasets import Image, LargeList, List, Value, Video

    inner = feature[0] if isinstance(feature, list) and len(feature) == 1 else None
    if isinstance(feature, List | LargeList):
        inner = feature.feature
    if isinstance(inner, Image):
        return _pictures, True
    if isinstance(feature, Video):
        return _film, False
    if isinstance(feature, Value) and feature.dtype in ("string", "large_string"):
        return _path, False
    raise InputError(
        f"column {column!r} holds Frames and cannot become {feature}; it can become List(Image()), for "
        "videos Video() or Value('string'), and Frames(decode=False).plain, what is stored"
    )


def _pictures(column: str, frames: FrameList) -> dict[str, Any]:
    return {column: [frame.copy() for frame in frames]}  # copies carry nothing of the row with them


def _film(column: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    if value is None or all(value[name] is None for name in FIELDS[:3]):
        return {column: None}
    _refuse_text(column, value)
    return {column: {"path": value["path"], "bytes": value["bytes"]}}


def _path(column: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    if value is None or all(value[name] is None for name in FIELDS[:3]):
        return {column: None}
    _refuse_text(column, value)
    if value["path"] is None:
        raise InputError(
            f"column {column!r} holds a video as {len(value['bytes']):,} bytes, which has no path; "
            "cast it to Video(), or filter such rows out"
        )
    return {column: value["path"]}


def _refuse_text(column: str, value: Mapping[str, Any]) -> None:
    if value["text"] is not None:
        raise InputError(
            f"column {column!r} holds a text ({value['text'][:40]!r}…), which is no video; cast it to "
            "List(Image()) for its pictures, or filter such rows out"
        )


# Concatenating: `datasets` compares features, and names neither what differs nor what to do.


def _check_aligned(original: Operation, features_list: Sequence[Mapping[str, Any]]) -> Any:
    from datasets import Value

    for name in {name: None for features in features_list for name in features}:
        found = [features[name] for features in features_list if name in features]
        found = [one for one in found if not (isinstance(one, Value) and one.dtype == "null")]
        frames = next((one for one in found if isinstance(one, Frames)), None)
        other = next((one for one in found if one != frames), None)
        if frames is not None and other is not None:
            raise InputError(
                f"column {name!r} is {frames} in one dataset and {other} in another; make them alike "
                f"before they are joined: dataset.cast_column({name!r}, {frames})"
            )
    return original(features_list)


# Writing.


def _no_csv(rows: Any, names: list[str]) -> None:
    raise InputError(
        f"CSV and SQL have no columns with fields, and {names[0]!r} is Frames; write to_parquet or "
        f"to_json, or cast_column({names[0]!r}, Value('string')) where all rows are videos"
    )


def _refuse_bytes(column: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    if value is not None and value["bytes"] is not None:
        raise InputError(
            f"JSON holds no bytes, and column {column!r} has a video as {len(value['bytes']):,} bytes; "
            "write to_parquet, or store videos as files"
        )
    return {}


def _to_json(original: Operation, rows: Any, *args: Any, **options: Any) -> Any:
    from datasets import Dataset

    for name in _frames_columns(rows):
        stored = rows.cast_column(name, dataclasses.replace(rows.features[name], decode=False))
        if isinstance(rows, Dataset):
            for value in stored.select_columns([name]):
                _refuse_bytes(name, value[name])
        else:  # it can be read only once, so it is looked at while it is written
            rows = stored.map(functools.partial(_refuse_bytes, name), input_columns=[name])
    return original(rows, *args, **options)


def _no_push(rows: Any, names: list[str]) -> None:
    raise InputError(
        f"push_to_hub of {names[0]!r}, a Frames column, would give a repository that nobody without "
        "t2vid can load, with the paths of this machine in it; publish it with t2vid.push(dataset, "
        f"name), or as pictures: dataset.cast_column({names[0]!r}, List(Image()))"
    )


def _refusing(refuse: Callable[[Any, list[str]], None]) -> Operation:
    def around(original: Operation, rows: Any, *args: Any, **options: Any) -> Any:
        for split in rows.values() if isinstance(rows, dict) else [rows]:
            if names := _frames_columns(split):
                refuse(split, names)
        return original(rows, *args, **options)

    return around


_WRITERS = {
    "to_csv": _refusing(_no_csv),
    "to_sql": _refusing(_no_csv),
    "to_json": _to_json,
    "push_to_hub": _refusing(_no_push),
}

teach()
