"""`t2vid train --check`: what a run would take, said before a GPU is touched.

    from t2vid.trainer.check import check
    print(check("idefics3-hybrid-30k", ["data_dir=corpora"], gpus=8, gpu_gb=80).table())

Only the model's configuration and the rows' metadata are read: no weights, no frames.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from t2vid.models.parts import PARTS
from t2vid.trainer.adapters import adapter_size
from t2vid.trainer.hours import Hours, Row, are_videos, hours_of
from t2vid.trainer.memory import (
    GB,
    Memory,
    Shape,
    Strategy,
    alternatives,
    estimate,
    shape_of,
)
from t2vid.trainer.mfu import work_of

AS_ASKED = "as asked"


@dataclass(frozen=True)
class Load:
    """What the rows ask of a run.

    Attributes:
        rows: every row; empty for a stream, which cannot be counted.
        tokens: token places of the largest batch of one process.
        frames: frames of the largest batch of one process.
        batches: batches of one process in an epoch; 0 where unknown.
        padding_share: share of places that hold padding; 0 where unknown.
        too_long: rows over `max_length`.
    """

    rows: list[Row]
    tokens: int
    frames: int
    batches: int
    padding_share: float
    too_long: list[Row]


@dataclass(frozen=True)
class Preflight:
    """What `check` found.

    Attributes:
        title: model and data.
        shape: of the model.
        load: of the rows.
        steps: optimizer steps; 0 where unknown.
        epochs: passes over the rows; 0 where unknown.
        rows_per_step: rows in one optimizer step, where batches hold a fixed number.
        memory: estimates by what would be added to the command; `"as asked"` first.
        gpus: number of processes.
        gpu_gb: memory of one GPU, in GB.
        hours: what the run would cost; None where its rows are unknown.
    """

    title: str
    shape: Shape
    load: Load
    steps: int
    epochs: float
    rows_per_step: int
    memory: dict[str, Memory]
    gpus: int
    gpu_gb: float
    hours: Hours | None = None

    @property
    def fits(self) -> bool:
        """Whether the run as asked stays within a GPU."""
        return self.memory[AS_ASKED].total <= self.gpu_gb * GB and not self.load.too_long

    @property
    def next_move(self) -> str:
        """Say what to change; empty when nothing needs to be."""
        if self.load.too_long:
            row = max(self.load.too_long, key=lambda row: row.tokens)
            return (
                f"{len(self.load.too_long):,} rows are over max_length, {row.id!r} with "
                f"{row.tokens:,} tokens; raise max_length, or lower max_frames"
            )
        asked = self.memory[AS_ASKED]
        if self.fits:
            return ""
        said = f"{asked.total / GB:.1f} GB do not fit into {self.gpu_gb:g} GB"
        for name, memory in self.memory.items():
            if memory.total <= self.gpu_gb * GB:
                return f"{said}; add {name} ({memory.total / GB:.1f} GB)"
        return f"{said}, nor does anything above; lower the batch, or max_frames"

    def to_dict(self) -> dict[str, Any]:
        """Give the figures of the table; memory in GB."""
        rows, memory = self.load.rows, self.memory
        return {
            "title": self.title,
            "fits": self.fits,
            "next": self.next_move,
            "rows": len(rows),
            "tokens": sum(row.tokens for row in rows),
            "frames": sum(row.frames for row in rows),
            "too_long": [row.id for row in self.load.too_long],
            "steps": self.steps,
            "epochs": self.epochs,
            "gpus": self.gpus,
            "gpu_gb": self.gpu_gb,
            "memory_gb": {name: round(one.total / GB, 2) for name, one in memory.items()},
            "gpu_hours": round(self.hours.run, 4) if self.hours else None,
        }

    def table(self) -> str:
        """Give all of it as text."""
        rows, load, shape = self.load.rows, self.load, self.shape
        n = shape.parameters
        size = f"{n / 1e9:,.2f} B" if n >= 1e8 else f"{n / 1e6:,.1f} M"
        lines = [
            self.title,
            f"  model         {size} parameters, {shape.trainable / 1e6:,.1f} M trained",
        ]
        if rows:
            longest = max(rows, key=lambda row: row.tokens)
            steps = f"{self.steps:,} steps, {self.epochs:g} epoch{'s' * (self.epochs != 1)}"
            per = f" of {self.rows_per_step:,} rows" if self.rows_per_step else ""
            lines += [
                f"  rows          {len(rows):,}, {sum(r.tokens for r in rows):,} tokens, "
                f"{sum(r.frames for r in rows):,} frames",
                *_by_source(rows),
                f"  longest row   {longest.id!r} of {longest.source!r}: {longest.tokens:,} tokens, "
                f"{longest.frames} frames",
                f"  run           {steps}{per}, {load.padding_share:.1%} padding",
            ]
        else:
            lines.append("  rows          a stream: rows, steps and padding cannot be counted")
        lines += self.hours.lines() if self.hours else []
        lines += [
            f"  largest batch {load.tokens:,} token places, {load.frames} frames, on each GPU",
            "",
            f"  GB on each of {self.gpus} GPUs       weights  gradients  optimizer  activations"
            "  buffers    total   host",
        ]
        for name, memory in self.memory.items():
            mark = "fits" if memory.total <= self.gpu_gb * GB else f"over {self.gpu_gb:g}"
            cells = (memory.weights, memory.gradients, memory.optimizer, memory.activations)
            lines.append(
                f"  {name:<26}"
                + "".join(
                    f"{size / GB:>{w}.1f}" for size, w in zip(cells, (9, 11, 11, 13), strict=True)
                )
                + f"{memory.buffers / GB:>9.1f}{memory.total / GB:>9.1f}{memory.host / GB:>7.0f}  {mark}"
            )
        lines.append(
            "  An estimate from the configuration; ten per cent either way is to be expected."
        )
        return "\n".join([*lines, *([f"  next: {self.next_move}"] if self.next_move else [])])


def check(
    config: str | Path,
    overrides: Sequence[str] = (),
    *,
    gpus: int = 1,
    gpu_gb: float = 80,
    tokens_per_s: float | None = None,
) -> Preflight:
    """Estimate a run's memory, steps and GPU hours from configuration and metadata.

    Args:
        config: path of a YAML file, or the name of one of the project's recipes.
        overrides: `key=value` pairs that replace keys of the file.
        gpus: number of processes the run would have.
        gpu_gb: memory of one GPU, in GB (1e9 bytes).
        tokens_per_s: tokens that one GPU takes in a second, as a run's log says, for the GPU hours;
            without it a share of the peak is assumed (an A800's, or that of gpu_tflops=).
    """
    from t2vid.models.families import family_of, frame_px
    from t2vid.trainer.config import VideoSFTConfig
    from t2vid.trainer.preparing import build_collator
    from t2vid.trainer.rows import rows_and_reader
    from t2vid.trainer.run import find_job, load_outline, load_rows, lora, on_cpu

    job, settings = find_job(config, overrides)
    dataset, reader = rows_and_reader(load_rows(job, job.dataset_train_split))
    args = VideoSFTConfig(**on_cpu(settings))
    model, processor = load_outline(job, dataset)
    collate = build_collator(processor, args, family_of(model), reader=reader)
    adapter = lora(job, model)

    def shape(adapter: Any) -> Shape:
        edge = frame_px(processor)[0]
        return shape_of(model, lora=adapter, frozen=args.frozen, frame_px=edge)

    load = load_of(dataset, collate.encode, args, world=gpus)
    asked = strategy_of(settings, args, world=gpus, lora=adapter is not None, job=job)
    whole = {AS_ASKED: (shape(adapter), asked)}
    other = lora(_with_adapter(job), model)
    for name, strategy in alternatives(asked, world=gpus).items():
        if strategy != asked and not (adapter is not None and not strategy.lora):
            whole[name] = (shape(other if strategy.lora else None), strategy)
    memory = {
        name: estimate(s, strategy, tokens=load.tokens, frames=load.frames)
        for name, (s, strategy) in whole.items()
    }
    accumulation = args.gradient_accumulation_steps
    an_epoch = ceil(load.batches / accumulation)
    steps = args.max_steps if args.max_steps > 0 else ceil(an_epoch * args.num_train_epochs)
    epochs = round(steps / an_epoch, 2) if an_epoch else 0
    whole_parts, adapted = set(PARTS) - set(args.frozen), set()
    if adapter is not None:
        whole_parts, adapted = set(), adapter_size(model, adapter)[1] - set(args.frozen)
    edge = frame_px(processor)[0]
    work = work_of(model, whole=whole_parts, adapted=adapted, frame_px=edge)
    rows_per_step = 0
    if not args.max_tokens_per_batch:
        rows_per_step = args.per_device_train_batch_size * accumulation * gpus
    return Preflight(
        title=f"{config}: {job.model_name_or_path} on {job.dataset_config or job.dataset_name}",
        shape=whole[AS_ASKED][0],
        load=load,
        steps=steps if an_epoch or args.max_steps > 0 else 0,
        epochs=epochs,
        rows_per_step=rows_per_step,
        memory=memory,
        gpus=gpus,
        gpu_gb=gpu_gb,
        hours=hours_of(load.rows, work, epochs, tokens_per_s=tokens_per_s, tflops=args.gpu_tflops),
    )


def load_of(dataset: Any, encode: Any, args: Any, *, world: int) -> Load:
    """Count rows, and the largest batch that a process would see.

    Args:
        dataset: rows as stored, or a stream.
        encode: the `RowEncoder` of the run.
        args: the `VideoSFTConfig` of the run.
        world: number of processes.
    """
    from t2vid.trainer.batching import cost, padding_share, plan_batches, row_ids, row_lengths

    size = args.per_device_train_batch_size
    if not hasattr(dataset, "__len__"):
        longest = args.max_length or max(dataset_tokens(row, encode) for row in dataset.take(64))
        tokens = args.max_tokens_per_batch or size * longest
        return Load([], tokens, size * (args.max_frames or 24), 0, 0.0, [])
    lengths = row_lengths(dataset, encode)
    columns = dataset.select_columns(["id", "source", "n_frames"])
    rows = [
        Row(str(row["id"]), str(row["source"]), n, _shown(row, encode), video)
        for row, n, video in zip(columns, lengths, are_videos(dataset), strict=True)
    ]
    too_long = [row for row in rows if args.max_length and row.tokens > args.max_length]
    if args.max_tokens_per_batch:
        plan = plan_batches(
            lengths,
            max_tokens=args.max_tokens_per_batch,
            seed=0,
            world=world,
            pack=args.pack,
            ids=row_ids(dataset),
        )
    else:
        order = np.random.default_rng(0).permutation(len(rows)).tolist()
        plan = [order[i : i + size] for i in range(0, len(order), size)]
    share = padding_share(plan, lengths, pack=args.pack)
    if args.max_tokens_per_batch:
        tokens = max(cost(batch, lengths, pack=args.pack) for batch in plan)
        frames = max(sum(rows[i].frames for i in batch) for batch in plan)
    else:  # which rows meet is chance, so the worst meeting counts
        tokens = min(size, len(rows)) * max(lengths)
        frames = sum(sorted((row.frames for row in rows), reverse=True)[:size])
    return Load(rows, tokens, frames, ceil(len(plan) / world), share, too_long)


def dataset_tokens(row: Any, encode: Any) -> int:
    """Count the tokens of a row of a stream, which may not say how many frames it has."""
    return int(encode.n_tokens(row, n_frames=row.get("n_frames") or 0))


def strategy_of(settings: Any, args: Any, *, world: int, lora: bool, job: Any) -> Strategy:
    """Read from settings how a run is spread.

    Args:
        settings: fields of `VideoSFTConfig` as given.
        args: the `VideoSFTConfig` of them.
        world: number of processes.
        lora: an adapter is trained.
        job: the `TrainJob`.
    """
    bf16 = bool(settings.get("bf16", True))
    optim = str(getattr(args.optim, "value", args.optim))
    common: dict[str, Any] = {
        "world": world,
        "lora": lora,
        "four_bits": job.load_in_4bit,
        "checkpointing": bool(args.activation_checkpointing or args.gradient_checkpointing),
        "optimizer_bytes": 2.0 if "8bit" in optim else 8.0,
    }
    if settings.get("deepspeed"):
        value = settings["deepspeed"]
        ds = value if isinstance(value, dict) else json.loads(Path(value).read_text())
        zero = ds.get("zero_optimization", {})
        stage = {2: "zero2", 3: "zero3"}.get(zero.get("stage"), "ddp")
        offload = "offload_optimizer" in zero
        return Strategy(stage, offload=offload, mixed=bf16, **common)  # type: ignore[arg-type]
    if settings.get("fsdp"):
        return Strategy("fsdp", mixed=bf16, **common)
    return Strategy("ddp" if world > 1 else "none", **common)


def _with_adapter(job: Any) -> Any:
    from dataclasses import replace

    return replace(job, use_peft=True)


def _shown(row: Any, encode: Any) -> int:
    budget = encode.budget(str(row["source"] or ""))
    n = row["n_frames"] or 0
    return int(n if budget is None else min(n, budget))


def _by_source(rows: Sequence[Row]) -> list[str]:
    lines = []
    for source in sorted({row.source for row in rows}):
        tokens = [row.tokens for row in rows if row.source == source]
        frames = [row.frames for row in rows if row.source == source]
        lines.append(
            f"    {source:<20}{len(tokens):>9,} rows, median {np.median(tokens):>7,.0f} tokens, "
            f"{np.mean(frames):>5.1f} frames"
        )
    return lines
