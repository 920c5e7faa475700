"""The plan of a build on disk, and the one pure function that writes a shard of it.

    >>> plan, choices = make_plan(Recipe.from_yaml("hybrid-30k"), "data")  # doctest: +SKIP
    >>> write_shard("mix", 7).sha256                                              # doctest: +SKIP
    '5f0c…'

Whoever calls `write_shard`, wherever and however often, gets the same bytes: a process pool, Ray,
a second attempt after a crash. Rows never travel; only the folder and a number do.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from t2vid.errors import InputError, MissingFile
from t2vid.mixing import overlap
from t2vid.mixing.costs import CostEstimator
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.selection import Mapper, Selected, Selection
from t2vid.mixing.sources import Item, RecordLocation, SourceReader, row_of, shown_as
from t2vid.schema import Counts, origin_feature, row_features
from t2vid.storage.cache import default_path
from t2vid.storage.files import (
    AnyPath,
    PathLike,
    absolute,
    path_of,
    sha256_of,
    version_at,
    whole_file,
    write_atomically,
)
from t2vid.storage.hashing import content_hashes

logger = logging.getLogger(__name__)

ROWS_PER_SHARD = 1000
ROWS_PER_GROUP = 100  # the Hub's viewer and streaming read whole row groups
FORMAT = 2  # raise it when the same plan would give other bytes
WORK = ".work"


@dataclass(frozen=True)
class BuildPlan:
    """Everything that decides the bytes of a mix.

    Args:
        recipe: the mix.
        data: folder of the annotation files and videos.
        n_rows: rows of the mix.
        rows_per_shard: rows of every shard but the last.
        inputs: the annotation files, `{path relative to data: sha256}`.
        media: every video below `data`, `{path relative to data: size and version}`, or a hash.
        hash: of the recipe, the inputs and the chosen rows in their order.
        counts: what was kept and dropped.
        counted_by: how text tokens were counted.
        hashed: whether `media` says what files hold, and not only how large and how old they are.
    """

    recipe: Recipe
    data: str
    n_rows: int
    rows_per_shard: int
    inputs: dict[str, str]
    hash: str
    counts: Counts
    counted_by: str
    media: dict[str, str] = field(default_factory=dict)
    hashed: bool = False

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return -(-self.n_rows // self.rows_per_shard)

    def shard_name(self, number: int) -> str:
        """Give the path of a shard below the folder of the mix."""
        return f"data/train-{number:05d}-of-{self.n_shards:05d}.parquet"

    def save(self, out: AnyPath, choices: list[Selected]) -> None:
        """Write the plan into the folder of the mix, the chosen rows first."""
        work = out / WORK
        columns = [pa.array(column) for column in zip(*choices, strict=True)]
        with whole_file(work / "rows.parquet") as file:
            pq.write_table(pa.table(columns, names=list(Selected._fields)), file)
        value = asdict(self) | {"recipe": self.recipe.to_dict(), "counts": self.counts.to_dict()}
        write_atomically(plan_file(out), json.dumps(value, indent=1, ensure_ascii=False))

    @classmethod
    def load(cls, out: PathLike) -> BuildPlan:
        """Read the plan of a mix.

        Raises:
            MissingFile: when `out` holds none.
        """
        path = plan_file(path_of(out))
        if not path.is_file():
            raise MissingFile(f"{out} holds no plan of a mix; build it first")
        value = json.loads(path.read_text(encoding="utf-8"))
        value["recipe"] = Recipe.from_dict(value["recipe"])
        value["counts"] = Counts.from_dict(value["counts"])
        return cls(**value)


@dataclass(frozen=True)
class Shard:
    """A finished shard: number, path below the mix, rows, SHA-256 and size in bytes."""

    number: int
    path: str
    rows: int
    sha256: str
    n_bytes: int


def make_plan(
    recipe: Recipe,
    data: PathLike,
    *,
    mapper: Mapper = map,
    rows_per_shard: int = ROWS_PER_SHARD,
    assume_videos: bool = False,
    hashes: bool = False,
) -> tuple[BuildPlan, list[Selected]]:
    """Choose the rows of a mix and put them in order; nothing is written.

    Args:
        recipe: the mix.
        data: folder of annotation files and videos.
        mapper: an ordered `map`, perhaps over processes.
        rows_per_shard: rows of a shard.
        assume_videos: plan with the frames of the spec where there are no videos at all.
        hashes: note what every file of media holds, not only its size and time.

    Raises:
        MissingFile: when the data folder or an annotation file is not there.
        InputError: when a source gives no row.
    """
    folder = path_of(data)
    if not folder.is_dir():
        raise MissingFile(f"data folder {data} does not exist")
    costs = CostEstimator(recipe, folder, cache=default_path(), assume_videos=assume_videos)
    selection = Selection(recipe, folder, costs)
    chosen: list[Selected] = []
    counts = Counts()
    for number in range(len(recipe.sources)):
        rows, counted = selection.rows(number, mapper=mapper)
        if recipe.wanted()[number] == 0:
            name = recipe.sources[number].name
            logger.warning("%s: its share of %s rows is not one row", name, f"{recipe.rows:,}")
            counted.sources[name] = Counter({"share too small for a row": 1})
        if not rows and recipe.wanted()[number] != 0:
            name, n_videos = recipe.sources[number].name, len(selection.measures.versions)
            shows = recipe.sources[number].shows_media
            media = "files of media" if recipe.is_weighted else "videos"
            found = f" ({n_videos:,} {media} are there)" if shows else ""
            raise InputError(
                f"no row of {data} is left for source {name!r} of {recipe.name!r}{found}: {counted}; "
                "mend the folder, or leave the source out of the recipe"
            )
        chosen += rows
        counts += counted
    order = recipe.row_plan(len(chosen)).rows(0, len(chosen))
    choices = [chosen[i] for i in order]
    for choice in choices:
        name = recipe.sources[choice.source].name
        counts.files.setdefault(name, Counter())[
            selection.readers[choice.source].inputs.names[choice.file]
        ] += 1
    inputs = {k: v for r in selection.readers for k, v in r.inputs.state().items()}
    digest = hashlib.sha256(
        f"{FORMAT} {recipe.hash} {rows_per_shard} {sorted(inputs.items())}".encode()
    )
    for choice in choices:
        digest.update(repr(tuple(choice)).encode("utf-8", "surrogatepass"))
    versions = selection.measures.versions | _elsewhere(choices)
    plan = BuildPlan(
        recipe, absolute(folder), len(choices), rows_per_shard, inputs,
        digest.hexdigest()[:32], counts, selection.measures.count_tokens.name,
        content_hashes(versions, folder, selection.measures.cache) if hashes else versions, hashes,
    )  # fmt: skip
    return plan, choices


def _elsewhere(choices: Iterable[Selected]) -> dict[str, str]:
    """Give the version of every file that rows name outside the data folder, as another mix may."""
    specs = (choice.spec for choice in choices if choice.spec.startswith("["))
    paths = {path for spec in specs for parts in json.loads(spec) for path, _, _ in parts if path}
    return {path: version_at(Path(path)) for path in sorted(paths) if os.path.isabs(path)}


def write_shard(out: PathLike, number: int) -> Shard:
    """Write one shard of the planned mix, or find it finished.

    The shard appears under its name only when it is whole; what is found under that name counts only
    with the hash that was noted when it was written for this very plan.

    Args:
        out: folder of the mix, with its plan.
        number: of the shard.
    """
    out = path_of(out)
    plan, reader = _opened(out)
    target, note = out / plan.shard_name(number), _note(out, number)
    done = finished(out, plan, number)
    if done is not None:
        return done
    schema = stored_features(weighted=plan.recipe.is_weighted).arrow_schema
    sketches = []
    rows: list[dict[str, Any]] = []
    n = 0
    with whole_file(target) as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for row, sketch in reader.rows(number):
                sketches.append(sketch)
                rows.append(row)
                n += 1
                if len(rows) == ROWS_PER_GROUP:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    rows = []
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        n_bytes = file.tell()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        overlap.save(note.with_suffix(".npz"), sketches)
    shard = Shard(number, plan.shard_name(number), n, sha256, n_bytes)
    write_atomically(note, json.dumps(asdict(shard) | {"plan": plan.hash}))
    return shard


def finished(out: AnyPath, plan: BuildPlan, number: int) -> Shard | None:
    """Give the shard if it is there, whole and of this plan."""
    note, target = _note(out, number), out / plan.shard_name(number)
    if not (note.is_file() and target.is_file() and note.with_suffix(".npz").is_file()):
        return None
    value = json.loads(note.read_text(encoding="utf-8"))
    same = value.pop("plan") == plan.hash and value["sha256"] == sha256_of(target)
    return Shard(**value) if same else None


class PlannedRows:
    """The rows of a planned mix, by shard.

    Args:
        plan: the plan.
        choices: the chosen rows, all of them, as a table or a list.
    """

    def __init__(self, plan: BuildPlan, choices: Any) -> None:
        self.plan, self.choices = plan, choices
        self.readers = [SourceReader(source, path_of(plan.data)) for source in plan.recipe.sources]

    def rows(self, number: int) -> Iterator[tuple[dict[str, Any], overlap.Sketch]]:
        """Give the rows of one shard, each with its sketch for finding repeats."""
        start = number * self.plan.rows_per_shard
        stop = min(start + self.plan.rows_per_shard, self.plan.n_rows)
        for at in range(start, stop, ROWS_PER_GROUP):
            yield from self._group(at, min(stop - at, ROWS_PER_GROUP))

    def _group(self, start: int, n_rows: int) -> Iterator[tuple[dict[str, Any], overlap.Sketch]]:
        """Give some rows; their records are read together, in the order of their files."""
        if isinstance(self.choices, pa.Table):
            picked = self.choices.slice(start, n_rows).to_pylist()
            choices = [Selected(**value) for value in picked]
        else:
            choices = self.choices[start : start + n_rows]
        places = [RecordLocation(one.file, one.row, one.start) for one in choices]
        read: dict[tuple[int, RecordLocation], list[Item]] = {}
        for number, reader in enumerate(self.readers):
            wanted = [p for p, one in zip(places, choices, strict=True) if one.source == number]
            read |= {(number, place): items for place, items, _ in reader.read(wanted)}
        for position, (place, choice) in enumerate(zip(places, choices, strict=True), start):
            source = self.plan.recipe.sources[choice.source]
            items = read[choice.source, place]
            if choice.part >= len(items):
                raise InputError(
                    f"row {choice.id} is no longer in its file below {self.plan.data}; the file "
                    "changed after the plan was made: build again with resume=False"
                )
            item = items[choice.part]
            text = item.text[choice.begin : choice.end]
            turns = item.turns[choice.turn : choice.turn_end]
            row = row_of(item, source=source, text=text, turns=turns, choice=choice)
            file = self.readers[choice.source].inputs.names[choice.file]
            row["origin"] = {"file": file, "record": choice.row, "position": position}
            pictures, video = shown_as(item, choice, source)
            yield row, overlap.sketch(choice.id, source.name, text or pictures, video, turns)


def stored_features(*, weighted: bool = False) -> Any:
    """Give the features of a stored row: the frames column as the plain struct that anyone can read.

    Args:
        weighted: whether turns may say if they are trained on.
    """
    from datasets import Value

    plain = {
        name: Value("binary" if name == "bytes" else "string")
        for name in ("text", "path", "bytes", "spec")
    }
    return row_features(plain, weighted=weighted, origin=origin_feature())


def plan_file(out: AnyPath) -> AnyPath:
    """Give the file that says a folder is a mix that was planned here."""
    return out / WORK / "plan.json"


def _note(out: AnyPath, number: int) -> AnyPath:
    return out / WORK / "shards" / f"{number:05d}.json"


def _opened(out: AnyPath) -> tuple[BuildPlan, PlannedRows]:
    # keyed by the version of the plan, so that a new plan in the same folder is read anew
    return _opened_at(str(out), version_at(plan_file(out)))


@functools.lru_cache(maxsize=2)
def _opened_at(out: str, _version: str) -> tuple[BuildPlan, PlannedRows]:
    plan = BuildPlan.load(out)
    with (path_of(out) / WORK / "rows.parquet").open("rb") as file:
        return plan, PlannedRows(plan, pq.read_table(file, use_threads=False))


def sketches(out: AnyPath, plan: BuildPlan) -> Iterator[dict[str, Any]]:
    """Give the saved sketches of every shard."""
    for number in range(plan.n_shards):
        with _note(out, number).with_suffix(".npz").open("rb") as file:
            with np.load(file, allow_pickle=False) as saved:
                yield dict(saved)
