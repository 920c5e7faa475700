"""One collated batch as a page: what `t2vid inspect` shows before anything is trained.

    from t2vid.pages.batch import inspect
    found = inspect("t2vid/mix", model="tiny", out="inspect.html")
    print(found.text())

Nothing is loaded but the processor and the model's configuration; no weights, no GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from t2vid.errors import InputError
from t2vid.pages.template import Tile, render
from t2vid.storage.files import output_file, write_atomically
from t2vid.trainer.readback import InspectedRow, Inspection, read_back, row_counts


def inspect(
    what: str | Path,
    *,
    model: str = "tiny",
    rows: int | None = None,
    start: int = 0,
    ids: Sequence[str] = (),
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> Inspection:
    """Collate one batch as a training run would, and read it back.

    Args:
        what: a training recipe, a mix, a folder, or what `load_dataset` takes.
        model: checkpoint whose processor and configuration are used, or `"tiny"`.
        rows: number of rows; the recipe's batch size by default.
        start: number of the first row.
        ids: take these rows instead.
        out: HTML file to write.
        overrides: `key=value` pairs over the recipe: `data_dir=…`, `loss_on=answer` …

    Raises:
        InputError: when no row is left to show.
    """
    from t2vid.models.families import family_of
    from t2vid.trainer.config import VideoSFTConfig
    from t2vid.trainer.preparing import build_collator
    from t2vid.trainer.rows import rows_and_reader
    from t2vid.trainer.run import find_job, load_outline, load_rows, on_cpu

    job, settings = find_job(what, overrides)
    job = replace(job, model_name_or_path=model)
    dataset, reader = rows_and_reader(load_rows(job, job.dataset_train_split))
    args = VideoSFTConfig(**on_cpu(settings))
    outline, processor = load_outline(job, dataset)
    collate = build_collator(processor, args, family_of(outline), reader=reader)
    n = rows or max(2, args.per_device_train_batch_size) if not ids else len(ids)
    wanted = set(ids)
    chosen = (row for row in dataset if not wanted or row.get("id") in wanted)
    batch_rows = list(islice(chosen, start, start + n))
    if not batch_rows:
        raise InputError(
            f"{what} has no row {sorted(wanted) or start}; lower start, or name others"
        )
    found = read_back(collate(batch_rows), collate, title=f"{what} → {model}")
    if out is not None:
        write_atomically(output_file(out), page(found))
    return found


def page(found: Inspection) -> str:
    """Give a batch as one self-contained page."""
    tokens = sum(row.n_tokens for row in found.rows)
    counted = sum(row.n_targets for row in found.rows)
    tiles = [
        Tile(f"{len(found.rows)}", "rows"),
        Tile(f"{sum(row.n_frames for row in found.rows):,}", "frames"),
        Tile(f"{tokens:,}", "tokens", "text and frames together, without padding"),
        Tile(f"{counted:,}", "of them in the loss", "what the model learns to say"),
        Tile(f"{found.padding_share:.1%}", "padding", "places that hold nothing; packing has none"),
    ]
    rows = [(row, f"{row.source}: {row_counts(row)}", _frames(row)) for row in found.rows]
    return render(
        "batch.html",
        title=f"One batch: {found.title}",
        intro="As it reaches the model. Pictures are its pixel values with normalisation undone; "
        "the text is its token ids turned back into words.",
        tiles=tiles,
        rows=rows,
        tensors=[[*what, 1000 * megabytes] for *what, megabytes in found.tensors],
        note=found.note,
    )


def _frames(row: InspectedRow) -> list[tuple[object, str, str]]:
    return [
        (picture, f"frame {n} of {row.id}", f"frame {n}")
        for n, picture in enumerate(row.pictures, 1)
    ]
