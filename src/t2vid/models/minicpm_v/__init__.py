"""MiniCPM-Llama3-V-2.5 as transformers classes; importing this makes the Auto classes know them.

>>> from transformers import AutoConfig
>>> AutoConfig.for_model("minicpmv", query_num=4).query_num
4
"""

from __future__ import annotations

from t2vid.errors import require

require("transformers", extra="train")
require("torch", extra="train")

from transformers import (  # noqa: E402
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
)
from transformers.conversion_mapping import (  # noqa: E402
    register_checkpoint_conversion_mapping,
)
from transformers.core_model_loading import WeightRenaming  # noqa: E402

from t2vid.models.minicpm_v.configuration import MiniCPMVConfig  # noqa: E402
from t2vid.models.minicpm_v.modeling import (  # noqa: E402
    MiniCPMVForConditionalGeneration,
    MiniCPMVModel,
)
from t2vid.models.minicpm_v.processing import (  # noqa: E402
    MiniCPMVImageProcessor,
    MiniCPMVProcessor,
)

__all__ = [
    "MiniCPMVConfig",
    "MiniCPMVForConditionalGeneration",
    "MiniCPMVImageProcessor",
    "MiniCPMVModel",
    "MiniCPMVProcessor",
]

# Published name -> name here. Applied when a checkpoint is read, and backwards when one is written,
# so that what this project saves has the published names again.
PUBLISHED_NAMES = (
    (r"^llm\.model\.", "model.llm."),
    (r"^llm\.lm_head\.", "lm_head."),
    (r"^vpm\.", "model.vpm."),
    (r"^resampler\.", "model.resampler."),
)


def _register() -> None:
    kind = MiniCPMVConfig.model_type
    AutoConfig.register(kind, MiniCPMVConfig, exist_ok=True)
    AutoModel.register(MiniCPMVConfig, MiniCPMVModel, exist_ok=True)
    AutoModelForImageTextToText.register(
        MiniCPMVConfig, MiniCPMVForConditionalGeneration, exist_ok=True
    )
    AutoProcessor.register(MiniCPMVConfig, MiniCPMVProcessor, exist_ok=True)
    AutoImageProcessor.register(
        MiniCPMVConfig, slow_image_processor_class=MiniCPMVImageProcessor, exist_ok=True
    )
    names = [WeightRenaming(source, target) for source, target in PUBLISHED_NAMES]
    register_checkpoint_conversion_mapping(kind, names, overwrite=True)


_register()
