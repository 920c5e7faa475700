"""Put a benchmark to a model: resumable, decoded once a video, in batches of like length, scored.

    run = evaluate("me/my-model", "t2vid/mvbench", data_dir="MVBench", out="runs/mvbench")
    torchrun --nproc-per-node 8 -m t2vid eval me/my-model t2vid/mvbench --out runs/mvbench

>>> evaluate(print, [], out="runs/none", batch_size=0)
Traceback (most recent call last):
t2vid.errors.InputError: batch_size (0) and workers (1) must be > 0
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from t2vid._version import __version__
from t2vid.errors import InputError, T2VidError
from t2vid.evaluation import asking
from t2vid.evaluation.ahead import WINDOW, Ahead, Group, Pair, Preparer
from t2vid.evaluation.answers import Answer, Failures, answers_of, as_answer, failed
from t2vid.evaluation.backends import Backend, backend_of, check
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.processes import Processes
from t2vid.evaluation.rows import benchmark_rows, check_videos
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.progress import visible
from t2vid.storage.files import PathLike
from t2vid.storage.staging import local_folder, staged_folder

logger = logging.getLogger(__name__)


def evaluate(
    model: Any,
    benchmark: Any,
    protocol: EvalConfig | str | Path = "t2vid",
    *,
    out: PathLike,
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

    A kill costs at most one batch. A question on which the model fails has no answer and counts as
    wrong; the next run asks it again. Under `torchrun` or `accelerate launch` every process takes its
    share of the videos and writes a file of its own; the first one scores when all are done.

    Args:
        model: a model with its `processor`, a folder or Hub name, `openai:MODEL@URL`, a function of
            an `Ask`, or a back end of `t2vid.evaluation.backends`.
        benchmark: a dataset of a benchmark builder, the name of one, such as `"t2vid/mvbench"` or
            `"mvbench@action_count"` with its configuration, a file of questions, or a list of such
            rows.
        protocol: a `EvalConfig`, the name of one, or the path of its YAML file; `NAME+CONTROL` is
            one of them under a control, such as `t2vid+shuffled`.
        out: folder of the run, or a URL to which it is sent at the end.
        processor: of a model in this process.
        batch_size: questions answered at a time; of a served model, requests under way.
        workers: threads that decode and encode ahead of the model.
        limit: ask only about the first videos, so many questions at most.
        retry_errors: ask again, too, where a video could not be read or a server refused the request.
        judge: decides what the rules leave open, in place of the protocol's: a name that `t2vid list
            judges` tells, or in Python what `t2vid.scoring.judge_from` takes.
        name: what tables call the run; by default the model's name.
        load: for a benchmark by name, arguments of `load_dataset`, such as
            `{"data_dir": "MVBench"}`.
        data_dir: folder of the benchmark's files; by default, that of a file of questions.

    Raises:
        InputError: where no question has its video, when `out` holds the answers of another
            protocol, model or benchmark, or for a number that must be greater.
        BackendError: when the model fails on one question after the other; the answers so far are
            kept.
    """
    if batch_size < 1 or workers < 1:
        raise InputError(f"batch_size ({batch_size}) and workers ({workers}) must be > 0")
    if limit is not None and limit < 1:
        raise InputError(f"limit ({limit}) must be > 0; leave it out to ask every question")
    protocol = EvalConfig.named(protocol)
    given = {} if data_dir is None else {"data_dir": str(data_dir)}
    rows, title = benchmark_rows(benchmark, {**given, **(load or {})})
    if protocol.control != "blind":
        check_videos(rows)
    backend = backend_of(model, processor)
    check(backend, protocol)
    header = _header(backend, title, protocol, name, len(rows))
    processes = Processes.found()
    if processes.world > 1:
        local_folder(out)  # processes share it while it grows
    with staged_folder(out) as folder:
        run = Run.open(folder, header)
        _ask(
            run,
            rows,
            backend,
            protocol,
            processes=processes,
            batch_size=batch_size,
            workers=workers,
            limit=limit,
            retry_errors=retry_errors,
        )
        if processes.meet():
            if processes.rank == 0:
                score(run, protocol=protocol, judge=judge)
            processes.meet()
    return Run.read(out)


