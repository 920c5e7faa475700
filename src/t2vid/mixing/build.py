"""Builds a mix: plan, write the shards, check them, count.

    >>> build("hybrid-30k", data="data", out="mix", dry_run=True).table()  # doctest: +SKIP
    >>> build("hybrid-30k", data="data", out="mix", num_proc=8).dataset()  # doctest: +SKIP

`build` can be stopped at any moment and run again: it goes on with the shards that are missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import InputError, MissingFile, pluralize
from t2vid.mixing import overlap
from t2vid.mixing.overlap import Overlap
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.selection import Selected
from t2vid.mixing.shards import (
    ROWS_PER_SHARD,
    WORK,
    BuildPlan,
    Shard,
    finished,
    make_plan,
    sketches,
    write_shard,
)
from t2vid.progress import progress
from t2vid.schema import FRAME_PX, Counts, size
from t2vid.storage.files import sha256_of, write_atomically
from t2vid.storage.pool import BuildError, in_pool

BATCH = 64  # rows of an optimiser step in the paper
# For the estimates of a dry run. 100 texts of 8,000 words, 4.8 MB, took 1.5 MB of zstd Parquet; a drawn
# page took 13,346 bytes of lossless WebP; of a photograph seven bits a pixel are assumed.
PARQUET_RATIO = 3.2
WEBP_BYTES = {"text": 13_346, "video": FRAME_PX**2 * 7 // 8}

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
    """

    out: Path
    hash: str
    n_rows: int
    n_bytes: int
    counts: Counts
    overlap: Overlap
    written: int

    def dataset(self) -> Any:
        """Load the mix with its frames column; videos are looked for in the data folder."""
        return load(self.out)

    def table(self) -> str:
        """Give what was done as text."""
        head = f"{pluralize(self.n_rows, 'row')}, {size(self.n_bytes)}, sha256 {self.hash[:16]}, {self.out}"
        if not self.written:
            head += " (it was there already, whole)"
        return "\n".join([head, self.counts.table(), self.overlap.table()])


@dataclass(frozen=True)
class DryRun:
    """What a mix would be, from counts alone.

    Args:
        recipe: the mix.
        sources: by source: rows, frames, text tokens and bytes.
        counts: what would be kept and dropped.
        counted_by: how text tokens were counted; `estimate` without a tokenizer.
    """

    recipe: Recipe
    sources: dict[str, dict[str, int]]
    counts: Counts
    counted_by: str

    def total(self, name: str) -> int:
        """Add up one figure over the sources: `rows`, `frames`, `text_tokens` or `bytes`."""
        return sum(figures[name] for figures in self.sources.values())

    def materialised_bytes(self) -> int:
        """Estimate the bytes of all frames as lossless WebP."""
        kinds = {s.name: "video" if s.is_video else "text" for s in self.recipe.sources}
        return sum(f["frames"] * WEBP_BYTES[kinds[name]] for name, f in self.sources.items())

    def table(self) -> str:
        """Give the figures as a text table."""
        families = list(TOKENS_PER_FRAME)
        head = f"{'source':<16} {'rows':>9} {'frames':>11} {'text tokens':>13}"
        lines = [head + "".join(f" {name + ' visual':>17}" for name in families)]
        total = {k: self.total(k) for k in ("rows", "frames", "text_tokens", "bytes")}
        for name, f in [*self.sources.items(), ("all", total)]:
            line = f"{name:<16} {f['rows']:>9,} {f['frames']:>11,} {f['text_tokens']:>13,}"
            visual = (f" {f['frames'] * TOKENS_PER_FRAME[family]:>17,}" for family in families)
            lines.append(line + "".join(visual))
        rows = total["rows"]
        lazy, drawn = total["bytes"] / PARQUET_RATIO, self.materialised_bytes()
        lines += [
            f"steps at batch {BATCH}: {-(-rows // BATCH):,} an epoch",
            f"bytes: about {size(lazy)} lazy, about {size(drawn)} as lossless WebP",
            f"text tokens counted by: {self.counted_by}",
            "",
            self.counts.table(),
        ]
        return "\n".join(lines)


