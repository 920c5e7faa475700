"""Named values of configurations: how texts are drawn and videos sampled, what a row may cost, how to ask a model.

>>> [entry.name for entry in PRESETS if entry.kind == "render"]
['default', 'dense', 'paper']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from t2vid.catalog.benchmarks import BENCHMARKS
from t2vid.catalog.corpora import CORPORA
from t2vid.catalog.families import PAPER_FAMILIES

PresetKind = Literal["render", "sample", "budget", "eval"]


@dataclass(frozen=True)
class Preset:
    """Named values of a configuration.

    Args:
        name: unique for its kind.
        kind: `"render"` (`RenderSpec`), `"sample"` (`SampleSpec`), `"budget"` (`Budget`) or `"eval"`
            (`EvalConfig`).
        about: one line for lists.
        values: fields that are not the default.
        aliases: other names of it.
    """

    name: str
    kind: PresetKind
    about: str
    values: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


# What T2Vid's filters count: a question is dropped from 30 words on for LongQLoRA, 500 for LongAlpaca.
_QUESTION_WORDS = {c.name: c.max_question_words for c in CORPORA if c.max_question_words}

# qwen-vl-utils 0.0.14, vision_process.py: FPS, FPS_MIN_FRAMES, FPS_MAX_FRAMES, FRAME_FACTOR;
# image_patch_size (14; for Qwen3-VL 16) x SPATIAL_MERGE_SIZE. Pixels: `t2vid.frames.budgets`.
_QWEN: dict[str, Any] = {
    "fps": 2.0,
    "min_frames": 4,
    "max_frames": 768,
    "frame_factor": 2,
    "sampling": "linspace_rounded",
    "size_factor": 28,
}

PRESETS = (
    Preset("default", "render", "115 words a frame, 20 px, spacing of the text kept"),
    Preset(
        "dense",
        "render",
        "about twice the words of the default on a frame: 14 px, as many words as fit",
        {"font_px": 14, "words_per_frame": None},
    ),
    Preset("paper", "render", "the paper's layout: centred, greedy wrap", {"layout": "paper"}),
    Preset("qwen2_vl", "sample", "qwen-vl-utils", _QWEN, ("qwen2vl",)),
    Preset("qwen2_5_vl", "sample", "qwen-vl-utils", _QWEN),
    Preset("qwen3_vl", "sample", "qwen-vl-utils", {**_QWEN, "size_factor": 32}),
    Preset(  # OpenGVLab/InternVL, internvl_chat/README.md: load_video(num_segments=8, max_num=1)
        "internvl",
        "sample",
        "load_video of InternVL's README: 8 segments, one patch",
        {"fps": None, "max_frames": 8, "sampling": "internvl", "size": "internvl"},
    ),
    Preset(  # lmms_eval/models/simple/llava_onevision.py (max_frames_num=32); LLaVA-NeXT trains
        # with --frames_upbound 32 (scripts/train/finetune_ov.sh); SigLIP sees 384 px
        "llava_onevision",
        "sample",
        "lmms-eval's LLaVA-OneVision: 32 frames, first to last",
        {"fps": None, "max_frames": 32, "sampling": "linspace", "size": (384, 384)},
    ),
    Preset(  # LLaVA-VL/LLaVA-NeXT, docs/LLaVA_Video_1003.md: force_sample=True, so never one a second
        "llava_video",
        "sample",
        "load_video of LLaVA-Video's page: 64 frames, first to last",
        {"fps": None, "max_frames": 64, "sampling": "linspace", "size": (384, 384)},
        ("llava_next_video",),
    ),
    Preset(  # OpenBMB/MiniCPM-o, docs/minicpm_v2dot6_en.md: encode_video, MAX_NUM_FRAMES=64
        "minicpm",
        "sample",
        "encode_video of MiniCPM-V 2.6's page: every round(rate)-th frame, at most 64; one patch",
        {"fps": 1.0, "max_frames": 64, "sampling": "stride", "size": "minicpm"},
        ("minicpm_v", "minicpm_v_2_5"),
    ),
    Preset(
        "idefics3",
        "sample",
        "the paper, 5.2.1: one a second, at most 24",
        {"fps": 1.0, "max_frames": 24, "sampling": "paper", "size": "idefics3"},
    ),
    *(
        Preset(
            family.name,
            "budget",
            f"the paper's filter for {family.about}",
            {"family": family.name, **family.budget, "max_question_words": _QUESTION_WORDS},
            family.aliases,
        )
        for family in PAPER_FAMILIES
    ),
    Preset(
        "sparrow-minicpm",
        "budget",
        "the later paper's (Sparrow's minicpm-filter.py)",
        {
            "family": "minicpm",
            "max_frames": 100,
            "max_tokens": 10240,
            "max_question_words": _QUESTION_WORDS,
        },
    ),
    Preset("t2vid", "eval", "the paper, 5.2.1: 1 fps, at most 24 frames, greedy"),
    Preset("t2vid-64", "eval", "the same with 64 frames, the paper's for InternVL", {"frames": 64}),
    Preset(
        "paper",
        "eval",
        "the decisions of the paper's own scripts: its frame rule, its reading of answers",
        {"sampling": "paper_eval", "fps": None, "scheme": "paper"},
    ),
    *(
        Preset(
            way.name,
            "eval",
            f"as {benchmark.title}'s authors ask"
            + (", with subtitles" if way.settings.get("subtitles") else ""),
            {"prompt": way.name, **way.settings},
        )
        for benchmark in BENCHMARKS
        for way in benchmark.ways
    ),
    Preset(
        "ig-vlm",
        "eval",
        "six frames in one picture (imagegridworth/IG-VLM)",
        {"strategy": "grid", "frames": 6, "grid_columns": 3, "sampling": "linspace"},
    ),
    Preset(
        "slow-fast",
        "eval",
        "ten frames slow, fifty fast at 4 x 4 tokens of 28 px (apple/ml-slowfast-llava)",
        {"strategy": "slow_fast", "frames": 10, "fast_frames": 50, "fast_px": 112},
    ),
    Preset(
        "prompt-guided",
        "eval",
        "three frames most like the question, five between, fifty small (contrastive/FreeVideoLLM)",
        {"strategy": "prompt_guided", "frames": 3, "middle_frames": 5, "fast_frames": 50},
    ),
    Preset("text-only", "eval", "a control: no frames", {"control": "blind"}, ("blind",)),
    Preset("blank-frames", "eval", "a control: as many gray frames", {"control": "blank"}),
    Preset("one-frame", "eval", "a control: the middle frame alone", {"control": "one"}),
    Preset("shuffled-frames", "eval", "a control: frames in random order", {"control": "shuffled"}),
    Preset("reversed-frames", "eval", "a control: frames backwards", {"control": "reversed"}),
    Preset("other-video", "eval", "a control: the frames of another video", {"control": "other"}),
    Preset(
        "subtitles-only",
        "eval",
        "a control: the subtitles without the frames",
        {"control": "subtitles", "subtitles": True},
    ),
)
