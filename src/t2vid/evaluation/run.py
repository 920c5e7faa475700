"""Ask a model: `answer` for rows in memory, `evaluate` for a benchmark, resumable and scored.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, processor = tiny_idefics3(["Why? So."])
>>> rows = [{"messages": [{"role": "user", "content": "Why?"}], "images": []}]
>>> len(answer(model, processor, rows, max_new_tokens=4))
1
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from t2vid._version import __version__
from t2vid.errors import BadVideo, InputError, MissingFile, T2VidError, require
from t2vid.evaluation import asking
from t2vid.evaluation.asking import Ask
from t2vid.evaluation.backends import (
    Answer,
    Backend,
    Local,
    backend_of,
    check,
    prepared_or_error,
)
from t2vid.evaluation.benchmarks.questions import features
from t2vid.evaluation.protocol import Protocol
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.frames.video import probe, sample_video
from t2vid.models.families import family_of, one_patch
from t2vid.models.rows import EncodedRow, RowEncoder, joined_pixels, normalise, token_types
from t2vid.progress import progress, visible

WINDOW = 2  # batches prepared together, so that questions of like length share one

Key = tuple[str, int]
Group = list[tuple[int, int]]  # (row, rotation) of every question about one video


def evaluate(
    model: Any,
    benchmark: Any,
    protocol: Protocol | str | Path = "t2vid",
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
) -> Run:
    """Put a benchmark to a model and score the answers; run again, it does only what is missing.

    A kill costs at most one batch. Under `torchrun` (RANK, WORLD_SIZE) every process takes its
    share of the videos and writes a file of its own; run it once more alone to score them all.

    Args:
        model: a model with its `processor`, a folder or Hub name, `openai:MODEL@URL`, a function of
            an `Ask`, or a back end of `t2vid.evaluation.backends`.
        benchmark: a dataset of a benchmark builder, the name of one, such as `"t2vid/mvbench"`, or
            a list of such rows.
        protocol: a `Protocol`, the name of one, or the path of its YAML file.
        out: folder of the run.
        processor: of a model in this process.
        batch_size: questions answered at a time.
        workers: threads that decode and encode ahead of the model.
        limit: ask only about the first videos, so many questions at most.
        retry_errors: ask again where a video or a request failed before.
        judge: decides what the rules leave open, in place of the protocol's: what
            `t2vid.judging.llm.judge_from` takes, such as a function of `(question, options,
            answer)` that gives a letter or None.
        name: what tables call the run; by default the model's name.
        load: for a benchmark by name, arguments of `load_dataset`, such as
            `{"data_dir": "MVBench"}`.

    Raises:
        InputError: when `out` holds the answers of another protocol, model or benchmark.
        BackendError: when a served model stays silent; the answers so far are kept.
    """
    if batch_size < 1 or workers < 1:
        raise InputError(f"batch_size ({batch_size}) and workers ({workers}) must be > 0")
    protocol = Protocol.named(protocol)
    rows, title = _benchmark(benchmark, load or {})
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


def answer(
    model: Any,
    processor: Any,
    rows: Sequence[Mapping[str, Any]],
    *,
    max_new_tokens: int = 64,
    batch_size: int = 8,
    max_frames: int | Mapping[str, int] | None = None,
    desc: str = "answers",
) -> list[str]:
    """Answer each row greedily, in place of its last assistant turn where it has one.

    Args:
        model: a vision-language model of a known family; put into evaluation mode.
        processor: its processor; set to one patch a frame.
        rows: rows with `messages` and `images`, as training takes them.
        max_new_tokens: limit of tokens of an answer.
        batch_size: rows answered at a time.
        max_frames: frames shown of a row, for all or by source.
        desc: noun of the progress bar.

    Returns:
        One answer a row, in order, without special tokens or surrounding blanks.

    Raises:
        InputError: when `batch_size` or `max_new_tokens` is not positive.
    """
    if batch_size < 1 or max_new_tokens < 1:
        raise InputError(
            f"batch_size ({batch_size}) and max_new_tokens ({max_new_tokens}) must be > 0"
        )
    encode = RowEncoder(one_patch(processor), family=family_of(model), max_frames=max_frames)
    answers: list[str] = []
    model.eval()
    bar = progress(range(0, len(rows), batch_size), desc=desc, unit="batch")
    for batch in _batches(bar, rows, encode, batch_size):
        answers += generate(model, processor, encode, batch, max_new_tokens=max_new_tokens)
    return answers


def generate(
    model: Any,
    processor: Any,
    encode: RowEncoder,
    batch: Sequence[EncodedRow],
    *,
    max_new_tokens: int,
) -> list[str]:
    """Answer one batch of encoded prompts greedily.

    Args:
        model: in evaluation mode.
        processor: its processor.
        encode: the encoder that made the batch.
        batch: prompts.
        max_new_tokens: limit of tokens of an answer.
    """
    torch = require("torch", extra="eval")
    inputs = left_padded(batch, processor, encode)
    inputs = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.no_grad():
        out = model.generate(
            **inputs,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=_pad_id(processor.tokenizer),
            eos_token_id=_end_ids(model, processor.tokenizer),
            use_cache=True,  # a checkpoint that was saved in training may say otherwise
        )
    new = out[:, inputs["input_ids"].shape[1] :]
    texts = processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    return [text.strip() for text in texts]


def left_padded(rows: Sequence[EncodedRow], processor: Any, encode: RowEncoder) -> dict[str, Any]:
    """Lay prompts out for generation: every prompt ends at the right edge.

    Args:
        rows: prompts as `RowEncoder(…)(row, prompt_only=True)` gives them.
        processor: whose padding token, mean and standard deviation apply.
        encode: the encoder that made the rows.
    """
    import torch

    width = max(len(row.ids) for row in rows)
    ids = np.full((len(rows), width), _pad_id(processor.tokenizer), dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, width - len(row.ids) :] = row.ids
        mask[i, width - len(row.ids) :] = 1
    out = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    out |= token_types(out["input_ids"], encode.family, encode.image_token_id)
    out |= joined_pixels(rows)
    if "frames" in out:
        out["pixel_values"] = normalise(out.pop("frames"), processor)
    if "pixel_values" in out and encode.family.pixels == "nested":
        out["pixel_values"] = out["pixel_values"].unsqueeze(0)
    return out


def _batches(
    starts: Iterator[int], rows: Sequence[Mapping[str, Any]], encode: RowEncoder, size: int
) -> Iterator[list[EncodedRow]]:
    for start in starts:
        stop = min(start + size, len(rows))
        # One row at a time: a `datasets` slice would decode every column of the batch at once.
        yield [encode(rows[i], prompt_only=True) for i in range(start, stop)]


def _end_ids(model: Any, tokenizer: Any) -> list[int] | None:
    # A chat may end its turns by another token than the one that a checkpoint's settings name.
    own = model.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id} - {None}
    return sorted(ends) or None


def _pad_id(tokenizer: Any) -> int:
    pad = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if pad is None else pad)


def _benchmark(benchmark: Any, load: Mapping[str, Any]) -> tuple[Any, str]:
    """Give the rows with frames left as they are stored, and the name."""
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


def _header(backend: Backend, title: str, protocol: Protocol, name: str, n: int) -> dict[str, Any]:
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
    rows: Any, run: Run, protocol: Protocol, *, limit: int | None, retry_errors: bool
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
    protocol: Protocol,
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
    group: Group, rows: Any, protocol: Protocol, backend: Backend
) -> list[tuple[Ask, Any]]:
    """Decode one video, once, and prepare every question about it."""
    first = rows[group[0][0]]
    error = None
    frames = FrameList()
    try:
        frames = _frames(first["images"], protocol, backend)
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


def _frames(stored: Mapping[str, Any] | None, protocol: Protocol, backend: Backend) -> FrameList:
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


def _resized(frames: FrameList, protocol: Protocol, backend: Backend) -> FrameList:
    """Resize once what several questions share; `RowEncoder` leaves frames of its size alone."""
    if isinstance(backend, Local) and protocol.strategy == "frames":
        frames[:] = [backend.fit(frame) for frame in frames]
    return frames


def _length(prepared: Any, backend: Backend) -> int:
    return 0 if isinstance(prepared, Answer) else backend.length(prepared)


def _answered(
    batch: Sequence[tuple[Ask, Any]], backend: Backend, protocol: Protocol
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
