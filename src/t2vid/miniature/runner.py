"""Run arms: one process a training, each result a small file, so that a kill costs one run.

    world = write_world(Path("build/world"))
    jobs = [Job("hybrid", seed) for seed in range(5)]
    run_all(jobs, dict.fromkeys(jobs, world), out=Path("build/arms"), workers=2)

>>> Job("hybrid", 3, rows=900).name
'hybrid-900-3'
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, MissingFile
from t2vid.evaluation.config import EvalConfig
from t2vid.miniature.arms import ALL_ARMS
from t2vid.miniature.results import ArmResult
from t2vid.miniature.world import MAX_SCENES
from t2vid.progress import progress, silenced
from t2vid.storage.pool import in_pool

BATCH_ROWS = 16
LEARNING_RATE = 1e-3
POINTS = 60  # of a curve
# The answer is an option's words, which the product's rules read; the base was asked so too.
PROTOCOL = EvalConfig(frames=MAX_SCENES, fps=1.0, prompt="{question}\n{options}", max_new_tokens=4)


@dataclass(frozen=True)
class Job:
    """One arm, trained once.

    Attributes:
        arm: its name.
        seed: of the rows chosen, their order and the training.
        rows: rows that stand for the paper's 30,000.
        test_clips: unseen clips asked about; None asks about all.
        frames: frames of a clip at most, in the test; jobs that differ in it alone share a training.
        base: folder of another base than the package's.
        learning_rate: at its highest.
        device: `cpu`, or `cuda` on a machine with a card.
    """

    arm: str
    seed: int = 0
    rows: int = 6_000
    test_clips: int | None = None
    frames: int = MAX_SCENES
    base: str = ""
    learning_rate: float = LEARNING_RATE
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse an arm that nobody knows."""
        if self.arm not in ALL_ARMS:
            raise InputError(f"arm ({self.arm!r}) must be one of {', '.join(ALL_ARMS)}")
        if self.frames < 1:
            raise InputError(f"frames ({self.frames}) must be > 0")

    @property
    def name(self) -> str:
        """Name of its file."""
        before = f"{self.base_label}-" if self.base else ""
        after = f"-{self.frames}f" if self.frames != MAX_SCENES else ""
        return f"{before}{self.arm}-{self.rows}-{self.seed}{after}"

    @property
    def base_label(self) -> str:
        """Name of the base's folder; empty for the package's."""
        folder = Path(self.base)
        return (folder.parent if folder.name == "model" else folder).name

    @property
    def protocol(self) -> EvalConfig:
        """How it is asked; more frames than a clip has scenes show each scene several times."""
        fps = float(-(-self.frames // MAX_SCENES))
        return dataclasses.replace(PROTOCOL, frames=self.frames, fps=fps)


def run_all(
    jobs: Sequence[Job], worlds: Mapping[Job, Path], *, out: Path, workers: int = 1
) -> list[ArmResult]:
    """Run what has no result yet, and give all results in the order of the jobs.

    Args:
        jobs: arms and seeds.
        worlds: folder of `write_world` of each job.
        out: folder of the results.
        workers: processes, one thread each.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = [out / f"{job.name}.json" for job in jobs]
    trainings: dict[tuple[Job, str], list[Job]] = {}
    for job, file in zip(jobs, files, strict=True):
        if not file.is_file():
            training = dataclasses.replace(job, frames=MAX_SCENES), str(worlds[job])
            trainings.setdefault(training, []).append(job)
    tasks = [(tests, world, str(out)) for (_, world), tests in trainings.items()]
    done = in_pool(run_jobs, tasks, workers)
    for _ in progress(done, desc="arms", total=len(tasks), unit="arm"):
        pass
    return [ArmResult.read(file) for file in files]


def run_jobs(jobs: Sequence[Job], world: str, out: str) -> None:
    """Train once and write the result of every test.

    Args:
        jobs: of one training.
        world: folder of `write_world`.
        out: folder of the results; what is made on the way is kept below `work`.
    """
    import torch
    import transformers

    from t2vid.models import load_mini

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    job = jobs[0]
    model, processor = load_mini(job.base or None)
    model.to(job.device)
    start = time.process_time()
    curves: dict[str, list[tuple[int, float]]] = {}
    rows, steps = 0, 0
    arm = ALL_ARMS[job.arm]
    if arm.recipe:
        work = _work(out, job)
        mix = load_mix(job, Path(world), work)
        rows = len(mix)
        for part in _stages(mix) if arm.text_first else [mix]:
            more, found = train(model, processor, part, work, job)
            for name, points in found.items():
                curves.setdefault(name, []).extend((steps + at, loss) for at, loss in points)
            steps += more
    train_s = time.process_time() - start
    for job in jobs:
        start = time.process_time()
        judged = _examine(model, processor, job, Path(world), _work(out, job))
        test_s = time.process_time() - start
        judged.sort(key=lambda line: str(line["id"]))
        ArmResult(
            job.arm,
            job.seed,
            rows,
            steps,
            round(train_s, 1),
            round(test_s, 1),
            [line["id"].rpartition("/")[2] for line in judged],
            [bool(line["correct"]) for line in judged],
            [line["prediction"] for line in judged],
            curves,
            job.frames,
            job.base_label,
        ).write(Path(out, f"{job.name}.json"))


def _work(out: str, job: Job) -> Path:
    work = Path(out, "work", job.name)
    work.mkdir(parents=True, exist_ok=True)
    return work


def _stages(mix: Any) -> list[Any]:
    """Part the texts of a mix from its clips; texts come first."""
    is_text = [source in ("longalpaca", "triplets") for source in mix["source"]]
    return [
        mix.select([i for i, text in enumerate(is_text) if text is first])
        for first in (True, False)
    ]


def train(
    model: Any, processor: Any, rows: Any, work: Path, job: Job
) -> tuple[int, dict[str, list[tuple[int, float]]]]:
    """Train once over the rows; give the steps and the loss by source.

    Args:
        model: changed in place.
        processor: its processor.
        rows: a mix.
        work: folder of the trainer.
        job: seed and learning rate.
    """
    from transformers import PrinterCallback, ProgressCallback

    from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer

    config = VideoSFTConfig(
        output_dir=str(work / "checkpoint"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH_ROWS,
        learning_rate=job.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=20,
        adam_beta2=0.98,
        logging_steps=max(1, len(rows) // BATCH_ROWS // POINTS),
        save_strategy="no",
        report_to="none",
        seed=job.seed,
        use_cpu=job.device == "cpu",
        bf16=False,
        gradient_checkpointing=False,  # the whole model fits into the processor's cache
        dataloader_pin_memory=False,
        disable_tqdm=True,
    )
    trainer = VideoSFTTrainer(model, args=config, train_dataset=rows, processing_class=processor)
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    with quiet():
        trainer.train()
    logs = [log for log in trainer.state.log_history if "loss" in log]
    curves = {"all": [(log["step"], round(float(log["loss"]), 4)) for log in logs]}
    for name in sorted({name for log in logs for name in log if name.startswith("loss/")}):
        points = [(log["step"], round(float(log[name]), 4)) for log in logs if name in log]
        curves[name.removeprefix("loss/")] = points
    return trainer.state.global_step, curves


def load_mix(job: Job, world: Path, work: Path) -> Any:
    """Load the rows of a job by the product's `t2vid/mix` builder.

    Args:
        job: arm, rows and seed.
        world: folder of `write_world`.
        work: folder of the cache.
    """
    from datasets import load_dataset

    recipe = ALL_ARMS[job.arm].recipe_for(rows=job.rows, seed=job.seed)
    with quiet():
        return load_dataset(
            "t2vid/mix",
            recipe=recipe,
            data_dir=str(world),
            split="train",
            cache_dir=str(work / "cache"),
        )


def _examine(model: Any, processor: Any, job: Job, world: Path, work: Path) -> list[dict[str, Any]]:
    from t2vid.evaluation.run import evaluate

    questions = benchmark_questions(world, work, job.test_clips)
    with quiet():
        run = evaluate(
            model,
            questions,
            job.protocol,
            processor=processor,
            out=work / "answers",
            batch_size=64,
            name=job.name,
        )
    path = run.folder / "judged.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def benchmark_questions(world: Path, work: Path, clips: int | None = None) -> Any:
    """Load the questions about unseen clips by the product's Video-MME builder.

    Args:
        world: folder of `write_world`.
        work: folder of the cache.
        clips: only the first so many clips.

    Raises:
        MissingFile: when the folder holds no world.
    """
    from datasets import load_dataset

    if not (world / "test").is_dir():
        raise MissingFile(f"{world} holds no miniature world; write_world makes one")
    with quiet():
        rows = load_dataset(
            "t2vid/video_mme",
            data_dir=str(world / "test"),
            split="test",
            cache_dir=str(work / "cache"),
        )
    if clips is None:
        return rows
    first = sorted(set(rows["video"]))[:clips]
    wanted = set(first)
    return rows.select([i for i, video in enumerate(rows["video"]) if video in wanted])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep bars, and what a run says of its rows, out of a worker's output."""
    from datasets.utils import logging as bars

    on, said = bars.is_progress_bar_enabled(), logging.getLogger("t2vid.trainer")
    level = said.level
    bars.disable_progress_bar()
    said.setLevel(logging.ERROR)
    try:
        with silenced():
            yield
    finally:
        said.setLevel(level)
        if on:
            bars.enable_progress_bar()


def cores() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
