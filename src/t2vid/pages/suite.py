"""Several benchmarks, asked in several ways: a run for each, and one page of them all.

    t2vid eval me/my-model --benchmarks mvbench,video_mme@subtitles,mine.jsonl --controls --out runs/mine

    runs/mine/
    ├── mvbench/t2vid/            a run, as `evaluate` writes it
    ├── mvbench/t2vid+shuffled/
    ├── …
    ├── report.html, report.md
    └── results.json

>>> named_benchmark("video_mme@subtitles", {})
('video_mme@subtitles', 't2vid/video_mme', {'name': 'subtitles'})
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from t2vid.errors import InputError
from t2vid.evaluation.backends import backend_of
from t2vid.evaluation.config import CONTROLS, EvalConfig
from t2vid.evaluation.processes import Processes
from t2vid.evaluation.report import scores_of
from t2vid.evaluation.rows import benchmark_rows
from t2vid.evaluation.run import evaluate
from t2vid.evaluation.runs import Run
from t2vid.pages.scores import report
from t2vid.storage.files import AnyPath, PathLike, path_of, write_atomically
from t2vid.storage.staging import staged_folder

logger = logging.getLogger(__name__)

_FILE = re.compile(r".*\.(jsonl?|csv|tsv|parquet)(\.(gz|bz2|xz|zst))?", re.IGNORECASE)


@dataclass(frozen=True)
class Suite:
    """Runs of one model, and the page of them.

    Attributes:
        folder: where everything is.
        runs: every run, benchmark by benchmark.
        page: path of the page; None in a process that did not write it.
    """

    folder: AnyPath
    runs: list[Run]
    page: AnyPath | None

    @property
    def scores(self) -> list[dict[str, Any]]:
        """Give the scores of every run."""
        return [scores_of(run) for run in self.runs]


def evaluate_suite(
    model: Any,
    *,
    benchmarks: Any,
    protocol: Any = "t2vid",
    controls: bool = False,
    out: PathLike,
    data: Mapping[str, str] | None = None,
    changes: Mapping[str, str] | None = None,
    processor: Any = None,
    batch_size: int = 8,
    workers: int = 1,
    limit: int | None = None,
    retry_errors: bool = False,
    judge: Any = None,
    name: str = "",
) -> Suite:
    """Put several benchmarks to a model, in several ways, and write one page; resumes like a run.

    Args:
        model: a folder, a Hub name, `openai:MODEL@URL`, or what else `t2vid.evaluate` takes.
        benchmarks: names, or one text with commas between them: `mvbench`, `video_mme@subtitles`
            (with its configuration), or a file of questions of one's own.
        protocol: one or several, likewise: names, paths or `EvalConfig`s.
        controls: also ask under every control that the benchmark allows.
        out: folder of the runs and of the page, or a URL to which they are sent at the end.
        data: folder of each benchmark's files, by its name.
        changes: fields of every protocol that are to differ, such as `frames=8`.
        processor: of a model in this process.
        batch_size: questions answered at a time; of a served model, requests under way.
        workers: threads that decode and encode ahead of the model.
        limit: ask only about the first videos of each benchmark, so many questions at most.
        retry_errors: ask again where a video or a request failed before.
        judge: decides what the rules leave open: a name that `t2vid list judges` tells.
        name: what tables call the model; by default its own name.

    Raises:
        InputError: for no benchmark, or two that would share a folder.
    """
    asked = [named_benchmark(one, data or {}) for one in _listed(benchmarks)]
    ways = dict(_ways(_listed(protocol), changes or {}))
    if not asked or not ways:
        raise InputError(f"benchmarks ({len(asked)}) and protocols ({len(ways)}) must be > 0")
    labels = [label for label, *_ in asked]
    if len(set(labels)) < len(labels):
        raise InputError(f"benchmarks ({', '.join(labels)}) name one twice")
    if unused := sorted(set(data or {}) - {_plain(label) for label in labels} - set(labels)):
        raise InputError(f"data names {', '.join(unused)}, and the benchmarks are {labels}")
    backend = backend_of(model, processor)
    base, usual, places = name or backend.name, next(iter(ways)), list[tuple[str, str]]()
    whole = bool(getattr(backend, "sends_files", False))
    with staged_folder(out) as folder:
        for label, dataset, load in asked:
            rows, _ = benchmark_rows(dataset, load)
            more = _with_controls(ways, rows, label, whole_files=whole) if controls else None
            for way, how in more or ways.items():
                places.append((_file_name(label), _file_name(way)))
                evaluate(
                    backend,
                    rows,
                    how,
                    out=folder.joinpath(*places[-1]),
                    batch_size=batch_size,
                    workers=workers,
                    limit=limit,
                    retry_errors=retry_errors,
                    judge=judge,
                    name=base if way == usual else f"{base}, {way}",
                )
        wrote = Processes.found().rank == 0
        if wrote:
            runs = [Run.read(folder.joinpath(*place)) for place in places]
            report(runs, format="html", out=folder / "report.html")
            report(runs, out=folder / "report.md")
            scores = json.dumps([scores_of(run) for run in runs], indent=1, ensure_ascii=False)
            write_atomically(folder / "results.json", scores)
    final = path_of(out)
    runs = [Run.read(final.joinpath(*place)) for place in places]
    return Suite(final, runs, final / "report.html" if wrote else None)


def named_benchmark(what: str, data: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """Say what a word for a benchmark means: a label, and the arguments of `load_dataset`.

    Args:
        what: `NAME`, `NAME@CONFIGURATION`, either with or without `t2vid/`, or a file of questions.
        data: folders by benchmark.
    """
    if _FILE.fullmatch(what):
        path = Path(what)
        more = {"video_dir": data[path.stem]} if path.stem in data else {}
        return path.stem, "t2vid/questions", {"data_files": what, **more}
    plain = what.removeprefix("t2vid/")
    name, _, config = plain.partition("@")
    load = {"name": config} if config else {}
    where = data.get(plain, data.get(name))
    return plain, f"t2vid/{name}", {**load, **({"data_dir": where} if where else {})}


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, EvalConfig | os.PathLike) else list(value)


def _ways(given: Sequence[Any], changes: Mapping[str, Any]) -> Iterator[tuple[str, EvalConfig]]:
    parsed = {k: yaml.safe_load(v) if isinstance(v, str) else v for k, v in changes.items()}
    unknown = sorted(set(parsed) - set(EvalConfig().to_dict()))
    if unknown:
        raise InputError(f"changes ({', '.join(unknown)}) must be fields of EvalConfig")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in parsed.items()}
    for one in given:
        how = EvalConfig.named(one).replace(**values)
        label = how.summary() if isinstance(one, EvalConfig) else Path(os.fspath(one)).name
        yield label, how


def _with_controls(
    ways: Mapping[str, EvalConfig], rows: Any, benchmark: str, *, whole_files: bool
) -> Iterator[tuple[str, EvalConfig]]:
    """Give each way of asking, and after it those of its controls that mean something here."""
    videos = len(set(rows["video"]))
    told = any(rows["subtitles"])
    for label, how in ways.items():
        yield label, how
        for control in CONTROLS if how.control == "none" else ():
            if whole_files and control != "blind":
                logger.warning("whole files are sent: no control %s", control)
            elif control == "other" and videos < 2:
                logger.warning("%s has one video: no control with another one", benchmark)
            elif control == "subtitles" and not told:
                logger.warning("%s has no subtitles here: no control with them alone", benchmark)
            else:
                yield f"{label}+{control}", how.replace(control=control)


def _plain(label: str) -> str:
    return label.partition("@")[0]


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.+@=-]+", "-", label)[:100]