def _ask(
    run: Run,
    rows: Any,
    backend: Backend,
    protocol: EvalConfig,
    *,
    processes: Processes,
    batch_size: int,
    workers: int,
    limit: int | None,
    retry_errors: bool,
) -> None:
    """Ask what a run lacks, and write every answer as it comes."""
    groups = _missing(
        rows, run, protocol, limit=limit, retry_errors=retry_errors, processes=processes
    )
    ahead = Ahead(
        groups,
        Preparer(rows, protocol, backend),
        window=WINDOW * batch_size,
        workers=workers,
    )
    failures = Failures(backend.name, served=hasattr(backend, "stream"))
    start = time.perf_counter()
    with run.writer(processes.rank) as write:
        title = str(run.header["benchmark"])
        bar = tqdm(total=sum(map(len, groups)), desc=title, unit="question", disable=not visible())
        for lines in _answers(ahead, backend, protocol, batch_size, failures):
            write(lines)
            bar.update(len(lines))
        bar.close()
    if groups:
        run.add_time(
            processes.rank,
            questions=sum(map(len, groups)),
            seconds=time.perf_counter() - start,
            waited_s=ahead.waited_s,
        )
    if failures.failed:
        if all(line.get("error") for line in run.answers()):
            raise failures.error() from failures.last
        logger.warning(
            "%s failed on %d of %d questions, at last with %r; they count as wrong, and the next run "
            "asks them again",
            *(backend.name, failures.failed, sum(map(len, groups)), failures.last),
        )


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
        "usd_per_million": getattr(backend, "usd_per_million", None),
        "t2vid": __version__,
    }


def _missing(
    rows: Any,
    run: Run,
    protocol: EvalConfig,
    *,
    limit: int | None,
    retry_errors: bool,
    processes: Processes,
) -> list[Group]:
    """Plan what this process has left to ask, the questions of each video side by side."""
    lines = run.answers()
    done = {
        (line["id"], line["rotation"]): line["fingerprint"]
        for line in lines
        if not line.get("failed") and not (retry_errors and line.get("error"))
    }
    asked = set(rows["id"])
    if foreign := sorted({key for key, _ in done} - asked):
        raise InputError(
            f"{run.folder} holds answers to {len(foreign):,} questions that are not asked now, such as "
            f"{foreign[0]!r}; give another out="
        )
    groups: dict[str, Group] = {}
    planned = rows.select(range(min(limit, len(rows)))) if limit is not None else rows
    seen: set[str] = set()
    for place, row in enumerate(planned):
        if row["id"] in seen:
            raise InputError(f"the benchmark holds {row['id']!r} twice; ids must be unique")
        seen.add(row["id"])
        stored = row["images"] or {}
        group = groups.setdefault(asking.media_key(stored), [])
        for shift in asking.rotations(row, protocol):
            before = done.get((row["id"], shift))
            if before is None:
                group.append((place, shift))
            elif before != asking.fingerprint(row, stored):
                raise InputError(
                    f"{row['id']!r} was answered in {run.folder} and is another question now; "
                    "give another out="
                )
    # Shares are cut from all videos, not from those that are left: a process that starts later
    # sees more answers, and would cut otherwise.
    own = list(groups.values())[processes.rank :: processes.world]
    return [group for group in own if group]


def _answers(
    ahead: Ahead, backend: Backend, protocol: EvalConfig, batch_size: int, failures: Failures
) -> Iterator[list[dict[str, Any]]]:
    """Give the lines of the answers, batch by batch; of a served model, one by one as they come."""
    stream = getattr(backend, "stream", None)
    if stream is None:
        for batch in ahead.batches(batch_size):
            asked = [made for _, made in batch if not isinstance(made, Answer)]
            answers = iter(answers_of(backend, asked, protocol) if asked else ())
            pairs = [(q, made if isinstance(made, Answer) else next(answers)) for q, made in batch]
            yield _lines(pairs, failures)
            if failures.stop:
                raise failures.error() from failures.last
        return
    unread: list[Pair] = []
    under_way: dict[asking.Key, asking.Ask] = {}

    def requests() -> Iterator[tuple[asking.Key, Any]]:
        for question, made in (pair for ready in ahead for pair in ready):
            if failures.stop:  # nothing more is decoded; what is under way is waited for
                return
            if isinstance(made, Answer):
                unread.append((question, made))
            else:
                under_way[question.key] = question
                yield question.key, made

    given = iter(stream(requests(), protocol, in_flight=batch_size))
    while (pair := _next(given, failures)) is not None:
        key, said = pair
        yield _lines([(under_way.pop(key), as_answer(said, backend.name)), *unread], failures)
        unread.clear()
    if unread:
        yield _lines(unread, failures)
    if failures.stop:
        raise failures.error() from failures.last


def _next(given: Iterator[Any], failures: Failures) -> Any:
    """Give the next answer of a stream, None at its end; one that breaks off cannot be gone on with."""
    try:
        return next(given, None)
    except T2VidError:
        raise
    except Exception as error:
        failures.note(failed(error))
        raise failures.error() from error


def _lines(pairs: Sequence[Pair], failures: Failures) -> list[dict[str, Any]]:
    for _, answer in pairs:
        failures.note(answer)
    return [_line(*pair) for pair in pairs]


def _line(question: asking.Ask, answer: Answer) -> dict[str, Any]:
    text = answer.text
    said = question.prefill + text.removeprefix(question.prefill) if text else text
    line = {"id": question.key[0], **question.line, "prediction": said}
    if answer.usage:
        line["usage"] = answer.usage
    if answer.finish:
        line["finish"] = answer.finish
    if answer.error:
        line["error"] = answer.error
    return {**line, "failed": True} if answer.cause is not None else line
