"""Multiple-choice questions answered while a model trains: accuracy with its interval, and a table.

>>> plan = McqPlan.read({"t2vid/mvbench": {"data_dir": "MVBench"}, "limit": 200, "show": 8})
>>> plan.benchmarks, plan.limit, plan.show
({'mvbench': ('t2vid/mvbench', {'data_dir': 'MVBench'})}, 200, 8)

    args = VideoSFTConfig(…, eval_strategy="steps", eval_steps=100,
                          eval_mcq={"t2vid/mvbench": {"data_dir": "MVBench"}, "limit": 200},
                          metric_for_best_model="mvbench_accuracy", load_best_model_at_end=True)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from t2vid.errors import InputError, kind_of
from t2vid.evaluation import asking
from t2vid.evaluation.ahead import Pair, Preparer
from t2vid.evaluation.answers import Answer
from t2vid.evaluation.backends import TransformersBackend
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.generate import generate
from t2vid.evaluation.rows import benchmark_rows, check_videos
from t2vid.evaluation.score import unlabelled
from t2vid.evaluation.showing import grid
from t2vid.scoring.extract import extract_choice
from t2vid.scoring.statistics import wilson

logger = logging.getLogger(__name__)

OPTIONS = ("limit", "show", "protocol", "batch_size")


@dataclass(frozen=True)
class McqPlan:
    """What is asked while a model trains.

    Attributes:
        benchmarks: `(what, arguments of load_dataset)` by the name that figures carry.
        limit: questions of each benchmark, evenly spread over it; None asks all.
        show: answers of each benchmark that are shown in a table.
        protocol: how they are asked.
        batch_size: questions answered at a time; None is that of evaluation.
    """

    benchmarks: Mapping[str, tuple[Any, Mapping[str, Any]]]
    limit: int | None = None
    show: int = 0
    protocol: EvalConfig = EvalConfig()
    batch_size: int | None = None

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Self:
        """Read `eval_mcq`: benchmarks by name, and among them `limit`, `show`, `protocol`, `batch_size`.

        Args:
            asked: a benchmark's value is what `load_dataset` takes beside its name, the folder of
                its files, None, or rows of one (a dataset or a list).

        Raises:
            InputError: where no benchmark is named, or an option is out of range.
        """
        if not isinstance(asked, Mapping):
            raise InputError(f"eval_mcq is {kind_of(asked)}; give {{'t2vid/mvbench': {{…}}}}")
        benchmarks = {}
        for name, value in asked.items():
            if name in OPTIONS:
                continue
            title = name.rsplit("/", 1)[-1]
            if value is None or isinstance(value, Mapping | str):
                given = {"data_dir": value} if isinstance(value, str) else dict(value or {})
                benchmarks[title] = (name, given)
            else:
                benchmarks[title] = (value, {})
        if not benchmarks:
            raise InputError(
                f"eval_mcq ({dict(asked)!r}) names no benchmark; add 't2vid/mvbench': {{data_dir: …}}"
            )
        options = {name: asked[name] for name in OPTIONS if asked.get(name) is not None}
        for name in set(options) - {"protocol"}:
            least = 0 if name == "show" else 1
            if type(options[name]) is not int or options[name] < least:
                raise InputError(
                    f"eval_mcq: {name} ({options[name]!r}) must be a number >= {least}"
                )
        protocol = options.pop("protocol", EvalConfig())
        if isinstance(protocol, Mapping):
            protocol = EvalConfig.from_dict(dict(protocol))
        protocol = EvalConfig.named(protocol)
        by_rules = protocol.judge == "none" and protocol.scheme != "official"
        if protocol.circular or not by_rules or protocol.answering == "letters":
            raise InputError(
                "eval_mcq generates one answer a question; a protocol with circular, a judge, "
                "scheme=official or answering=letters belongs to t2vid eval"
            )
        return cls(benchmarks, protocol=protocol, **options)

    @property
    def metrics(self) -> list[str]:
        """Names that `metric_for_best_model` may have."""
        return [f"{title}_accuracy" for title in (*self.benchmarks, "mcq")]


class ShownAnswer(NamedTuple):
    """One answer as a table shows it: its frames on one sheet, and words."""

    sheet: Any
    question: str
    answer: str
    generation: str
    letter: str


class McqResult(NamedTuple):
    """What was answered.

    Attributes:
        figures: for the trackers, without a prefix.
        shown: answers to look at, by benchmark.
    """

    figures: dict[str, float]
    shown: dict[str, list[ShownAnswer]]


class McqEvaluation:
    """Puts questions to the model that trains; every process answers its share, in step.

    Args:
        plan: what is asked.
        processor: the model's.
        batch_size: questions answered at a time, where the plan does not say.
    """

    def __init__(self, plan: McqPlan, processor: Any, *, batch_size: int) -> None:
        self.plan = plan
        self.processor = processor
        self.batch_size = plan.batch_size or batch_size
        self.rows = {
            title: _chosen(benchmark_rows(what, given)[0], plan.limit, title)
            for title, (what, given) in plan.benchmarks.items()
        }

    def ask(self, model: Any, *, rank: int = 0, world: int = 1, in_step: bool = False) -> McqResult:
        """Ask everything.

        Args:
            model: put into evaluation mode.
            rank: this process.
            world: number of processes; each must call this.
            in_step: the weights are shared out, so that every process must generate as often and as
                long as the others, frames in each batch.
        """
        backend = TransformersBackend(model, self.processor)
        figures: dict[str, float] = {}
        shown = {}
        every: list[dict[str, Any]] = []
        for title, rows in self.rows.items():
            marked = set(_spread(len(rows), self.plan.show))
            lines = self._answered(backend, rows, marked, rank, world, in_step)
            lines = _gathered(lines, world)
            figures |= _figures(title, lines)
            every += lines
            shown[title] = [line["shown"] for line in lines if line["shown"] is not None]
        return McqResult(figures | _figures("mcq", every), shown)

    def _answered(
        self,
        backend: TransformersBackend,
        rows: Any,
        marked: set[int],
        rank: int,
        world: int,
        in_step: bool,
    ) -> list[dict[str, Any]]:
        # As many batches on every process, whatever its share: one that stopped before the others
        # would leave them waiting for its part of the weights.
        n_batches = ceil(ceil(len(rows) / world) / self.batch_size)
        mine = list(range(rank, len(rows), world))
        parts = [mine[i * self.batch_size : (i + 1) * self.batch_size] for i in range(n_batches)]
        lines: list[dict[str, Any]] = []
        for places, asked in zip(parts, self._ahead(backend, rows, parts), strict=True):
            good = [made.row for _, made in asked if not isinstance(made, Answer)]
            batch = good
            if in_step and not any(row.n_frames for row in good):
                batch = [*good, _stand_in(backend)]
            said: Iterator[str] = iter(())
            if batch:
                limit = self.plan.protocol.max_new_tokens
                args = (backend.model, self.processor, backend.encode, batch)
                said = iter(generate(*args, max_new_tokens=limit, in_step=in_step))
            for place, (question, made) in zip(places, asked, strict=True):
                text = made.text if isinstance(made, Answer) else next(said)
                text = question.prefill + text.removeprefix(question.prefill) if text else text
                error = made.error if isinstance(made, Answer) else None
                lines.append(
                    _line(place, question, text, error, self.plan.protocol, shown=place in marked)
                )
        return lines

    def _ahead(
        self, backend: TransformersBackend, rows: Any, parts: Sequence[Sequence[int]]
    ) -> Iterator[list[Pair]]:
        """Decode and encode the next batch while the model answers this one."""
        prepare = Preparer(rows, self.plan.protocol, backend)

        def encoded(places: Sequence[int]) -> list[Pair]:
            return [pair for place in places for pair in prepare([(place, 0)])]

        with ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(encoded, part) for part in parts[:1]]
            for at in range(len(parts)):
                waiting += [pool.submit(encoded, part) for part in parts[at + 1 : at + 2]]
                yield waiting[at].result()


def _chosen(rows: Any, limit: int | None, title: str) -> Any:
    """Choose questions evenly over a benchmark, whose rows usually stand by category."""
    check_videos(rows)
    styles = rows["style"]
    lettered = [at for at in range(len(rows)) if styles[at] != "caption"]
    if left := len(rows) - len(lettered):
        logger.warning("eval_mcq: %d questions of %s ask for captions and are not put", left, title)
    if not lettered:
        raise InputError(f"eval_mcq: {title} holds no question with options")
    keep = _spread(len(lettered), len(lettered) if limit is None else limit)
    return rows.select([lettered[at] for at in keep])


def _spread(n: int, wanted: int) -> list[int]:
    wanted = min(n, wanted)
    return [(2 * i + 1) * n // (2 * wanted) for i in range(wanted)]


def _stand_in(backend: TransformersBackend) -> Any:
    """Give a prompt with one frame, whose answer nobody reads."""
    from PIL import Image

    from t2vid.models.families import frame_px

    turns = [{"role": "user", "content": "."}, {"role": "assistant", "content": "."}]
    blank = Image.new("RGB", frame_px(backend.processor))
    return backend.encode({"messages": turns, "images": [blank]}, prompt_only=True)


def _line(
    place: int,
    question: asking.Ask,
    text: str,
    error: str | None,
    protocol: EvalConfig,
    *,
    shown: bool,
) -> dict[str, Any]:
    line = question.line
    said = unlabelled(text, line)
    scheme: Literal["t2vid", "paper"] = "paper" if protocol.scheme == "paper" else "t2vid"
    found = extract_choice(said, line["options"], line["question"], scheme=scheme)
    seen = None
    if shown:
        frames = [frame.convert("RGB") for frame in question.frames]
        sheet = grid(_small(frames), columns=6) if frames else None
        seen = ShownAnswer(
            sheet, question.prompt, line["answer"], error or text, found.letter or ""
        )
    return {
        "place": place,
        "correct": found.letter == line["answer"],
        "open": found.letter is None,
        "error": bool(error),
        "shown": seen,
    }


def _small(frames: Sequence[Any], edge: int = 160) -> list[Any]:
    size = frames[0].size
    scale = min(1.0, edge / max(size))
    return [frame.resize([max(1, round(side * scale)) for side in size]) for frame in frames]


def _gathered(lines: list[dict[str, Any]], world: int) -> list[dict[str, Any]]:
    if world > 1:
        from accelerate.utils import gather_object

        lines = gather_object(lines)
    return sorted(lines, key=lambda line: line["place"])


def _figures(title: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    n, correct = len(lines), sum(line["correct"] for line in lines)
    interval = wilson(correct, n)
    return {
        f"{title}_accuracy": correct / n,
        f"{title}_accuracy_low": interval.low,
        f"{title}_accuracy_high": interval.high,
        f"{title}_open": float(np.mean([line["open"] for line in lines])),
        f"{title}_errors": float(sum(line["error"] for line in lines)),
        f"{title}_questions": float(n),
    }
