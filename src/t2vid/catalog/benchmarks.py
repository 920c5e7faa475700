"""The benchmarks and metrics. To add a benchmark, write its converter and an entry here.

>>> [entry.name for entry in BENCHMARKS]
['video_mme', 'mvbench', 'tempcompass']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Official:
    """How a benchmark's authors ask; a name for `evaluate(…, protocol=name)`.

    Args:
        name: of the prompt and of the protocol.
        prompt: with `{subtitles}`, `{question}` and `{options}`.
        option: how an option is written: its letter, its text.
        settings: further fields of `EvalConfig`.
    """

    name: str
    prompt: str
    option: str = "{}. {}"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """Questions with options about videos; `load_dataset("t2vid/<name>")` loads them.

    Args:
        name: of the benchmark, unique; the `source` of its rows.
        title: as its authors write it.
        about: one line for lists.
        converter: module with what `t2vid.dataset_scripts.benchmark.QuestionReader` says, and
            perhaps `export(lines, path)`, which writes the answers in the authors' own layout.
        n_questions: in the whole benchmark, as the paper counts them.
        licence: as its authors state it.
        licence_from: where.
        official: how its authors ask; None to use the paper's prompt.
        file_per_category: whether lmms-eval writes a file for each category, named after it.
        aliases: other names of it.
    """

    name: str
    title: str
    about: str
    converter: str
    n_questions: int
    licence: str
    licence_from: str
    official: Official | None = None
    file_per_category: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """Its name for `load_dataset`."""
        return f"t2vid/{self.name}"


@dataclass(frozen=True)
class Metric:
    """A metric; `evaluate.load("t2vid/<name>")` loads it from `module`."""

    name: str
    module: str
    about: str
    aliases: tuple[str, ...] = ()


# n_questions: T2Vid paper, Tables 1 and 4; TempCompass is its multiple-choice part.
BENCHMARKS = (
    Benchmark(
        "video_mme",
        "Video-MME",
        "short, medium and long videos, with subtitles or without",
        converter="t2vid.evaluation.benchmarks.video_mme",
        n_questions=2700,
        licence="other",
        licence_from="https://github.com/MME-Benchmarks/Video-MME: academic use, no redistribution",
        official=Official(
            "video-mme",
            "{subtitles}Select the best answer to the following multiple-choice question "
            "based on the video. Respond with only the letter (A, B, C, or D) of the correct option."
            "\n{question}\n{options}\nThe best answer is:",  # its README
        ),
    ),
    Benchmark(
        "mvbench",
        "MVBench",
        "twenty tasks on short videos",
        converter="t2vid.evaluation.benchmarks.mvbench",
        n_questions=4000,
        licence="mit",
        licence_from="https://huggingface.co/datasets/OpenGVLab/MVBench",
        official=Official(
            "mvbench",
            "{subtitles}Question: {question}\nOptions:\n{options}\nOnly give the best option.",
            option="({}) {}",  # mvbench.ipynb
            settings={
                "prefill": "Best option:(",
                "frames": 16,
                "sampling": "midpoint",
                "fps": None,
            },
        ),
        file_per_category=True,
    ),
    Benchmark(
        "tempcompass",
        "TempCompass",
        "actions, directions, speed, order and change, asked in four formats",
        converter="t2vid.evaluation.benchmarks.tempcompass",
        n_questions=1580,
        licence="cc-by-nc-4.0",
        licence_from="https://github.com/llyx97/TempCompass",
        official=Official(
            "tempcompass",
            "{subtitles}{question}\n{options}\nPlease directly give the best option:",
            settings={"frames": 16},  # run_qwen2_vl.py
        ),
    ),
)

METRICS = (
    Metric(
        "video_mcq",
        "t2vid.metrics.video_mcq.video_mcq",
        "accuracy of multiple choice, answers read by rules, with intervals",
    ),
)
