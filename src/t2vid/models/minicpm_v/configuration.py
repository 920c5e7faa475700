"""`MiniCPMVConfig`: the published flat layout, a Llama's settings with the vision part inside.

>>> config = MiniCPMVConfig(hidden_size=4096, vision_config={"hidden_size": 1152})
>>> config.query_num, config.resampler_heads, config.vision_config.image_size
(96, 32, 980)
"""

from __future__ import annotations

from typing import Any, ClassVar

from t2vid.errors import InputError, require

require("transformers", extra="train")

from huggingface_hub.dataclasses import strict  # noqa: E402
from transformers import LlamaConfig, PreTrainedConfig  # noqa: E402
from transformers.models.idefics2.configuration_idefics2 import (  # noqa: E402
    Idefics2VisionConfig,
)

HEAD_DIM = 128  # of the resampler, whatever the width
# openbmb/MiniCPM-Llama3-V-2_5, config.json: SigLIP-400M at 980 pixels, all 27 layers
_VISION = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 980,
    "patch_size": 14,
}


@strict
class MiniCPMVConfig(LlamaConfig):
    """Settings of MiniCPM-Llama3-V-2.5, defaults as published.

    Args:
        query_num: tokens that a frame becomes.
        resampler_heads: attention heads of the resampler; one a 128 of the width by default.
        image_token_id: token that a frame's features replace (`<unk>`).
        drop_vision_last_layer: leave the last layer of the vision tower out.
        vision_config: of the SigLIP tower; keys left out are as published.
        attend_padding: let frames of several sizes see the padding of their batch, and take their
            positions from its width, as the published code does; for frames of one size it is the
            same.
        version: of the published family; others than 2.5 share the `model_type` and are refused.
    """

    model_type = "minicpmv"
    sub_configs: ClassVar[dict[str, Any]] = {"vision_config": Idefics2VisionConfig}

    vocab_size: int = 128256
    hidden_size: int = 4096
    intermediate_size: int = 14336
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 8192
    rms_norm_eps: float = 1e-5
    bos_token_id: int | None = 128000
    eos_token_id: int | list[int] | None = 128001
    default_theta = 500000.0

    query_num: int = 96
    resampler_heads: int | None = None
    image_token_id: int = 128002
    drop_vision_last_layer: bool = False
    attend_padding: bool = False
    vision_config: dict[str, Any] | PreTrainedConfig | None = None
    version: str | float | int = "2.5"

    def __post_init__(self, **kwargs: Any) -> None:
        """Fill in what is left out.

        Raises:
            InputError: for another version of MiniCPM-V.
        """
        if str(self.version) != "2.5":
            raise InputError(
                f"MiniCPM-V version {self.version} is not MiniCPM-Llama3-V-2.5: its language model "
                "and resampler differ; transformers has 4.6 and 4.7 itself"
            )
        if self.vision_config is None or isinstance(self.vision_config, dict):
            given = dict(self.vision_config or {})
            given.pop("model_type", None)  # published as "idefics2", which names no vision tower
            self.vision_config = Idefics2VisionConfig(**{**_VISION, **given})
        if self.resampler_heads is None:
            self.resampler_heads = max(1, self.hidden_size // HEAD_DIM)
        for remote in ("auto_map", "_name_or_path"):
            kwargs.pop(remote, None)  # names of code that is not needed any more
        super().__post_init__(**kwargs)
