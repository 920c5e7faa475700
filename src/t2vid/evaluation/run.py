"""Put a benchmark to a model: resumable, decoded once a video, in batches of like length, scored.

>>> _windows([[(0, 0), (1, 0)], [(2, 0)], [(3, 0)]], 2).__next__()
[[(0, 0), (1, 0)]]
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from t2vid._version import __version__
from t2vid.errors import BadVideo, InputError, MissingFile, T2VidError
from t2vid.evaluation import asking
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import (
    Answer,
    Backend,
    TransformersBackend,
    backend_of,
    check,
    prepared_or_error,
)
from t2vid.evaluation.benchmarks.questions import features
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import probe, sample_video
from t2vid.progress import visible

WINDOW = 2  # batches prepared together, so that questions of like length share one

Key = tuple[str, int]
Group = list[tuple[int, int]]  # (row, rotation) of every question about one video


def evaluate(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: str | Path,
    processor: Any = None,
    batch_size: int = 8,
    workers: int = 1,
    limit: int | None = None,
    retry_errors: bool = False,
    judge: Any = None,
    name: str = "",
    load: Mapping[str, Any] | None = None,
    data_dir: str | Path | None = None,
) -> Run:
    """Put a benchmark to a model and score the answers; run again, it does only what is missing.

    A kill costs at most one batch. Under `torchrun` (RANK, WORLD_SIZE) every process takes its
    share of the videos and writes a file of its own; run it once more alone to score them all.

    Args:
        model: a model with its `processor`, a folder or Hub name, `openai:MODEL@URL`, a function of
            an `Ask`, or a back end of `t2vid.evaluation.backends`.
        benchmark: a dataset of a benchmark builder, the name of one, such as `"t2vid/mvbench"`, or
            a list of such rows.
        protocol: a `EvalConfig`, the name of one, or the path of its YAML file.
        out: folder of the run.
        processor: of a model in this process.
        batch_size: questions answered at a time.
        workers: threads that decode and encode ahead of the model.
        limit: ask only about the first videos, so many questions at most.
        retry_errors: ask again where a video or a request failed before.
        judge: decides what the rules leave open, in place of the protocol's: what
            `t2vid.scoring.judge.judge_from` takes, such as a function of `(question, options,
            answer)` that gives a letter or None.
        name: what tables call the run; by default the model's name.
        load: for a benchmark by name, arguments of `load_dataset`, such as
            `{"data_dir": "MVBench"}`.
        data_dir: folder of the benchmark's files.

    Raises:
        InputError: when `out` holds the answers of another protocol, model or benchmark.
        BackendError: when a served model stays silent; the answers so far are kept.
    """
    if batch_size < 1 or workers < 1:
        raise InputError(f"batch_size ({batch_size}) and workers ({workers}) must be > 0")
    protocol = EvalConfig.named(protocol)
    given = {} if data_dir is None else {"data_dir": str(data_dir)}
    rows, title = open_benchmark(benchmark, {**given, **(load or {})})
    backend = backend_of(model, processor)
    check(backend, protocol)
    run = Run.open(out, _header(backend, title, protocol, name, len(rows)))
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    groups = _missing(rows, run, protocol, limit=limit, retry_errors=retry_errors)[rank::world]
    with run.writer(rank) as write, ThreadPoolExecutor(workers) as pool:
        bar = tqdm(total=sum(map(len, groups)), desc=title, unit="question", disable=not visible())
        for batch in _prepared_batches(groups, rows, protocol, backend, pool, batch_size):
            write(_answered(batch, backend, protocol))
            bar.update(len(batch))
        bar.close()
    if world == 1:
        score(run, protocol=protocol, judge=judge)
    return run


def open_benchmark(benchmark: Any, load: Mapping[str, Any]) -> tuple[Any, str]:
    """Give the rows of a benchmark with frames left as they are stored, and its name.

    Args:
        benchmark: as for `evaluate`.
        load: arguments of `load_dataset`, for a benchmark by name.
    """
    if isinstance(benchmark, str):
        from datasets import load_dataset

        try:
            benchmark = load_dataset(benchmark, **{"split": "test", **load})
        except T2VidError:
            raise
        except ValueError as error:  # what an unknown split or config raises
            raise InputError(f"{benchmark!r} cannot be asked as a benchmark: {error}") from error
    elif isinstance(benchmark, list):
        from datasets import Dataset

        benchmark = Dataset.from_list(benchmark, features=features(Frames()))
    benchmark = benchmark.cast_column("images", Frames(decode=False))
    sources = sorted({*benchmark["source"]}) if len(benchmark) else []
    return benchmark, "+".join(sources) or "benchmark"


def _header(
    backend: Backend, title: str, protocol: EvalConfig, name: str, n: int
) -> dict[str, Any]:
    return {
        "name": name or backend.name,
        "model": backend.name,
        "model_identity": backend.identity,
        "benchmark": title,
        "questions": n,
        "protocol": protocol.to_dict(),
        "asking_hash": protocol.asking_hash,
        "t2vid": __version__,
    }


def _missing(
    rows: Any, run: Run, protocol: EvalConfig, *, limit: int | None, retry_errors: bool
) -> list[Group]:
    """Plan what is left to ask, the questions of each video side by side."""
    lines = run.answers()
    done = {
        (line["id"], line["rotation"]): line["fingerprint"]
        for line in lines
        if not (retry_errors and line.get("error"))
    }
    groups: dict[str, Group] = {}
    planned = rows.select(range(min(limit, len(rows)))) if limit is not None else rows
    seen: set[str] = set()
    for place, row in enumerate(planned):
        if row["id"] in seen:
            raise InputError(f"the benchmark holds {row['id']!r} twice; ids must be unique")
        seen.add(row["id"])
        stored = row["images"] or {}
        group = groups.setdefault(f"{stored.get('path')} {stored.get('spec')}", [])
        for shift in asking.rotations(row, protocol):
            before = done.get((row["id"], shift))
            if before is None:
                group.append((place, shift))
            elif before != asking.fingerprint(row, stored):
                raise InputError(
                    f"{row['id']!r} was answered in {run.folder} and is another question now; "
                    "give another out="
                )
    return [group for group in groups.values() if group]


def _prepared_batches(
    groups: Sequence[Group],
    rows: Any,
    protocol: EvalConfig,
    backend: Backend,
    pool: ThreadPoolExecutor,
    batch_size: int,
) -> Iterator[list[tuple[Ask, Any]]]:
    """Prepare windows of videos ahead of the model and cut them into batches of like length."""
    windows = _windows(groups, WINDOW * batch_size)
    ahead: deque[list[Future[list[tuple[Ask, Any]]]]] = deque()

    def submit() -> None:
        window = next(windows, None)
        if window is not None:
            ahead.append([pool.submit(_prepare, g, rows, protocol, backend) for g in window])

    submit()
    pairs: list[tuple[Ask, Any]] = []
    while ahead:
        submit()  # the next window is decoded while this one is answered
        pairs += [pair for future in ahead.popleft() for pair in future.result()]
        pairs.sort(key=lambda pair: _length(pair[1], backend))
        while len(pairs) >= batch_size or (pairs and not ahead):
            yield pairs[:batch_size]
            del pairs[:batch_size]


def _windows(groups: Iterable[Group], size: int) -> Iterator[list[Group]]:
    window: list[Group] = []
    for group in groups:
        window.append(group)
        if sum(map(len, window)) >= size:
            yield window
            window = []
    if window:
        yield window


def _prepare(
    group: Group, rows: Any, protocol: EvalConfig, backend: Backend
) -> list[tuple[Ask, Any]]:
    """Decode one video, once, and prepare every question about it."""
    first = rows[group[0][0]]
    error = None
    frames = FrameList()
    try:
        frames = frames_of(first["images"], protocol, backend)
    except (BadVideo, MissingFile) as bad:
        error = f"{type(bad).__name__}: {bad}"
    out = []
    for place, shift in group:
        row = rows[place]
        question = asking.ask(row, shift, frames, protocol)
        question.line["place"] = place
        question.line["fingerprint"] = asking.fingerprint(row, row["images"])
        made = Answer("", error) if error else prepared_or_error(backend, question)
        out.append((question, made))
    return out


def frames_of(
    stored: Mapping[str, Any] | None, protocol: EvalConfig, backend: Backend
) -> FrameList:
    """Decode what a question is about, as its protocol samples it; nothing where none is shown.

    Args:
        stored: what the `images` column stores.
        protocol: how to ask.
        backend: what will answer; frames are resized to what it sees.

    Raises:
        BadVideo: for a video that cannot be decoded.
        MissingFile: for one that is not there.
    """
    stored = stored or {}
    source = stored.get("bytes") or stored.get("path")
    if protocol.strategy == "text" or (source is None and stored.get("text") is None):
        return FrameList()
    if source is None:
        reader = Frames(max_frames=protocol.sample.max_frames)
        return reader.decode_example(dict(stored))
    spec = asking.spec_of(stored, protocol)
    if protocol.strategy == "blank":
        return asking.blank_like(probe(source, spec).n_frames)
    return _resized(sample_video(source, spec), protocol, backend)


def _resized(frames: FrameList, protocol: EvalConfig, backend: Backend) -> FrameList:
    """Resize once what several questions share; `RowEncoder` leaves frames of its size alone."""
    if isinstance(backend, TransformersBackend) and protocol.strategy == "frames":
        frames[:] = [backend.fit(frame) for frame in frames]
    return frames


def _length(prepared: Any, backend: Backend) -> int:
    return 0 if isinstance(prepared, Answer) else backend.length(prepared)


def _answered(
    batch: Sequence[tuple[Ask, Any]], backend: Backend, protocol: EvalConfig
) -> list[dict[str, Any]]:
    asked = [made for _, made in batch if not isinstance(made, Answer)]
    answers = iter(backend.answer(asked, protocol) if asked else ())
    lines = []
    for question, made in batch:
        text, error = made if isinstance(made, Answer) else next(answers)
        said = question.prefill + text.removeprefix(question.prefill) if text else text
        line = {"id": question.key[0], **question.line, "prediction": said}
        lines.append({**line, "error": error} if error else line)
    return lines
