"""Where the records of a source are: files below the data folder, a set on the Hub, another mix.

>>> from t2vid import samples
>>> from t2vid.mixing.source import Source
>>> find_inputs(Source("t2vid/synthetic", config="sample"), samples.ROOT).names
['texts.jsonl']
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2vid import samples
from t2vid.errors import InputError, MissingFile, T2VidError
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.source import Source
from t2vid.storage import records
from t2vid.storage.files import AnyPath, absolute, inside_of, path_of, sha256_of, version_at
from t2vid.storage.folder import matching

# Builders of `datasets` whose files are read as they are, so that one odd row costs no other; Parquet
# has a schema, and its rows are at hand one by one once they are in Arrow files.
_READ_AS_FILES = ("json", "csv")


@dataclass(frozen=True)
class SourceInputs:
    """What the records of a source are read from.

    Args:
        files: files of rows.
        names: what a plan calls them: below the data folder, `hf://…`, or an absolute path.
        table: a `datasets.Dataset`, where the rows are in no file that is read as it is.
        root: folder that the media of another mix are in; "" for the data folder.
        repository: URL of the set on the Hub, whose media may lie in it; "" for others.
    """

    files: list[AnyPath] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    table: Any = None
    root: str = ""
    repository: str = ""

    def state(self) -> dict[str, str]:
        """Give what the content of each input hashes to."""
        if self.table is not None:
            return dict.fromkeys(self.names, str(self.table._fingerprint))
        return {n: sha256_of(file) for n, file in zip(self.names, self.files, strict=True)}

    def versions(self) -> list[str]:
        """Give name and version of each input, which cost no reading."""
        if self.table is not None:
            return [f"{name} {self.table._fingerprint}" for name in self.names]
        return [f"{n} {version_at(file)}" for n, file in zip(self.names, self.files, strict=True)]


def find_inputs(source: Source, data: AnyPath) -> SourceInputs:
    """Find what a source is read from.

    Args:
        source: of a recipe.
        data: the data folder.

    Raises:
        MissingFile: naming what is not there.
        InputError: for a set that cannot be loaded, or a split that it has not.
    """
    if not source.is_outside:
        try:
            files = find_files(source, data)
        except MissingFile:
            if not source.is_bundled or source.shows_media:
                raise
            files = find_files(source, path_of(samples.ROOT))  # t2vid brings the texts
            return SourceInputs(files, [f"t2vid/{file.name}" for file in files])
        return SourceInputs(files, [inside_of(file, data) for file in files])
    if source.dataset == "t2vid/mix":
        recipe = Recipe.from_yaml(source.config or "sample")
        bundled = all(one.is_bundled for one in recipe.sources)
        root = absolute(recipe.folder(None if bundled else data))
        rows = _loaded(source, source.dataset, **({} if bundled else {"data_dir": root}))
        return SourceInputs([], [f"{source.dataset} {source.config}"], rows, root)
    place = _place(source.dataset, data)
    if place is None:
        return _by_builder(source, source.dataset, None)
    if place.is_file():
        return SourceInputs([place], [_named(place, data)])
    if (place / "manifest.json").is_file():
        shards = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["shards"]
        files = [place / shard["path"] for shard in shards]
        return SourceInputs(files, [_named(file, data) for file in files], root=_media_root(place))
    if any((place / name).is_file() for name in ("state.json", "dataset_dict.json")):
        from datasets import load_from_disk

        saved = load_from_disk(str(place))
        rows = _undecoded(saved[_split(source, list(saved))] if isinstance(saved, dict) else saved)
        return SourceInputs([], [_named(place, data)], rows)
    if source.files:
        files = [place / path for name in source.files for path in matching(place, name)]
        if not files:
            raise MissingFile(f"{source.name}: no file {list(source.files)} below {place}")
        return SourceInputs(files, [_named(file, data) for file in files])
    return _by_builder(source, str(place), data)


def find_files(source: Source, data: AnyPath) -> list[AnyPath]:
    """Find the annotation files of a source below the data folder, in the order of their names.

    Raises:
        MissingFile: naming the pattern without a file.
    """
    named = source.files or source.entry.files
    if not named:
        raise MissingFile(
            f"{source.name}: name its files below {data} (files: [...] in the recipe)"
        )
    found: list[AnyPath] = []
    for pattern in named:
        here = [data / path for path in matching(data, pattern)]
        if not here and source.files:
            raise MissingFile(f"{source.name}: no file {pattern!r} below {data}")
        found += [path for path in here if path not in found]
        if found and not source.files:
            # the other names are the same file as others call it
            return found if source.entry.kind == "rows" else found[:1]
    if not found:
        raise MissingFile(
            f"{source.name}: none of {list(named)} is below {data}; download it there, or name other "
            "files in the recipe (files: [...])"
        )
    return found


def _media_root(mix: AnyPath) -> str:
    """Give the folder that the media of a mix are in; "" where it is not told, or gone."""
    plan = mix / ".work" / "plan.json"
    root = json.loads(plan.read_text(encoding="utf-8"))["data"] if plan.is_file() else ""
    return root if root and path_of(root).is_dir() else ""


def _place(dataset: str, data: AnyPath) -> AnyPath | None:
    """Give the folder or file that a set is; None for one on the Hub.

    Raises:
        MissingFile: for what is neither.
    """
    for place in (data / dataset, path_of(dataset)):
        if place.exists():
            return place
    if (
        dataset.count("/") == 1
        and not dataset.endswith(records.SUFFIXES)
        and dataset[0] not in "./~"
    ):
        return None
    raise MissingFile(f"dataset {dataset!r} is no file or folder below {data}, and no owner/name")


def _named(path: AnyPath, data: AnyPath) -> str:
    try:
        return inside_of(path, data)
    except ValueError:
        return absolute(path)


def _by_builder(source: Source, path: str, data: AnyPath | None) -> SourceInputs:
    """Let `datasets` say which files a config and a split have, and read them as they are."""
    import datasets

    options: dict[str, Any] = {"data_files": list(source.files)} if source.files else {}
    if source.revision:
        options["revision"] = source.revision
    with _told(source):
        builder = datasets.load_dataset_builder(path, source.config or None, **options)
    files = getattr(builder.config, "data_files", None)
    kind = str(getattr(builder, "name", "") or "")
    module = type(builder).__module__.rpartition(".")[2]
    if not isinstance(files, Mapping) or not {kind, module} & set(_READ_AS_FILES):
        rows = _loaded(source, path, **options)
        name = f"{source.dataset} {source.config} {source.split}".strip()
        return SourceInputs([], [name], rows, repository="" if data else _repository(source))
    named = list(files[_split(source, [str(split) for split in files])])
    if data is not None:
        local = [Path(name) for name in named]
        return SourceInputs(list(local), [_named(file, data) for file in local])
    with _told(source):
        local = [_downloaded(str(name)) for name in named]
    names = [_unpinned(str(name)) for name in named]
    return SourceInputs(list(local), names, repository=_repository(source))


def _repository(source: Source) -> str:
    revision = f"@{source.revision}" if source.revision else ""
    return f"hf://datasets/{source.dataset}{revision}"


def _loaded(source: Source, path: str, **options: Any) -> Any:
    import datasets

    with _told(source):
        rows = datasets.load_dataset(path, source.config or None, **options)
    return _undecoded(rows[_split(source, list(rows))])


def _split(source: Source, splits: list[str]) -> str:
    if source.split in splits:
        return source.split
    if not source.split and ("train" in splits or len(splits) == 1):
        return "train" if "train" in splits else splits[0]
    raise InputError(f"{source.name}: split ({source.split!r}) must be one of {splits}")


def _undecoded(rows: Any) -> Any:
    """Give rows whose media are read as they are stored."""
    from datasets import Audio, Image, List, Video

    from t2vid.frames.feature import Frames

    for name, feature in rows.features.items():
        inner = getattr(feature, "feature", None)
        if isinstance(feature, Frames | Image | Video | Audio):
            rows = rows.cast_column(name, type(feature)(decode=False))
        elif isinstance(inner, Image | Video):
            rows = rows.cast_column(name, List(type(inner)(decode=False)))
    return rows


def _downloaded(url: str) -> Path:
    from huggingface_hub import HfFileSystem, hf_hub_download

    at: Any = HfFileSystem().resolve_path(url)
    return Path(
        hf_hub_download(at.repo_id, at.path_in_repo, repo_type=at.repo_type, revision=at.revision)
    )


def _unpinned(url: str) -> str:
    """Give the URL of a file without its commit: its hash says whether it changed."""
    head, mark, rest = url.partition("@")
    return f"{head}/{rest.partition('/')[2]}" if mark else url


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """Turn what `datasets` and the Hub raise into one line that names the source."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except T2VidError:
        raise
    except (OSError, ValueError, KeyError, DatasetsError) as error:
        cause = error.__cause__ or error  # "An error occurred while generating the dataset"
        lines = [line for line in str(cause).splitlines() if line.strip()]
        said = f"{type(cause).__name__}: {' '.join(lines[:1] + lines[1:][-1:])}"
        dataset = f"{source.dataset} {source.config}".strip()
        raise InputError(f"{source.name}: {dataset} cannot be loaded: {said}") from error
