"""Builds a mix: plan, write the shards, check them, count.

    >>> build("hybrid-30k", data="data", out="mix", dry_run=True).table()  # doctest: +SKIP
    >>> build("hybrid-30k", data="data", out="mix", num_proc=8).dataset()  # doctest: +SKIP

`build` can be stopped at any moment and run again: it goes on with the shards that are missing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from t2vid.errors import InputError, MissingFile, pluralize
from t2vid.frames.together import with_paths
from t2vid.mixing import overlap
from t2vid.mixing.dry_run import DryRun
from t2vid.mixing.overlap import Overlap
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.selection import ASSUMED, Selected
from t2vid.mixing.shards import (
    ROWS_PER_SHARD,
    WORK,
    BuildPlan,
    Shard,
    finished,
    make_plan,
    plan_file,
    sketches,
    write_shard,
)
from t2vid.mixing.staleness import changed_annotations, changed_media, stale_sources
from t2vid.progress import progress
from t2vid.schema import Counts, size
from t2vid.storage.files import (
    AnyPath,
    PathLike,
    absolute,
    is_url,
    joined,
    output_folder,
    path_of,
    scheme_of,
    write_atomically,
)
from t2vid.storage.pool import BuildError, in_pool

logger = logging.getLogger(__name__)


Engine = Literal["local", "ray"]


class OverlapError(InputError):
    """Repeats between sources or with a benchmark, where none were allowed."""


@dataclass(frozen=True)
class Built:
    """A mix on disk.

    Args:
        out: its folder.
        hash: SHA-256 over the hashes of all shards.
        n_rows: rows.
        n_bytes: bytes of all shards.
        counts: what was kept and dropped, by source and reason.
        overlap: what repeats.
        written: shards that this call wrote; the others were there.
        changed: what was found changed below the data folder since the last build, or "".
    """

    out: AnyPath
    hash: str
    n_rows: int
    n_bytes: int
    counts: Counts
    overlap: Overlap
    written: int
    changed: str = ""

    def dataset(self) -> Any:
        """Load the mix with its frames column; videos are looked for in the data folder."""
        return load(self.out)

    def table(self) -> str:
        """Give what was done as text."""
        head = f"{pluralize(self.n_rows, 'row')}, {size(self.n_bytes)}, sha256 {self.hash[:16]}, {self.out}"
        if self.changed:
            head += f" (planned anew: {self.changed})"
        elif not self.written:
            head += " (it was there already, whole)"
        return "\n".join([head, self.counts.table(), self.overlap.table()])


def build(
    recipe: Recipe | str | Path,
    *,
    data: PathLike | None = None,
    out: PathLike | None = None,
    num_proc: int | None = None,
    dry_run: bool = False,
    throughput: Mapping[str, str | float] | None = None,
    resume: bool = True,
    engine: Engine = "local",
    fail_on_overlap: bool = False,
    benchmarks: Mapping[str, str | Path] | None = None,
    address: str | None = None,
    rows_per_shard: int = ROWS_PER_SHARD,
    hashes: bool = False,
) -> Built | DryRun:
    """Build a mix, or say what it would be.

    Args:
        recipe: a recipe, the name of a shipped one, or a YAML file.
        data: folder with the annotation files and the videos, at any depth, a path or a URL; a recipe
            of the bundled samples needs none.
        out: folder of the mix, a path or a URL such as `s3://bucket/mix`, for `data/*.parquet`,
            `recipe.yaml`, `counts.json`, `overlap.json` and `manifest.json`.
        num_proc: processes of this machine; by default one, this one.
        dry_run: plan only; write nothing.
        throughput: for the GPU hours of a dry run, tokens a second of one GPU by family, as a run's
            log says them (`tokens_per_s`); assumed where they are not stated.
        resume: go on with what an interrupted build of the same mix left, or start over.
        engine: `local`, or `ray` for several machines that share the folders.
        fail_on_overlap: raise when two sources, or the mix and a benchmark, share rows.
        benchmarks: files of benchmark questions by name, to look for in the mix.
        address: of the Ray cluster; by default one is started here.
        rows_per_shard: rows of a shard.
        hashes: tell a changed video or picture by what it holds, not by its size and time: each is
            read once, and data that were copied or touched are still the same.

    Raises:
        InputError: when `out` holds another mix, or a value is out of range.
        MissingFile: when the data are not there.
        MissingExtra: when the package behind the scheme of a URL is not installed.
        BuildError: when a shard failed for good, with its number and the reason.
        OverlapError: when repeats were found and `fail_on_overlap` is set.
    """
    if not isinstance(recipe, Recipe):
        recipe = Recipe.from_yaml(recipe)
    if engine not in ("local", "ray"):
        raise InputError(f"engine ({engine!r}) must be 'local' or 'ray'")
    if num_proc is not None and num_proc < 1:
        raise InputError(f"num_proc ({num_proc}) must be > 0, or None")
    data = recipe.folder(data)
    if dry_run:
        return dataclasses.replace(_dry_run(recipe, data, num_proc), throughput=throughput)
    if out is None:
        raise InputError("out, the folder of the mix, is needed unless dry_run is set")
    folder = output_folder(out)
    if "memory" in (scheme_of(folder), scheme_of(data)) and (engine == "ray" or num_proc):
        raise InputError("memory:// lives in one process; leave num_proc and engine out")
    plan, changed = _planned(recipe, data, folder, num_proc, resume, rows_per_shard, hashes)
    missing = [n for n in range(plan.n_shards) if finished(folder, plan, n) is None]
    if engine == "ray":
        from t2vid.mixing.ray_engine import write_shards

        writing: Iterable[Any] = write_shards(folder, missing, num_proc=num_proc, address=address)
    else:
        writing = in_pool(write_shard, [(str(folder), n) for n in missing], num_proc)
    for _ in progress(writing, desc="shards", total=len(missing), unit="shard"):
        pass
    shards = _checked(folder, plan)
    done = _finish(folder, plan, shards, len(missing), benchmarks or {}, fail_on_overlap)
    return dataclasses.replace(done, changed=changed)


def load(out: PathLike, *, data: PathLike | None = None) -> Any:
    """Load a built mix as a `Dataset` whose `images` column makes frames when it is read.

    Args:
        out: folder of the mix.
        data: folder of the videos; the one of the build by default.

    Raises:
        MissingFile: when `out` holds no finished mix.
    """
    from datasets import load_dataset

    from t2vid.frames.feature import Frames

    out = path_of(out)
    manifest = out / "manifest.json"
    if not manifest.is_file():
        raise MissingFile(
            f"{out} holds no finished mix; run build again, it goes on where it stopped"
        )
    names = [shard["path"] for shard in json.loads(manifest.read_text("utf-8"))["shards"]]
    root = absolute(path_of(data)) if data is not None else BuildPlan.load(out).data
    rows = load_dataset("parquet", data_files=[str(out / name) for name in names], split="train")
    rows = rows.map(
        _rooted,
        input_columns=["images"],
        fn_kwargs={"root": root},
        desc="paths",
        features=rows.features,
    )
    return rows.cast_column("images", Frames())


def rooted(images: dict[str, Any], root: str) -> dict[str, Any]:
    """Give a stored value whose paths are absolute."""
    return with_paths(images, lambda path: path if is_url(path) else joined(root, path))


def _rooted(images: dict[str, Any], root: str) -> dict[str, Any]:
    return {"images": rooted(images, root)}


def _planned(
    recipe: Recipe,
    data: AnyPath,
    out: AnyPath,
    num_proc: int | None,
    resume: bool,
    rows_per_shard: int,
    hashes: bool,
) -> tuple[BuildPlan, str]:
    """Give the plan of the mix, and what changed among the videos since an earlier one was made."""
    old, changed = None, ""
    if plan_file(out).is_file():
        old = BuildPlan.load(out)
        same = old.recipe == recipe and old.rows_per_shard == rows_per_shard
        same = same and old.data == absolute(data)
        other = changed_annotations(old) if same else f"of {old.data}"
        if resume and other:
            raise InputError(
                f"{out} holds another mix ({old.recipe.name}, {old.recipe.hash}) or one of other "
                f"files ({other}); give another folder, or resume=False to replace it"
            )
        changed = changed_media(old) if not other else ""
        if resume and not changed and old.hashed >= hashes:
            return old, ""
        hashes = hashes or (resume and old.hashed)
    plan, choices = _plan(recipe, data, num_proc, rows_per_shard, hashes=hashes)
    if changed:
        logger.warning("%s: %s; the mix is planned anew", out, changed)
    if old is not None and (not resume or old.hash != plan.hash):
        _clear(out)
    plan.save(out, choices)
    return plan, changed


def _clear(out: AnyPath) -> None:
    """Remove what a build writes, and nothing else."""
    names = ["manifest.json", "counts.json", "overlap.json", "recipe.yaml"]
    patterns = [
        *names,
        f"{WORK}/*.*",
        f"{WORK}/shards/*",
        "data/train-*-of-*.parquet",
        "data/.train-*",
    ]
    for path in [path for pattern in patterns for path in out.glob(pattern)]:
        path.unlink()


def _plan(
    recipe: Recipe,
    data: AnyPath,
    num_proc: int | None,
    rows_per_shard: int = ROWS_PER_SHARD,
    **options: bool,
) -> tuple[BuildPlan, list[Selected]]:
    def mapper(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        tasks = list(tasks)
        done = in_pool(function, [(task,) for task in tasks], num_proc, ordered=True)
        return progress(done, desc="rows chosen", total=len(tasks), unit="chunk")

    for told in stale_sources(recipe, data):
        logger.warning("%s", told)
    return make_plan(recipe, data, mapper=mapper, rows_per_shard=rows_per_shard, **options)


def _dry_run(recipe: Recipe, data: AnyPath, num_proc: int | None) -> DryRun:
    plan, choices = _plan(recipe, data, num_proc, assume_videos=True)
    figures = {
        s.name: dict.fromkeys(("rows", "frames", "text_tokens", "bytes"), 0) for s in recipe.sources
    }
    for choice in choices:
        source = figures[recipe.sources[choice.source].name]
        source["rows"] += 1
        source["frames"] += choice.n_frames
        source["text_tokens"] += choice.text_tokens
        source["bytes"] += choice.n_bytes
    guessed = {name for name, counted in plan.counts.sources.items() if counted.get(ASSUMED)}
    assumed = {s.name: s.sample.max_frames or 1 for s in recipe.sources if s.name in guessed}
    return DryRun(recipe, figures, plan.counts, plan.counted_by, assumed)


def _checked(out: AnyPath, plan: BuildPlan) -> list[Shard]:
    """Compare what was written with the plan: every shard, every row, every id once."""
    found = [finished(out, plan, number) for number in range(plan.n_shards)]
    absent = [number for number, shard in enumerate(found) if shard is None]
    if absent:
        raise BuildError(
            f"shards {absent[:10]} are missing or changed since they were written; run again"
        )
    shards = [shard for shard in found if shard is not None]
    planned = _ids(out / WORK / "rows.parquet")
    at, seen = 0, set()
    for shard in shards:
        ids = _ids(out / shard.path)
        if ids != planned[at : at + len(ids)]:
            raise BuildError(f"{shard.path} holds other rows than planned; delete it and run again")
        seen.update(ids)
        at += len(ids)
    if not at == len(seen) == plan.n_rows:
        raise BuildError(
            f"{at:,} rows with {len(seen):,} ids were written, {plan.n_rows:,} planned"
        )
    return shards


def _ids(path: AnyPath) -> list[str]:
    with path.open("rb") as file:
        ids: list[str] = pq.read_table(file, columns=["id"], use_threads=False)["id"].to_pylist()
        return ids


def _finish(
    out: AnyPath,
    plan: BuildPlan,
    shards: list[Shard],
    written: int,
    benchmarks: Mapping[str, str | Path],
    fail_on_overlap: bool,
) -> Built:
    found = overlap.find(sketches(out, plan), benchmarks)
    digest = _digest([shard.sha256 for shard in shards])
    n_bytes = sum(shard.n_bytes for shard in shards)
    manifest = {
        "name": plan.recipe.name,
        "recipe_hash": plan.recipe.hash,
        "plan_hash": plan.hash,
        "sha256": digest,
        "rows": plan.n_rows,
        "bytes": n_bytes,
        "text_tokens_counted_by": plan.counted_by,
        "inputs": plan.inputs,
        "videos": {"files": len(plan.media), "state": _digest(sorted(plan.media.items()))},
        "shards": [asdict(shard) for shard in shards],
    }
    write_atomically(out / "recipe.yaml", plan.recipe.to_yaml())
    for name, value in (
        ("counts.json", plan.counts.to_dict()),
        ("overlap.json", found.to_dict()),
        ("manifest.json", manifest),
    ):
        write_atomically(out / name, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    if fail_on_overlap and found.found:
        raise OverlapError(f"repeats were found; see {out / 'overlap.json'}\n{found.table()}")
    return Built(out, digest, plan.n_rows, n_bytes, plan.counts, found, written)


def _digest(lines: Iterable[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()
