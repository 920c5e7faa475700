"""The benchmarks and metrics. To add a benchmark, write its converter and an entry here.

>>> {entry.name for entry in BENCHMARKS} >= {"video_mme", "mvbench", "tempcompass"}
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Official:
    """How a benchmark's authors ask; a name for `evaluate(…, protocol=name)`.

    Args:
        name: of the prompt and of the protocol.
        prompt: with `{subtitles}`, `{question}` and `{options}`.
        option: how an option is written: its letter, its text.
        settings: further fields of `EvalConfig`.
        cues: which subtitles are written: those `shown` at the sampled frames, before the question;
            `between` the frames, by LongVideoBench's rule, the prompt beginning with
            `{subtitles}`; `all`, in one line before the question.
    """

    name: str
    prompt: str
    option: str = "{}. {}"
    settings: Mapping[str, Any] = field(default_factory=dict)
    cues: Literal["shown", "between", "all"] = "shown"


@dataclass(frozen=True)
class Benchmark:
    """Questions with options about videos; `load_dataset("t2vid/<name>")` loads them.

    Args:
        name: of the benchmark, unique; the `source` of its rows.
        title: as its authors write it.
        about: one line for lists.
        converter: module whose `READER` is a `t2vid.evaluation.benchmarks.reader.BenchmarkReader`.
        n_questions: in the whole benchmark, as the paper counts them.
        licence: as its authors state it.
        licence_from: where.
        official: how its authors ask; None to use the paper's prompt.
        others: further ways in which they ask, such as with subtitles.
        builder: module below `t2vid.dataset_scripts` that makes its rows.
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
    others: tuple[Official, ...] = ()
    builder: str = "benchmark"
    file_per_category: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """Its name for `load_dataset`."""
        return f"t2vid/{self.name}"

    @property
    def ways(self) -> tuple[Official, ...]:
        """Every way in which its authors ask."""
        return (*([self.official] if self.official else []), *self.others)


@dataclass(frozen=True)
class Metric:
    """A metric; `evaluate.load("t2vid/<name>")` loads it from `module`."""

    name: str
    module: str
    about: str
    aliases: tuple[str, ...] = ()


# LLaVA's sentence, which lmms-eval puts behind the options of several
_LETTER = "Answer with the option's letter from the given choices directly."
_VIDEO_MME = (  # its README
    "{subtitles}Select the best answer to the following multiple-choice question based on the "
    "video. Respond with only the letter (A, B, C, or D) of the correct option.\n{question}\n"
    "{options}\nThe best answer is:"
)
# Video-MME-v2, test_video_mme_v2.py: the question first, where its README has it last
_V2_HEAD = "These are the frames of a video.\n{subtitles}Question: {question}\n{options}\n"
_V2 = _V2_HEAD + (
    "Select the best answer to the following multiple-choice question based on the video. Respond "
    "with only the letter (A, B, C, D, E, F, G, or H) of the correct option."
)
_V2_THINKING = _V2_HEAD + (
    "Please perform a detailed reasoning based on the provided video frames to answer the following "
    "multiple-choice question selecting the best option from A through H and providing your final "
    "response strictly in the format: 'Final Answer: <letter>."
)
_V2_FRAMES = {"frames": 64, "sampling": "interior", "fps": None}
# LongVideoBench, longvideobench_dataset.py: the beginnings of equal spans, at most one frame a second
_LVB = "{subtitles}Question: {question}\n{options}\n" + _LETTER
_LVB_FRAMES = {"frames": 64, "fps": 1.0, "sampling": "starts"}