def build(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    num_proc: int | None = None,
    dry_run: bool = False,
    resume: bool = True,
    engine: Engine = "local",
    fail_on_overlap: bool = False,
    benchmarks: Mapping[str, str | Path] | None = None,
    address: str | None = None,
    rows_per_shard: int = ROWS_PER_SHARD,
) -> Built | DryRun:
    """Build a mix, or say what it would be.

    Args:
        recipe: a recipe, the name of a shipped one, or a YAML file.
        data: folder with the annotation files and the videos, at any depth; a recipe of the bundled
            samples needs none.
        out: folder of the mix: `data/*.parquet`, `recipe.yaml`, `counts.json`, `overlap.json`,
            `manifest.json`.
        num_proc: processes of this machine; None is one, this one.
        dry_run: plan only; write nothing.
        resume: go on with what an interrupted build of the same mix left; False starts over.
        engine: `local`, or `ray` for several machines that share the folders.
        fail_on_overlap: raise when two sources, or the mix and a benchmark, share rows.
        benchmarks: files of benchmark questions by name, to look for in the mix.
        address: of the Ray cluster; None starts one here.
        rows_per_shard: rows of a shard.

    Raises:
        InputError: when `out` holds another mix, or a value is out of range.
        MissingFile: when the data are not there.
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
        return _dry_run(recipe, data, num_proc)
    if out is None:
        raise InputError("out, the folder of the mix, is needed unless dry_run is set")
    out = Path(out)
    plan = _planned(recipe, data, out, num_proc, resume, rows_per_shard)
    missing = [n for n in range(plan.n_shards) if finished(out, plan, n) is None]
    if engine == "ray":
        from t2vid.mixing.ray_engine import write_shards

        done: Iterable[Any] = write_shards(out, missing, num_proc=num_proc, address=address)
    else:
        done = in_pool(write_shard, [(str(out), n) for n in missing], num_proc)
    for _ in progress(done, desc="shards", total=len(missing), unit="shard"):
        pass
    shards = _checked(out, plan)
    return _finish(out, plan, shards, len(missing), benchmarks or {}, fail_on_overlap)


def load(out: str | Path, *, data: str | Path | None = None) -> Any:
    """Load a built mix as a `Dataset` whose `images` column makes frames when it is read.

    Args:
        out: folder of the mix.
        data: folder of the videos; the one of the build by default.

    Raises:
        MissingFile: when `out` holds no finished mix.
    """
    from datasets import load_dataset

    from t2vid.frames.feature import Frames

    out = Path(out)
    manifest = out / "manifest.json"
    if not manifest.is_file():
        raise MissingFile(
            f"{out} holds no finished mix; run build again, it goes on where it stopped"
        )
    names = [shard["path"] for shard in json.loads(manifest.read_text("utf-8"))["shards"]]
    root = os.path.abspath(data) if data is not None else BuildPlan.load(out).data
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
    """Give a stored value whose video path is absolute."""
    if images["path"] is None:
        return images
    return images | {"path": os.path.join(root, images["path"])}


def _rooted(images: dict[str, Any], root: str) -> dict[str, Any]:
    return {"images": rooted(images, root)}


def _planned(
    recipe: Recipe,
    data: str | Path,
    out: Path,
    num_proc: int | None,
    resume: bool,
    rows_per_shard: int,
) -> BuildPlan:
    if (out / WORK / "plan.json").is_file():
        old = BuildPlan.load(out)
        same = old.recipe == recipe and old.rows_per_shard == rows_per_shard
        same = same and old.data == os.path.abspath(data) and _unchanged(old)
        if same and resume:
            return old
        if resume:
            raise InputError(
                f"{out} holds another mix ({old.recipe.name}, {old.recipe.hash}) or one of other "
                f"files; give another folder, or resume=False to replace it"
            )
        _clear(out)
    plan, choices = _plan(recipe, data, num_proc, rows_per_shard)
    plan.save(out, choices)
    return plan


def _unchanged(plan: BuildPlan) -> bool:
    files = {Path(plan.data) / name: digest for name, digest in plan.inputs.items()}
    return all(path.is_file() and sha256_of(path) == digest for path, digest in files.items())


def _clear(out: Path) -> None:
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
    data: str | Path,
    num_proc: int | None,
    rows_per_shard: int = ROWS_PER_SHARD,
    assume_videos: bool = False,
) -> tuple[BuildPlan, list[Selected]]:
    def mapper(function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        tasks = list(tasks)
        done = in_pool(function, [(task,) for task in tasks], num_proc, ordered=True)
        return progress(done, desc="rows chosen", total=len(tasks), unit="chunk")

    return make_plan(
        recipe, data, mapper=mapper, rows_per_shard=rows_per_shard, assume_videos=assume_videos
    )


def _dry_run(recipe: Recipe, data: str | Path, num_proc: int | None) -> DryRun:
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
    return DryRun(recipe, figures, plan.counts, plan.counted_by)


def _checked(out: Path, plan: BuildPlan) -> list[Shard]:
    """Compare what was written with the plan: every shard, every row, every id once."""
    found = [finished(out, plan, number) for number in range(plan.n_shards)]
    absent = [number for number, shard in enumerate(found) if shard is None]
    if absent:
        raise BuildError(
            f"shards {absent[:10]} are missing or changed since they were written; run again"
        )
    shards = [shard for shard in found if shard is not None]
    planned = pq.read_table(out / WORK / "rows.parquet", columns=["id"])["id"].to_pylist()
    at, seen = 0, set()
    for shard in shards:
        ids = pq.read_table(out / shard.path, columns=["id"])["id"].to_pylist()
        if ids != planned[at : at + len(ids)]:
            raise BuildError(f"{shard.path} holds other rows than planned; delete it and run again")
        seen.update(ids)
        at += len(ids)
    if not at == len(seen) == plan.n_rows:
        raise BuildError(
            f"{at:,} rows with {len(seen):,} ids were written, {plan.n_rows:,} planned"
        )
    return shards


def _finish(
    out: Path,
    plan: BuildPlan,
    shards: list[Shard],
    written: int,
    benchmarks: Mapping[str, str | Path],
    fail_on_overlap: bool,
) -> Built:
    found = overlap.find(sketches(out, plan), benchmarks)
    digest = _hash(shards)
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


def _hash(shards: list[Shard]) -> str:
    import hashlib

    return hashlib.sha256("\n".join(shard.sha256 for shard in shards).encode()).hexdigest()
