"""Says what a recipe, a set of rows or a mix lacks, and what to do about it.

    t2vid doctor hybrid-30k --data corpora

>>> found = checkup("sample")
>>> found.good, found.rows[0].name, found.rows[0].found
(True, 'texts', '16 rows in 1 file; of 16 looked at 16 fit')
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from t2vid import targets
from t2vid.environment import Environment, EnvironmentRow, State
from t2vid.errors import InputError, MissingFile, T2VidError, pluralize
from t2vid.mixing.costs import CostEstimator
from t2vid.mixing.overlap import Overlap
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.selection import Selection
from t2vid.mixing.shards import BuildPlan, finished, plan_file
from t2vid.mixing.source import Source
from t2vid.mixing.staleness import changed_annotations, changed_media, stale_sources
from t2vid.storage.cache import default_path
from t2vid.storage.files import AnyPath, PathLike, path_of

ROWS = 200  # of each source are looked at
_NO_MEDIA = ("no such", "bad video", "unsafe")


def checkup(target: str, *, data: PathLike | None = None, rows: int = ROWS) -> Environment:
    """Say what a recipe, a set of rows or a mix that was built lacks, and what to do about it.

    Args:
        target: the name or the YAML file of a recipe, the folder of a mix that was built, a file of
            rows, a dataset of t2vid, or `owner/name` of a set on the Hub.
        data: folder of the annotation files and the media.
        rows: how many rows of each source are looked at; their videos are opened, too.

    Returns:
        A line for each source, or for each part of the mix; `.good` where nothing is missing.

    Raises:
        UnknownTarget: when there is no such thing; names what is near.
        InputError: for a recipe that is none.
    """
    if rows < 1:
        raise InputError(f"rows ({rows}) must be > 0")
    found = targets.find(target, ("mix", "recipe", "rows", "dataset", "hub"), by="t2vid doctor")
    if found.kind == "mix":
        return Environment(list(_of_mix(found.folder)))
    if found.kind == "recipe":
        recipe = Recipe.from_yaml(target)
    else:
        name = os.path.abspath(target) if found.kind == "rows" else target
        recipe = Recipe(target, (Source(name),))
        data = Path(name).parent if found.kind == "rows" and data is None else data
    folder = recipe.folder("." if data is None and found.kind == "hub" else data)
    if not folder.is_dir():
        raise MissingFile(f"data folder {folder} does not exist; give the one of its files: --data")
    wanted = recipe.wanted()
    return Environment([_of_source(recipe, n, wanted[n], folder, rows) for n in range(len(wanted))])


def _of_source(
    recipe: Recipe, number: int, wanted: int | None, data: AnyPath, rows: int
) -> EnvironmentRow:
    """Look at a source alone, so that one that is missing hides no other."""
    source = recipe.sources[number]
    whole = dataclasses.replace(source, count=None, share=None, weight=None)
    alone = dataclasses.replace(recipe, sources=(whole,), rows=None, over_budget="drop")
    try:
        selection = Selection(alone, data, CostEstimator(alone, data, cache=default_path()))
        n_records, counts = selection.look(0, rows)
    except T2VidError as error:
        said, page = str(error).removeprefix(f"{source.name}: "), source.entry.licence_from
        url = re.search(r"https?://[^\s,]+", page)  # the set is there where its licence is not, too
        hint = f"{said}; it is described at {url[0]}" if url else said
        return EnvironmentRow(source.name, "missing", "cannot be read", hint)
    files = pluralize(len(selection.readers[0].inputs.names), "file")
    looked_at = counts.kept + sum(counts.dropped.values())
    found = (
        f"{pluralize(n_records, 'row')} in {files}; of {looked_at:,} looked at {counts.kept:,} fit"
    )
    dropped = counts.dropped.most_common()
    hints = [f"{n:,} {reason} ({counts.examples.get(reason, ['?'])[0]})" for reason, n in dropped]
    if any(reason.startswith(_NO_MEDIA) for reason in counts.dropped):
        n_media = pluralize(len(selection.measures.versions), "file")
        hints.append(
            f"{n_media} of media are below {data}: put those that rows name there, and run t2vid "
            f"doctor {data} for the broken ones"
        )
    short = wanted is not None and counts.kept * n_records < wanted * looked_at
    if short:
        likely = counts.kept * n_records // max(1, looked_at)
        hints.append(
            f"{wanted:,} rows are wanted, about {likely:,} fit: ask for fewer, or add files"
        )
    stale = list(stale_sources(alone, data))
    hints += stale
    state: State = "missing" if not counts.kept else "note" if short or stale else "ok"
    return EnvironmentRow(source.name, state, found, "; ".join(hints))


def _of_mix(out: Path) -> Iterator[EnvironmentRow]:
    if not plan_file(out).is_file():
        yield _of_copied_mix(out)
        return
    plan = BuildPlan.load(out)
    again = f"run t2vid build {out / 'recipe.yaml'} --data {plan.data} --out {out}"
    lost = [n for n in range(plan.n_shards) if finished(out, plan, n) is None]
    hint = f"{plan.shard_name(lost[0])} is gone or changed; {again}" if lost else ""
    found = f"{plan.n_rows:,} rows in {pluralize(plan.n_shards, 'shard')}, {len(lost):,} broken"
    yield EnvironmentRow("rows", "missing" if lost else "ok", found, hint)
    if not path_of(plan.data).is_dir():
        hint = "give the folder that its videos are in now, as data= or --data-dir"
        yield EnvironmentRow("data", "missing", f"{plan.data} is gone", hint)
        return
    rows, media = changed_annotations(plan), changed_media(plan)
    told = ", ".join(filter(None, [rows, media]))
    inputs = f"{pluralize(len(plan.inputs), 'file')} of rows and {len(plan.media):,} of media"
    hint = f"{again}{' --no-resume' * bool(rows)}; until then it is the mix of before"
    state: State = "note" if told else "ok"
    yield EnvironmentRow("data", state, told or f"{inputs}, as they were", hint if told else "")
    if (out / "overlap.json").is_file():
        repeats = Overlap(**json.loads((out / "overlap.json").read_text(encoding="utf-8")))
        pairs = sum(repeats.within_source.values()) + sum(repeats.between_sources.values())
        hint = f"{out / 'overlap.json'} names them; filters: {{unique: true}} leaves exact ones out"
        found = pluralize(pairs, "pair")
        yield EnvironmentRow("repeats", "note" if pairs else "ok", found, hint if pairs else "")


def _of_copied_mix(out: Path) -> EnvironmentRow:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    lost = [one["path"] for one in manifest["shards"] if not (out / one["path"]).is_file()]
    found = f"{manifest['rows']:,} rows in {pluralize(len(manifest['shards']), 'shard')}, a copy"
    hint = f"{lost[0]} is gone; copy the folder again" if lost else ""
    return EnvironmentRow("rows", "missing" if lost else "ok", found, hint)