# n_questions: T2Vid paper, Tables 1 and 4; TempCompass is its multiple-choice part. Those of 2024 and
# later: their own cards and repositories (LongVideoBench and NExT-QA: the set of the first configuration).
BENCHMARKS = (
    Benchmark(
        "video_mme",
        "Video-MME",
        "short, medium and long videos, with subtitles or without",
        converter="t2vid.evaluation.benchmarks.video_mme",
        n_questions=2700,
        licence="other",
        licence_from="https://github.com/MME-Benchmarks/Video-MME: academic use, no redistribution",
        official=Official("video-mme", _VIDEO_MME),
        others=(Official("video-mme-subtitles", _VIDEO_MME, settings={"subtitles": True}),),
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
    Benchmark(
        "video_mme_v2",
        "Video-MME-v2",
        "groups of four questions with eight options, scored as groups",
        converter="t2vid.evaluation.benchmarks.video_mme_v2",
        n_questions=3200,
        licence="other",
        licence_from="https://github.com/MME-Benchmarks/Video-MME-v2: academic use, no redistribution",
        official=Official("video-mme-v2", _V2, settings=_V2_FRAMES),
        others=(
            Official(
                "video-mme-v2-subtitles",
                _V2,
                settings={**_V2_FRAMES, "subtitles": True},
                cues="all",
            ),
            Official(
                "video-mme-v2-thinking",
                _V2_THINKING,
                settings={**_V2_FRAMES, "max_new_tokens": 4096},
            ),
        ),
    ),
    Benchmark(
        "longvideobench",
        "LongVideoBench",
        "questions that refer to a moment of videos of 8 seconds to an hour, with subtitles or without",
        converter="t2vid.evaluation.benchmarks.longvideobench",
        n_questions=1337,
        licence="cc-by-nc-sa-4.0",
        licence_from="https://huggingface.co/datasets/longvideobench/LongVideoBench",
        official=Official("longvideobench", _LVB, settings=_LVB_FRAMES),
        others=(
            Official(
                "longvideobench-subtitles",
                _LVB,
                settings={**_LVB_FRAMES, "subtitles": True},
                cues="between",
            ),
        ),
    ),
    Benchmark(
        "mlvu",
        "MLVU",
        "seven tasks on videos of 3 minutes to 2 hours",
        converter="t2vid.evaluation.benchmarks.mlvu",
        n_questions=2175,
        licence="cc-by-nc-sa-4.0",
        licence_from="https://huggingface.co/datasets/MLVU/MVLU",
        official=Official(
            "mlvu",
            "{subtitles}Question: {question}\nOptions:\n{options}\nOnly give the best option.",
            option="({}) {}",  # choice_bench.py
            settings={
                "system": "Carefully watch this video and pay attention to every detail. Based on your "
                "observations, select the best option that accurately addresses the question.",
                "prefill": "Best Option: (",
            },
        ),
    ),
    Benchmark(
        "lvbench",
        "LVBench",
        "103 videos of an hour and more",
        converter="t2vid.evaluation.benchmarks.lvbench",
        n_questions=1549,
        licence="cc-by-nc-sa-4.0",
        licence_from="https://huggingface.co/datasets/zai-org/LVBench",
        official=Official(
            "lvbench",
            "{subtitles}{question}\n{options}\nAnswer the question with the option letter",
            option="({}) {}",  # lmms-eval; its authors give no prompt
        ),
    ),
    Benchmark(
        "egoschema",
        "EgoSchema",
        "three minutes of a first person's day, five long options",
        converter="t2vid.evaluation.benchmarks.egoschema",
        n_questions=500,
        licence="other",
        licence_from="https://github.com/egoschema/EgoSchema: the questions; its videos are Ego4D's",
        official=Official("egoschema", "{subtitles}{question}\n{options}\n" + _LETTER),
    ),
    Benchmark(
        "nextqa",
        "NExT-QA",
        "why, how, before and after, in videos of daily life",
        converter="t2vid.evaluation.benchmarks.nextqa",
        n_questions=8564,
        licence="mit",
        licence_from="https://github.com/doc-doc/NExT-QA",
        official=Official(
            "nextqa", "{subtitles}{question}\n{options}"
        ),  # lmms-eval: no instruction
    ),
    Benchmark(
        "perception_test",
        "Perception Test",
        "memory, physics, semantics and abstraction, three options",
        converter="t2vid.evaluation.benchmarks.perception_test",
        n_questions=19140,
        licence="cc-by-4.0",
        licence_from="https://github.com/google-deepmind/perception_test",
        official=Official("perception-test", "{subtitles}{question}\n{options}\n" + _LETTER),
    ),
    Benchmark(
        "questions",
        "Questions of one's own",
        "a JSONL or CSV file of id, video, question, options, answer",
        converter="t2vid.evaluation.benchmarks.own",
        n_questions=0,
        licence="other",
        licence_from="whoever wrote them",
    ),
    Benchmark(
        "needles",
        "Needles",
        "a card in a long video or a sentence in a long drawn text, at given depths; generated",
        converter="t2vid.evaluation.benchmarks.needles",
        n_questions=80,
        licence="apache-2.0",
        licence_from="generated by this project from its own clips and texts",
        official=Official(
            "needles",
            "{subtitles}{question}\n{options}\n" + _LETTER,
            settings={"fps": None, "frames": 4096},  # every frame: what is left out cannot be found
        ),
        builder="needles",
    ),
)

METRICS = (
    Metric(
        "video_mcq",
        "t2vid.metrics.video_mcq.video_mcq",
        "accuracy of multiple choice, answers read by rules, with intervals",
    ),
)
