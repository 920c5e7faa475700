"""The way of one row, from the record in its file to the batch that it is read in.

>>> print(trace("texts/00003", "mix"))                                      # doctest: +SKIP
texts/00003
file      texts.jsonl (sha256 5f0c…), record 3
…
batch     2 of epoch 0, place 5
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from t2vid.errors import InputError, UnknownTarget
from t2vid.mixing.groups import WINDOW, GroupPlan
from t2vid.mixing.shards import ROWS_PER_GROUP, WORK, BuildPlan, PlannedRows
from t2vid.mixing.sources import RecordLocation
from t2vid.schema import Counts
from t2vid.storage.files import AnyPath, PathLike, path_of

_COMPARED = 50_000  # ids that a misspelt one is held against; more would take minutes


@dataclass(frozen=True)
class Trace:
    """Where a row comes from, what became of it, and when it is read.

    Args:
        id: of the row.
        source: its source in the recipe.
        dataset: the corpus, or whatever the source reads.
        file: that its record is in, as the plan calls it.
        sha256: of that file when the mix was built.
        record: number of the record in it.
        begins: the first characters of the record's text, or its video.
        kept: the characters and turns of it that the row holds, `(begin, end, turn, turn_end)`.
        spec: how it is drawn or sampled, as JSON.
        n_frames: frames.
        text_tokens: tokens of everything that is not drawn.
        position: number of the row in the mix.
        shard: the file that holds it.
        row_group: of that file.
        epoch: that is asked about.
        batch: of `t2vid.stream` in this epoch, counted over all ranks.
        place: in that batch.
    """

    id: str
    source: str
    dataset: str
    file: str
    sha256: str
    record: int
    begins: str
    kept: tuple[int, int, int, int]
    spec: str
    n_frames: int
    text_tokens: int
    position: int
    shard: str
    row_group: int
    epoch: int
    batch: int
    place: int
    through: str = ""

    def table(self) -> str:
        """Give the way as lines, in its order."""
        begin, end, turn, turn_end = self.kept
        part = f"characters {begin:,} to {end:,}, " if end else ""
        lines = [
            self.id,
            f"file      {self.file} (sha256 {self.sha256[:12]}), record {self.record:,}",
            f"record    {self.begins!r}",
            *([f"through   {self.through}"] if self.through else []),
            f"source    {self.source}, read as {self.dataset}",
            f"row       {part}turns {turn} to {turn_end}, {self.n_frames} frames, "
            f"{self.text_tokens:,} text tokens",
            f"spec      {self.spec or 'as text'}",
            f"mix       row {self.position:,}: {self.shard}, row group {self.row_group}",
            f"batch     {self.batch:,} of epoch {self.epoch}, place {self.place}",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {**asdict(self), "kept": list(self.kept)}


def trace(
    row_id: str,
    mix: PathLike = ".",
    *,
    seed: int = 0,
    epoch: int = 0,
    batch_size: int = 1,
    window: int = WINDOW,
) -> Trace:
    """Say where a row of a mix comes from and in which batch it is read.

    Args:
        row_id: id of the row, as `t2vid browse` and the column `id` have it.
        mix: the folder that `t2vid build` wrote.
        seed: that the mix is streamed with (`t2vid.stream`).
        epoch: pass over the rows that is asked about, from 0.
        batch_size: rows of a batch.
        window: row groups whose rows are shuffled among each other.

    Raises:
        MissingFile: when the folder holds no mix.
        UnknownTarget: when it holds no such row; names what is near and what building dropped.
    """
    if batch_size < 1 or epoch < 0:
        raise InputError(f"batch_size ({batch_size}) must be > 0 and epoch ({epoch}) >= 0")
    out = path_of(mix)
    plan = BuildPlan.load(out)
    with (out / WORK / "rows.parquet").open("rb") as file:
        choices = pq.read_table(file, use_threads=False)
    found = pc.index(choices["id"], row_id).as_py()
    if found < 0:
        raise _unknown(row_id, mix, choices["id"].to_pylist(), plan.counts)
    choice = choices.slice(found, 1).to_pylist()[0]
    source = plan.recipe.sources[choice["source"]]
    reader = PlannedRows(plan, choices).readers[choice["source"]]
    name = reader.inputs.names[choice["file"]]
    record = RecordLocation(choice["file"], choice["row"], choice["start"])
    items = [item for _, found, _ in reader.read([record]) for item in found][choice["part"] :]
    shows = next((item.text[:60] or item.video or item.asked[:60] for item in items), "gone")
    shard, inside = divmod(found, plan.rows_per_shard)
    groups = GroupPlan(_groups(out, plan), seed=seed, window=window)
    places = groups.at(np.arange(plan.n_rows) + epoch * plan.n_rows)
    batch, place = divmod(int(np.flatnonzero(places == found)[0]), batch_size)
    return Trace(
        row_id, source.name, f"{source.dataset} {source.config}".strip(), name,
        plan.inputs.get(name, ""), choice["row"], shows,
        (choice["begin"], choice["end"], choice["turn"], choice["turn_end"]),
        choice["spec"], choice["n_frames"], choice["text_tokens"], found, plan.shard_name(shard),
        inside // ROWS_PER_GROUP, epoch, batch, place, _through(reader.record(record)),
    )  # fmt: skip


def _through(record: Any) -> str:
    """Say where a row of another mix is from itself; "" of a record of any other kind."""
    origin = record.get("origin") if isinstance(record, Mapping) else None
    if not isinstance(origin, Mapping) or "file" not in origin:
        return ""
    return f"{record.get('id')} of another mix: {origin['file']}, record {origin.get('record'):,}"


def _groups(out: AnyPath, plan: BuildPlan) -> list[int]:
    """Count the rows of each row group, without reading the shards."""
    sizes = []
    for start in range(0, plan.n_rows, plan.rows_per_shard):
        n = min(plan.rows_per_shard, plan.n_rows - start)
        sizes += [min(ROWS_PER_GROUP, n - at) for at in range(0, n, ROWS_PER_GROUP)]
    return sizes


def _unknown(row_id: str, mix: PathLike, ids: list[str], counts: Counts) -> UnknownTarget:
    dropped = [
        reason for reason, seen in counts.examples.items() if any(row_id in one for one in seen)
    ]
    near = difflib.get_close_matches(row_id, ids[:_COMPARED], n=3, cutoff=0.8)
    if dropped:
        more = f"; building dropped it: {dropped[0]}"
    elif near:
        more = f"; did you mean {' or '.join(map(repr, near))}?"
    else:
        more = f"; its ids are like {ids[0]!r}"
    return UnknownTarget(f"{mix} holds no row {row_id!r} among its {len(ids):,}{more}")
