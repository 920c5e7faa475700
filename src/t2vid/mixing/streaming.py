"""`t2vid.stream`: the rows of a mix, wherever it is, in a shuffled order that stops and goes on exactly.

>>> rows = stream("sample", seed=1, columns=["id", "source"])
>>> first = [row["id"] for _, row in zip(range(5), rows)]
>>> rest = stream("sample", seed=1, columns=["id", "source"]); rest.load_state_dict(rows.state_dict())
>>> len({*first, *(row["id"] for row in rest)}) == len(rows.dataset)
True

The order follows from the rows, `seed` and the epoch alone, whatever the number of processes. What
comes over a network comes by row groups, a window of them ahead, and is kept on disk.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2vid.errors import InputError
from t2vid.mixing.groups import WINDOW, GroupPlan, StratifiedPlan, Stratify
from t2vid.mixing.opening import open_rows
from t2vid.mixing.parquet_rows import ParquetRows
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.shards import BuildPlan
from t2vid.storage.files import is_url
from t2vid.targets import ROWS, find

if TYPE_CHECKING:
    from t2vid.mixing.stream import PlanStream

_VIRTUAL_GROUP = 100  # rows of a dataset on this machine that count as one group


def stream(
    source: str | os.PathLike[str] | Recipe | Sequence[str] | Any,
    *,
    config_name: str | None = None,
    split: str = "train",
    revision: str | None = None,
    token: str | None = None,
    data: str | Path | None = None,
    columns: Sequence[str] | None = None,
    frames: bool = True,
    seed: int = 0,
    epoch: int = 0,
    epochs: int = 1,
    batch_size: int = 1,
    stratify: Stratify | None = None,
    rank: int = 0,
    world_size: int = 1,
    window: int = WINDOW,
    cache: str | Path | bool = True,
) -> PlanStream:
    """Stream rows in a shuffled order, for any number of ranks and loader workers.

    Args:
        source: `owner/name` on the Hub, a recipe, a mix that was built, Parquet files (paths, URLs,
            patterns), or a `Dataset`.
        config_name: of a repository on the Hub.
        split: of it.
        revision: of it; a commit makes sure that every epoch sees the same rows.
        token: for a private repository.
        data: folder of the annotation files and videos of a recipe, or of the videos of a mix.
        columns: columns to read; None is all.
        frames: give frames; False gives what they are made from.
        seed: of the order.
        epoch: the first one; `set_epoch` moves on.
        epochs: epochs of one iteration.
        batch_size: rows of a batch; the same as the `DataLoader`'s.
        stratify: `"mixed"`: every batch holds every source in its share; `"apart"`: every batch is of
            one source; by the column `source`.
        rank: this process among `world_size`.
        world_size: number of processes.
        window: row groups whose rows are shuffled among each other.
        cache: folder that keeps row groups that came over a network; True is one below the Hugging
            Face cache, False keeps nothing.

    Returns:
        A `PlanStream`: a torch `IterableDataset` with `state_dict` and `load_state_dict`.

    Raises:
        InputError: for a source without Parquet files or rows, or an argument out of range.
        MissingFile: for a file that is not there.
    """
    from t2vid.mixing.stream import PlanStream

    options = {
        "columns": columns, "frames": frames, "token": token, "window": window,
        "cache": _cache(cache),
    }  # fmt: skip
    rows = _rows(source, config_name, split, revision, token, data, options)
    if isinstance(rows, ParquetRows):
        sizes: Sequence[int] = rows.sizes
    else:
        if columns is not None:
            rows = rows.select_columns(list(columns))
        sizes = [min(_VIRTUAL_GROUP, len(rows) - at) for at in range(0, len(rows), _VIRTUAL_GROUP)]
    plan: Any = GroupPlan(sizes, seed=seed, window=window)
    if stratify is not None:
        plan = StratifiedPlan(plan, _sources(rows), batch_size=batch_size, how=stratify)
    return PlanStream(
        rows, plan, batch_size=batch_size, position=epoch * plan.n_rows, epochs=epochs, rank=rank,
        world_size=world_size,
    )  # fmt: skip


def _rows(
    source: Any,
    config_name: str | None,
    split: str,
    revision: str | None,
    token: str | None,
    data: str | Path | None,
    options: dict[str, Any],
) -> Any:
    root = None if data is None else str(Path(data).absolute())
    if isinstance(source, Recipe):
        from datasets import load_dataset

        folder = None if data is None else str(data)
        return load_dataset("t2vid/mix", "sample", recipe=source, data_dir=folder, split=split)
    if not isinstance(source, str | os.PathLike):
        if hasattr(source, "select_columns") and hasattr(source, "num_rows"):
            return source
        return ParquetRows(_files(source), media_root=root, **options)
    named = os.fspath(source)
    if is_url(named) or glob.has_magic(named):
        return ParquetRows(_files([named]), media_root=root, **options)
    target = find(named, ROWS, by="stream")
    if target.kind == "mix":
        manifest = json.loads((target.folder / "manifest.json").read_text(encoding="utf-8"))
        files = [str(target.folder / shard["path"]) for shard in manifest["shards"]]
        built = BuildPlan.load(target.folder).data
        return ParquetRows(files, media_root=root or built, **options)
    if target.kind == "hub":
        files = _on_the_hub(named, config_name, split, revision, token)
        return ParquetRows(files, media_root=root, **options)
    if target.kind == "rows":
        files = (
            sorted(map(str, target.folder.rglob("*.parquet")))
            if target.folder.is_dir()
            else [named]
        )
        if files and all(file.endswith(".parquet") for file in files):
            return ParquetRows(files, media_root=root, **options)
    rows = open_rows(target, config=config_name, split=split, data=data)
    return rows


def _on_the_hub(
    name: str, config: str | None, split: str, revision: str | None, token: str | None
) -> list[str]:
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(name, config, revision=revision, token=token)
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise InputError(f"{name} cannot be loaded: {type(error).__name__}: {first}") from error
    found = builder.config.data_files or {}
    if split not in found:
        raise InputError(f"{name} has the splits {list(found)}, not {split!r}")
    files = [str(file) for file in found[split]]
    others = [file for file in files if not file.endswith(".parquet")]
    if others:
        raise InputError(
            f"{name} holds {others[0].rpartition('/')[2]}, which is no Parquet; the Hub keeps a copy that "
            "is: revision='refs/convert/parquet'"
        )
    return files


def _files(named: Sequence[str]) -> list[str]:
    files: list[str] = []
    for one in map(os.fspath, named):
        if is_url(one) or not glob.has_magic(one):
            files.append(one)
            continue
        found = sorted(glob.glob(one, recursive=True))
        if not found:
            raise InputError(f"no file matches {one!r}")
        files += found
    return files


def _sources(rows: Any) -> list[str]:
    names = rows.columns if isinstance(rows, ParquetRows) else rows.column_names
    if "source" not in names:
        raise InputError(f"stratify needs a column 'source'; there are {list(names)}")
    found = rows.column("source") if isinstance(rows, ParquetRows) else rows["source"][:]
    return [str(one) for one in found]


def _cache(cache: str | Path | bool) -> Path | None:
    if cache is True:
        from huggingface_hub.constants import HF_HOME

        return Path(HF_HOME) / "t2vid" / "stream"
    return Path(cache) if cache else None
