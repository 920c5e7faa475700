"""The families of vision-language models: how each takes frames. To add one, write an entry here.

>>> {family.name: family.tokens_per_frame for family in PAPER_FAMILIES}
{'minicpm': 96, 'idefics3': 169, 'internvl': 256}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Family:
    """A family of vision-language models: how it takes frames, and what they cost.

    Args:
        name: of the family, unique.
        model_types: the values of `config.model_type` that belong to it; they are aliases too.
        vision: attribute path of the vision tower inside the base model.
        connector: attribute path of what maps vision features to the language model.
        language: attribute path of the language model.
        pixels: how frames reach the model. `"flat"`: `(frames, 3, height, width)`; `"nested"`: the
            same with one leading axis; `"strips"`: `(frames, 3, patch, patch * patches)`, each frame
            in its own shape, with `target_sizes`; `"processor"`: whatever the family's image
            processor gives.
        about: one line for lists.
        checkpoint: the checkpoint that the paper trained; "" outside the paper.
        tokens_per_frame: of a frame as one patch (T2Vid paper, section 5.2.1); 0 where it varies.
        frame_px: edge of the square that the vision encoder sees of one patch, as the model's
            processor sets it; 0 where it varies.
        video_frames: frames of a video at most (T2Vid paper, section 5.2.1).
        budget: the paper's limits for a row, fields of `Budget`.
        billions: weights of the checkpoint's language model (its table of words left out) and of
            its vision encoder, in billions; what training costs follows from them.
        tiny: `module:function` of a tiny model with random weights.
        packs: whether several rows may share one sequence (plain rotary positions, no state across
            rows).
        ported: whether this project brings the model's classes.
        token_types: the input by which the model learns which tokens are frames, where it asks:
            `"mm_token_type_ids"`, from which Qwen-VL makes its positions in space, or
            `"token_type_ids"`, from which Gemma 3 lets the tokens of a frame see each other; a model
            that gets none does not fail, but sees otherwise than its makers trained it.
        tiles_lone: whether the model cuts a frame into tiles when it is the only one of its row,
            unless it is told how many there are (`batch_num_images`).
        aliases: other names of it.
    """

    name: str
    model_types: tuple[str, ...]
    vision: str
    connector: str
    language: str
    pixels: Literal["flat", "nested", "strips", "processor"]
    about: str = ""
    checkpoint: str = ""
    tokens_per_frame: int = 0
    frame_px: int = 0
    video_frames: int = 0
    budget: Mapping[str, Any] = field(default_factory=dict)
    billions: tuple[float, float] = (0.0, 0.0)
    tiny: str = ""
    packs: bool = False
    ported: bool = False
    token_types: Literal["", "token_type_ids", "mm_token_type_ids"] = ""
    tiles_lone: bool = False
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Let a `model_type` stand for the family."""
        object.__setattr__(self, "aliases", (*self.aliases, *self.model_types))

    @property
    def tiny_name(self) -> str:
        """Name of its tiny model in place of a checkpoint; "" where it has none."""
        return f"tiny-{self.name}" if self.tiny else ""

    @property
    def lora_pattern(self) -> str:
        """Pattern of the language model's projections, for `LoraConfig(target_modules=…)`."""
        names = "q_proj|k_proj|v_proj|o_proj|qkv_proj|gate_proj|up_proj|down_proj|gate_up_proj"
        return rf".*\b{self.language}\.(?:.*\.)?(?:{names})"


# Budgets: T2Vid utils/preprocess/{minicpm,idefics}-filter.py and docs/TRAIN.md.
FAMILIES = (
    Family(
        "minicpm",
        ("minicpmv",),
        "vpm",
        "resampler",
        "llm",
        "strips",
        about="MiniCPM-Llama3-V 2.5",
        checkpoint="openbmb/MiniCPM-Llama3-V-2_5",
        tokens_per_frame=96,
        frame_px=448,
        video_frames=24,
        budget={"max_frames": 90, "max_tokens": 8192},
        billions=(7.5, 0.41),
        tiny="t2vid.models.tiny:tiny_minicpm",
        packs=True,
        ported=True,
        aliases=("minicpm_v_2_5",),
    ),
    Family(
        "idefics3",
        ("idefics3", "smolvlm"),
        "vision_model",
        "connector",
        "text_model",
        "nested",
        about="Idefics3-8B-Llama3, SmolVLM and SmolVLM2",
        checkpoint="HuggingFaceM4/Idefics3-8B-Llama3",
        tokens_per_frame=169,
        frame_px=364,
        video_frames=24,
        budget={"max_frames": 65, "max_tokens": 10240},
        billions=(7.5, 0.41),
        tiny="t2vid.models.tiny:tiny_idefics3",
        packs=True,
    ),
    # Phi-3's LongRoPE takes its long factors for every row of a batch as soon as one is longer than
    # 4,096 tokens, in the published code too: there a row's loss depends on its neighbours, packed
    # or not.
    Family(
        "internvl",
        ("internvl",),
        "vision_tower",
        "multi_modal_projector",
        "language_model",
        "flat",
        about="Mini-InternVL-Chat-4B-V1-5 and later InternVL",
        checkpoint="OpenGVLab/Mini-InternVL-Chat-4B-V1-5",
        tokens_per_frame=256,
        frame_px=448,
        video_frames=64,
        budget={"max_frames": 64},  # no filter is published; section 5.2.1 limits frames alone
        billions=(3.72, 0.30),
        tiny="t2vid.models.tiny_internvl:tiny_internvl",
        packs=True,
    ),
    Family(
        "qwen_vl",
        ("qwen2_vl", "qwen2_5_vl", "qwen3_vl"),
        "visual",
        "visual.merger",
        "language_model",
        "processor",
        about="Qwen2-VL, Qwen2.5-VL and Qwen3-VL",
        token_types="mm_token_type_ids",
    ),
    Family(
        "llava_onevision",
        ("llava_onevision",),
        "vision_tower",
        "multi_modal_projector",
        "language_model",
        "flat",
        about="LLaVA-OneVision",
        tiles_lone=True,
    ),
)

# The families of the paper; tables and pages have a column for each.
PAPER_FAMILIES = tuple(family for family in FAMILIES if family.tokens_per_frame)
TOKENS_PER_FRAME = {family.name: family.tokens_per_frame for family in PAPER_FAMILIES}
